// A pre-activation -> its activation and derivative, in double: part of the naive engine.
#pragma once

#include <cmath>

#include "core/candidate.hpp"

namespace naive {

using automs::Activation;

// Formulas are written as in the papers, with the library's functions, not as in the engine.
inline double activation(Activation kind, double x) {
  switch (kind) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return std::fmax(x, 0.0);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.01 * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::selu:
      return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1));
    case Activation::elu:
      return x > 0 ? x : std::exp(x) - 1;
    case Activation::gelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
  }
  return 0;
}

inline double slope(Activation kind, double x) {
  const double s = 1 / (1 + std::exp(-x));
  switch (kind) {
    case Activation::identity:
      return 1;
    case Activation::relu:
      return x > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return x > 0 ? 1 : 0.01;
    case Activation::tanh:
      return 1 / (std::cosh(x) * std::cosh(x));
    case Activation::sigmoid:
      return s * (1 - s);
    case Activation::selu:
      return 1.0507009873554805 * (x > 0 ? 1 : 1.6732632423543772 * std::exp(x));
    case Activation::elu:
      return x > 0 ? 1 : std::exp(x);
    case Activation::gelu:
      return 0.5 * std::erfc(-x / std::sqrt(2.0)) +
             x * std::exp(-x * x / 2) / std::sqrt(2 * 3.14159265358979323846);
    case Activation::silu:
      return s + x * s * (1 - s);
    case Activation::mish: {
      const double t = std::tanh(std::log1p(std::exp(x)));
      return t + x * (1 - t * t) * s;
    }
  }
  return 0;
}

}  // namespace naive
