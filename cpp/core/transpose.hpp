// A matrix -> its transpose, by square blocks in registers; products with transposed matrices.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "core/product.hpp"

namespace automs {

namespace detail {

// Stage `Step` swaps the off-diagonal squares of size Step of each square of size 2 Step: lane j of
// the upper row takes lane j - Step of the lower one where j lies in the right half, and so on.
template <int Step, typename V, std::size_t... Lane>
inline void swap_squares(V& upper, V& lower, std::index_sequence<Lane...>) {
  constexpr int n = sizeof...(Lane);
  const V a = upper, b = lower;
  upper = __builtin_shufflevector(a, b, (int(Lane) & Step ? n + int(Lane) - Step : int(Lane))...);
  lower = __builtin_shufflevector(a, b, (int(Lane) & Step ? n + int(Lane) : int(Lane) + Step)...);
}

template <int Step, int N, typename V>
inline void transpose_stages(V (&rows)[N]) {
  AUTOMS_UNROLL
  for (int i = 0; i < N; ++i) {
    if ((i & Step) == 0) swap_squares<Step>(rows[i], rows[i + Step], std::make_index_sequence<N>{});
  }
  if constexpr (Step > 1) transpose_stages<Step / 2>(rows);
}

/// One square block of as many rows as a vector has lanes.
template <typename Scalar>
inline void transpose_block(const Scalar* from, std::size_t ld_from, Scalar* to,
                            std::size_t ld_to) {
  constexpr int n = kLanes<Scalar>;
  Vector<Scalar> rows[n];
  AUTOMS_UNROLL
  for (int i = 0; i < n; ++i) rows[i] = load(from + i * ld_from);
  transpose_stages<n / 2>(rows);
  AUTOMS_UNROLL
  for (int i = 0; i < n; ++i) store(to + i * ld_to, rows[i]);
}

}  // namespace detail

/// A (n_rows, n_columns) -> B (n_columns, n_rows). Rows of A hold whole vectors.
template <typename Scalar>
void transpose(int n_rows, int n_columns, const Scalar* A, std::size_t lda, Scalar* B,
               std::size_t ldb) {
  constexpr int lanes = kLanes<Scalar>;
  const int whole_rows = n_rows / lanes * lanes;
  const int whole_columns = n_columns / lanes * lanes;
  for (int i = 0; i < whole_rows; i += lanes) {
    for (int j = 0; j < whole_columns; j += lanes) {
      detail::transpose_block(A + i * lda + j, lda, B + j * ldb + i, ldb);
    }
  }
  for (int j = 0; j < n_columns; ++j) {
    for (int i = j < whole_columns ? whole_rows : 0; i < n_rows; ++i) {
      B[j * ldb + i] = A[i * lda + j];
    }
  }
}

/// Values that `multiply_by_transposed` needs for its panels where rows of D have k values.
template <typename Scalar>
constexpr std::size_t panel_size(int k) {
  return static_cast<std::size_t>(padded<Scalar>(k)) * kBlockVectors * kLanes<Scalar>;
}

/// Y (b, n padded) = D (b, k) W^T, W (n, k) with whole vectors in its rows; zeros in the padding.
/// One panel of W after the other is transposed into `panel` (panel_size(k)), which stays in the
/// cache: next to the product that costs little, and no transposed copy has to be kept. Then, as
/// in `multiply`: finish(first column, number of columns as a constant).
template <typename Scalar, typename Finish>
void multiply_by_transposed(int b, int k, int n, const Scalar* D, std::size_t ldd, const Scalar* W,
                            std::size_t ldw, Scalar* panel, Scalar* Y, std::size_t ldy,
                            Finish&& finish) {
  detail::for_each_panel<Scalar>(padded<Scalar>(n), [&](int c, auto vectors) {
    constexpr int C = decltype(vectors)::value;
    constexpr int width = C * kLanes<Scalar>;
    const int filled = std::min(width, n - c);
    if (filled < width) std::fill_n(panel, static_cast<std::size_t>(k) * width, Scalar(0));
    transpose(filled, padded<Scalar>(k), W + c * ldw, ldw, panel, width);
    detail::forward_columns<Scalar, C>(b, k, D, ldd, panel, width, nullptr, Y + c, ldy);
    finish(c, std::integral_constant<int, width>{});
  });
}

}  // namespace automs
