// bytes -> CRC-64 (the reflected ECMA-182 polynomial, as in the xz format).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace automs {

namespace detail {

constexpr std::array<std::uint64_t, 256> make_crc_table() {
  std::array<std::uint64_t, 256> table{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0xC96C5795D7870F42u : 0u);
    }
    table[static_cast<std::size_t>(byte)] = value;
  }
  return table;
}

inline constexpr std::array<std::uint64_t, 256> kCrcTable = make_crc_table();

}  // namespace detail

/// CRC-64 of `size` bytes; of the nine characters "123456789" it is 0x995DC9BBDF1939FA.
inline std::uint64_t crc64(const unsigned char* bytes, std::size_t size) noexcept {
  std::uint64_t value = ~std::uint64_t{0};
  for (std::size_t i = 0; i < size; ++i) {
    value = detail::kCrcTable[(value ^ bytes[i]) & 0xFF] ^ (value >> 8);
  }
  return ~value;
}

}  // namespace automs
