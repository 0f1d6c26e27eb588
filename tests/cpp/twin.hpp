// Candidates and views -> trained states, held against the naive twin and central differences.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "check.hpp"
#include "core/train_jobs.hpp"
#include "core/trainer.hpp"
#include "naive.hpp"

namespace twin {

using namespace automs;

/// Where layer l has the matrix that is trained.
inline std::size_t matrix_of(const Network& network, std::size_t l) {
  const bool is_scaled = l == 0 && network.scaling.is_there;
  return is_scaled ? network.scaling.weights : network.layers[l].weights;
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

/// The weights at epoch 0, prior bias included: those of a training cut before its first tile.
template <typename Scalar>
std::vector<Scalar> first_weights(const Candidate& candidate, const View<Scalar>& view) {
  const State<Scalar> state = train(candidate, view, 0);
  const Network network = network_of(candidate, view);
  std::vector<Scalar> weights(network.n_buffer);
  load_weights(network, state.weights.data(), weights.data());
  return weights;
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
  const Periodic& periodic = network.periodic;
  auto compare_row = [&](std::size_t start, const std::vector<naive::Parameter>& row) {
    for (int j = 0; j < periodic.n_columns; ++j) {
      CHECK_CLOSE(fast.weights[start + j], row[j].value, tolerance);
    }
    for (int j = periodic.n_columns; j < periodic.stride; ++j) CHECK(fast.weights[start + j] == 0);
  };
  for (int s = 0; s < periodic.n_outputs; ++s) {
    compare_row(periodic.biases(s), twin.periodic().b[s]);
    for (int k = 0; k < periodic.n_frequencies; ++k) {
      compare_row(periodic.weights(k, s), twin.periodic().W[k][s]);
      compare_row(periodic.frequencies(k), twin.periodic().f[k]);
      compare_row(periodic.phases(k), twin.periodic().p[k]);
    }
  }
  for (std::size_t i = 0; i < twin.scales().size(); ++i) {
    CHECK_CLOSE(fast.weights[network.scaling.scales + i], twin.scales()[i].value, tolerance);
  }
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    for (int j = 0; j < layer.fan_out; ++j) {
      CHECK_CLOSE(fast.weights[layer.bias + j], twin.layers()[l].b[j].value, tolerance);
      for (int i = 0; i < layer.fan_in; ++i) {
        const std::size_t place = static_cast<std::size_t>(i) * layer.stride + j;
        const double trained = twin.layers()[l].W[i][j].value;
        CHECK_CLOSE(fast.weights[matrix_of(network, l) + place], trained / layer.root, tolerance);
      }
      if (!network.is_blended(l)) continue;
      CHECK_CLOSE(fast.weights[layer.blend + j], twin.layers()[l].blend[j].value, tolerance);
    }
    for (int i = 0; i < layer.fan_in; ++i) {
      for (int j = layer.fan_out; j < layer.stride; ++j) {
        const std::size_t place = static_cast<std::size_t>(i) * layer.stride + j;
        CHECK(fast.weights[matrix_of(network, l) + place] == 0);
      }
    }
  }
  for (std::size_t m = 1; m < network.members.size(); ++m) {
    const Network& member = network.members[m];
    const Layer& last = member.layers.back();
    const naive::Own& own = twin.others()[m - 1];
    for (std::size_t i = 0; i < own.scales.size(); ++i) {
      CHECK_CLOSE(fast.weights[member.scaling.scales + i], own.scales[i].value, tolerance);
    }
    for (int j = 0; j < last.fan_out; ++j) {
      CHECK_CLOSE(fast.weights[last.bias + j], own.last.b[j].value, tolerance);
      for (int i = 0; i < last.fan_in; ++i) {
        const std::size_t at = last.weights + static_cast<std::size_t>(i) * last.stride + j;
        CHECK_CLOSE(fast.weights[at], own.last.W[i][j].value / own.last.root, tolerance);
      }
    }
  }
  CHECK_CLOSE(fast.train_loss.back(), twin.last_epoch_loss(), tolerance);
}

inline std::vector<Loss> all_losses() {
  return {Loss::squared, Loss::absolute,    Loss::huber,        Loss::quantile,
          Loss::poisson, Loss::squared_log, Loss::cross_entropy};
}

/// Weighted mean loss of the training rows, without dropout, for the numerical gradient; of members
/// the mean of their losses.
inline double mean_loss(const Candidate& c, const Network& network, const View<double>& view,
                        std::vector<double> weights) {
  double total = 0.0;
  for_each_member(network, [&](Network member) {
    member.members.clear();
    fold_scales(member, weights.data());
    Workspace<double> workspace;
    workspace.lay_out(member, view.n_targets);
    Evaluation evaluation;
    evaluate(c, member, view, weights.data(), view.train_rows, workspace, evaluation);
    total += evaluation.loss;
  });
  return total / static_cast<double>(std::max<std::size_t>(network.members.size(), 1));
}

/// How far SGD moves the value at `at` of the flat buffer for a gradient of 1: a trained weight
/// moves by its own gradient, sqrt(fan_in) W by that of W.
inline double reach(const Candidate& c, const Network& network, std::size_t at) {
  const ScalingLayer& scaling = network.scaling;
  for (std::size_t m = 1; m < network.members.size(); ++m) {
    const Network& member = network.members[m];
    const Layer& last = member.layers.back();
    const std::size_t n_scales = static_cast<std::size_t>(network.n_features());
    if (at - member.scaling.scales < n_scales) return c.optimizer.scaling_lr_factor;
    if (at >= last.weights && at < last.bias) return 1.0 / (last.root * last.root);
    if (at - last.bias < static_cast<std::size_t>(last.stride)) return c.optimizer.bias_lr_factor;
  }
  if (scaling.is_there && at >= scaling.scales && at < scaling.weights) {
    return c.optimizer.scaling_lr_factor;
  }
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    if (at < matrix_of(network, l) || at >= layer.blend + layer.stride) continue;
    if (at >= layer.blend) {
      return network.parametric_activation ? c.optimizer.activation_lr_factor : 1.0;
    }
    if (at >= layer.bias) return c.optimizer.bias_lr_factor;
    return 1.0 / (layer.root * layer.root);
  }
  const bool is_periodic = at - network.periodic.first < network.periodic.n_values;
  return is_periodic ? kPeriodicRate : 1.0;  // else of a table
}

/// SGD without momentum at rate 1 for one step over all rows moves each value by minus its
/// gradient, times its reach: compared with central differences.
inline void compare_with_differences(Candidate c, const View<double>& view) {
  c.optimizer.kind = Optimizer::sgd;
  c.optimizer.momentum = 0.0;
  c.epochs = 2;
  c.batch_size = 1000;
  const Network network = network_of(c, view);
  // One epoch first: with biases of exactly 0, rows whose units are all off lie on a kink.
  State<double> moved = train(c, view, 1);
  std::vector<double> weights(moved.weights.begin(), moved.weights.end());
  weights.resize(network.n_buffer);
  c.learning_rate = 1.0;
  ThreadBuffers<double> buffers;
  Stop stop;
  Trainer<double>(c, network, view, std::nullopt, buffers).train(moved, 2, stop, 0);
  for (std::size_t i = 0; i < network.n_values; ++i) {
    if (weights[i] == 0.0 && moved.weights[i] == 0.0) continue;  // padding
    const double h = 1e-6;
    const double kept = weights[i];
    weights[i] = kept + h;
    const double above = mean_loss(c, network, view, weights);
    weights[i] = kept - h;
    const double below = mean_loss(c, network, view, weights);
    weights[i] = kept;
    // Central differences with this h are exact to about 1e-9 here.
    const double moves = reach(c, network, i) * (above - below) / (2 * h);
    CHECK_CLOSE(kept - moved.weights[i], moves, 2e-6);
  }
}

}  // namespace twin
