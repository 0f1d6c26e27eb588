// A view and row numbers -> one tile of rows in the arena: features, encoded targets, weights.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/product.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// n values -> whole vectors of them, zeros behind the last. For the few features of most tables a
/// call of memcpy takes longer than the copy itself.
template <typename Scalar>
inline void copy_row(const Scalar* from, std::size_t n, Scalar* to) {
  constexpr std::size_t lanes = kLanes<Scalar>;
  if (n % lanes != 0) store(to + n / lanes * lanes, Vector<Scalar>{});
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
  const Scalar* features = view.X + row * view.n_features;
  for (std::size_t i = 0; i < n; i += line) __builtin_prefetch(features + i);
  __builtin_prefetch(features + n - 1);
  __builtin_prefetch(view.y + row * view.n_targets);
}

/// Fills workspace.input, .targets and, where the view has them, .row_weights (weight divided by
/// `mean_weight`) with the tile's rows, at most kTileRows.
template <typename Scalar>
void gather_tile(const View<Scalar>& view, const TileRows& tile, double mean_weight,
                 Workspace<Scalar>& workspace) {
  constexpr int ahead = 16;  // rows; the first ones of a tile were asked for with the tile before
  const auto width = static_cast<std::size_t>(view.n_features);
  const auto ld = static_cast<std::size_t>(padded<Scalar>(view.n_features));
  const auto n_targets = static_cast<std::size_t>(view.n_targets);
  for (int i = 0; i < tile.n; ++i) {
    const std::int32_t* later = tile.rows + i + ahead;
    if (later < tile.end) prefetch_row(view, static_cast<std::size_t>(*later));
    const auto row = static_cast<std::size_t>(tile.rows[i]);
    detail::copy_row(view.X + row * width, width, workspace.input + i * ld);
    for (std::size_t j = 0; j < n_targets; ++j) {
      workspace.targets[i * n_targets + j] = view.encoded_target(row, static_cast<int>(j));
    }
    if (view.row_weights) {
      workspace.row_weights[i] = static_cast<Scalar>(view.row_weights[row] / mean_weight);
    }
  }
}

}  // namespace automs
