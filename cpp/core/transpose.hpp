// A matrix -> its transpose, by square blocks in registers.
#pragma once

#include <cstddef>
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

/// A (n_rows, n_columns) -> B (n_columns, n_rows). Rows of A hold whole vectors, those of B start
/// where a vector may.
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

}  // namespace automs
