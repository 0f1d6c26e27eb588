// Embedded columns: against the twin and differences, resume, threads, states, refusals.
#include <cmath>
#include <set>
#include <vector>

#include "check.hpp"
#include "core/train_jobs.hpp"
#include "fixtures.hpp"
#include "job_runs.hpp"
#include "twin.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_embedded_problem;
using fixtures::make_problem;
using fixtures::Problem;
using job_runs::run_all;

namespace {

Candidate embedded_candidate(std::vector<int> sizes, int embedding_size) {
  Candidate c = make_candidate(std::move(sizes), Activation::silu, Loss::squared);
  c.architecture.embedding_size = embedding_size;
  c.optimizer.kind = Optimizer::adamw;
  c.optimizer.weight_decay = 0.05;
  c.optimizer.l2_penalty = 0.01;
  return c;
}

void test_shapes_equal_the_twin() {
  // Tables smaller and larger than the vectors, of one row, many of them; vectors of odd and wide
  // sizes; no dense feature; no hidden layer; batches of one row and of several tiles.
  const std::vector<std::vector<int>> tables = {{1}, {2, 70}, {3, 1, 9, 4, 2, 6}};
  const std::vector<std::vector<int>> shapes = {{}, {1}, {17}, {33, 5}, {130}};
  for (const auto& embedding_rows : tables) {
    for (const auto& shape : shapes) {
      for (const int embedding_size : {1, 3, 8, 40}) {
        for (const int n_features : {0, 2}) {
          Candidate c = embedded_candidate(shape, embedding_size);
          c.batch_size = embedding_size == 1 ? 1 : (embedding_size == 3 ? 50 : 1000);
          c.dropout = embedding_size == 8 ? 0.25 : 0.0;
          if (n_features == 0) {
            c.optimizer.kind = Optimizer::sgd;
            c.learning_rate = 1e-3;  // more of it would magnify the last bits of unlike sums
          }
          c.epochs = 2;
          Problem<double> p = make_embedded_problem<double>(Loss::squared, 2, embedding_rows, 360);
          // The first features of a row alone: the row width of X is that of the dense ones.
          for (int i = 0; i < 360 * n_features; ++i) p.X[i] = p.X[i / n_features * 5 + i % 2];
          p.view.n_features = n_features;
          twin::compare_with_twin(c, p.view, 1e-8);
        }
      }
    }
  }
}

void test_losses_equal_the_twin_and_differences() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      Candidate c = make_candidate({7, 7}, Activation::mish, loss);
      c.architecture.embedding_size = 3;
      c.architecture.residual = true;
      const auto p = make_embedded_problem<double>(loss, n_logits, {4, 2}, 60, 3);
      twin::compare_with_twin(c, p.view, 1e-9);
      twin::compare_with_differences(c, p.view);
      const auto in_float = make_embedded_problem<float>(loss, n_logits, {4, 2}, 60, 3);
      twin::compare_with_twin(c, in_float.view, 2e-3);
      c.architecture.hidden_layer_sizes.clear();
      twin::compare_with_differences(c, p.view);
    }
  }
}

void test_a_code_that_never_comes_keeps_its_vector() {
  Problem<double> p = make_embedded_problem<double>(Loss::squared, 1, {6});
  for (std::int32_t& code : p.codes) code = code == 4 ? 5 : code;
  Candidate c = make_candidate({8}, Activation::relu, Loss::squared);
  c.architecture.embedding_size = 5;
  const State<double> before = twin::train(c, p.view, 0);
  const State<double> after = twin::train(c, p.view, 4);
  for (int row = 0; row < 6; ++row) {
    for (int j = 0; j < 5; ++j) {
      const bool equal = before.weights[row * 5 + j] == after.weights[row * 5 + j];
      CHECK(equal == (row == 4));
    }
  }
}

void test_first_values_depend_on_their_place_alone() {
  Architecture a;
  a.hidden_layer_sizes = {6};
  auto values = [&](const std::vector<int>& rows, int size, std::uint64_t seed) {
    a.embedding_size = size;
    const Network network = make_network<double>(a, 3, 1, rows);
    std::vector<double> out(network.n_buffer);
    initialize_weights(network, seed, out.data());
    return out;
  };
  const std::vector<double> small = values({10, 20}, 4, 7), large = values({50, 20}, 4, 7);
  const std::vector<double> longer = values({10, 20}, 9, 7), other = values({10, 20}, 4, 8);
  std::set<double> seen;
  double squares = 0.0;
  for (int i = 0; i < 40; ++i) {
    CHECK(small[i] == large[i]);
    CHECK_CLOSE(small[i] * 2.0, longer[i / 4 * 9 + i % 4] * 3.0, 1e-12);  // times sqrt(size)
    CHECK(small[i] != other[i]);
    CHECK(small[i] != small[40 + i]);
    seen.insert(small[i]);
  }
  CHECK(seen.size() == 40);
  const std::vector<double> many = values({5000}, 16, 3);
  for (int i = 0; i < 80000; ++i) squares += many[i] * many[i];
  CHECK_CLOSE(squares / 80000, 1.0 / 16, 0.002);  // of 80000 values: within 0.5 %, five deviations
}

void test_no_embedded_column_no_difference() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  Candidate c = make_candidate({10}, Activation::mish, Loss::squared);
  const State<float> usual = twin::train(c, p.view, 4);
  for (const int embedding_size : {0, 3}) {
    c.architecture.embedding_size = embedding_size;
    CHECK(twin::train(c, p.view, 4).weights == usual.weights);
  }
}

std::vector<Candidate> some_candidates() {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 8; ++i) {
    Candidate c = embedded_candidate({}, 1 + 3 * i);
    if (i % 3 > 0) c.architecture.hidden_layer_sizes.assign(i % 3, 5 + 7 * i);
    c.optimizer.kind = i % 2 == 0 ? Optimizer::adamw : Optimizer::sgd;
    c.dropout = i % 2 == 0 ? 0.2 : 0.0;
    c.batch_size = 16 + 40 * i;
    c.epochs = 5;
    c.seed = static_cast<std::uint64_t>(i);
    candidates.push_back(c);
  }
  return candidates;
}

/// Two views with unlike tables, every candidate on both.
void add_jobs(TrainJobs& jobs, const Problem<float>& first, const Problem<float>& second) {
  jobs.add_view(first.view);
  jobs.add_view(second.view);
  for (const Candidate& c : some_candidates()) {
    const std::size_t candidate = jobs.add_candidate(c);
    jobs.add_job(candidate, 0);
    jobs.add_job(candidate, 1);
  }
}

void test_threads_pauses_and_exports_do_not_change_bits() {
  const auto first = make_embedded_problem<float>(Loss::squared, 2, {30, 2}, 400);
  const auto second = make_embedded_problem<float>(Loss::squared, 2, {7, 3, 90}, 300, 2);
  job_runs::check_that_bits_stay([&](TrainJobs& jobs) { add_jobs(jobs, first, second); });
}

void test_weights_come_table_by_table_and_predict() {
  const auto p = make_embedded_problem<float>(Loss::squared, 1, {5, 12}, 200, 2);
  Candidate c = embedded_candidate({}, 8);
  c.optimizer.l2_penalty = 0.0;
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_job(jobs.add_candidate(c), 0);
  job_runs::run_all(jobs, 4, 1);
  const NetworkWeights out = jobs.weights(0);
  CHECK(out.embeddings.size() == 2 && out.layers.size() == 1);
  CHECK(out.embeddings[0].n_rows == 5 && out.embeddings[0].size == 5);
  CHECK(out.embeddings[1].n_rows == 12 && out.embeddings[1].size == 8);
  CHECK(out.layers[0].fan_in == 2 + 5 + 8);
  CHECK(jobs.export_state(0).best_weights.size() == 25 + 96 + 15 + 1);
  const std::vector<double> predictions = jobs.validation_predictions({0}, 1)[0];
  for (std::size_t i = 0; i < p.view.validation_rows.size(); ++i) {
    const auto row = static_cast<std::size_t>(p.view.validation_rows[i]);
    std::vector<float> input(p.X.begin() + row * 2, p.X.begin() + row * 2 + 2);
    for (std::size_t e = 0; e < 2; ++e) {
      const TableWeights& table = out.embeddings[e];
      const auto vector = table.weights.begin() + p.codes[row * 2 + e] * table.size;
      input.insert(input.end(), vector, vector + table.size);
    }
    double sum = out.layers[0].bias[0];
    for (std::size_t j = 0; j < input.size(); ++j) sum += input[j] * out.layers[0].weights[j];
    // In float: 16 terms of about 1.
    CHECK_CLOSE(predictions[i], p.view.output_centre[0] + p.view.output_scale[0] * sum, 1e-5);
  }
  jobs.release({0});
  CHECK_THROWS(jobs.weights(0), std::invalid_argument);
}

void test_a_diverging_table_is_a_state() {
  const auto p = make_embedded_problem<float>(Loss::squared, 1, {9});
  Candidate c = embedded_candidate({8}, 4);
  c.optimizer.kind = Optimizer::sgd;
  c.learning_rate = 1e6;
  c.epochs = 50;
  CHECK(twin::train(c, p.view, 50).state == JobState::diverged);
}

void test_bad_arguments_are_refused() {
  auto p = make_embedded_problem<float>(Loss::squared, 1, {4, 3});
  TrainJobs jobs;
  for (const std::int32_t code : {-1, 4, 1 << 30}) {
    auto broken = p;
    broken.codes[20] = code;
    broken.view.codes = broken.codes.data();
    CHECK_THROWS(jobs.add_view(broken.view), std::invalid_argument);
  }
  View<float> view = p.view;
  view.codes = nullptr;
  CHECK_THROWS(jobs.add_view(view), std::invalid_argument);
  view = p.view;
  view.embedding_rows[1] = 0;
  CHECK_THROWS(jobs.add_view(view), std::invalid_argument);
  view = make_problem<float>(Loss::squared, 1).view;
  view.n_features = 0;
  CHECK_THROWS(jobs.add_view(view), std::invalid_argument);
  jobs.add_view(p.view);
  for (const int size : {-1, kLargestEmbedding + 1}) {
    CHECK_THROWS(jobs.add_candidate(embedded_candidate({4}, size)), std::invalid_argument);
  }
  const std::size_t without = jobs.add_candidate(embedded_candidate({}, 0));
  CHECK_THROWS(jobs.add_job(without, 0), std::invalid_argument);
  const std::size_t job = jobs.add_job(jobs.add_candidate(embedded_candidate({}, 2)), 0);
  const std::vector<float> dense(8 + 6 + 10, 0.5f);
  CHECK_THROWS(jobs.set_weights(job, dense, 0.1, Metric::rmse), std::invalid_argument);
}

}  // namespace

int main() {
  test_shapes_equal_the_twin();
  test_losses_equal_the_twin_and_differences();
  test_a_code_that_never_comes_keeps_its_vector();
  test_first_values_depend_on_their_place_alone();
  test_no_embedded_column_no_difference();
  test_threads_pauses_and_exports_do_not_change_bits();
  test_weights_come_table_by_table_and_predict();
  test_a_diverging_table_is_a_state();
  test_bad_arguments_are_refused();
  return automs_test_result();
}
