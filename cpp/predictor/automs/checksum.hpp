// bytes -> CRC-64 (the reflected ECMA-182 polynomial, as in the xz format).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace automs {

namespace detail {

/// How many bytes a step takes: by as many look-ups, none of which waits for another.
inline constexpr std::size_t kCrcStep = 16;

using CrcTables = std::array<std::array<std::uint64_t, 256>, kCrcStep>;

/// Table k has what a byte adds to the sum where k more bytes follow it.
constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0xC96C5795D7870F42u : 0u);
    }
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < kCrcStep; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = tables[0][before & 0xFF] ^ (before >> 8);
    }
  }
  return tables;
}

inline constexpr CrcTables kCrcTables = make_crc_tables();

/// kCrcStep bytes -> the sum of all so far. The first eight change by the sum of those before; byte
/// by byte, so that neither the order of a machine's bytes nor their address matters.
inline std::uint64_t crc_step(std::uint64_t sum, const unsigned char* bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    value ^= kCrcTables[kCrcStep - 1 - i][bytes[i] ^ ((sum >> (8 * i)) & 0xFF)];
  }
  for (std::size_t i = 8; i < kCrcStep; ++i) value ^= kCrcTables[kCrcStep - 1 - i][bytes[i]];
  return value;
}

}  // namespace detail

/// CRC-64 of `size` bytes; of the nine characters "123456789" it is 0x995DC9BBDF1939FA.
inline std::uint64_t crc64(const unsigned char* bytes, std::size_t size) noexcept {
  std::uint64_t sum = ~std::uint64_t{0};
  for (; size >= detail::kCrcStep; bytes += detail::kCrcStep, size -= detail::kCrcStep) {
    sum = detail::crc_step(sum, bytes);
  }
  for (; size > 0; ++bytes, --size) {
    sum = detail::kCrcTables[0][(sum ^ *bytes) & 0xFF] ^ (sum >> 8);
  }
  return ~sum;
}

}  // namespace automs
