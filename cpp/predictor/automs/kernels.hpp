// The processor -> the fastest kernels that it can run, and what they read: packed arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "automs/activation.hpp"
#include "automs/array.hpp"
#include "automs/encoder.hpp"
#include "automs/functions.hpp"
#include "automs/lanes.hpp"

namespace automs {

/// Kernels that give the same bits wherever they run. Those of another path may differ in the last
/// bits of float32, as `portable` rounds each product where the processor has no fused
/// multiply-add, and vectors of another width add in another order.
enum class CpuPath : std::uint8_t { portable = 0, avx2 = 1, avx512 = 2 };

namespace detail {

constexpr std::size_t kPadding = 16;    // floats: lengths of packed arrays are multiples of it
constexpr std::size_t kChains = 8;      // sums side by side that hide the latency of an addition
constexpr std::size_t kRowsAtOnce = 6;  // with 2 vectors, the sums fill 12 of 16 registers
constexpr std::size_t kAlignment = 64;  // bytes: a cache line, and the widest vector

inline std::size_t padded(std::size_t n) noexcept {
  return (n + kPadding - 1) / kPadding * kPadding;
}

/// Numbers, zeros at first, that begin at a cache line.
template <typename T>
class AlignedArray {
 public:
  bool resize(std::size_t n) noexcept {
    const bool done = numbers_.resize(n + kAlignment / sizeof(T));
    const auto address = reinterpret_cast<std::uintptr_t>(numbers_.data());
    start_ = done ? (kAlignment - address % kAlignment) % kAlignment / sizeof(T) : 0;
    return done;
  }
  T* data() noexcept { return numbers_.data() + start_; }
  const T* data() const noexcept { return numbers_.data() + start_; }
  /// Elements that there is room for, at least as many as asked for.
  std::size_t size() const noexcept { return numbers_.size() - start_; }

 private:
  Array<T> numbers_;
  std::size_t start_ = 0;
};

/// A layer's weights as the kernels read them, from first to last. Outputs form vectors, and these
/// form blocks of 8 vectors, then of 4, 2 and 1; a block of v vectors holds rows of v * width
/// weights, one for each input, and as many rows of zeros as make their number a multiple of 8 / v.
/// The weights of a last layer of one output stand side by side instead, with zeros behind.
struct LayerBlocks {
  std::size_t fan_in = 0;
  bool is_dot = false;        // a last layer of one output
  std::size_t n_vectors = 0;  // of outputs; those beyond fan_out have weights of 0
  bool adds_input = false;
  AlignedArray<float> weights;
  AlignedArray<float> bias;   // (n_vectors * width)
  AlignedArray<float> blend;  // (n_vectors * width) of x + (f(x) - x) a, where `is_blended`
  bool is_blended = false;    // else f(x)
};

/// A periodic embedding as the kernels read it: rows of n values and zeros behind, which fill
/// vectors.
struct PeriodicBlocks {
  std::size_t n = 0;       // scaled features
  std::size_t stride = 0;  // between rows
  std::size_t n_frequencies = 0;
  std::size_t n_outputs = 0;
  AlignedArray<float> frequencies;
  AlignedArray<float> weights;  // those of the first frequency first
  AlignedArray<float> phases;   // in turns
  AlignedArray<float> biases;
};

struct NetworkBlocks {
  PeriodicBlocks periodic;
  Activation activation = Activation::identity;
  Array<LayerBlocks> layers;
  bool is_embedded = false;  // its inputs, or those of another in the same rows, hold embeddings
};

/// The scaled parts of an encoder, with zeros behind that fill vectors.
struct ScaledBlocks {
  std::size_t n = 0;
  bool in_order = false;
  bool clips = false;  // any of them
  const std::uint32_t* columns = nullptr;
  AlignedArray<double> centre;
  AlignedArray<double> scale;
  AlignedArray<float> inverse_bend;  // 0 where the part does not clip
};

/// Rows of features and vectors of embeddings, and two buffers for the outputs of layers; strides
/// in floats, multiples of kPadding. Whatever fills the rows up is finite.
struct Buffers {
  const float* input;
  std::size_t input_stride;
  float* first;
  float* second;
  std::size_t stride;
};

/// The functions of one CPU path.
struct Kernels {
  std::size_t width;  // floats in a vector
  void (*encode_floats)(const ScaledBlocks&, const float* row, float* out) noexcept;
  void (*encode_doubles)(const ScaledBlocks&, const double* row, float* out) noexcept;
  bool (*has_infinite_float)(const float* values, std::size_t n) noexcept;
  bool (*has_infinite_double)(const double* values, std::size_t n) noexcept;
  void (*embed_periodic)(const PeriodicBlocks&, const float* x, float* out) noexcept;
  const float* (*evaluate)(const NetworkBlocks&, const Buffers&, std::size_t n_rows) noexcept;
};

}  // namespace detail

}  // namespace automs

// GCC keeps an array in registers only where the loops over it are unrolled, which at -O2 it has to
// be told.
#if defined(__GNUC__) && !defined(__clang__)
#define AUTOMS_UNROLL _Pragma("GCC unroll 64")
#else
#define AUTOMS_UNROLL
#endif

// --- portable: vectors of 16 bytes, which every 64-bit processor has, or none
#define AUTOMS_KERNEL_PATH portable
#if defined(__GNUC__)
#define AUTOMS_KERNEL_WIDTH 4
#define AUTOMS_KERNEL inline __attribute__((always_inline))
#else
#define AUTOMS_KERNEL_WIDTH 1
#define AUTOMS_KERNEL inline
#endif
#define AUTOMS_KERNEL_ENTRY inline
#define AUTOMS_KERNEL_FUSED(a, b, c) ((a) * (b) + (c))
#define AUTOMS_KERNEL_SUM(a) automs::detail::sum_of_lanes(a)
#define AUTOMS_KERNEL_MAX(a, b) ((a) > (b) ? (a) : (b))
#define AUTOMS_KERNEL_MAX_DOUBLE(a, b) ((a) > (b) ? (a) : (b))
#define AUTOMS_KERNEL_MIN_DOUBLE(a, b) ((a) < (b) ? (a) : (b))
#if defined(__SSE__)
#define AUTOMS_KERNEL_ROOT(a) _mm_sqrt_ps(a)
#else
#define AUTOMS_KERNEL_ROOT(a) automs::detail::root_of_lanes(a)
#endif
#include "automs/kernel_body.inc"

#if AUTOMS_HAS_X86_PATHS
// --- avx2: vectors of 32 bytes, with fused multiply-add
#define AUTOMS_KERNEL_PATH avx2
#define AUTOMS_KERNEL_WIDTH 8
#define AUTOMS_KERNEL inline __attribute__((always_inline, target("avx2,fma")))
#define AUTOMS_KERNEL_ENTRY inline __attribute__((target("avx2,fma")))
#define AUTOMS_KERNEL_FUSED(a, b, c) _mm256_fmadd_ps(a, b, c)
#define AUTOMS_KERNEL_SUM(a) automs::detail::sum_of_8(a)
#define AUTOMS_KERNEL_MAX(a, b) _mm256_max_ps(a, b)
#define AUTOMS_KERNEL_MAX_DOUBLE(a, b) _mm256_max_pd(a, b)
#define AUTOMS_KERNEL_MIN_DOUBLE(a, b) _mm256_min_pd(a, b)
#define AUTOMS_KERNEL_ROOT(a) _mm256_sqrt_ps(a)
#include "automs/kernel_body.inc"

// --- avx512: vectors of 64 bytes; without a mask, GCC 12 warns of its own header
#define AUTOMS_KERNEL_PATH avx512
#define AUTOMS_KERNEL_WIDTH 16
#define AUTOMS_KERNEL inline __attribute__((always_inline, target("avx512f,avx2,fma")))
#define AUTOMS_KERNEL_ENTRY inline __attribute__((target("avx512f,avx2,fma")))
#define AUTOMS_KERNEL_FUSED(a, b, c) _mm512_fmadd_ps(a, b, c)
#define AUTOMS_KERNEL_SUM(a) automs::detail::sum_of_16(a)
#define AUTOMS_KERNEL_MAX(a, b) _mm512_maskz_max_ps(0xFFFF, a, b)
#define AUTOMS_KERNEL_MAX_DOUBLE(a, b) _mm512_maskz_max_pd(0xFF, a, b)
#define AUTOMS_KERNEL_MIN_DOUBLE(a, b) _mm512_maskz_min_pd(0xFF, a, b)
#define AUTOMS_KERNEL_ROOT(a) _mm512_maskz_sqrt_ps(0xFFFF, a)
#include "automs/kernel_body.inc"
#endif

#undef AUTOMS_UNROLL

namespace automs {

/// Whether this processor, and the compiler of this program, know the path.
inline bool is_available(CpuPath path) noexcept {
#if AUTOMS_HAS_X86_PATHS
  if (path == CpuPath::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (path == CpuPath::avx512) {
    return __builtin_cpu_supports("avx512f") && is_available(CpuPath::avx2);
  }
#endif
  return path == CpuPath::portable;
}

/// The widest path that is available.
inline CpuPath best_cpu_path() noexcept {
  if (is_available(CpuPath::avx512)) return CpuPath::avx512;
  return is_available(CpuPath::avx2) ? CpuPath::avx2 : CpuPath::portable;
}

namespace detail {

/// The kernels of an available path.
inline const Kernels& kernels_of(CpuPath path) noexcept {
#if AUTOMS_HAS_X86_PATHS
  if (path == CpuPath::avx2) return avx2::kernels();
  if (path == CpuPath::avx512) return avx512::kernels();
#endif
  (void)path;
  return portable::kernels();
}

}  // namespace detail

}  // namespace automs
