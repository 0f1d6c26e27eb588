// Weights of bins -> tables of values at knots, sums of their rows; deltas -> the weights'
// gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/product.hpp"
#include "core/types.hpp"

namespace automs::detail {

// A table has a row of Width values for each knot: those of the same units of the first layer.
// binned_layout.hpp says why two of its rows are what a value gives. Each kernel keeps its block
// of sums, or of deltas, in registers.

/// Lanes of the vectors of the kernels below: a single output has one unit only.
template <typename Scalar, int Width>
constexpr int kKnotLanes = Width == 1 ? 1 : kLanes<Scalar>;
template <typename Scalar, int Width>
using KnotVector = std::conditional_t<Width == 1, Scalar, Vector<Scalar>>;

template <typename V, typename Scalar>
inline V load_as(const Scalar* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename V, typename Scalar>
inline void store_as(Scalar* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

/// The weights of a column's bins, rows `ld` apart -> its rows of the table.
template <int Width, typename Scalar>
void build_knots(int n_bins, const Scalar* W, std::size_t ld, Scalar* knots) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  V value[C] = {};
  for (int b = 0; b < n_bins; ++b) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) value[c] -= load_as<V>(W + b * ld + c * lanes);
  }
  for (int b = 0; b <= n_bins; ++b, knots += Width) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) {
      store_as(knots + c * lanes, value[c]);
      if (b < n_bins) value[c] += Scalar(2) * load_as<V>(W + b * ld + c * lanes);
    }
  }
}

/// R rows of Y, `ldy` apart, += the interpolated table rows of n columns.
template <int Width, int R, typename Scalar>
[[gnu::noinline]] void add_knots_block(int n, const std::uint16_t* knot_rows,
                                       const Scalar* fractions, const Scalar* knots, Scalar* Y,
                                       std::size_t ldy) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  V sum[R][C];
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) sum[r][c] = load_as<V>(Y + r * ldy + c * lanes);
  }
  for (int j = 0; j < n; ++j) {
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) {
      const Scalar* below = knots + static_cast<std::size_t>(knot_rows[r * n + j]) * Width;
      const Scalar t = fractions[r * n + j];
      const Scalar rest = Scalar(1) - t;
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) {
        sum[r][c] += rest * load_as<V>(below + c * lanes);
        sum[r][c] += t * load_as<V>(below + Width + c * lanes);
      }
    }
  }
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) store_as(Y + r * ldy + c * lanes, sum[r][c]);
  }
}

/// Adds delta (n_rows, Width), rows `ld` apart, to the two table rows of each of n columns.
template <int Width, typename Scalar>
[[gnu::noinline]] void scatter_to_knots(int n_rows, int n, const std::uint16_t* knot_rows,
                                        const Scalar* fractions, const Scalar* delta,
                                        std::size_t ld, Scalar* knots) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  for (int row = 0; row < n_rows; ++row, knot_rows += n, fractions += n, delta += ld) {
    V d[C];
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) d[c] = load_as<V>(delta + c * lanes);
    for (int j = 0; j < n; ++j) {
      Scalar* below = knots + static_cast<std::size_t>(knot_rows[j]) * Width;
      const Scalar t = fractions[j];
      const Scalar rest = Scalar(1) - t;
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) {
        Scalar* at = below + c * lanes;
        store_as(at, load_as<V>(at) + rest * d[c]);
        store_as(at + Width, load_as<V>(at + Width) + t * d[c]);
      }
    }
  }
}

/// The gradient of a column's table rows -> that of its weights, rows `ld` apart.
template <int Width, typename Scalar>
void knots_to_weights(int n_bins, const Scalar* knots, Scalar* G, std::size_t ld, bool accumulate) {
  using V = KnotVector<Scalar, Width>;
  constexpr int lanes = kKnotLanes<Scalar, Width>;
  constexpr int C = Width / lanes;
  V value[C] = {};
  for (int b = 0; b <= n_bins; ++b) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) value[c] += load_as<V>(knots + b * Width + c * lanes);
  }
  for (int b = 0; b < n_bins; ++b, G += ld) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) {
      value[c] -= Scalar(2) * load_as<V>(knots + b * Width + c * lanes);
      const V before = accumulate ? load_as<V>(G + c * lanes) : V{};
      store_as(G + c * lanes, before + value[c]);
    }
  }
}

}  // namespace automs::detail
