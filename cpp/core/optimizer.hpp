// Gradient, moments, learning rate -> new weights, in place.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/candidate.hpp"
#include "core/network.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// SGD with momentum m (Polyak 1964; Nesterov's form after Sutskever et al. 2013):
/// v = m v + g; w -= rate * (nesterov ? g + m v : v), after w *= 1 - rate * weight_decay.
template <typename Scalar>
void sgd_range(const OptimizerSettings& settings, double rate, double weight_decay,
               double l2_penalty, std::size_t n, Scalar* __restrict w, const Scalar* __restrict g,
               Scalar* __restrict v) {
  const auto momentum = static_cast<Scalar>(settings.momentum);
  const auto step = static_cast<Scalar>(rate);
  const auto shrink = static_cast<Scalar>(1.0 - rate * weight_decay);
  const auto l2 = static_cast<Scalar>(l2_penalty);
  const Scalar by_velocity = settings.nesterov ? momentum : Scalar(1);
  const Scalar by_gradient = settings.nesterov ? Scalar(1) : Scalar(0);
  for (std::size_t i = 0; i < n; ++i) {
    const Scalar gradient = g[i] + l2 * w[i];
    v[i] = momentum * v[i] + gradient;
    w[i] = w[i] * shrink - step * (by_gradient * gradient + by_velocity * v[i]);
  }
}

/// Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1), with decoupled weight decay (Loshchilov
/// and Hutter 2019, arXiv 1711.05101). The corrections of both moments go into two scalars.
template <typename Scalar>
void adam_range(const OptimizerSettings& settings, double rate, std::int64_t step,
                double weight_decay, double l2_penalty, std::size_t n, Scalar* __restrict w,
                const Scalar* __restrict g, Scalar* __restrict m, Scalar* __restrict v) {
  const double correction1 = 1.0 - std::pow(settings.beta1, static_cast<double>(step + 1));
  const double correction2 = 1.0 - std::pow(settings.beta2, static_cast<double>(step + 1));
  const auto beta1 = static_cast<Scalar>(settings.beta1);
  const auto beta2 = static_cast<Scalar>(settings.beta2);
  const auto rest1 = static_cast<Scalar>(1.0 - settings.beta1);
  const auto rest2 = static_cast<Scalar>(1.0 - settings.beta2);
  const auto scale = static_cast<Scalar>(rate / correction1);
  const auto root = static_cast<Scalar>(1.0 / std::sqrt(correction2));
  const auto epsilon = static_cast<Scalar>(settings.epsilon);
  const auto shrink = static_cast<Scalar>(1.0 - rate * weight_decay);
  const auto l2 = static_cast<Scalar>(l2_penalty);
  for (std::size_t i = 0; i < n; ++i) {
    const Scalar gradient = g[i] + l2 * w[i];
    m[i] = beta1 * m[i] + rest1 * gradient;
    v[i] = beta2 * v[i] + rest2 * gradient * gradient;
    w[i] = w[i] * shrink - scale * m[i] / (std::sqrt(v[i]) * root + epsilon);
  }
}

}  // namespace detail

/// One update of all weights from workspace.gradient at step `step` (from 0). Penalty and decay act
/// on tables and weights, never on biases.
template <typename Scalar>
void update_weights(const Network& network, const OptimizerSettings& settings, double rate,
                    std::int64_t step, Workspace<Scalar>& workspace) {
  auto update = [&](std::size_t start, std::size_t n, double decay, double l2_penalty) {
    if (settings.kind == Optimizer::sgd) {
      detail::sgd_range(settings, rate, decay, l2_penalty, n, workspace.weights + start,
                        workspace.gradient + start, workspace.first_moment + start);
    } else {
      detail::adam_range(settings, rate, step, decay, l2_penalty, n, workspace.weights + start,
                         workspace.gradient + start, workspace.first_moment + start,
                         workspace.second_moment + start);
    }
  };
  if (network.n_table_values > 0) {
    update(0, network.n_table_values, settings.weight_decay, settings.l2_penalty);
  }
  for (const Layer& layer : network.layers) {
    update(layer.weights, layer.bias - layer.weights, settings.weight_decay, settings.l2_penalty);
    update(layer.bias, layer.stride, 0.0, 0.0);
  }
}

}  // namespace automs
