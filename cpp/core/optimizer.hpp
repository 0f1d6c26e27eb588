// Gradient, moments, learning rate -> new weights, in place.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/candidate.hpp"
#include "core/network.hpp"
#include "core/workspace.hpp"

namespace automs {

/// Rows of W that are updated together, while their gradient is in the L1 cache: whole blocks of
/// the gradient's kernel, which has 6 rows or 8.
constexpr int kUpdatedRows = 24;

/// One step of an optimizer, its factors worked out once.
///
/// SGD with momentum m (Polyak 1964; Nesterov's form after Sutskever et al. 2013):
/// v = m v + g; w -= rate * (nesterov ? g + m v : v), after w *= 1 - rate * weight_decay.
///
/// Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1), with decoupled weight decay (Loshchilov
/// and Hutter 2019, arXiv 1711.05101). The corrections of both moments go into two scalars.
template <typename Scalar>
class UpdateStep {
 public:
  /// `step` counts from 0.
  UpdateStep(const OptimizerSettings& settings, double rate, std::int64_t step)
      : sgd_(settings.kind == Optimizer::sgd),
        shrink_(static_cast<Scalar>(1.0 - rate * settings.weight_decay)),
        l2_(static_cast<Scalar>(settings.l2_penalty)) {
    if (sgd_) {
      rate_ = static_cast<Scalar>(rate);
      momentum_ = static_cast<Scalar>(settings.momentum);
      by_velocity_ = settings.nesterov ? momentum_ : Scalar(1);
      by_gradient_ = settings.nesterov ? Scalar(1) : Scalar(0);
      return;
    }
    const auto count = static_cast<double>(step + 1);
    const double correction1 = 1.0 - std::pow(settings.beta1, count);
    const double correction2 = 1.0 - std::pow(settings.beta2, count);
    beta1_ = static_cast<Scalar>(settings.beta1);
    beta2_ = static_cast<Scalar>(settings.beta2);
    rest1_ = static_cast<Scalar>(1.0 - settings.beta1);
    rest2_ = static_cast<Scalar>(1.0 - settings.beta2);
    rate_ = static_cast<Scalar>(rate / correction1);
    root_ = static_cast<Scalar>(1.0 / std::sqrt(correction2));
    epsilon_ = static_cast<Scalar>(settings.epsilon);
  }

  /// Rows [first, first + n) of the layer's W. Penalty and decay act on weights, never on biases.
  void update_rows(const Layer& layer, int first, int n, Workspace<Scalar>& workspace) const {
    const auto stride = static_cast<std::size_t>(layer.stride);
    update_range(layer.weights + first * stride, n * stride, shrink_, l2_, workspace);
  }

  void update_bias(const Layer& layer, Workspace<Scalar>& workspace) const {
    update_range(layer.bias, layer.stride, Scalar(1), Scalar(0), workspace);
  }

 private:
  void update_range(std::size_t start, std::size_t n, Scalar shrink, Scalar l2,
                    Workspace<Scalar>& workspace) const {
    Scalar* w = workspace.weights + start;
    const Scalar* g = workspace.gradient + start;
    Scalar* m = workspace.first_moment + start;
    if (sgd_) {
      update_sgd(n, shrink, l2, w, g, m);
    } else {
      update_adam(n, shrink, l2, w, g, m, workspace.second_moment + start);
    }
  }

  void update_sgd(std::size_t n, Scalar shrink, Scalar l2, Scalar* __restrict w,
                  const Scalar* __restrict g, Scalar* __restrict v) const {
    const Scalar rate = rate_, momentum = momentum_;
    const Scalar by_gradient = by_gradient_, by_velocity = by_velocity_;
    for (std::size_t i = 0; i < n; ++i) {
      const Scalar gradient = g[i] + l2 * w[i];
      v[i] = momentum * v[i] + gradient;
      w[i] = w[i] * shrink - rate * (by_gradient * gradient + by_velocity * v[i]);
    }
  }

  void update_adam(std::size_t n, Scalar shrink, Scalar l2, Scalar* __restrict w,
                   const Scalar* __restrict g, Scalar* __restrict m, Scalar* __restrict v) const {
    const Scalar beta1 = beta1_, beta2 = beta2_, rest1 = rest1_, rest2 = rest2_;
    const Scalar rate = rate_, root = root_, epsilon = epsilon_;
    for (std::size_t i = 0; i < n; ++i) {
      const Scalar gradient = g[i] + l2 * w[i];
      m[i] = beta1 * m[i] + rest1 * gradient;
      v[i] = beta2 * v[i] + rest2 * gradient * gradient;
      w[i] = w[i] * shrink - rate * m[i] / (std::sqrt(v[i]) * root + epsilon);
    }
  }

  bool sgd_;
  Scalar shrink_, l2_;
  Scalar rate_ = 0, momentum_ = 0, by_velocity_ = 0, by_gradient_ = 0;
  Scalar beta1_ = 0, beta2_ = 0, rest1_ = 0, rest2_ = 0, root_ = 0, epsilon_ = 0;
};

}  // namespace automs
