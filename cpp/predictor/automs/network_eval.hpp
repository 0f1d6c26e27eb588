// features and embedded codes of one row -> a network's values (n_logits), by vectorisable loops.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/activation.hpp"
#include "automs/model.hpp"

// GCC keeps an array in registers only where the loops over it are unrolled, which at -O2 it has to
// be told.
#if defined(__GNUC__) && !defined(__clang__)
#define AUTOMS_UNROLL _Pragma("GCC unroll 64")
#else
#define AUTOMS_UNROLL
#endif

namespace automs {

namespace detail {

/// out[n] = bias[n] + sum over k of x[k] * W[k][n], for `width` neighbouring n. Each sum runs over
/// k in ascending order whatever the width, so the blocking never changes a bit.
template <std::size_t width>
inline void affine_block(const float* __restrict x, const float* __restrict weights,
                         const float* __restrict bias, std::size_t fan_in, std::size_t fan_out,
                         float* __restrict out) noexcept {
  float sums[width];
  for (std::size_t n = 0; n < width; ++n) sums[n] = bias[n];
  for (std::size_t k = 0; k < fan_in; ++k) {
    const float* row = weights + k * fan_out;
    AUTOMS_UNROLL
    for (std::size_t n = 0; n < width; ++n) sums[n] += x[k] * row[n];
  }
  for (std::size_t n = 0; n < width; ++n) out[n] = sums[n];
}

/// As many blocks of `width` as fit, from output `n` on -> the first output that is left.
template <std::size_t width>
inline std::size_t affine_blocks(const PackedLayer& layer, const float* x, float* out,
                                 std::size_t n) noexcept {
  for (; n + width <= layer.fan_out; n += width) {
    affine_block<width>(x, layer.weights.data() + n, layer.bias.data() + n, layer.fan_in,
                        layer.fan_out, out + n);
  }
  return n;
}

/// x (fan_in) -> out (fan_out). The widest block still keeps its sums in registers, and has enough
/// of them to hide the latency of an addition.
inline void affine(const PackedLayer& layer, const float* x, float* out) noexcept {
  std::size_t n = affine_blocks<64>(layer, x, out, 0);
  n = affine_blocks<32>(layer, x, out, n);
  n = affine_blocks<16>(layer, x, out, n);
  n = affine_blocks<8>(layer, x, out, n);
  affine_blocks<1>(layer, x, out, n);
}

/// logits (n) -> values (n) of the link alone, in double.
inline void apply_link(OutputLink link, const float* logits, std::size_t n,
                       double* values) noexcept {
  for (std::size_t j = 0; j < n; ++j) values[j] = static_cast<double>(logits[j]);
  switch (link) {
    case OutputLink::identity:
      return;
    case OutputLink::exp:  // bounded as the float version is: no infinity arises
      for (std::size_t j = 0; j < n; ++j) values[j] = std::exp(values[j] > 88.0 ? 88.0 : values[j]);
      return;
    case OutputLink::sigmoid:
      for (std::size_t j = 0; j < n; ++j) values[j] = sigmoid(values[j]);
      return;
    case OutputLink::softmax:
      break;
  }
  double largest = values[0];
  for (std::size_t j = 1; j < n; ++j) largest = values[j] > largest ? values[j] : largest;
  double sum = 0.0;
  for (std::size_t j = 0; j < n; ++j) {
    values[j] = std::exp(values[j] - largest);
    sum += values[j];
  }
  for (std::size_t j = 0; j < n; ++j) values[j] /= sum;
}

/// codes (one for each embedding) -> their vectors, one after the other.
inline void look_up(const PackedNetwork& network, const std::int32_t* codes, float* out) noexcept {
  for (std::size_t i = 0; i < network.embeddings.size(); ++i) {
    const EmbeddingTable& table = network.embeddings[i];
    const float* vector = table.vectors.data() + static_cast<std::size_t>(codes[i]) * table.size;
    for (std::size_t n = 0; n < table.size; ++n) out[n] = vector[n];
    out += table.size;
  }
}

/// input (features, then vectors of embeddings) -> values (n_logits) = centre + scale *
/// link(logit). `first` and `second` are scratch, each as wide as the widest layer.
inline void evaluate(const PackedNetwork& network, const float* input, float* first, float* second,
                     double* values) noexcept {
  const std::size_t n_layers = network.layers.size();
  float* output = first;
  for (std::size_t i = 0; i < n_layers; ++i) {
    const PackedLayer& layer = network.layers[i];
    affine(layer, input, output);
    if (i + 1 < n_layers) activate(network.activation, output, layer.fan_out);
    if (layer.adds_input) {
      for (std::size_t n = 0; n < layer.fan_out; ++n) output[n] += input[n];
    }
    input = output;
    output = output == first ? second : first;
  }
  apply_link(network.link, input, network.n_logits(), values);
  for (std::size_t j = 0; j < network.n_logits(); ++j) {
    values[j] = network.output_centre[j] + network.output_scale[j] * values[j];
  }
}

}  // namespace detail

}  // namespace automs

#undef AUTOMS_UNROLL
