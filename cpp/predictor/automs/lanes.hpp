// the lanes of a vector -> their sum or their roots; which vectors this compiler knows.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define AUTOMS_HAS_X86_PATHS 1
#include <immintrin.h>
#else
#define AUTOMS_HAS_X86_PATHS 0
#endif

namespace automs {

namespace detail {

/// The upper half is added to the lower one until one lane is left.
template <typename Vector>
inline float sum_of_lanes(Vector x) noexcept {
  float lanes[sizeof x / sizeof(float)];
  std::memcpy(lanes, &x, sizeof x);
  for (std::size_t half = sizeof x / sizeof(float) / 2; half > 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <typename Vector>
inline Vector root_of_lanes(Vector x) noexcept {
  float lanes[sizeof x / sizeof(float)];
  std::memcpy(lanes, &x, sizeof x);
  for (float& lane : lanes) lane = std::sqrt(lane);
  std::memcpy(&x, lanes, sizeof x);
  return x;
}

#if AUTOMS_HAS_X86_PATHS
__attribute__((always_inline, target("avx2,fma"))) inline float sum_of_8(__m256 x) noexcept {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

__attribute__((always_inline, target("avx512f,avx2,fma"))) inline float sum_of_16(
    __m512 x) noexcept {
  // Without a mask, and for the cast of half a vector, GCC 12 warns of its own header.
  const __m256d low = _mm512_maskz_extractf64x4_pd(0xF, _mm512_castps_pd(x), 0);
  const __m256d high = _mm512_maskz_extractf64x4_pd(0xF, _mm512_castps_pd(x), 1);
  return sum_of_8(_mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high)));
}
#endif

}  // namespace detail

}  // namespace automs
