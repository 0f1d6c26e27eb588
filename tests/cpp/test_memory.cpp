// Training on and on -> no allocation from batch to batch; an arena that a smaller network reuses.
#include <optional>
#include <vector>

#include "check.hpp"
#include "core/trainer.hpp"
#include "counted_new.hpp"
#include "fixtures.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_embedded_problem;
using fixtures::make_problem;
using fixtures::Problem;

namespace {

/// Allocations of `n_epochs` epochs after the first one.
std::size_t allocations_of(const Candidate& candidate, const View<float>& view, int n_epochs,
                           std::optional<Metric> metric = std::nullopt) {
  ThreadBuffers<float> buffers;
  const Network network = make_network<float>(candidate.architecture, view.n_features,
                                              view.n_logits, view.embedding_rows);
  Trainer<float> trainer(candidate, network, view, metric, buffers);
  State<float> state;
  Stop stop;
  trainer.train(state, 1, stop, 0);  // first weights, and buffers that grow to their size
  // Curves and the best weights are of epochs, not of batches.
  for (auto* curve : {&state.train_loss, &state.validation_loss, &state.validation_score}) {
    curve->reserve(static_cast<std::size_t>(n_epochs) + 1);
  }
  const std::size_t before = automs_test::n_allocations;
  trainer.train(state, 1 + n_epochs, stop, 0);
  CHECK(state.epoch == 1 + n_epochs);
  return automs_test::n_allocations - before;
}

void test_no_batch_allocates() {
  const Problem<float> plain = make_problem<float>(Loss::squared, 2, 500, 20);
  const Problem<float> tables = make_embedded_problem<float>(Loss::cross_entropy, 3, {9, 40}, 500);
  for (const Problem<float>* p : {&plain, &tables}) {
    for (const auto& sizes : std::vector<std::vector<int>>{{}, {7}, {40, 40}, {300, 17, 64}}) {
      for (const Optimizer kind : {Optimizer::sgd, Optimizer::adam}) {
        const bool classes = p->view.task != Task::regression;
        Candidate c =
            make_candidate(sizes, Activation::mish, classes ? Loss::cross_entropy : Loss::squared);
        c.architecture.residual = true;
        c.optimizer.kind = kind;
        c.dropout = 0.2;
        c.batch_size = 200;
        c.learning_rate = 1e-4;
        c.epochs = 20;
        c.architecture.n_members = sizes.size() == 2 ? 3 : 1;
        CHECK(allocations_of(c, p->view, 9) == 0);
        // A metric's checks may allocate once an epoch, whatever the number of batches.
        const Metric metric = classes ? Metric::log_loss : Metric::rmse;
        const std::size_t few_batches = allocations_of(c, p->view, 2, metric);
        c.batch_size = 3;
        CHECK(allocations_of(c, p->view, 2, metric) == few_batches);
      }
    }
  }
}

void test_a_count_of_zero_is_a_count() {
  const std::size_t before = automs_test::n_allocations;
  AlignedVector<float> aligned(100);
  std::vector<float> plain(100);
  AlignedVector<float> pages(2 * kLargeBlock);
  CHECK(automs_test::n_allocations == before + 3);
}

void test_an_arena_is_reused_by_smaller_networks() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 100, 20);
  Workspace<float> workspace;
  Architecture architecture;
  architecture.hidden_layer_sizes = {200, 200, 200};
  const Network large = make_network<float>(architecture, 20, 1);
  workspace.lay_out(large, 1);
  const std::size_t before = automs_test::n_allocations;
  architecture.hidden_layer_sizes = {64, 200};
  const Network small = make_network<float>(architecture, 20, 1);
  const std::size_t networks = automs_test::n_allocations;
  workspace.lay_out(small, 1);
  CHECK(networks > before);
  CHECK(automs_test::n_allocations == networks);
}

}  // namespace

int main() {
  test_no_batch_allocates();
  test_a_count_of_zero_is_a_count();
  test_an_arena_is_reused_by_smaller_networks();
  return automs_test_result();
}
