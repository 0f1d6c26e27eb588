// Scaling layer, parametric activations, parametrisation, schedules and first values: against the
// twin and differences, resume, threads, what is read out.
#include <cmath>
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

/// Bit i of `which` switches the i-th of the four on; factors are such that none is that of
/// another.
Candidate candidate_with(unsigned which, std::vector<int> sizes,
                         Activation activation = Activation::mish, Loss loss = Loss::squared) {
  Candidate c = make_candidate(std::move(sizes), activation, loss);
  c.architecture.scaling_layer = (which & 1) != 0;
  c.architecture.parametric_activation = (which & 2) != 0;
  if (which & 4) c.architecture.parametrization = Parametrization::ntp;
  if (which & 8) c.initial = {WeightInit::unit_deviation, BiasInit::he_plus_5, false};
  c.optimizer.bias_lr_factor = 0.5;
  c.optimizer.scaling_lr_factor = 2.0;
  c.optimizer.activation_lr_factor = 0.7;
  c.architecture.embedding_size = 3;
  return c;
}

/// All of RealMLP's settings at once.
Candidate realmlp(std::vector<int> sizes, Loss loss = Loss::squared) {
  Candidate c = candidate_with(15, std::move(sizes), Activation::selu, loss);
  c.optimizer.kind = Optimizer::adamw;
  c.optimizer.beta2 = 0.95;
  c.optimizer.weight_decay = 0.02;
  c.weight_decay_schedule = c.dropout_schedule = Schedule::flat_cos;
  c.learning_rate_schedule = Schedule::coslog4;
  c.dropout = 0.15;
  return c;
}

void test_every_optimizer_equals_the_twin() {
  for (unsigned which = 0; which < 16; ++which) {
    for (const Optimizer kind : {Optimizer::sgd, Optimizer::adam, Optimizer::adamw}) {
      Candidate c = candidate_with(which, {9, 9, 4});
      c.architecture.residual = which % 3 == 0;
      c.optimizer.kind = kind;
      c.optimizer.nesterov = which % 2 == 0;
      c.optimizer.epsilon = 1e-3;  // one that is not scaled as it must be would show
      c.optimizer.l2_penalty = 0.02;
      c.optimizer.weight_decay = kind == Optimizer::adam ? 0.0 : 0.1;
      c.weight_decay_schedule = Schedule::cosine;
      const auto p = make_embedded_problem<double>(Loss::squared, 2, {4, 2});
      twin::compare_with_twin(c, p.view, 1e-9);
      const auto in_float = make_embedded_problem<float>(Loss::squared, 2, {4, 2});
      twin::compare_with_twin(c, in_float.view, 2e-3);
    }
  }
}

void test_every_activation_and_loss_equals_the_twin() {
  for (int a = 0; a < kActivationCount; ++a) {
    for (const Loss loss : twin::all_losses()) {
      for (const int n_logits : {1, 3}) {
        Candidate c = candidate_with(7, {7, 7}, static_cast<Activation>(a), loss);
        c.architecture.residual = a % 2 == 0;
        c.dropout = a % 3 == 0 ? 0.3 : 0.0;
        const Problem<double> p = make_problem<double>(loss, n_logits);
        twin::compare_with_twin(c, p.view, 1e-9);
      }
    }
  }
}

void test_shapes_equal_the_twin() {
  // No hidden layer, odd and wide ones; a batch of one row, of all rows, of more than one tile.
  for (const auto& shape : std::vector<std::vector<int>>{{}, {1}, {17}, {33, 5}, {128, 66}}) {
    for (const int batch_size : {1, 50, 1000}) {
      for (const int n_logits : {1, 3}) {
        Candidate c = realmlp(shape);
        c.batch_size = batch_size;
        c.architecture.residual = true;
        c.epochs = 3;
        const auto p = make_embedded_problem<double>(Loss::squared, n_logits, {70, 2}, 360);
        twin::compare_with_twin(c, p.view, 1e-7);
      }
    }
  }
}

void test_schedules_equal_the_twin() {
  for (const Schedule schedule : {Schedule::cosine, Schedule::coslog4, Schedule::flat_cos}) {
    Candidate c = candidate_with(0, {9});
    c.optimizer.kind = Optimizer::adamw;
    c.optimizer.weight_decay = 1.0;
    c.dropout = 0.4;
    const Problem<double> p = make_problem<double>(Loss::squared, 1);
    const State<double> constant = twin::train(c, p.view, c.epochs);
    c.weight_decay_schedule = schedule;
    twin::compare_with_twin(c, p.view, 1e-9);
    CHECK(twin::train(c, p.view, c.epochs).weights != constant.weights);
    c.weight_decay_schedule = Schedule::constant;
    c.dropout_schedule = schedule;
    twin::compare_with_twin(c, p.view, 1e-9);
    CHECK(twin::train(c, p.view, c.epochs).weights != constant.weights);
  }
}

void test_analytic_gradient_equals_numerical_gradient() {
  for (int a = 0; a < kActivationCount; ++a) {
    for (const Loss loss : twin::all_losses()) {
      for (const int n_logits : {1, 3}) {
        const auto p = make_embedded_problem<double>(loss, n_logits, {4, 2}, 40, 3);
        Candidate c = candidate_with(7, {6, 6}, static_cast<Activation>(a), loss);
        c.architecture.residual = a % 3 == 0;
        twin::compare_with_differences(c, p.view);
        c.architecture.hidden_layer_sizes.clear();
        if (a == 0) twin::compare_with_differences(c, p.view);
      }
    }
  }
}

void test_paused_at_any_epoch_equals_uninterrupted() {
  const auto p = make_embedded_problem<float>(Loss::squared, 1, {5, 30}, 300);
  Candidate c = realmlp({12, 12});
  c.epochs = 7;
  const State<float> whole = twin::train(c, p.view, 7);
  const Network network = network_of(c, p.view);
  for (int pause = 1; pause < 7; ++pause) {
    State<float> state = twin::train(c, p.view, pause);
    ThreadBuffers<float> buffers;
    Stop stop;
    Trainer<float>(c, network, p.view, std::nullopt, buffers).train(state, 7, stop, 0);
    CHECK(state.weights == whole.weights);
    CHECK(state.validation_loss == whole.validation_loss);
  }
}

void test_threads_and_exports_do_not_change_bits() {
  const auto p = make_embedded_problem<float>(Loss::squared, 2, {7, 3}, 300);
  TrainJobs whole, threaded, paused, imported;
  for (TrainJobs* jobs : {&whole, &threaded, &paused, &imported}) {
    jobs->add_view(p.view);
    for (unsigned which = 0; which < 16; ++which) {
      Candidate c = candidate_with(which, which % 4 == 1 ? std::vector<int>{} : std::vector{14, 5});
      c.epochs = 4;
      jobs->add_job(jobs->add_candidate(c), 0);
    }
  }
  job_runs::run_all(whole, 4, 1);
  job_runs::run_all(threaded, 4, 3);
  job_runs::run_all(paused, 2, 1);
  for (std::size_t job = 0; job < imported.n_jobs(); ++job) {
    imported.import_state(job, paused.export_state(job));
    CHECK(imported.state(job).weights == paused.state(job).weights);
  }
  job_runs::run_all(imported, 4, 1);
  for (std::size_t job = 0; job < whole.n_jobs(); ++job) {
    for (const TrainJobs* jobs : {&threaded, &imported}) {
      CHECK(jobs->state(job).chosen_weights() == whole.state(job).chosen_weights());
      CHECK(jobs->state(job).validation_score == whole.state(job).validation_score);
    }
  }
}

void test_what_is_read_out_is_a_usual_network() {
  const auto p = make_problem<float>(Loss::squared, 2, 200, 6);
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_job(jobs.add_candidate(realmlp({11})), 0);
  job_runs::run_all(jobs, 4, 1);
  const NetworkWeights out = jobs.weights(0);
  CHECK(out.layers.size() == 2 && out.layers[0].blend.size() == 11);
  CHECK(out.layers[1].blend.empty() && out.layers[1].bias.size() == 2);
  const std::vector<double> predictions = jobs.validation_predictions({0}, 1)[0];
  bool is_blended = false;
  for (std::size_t i = 0; i < p.view.validation_rows.size(); ++i) {
    std::vector<double> h(p.X.begin() + p.view.validation_rows[i] * 6,
                          p.X.begin() + p.view.validation_rows[i] * 6 + 6);
    for (const DenseWeights& layer : out.layers) {
      std::vector<double> next(layer.bias.begin(), layer.bias.end());
      for (std::size_t j = 0; j < next.size(); ++j) {
        for (std::size_t k = 0; k < h.size(); ++k) {
          next[j] += h[k] * layer.weights[k * next.size() + j];
        }
        if (layer.blend.empty()) continue;
        is_blended = is_blended || layer.blend[j] != 1.0f;
        next[j] += (naive::activation(Activation::selu, next[j]) - next[j]) * layer.blend[j];
      }
      h = next;
    }
    // In float: a dozen terms of about 1.
    for (std::size_t j = 0; j < 2; ++j) {
      CHECK_CLOSE(predictions[2 * i + j], p.view.output_centre[j] + p.view.output_scale[j] * h[j],
                  2e-5);
    }
  }
  CHECK(is_blended);
}

/// Column `unit` of what layer l gives before its activation, from the first weights.
std::vector<double> column_of(const std::vector<double>& z, int unit, int n_units) {
  std::vector<double> column;
  for (std::size_t i = unit; i < z.size(); i += n_units) column.push_back(z[i]);
  return column;
}

void test_first_values_fit_the_training_rows() {
  for (const unsigned which : {8u, 12u, 15u}) {
    auto p = make_embedded_problem<double>(Loss::squared, 2, {4}, 4000);
    Candidate c = candidate_with(which, {20, 20});
    c.architecture.residual = true;
    const Network network = network_of(c, p.view);
    const std::vector<double> weights = twin::first_weights(c, p.view);
    Workspace<double> workspace;
    workspace.lay_out(network, p.view.n_targets);
    const auto rows = detail::spread_rows(p.view.train_rows);
    CHECK(rows.size() == kMostFittedRows);
    for (std::size_t l = 0; l < network.layers.size(); ++l) {
      const std::vector<double> z =
          detail::pre_activations(network, l, p.view, weights.data(), rows, workspace);
      int n_bent = 0;
      for (int unit = 0; unit < network.layers[l].fan_out; ++unit) {
        double mean = 0.0, squares = 0.0, low = 0.0, high = 0.0;
        const std::vector<double> column = column_of(z, unit, network.layers[l].fan_out);
        for (const double value : column) mean += value / static_cast<double>(column.size());
        for (const double value : column) {
          squares += (value - mean) * (value - mean) / static_cast<double>(column.size());
          low = std::fmin(low, value);
          high = std::fmax(high, value);
        }
        CHECK_CLOSE(squares, 1.0, 1e-9);
        n_bent += std::fabs(mean) > 0.01;
        CHECK(low < 0.0 && high > 0.0);  // 0 lies inside the data
      }
      CHECK(n_bent > network.layers[l].fan_out / 2);  // but seldom in the middle
    }
    // Validation rows have no part in it.
    for (const std::int32_t row : p.view.validation_rows) p.X[row * p.view.n_features] = 1e6;
    CHECK(twin::first_weights(c, p.view) == weights);
    c.seed = 43;
    CHECK(twin::first_weights(c, p.view) != weights);
  }
}

void test_first_values_without_data() {
  const Problem<double> p = make_problem<double>(Loss::cross_entropy, 3, 400);
  Candidate c = candidate_with(4, {300, 300}, Activation::selu, Loss::cross_entropy);
  const std::vector<double> plain = twin::first_weights(c, p.view);
  c.initial = {WeightInit::normal, BiasInit::normal, true};
  const std::vector<double> values = twin::first_weights(c, p.view);
  const Network network = network_of(c, p.view);
  for (std::size_t l = 0; l < 2; ++l) {
    const Layer& layer = network.layers[l];
    double of_weights = 0.0, of_biases = 0.0;
    for (int j = 0; j < 300; ++j) {
      of_biases += values[layer.bias + j] * values[layer.bias + j] / 300.0;
      CHECK(plain[layer.bias + j] == 0.0);
      for (int i = 0; i < layer.fan_in; ++i) {
        const std::size_t at = layer.weights + static_cast<std::size_t>(i) * layer.stride + j;
        of_weights += values[at] * values[at] / 300.0;
        CHECK(values[at] == plain[at]);
      }
    }
    CHECK_CLOSE(of_biases, 1.0, 0.4);   // of 300 values: five deviations
    CHECK_CLOSE(of_weights, 1.0, 0.2);  // of 1500 and more: N(0, 1 / fan_in)
  }
  const Layer& last = network.layers.back();
  for (std::size_t i = last.weights; i < last.bias; ++i) CHECK(values[i] == 0.0);
  // The log odds of the classes stay.
  for (int j = 0; j < 3; ++j) CHECK(values[last.bias + j] == plain[last.bias + j]);
  CHECK(values[last.bias] < 0.0);
}

void test_constant_inputs_are_left_alone() {
  Problem<float> p = make_problem<float>(Loss::squared, 1, 60, 2);
  std::fill(p.X.begin(), p.X.end(), 0.0f);
  const State<float> state = twin::train(realmlp({8, 8}), p.view, 4);
  CHECK(state.state == JobState::complete);
  CHECK(std::isfinite(state.train_loss.back()));
}

void test_bad_arguments_are_refused() {
  for (const double factor : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    for (int i = 0; i < 3; ++i) {
      Candidate c = realmlp({4});
      double* const factors[] = {&c.optimizer.bias_lr_factor, &c.optimizer.scaling_lr_factor,
                                 &c.optimizer.activation_lr_factor};
      *factors[i] = factor;
      TrainJobs jobs;
      CHECK_THROWS(jobs.add_candidate(c), std::invalid_argument);
    }
  }
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  TrainJobs jobs;
  jobs.add_view(p.view);
  const std::size_t job = jobs.add_job(jobs.add_candidate(realmlp({})), 0);
  const std::vector<float> dense(6, 0.5f);
  CHECK_THROWS(jobs.set_weights(job, dense, 0.1, Metric::rmse), std::invalid_argument);
}

}  // namespace

int main() {
  test_every_optimizer_equals_the_twin();
  test_every_activation_and_loss_equals_the_twin();
  test_shapes_equal_the_twin();
  test_schedules_equal_the_twin();
  test_analytic_gradient_equals_numerical_gradient();
  test_paused_at_any_epoch_equals_uninterrupted();
  test_threads_and_exports_do_not_change_bits();
  test_what_is_read_out_is_a_usual_network();
  test_first_values_fit_the_training_rows();
  test_first_values_without_data();
  test_constant_inputs_are_left_alone();
  test_bad_arguments_are_refused();
  return automs_test_result();
}
