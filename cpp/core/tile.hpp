// A view, row numbers, tables -> one tile of rows in the arena: features, encoded targets, weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/binned.hpp"
#include "core/embedding.hpp"
#include "core/network.hpp"
#include "core/periodic.hpp"
#include "core/product.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// For the few features of most tables a call of memcpy takes longer than the copy itself.
template <typename Scalar>
inline void copy_row(const Scalar* from, std::size_t n, Scalar* to) {
  constexpr std::size_t lanes = kLanes<Scalar>;
  if (n >= 16 * lanes) {
    std::memcpy(to, from, n * sizeof(Scalar));
    return;
  }
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) store(to + i, load(from + i));
  for (; i < n; ++i) to[i] = from[i];
}

}  // namespace detail

/// Row numbers: n for the tile, and those that follow them until `end`.
struct TileRows {
  const std::int32_t* rows;
  int n;
  const std::int32_t* end;
};

/// Asks for what a later tile reads: rows come in random order, and memory is far away.
template <typename Scalar>
inline void prefetch_row(const View<Scalar>& view, std::size_t row) {
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  constexpr std::size_t most_lines = 8;  // from there on, the processor has seen the pattern
  const std::size_t n = std::min(static_cast<std::size_t>(view.n_features), most_lines * line);
  prefetch_bins(view, row);
  if (n == 0) return;
  const Scalar* features = view.X + row * view.n_features;
  for (std::size_t i = 0; i < n; i += line) __builtin_prefetch(features + i);
  __builtin_prefetch(features + n - 1);
  __builtin_prefetch(view.y + row * view.n_targets);
}

/// Fills workspace.input, .codes, .table_rows, .fractions, .targets and, where the view has them,
/// .row_weights (weight divided by `mean_weight`) with the tile's rows, at most kTileRows.
/// `weights` holds the tables and the periodic embedding of `network`.
template <typename Scalar>
void gather_tile(const View<Scalar>& view, const Network& network, const Scalar* weights,
                 const TileRows& tile, double mean_weight, Workspace<Scalar>& workspace) {
  constexpr int ahead = 16;  // rows; the first ones of a tile were asked for with the tile before
  const auto width = static_cast<std::size_t>(view.n_features);
  const auto ld = static_cast<std::size_t>(network.input_stride);
  const auto n_targets = static_cast<std::size_t>(view.n_targets);
  for (int i = 0; i < tile.n; ++i) {
    const std::int32_t* later = tile.rows + i + ahead;
    if (later < tile.end) prefetch_row(view, static_cast<std::size_t>(*later));
    const auto row = static_cast<std::size_t>(tile.rows[i]);
    Scalar* input = workspace.input + i * ld;
    detail::store(input + ld - kLanes<Scalar>, detail::Vector<Scalar>{});  // the padding
    detail::copy_row(view.X + row * width, width, input);
    for (std::size_t j = 0; j < n_targets; ++j) {
      workspace.targets[i * n_targets + j] = view.encoded_target(row, static_cast<int>(j));
    }
    if (view.row_weights) {
      workspace.row_weights[i] = static_cast<Scalar>(view.row_weights[row] / mean_weight);
    }
  }
  periodic_features(network, weights, tile.n, workspace);
  gather_vectors(network, weights, view.codes, tile.rows, tile.n, workspace);
  gather_bins(network, view, tile.rows, tile.n, workspace);
}

}  // namespace automs
