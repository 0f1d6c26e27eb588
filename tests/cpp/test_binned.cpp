// Binned columns by table: against dense features and differences, resume, threads, refusals.
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "core/portable.hpp"
#include "core/train_jobs.hpp"
#include "fixtures.hpp"
#include "job_runs.hpp"
#include "twin.hpp"

using namespace automs;
using fixtures::expanded;
using fixtures::make_binned_problem;
using fixtures::make_candidate;
using fixtures::Problem;
using job_runs::run_all;

namespace {

/// A candidate's network with or without tables, whatever pays.
template <typename Scalar>
Network forced_network(const Candidate& candidate, const View<Scalar>& view, bool tables) {
  Network network = make_network<Scalar>(candidate.architecture, view.n_features, view.n_logits,
                                         view.embedding_rows, view.binned, kTileRows);
  network.binned.tables = tables;
  network.input_stride = padded<Scalar>(std::max(network.n_inputs(), 1));
  return network;
}

template <typename Scalar>
struct Trained {
  std::vector<Scalar> values;  // without padding, in the order of the encoding
  State<Scalar> state;
};

template <typename Scalar>
Trained<Scalar> train(const Candidate& candidate, const View<Scalar>& view,
                      const Network& network) {
  ThreadBuffers<Scalar> buffers;
  Stop stop;
  Trained<Scalar> out;
  Trainer<Scalar> trainer(candidate, network, view, std::nullopt, buffers);
  trainer.train(out.state, candidate.epochs, stop, 0);
  for_each_piece(network, [&](std::size_t first, std::size_t n) {
    const auto start = out.state.weights.begin() + static_cast<std::ptrdiff_t>(first);
    out.values.insert(out.values.end(), start, start + static_cast<std::ptrdiff_t>(n));
  });
  return out;
}

/// Trains by table, with features written out, and on a view that has these features.
template <typename Scalar>
void compare_ways(const Candidate& c, const Problem<Scalar>& p, double tolerance) {
  const Problem<Scalar> dense = expanded(p);
  const Trained<Scalar> expected = train(c, dense.view, network_of(c, dense.view));
  for (const bool tables : {true, false}) {
    const Trained<Scalar> trained = train(c, p.view, forced_network(c, p.view, tables));
    CHECK(trained.values.size() == expected.values.size());
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      CHECK_CLOSE(trained.values[i], expected.values[i], tolerance);
    }
    for (std::size_t epoch = 0; epoch < expected.state.train_loss.size(); ++epoch) {
      CHECK_CLOSE(trained.state.train_loss[epoch], expected.state.train_loss[epoch], tolerance);
      CHECK_CLOSE(trained.state.validation_loss[epoch], expected.state.validation_loss[epoch],
                  tolerance);
    }
  }
}

void test_trained_layers_beside_tables_equal_dense_features() {
  for (const int n_logits : {1, 3}) {
    for (const auto& shape : std::vector<std::vector<int>>{{}, {17, 17}}) {
      Candidate c = make_candidate(shape, Activation::mish, Loss::squared);
      c.architecture.scaling_layer = c.architecture.parametric_activation = true;
      c.architecture.parametrization = Parametrization::ntp;
      c.architecture.residual = true;
      c.initial = {WeightInit::unit_deviation, BiasInit::he_plus_5, false};
      c.optimizer.kind = Optimizer::adamw;
      c.optimizer.weight_decay = 0.02;
      c.epochs = 2;
      const auto p = make_binned_problem<double>(Loss::squared, n_logits, {9, 12, 40}, {4}, 360, 3);
      compare_ways(c, p, 1e-7);
      c.optimizer.weight_decay = 0.0;
      twin::compare_with_differences(c, p.view);
    }
  }
}

/// The same rows without any other feature.
Problem<double> alone(Problem<double> p) {
  p.view.n_features = 0;
  int next = 0;
  for (BinnedColumn& column : p.view.binned) {
    column.first_feature = next;
    next += column.n_bins;
  }
  return p;
}

void test_slots_alone_equal_dense_features() {
  for (const auto& shape : std::vector<std::vector<int>>{{}, {17}, {70, 70}}) {
    for (const int n_logits : {1, 3}) {
      auto p = make_binned_problem<double>(Loss::squared, n_logits, {12, 5, 190, 30}, {}, 360, 3);
      for (BinnedColumn& column : p.view.binned) column.kind = Bins::one_hot;
      p = alone(std::move(p));
      Candidate c = make_candidate(shape, Activation::silu, Loss::squared);
      c.batch_size = 50;
      c.epochs = 2;
      compare_ways(c, p, 1e-9);
      c.batch_size = 300;  // gradients of several tiles
      compare_ways(c, p, 1e-9);
      if (shape.empty()) twin::compare_with_differences(c, p.view);
    }
  }
}

void test_tables_equal_dense_features() {
  // One bin, many of them, columns in several groups; without other features; beside embedded
  // columns; a single output, narrow and wide layers; batches of one row and of several tiles.
  const std::vector<std::vector<int>> columns = {{1}, {16, 3}, {2, 300, 7, 1, 9}};
  const std::vector<std::vector<int>> shapes = {{}, {1}, {17}, {70, 70}};
  int i = 0;
  for (const auto& bins : columns) {
    for (const auto& shape : shapes) {
      for (const int n_logits : {1, 3}) {
        for (const auto& embedding_rows : std::vector<std::vector<int>>{{}, {3, 20}}) {
          Candidate c = make_candidate(shape, Activation::silu, Loss::squared);
          c.batch_size = std::vector<int>{1, 50, 1000}[++i % 3];
          c.optimizer.kind = i % 2 == 0 ? Optimizer::adamw : Optimizer::sgd;
          c.learning_rate = 1e-3;
          c.optimizer.weight_decay = 0.05;
          c.optimizer.l2_penalty = 0.01;
          c.dropout = i % 4 == 0 ? 0.25 : 0.0;
          c.epochs = 2;
          const auto p =
              make_binned_problem<double>(Loss::squared, n_logits, bins, embedding_rows, 360, 4);
          compare_ways(c, p, 1e-8);  // which steps of Adam can make of the last bits of a gradient
          if (i % 5 != 0) continue;
          compare_ways(c, alone(p), 1e-8);
        }
      }
    }
  }
}

void test_losses_equal_dense_features_and_differences() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      Candidate c = make_candidate({7, 7}, Activation::mish, loss);
      c.architecture.embedding_size = 3;
      c.architecture.residual = true;
      for (const std::vector<int>& shape : {std::vector<int>{7, 7}, std::vector<int>{}}) {
        c.architecture.hidden_layer_sizes = shape;
        c.batch_size = 32;
        const auto p = make_binned_problem<double>(loss, n_logits, {9, 12}, {4}, 60, 3);
        CHECK(network_of(c, p.view).binned.tables);
        compare_ways(c, p, 1e-9);
        twin::compare_with_differences(c, p.view);
        compare_ways(c, make_binned_problem<float>(loss, n_logits, {9, 12}, {4}, 60, 3), 2e-3);
      }
    }
  }
}

std::vector<Candidate> some_candidates() {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 6; ++i) {
    Candidate c = make_candidate({}, Activation::silu, Loss::squared);
    if (i % 3 > 0) c.architecture.hidden_layer_sizes.assign(i % 3, 5 + 17 * i);
    c.optimizer.kind = i % 2 == 0 ? Optimizer::adamw : Optimizer::sgd;
    c.learning_rate = 1e-3;
    c.dropout = i % 2 == 0 ? 0.2 : 0.0;
    c.batch_size = 4 + 50 * i;
    c.epochs = 5;
    c.seed = static_cast<std::uint64_t>(i);
    candidates.push_back(c);
  }
  return candidates;
}

void test_threads_pauses_and_exports_do_not_change_bits() {
  const auto p = make_binned_problem<float>(Loss::squared, 1, {16, 5, 200, 8}, {7}, 300, 3);
  job_runs::check_that_bits_stay([&](TrainJobs& jobs) {
    jobs.add_view(p.view);
    for (const Candidate& c : some_candidates()) jobs.add_job(jobs.add_candidate(c), 0);
  });
}

void test_states_and_weights_are_those_of_dense_features() {
  const auto p = make_binned_problem<float>(Loss::squared, 1, {16, 5, 30}, {7}, 300, 3);
  const auto dense = expanded(p);
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_view(dense.view);
  const std::vector<Candidate> candidates = some_candidates();
  for (const Candidate& c : candidates) {
    const std::size_t candidate = jobs.add_candidate(c);
    jobs.add_job(candidate, 0);
    jobs.add_job(candidate, 1);
  }
  run_all(jobs, 0, 1);
  for (std::size_t job = 0; job < jobs.n_jobs(); job += 2) {
    CHECK(!jobs.export_state(job).weights.empty());
    CHECK(jobs.export_state(job).weights == jobs.export_state(job + 1).weights);
  }
  run_all(jobs, 3, 1);
  for (std::size_t job = 0; job < jobs.n_jobs(); job += 2) {
    jobs.import_state(job, jobs.export_state(job + 1));  // the same weights by both ways
    CHECK(jobs.weights(job).layers[0].weights == jobs.weights(job + 1).layers[0].weights);
    const auto predictions = jobs.validation_predictions({job, job + 1}, 1);
    for (std::size_t i = 0; i < predictions[0].size(); ++i) {
      CHECK_CLOSE(predictions[0][i], predictions[1][i], 2e-5);  // in float: 55 terms of about 1
    }
  }
}

void test_diverging_weights_are_a_state() {
  const auto p = make_binned_problem<float>(Loss::squared, 1, {16, 16});
  Candidate c = make_candidate({8}, Activation::relu, Loss::squared);
  c.optimizer.kind = Optimizer::sgd;
  c.learning_rate = 1e6;
  c.epochs = 50;
  CHECK(twin::train(c, p.view, 50).state == JobState::diverged);
}

void test_tables_are_for_many_bins_and_rows() {
  CHECK(tables_pay({{0, 16}, {16, 16}}, 64));
  CHECK(tables_pay({{0, 8}}, 64));
  CHECK(!tables_pay({{0, 16}}, 0));
  CHECK(!tables_pay({{0, 8}}, 4));
  CHECK(!tables_pay({{0, 2}, {2, 3}}, kTileRows));
  CHECK(tables_pay({{0, 8, Bins::one_hot}}, 8));
  CHECK(!tables_pay({{0, 3, Bins::one_hot}}, kTileRows));
}

void test_bad_arguments_are_refused() {
  const auto p = make_binned_problem<float>(Loss::squared, 1, {4, 3}, {}, 40, 2);
  TrainJobs jobs;
  auto refused = [&](auto&& change) {
    auto broken = p;
    change(broken);
    if (broken.view.bins) broken.view.bins = broken.bins.data();
    if (broken.view.fractions) broken.view.fractions = broken.fractions.data();
    CHECK_THROWS(jobs.add_view(broken.view), std::invalid_argument);
  };
  refused([](auto& b) { b.bins[7] = 4; });
  refused([](auto& b) { b.bins[6] = 65535; });
  for (const float t : {-0.1f, 1.1f, std::numeric_limits<float>::quiet_NaN()}) {
    refused([t](auto& b) { b.fractions[5] = t; });
  }
  refused([](auto& b) { b.view.bins = nullptr; });
  refused([](auto& b) { b.view.fractions = nullptr; });
  refused([](auto& b) { b.view.binned[0].n_bins = 0; });
  refused([](auto& b) { b.view.binned[0].n_bins = kMostBins + 1; });
  refused([](auto& b) { b.view.binned[0].first_feature = -1; });
  refused([](auto& b) { b.view.binned[1].first_feature = 3; });
  refused([](auto& b) { b.view.binned[1].first_feature = 7; });
  jobs.add_view(p.view);
}

}  // namespace

int main() {
  test_trained_layers_beside_tables_equal_dense_features();
  test_slots_alone_equal_dense_features();
  test_tables_equal_dense_features();
  test_losses_equal_dense_features_and_differences();
  test_threads_pauses_and_exports_do_not_change_bits();
  test_states_and_weights_are_those_of_dense_features();
  test_diverging_weights_are_a_state();
  test_tables_are_for_many_bins_and_rows();
  test_bad_arguments_are_refused();
  return automs_test_result();
}
