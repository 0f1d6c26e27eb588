// The layer of a single output, in its own kernels: sums along the rows of its input.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "core/product.hpp"

namespace automs {

// As a matrix with one column, this layer would fill one lane of each vector. Its weights lie
// contiguous instead (stride 1), and vectors run along the units of its input. Inputs of hidden
// layers have whole vectors in their rows; a padded lane may hold any finite value there, as what
// it is multiplied by is zero.

namespace detail {

/// The sum of a vector's lanes, by halves.
template <int N, typename V, typename Scalar>
inline Scalar sum_of_lanes(V v) {
  if constexpr (N == 1) {
    return v[0];
  } else {
    typedef Scalar Half __attribute__((vector_size(N / 2 * sizeof(Scalar))));
    Half halves[2];
    std::memcpy(halves, &v, sizeof v);
    return sum_of_lanes<N / 2, Half, Scalar>(halves[0] + halves[1]);
  }
}

/// Z[r] = bias + X[r] w for R rows; `tail` holds the last weights, zeros behind them.
template <typename Scalar, int R>
inline void dot_block(int n_whole, const Scalar* X, std::size_t ldx, const Scalar* w,
                      Vector<Scalar> tail, Scalar bias, Scalar* Z) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sum[R];
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) sum[r] = load(X + r * ldx + n_whole) * tail;
  for (int i = 0; i < n_whole; i += lanes) {
    const Vector<Scalar> weights = load(w + i);
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) sum[r] += load(X + r * ldx + i) * weights;
  }
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    Z[r] = bias + sum_of_lanes<lanes, Vector<Scalar>, Scalar>(sum[r]);
  }
}

}  // namespace detail

/// Z (b) = bias + X (b, k) w (k). Rows of X hold whole vectors, finite behind their k values.
template <typename Scalar>
void dot_rows(int b, int k, const Scalar* X, std::size_t ldx, const Scalar* w, Scalar bias,
              Scalar* Z) {
  constexpr int lanes = kLanes<Scalar>;
  const int n_whole = (k - 1) / lanes * lanes;
  detail::Vector<Scalar> tail{};
  std::memcpy(&tail, w + n_whole, static_cast<std::size_t>(k - n_whole) * sizeof(Scalar));
  detail::for_each_block<8>(b, [&](int row, auto height) {
    detail::dot_block<Scalar, decltype(height)::value>(n_whole, X + row * ldx, ldx, w, tail, bias,
                                                       Z + row);
  });
}

/// Everything that the single output's layer hands to the hidden layer before it.
template <typename Scalar>
struct SingleOutput {
  int n_rows;
  std::size_t ld;           // of values, slopes, delta
  const Scalar* by_output;  // (n_rows), loss by the output
  const Scalar* weights;    // (padded), zeros behind the last
  const Scalar* values;     // (n_rows, ld), the hidden layer's activations
  const Scalar* slopes;     // (n_rows, ld)
  Scalar* delta;            // (n_rows, ld), loss by the hidden layer's pre-activations
  Scalar* by_value;         // (n_rows, ld), loss by its activations, or null where not wanted
  Scalar* gradient;         // (padded), sums of by_output * values
  Scalar* bias_gradient;    // (padded), sums of delta
  bool accumulate;          // the gradients of bias and blend
  const Scalar* bends;      // (n_rows, ld), f(z) - z of a blended layer, or null
  Scalar* blend_gradient;   // (padded), sums of loss by activation times bends
};

namespace detail {

template <int C, bool IsBlended, typename Scalar>
inline void single_output_panel(const SingleOutput<Scalar> s,  // a copy, which no store can change
                                std::size_t first) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> weights[C], gradient[C], bias[C];
  [[maybe_unused]] Vector<Scalar> blend[C];
  AUTOMS_UNROLL
  for (int c = 0; c < C; ++c) {
    weights[c] = load(s.weights + first + c * lanes);
    gradient[c] = Vector<Scalar>{};
    bias[c] = s.accumulate ? load(s.bias_gradient + first + c * lanes) : Vector<Scalar>{};
    if constexpr (IsBlended) {
      blend[c] = s.accumulate ? load(s.blend_gradient + first + c * lanes) : Vector<Scalar>{};
    }
  }
  for (int row = 0; row < s.n_rows; ++row) {
    const Scalar by_output = s.by_output[row];
    const std::size_t start = row * s.ld + first;
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) {
      const std::size_t at = start + c * lanes;
      gradient[c] += by_output * load(s.values + at);
      const Vector<Scalar> by_value = by_output * weights[c];
      if (s.by_value) store(s.by_value + at, by_value);
      if constexpr (IsBlended) blend[c] += by_value * load(s.bends + at);
      const Vector<Scalar> delta = by_value * load(s.slopes + at);
      bias[c] += delta;
      store(s.delta + at, delta);
    }
  }
  AUTOMS_UNROLL
  for (int c = 0; c < C; ++c) {
    store(s.gradient + first + c * lanes, gradient[c]);
    store(s.bias_gradient + first + c * lanes, bias[c]);
    if constexpr (IsBlended) store(s.blend_gradient + first + c * lanes, blend[c]);
  }
}

}  // namespace detail

/// One pass over the hidden layer's tile: its delta, the gradients that are sums over rows.
template <typename Scalar>
void single_output_backward(int n, const SingleOutput<Scalar>& s) {
  detail::for_each_panel<Scalar>(n, [&](int c, auto vectors) {
    constexpr int C = decltype(vectors)::value;
    if (s.bends) {
      detail::single_output_panel<C, true>(s, static_cast<std::size_t>(c));
    } else {
      detail::single_output_panel<C, false>(s, static_cast<std::size_t>(c));
    }
  });
}

}  // namespace automs
