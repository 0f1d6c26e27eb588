// Gradient, moments, learning rate -> new weights, in place.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/candidate.hpp"
#include "core/network.hpp"
#include "core/workspace.hpp"

namespace automs {

/// One step of an optimizer, its factors worked out once.
///
/// SGD with momentum m (Polyak 1964; Nesterov's form after Sutskever et al. 2013):
/// v = m v + g; w -= rate * (nesterov ? g + m v : v), after w *= 1 - rate * weight_decay.
///
/// Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1), with decoupled weight decay (Loshchilov
/// and Hutter 2019, arXiv 1711.05101). The corrections of both moments go into two scalars.
///
/// A buffer that holds W of a trained matrix V = root W (network.hpp) has the gradient g of W,
/// where that of V is g / root. The moments are kept in units of g: the steps of V are then those
/// of the formulas above on W with other factors (`for_weights`), and nothing in the loops changes.
template <typename Scalar>
class UpdateStep {
 public:
  /// `step` counts from 0; `weight_decay` is that of the step.
  UpdateStep(const OptimizerSettings& settings, double rate, double weight_decay, std::int64_t step)
      : sgd_(settings.kind == Optimizer::sgd),
        decay_(rate * weight_decay),
        shrink_(static_cast<Scalar>(1.0 - decay_)),
        l2_(static_cast<Scalar>(settings.l2_penalty)),
        bias_factor_(static_cast<Scalar>(settings.bias_lr_factor)),
        scaling_factor_(static_cast<Scalar>(settings.scaling_lr_factor)),
        activation_factor_(static_cast<Scalar>(settings.activation_lr_factor)) {
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
    adam_ = {static_cast<Scalar>(settings.beta1),
             static_cast<Scalar>(settings.beta2),
             static_cast<Scalar>(1.0 - settings.beta1),
             static_cast<Scalar>(1.0 - settings.beta2),
             static_cast<Scalar>(rate / correction1),
             static_cast<Scalar>(1.0 / std::sqrt(correction2)),
             static_cast<Scalar>(settings.epsilon)};
  }

  /// The step of a layer's weights, by `update_block` or `update_row`. SGD moves V by its gradient,
  /// a root-th of g, and W by a root-th of that; Adam moves V as far whatever the size of g.
  UpdateStep for_weights(const Layer& layer) const {
    const auto root = static_cast<Scalar>(layer.root);
    UpdateStep step = *this;
    step.l2_ *= root * root;
    step.rate_ /= root * root;
    step.adam_.rate /= root;
    step.adam_.epsilon *= root;
    return step;
  }

  /// `rows` rows of Width columns of the layer's W, from (row, column) on. Penalty and decay act on
  /// tables and weights, never on biases, scales or blends.
  template <int Width>
  void update_block(const Layer& layer, int row, int rows, int column,
                    Workspace<Scalar>& workspace) const {
    const auto ld = static_cast<std::size_t>(layer.stride);
    const std::size_t start = layer.weights + row * ld + column;
    const Arrays at = arrays(start, workspace);
    if (sgd_) {
      for (int i = 0; i < rows; ++i) update_sgd(Width, shrink_, l2_, at, i * ld);
    } else {
      update_adam_rows<Width>(rows, ld, at.w, at.g, at.m, at.v);
    }
  }

  /// Whole rows of the layer's W: what is between them has no gradient and stays zero.
  void update_rows(const Layer& layer, int row, int rows, Workspace<Scalar>& workspace) const {
    const auto ld = static_cast<std::size_t>(layer.stride);
    update_range(layer.weights + row * ld, rows * ld, shrink_, l2_, workspace);
  }

  void update_tables(const Network& network, Workspace<Scalar>& workspace) const {
    update_range(0, network.n_table_values, shrink_, l2_, workspace);
  }

  /// Frequencies and weights as weights are, phases and biases as biases, at a rate of their own.
  void update_periodic(const Periodic& periodic, Workspace<Scalar>& workspace) const {
    if (periodic.n_columns == 0) return;
    const auto rate = static_cast<Scalar>(kPeriodicRate);
    const auto shrink = static_cast<Scalar>(1.0 - kPeriodicRate * decay_);
    const std::size_t undecayed = periodic.phases(0);
    UpdateStep slow = *this;
    slow.rate_ *= rate;
    slow.adam_.rate *= rate;
    slow.update_range(periodic.first, undecayed - periodic.first, shrink, l2_, workspace);
    update_free(undecayed, periodic.first + periodic.n_values - undecayed, rate, workspace);
  }

  void update_bias(const Layer& layer, Workspace<Scalar>& workspace) const {
    update_free(layer.bias, layer.stride, bias_factor_, workspace);
  }

  void update_blend(const Layer& layer, Workspace<Scalar>& workspace) const {
    update_free(layer.blend, layer.stride, activation_factor_, workspace);
  }

  void update_scales(const Network& network, Workspace<Scalar>& workspace) const {
    update_free(network.scaling.scales, network.layers.front().fan_in, scaling_factor_, workspace);
  }

  /// The trained matrix of a scaling layer; a step `for_weights`.
  void update_scaled_weights(const Network& network, Workspace<Scalar>& workspace) const {
    update_range(network.scaling.weights, network.layers.front().n_weights(), shrink_, l2_,
                 workspace);
  }

 private:
  struct Arrays {
    Scalar* w;
    const Scalar* g;
    Scalar* m;
    Scalar* v;
  };

  static Arrays arrays(std::size_t start, Workspace<Scalar>& workspace) {
    return {workspace.weights + start, workspace.gradient + start, workspace.first_moment + start,
            workspace.second_moment + start};
  }

  void update_range(std::size_t start, std::size_t n, Scalar shrink, Scalar l2,
                    Workspace<Scalar>& workspace) const {
    update_arrays(n, shrink, l2, arrays(start, workspace));
  }

  /// Values without penalty and decay, at a multiple of the learning rate.
  void update_free(std::size_t start, std::size_t n, Scalar factor,
                   Workspace<Scalar>& workspace) const {
    UpdateStep step = *this;
    step.rate_ *= factor;
    step.adam_.rate *= factor;
    step.update_range(start, n, Scalar(1), Scalar(0), workspace);
  }

  void update_arrays(std::size_t n, Scalar shrink, Scalar l2, const Arrays& at) const {
    if (sgd_) {
      update_sgd(n, shrink, l2, at, 0);
    } else {
      update_adam(n, adam_, shrink, l2, at.w, at.g, at.m, at.v);
    }
  }

  void update_sgd(std::size_t n, Scalar shrink, Scalar l2, const Arrays& at,
                  std::size_t start) const {
    Scalar* __restrict w = at.w + start;
    const Scalar* __restrict g = at.g + start;
    Scalar* __restrict v = at.m + start;
    const Scalar rate = rate_, momentum = momentum_;
    const Scalar by_gradient = by_gradient_, by_velocity = by_velocity_;
    for (std::size_t i = 0; i < n; ++i) {
      const Scalar gradient = g[i] + l2 * w[i];
      v[i] = momentum * v[i] + gradient;
      w[i] = w[i] * shrink - rate * (by_gradient * gradient + by_velocity * v[i]);
    }
  }

  /// What one parameter's step needs, in registers while a loop runs.
  struct AdamFactors {
    Scalar beta1, beta2, rest1, rest2, rate, root, epsilon;
  };

  static void update_adam(std::size_t n, const AdamFactors& f, Scalar shrink, Scalar l2,
                          Scalar* __restrict w, const Scalar* __restrict g, Scalar* __restrict m,
                          Scalar* __restrict v) {
    for (std::size_t i = 0; i < n; ++i) {
      const Scalar gradient = g[i] + l2 * w[i];
      m[i] = f.beta1 * m[i] + f.rest1 * gradient;
      v[i] = f.beta2 * v[i] + f.rest2 * gradient * gradient;
      w[i] = w[i] * shrink - f.rate * m[i] / (std::sqrt(v[i]) * f.root + f.epsilon);
    }
  }

  /// The next block of rows comes some hundred cycles later; large networks lie far away.
  template <int Width>
  [[gnu::noinline]] void update_adam_rows(int rows, std::size_t ld, Scalar* __restrict w,
                                          const Scalar* __restrict g, Scalar* __restrict m,
                                          Scalar* __restrict v) const {
    constexpr int line = static_cast<int>(kCacheLine / sizeof(Scalar));
    const AdamFactors f = adam_;
    const Scalar shrink = shrink_, l2 = l2_;
    const std::size_t next = rows * ld;
    for (int row = 0; row < rows; ++row, w += ld, g += ld, m += ld, v += ld) {
      for (int j = 0; j < Width; j += line) {
        __builtin_prefetch(w + next + j, 1);
        __builtin_prefetch(m + next + j, 1);
        __builtin_prefetch(v + next + j, 1);
      }
      for (int i = 0; i < Width; ++i) {
        const Scalar gradient = g[i] + l2 * w[i];
        m[i] = f.beta1 * m[i] + f.rest1 * gradient;
        v[i] = f.beta2 * v[i] + f.rest2 * gradient * gradient;
        w[i] = w[i] * shrink - f.rate * m[i] / (std::sqrt(v[i]) * f.root + f.epsilon);
      }
    }
  }

  bool sgd_;
  double decay_;
  Scalar shrink_, l2_;
  Scalar bias_factor_, scaling_factor_, activation_factor_;
  Scalar rate_ = 0, momentum_ = 0, by_velocity_ = 0, by_gradient_ = 0;
  AdamFactors adam_{};
};

}  // namespace automs
