// Floats of every size -> functions.hpp and activation.hpp against the library in double.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "automs/activation.hpp"
#include "automs/functions.hpp"
#include "check.hpp"

namespace {

using namespace automs;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kLargest = std::numeric_limits<float>::max();
constexpr double kSmallestNormal = std::numeric_limits<float>::min();

struct Errors {
  double absolute = 0.0;
  double relative = 0.0;  // where the true value is a normal float
  bool finite = true;
};

/// The largest errors of `function` against `truth` over floats in [low, high]. The floats are
/// taken evenly by their bit patterns, so every power of two has as many of them.
template <typename Function, typename Truth>
Errors errors_of(Function function, Truth truth, float low, float high) {
  Errors errors;
  for (std::uint64_t pattern = 0; pattern <= 0xFFFFFFFFu; pattern += 2003) {
    const auto bits = static_cast<std::uint32_t>(pattern);
    float x;
    std::memcpy(&x, &bits, sizeof x);
    if (!(x >= low && x <= high)) continue;
    const double value = static_cast<double>(function(x));
    const double expected = truth(static_cast<double>(x));
    const double error = std::fabs(value - expected);
    errors.finite = errors.finite && std::isfinite(value);
    errors.absolute = std::fmax(errors.absolute, error);
    if (std::fabs(expected) < kSmallestNormal) continue;
    errors.relative = std::fmax(errors.relative, error / std::fabs(expected));
  }
  return errors;
}

double true_sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
double true_cosine(double t) { return std::cos(2.0 * std::acos(-1.0) * std::fmod(t, 1.0)); }
double true_sine(double t) { return std::sin(2.0 * std::acos(-1.0) * std::fmod(t, 1.0)); }
double true_softplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

// The bounds are those found over a third of all floats, with and without fused multiply-add, and
// rounded up: exp 9.0e-8, expm1 1.26e-7, tanh 1.89e-7, sigmoid 1.48e-7, softplus 2.25e-7 (all
// relative), erf 6.62e-7, cosine and sine 2.1e-7 (absolute).

void test_exp() {
  const auto function = [](float x) { return automs::exp(x); };
  const auto truth = [](double x) { return std::exp(x); };
  const Errors errors = errors_of(function, truth, -87.3f, 88.0f);
  CHECK(errors.finite && errors.relative <= 1.2e-7);
  const Errors below = errors_of(function, truth, -kLargest, -87.3f);
  CHECK(below.finite && below.absolute <= 1.3e-38);
  CHECK(automs::exp(0.0f) == 1.0f);
  CHECK(automs::exp(-kInfinity) == 0.0f);
  CHECK(std::isfinite(automs::exp(kInfinity)) && automs::exp(kInfinity) == automs::exp(88.0f));
  CHECK(std::isnan(automs::exp(kNan)));
}

void test_expm1() {
  const auto function = [](float x) { return automs::expm1(x); };
  const auto truth = [](double x) { return std::expm1(x); };
  const Errors errors = errors_of(function, truth, -kLargest, 88.0f);
  CHECK(errors.finite && errors.relative <= 1.5e-7);
  CHECK(automs::expm1(0.0f) == 0.0f && automs::expm1(-kInfinity) == -1.0f);
  CHECK(std::isnan(automs::expm1(kNan)));
}

void test_tanh() {
  const auto function = [](float x) { return automs::tanh(x); };
  const auto truth = [](double x) { return std::tanh(x); };
  const Errors errors = errors_of(function, truth, -kLargest, kLargest);
  CHECK(errors.finite && errors.relative <= 2.5e-7);
  CHECK(automs::tanh(kInfinity) == 1.0f && automs::tanh(-kInfinity) == -1.0f);
  CHECK(automs::tanh(0.0f) == 0.0f && std::isnan(automs::tanh(kNan)));
}

void test_sigmoid() {
  const auto function = [](float x) { return automs::sigmoid(x); };
  const Errors errors = errors_of(function, true_sigmoid, -87.3f, kLargest);
  CHECK(errors.finite && errors.relative <= 2.5e-7);
  const Errors below = errors_of(function, true_sigmoid, -kLargest, -87.3f);
  CHECK(below.finite && below.absolute <= 1.3e-38);
  CHECK(automs::sigmoid(0.0f) == 0.5f && automs::sigmoid(kInfinity) == 1.0f);
  CHECK(automs::sigmoid(-kInfinity) <= 1.3e-38f && std::isnan(automs::sigmoid(kNan)));
}

void test_softplus() {
  const auto function = [](float x) { return automs::softplus(x); };
  const Errors errors = errors_of(function, true_softplus, -87.3f, kLargest);
  CHECK(errors.finite && errors.relative <= 2.5e-7);
  const Errors below = errors_of(function, true_softplus, -kLargest, -87.3f);
  CHECK(below.finite && below.absolute <= 1.3e-38);
  CHECK(automs::softplus(kInfinity) == kInfinity && automs::softplus(-kInfinity) == 0.0f);
  CHECK(std::isnan(automs::softplus(kNan)));
}

void test_erf() {
  const auto function = [](float x) { return automs::erf(x); };
  const Errors errors =
      errors_of(function, [](double x) { return std::erf(x); }, -kLargest, kLargest);
  CHECK(errors.finite && errors.absolute <= 7e-7);
  CHECK(automs::erf(kInfinity) == 1.0f && automs::erf(-kInfinity) == -1.0f);
  CHECK(std::isnan(automs::erf(kNan)));
}

void test_cosine_and_sine_of_turns() {
  const auto cosine = [](float t) { return automs::cos_turns(t); };
  const auto both_cosine = [](float t) { return automs::cos_sin_turns(t).cosine; };
  const auto sine = [](float t) { return automs::cos_sin_turns(t).sine; };
  // Beyond 2^22 turns a float is a whole number, or a whole one and a half, which count as whole.
  for (const Errors& errors : {errors_of(cosine, true_cosine, -4194304.0f, 4194304.0f),
                               errors_of(both_cosine, true_cosine, -4194304.0f, 4194304.0f),
                               errors_of(sine, true_sine, -4194304.0f, 4194304.0f)}) {
    CHECK(errors.finite && errors.absolute <= 2.5e-7);
  }
  for (const float t : {4194304.5f, -3e9f, kLargest, kInfinity, -kInfinity}) {
    CHECK_CLOSE(cosine(t), 1.0, 2.5e-7);
    CHECK(sine(t) == 0.0f);
  }
  CHECK(std::isnan(cosine(kNan)) && std::isnan(both_cosine(kNan)) && std::isnan(sine(kNan)));
}

void test_double_versions_are_the_library() {
  for (const double x : {-30.0, -1.5, -1e-9, 0.0, 0.3, 2.0, 30.0}) {
    CHECK_CLOSE(automs::cos_turns(x), true_cosine(x), 1e-13);
    CHECK_CLOSE(automs::cos_sin_turns(x).cosine, true_cosine(x), 1e-13);
    CHECK_CLOSE(automs::cos_sin_turns(x).sine, true_sine(x), 1e-13);
    CHECK_CLOSE(automs::exp(x), std::exp(x), 1e-15);
    CHECK_CLOSE(automs::expm1(x), std::expm1(x), 1e-15);
    CHECK_CLOSE(automs::tanh(x), std::tanh(x), 1e-15);
    CHECK_CLOSE(automs::sigmoid(x), true_sigmoid(x), 1e-15);
    CHECK_CLOSE(automs::softplus(x), true_softplus(x), 1e-15);
    CHECK_CLOSE(automs::erf(x), std::erf(x), 1e-15);
  }
}

/// Float activations and slopes against the same formulas in double, from -50 to 50. Their largest
/// factor is |x|, which multiplies the errors above; the tolerance is relative beyond 1.
void test_activations_in_float_follow_those_in_double() {
  constexpr std::size_t n = 20001;
  for (int code = 0; code < kActivationCount; ++code) {
    const auto activation = static_cast<Activation>(code);
    std::vector<float> values(n), slopes(n), alone(n);
    std::vector<double> true_values(n), true_slopes(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = static_cast<float>(i) * 0.005f - 50.0f;
      alone[i] = values[i];
      true_values[i] = static_cast<double>(values[i]);
    }
    activate(activation, alone.data(), n);
    activate_with_slopes(activation, values.data(), slopes.data(), n);
    activate_with_slopes(activation, true_values.data(), true_slopes.data(), n);
    for (std::size_t i = 0; i < n; ++i) {
      CHECK_CLOSE(static_cast<double>(values[i]), true_values[i], 5e-6);
      CHECK_CLOSE(static_cast<double>(slopes[i]), true_slopes[i], 5e-6);
      CHECK_CLOSE(static_cast<double>(alone[i]), true_values[i], 5e-6);
    }
  }
}

/// A NaN that an activation swallowed would hide that a candidate has diverged.
void test_activations_pass_nan_on() {
  for (const Activation activation :
       {Activation::identity, Activation::relu, Activation::leaky_relu, Activation::tanh,
        Activation::sigmoid, Activation::selu, Activation::elu, Activation::gelu, Activation::silu,
        Activation::mish}) {
    float x = kNan;
    activate(activation, &x, 1);
    CHECK(std::isnan(x));
  }
}

}  // namespace

int main() {
  test_exp();
  test_expm1();
  test_tanh();
  test_sigmoid();
  test_softplus();
  test_erf();
  test_cosine_and_sine_of_turns();
  test_double_versions_are_the_library();
  test_activations_in_float_follow_those_in_double();
  test_activations_pass_nan_on();
  return automs_test_result();
}
