// the rows of a linear model -> double blocks, weights and column means (internal to closed_form).
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/closed_form.hpp"

namespace automs::closed_form {

using Eigen::Index;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using RowVector = Eigen::RowVectorXd;
template <typename Value>
using InputMap =
    Eigen::Map<const Eigen::Matrix<Value, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

constexpr Index kBlockValues = Index(1) << 14;  // doubles in a block: 128 KB, within L2

/// Stands for "a stop was asked for" on the way out of nested loops; never leaves closed_form.
struct Stopped {};

/// The rows as an Eigen matrix, without a copy.
template <typename Value>
InputMap<Value> map_input(const LinearRows<Value>& rows) {
  return {rows.X, static_cast<Index>(rows.n_rows), static_cast<Index>(rows.n_columns)};
}

/// Calls visit(begin, count) for blocks of `total` rows (or columns) of `width` values each.
template <typename Value, typename Visit>
void for_blocks(const LinearRows<Value>& rows, Index total, Index width, Visit visit) {
  const Index size = std::clamp<Index>(kBlockValues / std::max<Index>(width, 1), 16, 4096);
  for (Index begin = 0; begin < total; begin += size) {
    if (rows.should_stop && rows.should_stop()) throw Stopped();
    visit(begin, std::min(size, total - begin));
  }
}

/// The weights, or ones; throws std::invalid_argument where they are no weights.
template <typename Value>
Vector checked_weights(const LinearRows<Value>& rows) {
  require(rows.n_rows >= 1, "X must have >= 1 row, got 0");
  if (!rows.weights) return Vector::Ones(static_cast<Index>(rows.n_rows));
  const Eigen::Map<const Vector> weights(rows.weights, static_cast<Index>(rows.n_rows));
  require(weights.allFinite() && weights.minCoeff() >= 0.0 && weights.sum() > 0.0,
          "weights must be finite, >= 0, and not all 0");
  return weights;
}

/// Weighted column means. Distances from the first row are averaged, so that a constant column's
/// mean is exact and its centred values are exactly 0.
template <typename Value>
RowVector column_means(const LinearRows<Value>& rows, const Vector& weights) {
  const auto X = map_input(rows);
  const RowVector origin = X.row(0).template cast<double>();
  RowVector sum = RowVector::Zero(X.cols());
  for_blocks(rows, X.rows(), X.cols(), [&](Index begin, Index count) {
    sum += weights.segment(begin, count).transpose() *
           (X.middleRows(begin, count).template cast<double>().rowwise() - origin);
  });
  const RowVector means = origin + sum / weights.sum();
  require(means.allFinite(), "X must be finite, got NaN or infinity");
  return means;
}

/// Throws std::invalid_argument unless every penalty is finite and >= 0.
inline void check_penalties(const std::vector<double>& penalties, const std::string& name) {
  for (double penalty : penalties) {
    require(std::isfinite(penalty) && penalty >= 0.0,
            name + " must be finite and >= 0, got " + std::to_string(penalty));
  }
}

}  // namespace automs::closed_form
