// The gradient of the first layer -> new scales of its inputs, its trained matrix, and the product.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/network.hpp"
#include "core/optimizer.hpp"
#include "core/product.hpp"
#include "core/single_output.hpp"
#include "core/workspace.hpp"

namespace automs {

// Every input of the first layer, embedded ones too, is multiplied by a trained scale s (a layer of
// RealMLP: Holzmueller, Grinsztajn, Steinwart 2024, arXiv 2407.04491, section 3). What passes
// through the network is W = diag(s) V, V being the trained matrix, so both passes, the embeddings
// and whoever reads the weights see a usual first layer. With G, the loss by W: the loss by V is
// diag(s) G, and the loss by s is the sums along the rows of V * G.

namespace detail {

/// The sum of a[i] * b[i] over n values.
template <typename Scalar>
Scalar dot_of_rows(const Scalar* a, const Scalar* b, int n) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sums{};
  int i = 0;
  for (; i + lanes <= n; i += lanes) sums += load(a + i) * load(b + i);
  Scalar sum = sum_of_lanes<lanes, Vector<Scalar>, Scalar>(sums);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace detail

/// weights (network.n_buffer): W of the first layer = diag(s) V.
template <typename Scalar>
void fold_scales(const Network& network, Scalar* weights) {
  if (!network.scaling.is_there) return;
  const Layer& layer = network.layers.front();
  const auto stride = static_cast<std::size_t>(layer.stride);
  const Scalar* scales = weights + network.scaling.scales;
  for (int row = 0; row < layer.fan_in; ++row) {
    const Scalar* V = weights + network.scaling.weights + row * stride;
    Scalar* W = weights + layer.weights + row * stride;
    for (std::size_t i = 0; i < stride; ++i) W[i] = scales[row] * V[i];
  }
}

/// What a state keeps of the weights (network.n_values) -> all of them (network.n_buffer).
template <typename Scalar>
void load_weights(const Network& network, const Scalar* kept, Scalar* weights) {
  std::copy_n(kept, network.n_values, weights);
  fold_scales(network, weights);
}

/// weights (network.n_buffer): V makes way for W, where whoever reads the layer looks for it.
template <typename Scalar>
void put_scaled_weights(const Network& network, Scalar* weights) {
  if (!network.scaling.is_there) return;
  const Layer& layer = network.layers.front();
  std::copy_n(weights + layer.weights, layer.n_weights(), weights + network.scaling.weights);
}

/// The first layer's initial weights are those of V; the scales start at 1.
template <typename Scalar>
void start_scaling_layer(const Network& network, Scalar* weights) {
  if (!network.scaling.is_there) return;
  const Layer& layer = network.layers.front();
  std::copy_n(weights + layer.weights, layer.n_weights(), weights + network.scaling.weights);
  std::fill_n(weights + network.scaling.scales, layer.fan_in, Scalar(1));
}

/// workspace.gradient of the first layer's W -> that of V and of the scales, each in its place.
/// With `Accumulate` they are added to what is there, and that of W is 0 afterwards.
template <bool Accumulate, typename Scalar>
void unfold_gradient(const Network& network, Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers.front();
  const auto stride = static_cast<std::size_t>(layer.stride);
  const Scalar* scales = workspace.weights + network.scaling.scales;
  for (int row = 0; row < layer.fan_in; ++row) {
    const std::size_t at = network.scaling.weights + row * stride;
    Scalar* by_W = workspace.gradient + layer.weights + row * stride;
    Scalar* by_V = workspace.gradient + at;
    Scalar& by_scale = workspace.gradient[network.scaling.scales + row];
    const Scalar own = detail::dot_of_rows(workspace.weights + at, by_W, layer.padded_out);
    by_scale = Accumulate ? by_scale + own : own;
    for (std::size_t i = 0; i < stride; ++i) {
      by_V[i] = (Accumulate ? by_V[i] : Scalar(0)) + by_W[i] * scales[row];
      if (Accumulate) by_W[i] = Scalar(0);
    }
  }
}

/// workspace.gradient of the first layer's W -> one step of V and of the scales, and the new W.
template <typename Scalar>
void update_scaled_layer(const Network& network, const UpdateStep<Scalar>& update,
                         Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers.front();
  unfold_gradient<false>(network, workspace);
  update.for_weights(layer).update_scaled_weights(network, workspace);
  update.update_scales(network, workspace);
  fold_scales(network, workspace.weights);
}

}  // namespace automs
