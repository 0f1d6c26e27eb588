// little-endian bytes -> numbers, arrays and texts, each checked against the bytes that remain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "automs/array.hpp"
#include "automs/status.hpp"

namespace automs {

namespace detail {

template <std::size_t n_bytes>
using UnsignedOf =
    std::conditional_t<n_bytes == 1, std::uint8_t,
                       std::conditional_t<n_bytes == 4, std::uint32_t, std::uint64_t>>;

/// sizeof(T) little-endian bytes -> T (integers and IEEE floats), on machines of any byte order.
template <typename T>
T decode(const unsigned char* bytes) noexcept {
  static_assert(sizeof(T) == 1 || sizeof(T) == 4 || sizeof(T) == 8, "1, 4 or 8 bytes");
  using Bits = UnsignedOf<sizeof(T)>;
  Bits bits = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bits = static_cast<Bits>(bits | static_cast<Bits>(static_cast<Bits>(bytes[i]) << (8 * i)));
  }
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Whether `bytes` (size) is well-formed UTF-8: shortest forms only, no surrogates, at most
/// U+10FFFF.
inline bool is_utf8(const char* bytes, std::size_t size) noexcept {
  std::size_t i = 0;
  while (i < size) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead < 0xC2   ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    if (length == 0 || size - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(bytes[i + k]) & 0xC0) != 0x80) return false;
    }
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    if (lead == 0xE0 && second < 0xA0) return false;
    if (lead == 0xED && second > 0x9F) return false;
    if (lead == 0xF0 && second < 0x90) return false;
    if (lead == 0xF4 && second > 0x8F) return false;
    i += length;
  }
  return true;
}

}  // namespace detail

/// Reads forward and never beyond the end. After the first failure, which it remembers, every read
/// gives zeros; so callers may read a whole record and ask `ok()` once.
class ByteReader {
 public:
  /// Reads bytes[position, size); offsets in failures count from bytes[0].
  ByteReader(const unsigned char* bytes, std::size_t size, std::size_t position) noexcept
      : bytes_(bytes), size_(size), position_(position) {}

  bool ok() const noexcept { return failure_.status == Status::ok; }
  const LoadFailure& failure() const noexcept { return failure_; }
  std::size_t remaining() const noexcept { return size_ - position_; }

  /// Records the first failure; `field` is a string literal.
  void fail(Status status, const char* field) noexcept {
    if (ok()) failure_ = {status, field, position_};
  }

  /// Fails with bad_value unless `condition` holds.
  void expect(bool condition, const char* field) noexcept {
    if (!condition) fail(Status::bad_value, field);
  }

  template <typename T>
  T number(const char* field) noexcept {
    if (remaining() < sizeof(T)) fail(Status::truncated, field);
    if (!ok()) return T{};
    const T value = detail::decode<T>(bytes_ + position_);
    position_ += sizeof(T);
    return value;
  }

  /// A uint32 that counts records of at least `bytes_each` bytes, all of which are still to come.
  std::size_t count(const char* field, std::size_t bytes_each) noexcept {
    const std::size_t n = number<std::uint32_t>(field);
    if (n > remaining() / bytes_each) fail(Status::too_large, field);
    return ok() ? n : 0;
  }

  /// How many of the next `most` records of `bytes_each` bytes start, one after the other, with the
  /// byte `first`. Reads nothing.
  std::size_t count_leading(unsigned char first, std::size_t bytes_each,
                            std::size_t most) const noexcept {
    std::size_t n = 0;
    while (n < most && n < remaining() / bytes_each &&
           bytes_[position_ + n * bytes_each] == first) {
      ++n;
    }
    return n;
  }

  /// n numbers; nothing is allocated before they are known to be there.
  template <typename T>
  void numbers(const char* field, std::size_t n, Array<T>& out) noexcept {
    if (n > remaining() / sizeof(T)) fail(Status::too_large, field);
    if (ok() && !out.resize(n)) fail(Status::out_of_memory, field);
    if (!ok()) return;
    for (std::size_t i = 0; i < n; ++i)
      out[i] = detail::decode<T>(bytes_ + position_ + i * sizeof(T));
    position_ += n * sizeof(T);
  }

  /// A uint32 length and that many bytes of UTF-8.
  void text(const char* field, Text& out) noexcept {
    const std::size_t n = count(field, 1);
    if (ok() && !out.resize(n)) fail(Status::out_of_memory, field);
    if (!ok()) return;
    if (n > 0) std::memcpy(out.data(), bytes_ + position_, n);
    expect(detail::is_utf8(out.data(), n), field);
    if (ok()) position_ += n;
  }

 private:
  const unsigned char* bytes_;
  std::size_t size_;
  std::size_t position_;
  LoadFailure failure_;
};

}  // namespace automs
