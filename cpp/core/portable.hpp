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

/// Calls part(first, n) for every piece of the flat buffer between its padding: the tables, the
/// periodic embedding, the scaling layer, then each layer's rows of W, its b, and its blend where
/// it has one, and the last layers of further members. What belongs to an input of the first layer
/// comes in the order of the inputs.
template <typename Part>
void for_each_piece(const Network& network, Part&& part) {
  for (const Embedding& table : network.embeddings) part(table.weights, table.n_values());
  const Periodic& periodic = network.periodic;
  for (int i = 0; i < periodic.n_rows(); ++i) {
    part(periodic.row(i), static_cast<std::size_t>(periodic.n_columns));
  }
  const Layer& first = network.layers.front();
  auto row = [&](std::size_t start, int number, const Layer& layer) {
    part(start + static_cast<std::size_t>(number) * layer.stride,
         static_cast<std::size_t>(layer.fan_out));
  };
  auto first_rows = [&](std::size_t start) {
    for (int i = 0; i < first.fan_in; ++i) row(start, network.input_row(i), first);
  };
  if (network.scaling.is_there) {
    for_each_member(network, [&](const Network& member) {
      for (int i = 0; i < first.fan_in; ++i) {
        part(member.scaling.scales + static_cast<std::size_t>(network.input_row(i)), 1);
      }
    });
  }
  auto dense = [&](const Layer& layer, bool is_blended) {
    for (int i = 0; i < layer.fan_in; ++i) row(layer.weights, i, layer);
    row(layer.bias, 0, layer);
    if (is_blended) row(layer.blend, 0, layer);
  };
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    if (l > 0) {
      dense(layer, network.is_blended(l));
      continue;
    }
    first_rows(network.scaling.is_there ? network.scaling.weights : layer.weights);
    row(layer.bias, 0, layer);
    if (network.is_blended(l)) row(layer.blend, 0, layer);
  }
  for (std::size_t m = 1; m < network.members.size(); ++m) {
    dense(network.members[m].layers.back(), false);
  }
}

/// Values of a buffer, padding not counted.
inline std::size_t count_values(const Network& network) {
  std::size_t count = 0;
  for_each_piece(network, [&](std::size_t, std::size_t n) { count += n; });
  return count;
}

/// An empty buffer stays empty.
inline std::vector<float> without_padding(const Network& network,
                                          const AlignedVector<float>& values) {
  std::vector<float> dense;
  if (values.empty()) return dense;
  dense.reserve(count_values(network));
  for_each_piece(network, [&](std::size_t first, std::size_t n) {
    dense.insert(dense.end(), values.data() + first, values.data() + first + n);
  });
  return dense;
}

inline AlignedVector<float> with_padding(const Network& network, const std::vector<float>& dense) {
  AlignedVector<float> values;
  if (dense.empty()) return values;
  require(dense.size() == count_values(network),
          "a state's buffer must have " + std::to_string(count_values(network)) +
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
