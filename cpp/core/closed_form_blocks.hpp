// the rows of a linear model -> double blocks, weights and column means (internal to closed_form).
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/closed_form.hpp"

namespace automs::closed_form {

using Eigen::Index;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using RowVector = Eigen::RowVectorXd;
constexpr Index kBlockValues = Index(1) << 14;  // doubles in a block: 128 KB, within L2

/// Stands for "a stop was asked for" on the way out of nested loops; never leaves closed_form.
struct Stopped {};

/// The features of a view that are not those of binned columns.
template <typename Value>
std::size_t n_dense_columns(const LinearRows<Value>& rows) {
  std::size_t n = rows.n_columns;
  for (const BinnedColumn& column : rows.binned.columns) {
    n -= static_cast<std::size_t>(column.n_bins);
  }
  return n;
}

template <typename In, typename Out>
void subtract(const In* values, const Out* shift, std::size_t n, Out* out) {
  for (std::size_t j = 0; j < n; ++j) out[j] = static_cast<Out>(values[j]) - shift[j];
}

/// The features of a binned column's value, less the shift: see binned_layout.hpp.
template <typename Out>
void expand_bin(Bins kind, int bin, int n_bins, Out fraction, const Out* shift, Out* out) {
  const bool missing = bin == n_bins;
  if (kind == Bins::one_hot) {
    for (int b = 0; b < n_bins; ++b) out[b] = -shift[b];
    if (!missing) out[bin] += Out(1);
    return;
  }
  const Out below = missing ? Out(0) : Out(1);
  for (int b = 0; b < bin; ++b) out[b] = below - shift[b];
  if (missing) return;
  out[bin] = 2 * fraction - 1 - shift[bin];
  for (int b = bin + 1; b < n_bins; ++b) out[b] = Out(-1) - shift[b];
}

/// Fills `block` with rows [begin, begin + count), from which `shift` (n_columns) is subtracted.
template <typename Value, typename Block>
void load_rows(const LinearRows<Value>& rows, Index begin, Index count,
               const typename Block::Scalar* shift, Block& block) {
  using Out = typename Block::Scalar;
  const BinnedRows<Value>& binned = rows.binned;
  const std::size_t n_binned = binned.columns.size(), n_dense = n_dense_columns(rows);
  block.resize(count, static_cast<Index>(rows.n_columns));
  for (Index i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(begin + i);
    const auto number = rows.numbers ? static_cast<std::size_t>(rows.numbers[at]) : at;
    const Value* dense = rows.X + number * n_dense;
    Out* out = block.data() + i * block.cols();
    std::size_t next = 0;
    for (std::size_t c = 0; c < n_binned; ++c) {
      const auto [first_feature, n_bins, kind] = binned.columns[c];
      const std::size_t n = static_cast<std::size_t>(first_feature) - next;
      subtract(dense, shift + next, n, out + next);
      dense += n;
      next += n;
      const auto fraction = static_cast<Out>(binned.fractions[number * n_binned + c]);
      expand_bin(kind, binned.bins[number * n_binned + c], n_bins, fraction, shift + next,
                 out + next);
      next += static_cast<std::size_t>(n_bins);
    }
    subtract(dense, shift + next, rows.n_columns - next, out + next);
  }
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
  RowVector sum = RowVector::Zero(static_cast<Index>(rows.n_columns));
  Matrix block;
  load_rows(rows, 0, 1, sum.data(), block);
  const RowVector origin = block.row(0);
  for_blocks(rows, weights.size(), origin.size(), [&](Index begin, Index count) {
    load_rows(rows, begin, count, origin.data(), block);
    sum += weights.segment(begin, count).transpose() * block;
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
