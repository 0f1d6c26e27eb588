// The product kernels against plain loops, at every odd shape, and row by row to the bit.
#include <vector>

#include "check.hpp"
#include "core/product.hpp"
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
  return automs_test_result();
}
