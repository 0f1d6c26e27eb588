// pre-activations of a layer -> activations (and derivatives), in place, one loop for each
// function.
#pragma once

#include <cstddef>
#include <cstdint>

#include "automs/functions.hpp"

namespace automs {

/// The codes stand in model files: a number, once given, is never used for another function.
enum class Activation : std::uint8_t {
  identity = 0,
  relu = 1,
  leaky_relu = 2,  // slope 0.01 below 0
  tanh = 3,
  sigmoid = 4,
  selu = 5,
  elu = 6,   // alpha = 1
  gelu = 7,  // x * Phi(x), Phi by the error function
  silu = 8,
  mish = 9,
};

constexpr int kActivationCount = 10;

/// A function's value and derivative at one point.
template <typename Scalar>
struct ValueAndSlope {
  Scalar value;
  Scalar slope;
};

namespace detail {

// Each activation is a type with `at(x)` -> value and slope. Where only the value is wanted, the
// compiler drops the slope, so the trained and the embedded network share one formula. NaN stays
// NaN, so that a network which has diverged shows it.

struct IdentityFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    return {x, Scalar(1)};
  }
};

struct ReluFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    return {x < Scalar(0) ? Scalar(0) : x, x > Scalar(0) ? Scalar(1) : Scalar(0)};
  }
};

struct LeakyReluFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    const Scalar slope = x > Scalar(0) ? Scalar(1) : Scalar(0.01);
    return {x * slope, slope};
  }
};

struct TanhFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    const Scalar value = automs::tanh(x);
    return {value, Scalar(1) - value * value};
  }
};

struct SigmoidFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    const Scalar value = automs::sigmoid(x);
    return {value, value * (Scalar(1) - value)};
  }
};

struct SeluFunction {  // Klambauer et al. 2017, arXiv 1706.02515: lambda and alpha of their section
                       // 3
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    constexpr Scalar lambda = Scalar(1.0507009873554805);
    constexpr Scalar alpha = Scalar(1.6732632423543772);
    const Scalar below = automs::expm1(x < Scalar(0) ? x : Scalar(0));
    return {lambda * (x < Scalar(0) ? alpha * below : x),
            lambda * (x > Scalar(0) ? Scalar(1) : alpha * (below + Scalar(1)))};
  }
};

struct EluFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    const Scalar below = automs::expm1(x < Scalar(0) ? x : Scalar(0));
    return {x < Scalar(0) ? below : x, x > Scalar(0) ? Scalar(1) : below + Scalar(1)};
  }
};

struct GeluFunction {  // Hendrycks and Gimpel 2016, arXiv 1606.08415
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    constexpr Scalar root_half = Scalar(0.70710678118654752);
    constexpr Scalar density_at_0 = Scalar(0.39894228040143268);
    const Scalar probability = Scalar(0.5) * (Scalar(1) + automs::erf(x * root_half));
    const Scalar density = density_at_0 * automs::exp(Scalar(-0.5) * x * x);
    return {x * probability, probability + x * density};
  }
};

struct SiluFunction {
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    const Scalar s = automs::sigmoid(x);
    return {x * s, s * (Scalar(1) + x * (Scalar(1) - s))};
  }
};

struct MishFunction {  // Misra 2019, arXiv 1908.08681: x * tanh(softplus(x))
  template <typename Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    // With e = exp(x) and n = e * (e + 2): tanh(log(1 + e)) = n / (n + 2). Above 20 it is 1.
    const Scalar e = automs::exp(x > Scalar(20) ? Scalar(20) : x);
    const Scalar n = e * (e + Scalar(2));
    const Scalar t = n / (n + Scalar(2));
    const Scalar s = e / (e + Scalar(1));
    return {x * t, t + x * s * (Scalar(1) - t * t)};
  }
};

template <typename Function, typename Scalar>
void apply_values(Scalar* z, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) z[i] = Function::at(z[i]).value;
}

template <typename Function, typename Scalar>
void apply_with_slopes(Scalar* __restrict z, Scalar* __restrict slopes, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const ValueAndSlope<Scalar> result = Function::at(z[i]);
    slopes[i] = result.slope;
    z[i] = result.value;
  }
}

/// Calls `visitor` with the function's type, so that no loop holds a switch.
template <typename Visitor>
void visit_activation(Activation activation, Visitor&& visitor) {
  switch (activation) {
    case Activation::identity:
      return visitor(IdentityFunction{});
    case Activation::relu:
      return visitor(ReluFunction{});
    case Activation::leaky_relu:
      return visitor(LeakyReluFunction{});
    case Activation::tanh:
      return visitor(TanhFunction{});
    case Activation::sigmoid:
      return visitor(SigmoidFunction{});
    case Activation::selu:
      return visitor(SeluFunction{});
    case Activation::elu:
      return visitor(EluFunction{});
    case Activation::gelu:
      return visitor(GeluFunction{});
    case Activation::silu:
      return visitor(SiluFunction{});
    case Activation::mish:
      return visitor(MishFunction{});
  }
}

}  // namespace detail

/// z (n) -> f(z), in place.
template <typename Scalar>
void activate(Activation activation, Scalar* z, std::size_t n) {
  if (activation == Activation::identity) return;
  detail::visit_activation(activation,
                           [&](auto function) { detail::apply_values<decltype(function)>(z, n); });
}

/// z (n) -> f(z), in place, and slopes (n) = f'(z).
template <typename Scalar>
void activate_with_slopes(Activation activation, Scalar* z, Scalar* slopes, std::size_t n) {
  detail::visit_activation(activation, [&](auto function) {
    detail::apply_with_slopes<decltype(function)>(z, slopes, n);
  });
}

}  // namespace automs
