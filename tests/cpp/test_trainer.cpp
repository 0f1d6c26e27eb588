// The engine against its naive twin, the gradient against differences, resume against no pause.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "core/trainer.hpp"
#include "fixtures.hpp"
#include "naive.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_problem;
using fixtures::Problem;

namespace {

template <typename Scalar>
State<Scalar> train(const Candidate& candidate, const View<Scalar>& view, int until) {
  const Network network =
      make_network<Scalar>(candidate.architecture, view.n_features, view.n_logits);
  ThreadBuffers<Scalar> buffers;
  Stop stop;
  State<Scalar> state;
  Trainer<Scalar>(candidate, network, view, std::nullopt, buffers).train(state, until, stop, 0);
  return state;
}

/// The weights at epoch 0, prior bias included: what a training cut before its first tile holds.
template <typename Scalar>
std::vector<Scalar> first_weights(const Candidate& candidate, const View<Scalar>& view) {
  const State<Scalar> state = train(candidate, view, 0);
  return {state.weights.begin(), state.weights.end()};
}

/// Trains both and compares every weight. Float against double: the tolerance is for float, whose
/// rounding the steps of Adam can enlarge where a gradient is nearly zero.
template <typename Scalar>
void compare_with_twin(const Candidate& candidate, const View<Scalar>& view, double tolerance) {
  const Network network =
      make_network<Scalar>(candidate.architecture, view.n_features, view.n_logits);
  const State<Scalar> fast = train(candidate, view, candidate.epochs);
  naive::Trainer twin(candidate, network, view, first_weights(candidate, view));
  twin.train(candidate.epochs);
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    for (int j = 0; j < layer.fan_out; ++j) {
      CHECK_CLOSE(fast.weights[layer.bias + j], twin.layers()[l].b[j].value, tolerance);
      for (int i = 0; i < layer.fan_in; ++i) {
        const std::size_t at = layer.weights + static_cast<std::size_t>(i) * layer.stride + j;
        CHECK_CLOSE(fast.weights[at], twin.layers()[l].W[i][j].value, tolerance);
      }
    }
    for (int i = 0; i < layer.fan_in; ++i) {
      for (int j = layer.fan_out; j < layer.stride; ++j) {
        CHECK(fast.weights[layer.weights + static_cast<std::size_t>(i) * layer.stride + j] == 0);
      }
    }
  }
  CHECK_CLOSE(fast.train_loss.back(), twin.last_epoch_loss(), tolerance);
}

std::vector<Loss> all_losses() {
  return {Loss::squared,  Loss::absolute, Loss::huber,
          Loss::quantile, Loss::poisson,  Loss::cross_entropy};
}

void test_every_activation_and_loss_equals_the_twin() {
  for (int a = 0; a < kActivationCount; ++a) {
    for (const Loss loss : all_losses()) {
      for (const int n_logits : {1, 3}) {
        Candidate c = make_candidate({7, 7, 4}, static_cast<Activation>(a), loss);
        c.architecture.residual = a % 2 == 0;
        const Problem<double> in_double = make_problem<double>(loss, n_logits);
        compare_with_twin(c, in_double.view, 1e-9);
        const Problem<float> in_float = make_problem<float>(loss, n_logits);
        compare_with_twin(c, in_float.view, 2e-3);
      }
    }
  }
}

void test_every_optimizer_and_schedule_equals_the_twin() {
  for (const Optimizer kind : {Optimizer::sgd, Optimizer::adam, Optimizer::adamw}) {
    for (const Schedule schedule :
         {Schedule::constant, Schedule::cosine, Schedule::coslog4, Schedule::flat_cos}) {
      for (const bool nesterov : {false, true}) {
        Candidate c = make_candidate({9}, Activation::tanh, Loss::squared);
        c.optimizer.kind = kind;
        c.optimizer.nesterov = nesterov;
        c.optimizer.l2_penalty = 0.02;
        c.optimizer.weight_decay = kind == Optimizer::adam ? 0.0 : 0.1;
        c.learning_rate_schedule = schedule;
        const Problem<double> problem = make_problem<double>(Loss::squared, 2);
        compare_with_twin(c, problem.view, 1e-9);
      }
    }
  }
}

void test_shapes_and_regularisation_equal_the_twin() {
  // Odd widths, no hidden layer, a batch of one row, of all rows, and of more than one tile.
  const std::vector<std::vector<int>> shapes = {{}, {1}, {17}, {33, 5}, {8, 8, 8}, {128, 66}};
  for (const auto& shape : shapes) {
    for (const int batch_size : {1, 50, 1000}) {
      Candidate c = make_candidate(shape, Activation::mish, Loss::cross_entropy);
      c.batch_size = batch_size;
      c.dropout = 0.25;
      c.loss.label_smoothing = 0.1;
      c.architecture.residual = true;
      const Problem<double> problem = make_problem<double>(Loss::cross_entropy, 4, 360);
      compare_with_twin(c, problem.view, 1e-8);
    }
  }
}

/// Weighted mean loss of the training rows, without dropout, for the numerical gradient.
double mean_loss(const Candidate& c, const Network& network, const View<double>& view,
                 const double* weights) {
  Workspace<double> workspace;
  workspace.lay_out(network, view.n_targets);
  Evaluation evaluation;
  evaluate(c, network, view, weights, view.train_rows, workspace, evaluation);
  return evaluation.loss;
}

/// SGD without momentum at rate 1 for one step over all rows moves each weight by minus its
/// gradient.
void test_analytic_gradient_equals_numerical_gradient() {
  for (int a = 0; a < kActivationCount; ++a) {
    for (const Loss loss : all_losses()) {
      for (const int n_logits : {1, 3}) {
        const Problem<double> p = make_problem<double>(loss, n_logits, 40, 4);
        Candidate c = make_candidate({6, 6}, static_cast<Activation>(a), loss);
        c.architecture.residual = a % 3 == 0;
        c.optimizer.kind = Optimizer::sgd;
        c.optimizer.momentum = 0.0;
        c.epochs = 2;
        c.batch_size = 1000;
        const Network network = make_network<double>(c.architecture, 4, n_logits);
        // One epoch first: with biases of exactly 0, rows whose units are all off lie on a kink.
        State<double> moved = train(c, p.view, 1);
        std::vector<double> weights(moved.weights.begin(), moved.weights.end());
        c.learning_rate = 1.0;
        ThreadBuffers<double> buffers;
        Stop stop;
        Trainer<double>(c, network, p.view, std::nullopt, buffers).train(moved, 2, stop, 0);
        for (std::size_t i = 0; i < network.n_values; ++i) {
          if (weights[i] == 0.0 && moved.weights[i] == 0.0) continue;  // padding
          const double h = 1e-6;
          const double kept = weights[i];
          weights[i] = kept + h;
          const double above = mean_loss(c, network, p.view, weights.data());
          weights[i] = kept - h;
          const double below = mean_loss(c, network, p.view, weights.data());
          weights[i] = kept;
          // Central differences with this h are exact to about 1e-9 here.
          CHECK_CLOSE(kept - moved.weights[i], (above - below) / (2 * h), 2e-6);
        }
      }
    }
  }
}

void test_paused_at_any_epoch_equals_uninterrupted() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 300);
  for (const Optimizer kind : {Optimizer::sgd, Optimizer::adamw}) {
    Candidate c = make_candidate({12, 12}, Activation::silu, Loss::squared);
    c.optimizer.kind = kind;
    c.optimizer.weight_decay = 0.01;
    c.dropout = 0.1;
    c.epochs = 9;
    c.learning_rate_schedule = Schedule::coslog4;
    const Network network = make_network<float>(c.architecture, 5, 1);
    const State<float> whole = train(c, p.view, 9);
    for (int pause = 1; pause < 9; ++pause) {
      State<float> state = train(c, p.view, pause);
      CHECK(state.state == JobState::paused);
      const State<float> copied = state;  // a state is a value
      ThreadBuffers<float> buffers;
      Stop stop;
      Trainer<float>(c, network, p.view, std::nullopt, buffers).train(state, 9, stop, 0);
      CHECK(state.weights == whole.weights);
      CHECK(state.best_weights == whole.best_weights);
      CHECK(state.validation_loss == whole.validation_loss);
      CHECK(state.state == JobState::complete && copied.epoch == pause);
    }
  }
}

void test_best_epoch_and_patience() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 60);
  Candidate c = make_candidate({64}, Activation::relu, Loss::squared);
  c.learning_rate = 0.05;
  c.epochs = 200;
  const State<float> all = train(c, p.view, 200);
  const auto best = std::min_element(all.validation_loss.begin(), all.validation_loss.end());
  CHECK(all.best_epoch == best - all.validation_loss.begin() + 1);
  CHECK(all.best_epoch < 200 && all.epoch == 200);
  const State<float> at_best = train(c, p.view, all.best_epoch);
  CHECK(all.best_weights == at_best.weights);
  c.patience = 5;
  const State<float> patient = train(c, p.view, 200);
  CHECK(patient.state == JobState::complete);
  CHECK(patient.epoch - patient.best_epoch == 5);
}

void test_divergence_is_a_state() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1);
  Candidate c = make_candidate({8}, Activation::relu, Loss::squared);
  c.optimizer.kind = Optimizer::sgd;
  c.learning_rate = 1e6;
  c.epochs = 50;
  const State<float> state = train(c, p.view, 50);
  CHECK(state.state == JobState::diverged);
  CHECK(state.epoch < 50);
}

void test_a_deadline_leaves_whole_epochs_only() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 4000);
  Candidate c = make_candidate({64, 64}, Activation::relu, Loss::squared);
  c.epochs = 100000;
  const Network network = make_network<float>(c.architecture, 5, 1);
  ThreadBuffers<float> buffers;
  State<float> cut;
  Stop soon(Stop::Clock::now() + std::chrono::milliseconds(100), {});
  Trainer<float>(c, network, p.view, std::nullopt, buffers).train(cut, c.epochs, soon, 0);
  CHECK(cut.state == JobState::timed_out);
  CHECK(cut.epoch > 0 && cut.epoch < c.epochs);
  CHECK(cut.weights == train(c, p.view, cut.epoch).weights);
}

void test_weight_two_equals_a_row_given_twice_in_the_full_batch() {
  Problem<double> weighted = make_problem<double>(Loss::squared, 1, 40, 3);
  Problem<double> doubled = weighted;
  std::fill(weighted.row_weights.begin(), weighted.row_weights.end(), 1.0);
  weighted.row_weights[3] = 2.0;
  doubled.view.row_weights = nullptr;
  doubled.view.train_rows.push_back(3);
  weighted.view.X = weighted.X.data();
  weighted.view.y = weighted.y.data();
  weighted.view.row_weights = weighted.row_weights.data();
  doubled.view.X = doubled.X.data();
  doubled.view.y = doubled.y.data();
  Candidate c = make_candidate({5}, Activation::tanh, Loss::squared);
  c.batch_size = 1000;
  const State<double> a = train(c, weighted.view, 4);
  const State<double> b = train(c, doubled.view, 4);
  for (std::size_t i = 0; i < a.weights.size(); ++i) CHECK_CLOSE(a.weights[i], b.weights[i], 1e-12);
}

}  // namespace

int main() {
  test_every_activation_and_loss_equals_the_twin();
  test_every_optimizer_and_schedule_equals_the_twin();
  test_shapes_and_regularisation_equal_the_twin();
  test_analytic_gradient_equals_numerical_gradient();
  test_paused_at_any_epoch_equals_uninterrupted();
  test_best_epoch_and_patience();
  test_divergence_is_a_state();
  test_a_deadline_leaves_whole_epochs_only();
  test_weight_two_equals_a_row_given_twice_in_the_full_batch();
  return automs_test_result();
}
