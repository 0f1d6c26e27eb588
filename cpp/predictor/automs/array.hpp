// a length -> an owned array whose allocation reports failure instead of throwing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace automs {

/// A fixed-length array that can be moved, not copied. It stands in for std::vector because that
/// one ends the process where memory is short and exceptions are switched off.
template <typename T>
class Array {
 public:
  Array() noexcept = default;
  Array(Array&& other) noexcept { swap(other); }
  Array& operator=(Array&& other) noexcept {
    swap(other);
    return *this;
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array() = default;

  /// Holds n fresh elements (zeros for numbers); false, and empty, where memory is short.
  bool resize(std::size_t n) noexcept {
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4 / sizeof(T);
    data_.reset(n == 0 || n > most ? nullptr : new (std::nothrow) T[n]());
    size_ = data_ ? n : 0;
    return size_ == n;
  }

  std::size_t size() const noexcept { return size_; }
  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }

 private:
  void swap(Array& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::unique_ptr<T[]> data_;
  std::size_t size_ = 0;
};

/// UTF-8 text without a closing zero.
using Text = Array<char>;

inline std::string_view view(const Text& text) noexcept {
  return std::string_view(text.data(), text.size());
}

}  // namespace automs
