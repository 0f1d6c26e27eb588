// Rows of the first layer's weights, by number -> their sums; deltas -> the gradient of these rows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/binned_layout.hpp"
#include "core/knot_tables.hpp"
#include "core/types.hpp"

namespace automs::detail {

// As in knot_tables.hpp, each kernel keeps its block of sums, or of deltas, in registers. Rows are
// `ld` apart, and Width values of each are meant. kNoRow is that of a value without a slot.

/// R rows of Y, `ld` apart as those of W, += the n rows of W that each of them names; `zeros` stand
/// for those that are not there.
template <int Width, int R, typename Scalar>
[[gnu::noinline]] void add_rows_block(int n, const std::uint16_t* rows, const Scalar* W,
                                      const Scalar* zeros, Scalar* Y, std::size_t ld) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  V sum[R][C];
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) sum[r][c] = load_as<V>(Y + r * ld + c * lanes);
  }
  for (int j = 0; j < n; ++j) {
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) {
      const std::uint16_t row = rows[r * n + j];
      const Scalar* own = row == kNoRow ? zeros : W + row * ld;
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) sum[r][c] += load_as<V>(own + c * lanes);
    }
  }
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) store_as(Y + r * ld + c * lanes, sum[r][c]);
  }
}

/// Adds delta (n_rows, Width) to the n rows of G that each of its rows names, and what names none
/// to `nowhere`.
template <int Width, typename Scalar>
[[gnu::noinline]] void scatter_to_rows(int n_rows, int n, const std::uint16_t* rows,
                                       const Scalar* delta, std::size_t ld, Scalar* G,
                                       Scalar* nowhere) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  for (int i = 0; i < n_rows; ++i, rows += n, delta += ld) {
    V d[C];
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) d[c] = load_as<V>(delta + c * lanes);
    for (int j = 0; j < n; ++j) {
      Scalar* own = rows[j] == kNoRow ? nowhere : G + rows[j] * ld;
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) {
        store_as(own + c * lanes, load_as<V>(own + c * lanes) + d[c]);
      }
    }
  }
}

}  // namespace automs::detail
