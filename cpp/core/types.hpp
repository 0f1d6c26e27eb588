// Nothing -> vector widths, padding and aligned buffers, the same for the whole engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/pages.hpp"

namespace automs {

// One CPU level is compiled into one module; the compiler's own macros tell its vector width.
#if defined(__AVX512F__)
constexpr std::size_t kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr std::size_t kVectorBytes = 32;
#else
constexpr std::size_t kVectorBytes = 16;
#endif

// Registers that a product kernel may fill with sums: 32 vector registers with AVX-512 and on
// 64-bit ARM, else 16.
#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kVectorRegisters = 32;
#else
constexpr int kVectorRegisters = 16;
#endif

template <typename Scalar>
constexpr int kLanes = static_cast<int>(kVectorBytes / sizeof(Scalar));

// Arrays of vectors live in registers only where every loop over them is unrolled.
#if defined(__clang__)
#define AUTOMS_UNROLL _Pragma("clang loop unroll(full)")
#else
#define AUTOMS_UNROLL _Pragma("GCC unroll 16")
#endif

/// The smallest multiple of the vector width that holds n values.
template <typename Scalar>
constexpr int padded(int n) {
  return (n + kLanes<Scalar> - 1) / kLanes<Scalar> * kLanes<Scalar>;
}

/// Rows that go through the network together. A larger mini-batch is cut into tiles whose gradients
/// are added up, so that the activations of a tile stay in the L2 cache. The number is fixed, as
/// it decides the order of sums.
constexpr int kTileRows = 128;

/// The distance between rows of n values: at least `padded`. Wide rows get an odd number of cache
/// lines: with a power of two, the rows of one block of columns would share a few sets of the L1
/// cache and throw each other out.
template <typename Scalar>
constexpr int row_stride(int n) {
  constexpr int line = static_cast<int>(kCacheLine / sizeof(Scalar));
  const int packed = padded<Scalar>(n);
  if (packed < 8 * line) return packed;
  return ((packed + line - 1) / line | 1) * line;
}

template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(allocate_block(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) { free_block(p, n * sizeof(T)); }
  bool operator==(const CacheLineAllocator&) const { return true; }
  bool operator!=(const CacheLineAllocator&) const { return false; }
};

/// A vector whose first element starts a cache line.
template <typename T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace automs
