// Networks that share a trunk: against the twin and differences, resume, threads, and the networks
// that are read out.
#include <cmath>
#include <set>
#include <vector>

#include "check.hpp"
#include "core/train_jobs.hpp"
#include "fixtures.hpp"
#include "job_runs.hpp"
#include "twin.hpp"

using namespace automs;
using fixtures::make_binned_problem;
using fixtures::make_candidate;
using fixtures::make_embedded_problem;
using fixtures::make_problem;
using fixtures::Problem;

namespace {

Candidate members(int n, std::vector<int> sizes, Activation activation = Activation::mish,
                  Loss loss = Loss::squared) {
  Candidate c = make_candidate(std::move(sizes), activation, loss);
  c.architecture.n_members = n;
  c.architecture.embedding_size = 3;
  c.optimizer.scaling_lr_factor = 2.0;
  return c;
}

void test_every_optimizer_equals_the_twin() {
  for (unsigned which = 0; which < 8; ++which) {
    for (const Optimizer kind : {Optimizer::sgd, Optimizer::adam, Optimizer::adamw}) {
      Candidate c = members(2 + static_cast<int>(which % 3), {9, 9, 4});
      c.architecture.scaling_layer = which == 7;  // changes nothing
      c.architecture.residual = which % 3 == 0;
      c.architecture.parametric_activation = (which & 1) != 0;
      if (which & 2) c.architecture.parametrization = Parametrization::ntp;
      if (which & 4) c.initial = {WeightInit::unit_deviation, BiasInit::he_plus_5, false};
      c.optimizer.kind = kind;
      c.optimizer.epsilon = 1e-3;
      c.optimizer.l2_penalty = 0.02;
      c.optimizer.weight_decay = kind == Optimizer::adam ? 0.0 : 0.1;
      c.optimizer.bias_lr_factor = 0.5;
      c.dropout = which % 2 == 0 ? 0.3 : 0.0;
      const auto p = make_embedded_problem<double>(Loss::squared, 2, {4, 2});
      twin::compare_with_twin(c, p.view, 1e-9);
      const auto in_float = make_embedded_problem<float>(Loss::squared, 2, {4, 2});
      twin::compare_with_twin(c, in_float.view, 2e-3);
    }
  }
}

void test_every_loss_and_shape_equals_the_twin() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      for (const auto& shape : std::vector<std::vector<int>>{{1}, {17}, {33, 5}, {128, 66}}) {
        Candidate c = members(3, shape, Activation::selu, loss);
        c.batch_size = shape.size() == 1 ? 50 : 1000;  // of a tile, and of several
        c.dropout = 0.25;
        c.epochs = 2;
        const auto p = make_embedded_problem<double>(loss, n_logits, {70, 2}, 360);
        twin::compare_with_twin(c, p.view, 1e-7);
      }
    }
  }
}

void test_analytic_gradient_equals_numerical_gradient() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      Candidate c = members(3, {6, 6}, Activation::silu, loss);
      c.architecture.parametric_activation = n_logits == 3;
      c.architecture.periodic = {NumericEmbedding::pbld, 3, 3, 0.5};
      auto p = make_embedded_problem<double>(loss, n_logits, {4, 2}, 40, 3);
      p.view.n_periodic = 2;
      twin::compare_with_differences(c, p.view);
      auto bins = make_binned_problem<double>(loss, n_logits, {9, 12, 40}, {4}, 60, 3);
      c.architecture.periodic.kind = NumericEmbedding::none;
      twin::compare_with_differences(c, bins.view);
      c.architecture.periodic.kind = NumericEmbedding::pbld;
      bins.view.n_periodic = 1;
      twin::compare_with_differences(c, bins.view);
    }
  }
}

void test_threads_pauses_and_exports_keep_the_bits() {
  const auto embedded = make_embedded_problem<float>(Loss::squared, 1, {5, 30}, 300);
  const auto bins = make_binned_problem<float>(Loss::squared, 1, {9, 12, 40}, {4}, 300, 3);
  job_runs::check_that_bits_stay([&](TrainJobs& jobs) {
    const std::size_t views[] = {jobs.add_view(embedded.view), jobs.add_view(bins.view)};
    for (int n = 1; n < 6; ++n) {
      Candidate c = members(n, {12, 12});
      c.optimizer.kind = Optimizer::adamw;
      c.dropout = 0.2;
      c.epochs = 5;
      c.seed = static_cast<std::uint64_t>(n);
      const std::size_t candidate = jobs.add_candidate(c);
      for (const std::size_t view : views) jobs.add_job(candidate, view);
    }
  });
}

/// One row through a network that was read out, in the plainest way: its logits.
std::vector<double> logits_of(const NetworkWeights& network, Activation activation,
                              std::vector<double> x) {
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const DenseWeights& layer = network.layers[l];
    std::vector<double> z(layer.bias.begin(), layer.bias.end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      for (std::size_t j = 0; j < z.size(); ++j) z[j] += x[i] * layer.weights[i * z.size() + j];
    }
    const bool hidden = l + 1 < network.layers.size();
    for (double& value : z) value = hidden ? naive::activation(activation, value) : value;
    x = z;
  }
  return x;
}

/// What one member predicts of a regression or of classes.
std::vector<double> predicted(const View<float>& view, Loss loss, const std::vector<double>& z) {
  std::vector<double> out;
  double sum = 0.0;
  for (const double value : z) sum += std::exp(value);
  for (std::size_t j = 0; j < z.size(); ++j) {
    const double log = loss == Loss::squared_log ? view.logs.deviation[j] * z[j] : z[j];
    const bool is_log = loss == Loss::squared_log || loss == Loss::poisson;
    const double value = is_log ? std::exp(log) : z[j];
    if (view.task == Task::multiclass) out.push_back(std::exp(z[j]) / sum);
    if (view.task == Task::binary) out.push_back(1.0 / (1.0 + std::exp(-z[j])));
    if (view.task != Task::regression) continue;
    const double unclipped = view.output_centre[j] + view.output_scale[j] * value;
    const bool clips = loss == Loss::squared_log;
    out.push_back(clips ? std::fmin(std::fmax(unclipped, view.logs.low[j]), view.logs.high[j])
                        : unclipped);
  }
  if (view.task == Task::binary && out.size() == 1) out.insert(out.begin(), 1.0 - out[0]);
  return out;
}

void test_predictions_are_the_mean_of_the_networks_that_are_read_out() {
  for (const Loss loss : twin::all_losses()) {
    for (const int n_logits : {1, 3}) {
      const Problem<float> p = make_problem<float>(loss, n_logits);
      const Candidate c = members(4, {6, 6}, Activation::silu, loss);
      TrainJobs jobs;
      jobs.add_view(p.view);
      jobs.add_candidate(c);
      jobs.add_job(0, 0);
      Stop stop;
      jobs.run({{0, 4}}, 1, std::nullopt, stop);
      const std::vector<double> given = jobs.validation_predictions({0}, 1)[0];
      std::size_t next = 0;
      for (const std::int32_t row : p.view.validation_rows) {
        const float* x = p.view.X + static_cast<std::size_t>(row) * p.view.n_features;
        std::vector<double> mean;
        for (std::size_t m = 0; m < 4; ++m) {
          const auto own = predicted(
              p.view, loss,
              logits_of(jobs.weights(0, m), Activation::silu, {x, x + p.view.n_features}));
          mean.resize(own.size());
          for (std::size_t j = 0; j < own.size(); ++j) mean[j] += own[j] / 4.0;
        }
        for (const double value : mean) {
          CHECK_CLOSE(given[next], value, 1e-5 * std::fmax(1.0, std::fabs(value)));
          ++next;
        }
      }
      CHECK(next == given.size());
    }
  }
}

void test_without_validation_rows_the_last_weights_are_read_out() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  View<float> training_only = p.view;
  training_only.validation_rows.clear();
  TrainJobs jobs;
  jobs.add_view(training_only);
  jobs.add_view(p.view);
  jobs.add_candidate(members(3, {6, 6}, Activation::silu));
  jobs.add_job(0, 0);
  jobs.add_job(0, 1);
  Stop stop;
  jobs.run({{0, 3}}, 1, std::nullopt, stop);
  jobs.import_state(1, jobs.export_state(0));
  const std::vector<double> given = jobs.validation_predictions({1}, 1)[0];
  for (std::size_t i = 0; i < given.size(); ++i) {
    const float* x = p.view.X + p.view.validation_rows[i] * p.view.n_features;
    double mean = 0.0;
    for (std::size_t m = 0; m < 3; ++m) {
      mean +=
          predicted(p.view, Loss::squared,
                    logits_of(jobs.weights(0, m), Activation::silu, {x, x + p.view.n_features}))[0];
    }
    CHECK_CLOSE(given[i], mean / 3.0, 1e-5);
  }
}

void test_members_differ_and_share_their_trunk() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_candidate(members(8, {6, 5}));
  jobs.add_job(0, 0);
  Stop stop;
  jobs.run({{0, 3}}, 1, std::nullopt, stop);
  std::set<std::vector<float>> first, last;
  const NetworkWeights one = jobs.weights(0, 0);
  for (std::size_t m = 0; m < 8; ++m) {
    const NetworkWeights own = jobs.weights(0, m);
    first.insert(own.layers[0].weights);
    last.insert(own.layers[2].weights);
    CHECK(own.layers[1].weights == one.layers[1].weights);
    CHECK(own.layers[0].bias == one.layers[0].bias);
  }
  CHECK(last.size() == 8);
  CHECK(first.size() > 4);  // of 2^5 signs two may be alike
}

void test_first_scales_are_signs_of_their_place_alone() {
  Candidate c = members(6, {3});
  std::vector<float> few, many;
  for (const int n_features : {7, 40}) {
    const Network network = make_network<float>(c.architecture, n_features, 1);
    AlignedVector<float> values(network.n_buffer);
    start_member_scales(network, 5, values.data());
    for (const Network& member : network.members) {
      for (int i = 0; i < 7; ++i) {
        (n_features == 7 ? few : many).push_back(values[member.scaling.scales + i]);
      }
    }
  }
  CHECK(few == many);
  double sum = 0.0;
  for (const float value : few) {
    CHECK(value == 1.0f || value == -1.0f);
    sum += value;
  }
  CHECK(std::fabs(sum) < 25.0);  // of 42
}

void test_a_diverging_member_is_a_state() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  Candidate c = members(3, {8}, Activation::relu);
  c.optimizer.kind = Optimizer::sgd;
  c.learning_rate = 1e6;
  c.epochs = 50;
  const State<float> state = twin::train(c, p.view, 50);
  CHECK(state.state == JobState::diverged);
}

}  // namespace

int main() {
  test_every_optimizer_equals_the_twin();
  test_every_loss_and_shape_equals_the_twin();
  test_analytic_gradient_equals_numerical_gradient();
  test_threads_pauses_and_exports_keep_the_bits();
  test_predictions_are_the_mean_of_the_networks_that_are_read_out();
  test_without_validation_rows_the_last_weights_are_read_out();
  test_members_differ_and_share_their_trunk();
  test_first_scales_are_signs_of_their_place_alone();
  test_a_diverging_member_is_a_state();
  return automs_test_result();
}
