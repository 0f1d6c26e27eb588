// Codes and tables -> the embedded features of a tile; the loss by these -> the tables' gradient.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/network.hpp"
#include "core/transpose.hpp"
#include "core/workspace.hpp"

namespace automs {

/// Writes the vectors of `n_rows` rows behind their dense features in workspace.input, and their
/// codes, taken from `codes` (all rows of a view, n_embedded), into workspace.codes.
template <typename Scalar>
void gather_vectors(const Network& network, const Scalar* weights, const std::int32_t* codes,
                    const std::int32_t* rows, int n_rows, Workspace<Scalar>& workspace) {
  const std::size_t n_embedded = network.embeddings.size();
  if (n_embedded == 0) return;
  std::int32_t* code = workspace.codes.data();
  for (int i = 0; i < n_rows; ++i) {
    std::copy_n(codes + static_cast<std::size_t>(rows[i]) * n_embedded, n_embedded, code);
    Scalar* input = workspace.input + static_cast<std::size_t>(i) * network.input_stride;
    for (const Embedding& table : network.embeddings) {
      const Scalar* vector =
          weights + table.weights + static_cast<std::size_t>(*code++) * table.size;
      std::copy_n(vector, table.size, input + table.input_column);
    }
  }
}

/// delta (n_rows, stride of the first layer) -> the loss by the learned features, rows `ld` apart,
/// in workspace.next_delta.
template <typename Scalar>
void loss_by_vectors(const Network& network, const Scalar* delta, int n_rows, std::size_t ld,
                     Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers.front();
  const int width = network.n_learned_features();
  const auto stride = static_cast<std::size_t>(layer.stride);
  const Scalar* W = workspace.weights + layer.weights + network.n_dense * stride;
  if (!layer.is_single_output()) {
    multiply_by_transposed(n_rows, layer.fan_out, width, delta, stride, W, stride, workspace.panel,
                           workspace.next_delta, ld, NoFinish{});
    return;
  }
  for (int row = 0; row < n_rows; ++row) {
    for (int j = 0; j < width; ++j) workspace.next_delta[row * ld + j] = delta[row] * W[j];
  }
}

/// What `loss_by_vectors` gave, rows `ld` apart -> the gradient of every table, added to what is
/// there where `accumulate`. Rows are added in their order. Needs the codes of `gather_vectors`.
template <typename Scalar>
void embedding_gradient(const Network& network, int n_rows, std::size_t ld, bool accumulate,
                        Workspace<Scalar>& workspace) {
  if (network.embeddings.empty()) return;
  if (!accumulate) std::fill_n(workspace.gradient, network.n_table_values, Scalar(0));
  const std::int32_t* code = workspace.codes.data();
  for (int i = 0; i < n_rows; ++i) {
    const Scalar* by_vector = workspace.next_delta + i * ld + network.periodic.n_features();
    for (const Embedding& table : network.embeddings) {
      Scalar* gradient =
          workspace.gradient + table.weights + static_cast<std::size_t>(*code++) * table.size;
      for (int j = 0; j < table.size; ++j) gradient[j] += by_vector[j];
      by_vector += table.size;
    }
  }
}

}  // namespace automs
