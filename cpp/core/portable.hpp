// A network's padded flat buffer <-> its values alone, in an order that no CPU level changes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/network.hpp"
#include "core/types.hpp"

namespace automs {

/// Calls part(first, n) for every piece of the flat buffer between its padding: the tables, then
/// each layer's rows of W, in the order of its inputs, and its b.
template <typename Part>
void for_each_piece(const Network& network, Part&& part) {
  for (const Embedding& table : network.embeddings) part(table.weights, table.n_values());
  for (const Layer& layer : network.layers) {
    const bool first = &layer == &network.layers.front();
    for (int input = 0; input < layer.fan_in; ++input) {
      const int row = first ? network.input_row(input) : input;
      part(layer.weights + static_cast<std::size_t>(row) * layer.stride,
           static_cast<std::size_t>(layer.fan_out));
    }
    part(layer.bias, static_cast<std::size_t>(layer.fan_out));
  }
}

/// An empty buffer stays empty.
inline std::vector<float> without_padding(const Network& network,
                                          const AlignedVector<float>& values) {
  std::vector<float> dense;
  if (values.empty()) return dense;
  dense.reserve(network.n_parameters());
  for_each_piece(network, [&](std::size_t first, std::size_t n) {
    dense.insert(dense.end(), values.data() + first, values.data() + first + n);
  });
  return dense;
}

inline AlignedVector<float> with_padding(const Network& network, const std::vector<float>& dense) {
  AlignedVector<float> values;
  if (dense.empty()) return values;
  require(dense.size() == network.n_parameters(),
          "a state's buffer must have " + std::to_string(network.n_parameters()) +
              " values for this candidate and view, got " + std::to_string(dense.size()));
  values.assign(network.n_values, 0.0f);
  const float* next = dense.data();
  for_each_piece(network, [&](std::size_t first, std::size_t n) {
    std::copy_n(next, n, values.data() + first);
    next += n;
  });
  return values;
}

}  // namespace automs
