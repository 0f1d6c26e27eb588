// Activations, slopes and the loss by the logits -> the gradient of every weight.
#pragma once

#include <algorithm>
#include <optional>

#include "core/binned.hpp"
#include "core/embedding.hpp"
#include "core/forward.hpp"
#include "core/network.hpp"
#include "core/optimizer.hpp"
#include "core/periodic.hpp"
#include "core/product.hpp"
#include "core/scaling_layer.hpp"
#include "core/single_output.hpp"
#include "core/slices.hpp"
#include "core/transpose.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// The sum of n values, in as many sums side by side as hide the time that an addition takes.
template <typename Scalar>
Scalar sum_of_values(const Scalar* values, int n) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sums[2] = {};
  int i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    sums[0] += load(values + i);
    sums[1] += load(values + i + lanes);
  }
  Scalar rest{};
  for (; i < n; ++i) rest += values[i];
  return sum_of_lanes<lanes, Vector<Scalar>, Scalar>(sums[0] + sums[1]) + rest;
}

/// Column sums of delta (n_rows, stride) -> the bias' gradient.
template <typename Scalar>
void bias_gradient(const Layer& layer, const Scalar* delta, int n_rows, Scalar* gradient,
                   bool accumulate) {
  if (layer.is_single_output()) {
    *gradient = (accumulate ? *gradient : Scalar(0)) + sum_of_values(delta, n_rows);
    return;
  }
  constexpr int lanes = kLanes<Scalar>;
  const auto stride = static_cast<std::size_t>(layer.stride);
  for (int unit = 0; unit < layer.padded_out; unit += lanes) {
    Vector<Scalar> sums[2] = {accumulate ? load(gradient + unit) : Vector<Scalar>{}, {}};
    int row = 0;
    for (; row + 2 <= n_rows; row += 2) {
      sums[0] += load(delta + row * stride + unit);
      sums[1] += load(delta + (row + 1) * stride + unit);
    }
    if (row < n_rows) sums[0] += load(delta + row * stride + unit);
    store(gradient + unit, sums[0] + sums[1]);
  }
}

/// A panel of columns of one hidden layer's tile, rows `ld` apart.
template <typename Scalar>
struct DeltaPanel {
  int n_rows;
  std::size_t ld;
  Scalar* delta;          // on entry the loss by the layer's output, on exit by pre-activations
  const Scalar* slopes;   // of the activation, dropout included
  const Scalar* skipped;  // what a residual layer above adds to the loss by output, or null
  Scalar* by_output;      // receives the loss by output where the layer is residual, or null
  Scalar* bias_gradient;  // receives the column sums of delta
  bool accumulate;
  const Scalar* bends;     // f(z) - z, dropout included, of a blended layer
  Scalar* blend_gradient;  // receives the column sums of loss by output times bends
};

template <int C, bool IsBlended, typename Scalar>
void finish_delta(const DeltaPanel<Scalar> panel) {  // a copy, which no store can change
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sums[C];
  [[maybe_unused]] Vector<Scalar> blends[C];
  AUTOMS_UNROLL
  for (int c = 0; c < C; ++c) {
    sums[c] = panel.accumulate ? load(panel.bias_gradient + c * lanes) : Vector<Scalar>{};
    if constexpr (IsBlended) {
      blends[c] = panel.accumulate ? load(panel.blend_gradient + c * lanes) : Vector<Scalar>{};
    }
  }
  for (int row = 0; row < panel.n_rows; ++row) {
    const std::size_t start = row * panel.ld;
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) {
      const std::size_t at = start + c * lanes;
      Vector<Scalar> value = load(panel.delta + at);
      if (panel.skipped) value += load(panel.skipped + at);
      if (panel.by_output) store(panel.by_output + at, value);
      if constexpr (IsBlended) blends[c] += value * load(panel.bends + at);
      value *= load(panel.slopes + at);
      store(panel.delta + at, value);
      sums[c] += value;
    }
  }
  AUTOMS_UNROLL
  for (int c = 0; c < C; ++c) {
    store(panel.bias_gradient + c * lanes, sums[c]);
    if constexpr (IsBlended) store(panel.blend_gradient + c * lanes, blends[c]);
  }
}

/// workspace.delta of layer l -> workspace.next_delta of layer l - 1, the gradients of its bias and
/// its blend.
template <bool IsBlended, typename Scalar>
void hidden_delta(const Network& network, std::size_t l, int n_rows, bool accumulate,
                  Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers[l];
  const Layer& before = network.layers[l - 1];
  const std::size_t ld = before.stride;
  const std::size_t ld_above = layer.stride;
  Scalar* bias = workspace.gradient + before.bias;
  auto slice = [&](int start, int columns, Scalar* panel) {
    multiply_by_transposed(
        n_rows, layer.fan_out, std::min(columns, layer.fan_in - start), workspace.delta, ld_above,
        workspace.weights + layer.weights + start * ld_above, ld_above, panel,
        workspace.next_delta + start, ld, [&](int column, auto width) {
          const int first = start + column;
          finish_delta<decltype(width)::value / kLanes<Scalar>, IsBlended>(DeltaPanel<Scalar>{
              n_rows, ld, workspace.next_delta + first, workspace.slopes[l - 1] + first,
              layer.residual ? workspace.by_output + first : nullptr,
              before.residual ? workspace.by_output + first : nullptr, bias + first, accumulate,
              IsBlended ? workspace.bends[l - 1] + first : nullptr,
              IsBlended ? workspace.gradient + before.blend + first : nullptr});
        });
  };
  for_each_slice(workspace.help, workspace.panel, padded<Scalar>(layer.fan_in),
                 static_cast<double>(n_rows) * layer.fan_out, slice);
}

/// The same for the layer of a single output, with the gradient of its weights.
template <typename Scalar>
void single_output_delta(const Network& network, std::size_t l, int n_rows, bool accumulate,
                         Workspace<Scalar>& workspace) {
  const Layer& before = network.layers[l - 1];
  const Scalar* weights = workspace.weights + network.layers[l].weights;
  std::fill_n(workspace.panel, before.padded_out, Scalar(0));
  std::copy_n(weights, before.fan_out, workspace.panel);
  single_output_backward(
      before.padded_out,
      SingleOutput<Scalar>{n_rows, static_cast<std::size_t>(before.stride), workspace.delta,
                           workspace.panel, workspace.activations[l - 1], workspace.slopes[l - 1],
                           workspace.next_delta, before.residual ? workspace.by_output : nullptr,
                           workspace.sums, workspace.gradient + before.bias, accumulate,
                           workspace.bends[l - 1], workspace.gradient + before.blend});
}

/// Gradient of the rows of W for the first `fan_in` inputs. With `update` each block of W is
/// updated where its gradient is still in the cache, and while the next block's product keeps the
/// multipliers busy.
template <typename Scalar>
void weight_gradient(const Layer& layer, int fan_in, const Scalar* input, std::size_t ld_input,
                     int n_rows, bool accumulate, const UpdateStep<Scalar>* update,
                     Workspace<Scalar>& workspace) {
  const std::size_t ld = layer.stride;
  const std::optional<UpdateStep<Scalar>> own =
      update ? std::optional(update->for_weights(layer)) : std::nullopt;
  auto slice = [&](int start, int columns, Scalar*) {
    const Scalar* delta = workspace.delta + start;
    Scalar* gradient = workspace.gradient + layer.weights + start;
    if (!own) {
      multiply_transposed(n_rows, fan_in, columns, input, ld_input, delta, ld, gradient, ld,
                          accumulate);
      return;
    }
    multiply_transposed(n_rows, fan_in, columns, input, ld_input, delta, ld, gradient, ld,
                        accumulate, [&](int row, int rows, int column, auto width) {
                          own->template update_block<decltype(width)::value>(
                              layer, row, rows, start + column, workspace);
                        });
  };
  for_each_slice(workspace.help, workspace.panel, layer.padded_out,
                 static_cast<double>(n_rows) * fan_in, slice);
}

/// workspace.sums -> the gradient of the single output's weights.
template <typename Scalar>
void single_output_gradient(const Network& network, std::size_t l, bool accumulate,
                            const UpdateStep<Scalar>* update, Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers[l];
  const int fan_in = l == 0 ? network.n_inputs() : layer.fan_in;
  Scalar* gradient = workspace.gradient + layer.weights;
  for (int i = 0; i < fan_in; ++i) {
    gradient[i] = (accumulate ? gradient[i] : Scalar(0)) + workspace.sums[i];
  }
  if (update) update->for_weights(layer).update_rows(layer, 0, fan_in, workspace);
}

/// workspace.delta of the first layer -> the gradient of what gives its learned features.
template <typename Scalar>
void learned_features_gradient(const Network& network, const Scalar* X, int n_rows, bool accumulate,
                               Workspace<Scalar>& workspace) {
  const int width = network.n_learned_features();
  if (width == 0) return;
  const std::size_t ld = row_stride<Scalar>(width);
  loss_by_vectors(network, workspace.delta, n_rows, ld, workspace);
  embedding_gradient(network, n_rows, ld, accumulate, workspace);
  periodic_gradient(network, X, n_rows, ld, accumulate, workspace);
}

}  // namespace detail

/// workspace.delta (n_rows, logit_stride), the loss by the logits, and the tile's forward pass ->
/// gradient (network.n_values), added to what is there where `accumulate`. With `update` each
/// weight is updated as soon as its gradient is whole.
template <typename Scalar>
void backward(const Network& network, const Scalar* X, int n_rows, bool accumulate,
              const UpdateStep<Scalar>* update, Workspace<Scalar>& workspace) {
  const Layer& last = network.layers.back();
  detail::bias_gradient(last, workspace.delta, n_rows, workspace.gradient + last.bias, accumulate);
  for (std::size_t l = network.layers.size(); l-- > 0;) {
    const Layer& layer = network.layers[l];
    const Scalar* input = l == 0 ? X : workspace.activations[l - 1];
    const std::size_t ld_input = l == 0 ? network.input_stride : network.layers[l - 1].stride;
    const int fan_in = l == 0 ? network.n_inputs() : layer.fan_in;
    const bool is_scaled = l == 0 && network.scaling.is_there;
    const UpdateStep<Scalar>* update_now = is_scaled ? nullptr : update;
    // What lies before the layer needs W as it was, so it comes first.
    if (l == 0) {
      detail::learned_features_gradient(network, X, n_rows, accumulate, workspace);
      if (update) update->update_tables(network, workspace);
      if (update) update->update_periodic(network.periodic, workspace);
      if (network.binned.tables) {
        binned_gradient(network, n_rows, accumulate, update_now, workspace);
      }
    }
    if (layer.is_single_output()) {
      if (l > 0) {
        detail::single_output_delta(network, l, n_rows, accumulate, workspace);
      } else {
        multiply_transposed(n_rows, 1, network.input_stride, workspace.delta, 1, input, ld_input,
                            workspace.sums, ld_input, false);
      }
      detail::single_output_gradient(network, l, accumulate, update_now, workspace);
    } else {
      if (l > 0 && network.parametric_activation) {
        detail::hidden_delta<true>(network, l, n_rows, accumulate, workspace);
      } else if (l > 0) {
        detail::hidden_delta<false>(network, l, n_rows, accumulate, workspace);
      }
      detail::weight_gradient(layer, fan_in, input, ld_input, n_rows, accumulate, update_now,
                              workspace);
    }
    if (update && is_scaled) update_scaled_layer(network, *update, workspace);
    if (update) update->update_bias(layer, workspace);
    if (update && network.is_blended(l)) update->update_blend(layer, workspace);
    std::swap(workspace.delta, workspace.next_delta);
  }
}

}  // namespace automs
