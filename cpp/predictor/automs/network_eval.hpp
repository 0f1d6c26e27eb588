// layers as they stand in a file -> blocks for the kernels; logits -> a network's values.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/kernels.hpp"
#include "automs/model.hpp"
#include "automs/status.hpp"

namespace automs {

namespace detail {

/// The vectors of the block that follows, where n are left.
inline std::size_t block_vectors(std::size_t n) noexcept {
  return n >= 8 ? 8 : n >= 4 ? 4 : n >= 2 ? 2 : 1;
}

/// Rows of weights in a block: a multiple of the chains that its sums are split in.
inline std::size_t block_rows(std::size_t fan_in, std::size_t n_vectors) noexcept {
  const std::size_t n_chains = kChains / n_vectors;
  return (fan_in + n_chains - 1) / n_chains * n_chains;
}

inline std::size_t packed_floats(const LayerBlocks& blocks, std::size_t width) noexcept {
  if (blocks.is_dot) return padded(blocks.fan_in);
  std::size_t n_floats = 0;
  for (std::size_t v = 0; v < blocks.n_vectors;) {
    const std::size_t n = block_vectors(blocks.n_vectors - v);
    n_floats += block_rows(blocks.fan_in, n) * n * width;
    v += n;
  }
  return n_floats;
}

/// One block of outputs first, first + 1, ... -> its `n` floats in each row of `to`.
inline void pack_block(const PackedLayer& layer, std::size_t first, std::size_t n,
                       float* to) noexcept {
  for (std::size_t k = 0; k < layer.fan_in; ++k) {
    const float* row = layer.weights.data() + k * layer.fan_out;
    for (std::size_t j = 0; j < n && first + j < layer.fan_out; ++j) to[k * n + j] = row[first + j];
  }
}

/// Packs a layer for vectors of `width`.
inline Status pack_layer(const PackedLayer& layer, bool is_last, std::size_t width,
                         LayerBlocks& blocks) noexcept {
  blocks.fan_in = layer.fan_in;
  blocks.is_dot = is_last && layer.fan_out == 1;
  blocks.adds_input = layer.adds_input;
  // Whatever the width, a row of outputs reaches as far as the next layer's rows of zeros.
  const std::size_t least = width > kChains ? width : kChains;
  blocks.n_vectors = (layer.fan_out + least - 1) / least * least / width;
  if (!blocks.weights.resize(packed_floats(blocks, width)) ||
      !blocks.bias.resize(blocks.n_vectors * width)) {
    return Status::out_of_memory;
  }
  for (std::size_t j = 0; j < layer.fan_out; ++j) blocks.bias.data()[j] = layer.bias[j];
  blocks.is_blended = layer.blend.size() > 0;
  if (blocks.is_blended && !blocks.blend.resize(blocks.n_vectors * width)) {
    return Status::out_of_memory;
  }
  for (std::size_t j = 0; j < layer.blend.size(); ++j) blocks.blend.data()[j] = layer.blend[j];
  float* to = blocks.weights.data();
  if (blocks.is_dot) {
    for (std::size_t k = 0; k < layer.fan_in; ++k) to[k] = layer.weights[k];
    return Status::ok;
  }
  for (std::size_t v = 0; v < blocks.n_vectors;) {
    const std::size_t n = block_vectors(blocks.n_vectors - v);
    pack_block(layer, v * width, n * width, to);
    to += block_rows(layer.fan_in, n) * n * width;
    v += n;
  }
  return Status::ok;
}

/// n_rows rows of n values -> rows `stride` apart, each value times `factor`.
inline bool pack_rows(const Array<float>& values, std::size_t n, std::size_t stride, float factor,
                      AlignedArray<float>& out) noexcept {
  const std::size_t n_rows = values.size() / n;
  if (!out.resize(n_rows * stride)) return false;
  for (std::size_t i = 0; i < n_rows; ++i) {
    for (std::size_t j = 0; j < n; ++j) out.data()[i * stride + j] = values[i * n + j] * factor;
  }
  return true;
}

/// Packs a periodic embedding, which loses its arrays.
inline Status pack_periodic(PeriodicEmbedding& periodic, PeriodicBlocks& blocks) noexcept {
  const std::size_t n = periodic.n_columns;
  if (n == 0) return Status::ok;
  blocks.n = n;
  blocks.stride = padded(n);
  blocks.n_frequencies = periodic.n_frequencies;
  blocks.n_outputs = periodic.n_outputs;
  constexpr float turn = 0.15915494f;  // 1 / (2 pi)
  if (!pack_rows(periodic.frequencies, n, blocks.stride, 1.0f, blocks.frequencies) ||
      !pack_rows(periodic.weights, n, blocks.stride, 1.0f, blocks.weights) ||
      !pack_rows(periodic.phases, n, blocks.stride, turn, blocks.phases) ||
      !pack_rows(periodic.biases, n, blocks.stride, 1.0f, blocks.biases)) {
    return Status::out_of_memory;
  }
  for (Array<float>* array :
       {&periodic.frequencies, &periodic.weights, &periodic.phases, &periodic.biases}) {
    *array = Array<float>();
  }
  return Status::ok;
}

/// Packs a network for vectors of `width`; its layers lose their weights.
inline Status pack_network(PackedNetwork& network, std::size_t width,
                           NetworkBlocks& blocks) noexcept {
  blocks.activation = network.activation;
  if (!blocks.layers.resize(network.layers.size())) return Status::out_of_memory;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const bool is_last = i + 1 == network.layers.size();
    const Status status = pack_layer(network.layers[i], is_last, width, blocks.layers[i]);
    if (status != Status::ok) return status;
    network.layers[i].weights = Array<float>();
  }
  return pack_periodic(network.periodic, blocks.periodic);
}

/// `encoder` must outlive the blocks.
inline Status pack_scaled(const Encoder& encoder, ScaledBlocks& blocks) noexcept {
  const ScaledParts& parts = encoder.scaled;
  blocks.n = parts.size();
  blocks.in_order = encoder.in_order;
  blocks.columns = parts.columns.data();
  const std::size_t n = padded(blocks.n);
  if (!blocks.centre.resize(n) || !blocks.scale.resize(n) || !blocks.inverse_bend.resize(n)) {
    return Status::out_of_memory;
  }
  for (std::size_t i = 0; i < blocks.n; ++i) {
    blocks.centre.data()[i] = parts.centre[i];
    blocks.scale.data()[i] = parts.scale[i];
    blocks.inverse_bend.data()[i] = static_cast<float>(1.0 / parts.bend[i]);  // 1 / infinity is 0
    blocks.clips = blocks.clips || parts.bend[i] != kNotClipped;
  }
  return Status::ok;
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

}  // namespace detail

}  // namespace automs
