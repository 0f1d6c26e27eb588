// The engine against its naive twin, the gradient against differences, resume against no pause.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "core/trainer.hpp"
#include "fixtures.hpp"
#include "twin.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_problem;
using fixtures::Problem;
using twin::all_losses;
using twin::compare_with_differences;
using twin::compare_with_twin;
using twin::train;

namespace {

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

void test_analytic_gradient_equals_numerical_gradient() {
  for (int a = 0; a < kActivationCount; ++a) {
    for (const Loss loss : all_losses()) {
      for (const int n_logits : {1, 3}) {
        const Problem<double> p = make_problem<double>(loss, n_logits, 40, 4);
        Candidate c = make_candidate({6, 6}, static_cast<Activation>(a), loss);
        c.architecture.residual = a % 3 == 0;
        compare_with_differences(c, p.view);
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

void test_falling_schedules_choose_among_the_ends_of_cycles() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 60);
  Candidate c = make_candidate({64}, Activation::relu, Loss::squared);
  c.learning_rate = 0.05;
  c.epochs = 60;
  const std::vector<int> ends{4, 12, 28, 60};
  for (const Schedule schedule : {Schedule::cosine, Schedule::coslog4}) {
    c.learning_rate_schedule = schedule;
    const State<float> all = train(c, p.view, c.epochs);
    int best = ends[0];
    for (const int end : ends) {
      if (all.validation_loss[end - 1] <= all.validation_loss[best - 1]) best = end;
    }
    CHECK(all.best_epoch == best);
    // Before the first end there is a choice, too, and the first end takes its place.
    const State<float> early = train(c, p.view, 3);
    CHECK(early.best_epoch >= 1 && early.best_epoch <= 3);
    CHECK(train(c, p.view, 4).best_epoch == 4);
    CHECK(train(c, p.view, 11).best_epoch == 4);
  }
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
  test_falling_schedules_choose_among_the_ends_of_cycles();
  test_divergence_is_a_state();
  test_a_deadline_leaves_whole_epochs_only();
  test_weight_two_equals_a_row_given_twice_in_the_full_batch();
  return automs_test_result();
}
