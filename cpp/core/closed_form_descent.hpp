// rows, a target with its loss, and penalties -> linear models by L-BFGS (internal to closed_form).
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"
#include "core/closed_form_products.hpp"
#include "core/lbfgs.hpp"

namespace automs::closed_form {

/// The penalised mean loss as a function of scaled coefficients (n_columns, n_outputs) followed by
/// scaled intercepts (n_outputs). Columns are centred, and scaled so that the second derivatives
/// are near 1 for this penalty, which is what L-BFGS likes. A `Target` knows its loss:
///   Index n_outputs() const
///   double curvature() const                     second derivative by an output, about
///   RowVector start(const Vector& weights) const intercepts where all coefficients are 0
///   double to_errors(Index begin, const Vector& weights, Matrix& outputs) const
///     outputs of rows begin, begin + 1, ... -> derivatives by them, in place; gives the loss
template <typename Value, typename Target>
class PenalisedLoss {
 public:
  PenalisedLoss(const LinearRows<Value>& rows, const Target& target)
      : rows_(rows),
        target_(target),
        n_outputs_(target.n_outputs()),
        curvature_(target.curvature()),
        weights_(checked_weights(rows)),
        means_(column_means(rows, weights_)),
        variances_(RowVector::Zero(means_.size())),
        products_(rows, means_, n_outputs_) {
    weights_ /= weights_.sum();
    Matrix block;
    for_blocks(rows, weights_.size(), means_.size(), [&](Index begin, Index count) {
      load_rows(rows, begin, count, means_.data(), block);
      variances_ += weights_.segment(begin, count).transpose() * block.array().square().matrix();
    });
    require(variances_.allFinite(), "X must be finite and of squares that double holds");
    coef_ = Matrix::Zero(means_.size(), n_outputs_);
    intercept_ = target.start(weights_);
  }

  /// The current solution, for the columns as they were given.
  void write(double* coef, double* intercept) const {
    Eigen::Map<Matrix>(coef, coef_.rows(), n_outputs_) = coef_;
    Eigen::Map<RowVector>(intercept, n_outputs_) = intercept_ - means_ * coef_;
  }

  LbfgsResult minimise(double squared, double absolute, int max_iterations, double tolerance) {
    penalty_ = squared;
    scales_ = Vector::Zero(variances_.size());  // stays 0 for a constant column
    for (Index j = 0; j < scales_.size(); ++j) {
      const double second_derivative = curvature_ * variances_[j] + squared;
      if (variances_[j] > 0.0) scales_[j] = 1.0 / std::sqrt(second_derivative);
    }
    intercept_scale_ = 1.0 / std::sqrt(curvature_);
    std::vector<double> point(static_cast<std::size_t>((coef_.rows() + 1) * n_outputs_));
    Eigen::Map<Matrix> scaled(point.data(), coef_.rows() + 1, n_outputs_);
    for (Index j = 0; j < coef_.rows(); ++j) {
      scaled.row(j) = scales_[j] > 0.0 ? RowVector(coef_.row(j) / scales_[j])
                                       : RowVector(RowVector::Zero(n_outputs_));
    }
    scaled.bottomRows(1) = intercept_ / intercept_scale_;
    const SmoothFunction function{
        [this](const std::vector<double>& at, std::vector<double>& gradient) {
          return evaluate(at, gradient);
        },
        [this](const std::vector<double>& gradient) { return gradient_norm(gradient); }};
    const LbfgsResult result =
        minimise_lbfgs(function, {max_iterations, tolerance, weights_of(absolute)}, point);
    unscale(point);
    return result;
  }

 private:
  /// What |scaled coefficient| costs; nothing for intercepts.
  std::vector<double> weights_of(double absolute) const {
    if (absolute == 0.0) return {};
    std::vector<double> weights(static_cast<std::size_t>((coef_.rows() + 1) * n_outputs_), 0.0);
    Eigen::Map<Matrix>(weights.data(), coef_.rows() + 1, n_outputs_).topRows(coef_.rows()) =
        (absolute * scales_.array() * variances_.transpose().array().sqrt())
            .matrix()
            .replicate(1, n_outputs_);
    return weights;
  }

  void unscale(const std::vector<double>& point) {
    const Eigen::Map<const Matrix> scaled(point.data(), coef_.rows() + 1, n_outputs_);
    coef_ = scales_.asDiagonal() * scaled.topRows(coef_.rows());
    intercept_ = scaled.bottomRows(1) * intercept_scale_;
  }

  double evaluate(const std::vector<double>& point, std::vector<double>& gradient) {
    unscale(point);
    const Index d = coef_.rows();
    Eigen::Map<Matrix> scaled_gradient(gradient.data(), d + 1, n_outputs_);
    double loss = 0.0;
    products_.begin(coef_, intercept_);
    try {
      for_blocks(rows_, weights_.size(), products_.width(), [&](Index begin, Index count) {
        products_.outputs(begin, count, outputs_);
        loss += target_.to_errors(begin, weights_, outputs_);
        products_.add(begin, count, outputs_);
      });
    } catch (const Stopped&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    products_.end(scaled_gradient);
    scaled_gradient.topRows(d) += penalty_ * coef_;
    scaled_gradient.topRows(d) = scales_.asDiagonal() * scaled_gradient.topRows(d).eval();
    scaled_gradient.bottomRows(1) *= intercept_scale_;
    return loss + 0.5 * penalty_ * coef_.squaredNorm();
  }

  double gradient_norm(const std::vector<double>& gradient) const {
    const Eigen::Map<const Matrix> scaled(gradient.data(), coef_.rows() + 1, n_outputs_);
    double norm = scaled.bottomRows(1).cwiseAbs().maxCoeff() / intercept_scale_;
    for (Index j = 0; j < coef_.rows(); ++j) {
      if (!(scales_[j] > 0.0)) continue;
      const double to_standardised = 1.0 / (scales_[j] * std::sqrt(variances_[j]));
      norm = std::max(norm, scaled.row(j).cwiseAbs().maxCoeff() * to_standardised);
    }
    return norm;
  }

  const LinearRows<Value>& rows_;
  const Target& target_;
  const Index n_outputs_;
  const double curvature_;
  Vector weights_;       // (n_rows), sum 1
  RowVector means_;      // (n_columns)
  RowVector variances_;  // (n_columns)
  Products<Value> products_;
  double penalty_ = 0.0;
  Vector scales_;  // (n_columns): coefficient = scale * scaled coefficient; 0 for a constant column
  double intercept_scale_ = 1.0;
  Matrix coef_;          // (n_columns, n_outputs), for centred columns
  RowVector intercept_;  // (n_outputs), for centred columns
  Matrix outputs_;       // of a block of rows
};

/// Throws std::invalid_argument where options break their rules; gives `absolute` in full.
inline std::vector<double> checked_absolute(const DescentOptions& options) {
  require(options.max_iterations >= 1,
          "max_iterations must be >= 1, got " + std::to_string(options.max_iterations));
  require(options.tolerance > 0.0,
          "tolerance must be > 0, got " + std::to_string(options.tolerance));
  check_penalties(options.squared, "penalties");
  check_penalties(options.absolute, "l1_penalties");
  if (options.absolute.empty()) return std::vector<double>(options.squared.size(), 0.0);
  require(options.absolute.size() == options.squared.size(),
          "l1_penalties must be as many as penalties, " + std::to_string(options.squared.size()) +
              ", got " + std::to_string(options.absolute.size()));
  return options.absolute;
}

template <typename Value, typename Target>
void solve_path(const LinearRows<Value>& rows, const Target& target, const DescentOptions& options,
                const std::vector<double>& absolute, LinearPath& path) {
  PenalisedLoss<Value, Target> loss(rows, target);
  std::vector<std::size_t> order(options.squared.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(absolute[a], options.squared[a]) > std::pair(absolute[b], options.squared[b]);
  });
  const auto n_outputs = static_cast<std::size_t>(target.n_outputs());
  for (std::size_t p : order) {
    if (!path.stopped) {
      const LbfgsResult result =
          loss.minimise(options.squared[p], absolute[p], options.max_iterations, options.tolerance);
      path.converged[p] = result.converged;
      path.n_iterations[p] = std::max(result.n_iterations, result.stopped ? 0 : 1);
      path.stopped = result.stopped;
    }
    loss.write(&path.coef[p * rows.n_columns * n_outputs], &path.intercept[p * n_outputs]);
  }
}

/// All models of the options, each started at the next stronger one.
template <typename Value, typename Target>
LinearPath descend(const LinearRows<Value>& rows, const Target& target,
                   const DescentOptions& options) {
  const std::vector<double> absolute = checked_absolute(options);
  const std::size_t n = options.squared.size();
  const auto n_outputs = static_cast<std::size_t>(target.n_outputs());
  LinearPath path{std::vector<double>(n * rows.n_columns * n_outputs, 0.0),
                  std::vector<double>(n * n_outputs, 0.0), std::vector<char>(n, 0),
                  std::vector<int>(n, 0), false};
  try {
    solve_path(rows, target, options, absolute, path);
  } catch (const Stopped&) {
    path.stopped = true;
  }
  return path;
}

}  // namespace automs::closed_form
