// Binned columns, width of the first layer, rows of a step -> where their weights and tables lie.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/check.hpp"

namespace automs {

// One-hot: a value in slot b has the feature 1 there, and 0 elsewhere. The product with rows w of
// the first layer's weights is w_b: a row of the data needs one of them.
//
// Piecewise: a value in bin b, at fraction t of its width, has as features +1 for the bins below b,
// 2t - 1 for b, -1 for those above. Their product with w is (1 - t) E_b + t E_{b+1}, where E_k, the
// sum of what value k's knot gives, is (w_0 + ... + w_{k-1}) - (w_k + ... ). So a row of the data
// needs two rows of a table of E.

/// What the features of a column are made of.
enum class Bins : int { piecewise = 0, one_hot = 1 };

/// The features of one column: `n_bins` of the encoding's, from `first_feature` on. Slots of a
/// one-hot column are its bins.
struct BinnedColumn {
  int first_feature;
  int n_bins;
  Bins kind = Bins::piecewise;
};

/// Numbers of bins and of rows in a table are kept in 16 bits.
constexpr int kMostBins = 60000;

/// Columns [first, last) of one kind, whose tables lie behind each other and share the L1 cache
/// with a tile's rows. The table of one-hot columns is their part of the first layer's weights.
struct BinnedGroup {
  Bins kind;
  int first;
  int last;
  int n_rows;  // of the group's table
};

/// Vectors of units that go through a group's table together.
constexpr int kKnotVectors = 4;

/// The first two rows of every group's table of knots are zero: those of a missing value.
constexpr int kMissingRows = 2;

/// Stands for the row of a value that has none of its column's slots.
constexpr std::uint16_t kNoRow = 0xFFFF;

/// The view's columns in an order of their own, those of one kind together. The weights of the c-th
/// are rows [first_rows[c], first_rows[c] + n_bins[c]) of the first layer.
struct BinnedLayout {
  std::vector<int> numbers;  // of the columns in the view
  std::vector<std::uint16_t> n_bins;
  std::vector<std::uint16_t> first_table_rows;  // row of a column's first bin in its group's table
  std::vector<int> first_rows;
  std::vector<BinnedGroup> groups;
  int n_features = 0;              // of all columns
  int n_knot_rows = kMissingRows;  // of the largest group's table of knots; slots need one
  bool tables = false;  // whether the first layer adds up table rows; else features are written out

  std::size_t size() const { return n_bins.size(); }
  bool empty() const { return n_bins.empty(); }
  /// Features that a tile's input holds.
  int n_expanded() const { return tables ? 0 : n_features; }
};

namespace detail {

// Measured, in units of what a bin of a row takes as a dense feature, both passes: a value of a row
// by table, and a bin of a step for the sums that make a table of knots and take its gradient
// apart.
constexpr double kValueCost = 4.2;
constexpr double kBinCost = 5.0;
// The same of a one-hot column, whose gradient is set to zero first.
constexpr double kSlotValueCost = 3.6;
constexpr double kSlotCost = 1.0;

}  // namespace detail

/// Whether `rows_of_step` rows (of a mini-batch or a tile) take less time by table than as dense
/// features. The only place that decides it: it looks at shapes alone.
inline bool tables_pay(const std::vector<BinnedColumn>& columns, int rows_of_step) {
  double by_table = 0.0;
  double dense = 0.0;
  for (const BinnedColumn& column : columns) {
    const bool slots = column.kind == Bins::one_hot;
    by_table += (slots ? detail::kSlotValueCost : detail::kValueCost) * rows_of_step +
                (slots ? detail::kSlotCost : detail::kBinCost) * column.n_bins;
    dense += static_cast<double>(rows_of_step) * column.n_bins;
  }
  return by_table < dense;
}

/// Adds a column to the last group, or to a new one where it is of another kind, or where the table
/// would have more than `kRows` rows.
inline void add_to_group(BinnedLayout& layout, int place, const BinnedColumn& column) {
  constexpr int kRows = 192;
  const bool slots = column.kind == Bins::one_hot;
  const int n_rows = column.n_bins + (slots ? 0 : 1);
  const bool fits = !layout.groups.empty() && layout.groups.back().kind == column.kind &&
                    layout.groups.back().n_rows + n_rows <= kRows;
  if (!fits) layout.groups.push_back({column.kind, place, place, slots ? 0 : kMissingRows});
  BinnedGroup& group = layout.groups.back();
  layout.first_table_rows.push_back(static_cast<std::uint16_t>(group.n_rows));
  group.n_rows += n_rows;
  ++group.last;
  if (!slots) layout.n_knot_rows = std::max(layout.n_knot_rows, group.n_rows);
}

/// `first_row`: of the first layer's weights, from which on those of binned columns lie.
inline BinnedLayout lay_out_binned(const std::vector<BinnedColumn>& columns, int first_row,
                                   int rows_of_step) {
  BinnedLayout layout;
  for (const Bins kind : {Bins::piecewise, Bins::one_hot}) {
    for (std::size_t number = 0; number < columns.size(); ++number) {
      const BinnedColumn& column = columns[number];
      if (column.kind != kind) continue;
      add_to_group(layout, static_cast<int>(layout.size()), column);
      layout.numbers.push_back(static_cast<int>(number));
      layout.n_bins.push_back(static_cast<std::uint16_t>(column.n_bins));
      layout.first_rows.push_back(first_row + layout.n_features);
      layout.n_features += column.n_bins;
    }
  }
  layout.tables = tables_pay(columns, rows_of_step);
  return layout;
}

/// Checks that the columns' features follow each other among `n_dense` others.
inline void check_binned(const std::vector<BinnedColumn>& columns, int n_dense) {
  int next = 0;
  int others = 0;
  for (const BinnedColumn& column : columns) {
    require(column.n_bins >= 1 && column.n_bins <= kMostBins,
            "binned must have bins from 1 to " + std::to_string(kMostBins) + ", got " +
                std::to_string(column.n_bins));
    require(column.first_feature >= next && column.first_feature - next <= n_dense - others,
            "binned must have features that follow each other, within those of the encoding, "
            "got first feature " +
                std::to_string(column.first_feature));
    others += column.first_feature - next;
    next = column.first_feature + column.n_bins;
  }
}

/// The row of the first layer's weights for each of its inputs in the encoding's order, which has
/// the vectors of embedded columns (`n_vector_values`) last: dense features come first, then
/// vectors, then the bins as they are laid out.
inline std::vector<int> rows_of_inputs(const std::vector<BinnedColumn>& columns,
                                       const BinnedLayout& layout, int n_dense,
                                       int n_vector_values) {
  std::vector<int> first_rows(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    first_rows[static_cast<std::size_t>(layout.numbers[c])] = layout.first_rows[c];
  }
  std::vector<int> rows;
  int dense = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    while (static_cast<int>(rows.size()) < columns[c].first_feature) rows.push_back(dense++);
    for (int b = 0; b < columns[c].n_bins; ++b) rows.push_back(first_rows[c] + b);
  }
  for (int i = dense; i < n_dense + n_vector_values; ++i) rows.push_back(i);
  return rows;
}

}  // namespace automs
