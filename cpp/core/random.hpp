// (seed, purpose, position) -> random bits: a counter-based generator without any state.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace automs {

/// What a stream of random numbers is for. Streams of one seed never overlap.
enum class Purpose : std::uint32_t {
  initial_weights = 1,
  row_order = 2,
  dropout = 3,
  initial_embeddings = 4,
  initial_biases = 5,
  initial_periodic = 6,
  member_scales = 7,
};

constexpr int kPhiloxRounds = 10;

/// The key of the round after that of `key`.
constexpr std::array<std::uint32_t, 2> next_key(std::array<std::uint32_t, 2> key) {
  return {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
}

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"):
/// counter (4 words), key (2 words) -> 4 random words.
inline std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter,
                                           std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key = next_key(key);
  }
  return counter;
}

/// The random numbers of one seed and purpose; `block(stream, index)` is a pure function.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, Purpose purpose)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        purpose_(static_cast<std::uint32_t>(purpose)) {}

  /// Four words at (stream, index); `stream` is for example the epoch or the step, below 2^56.
  std::array<std::uint32_t, 4> block(std::uint64_t stream, std::uint32_t index) const {
    return philox(counter(stream, index), key_);
  }

  /// What `block` puts through the generator.
  std::array<std::uint32_t, 4> counter(std::uint64_t stream, std::uint32_t index) const {
    return {index, static_cast<std::uint32_t>(stream),
            static_cast<std::uint32_t>(stream >> 32) | purpose_ << 24, 0u};
  }
  std::array<std::uint32_t, 2> key() const { return key_; }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t purpose_;
};

/// Two independent standard normal numbers from two words (Box and Muller 1958).
inline std::pair<double, double> normal_pair(std::uint32_t a, std::uint32_t b) {
  const double radius = std::sqrt(-2.0 * std::log((a + 0.5) * 0x1p-32));
  const double angle = 6.283185307179586 * (b * 0x1p-32);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

}  // namespace automs
