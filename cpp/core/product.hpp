// Two matrices -> their product, for the small networks of tables: no packing, sums in registers.
#pragma once

#include <cstddef>
#include <cstring>
#include <type_traits>

#include "core/types.hpp"

namespace automs {

// All matrices are row-major; `ld` is the distance between rows. n is a multiple of the vector
// width. A block of R rows x C vectors of the result stays in registers over the whole reduction;
// the weights of a small network sit in L1 or L2, so nothing is packed. Every element is summed in
// the order of the reduction, whatever block it falls into: the bits of a row do not depend on how
// many rows there are.

/// Widest block of columns, in vectors: 4 with 32 registers, 2 with 16.
constexpr int kBlockVectors = kVectorRegisters >= 32 ? 4 : 2;

namespace detail {

template <typename Scalar>
struct VectorOf {
  typedef Scalar type __attribute__((vector_size(kVectorBytes)));
};
template <typename Scalar>
using Vector = typename VectorOf<Scalar>::type;

template <typename Scalar>
inline Vector<Scalar> load(const Scalar* p) {
  Vector<Scalar> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename Scalar>
inline void store(Scalar* p, Vector<Scalar> v) {
  std::memcpy(p, &v, sizeof v);
}

// The blocks are functions of their own: inlined into the loops around them, their pointers would
// leave the registers.

/// R x C block of Y = bias + X W.
template <typename Scalar, int R, int C>
[[gnu::noinline]] void forward_block(int k, const Scalar* X, std::size_t ldx, const Scalar* W,
                                     std::size_t ldw, const Scalar* bias, Scalar* Y,
                                     std::size_t ldy) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sum[R][C];
  AUTOMS_UNROLL
  for (int c = 0; c < C; ++c) {
    const Vector<Scalar> start = bias ? load(bias + c * lanes) : Vector<Scalar>{};
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) sum[r][c] = start;
  }
  for (int i = 0; i < k; ++i) {
    Vector<Scalar> w[C];
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) w[c] = load(W + i * ldw + c * lanes);
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) {
      const Scalar x = X[r * ldx + i];  // times a vector: one broadcast from memory
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) sum[r][c] += x * w[c];
    }
  }
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) store(Y + r * ldy + c * lanes, sum[r][c]);
  }
}

/// R x C block of G (+)= X^T D; R runs over the columns of X.
template <typename Scalar, int R, int C>
[[gnu::noinline]] void gradient_block(int b, const Scalar* X, std::size_t ldx, const Scalar* D,
                                      std::size_t ldd, Scalar* G, std::size_t ldg,
                                      bool accumulate) {
  constexpr int lanes = kLanes<Scalar>;
  Vector<Scalar> sum[R][C];
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) {
      sum[r][c] = accumulate ? load(G + r * ldg + c * lanes) : Vector<Scalar>{};
    }
  }
  for (int i = 0; i < b; ++i) {
    Vector<Scalar> d[C];
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) d[c] = load(D + i * ldd + c * lanes);
    AUTOMS_UNROLL
    for (int r = 0; r < R; ++r) {
      const Scalar x = X[i * ldx + r];
      AUTOMS_UNROLL
      for (int c = 0; c < C; ++c) sum[r][c] += x * d[c];
    }
  }
  AUTOMS_UNROLL
  for (int r = 0; r < R; ++r) {
    AUTOMS_UNROLL
    for (int c = 0; c < C; ++c) store(G + r * ldg + c * lanes, sum[r][c]);
  }
}

template <int C>
constexpr int rows_of_block() {
  // One register holds the broadcast value, C hold the second operand; a sum needs about eight
  // independent chains to hide the latency of a fused multiply-add.
  constexpr int room = (kVectorRegisters - 1 - C) / C;
  return room > 8 ? 8 : (room > 6 ? 6 : room);
}

/// Calls block(height as a constant) for a height of 1 to R.
template <int R, typename Block>
inline void with_height(int height, Block&& block) {
  if constexpr (R > 1) {
    if (height < R) return with_height<R - 1>(height, block);
  }
  block(std::integral_constant<int, R>{});
}

/// Calls block(first row, height as a constant) for `n` rows, cut into the fewest blocks, all but
/// equally high: a last block of one or two rows has too few sums to fill the pipelines.
template <int R, typename Block>
inline void for_each_block(int n, Block&& block) {
  int left = (n + R - 1) / R;
  for (int row = 0; left > 0; --left) {
    const int height = (n - row + left - 1) / left;
    with_height<R>(height, [&](auto constant) { block(row, constant); });
    row += height;
  }
}

template <typename Scalar, int C>
void forward_columns(int b, int k, const Scalar* X, std::size_t ldx, const Scalar* W,
                     std::size_t ldw, const Scalar* bias, Scalar* Y, std::size_t ldy) {
  for_each_block<rows_of_block<C>()>(b, [&](int row, auto height) {
    forward_block<Scalar, decltype(height)::value, C>(k, X + row * ldx, ldx, W, ldw, bias,
                                                      Y + row * ldy, ldy);
  });
}

template <typename Scalar, int C, typename Finish>
void gradient_columns(int b, int k, const Scalar* X, std::size_t ldx, const Scalar* D,
                      std::size_t ldd, Scalar* G, std::size_t ldg, bool accumulate,
                      Finish&& finish) {
  for_each_block<rows_of_block<C>()>(k, [&](int row, auto height) {
    gradient_block<Scalar, decltype(height)::value, C>(b, X + row, ldx, D, ldd, G + row * ldg, ldg,
                                                       accumulate);
    finish(row, decltype(height)::value);
  });
}

/// Calls panel(first column, vectors as a constant) for n columns, from wide panels to narrow ones.
template <typename Scalar, int Most = kBlockVectors, typename Panel>
void for_each_panel(int n, Panel&& panel) {
  constexpr int lanes = kLanes<Scalar>;
  int c = 0;
  auto columns = [&](auto vectors) {
    constexpr int width = decltype(vectors)::value * lanes;
    for (; c + width <= n; c += width) panel(c, vectors);
  };
  columns(std::integral_constant<int, Most>{});
  if constexpr (Most > 2) columns(std::integral_constant<int, 2>{});
  columns(std::integral_constant<int, 1>{});
}

}  // namespace detail

/// What `multiply` does with a panel of finished columns where nothing follows.
struct NoFinish {
  template <typename Width>
  void operator()(int, Width) const {}
};

/// Y (b, n) = bias (n, or null for 0) + X (b, k) W (k, n). After each panel of columns, while it
/// lies in the L1 cache: finish(first column, number of columns as a constant).
template <typename Scalar, typename Finish = NoFinish>
void multiply(int b, int k, int n, const Scalar* X, std::size_t ldx, const Scalar* W,
              std::size_t ldw, const Scalar* bias, Scalar* Y, std::size_t ldy,
              Finish&& finish = {}) {
  detail::for_each_panel<Scalar>(n, [&](int c, auto vectors) {
    constexpr int C = decltype(vectors)::value;
    detail::forward_columns<Scalar, C>(b, k, X, ldx, W + c, ldw, bias ? bias + c : nullptr, Y + c,
                                       ldy);
    finish(c, std::integral_constant<int, C * kLanes<Scalar>>{});
  });
}

/// What `multiply_transposed` does with a finished block where nothing follows.
struct NoBlockFinish {
  template <typename Width>
  void operator()(int, int, int, Width) const {}
};

/// G (k, n) = X^T (b, k) D (b, n), or G += where `accumulate`. After each block of G, still in the
/// L1 cache: finish(first row, rows, first column, number of columns as a constant).
template <typename Scalar, typename Finish = NoBlockFinish>
void multiply_transposed(int b, int k, int n, const Scalar* X, std::size_t ldx, const Scalar* D,
                         std::size_t ldd, Scalar* G, std::size_t ldg, bool accumulate,
                         Finish&& finish = {}) {
  detail::for_each_panel<Scalar>(n, [&](int c, auto vectors) {
    constexpr int C = decltype(vectors)::value;
    detail::gradient_columns<Scalar, C>(
        b, k, X, ldx, D + c, ldd, G + c, ldg, accumulate, [&](int row, int rows) {
          finish(row, rows, c, std::integral_constant<int, C * kLanes<Scalar>>{});
        });
  });
}

}  // namespace automs
