// A view and row numbers -> one tile of rows in the arena: features, encoded targets, weights.
#pragma once

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

/// Fills workspace.input, .targets and .row_weights (weight divided by `mean_weight`) with `n_rows`
/// rows, n_rows <= kTileRows.
template <typename Scalar>
void gather_tile(const View<Scalar>& view, const std::int32_t* rows, int n_rows, double mean_weight,
                 Workspace<Scalar>& workspace) {
  constexpr int ahead = 12;  // rows come in random order: fetched while others are copied
  const auto width = static_cast<std::size_t>(view.n_features);
  const auto ld = static_cast<std::size_t>(padded<Scalar>(view.n_features));
  const auto n_targets = static_cast<std::size_t>(view.n_targets);
  for (int i = 0; i < n_rows; ++i) {
    if (i + ahead < n_rows) {
      const auto later = static_cast<std::size_t>(rows[i + ahead]);
      __builtin_prefetch(view.X + later * width);
      __builtin_prefetch(view.y + later * n_targets);
    }
    const auto row = static_cast<std::size_t>(rows[i]);
    detail::copy_row(view.X + row * width, width, workspace.input + i * ld);
    for (std::size_t j = 0; j < n_targets; ++j) {
      workspace.targets[i * n_targets + j] = view.encoded_target(row, static_cast<int>(j));
    }
    workspace.row_weights[i] = static_cast<Scalar>(view.weight(row) / mean_weight);
  }
}

}  // namespace automs
