// rows and coefficients -> outputs, and errors -> the gradient (internal to closed_form).
#pragma once

#include <cstddef>
#include <vector>

#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"

namespace automs::closed_form {

/// Products of centred rows, block by block. A value of a binned column takes two rows of a table,
/// see binned_layout.hpp, instead of a product for each of its bins; what centring takes from these
/// is the same for all rows, and counted once. A slot takes one row.
template <typename Value>
class Products {
 public:
  Products(const LinearRows<Value>& rows, const RowVector& means, Index n_outputs)
      : rows_(rows), dense_rows_(rows), means_(means), n_outputs_(n_outputs) {
    Index feature = 0, knot = kMissing + 2;
    for (const BinnedColumn& column : rows.binned.columns) {
      for (; feature < column.first_feature; ++feature) dense_.push_back(feature);
      first_knots_.push_back(knot);
      knot += column.n_bins + 1;
      feature += column.n_bins;
    }
    for (; feature < means.size(); ++feature) dense_.push_back(feature);
    knots_ = Matrix::Zero(knot, n_outputs);
    dense_rows_.binned = {};
    dense_rows_.n_columns = dense_.size();
    dense_means_ = means(dense_);
  }

  /// Values that a row takes.
  Index width() const { return static_cast<Index>(dense_.size() + first_knots_.size()); }

  /// Takes coefficients (n_columns, n_outputs) and intercepts of centred columns, and forgets
  /// errors.
  void begin(const Matrix& coef, const RowVector& intercept) {
    dense_coef_ = coef(dense_, Eigen::all);
    offset_ = intercept;
    for (std::size_t c = 0; c < first_knots_.size(); ++c) {
      const auto [first, n_bins, kind] = rows_.binned.columns[c];
      const auto own = coef.middleRows(first, n_bins);
      offset_ -= means_.segment(first, n_bins) * own;
      if (kind == Bins::one_hot) {
        knots_.middleRows(first_knots_[c], n_bins) = own;
        continue;
      }
      knots_.row(first_knots_[c]) = -own.colwise().sum();
      for (Index b = 0; b < n_bins; ++b) {
        knots_.row(first_knots_[c] + b + 1) = knots_.row(first_knots_[c] + b) + 2.0 * own.row(b);
      }
    }
    dense_gradient_ = Matrix::Zero(dense_coef_.rows(), n_outputs_);
    knot_gradient_ = Matrix::Zero(knots_.rows(), n_outputs_);
    sum_ = RowVector::Zero(n_outputs_);
  }

  /// Outputs (count, n_outputs) of rows [begin, begin + count).
  void outputs(Index begin, Index count, Matrix& out) {
    load_rows(dense_rows_, begin, count, dense_means_.data(), block_);
    out.noalias() = block_ * dense_coef_;
    out.rowwise() += offset_;
    for_values(begin, count, [&](Index i, Index first, double share) {
      const double* row = knots_.data() + first * n_outputs_;
      double* to = out.data() + i * n_outputs_;
      for (Index j = 0; j < n_outputs_; ++j) to[j] += (1.0 - share) * row[j];
      if (share == 0.0) return;
      for (Index j = 0; j < n_outputs_; ++j) to[j] += share * row[n_outputs_ + j];
    });
  }

  /// Adds the errors (count, n_outputs) of the rows that `outputs` was last asked for.
  void add(Index begin, Index count, const Matrix& errors) {
    dense_gradient_.noalias() += block_.transpose() * errors;
    sum_ += errors.colwise().sum();
    for_values(begin, count, [&](Index i, Index first, double share) {
      const double* error = errors.data() + i * n_outputs_;
      double* row = knot_gradient_.data() + first * n_outputs_;
      for (Index j = 0; j < n_outputs_; ++j) row[j] += (1.0 - share) * error[j];
      if (share == 0.0) return;
      for (Index j = 0; j < n_outputs_; ++j) row[n_outputs_ + j] += share * error[j];
    });
  }

  /// Gives the gradient by the coefficients and, below, by the intercepts.
  template <typename Gradient>
  void end(Gradient&& gradient) const {
    for (std::size_t i = 0; i < dense_.size(); ++i) {
      gradient.row(dense_[i]) = dense_gradient_.row(static_cast<Index>(i));
    }
    for (std::size_t c = 0; c < first_knots_.size(); ++c) {
      const auto [first, n_bins, kind] = rows_.binned.columns[c];
      const auto own = knot_gradient_.middleRows(first_knots_[c], n_bins + 1);
      if (kind == Bins::one_hot) {
        gradient.middleRows(first, n_bins) =
            own.topRows(n_bins) - means_.segment(first, n_bins).transpose() * sum_;
        continue;
      }
      RowVector difference = own.colwise().sum();  // knots above a bin less those below it
      for (Index b = 0; b < n_bins; ++b) {
        difference -= 2.0 * own.row(b);
        gradient.row(first + b) = difference - means_[first + b] * sum_;
      }
    }
    gradient.row(means_.size()) = sum_;
  }

 private:
  /// The first of two rows of the tables that stay 0.
  static constexpr Index kMissing = 0;

  /// Calls visit(row of the block, row of the tables, how far from there to the next).
  template <typename Visit>
  void for_values(Index begin, Index count, Visit visit) const {
    const BinnedRows<Value>& binned = rows_.binned;
    const std::size_t n = first_knots_.size();
    for (Index i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(begin + i);
      const std::size_t row =
          n * (rows_.numbers ? static_cast<std::size_t>(rows_.numbers[at]) : at);
      for (std::size_t c = 0; c < n; ++c) {
        const int bin = binned.bins[row + c];
        const BinnedColumn& column = binned.columns[c];
        const bool missing = bin == column.n_bins;
        const auto share = static_cast<double>(binned.fractions[row + c]);
        visit(i, missing ? kMissing : first_knots_[c] + bin,
              column.kind == Bins::one_hot ? 0.0 : share);
      }
    }
  }

  const LinearRows<Value>& rows_;
  LinearRows<Value> dense_rows_;
  const RowVector& means_;
  const Index n_outputs_;
  std::vector<Index> dense_;        // columns that are not binned
  std::vector<Index> first_knots_;  // of each binned column, or slots
  RowVector dense_means_;
  RowVector offset_, sum_;
  Matrix dense_coef_, dense_gradient_;
  Matrix knots_, knot_gradient_;
  Matrix block_;
};

}  // namespace automs::closed_form
