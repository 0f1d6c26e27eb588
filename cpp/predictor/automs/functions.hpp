// float -> exp, tanh, sigmoid, softplus, erf, cosine of it, by branch-free polynomials that
// compilers vectorise.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace automs {

// Largest errors against the library in double, over all finite floats
// (tests/cpp/test_functions.cpp): exp 1.2e-7 relative (0 below -87.3), expm1 1.5e-7, tanh, sigmoid,
// softplus 2.5e-7 relative (x >= -87.3), erf 7e-7, cosine and sine of turns 2.5e-7 absolute. The
// overloads for double call the library: they serve the checks of gradients.

namespace detail {

inline float bits_to_float(std::int32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline std::int32_t float_to_bits(float value) {
  std::int32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Adding 1.5 * 2^23 rounds a float of modest size to the nearest integer, on any machine.
constexpr float kRound = 12582912.0f;

/// e^r - 1 for |r| <= ln(2) / 2: Taylor to the 7th power, whose remainder is below half an ulp.
inline float expm1_reduced(float r) {
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  return p * (r * r) + r;
}

struct Reduced {
  float remainder;  // |remainder| <= ln(2) / 2
  float power;      // 2^k, a normal float
};

/// x -> remainder and 2^k with e^x = 2^k * e^remainder, for -87.3 <= x <= 88.
/// ln(2) is taken away in two parts, so that k * ln(2) loses no bits (Cody and Waite).
inline Reduced reduce(float x) {
  const float shifted = x * 1.44269504f + kRound;
  const float k = shifted - kRound;
  const float remainder = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  const std::int32_t exponent = float_to_bits(shifted) - float_to_bits(kRound);
  return {
      remainder,
      bits_to_float(static_cast<std::int32_t>(static_cast<std::uint32_t>(exponent + 127) << 23))};
}

// The functions of turns take a float, or a vector of floats: T{} + c is c in every lane.

/// sin(2 pi u) for |u| <= 1/4: the odd polynomial of the 9th power whose largest error, 3.4e-9, is
/// the least.
template <typename T>
inline T sin_quarter(T u) {
  const T u2 = u * u;
  T p = u2 * 39.536704f - 76.549782f;
  p = p * u2 + 81.601004f;
  p = p * u2 - 41.341655f;
  p = p * u2 + 6.28318516f;
  return p * u;
}

/// What t has beyond the nearest integer. From 2^22 on, where a float says no more than a half: 0.
template <typename T>
inline T rest_of_turn(T t) {
  const T most = T{} + 4194304.0f;
  t = t > most ? most : t;
  t = t < -most ? -most : t;
  return t - ((t + kRound) - kRound);
}

}  // namespace detail

template <typename T>
struct CosineAndSine {
  T cosine;
  T sine;
};

/// cos(2 pi t); 1 beyond 2^22 turns.
template <typename T>
inline T cos_turns(T t) {
  const T rest = detail::rest_of_turn(t);
  return detail::sin_quarter(T{} + 0.25f - (rest < T{} ? -rest : rest));
}

/// cos(2 pi t) and sin(2 pi t); 1 and 0 beyond 2^22 turns.
template <typename T>
inline CosineAndSine<T> cos_sin_turns(T t) {
  const T rest = detail::rest_of_turn(t);
  const T u = T{} + 0.25f - (rest < T{} ? -rest : rest);
  const T sine = detail::sin_quarter(T{} + 0.25f - (u < T{} ? -u : u));
  return {detail::sin_quarter(u), rest < T{} ? -sine : sine};
}

/// e^x. Beyond +88 it stays at e^88 = 1.65e38, so that no infinity arises; NaN stays NaN.
inline float exp(float x) {
  const float upper = x > 88.0f ? 88.0f : x;
  const float bounded = upper < -87.3f ? -87.3f : upper;
  const detail::Reduced r = detail::reduce(bounded);
  const float value = r.power * detail::expm1_reduced(r.remainder) + r.power;
  return x < -87.3f ? 0.0f : value;
}

/// e^x - 1, exact in relative terms near 0; for x <= 88.
inline float expm1(float x) {
  const float upper = x > 88.0f ? 88.0f : x;
  const float bounded = upper < -87.3f ? -87.3f : upper;
  const detail::Reduced r = detail::reduce(bounded);
  return r.power * detail::expm1_reduced(r.remainder) + (r.power - 1.0f);
}

/// 1 / (1 + e^-x).
inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

/// tanh(x) = (e^2x - 1) / (e^2x + 1).
inline float tanh(float x) {
  const float upper = x > 10.0f ? 10.0f : x;
  const float bounded = upper < -10.0f ? -10.0f : upper;
  const float e = expm1(2.0f * bounded);
  return e / (e + 2.0f);
}

/// log(1 + t) for 0 <= t <= 1 by 2 atanh(t / (2 + t)), whose argument is at most 1/3.
inline float log1p_unit(float t) {
  const float s = t / (2.0f + t);
  const float s2 = s * s;
  float p = 1.0f / 13.0f;
  p = p * s2 + 1.0f / 11.0f;
  p = p * s2 + 1.0f / 9.0f;
  p = p * s2 + 1.0f / 7.0f;
  p = p * s2 + 1.0f / 5.0f;
  p = p * s2 + 1.0f / 3.0f;
  return 2.0f * (s + s * s2 * p);
}

/// log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
inline float softplus(float x) {
  const float magnitude = x < 0.0f ? -x : x;
  const float positive = x > 0.0f ? x : 0.0f;
  return positive + log1p_unit(exp(-magnitude));
}

/// The error function, Abramowitz and Stegun 7.1.26.
inline float erf(float x) {
  const float magnitude = x < 0.0f ? -x : x;
  const float t = 1.0f / (1.0f + 0.3275911f * magnitude);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float value = 1.0f - p * t * exp(-magnitude * magnitude);
  return x < 0.0f ? -value : value;
}

inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline double tanh(double x) { return std::tanh(x); }
inline double softplus(double x) {
  return (x > 0.0 ? x : 0.0) + std::log1p(std::exp(x < 0.0 ? x : -x));
}
inline double erf(double x) { return std::erf(x); }
inline double cos_turns(double t) { return std::cos(6.283185307179586 * t); }
inline CosineAndSine<double> cos_sin_turns(double t) {
  return {std::cos(6.283185307179586 * t), std::sin(6.283185307179586 * t)};
}

}  // namespace automs
