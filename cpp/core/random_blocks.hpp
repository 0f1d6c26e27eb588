// A stream of random numbers, a range of positions -> the blocks there, many at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE4_1__)
#include <immintrin.h>
#endif

#include "core/random.hpp"
#include "core/types.hpp"

namespace automs {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "halves of words are read in this order");

namespace detail {

// A lane of 64 bits serves one block: the products of two halves are what the generator needs.
typedef std::uint64_t Lanes64 __attribute__((vector_size(kVectorBytes)));
constexpr int kBlocksOfVector = static_cast<int>(kVectorBytes / sizeof(std::uint64_t));
// Each round waits for the one before it, so vectors take turns; more than two leave the registers.
constexpr int kVectorsInTurn = 2;

/// Products of the lower halves. Compilers know no vector operator for it, and the product of whole
/// lanes takes several instructions.
inline Lanes64 multiply_low_halves(Lanes64 a, Lanes64 b) {
#if defined(__AVX512F__)
  return (Lanes64)_mm512_maskz_mul_epu32(0xFF, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Lanes64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE4_1__)
  return (Lanes64)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

/// `philox` of each lane. Upper halves hold leftovers, which no operation brings down.
inline void philox_lanes(Lanes64 (&words)[4], std::array<std::uint32_t, 2> key) {
  const Lanes64 a = multiply_low_halves(words[0], Lanes64{} + 0xD2511F53u);
  const Lanes64 b = multiply_low_halves(words[2], Lanes64{} + 0xCD9E8D57u);
  words[0] = (b >> 32) ^ words[1] ^ std::uint64_t{key[0]};
  words[1] = b;
  words[2] = (a >> 32) ^ words[3] ^ std::uint64_t{key[1]};
  words[3] = a;
}

/// The lower halves of four words of each lane -> the lanes' blocks, one after the other.
inline void store_blocks(const Lanes64 (&words)[4], unsigned char* out) {
  constexpr std::uint64_t low = 0xFFFFFFFFu;
  const Lanes64 first = (words[0] & low) | (words[1] << 32);
  const Lanes64 second = (words[2] & low) | (words[3] << 32);
  for (int i = 0; i < kBlocksOfVector; ++i) {
    const std::uint64_t halves[2] = {first[i], second[i]};
    std::memcpy(out + i * sizeof halves, halves, sizeof halves);
  }
}

}  // namespace detail

/// Blocks come in groups of this size.
constexpr std::size_t kBlockGroup =
    static_cast<std::size_t>(detail::kBlocksOfVector) * detail::kVectorsInTurn;

/// n blocks rounded up to whole groups.
constexpr std::size_t whole_groups(std::size_t n) {
  return (n + kBlockGroup - 1) / kBlockGroup * kBlockGroup;
}

/// Blocks (stream, first), (stream, first + 1), ... of 16 bytes each, the bits of
/// `RandomStream::block`, into `out`, which has room for `whole_groups(n)` of them.
template <typename Word>
void random_blocks(const RandomStream& random, std::uint64_t stream, std::uint32_t first,
                   std::size_t n, Word* out) {
  using detail::Lanes64;
  constexpr int vectors = detail::kVectorsInTurn, width = detail::kBlocksOfVector;
  auto* bytes = reinterpret_cast<unsigned char*>(out);
  const std::array<std::uint32_t, 4> start = random.counter(stream, first);
  for (std::size_t done = 0; done < n; done += kBlockGroup) {
    Lanes64 words[vectors][4];
    AUTOMS_UNROLL
    for (int v = 0; v < vectors; ++v) {
      std::uint64_t indices[width];
      for (int i = 0; i < width; ++i) {
        indices[i] = start[0] + static_cast<std::uint32_t>(done + v * width + i);
      }
      std::memcpy(&words[v][0], indices, sizeof indices);
      AUTOMS_UNROLL
      for (int j = 1; j < 4; ++j) words[v][j] = Lanes64{} + start[j];
    }
    std::array<std::uint32_t, 2> key = random.key();
    for (int round = 0; round < kPhiloxRounds; ++round) {
      AUTOMS_UNROLL
      for (int v = 0; v < vectors; ++v) detail::philox_lanes(words[v], key);
      key = next_key(key);
    }
    AUTOMS_UNROLL
    for (int v = 0; v < vectors; ++v) {
      detail::store_blocks(words[v], bytes + (done + v * width) * 16);
    }
  }
}

}  // namespace automs
