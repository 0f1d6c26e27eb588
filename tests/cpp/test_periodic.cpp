// Periodic embeddings: against the twin and differences, resume, threads, states, refusals.
#include <algorithm>
#include <cmath>
#include <limits>
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

namespace {

Candidate periodic_candidate(std::vector<int> sizes, int n_frequencies, int size) {
  Candidate c = make_candidate(std::move(sizes), Activation::silu, Loss::squared);
  c.architecture.periodic = {NumericEmbedding::pbld, n_frequencies, size, 0.3};
  c.optimizer.kind = Optimizer::adamw;
  c.optimizer.weight_decay = 0.05;
  c.optimizer.l2_penalty = 0.01;
  return c;
}

void test_shapes_equal_the_twin() {
  // One feature, some of them, more than any vector has lanes; with tables and without; one
  // frequency and more; two to nine values of a feature; batches of one row and of several tiles.
  for (const int n_periodic : {1, 3, 19}) {
    for (const auto& shape : std::vector<std::vector<int>>{{}, {1}, {33, 5}, {130}}) {
      for (const int size : {2, 4, 9}) {
        Candidate c = periodic_candidate(shape, size == 4 ? 16 : size / 2, size);
        c.batch_size = size == 2 ? 1 : (size == 4 ? 50 : 1000);
        c.dropout = size == 4 ? 0.25 : 0.0;
        c.epochs = 2;
        if (n_periodic == 3) {
          c.optimizer.kind = Optimizer::sgd;
          c.learning_rate = 1e-3;  // more of it would magnify the last bits of unlike sums
        }
        const std::vector<int> tables = n_periodic == 1 ? std::vector<int>{} : std::vector<int>{3};
        auto p = make_embedded_problem<double>(Loss::squared, 2, tables, 200, 19);
        p.view.n_periodic = n_periodic;
        twin::compare_with_twin(c, p.view, 1e-8);
      }
    }
  }
}

void test_losses_equal_the_twin_and_differences() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      Candidate c = make_candidate({7, 7}, Activation::mish, loss);
      c.architecture.periodic = {NumericEmbedding::pbld, 5, 4, 0.5};
      c.architecture.embedding_size = 3;
      c.architecture.residual = true;
      auto p = make_embedded_problem<double>(loss, n_logits, {4, 2}, 60, 3);
      p.view.n_periodic = 2;
      twin::compare_with_twin(c, p.view, 1e-9);
      auto in_float = make_embedded_problem<float>(loss, n_logits, {4, 2}, 60, 3);
      in_float.view.n_periodic = 2;
      twin::compare_with_twin(c, in_float.view, 2e-3);
      twin::compare_with_differences(c, p.view);
      c.architecture.hidden_layer_sizes.clear();
      c.architecture.periodic.size = 3;
      twin::compare_with_differences(c, p.view);
    }
  }
}

void test_it_goes_with_every_other_layer() {
  for (const int n_logits : {1, 3}) {
    Candidate c = make_candidate({7, 7}, Activation::mish, Loss::squared);
    c.architecture.periodic = {NumericEmbedding::pbld, 5, 4, 0.5};
    c.architecture.embedding_size = 3;
    c.architecture.scaling_layer = true;
    c.architecture.parametric_activation = true;
    c.architecture.parametrization = Parametrization::ntp;
    c.initial = {WeightInit::unit_deviation, BiasInit::he_plus_5, false};
    auto p = make_embedded_problem<double>(Loss::squared, n_logits, {4, 2}, 60, 3);
    p.view.n_periodic = 2;
    twin::compare_with_differences(c, p.view);
    c.optimizer.kind = Optimizer::adamw;
    c.optimizer.weight_decay = 0.05;
    c.weight_decay_schedule = Schedule::flat_cos;
    twin::compare_with_twin(c, p.view, 1e-8);
  }
}

std::vector<double> first_values(const PeriodicSettings& settings, int n_periodic,
                                 std::uint64_t seed) {
  Architecture a;
  a.periodic = settings;
  const Network network = make_network<double>(a, 40, 1, {}, {}, kTileRows, n_periodic);
  std::vector<double> values(network.n_buffer);
  initialize_weights(network, seed, values.data());
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(network.periodic.n_values)};
}

void test_first_values_depend_on_their_place_alone() {
  const PeriodicSettings settings{NumericEmbedding::pbld, 16, 4, 0.1};
  const Periodic few = make_periodic<double>(settings, 3, 0);
  const Periodic many = make_periodic<double>(settings, 30, 0);
  const auto small = first_values(settings, 3, 7), large = first_values(settings, 30, 7);
  const auto other = first_values(settings, 3, 8);
  std::set<double> seen;
  for (int row = 0; row < few.n_rows(); ++row) {
    for (int j = 0; j < 3; ++j) {
      CHECK(small[few.row(row) + j] == large[many.row(row) + j]);
      CHECK(small[few.row(row) + j] != other[few.row(row) + j]);
      seen.insert(small[few.row(row) + j]);
    }
  }
  CHECK(seen.size() == few.n_parameters());
}

void test_first_values_are_drawn_as_stated() {
  const PeriodicSettings settings{NumericEmbedding::pbld, 1024, 3, 0.5};
  const Periodic periodic = make_periodic<double>(settings, 40, 0);
  const auto values = first_values(settings, 40, 1);
  double squares = 0.0, phase = 0.0, weight = 0.0;
  for (int k = 0; k < 1024; ++k) {
    for (int j = 0; j < 40; ++j) {
      squares += values[periodic.frequencies(k) + j] * values[periodic.frequencies(k) + j];
      phase = std::fmax(phase, std::fabs(values[periodic.phases(k) + j]));
      weight = std::fmax(weight, std::fabs(values[periodic.weights(k, 1) + j]));
    }
  }
  CHECK_CLOSE(squares / 40960, 0.25, 0.01);  // a deviation of the mean is 0.0017
  CHECK(phase > 3.14 && phase <= std::acos(-1.0));
  CHECK(weight > 0.0312 && weight <= 0.03125);
}

void test_off_means_the_same_bits() {
  Problem<float> p = make_problem<float>(Loss::squared, 1);
  Candidate c = make_candidate({10}, Activation::mish, Loss::squared);
  const State<float> usual = twin::train(c, p.view, 4);
  p.view.n_periodic = 5;
  CHECK(twin::train(c, p.view, 4).weights == usual.weights);
  c.architecture.periodic.kind = NumericEmbedding::pbld;
  CHECK(twin::train(c, p.view, 4).weights.size() > usual.weights.size());
  p.view.n_periodic = 0;
  CHECK(twin::train(c, p.view, 4).weights == usual.weights);
}

void test_threads_pauses_and_exports_do_not_change_bits() {
  auto first = make_embedded_problem<float>(Loss::squared, 2, {30, 2}, 400);
  auto second = make_problem<float>(Loss::squared, 1, 300, 11);
  first.view.n_periodic = 4;
  second.view.n_periodic = 11;
  auto add = [&](TrainJobs& jobs) {
    jobs.add_view(first.view);
    jobs.add_view(second.view);
    for (int i = 0; i < 6; ++i) {
      Candidate c = periodic_candidate({}, 1 + 3 * i, 2 + i);
      if (i % 3 > 0) c.architecture.hidden_layer_sizes.assign(i % 3, 5 + 7 * i);
      if (i % 2 == 1) c.optimizer.kind = Optimizer::sgd;
      c.dropout = i % 2 == 0 ? 0.2 : 0.0;
      c.batch_size = 16 + 40 * i;
      c.epochs = 5;
      c.seed = static_cast<std::uint64_t>(i);
      const std::size_t candidate = jobs.add_candidate(c);
      jobs.add_job(candidate, 0);
      jobs.add_job(candidate, 1);
    }
  };
  job_runs::check_that_bits_stay(add);
}

void test_weights_come_part_by_part_and_predict() {
  auto p = make_problem<float>(Loss::squared, 1, 200, 3);
  p.view.n_periodic = 2;
  const Candidate c = periodic_candidate({}, 6, 4);
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_job(jobs.add_candidate(c), 0);
  job_runs::run_all(jobs, 4, 1);
  const NetworkWeights out = jobs.weights(0);
  const PeriodicWeights& w = out.periodic;
  CHECK(w.n_columns == 2 && w.n_frequencies == 6 && w.n_outputs == 3);
  CHECK(w.frequencies.size() == 12 && w.weights.size() == 36 && w.phases.size() == 12);
  CHECK(w.biases.size() == 6 && out.layers[0].fan_in == 3 + 6);
  CHECK(jobs.export_state(0).best_weights.size() == 12 + 36 + 12 + 6 + 9 + 1);
  const std::vector<double> predictions = jobs.validation_predictions({0}, 1)[0];
  for (std::size_t i = 0; i < p.view.validation_rows.size(); ++i) {
    const float* x = p.X.data() + p.view.validation_rows[i] * 3;
    std::vector<double> input(x, x + 3);
    for (int s = 0; s < 3; ++s) {
      for (int j = 0; j < 2; ++j) {
        input.push_back(w.biases[s * 2 + j]);
        for (int k = 0; k < 6; ++k) {
          const double turns = double(w.frequencies[k * 2 + j]) * x[j];
          const double angle = 2 * std::acos(-1.0) * turns + w.phases[k * 2 + j];
          input.back() += w.weights[(k * 3 + s) * 2 + j] * std::cos(angle);
        }
      }
    }
    double sum = out.layers[0].bias[0];
    for (std::size_t j = 0; j < input.size(); ++j) sum += input[j] * out.layers[0].weights[j];
    // In float: some tens of terms of about 1.
    CHECK_CLOSE(predictions[i], p.view.output_centre[0] + p.view.output_scale[0] * sum, 1e-5);
  }
  CHECK_THROWS(jobs.set_weights(0, std::vector<float>(76, 0.5f), 0.1, Metric::rmse),
               std::invalid_argument);
}

void test_a_diverging_embedding_is_a_state() {
  auto p = make_problem<float>(Loss::squared, 1);
  p.view.n_periodic = 5;
  Candidate c = periodic_candidate({8}, 8, 4);
  c.optimizer.kind = Optimizer::sgd;
  c.learning_rate = 1e6;
  c.epochs = 50;
  CHECK(twin::train(c, p.view, 50).state == JobState::diverged);
}

void test_bad_arguments_are_refused() {
  const auto p = make_problem<float>(Loss::squared, 1);
  TrainJobs jobs;
  for (const int n_periodic : {-1, 6}) {
    View<float> view = p.view;
    view.n_periodic = n_periodic;
    CHECK_THROWS(jobs.add_view(view), std::invalid_argument);
  }
  auto refused = [&](int n_frequencies, int size, double scale) {
    Candidate c = periodic_candidate({4}, n_frequencies, size);
    c.architecture.periodic.frequency_scale = scale;
    CHECK_THROWS(jobs.add_candidate(c), std::invalid_argument);
  };
  for (const int n : {-1, 0, kMostFrequencies + 1}) refused(n, 4, 0.1);
  for (const int size : {-1, 1, kLargestPeriodic + 1}) refused(16, size, 0.1);
  for (const double scale : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    refused(16, 4, scale);
  }
}

}  // namespace

int main() {
  test_shapes_equal_the_twin();
  test_losses_equal_the_twin_and_differences();
  test_it_goes_with_every_other_layer();
  test_first_values_depend_on_their_place_alone();
  test_first_values_are_drawn_as_stated();
  test_off_means_the_same_bits();
  test_threads_pauses_and_exports_do_not_change_bits();
  test_weights_come_part_by_part_and_predict();
  test_a_diverging_embedding_is_a_state();
  test_bad_arguments_are_refused();
  return automs_test_result();
}
