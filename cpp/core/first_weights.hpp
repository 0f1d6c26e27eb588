// Network, seed -> its first weights, before any data are seen.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "automs/activation.hpp"
#include "core/network.hpp"
#include "core/periodic_layout.hpp"
#include "core/random.hpp"

namespace automs {

/// The gain that keeps the variance of a hidden layer's activations: sqrt(2) for the rectifiers
/// (He et al. 2015, arXiv 1502.01852), 1 for the rest.
inline double initial_gain(Activation activation) {
  switch (activation) {
    case Activation::relu:
    case Activation::leaky_relu:
    case Activation::elu:
    case Activation::gelu:
    case Activation::silu:
    case Activation::mish:
      return std::sqrt(2.0);
    default:
      return 1.0;
  }
}

/// Fills the table of embedded column `column`: N(0, 1 / size), where the normal number depends on
/// (seed, column, row, position in the row) alone.
template <typename Scalar>
void initialize_table(const Embedding& embedding, std::size_t column, std::uint64_t seed,
                      Scalar* values) {
  const RandomStream stream(seed, Purpose::initial_embeddings);
  const double deviation = 1.0 / std::sqrt(static_cast<double>(embedding.size));
  Scalar* next = values + embedding.weights;
  for (int row = 0; row < embedding.n_rows; ++row) {
    const std::uint64_t position = static_cast<std::uint64_t>(column) << 32 | std::uint32_t(row);
    std::pair<double, double> pair{};
    for (int i = 0; i < embedding.size; ++i, ++next) {
      if (i % 2 == 0) {
        const auto words = stream.block(position, static_cast<std::uint32_t>(i / 2));
        pair = normal_pair(words[0], words[1]);
      }
      *next = static_cast<Scalar>((i % 2 == 0 ? pair.first : pair.second) * deviation);
    }
  }
}

/// Fills W of layer l with N(0, gain^2 / fan_in); with the neural tangent parametrisation there is
/// no gain. The numbers are those of stream `number`.
template <typename Scalar>
void initialize_layer(const Network& network, std::size_t l, const RandomStream& stream,
                      std::uint64_t number, Scalar* values) {
  const Layer& layer = network.layers[l];
  const bool hidden = l + 1 < network.layers.size();
  const bool gains = hidden && network.parametrization == Parametrization::standard;
  const double gain = gains ? initial_gain(network.activation) : 1.0;
  const double deviation = gain / std::sqrt(static_cast<double>(layer.fan_in));
  std::uint32_t drawn = 0;
  std::pair<double, double> pair{};
  for (int input = 0; input < layer.fan_in; ++input) {
    const int row = l == 0 ? network.input_row(input) : input;
    for (int column = 0; column < layer.fan_out; ++column, ++drawn) {
      if (drawn % 2 == 0) {
        const auto words = stream.block(number, drawn / 2);
        pair = normal_pair(words[0], words[1]);
      }
      const double normal = drawn % 2 == 0 ? pair.first : pair.second;
      values[layer.weights + static_cast<std::size_t>(row) * layer.stride + column] =
          static_cast<Scalar>(normal * deviation);
    }
  }
}

/// Fills `values` (network.n_buffer): tables, periodic embedding, weights (`initialize_layer`),
/// parametric activations 1, the rest 0. A weight depends on (seed, member, layer, its input and
/// column) alone, not on the padding.
template <typename Scalar>
void initialize_weights(const Network& network, std::uint64_t seed, Scalar* values) {
  const RandomStream stream(seed, Purpose::initial_weights);
  std::fill_n(values, network.n_buffer, Scalar(0));
  for (std::size_t e = 0; e < network.embeddings.size(); ++e) {
    initialize_table(network.embeddings[e], e, seed, values);
  }
  initialize_periodic(network.periodic, seed, values);
  const std::size_t n_layers = network.layers.size();
  for (std::size_t l = 0; l < n_layers; ++l) {
    initialize_layer(network, l, stream, l, values);
    const Layer& layer = network.layers[l];
    if (network.is_blended(l)) std::fill_n(values + layer.blend, layer.fan_out, Scalar(1));
  }
  for (std::size_t m = 1; m < network.members.size(); ++m) {
    initialize_layer(network.members[m], n_layers - 1, stream, n_layers - 1 + m, values);
  }
}

}  // namespace automs
