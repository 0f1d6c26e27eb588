// A network with members -> the members' first scales, one step of all values, the mean prediction.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/functions.hpp"
#include "core/candidate.hpp"
#include "core/forward.hpp"
#include "core/network.hpp"
#include "core/optimizer.hpp"
#include "core/random.hpp"
#include "core/scaling_layer.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

// Members share tables, periodic embedding and all layers but the last one; each has scales of the
// inputs (scaling_layer.hpp) and a last layer of its own. This is TabM in its mini form (Gorishniy,
// Kotelnikov, Babenko 2024, arXiv 2410.24210, section 3): the scales start at random signs, the
// loss is the mean of the members', and the prediction is the mean of their predictions. With its
// scales in the first layer's W each member is a usual network, which both passes, the model file
// and the predictor take it for.

/// Each scale starts at 1 or -1, which depends on (seed, member, input) alone.
template <typename Scalar>
void start_member_scales(const Network& network, std::uint64_t seed, Scalar* weights) {
  const RandomStream stream(seed, Purpose::member_scales);
  for (std::size_t m = 0; m < network.members.size(); ++m) {
    Scalar* scales = weights + network.members[m].scaling.scales;
    for (int input = 0; input < network.n_features(); ++input) {
      const auto words = stream.block(m, static_cast<std::uint32_t>(input) / 4);
      const bool is_negative = (words[static_cast<std::size_t>(input) % 4] & 1u) != 0;
      scales[network.input_row(input)] = is_negative ? Scalar(-1) : Scalar(1);
    }
  }
}

/// workspace.gradient of a whole mini-batch and all members -> one step of every value.
template <typename Scalar>
void update_members(const Network& network, const UpdateStep<Scalar>& update,
                    Workspace<Scalar>& workspace) {
  update.update_tables(network, workspace);
  update.update_periodic(network.periodic, workspace);
  update.for_weights(network.layers.front()).update_scaled_weights(network, workspace);
  const std::size_t last = network.layers.size() - 1;
  for (std::size_t l = 0; l < last; ++l) {
    const Layer& layer = network.layers[l];
    if (l > 0) update.for_weights(layer).update_rows(layer, 0, layer.fan_in, workspace);
    update.update_bias(layer, workspace);
    if (network.is_blended(l)) update.update_blend(layer, workspace);
  }
  for (const Network& member : network.members) {
    const Layer& layer = member.layers[last];
    update.update_scales(member, workspace);
    update.for_weights(layer).update_rows(layer, 0, layer.fan_in, workspace);
    update.update_bias(layer, workspace);
  }
}

namespace detail {

/// A probability below this counts as this: its logarithm is finite.
constexpr double kLeastProbability = 1e-37;

/// What is averaged of one row's logits, in workspace.means: of a logit of several labels or of two
/// classes the probabilities of both values, of several classes theirs, of a regression the values.
template <typename Scalar>
void add_to_mean(Loss loss, const View<Scalar>& view, const Scalar* logits, double share,
                 double* mean) {
  const int n = view.n_logits;
  if (view.task == Task::multiclass) {
    Scalar largest = logits[0];
    for (int j = 1; j < n; ++j) largest = std::max(largest, logits[j]);
    double sum = 0.0;
    for (int j = 0; j < n; ++j) sum += static_cast<double>(automs::exp(logits[j] - largest));
    for (int j = 0; j < n; ++j) {
      mean[j] += share * static_cast<double>(automs::exp(logits[j] - largest)) / sum;
    }
    return;
  }
  for (int j = 0; j < n; ++j) {
    if (view.task == Task::binary) {
      mean[j] += share * static_cast<double>(automs::sigmoid(logits[j]));
      mean[n + j] += share * static_cast<double>(automs::sigmoid(-logits[j]));
    } else if (loss == Loss::squared_log) {
      mean[j] += share * exp_value(view, j, logits[j]);
    } else {
      const Scalar value = loss == Loss::poisson ? automs::exp(logits[j]) : logits[j];
      mean[j] += share * static_cast<double>(value);
    }
  }
}

/// The logits whose prediction is a mean.
template <typename Scalar>
void logits_of_mean(Loss loss, const View<Scalar>& view, const double* mean, Scalar* logits) {
  const int n = view.n_logits;
  const auto log_of = [](double p) { return std::log(std::max(p, kLeastProbability)); };
  for (int j = 0; j < n; ++j) {
    double logit = mean[j];
    if (view.task == Task::multiclass || loss == Loss::poisson) {
      logit = log_of(mean[j]);
    } else if (view.task == Task::binary) {
      logit = log_of(mean[j]) - log_of(mean[n + j]);
    } else if (loss == Loss::squared_log) {
      const double above = (mean[j] - view.output_centre[j]) / view.output_scale[j];
      logit = log_of(above) / view.logs.deviation[j];
    }
    logits[j] = static_cast<Scalar>(logit);
  }
}

}  // namespace detail

/// The tile in workspace.input through all members with workspace.weights -> in place of the logits
/// those of the mean prediction. The first layer has the last member's scales afterwards.
template <typename Scalar>
void forward_members(Loss loss, const Network& network, const View<Scalar>& view, int n_rows,
                     Workspace<Scalar>& workspace) {
  const std::size_t n_means = 2 * static_cast<std::size_t>(view.n_logits);
  const auto ld = static_cast<std::size_t>(network.logit_stride());
  const double share = 1.0 / static_cast<double>(network.members.size());
  std::fill_n(workspace.means.begin(), n_means * static_cast<std::size_t>(n_rows), 0.0);
  Scalar* logits = workspace.activations.back();
  for (const Network& member : network.members) {
    fold_scales(member, workspace.weights);
    forward(member, workspace.weights, workspace.input, n_rows, false, nullptr, workspace);
    for (int row = 0; row < n_rows; ++row) {
      detail::add_to_mean(loss, view, logits + row * ld, share,
                          workspace.means.data() + row * n_means);
    }
  }
  for (int row = 0; row < n_rows; ++row) {
    detail::logits_of_mean(loss, view, workspace.means.data() + row * n_means, logits + row * ld);
  }
}

}  // namespace automs
