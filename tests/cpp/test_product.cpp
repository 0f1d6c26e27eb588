// The product kernels against plain loops, at every odd shape, and row by row to the bit.
#include <vector>

#include "check.hpp"
#include "core/product.hpp"
#include "core/single_output.hpp"
#include "core/transpose.hpp"
#include "fixtures.hpp"

using namespace automs;

namespace {

template <typename Scalar>
AlignedVector<Scalar> random_values(std::size_t n, std::uint64_t seed) {
  AlignedVector<Scalar> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = static_cast<Scalar>(fixtures::uniform(seed, static_cast<std::uint32_t>(i)));
  }
  return values;
}

template <typename Scalar>
void test_shape(int b, int k, int n, double tolerance) {
  const int ldx = k + 3, ldw = n + kLanes<Scalar>, ldy = n;
  const auto X = random_values<Scalar>(static_cast<std::size_t>(b) * ldx, 1);
  const auto W = random_values<Scalar>(static_cast<std::size_t>(k) * ldw, 2);
  const auto bias = random_values<Scalar>(static_cast<std::size_t>(n), 3);
  AlignedVector<Scalar> Y(static_cast<std::size_t>(b) * ldy);
  multiply(b, k, n, X.data(), ldx, W.data(), ldw, bias.data(), Y.data(), ldy);
  for (int r = 0; r < b; ++r) {
    for (int c = 0; c < n; ++c) {
      double sum = bias[c];
      for (int i = 0; i < k; ++i) sum += double(X[r * ldx + i]) * double(W[i * ldw + c]);
      CHECK_CLOSE(Y[r * ldy + c], sum, tolerance);
    }
    AlignedVector<Scalar> alone(static_cast<std::size_t>(n));
    multiply(1, k, n, X.data() + r * ldx, ldx, W.data(), ldw, bias.data(), alone.data(), ldy);
    for (int c = 0; c < n; ++c) CHECK(alone[c] == Y[r * ldy + c]);
  }
  // G = X^T Y, then once more on top of it.
  AlignedVector<Scalar> G(static_cast<std::size_t>(k) * n, Scalar(7));
  multiply_transposed(b, k, n, X.data(), ldx, Y.data(), ldy, G.data(), n, false);
  multiply_transposed(b, k, n, X.data(), ldx, Y.data(), ldy, G.data(), n, true);
  for (int i = 0; i < k; ++i) {
    for (int c = 0; c < n; ++c) {
      double sum = 0;
      for (int r = 0; r < b; ++r) sum += double(X[r * ldx + i]) * double(Y[r * ldy + c]);
      CHECK_CLOSE(G[i * n + c], 2 * sum, tolerance * 10);
    }
  }
}

/// Y = D W^T panel by panel, with the columns behind the last row of W zero, and every panel
/// finished once.
template <typename Scalar>
void test_by_transposed(int b, int k, int n, double tolerance) {
  const int ldd = k + 1, ldw = padded<Scalar>(k) + kLanes<Scalar>, ldy = padded<Scalar>(n);
  const auto D = random_values<Scalar>(static_cast<std::size_t>(b) * ldd, 4);
  auto W = random_values<Scalar>(static_cast<std::size_t>(n) * ldw, 5);
  AlignedVector<Scalar> Y(static_cast<std::size_t>(b) * ldy), panel(panel_size<Scalar>(k));
  int finished = 0;
  multiply_by_transposed(b, k, n, D.data(), ldd, W.data(), ldw, panel.data(), Y.data(), ldy,
                         [&](int first, auto width) {
                           CHECK(first == finished);
                           finished += decltype(width)::value;
                         });
  CHECK(finished == ldy);
  for (int r = 0; r < b; ++r) {
    for (int c = 0; c < ldy; ++c) {
      double sum = 0;
      for (int i = 0; i < k && c < n; ++i) sum += double(D[r * ldd + i]) * double(W[c * ldw + i]);
      CHECK_CLOSE(Y[r * ldy + c], sum, tolerance);
    }
  }
}

/// One output: sums along rows, whose bits depend on no other row.
template <typename Scalar>
void test_single_output(int b, int k, double tolerance) {
  const int ldx = padded<Scalar>(k);
  const auto X = random_values<Scalar>(static_cast<std::size_t>(b) * ldx, 6);
  const auto w = random_values<Scalar>(static_cast<std::size_t>(k), 7);
  AlignedVector<Scalar> Z(static_cast<std::size_t>(b));
  dot_rows(b, k, X.data(), ldx, w.data(), Scalar(0.5), Z.data());
  for (int r = 0; r < b; ++r) {
    double sum = 0.5;
    for (int i = 0; i < k; ++i) sum += double(X[r * ldx + i]) * double(w[i]);
    CHECK_CLOSE(Z[r], sum, tolerance);
    AlignedVector<Scalar> alone(8);
    dot_rows(1, k, X.data() + r * ldx, ldx, w.data(), Scalar(0.5), alone.data());
    CHECK(alone[0] == Z[r]);
  }
}

}  // namespace

int main() {
  for (const int b : {1, 2, 3, 7, 16, 33}) {
    for (const int k : {1, 2, 5, 8, 19}) {
      for (const int vectors : {1, 2, 3, 5, 7}) {
        // Sums of up to 33 terms: a few units in the last place.
        test_shape<float>(b, k, vectors * kLanes<float>, 2e-6);
        test_shape<double>(b, k, vectors * kLanes<double>, 1e-14);
      }
    }
  }
  for (const int b : {1, 5, 13}) {
    for (const int k : {1, 3, 8, 17, 40}) {
      test_single_output<float>(b, k, 2e-6);
      test_single_output<double>(b, k, 1e-14);
      for (const int n : {1, 7, 16, 33}) {
        test_by_transposed<float>(b, k, n, 2e-6);
        test_by_transposed<double>(b, k, n, 1e-14);
      }
    }
  }
  return automs_test_result();
}
