// The generator against its authors' known answers; streams, orders and normal numbers.
#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "check.hpp"
#include "core/random.hpp"
#include "core/shuffle.hpp"

using namespace automs;

namespace {

/// Known answers of Philox4x32-10, published with Random123 (file kat_vectors).
void test_known_answers() {
  using Words = std::array<std::uint32_t, 4>;
  const std::uint32_t ones = 0xffffffffu;
  CHECK(
      (philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  CHECK((philox({ones, ones, ones, ones}, {ones, ones}) ==
         Words{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  CHECK((philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}) ==
         Words{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

void test_seeds_purposes_and_streams_differ() {
  std::set<std::array<std::uint32_t, 4>> seen;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32}) {
    for (const Purpose purpose : {Purpose::initial_weights, Purpose::row_order, Purpose::dropout}) {
      for (const std::uint64_t stream : {0ull, 1ull, 1ull << 40}) {
        seen.insert(RandomStream(seed, purpose).block(stream, 3));
      }
    }
  }
  CHECK(seen.size() == 27);
}

void test_shuffle_is_a_permutation_of_seed_and_epoch() {
  std::vector<std::int32_t> rows(1000), a, b, c;
  std::iota(rows.begin(), rows.end(), 5);
  shuffle_rows(rows, 1, 0, a);
  shuffle_rows(rows, 1, 1, b);
  shuffle_rows(rows, 1, 0, c);
  CHECK(a == c && a != b && a != rows);
  std::sort(a.begin(), a.end());
  CHECK(a == rows);
}

/// Blocks drawn together are the blocks drawn one by one, from any start, past 2^32 too.
void test_many_blocks_at_once_equal_single_blocks() {
  const RandomStream random(0x123456789abcdefull, Purpose::dropout);
  for (const std::uint32_t first : {0u, 7u, 0xfffffffdu}) {
    for (const std::size_t n : {std::size_t{1}, kBlockGroup, 3 * kBlockGroup - 1}) {
      const std::uint64_t stream = (1ull << 40) + n;
      std::vector<std::uint32_t> words(4 * whole_groups(n));
      random_blocks(random, stream, first, n, words.data());
      for (std::size_t i = 0; i < n; ++i) {
        const auto expected = random.block(stream, first + static_cast<std::uint32_t>(i));
        CHECK(std::equal(expected.begin(), expected.end(), words.begin() + 4 * i));
      }
    }
  }
}

/// The order of a shuffle in plain steps, a random number at a time.
void test_shuffle_equals_its_twin() {
  for (const std::size_t n : {1, 2, 63, 64, 65, 66, 1000}) {
    std::vector<std::int32_t> rows(n), fast;
    std::iota(rows.begin(), rows.end(), 0);
    shuffle_rows(rows, 5, 3, fast);
    const RandomStream stream(5, Purpose::row_order);
    for (std::size_t i = n; i > 1; --i) {
      const auto at = static_cast<std::uint32_t>(n - i);
      const std::uint64_t word = stream.block(3, at / 4)[at % 4];
      std::swap(rows[i - 1], rows[static_cast<std::size_t>((word * i) >> 32)]);
    }
    CHECK(fast == rows);
  }
}

/// Each of the six orders of three rows in a sixth of the epochs: chi-squared with 5 degrees of
/// freedom is below 20.5 with probability 0.999.
void test_shuffle_is_uniform() {
  std::vector<std::int32_t> rows{0, 1, 2}, order;
  int counts[27] = {};
  const int n = 6000;
  for (int epoch = 0; epoch < n; ++epoch) {
    shuffle_rows(rows, 9, static_cast<std::uint64_t>(epoch), order);
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  double chi_squared = 0;
  int seen = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++seen;
    chi_squared += (count - n / 6.0) * (count - n / 6.0) / (n / 6.0);
  }
  CHECK(seen == 6);
  CHECK(chi_squared < 20.5);
}

void test_normal_numbers_have_mean_0_and_deviation_1() {
  const RandomStream stream(3, Purpose::initial_weights);
  double sum = 0, squares = 0, fourth = 0;
  const std::uint32_t n = 50000;
  for (std::uint32_t i = 0; i < n; ++i) {
    const auto words = stream.block(0, i);
    const auto pair = normal_pair(words[0], words[1]);
    for (const double x : {pair.first, pair.second}) {
      sum += x;
      squares += x * x;
      fourth += x * x * x * x;
    }
  }
  // Five standard errors of each moment.
  CHECK(std::fabs(sum / (2 * n)) < 5 * std::sqrt(1.0 / (2 * n)));
  CHECK(std::fabs(squares / (2 * n) - 1) < 5 * std::sqrt(2.0 / (2 * n)));
  CHECK(std::fabs(fourth / (2 * n) - 3) < 5 * std::sqrt(96.0 / (2 * n)));
}

}  // namespace

int main() {
  test_known_answers();
  test_seeds_purposes_and_streams_differ();
  test_shuffle_is_a_permutation_of_seed_and_epoch();
  test_shuffle_is_uniform();
  test_many_blocks_at_once_equal_single_blocks();
  test_shuffle_equals_its_twin();
  test_normal_numbers_have_mean_0_and_deviation_1();
  return automs_test_result();
}
