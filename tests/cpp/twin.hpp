// Candidates and views -> trained states, held against the naive twin and central differences.
#pragma once

#include <optional>
#include <vector>

#include "check.hpp"
#include "core/trainer.hpp"
#include "naive.hpp"

namespace twin {

using namespace automs;

template <typename Scalar>
Network network_of(const Candidate& candidate, const View<Scalar>& view) {
  return make_network<Scalar>(candidate.architecture, view.n_features, view.n_logits,
                              view.embedding_rows, view.piecewise, rows_of_step(candidate, view));
}

template <typename Scalar>
State<Scalar> train(const Candidate& candidate, const View<Scalar>& view, int until) {
  const Network network = network_of(candidate, view);
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
  const Network network = network_of(candidate, view);
  const State<Scalar> fast = train(candidate, view, candidate.epochs);
  naive::Trainer twin(candidate, network, view, first_weights(candidate, view));
  twin.train(candidate.epochs);
  for (std::size_t e = 0; e < network.embeddings.size(); ++e) {
    const Embedding& table = network.embeddings[e];
    for (int i = 0; i < table.n_rows; ++i) {
      for (int j = 0; j < table.size; ++j) {
        const std::size_t at = table.weights + static_cast<std::size_t>(i) * table.size + j;
        CHECK_CLOSE(fast.weights[at], twin.tables()[e][i][j].value, tolerance);
      }
    }
  }
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

inline std::vector<Loss> all_losses() {
  return {Loss::squared,  Loss::absolute, Loss::huber,
          Loss::quantile, Loss::poisson,  Loss::cross_entropy};
}

/// Weighted mean loss of the training rows, without dropout, for the numerical gradient.
inline double mean_loss(const Candidate& c, const Network& network, const View<double>& view,
                        const double* weights) {
  Workspace<double> workspace;
  workspace.lay_out(network, view.n_targets);
  Evaluation evaluation;
  evaluate(c, network, view, weights, view.train_rows, workspace, evaluation);
  return evaluation.loss;
}

/// SGD without momentum at rate 1 for one step over all rows moves each value by minus its
/// gradient: compared with central differences.
inline void compare_with_differences(Candidate c, const View<double>& view) {
  c.optimizer.kind = Optimizer::sgd;
  c.optimizer.momentum = 0.0;
  c.epochs = 2;
  c.batch_size = 1000;
  const Network network = network_of(c, view);
  // One epoch first: with biases of exactly 0, rows whose units are all off lie on a kink.
  State<double> moved = train(c, view, 1);
  std::vector<double> weights(moved.weights.begin(), moved.weights.end());
  c.learning_rate = 1.0;
  ThreadBuffers<double> buffers;
  Stop stop;
  Trainer<double>(c, network, view, std::nullopt, buffers).train(moved, 2, stop, 0);
  for (std::size_t i = 0; i < network.n_values; ++i) {
    if (weights[i] == 0.0 && moved.weights[i] == 0.0) continue;  // padding
    const double h = 1e-6;
    const double kept = weights[i];
    weights[i] = kept + h;
    const double above = mean_loss(c, network, view, weights.data());
    weights[i] = kept - h;
    const double below = mean_loss(c, network, view, weights.data());
    weights[i] = kept;
    // Central differences with this h are exact to about 1e-9 here.
    CHECK_CLOSE(kept - moved.weights[i], (above - below) / (2 * h), 2e-6);
  }
}

}  // namespace twin
