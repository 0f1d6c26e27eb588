// Piecewise columns, width of the first layer, rows of a step -> where their weights and knots lie.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/check.hpp"
#include "core/types.hpp"

namespace automs {

// A value in bin b, at fraction t of its width, has as features +1 for the bins below b, 2t - 1 for
// b, -1 for those above. Their product with rows w of the first layer's weights is
// (1 - t) E_b + t E_{b+1}, where E_k, the sum of what value k's knot gives, is
// (w_0 + ... + w_{k-1}) - (w_k + ... ). So a row of the data needs two rows of a table of E.

/// The features of one column: `n_bins` of the encoding's, from `first_feature` on.
struct PiecewiseColumn {
  int first_feature;
  int n_bins;
};

/// Numbers of bins and of rows in a table are kept in 16 bits.
constexpr int kMostBins = 60000;

/// Columns [first, last), whose tables lie behind each other and share the L1 cache with a tile's
/// rows.
struct KnotGroup {
  int first;
  int last;
  int n_rows;  // of the group's table
};

/// Vectors of units that go through a group's table together.
constexpr int kKnotVectors = 4;

/// The first two rows of every group's table are zero: those of a missing value.
constexpr int kMissingRows = 2;

/// The weights of column c are rows [first_rows[c], first_rows[c] + n_bins[c]) of the first layer.
struct PiecewiseLayout {
  std::vector<std::uint16_t> n_bins;
  std::vector<std::uint16_t> first_knots;  // row of a column's first knot in its group's table
  std::vector<int> first_rows;
  std::vector<KnotGroup> groups;
  int n_features = 0;   // of all columns
  int n_knot_rows = 0;  // of the largest group's table
  bool tables = false;  // whether the first layer adds up table rows; else features are written out

  std::size_t size() const { return n_bins.size(); }
  bool empty() const { return n_bins.empty(); }
  /// Features that a tile's input holds.
  int n_expanded() const { return tables ? 0 : n_features; }
};

namespace detail {

// Measured, in units of what a bin of a row takes as a dense feature, both passes: a value of a row
// by table, and a bin of a step for the sums that make the table and take its gradient apart.
constexpr double kValueCost = 4.2;
constexpr double kBinCost = 5.0;

}  // namespace detail

/// Whether `rows_of_step` rows (of a mini-batch or a tile) take less time by table than as dense
/// features. The only place that decides it: it looks at shapes alone.
inline bool tables_pay(const std::vector<PiecewiseColumn>& columns, int rows_of_step) {
  double by_table = 0.0;
  double dense = 0.0;
  for (const PiecewiseColumn& column : columns) {
    by_table += detail::kValueCost * rows_of_step + detail::kBinCost * column.n_bins;
    dense += static_cast<double>(rows_of_step) * column.n_bins;
  }
  return by_table < dense;
}

/// Cuts the columns into groups whose tables have at most `kRows` rows, but for a longer column.
inline void add_groups(PiecewiseLayout& layout) {
  constexpr int kRows = 192;
  for (std::size_t c = 0; c < layout.size(); ++c) {
    const int n_knots = layout.n_bins[c] + 1;
    if (layout.groups.empty() || layout.groups.back().n_rows + n_knots > kRows) {
      layout.groups.push_back({static_cast<int>(c), static_cast<int>(c), kMissingRows});
    }
    KnotGroup& group = layout.groups.back();
    layout.first_knots.push_back(static_cast<std::uint16_t>(group.n_rows));
    group.n_rows += n_knots;
    ++group.last;
    layout.n_knot_rows = std::max(layout.n_knot_rows, group.n_rows);
  }
}

/// `first_row`: of the first layer's weights, from which on those of piecewise columns lie.
inline PiecewiseLayout lay_out_piecewise(const std::vector<PiecewiseColumn>& columns, int first_row,
                                         int rows_of_step) {
  PiecewiseLayout layout;
  for (const PiecewiseColumn& column : columns) {
    layout.n_bins.push_back(static_cast<std::uint16_t>(column.n_bins));
    layout.first_rows.push_back(first_row + layout.n_features);
    layout.n_features += column.n_bins;
  }
  add_groups(layout);
  layout.tables = tables_pay(columns, rows_of_step);
  return layout;
}

/// Checks that the columns' features follow each other among `n_dense` others.
inline void check_piecewise(const std::vector<PiecewiseColumn>& columns, int n_dense) {
  int next = 0;
  int others = 0;
  for (const PiecewiseColumn& column : columns) {
    require(column.n_bins >= 1 && column.n_bins <= kMostBins,
            "piecewise must have bins from 1 to " + std::to_string(kMostBins) + ", got " +
                std::to_string(column.n_bins));
    require(column.first_feature >= next && column.first_feature - next <= n_dense - others,
            "piecewise must have features that follow each other, within those of the encoding, "
            "got first feature " +
                std::to_string(column.first_feature));
    others += column.first_feature - next;
    next = column.first_feature + column.n_bins;
  }
}

/// The row of the first layer's weights for each of its inputs in the encoding's order, which has
/// the vectors of embedded columns (`n_vector_values`) last: dense features come first, then
/// vectors, then the bins.
inline std::vector<int> rows_of_inputs(const std::vector<PiecewiseColumn>& columns, int n_dense,
                                       int n_vector_values) {
  std::vector<int> rows;
  int dense = 0;
  int bin = n_dense + n_vector_values;
  for (const PiecewiseColumn& column : columns) {
    while (static_cast<int>(rows.size()) < column.first_feature) rows.push_back(dense++);
    for (int b = 0; b < column.n_bins; ++b) rows.push_back(bin++);
  }
  for (int i = dense; i < n_dense + n_vector_values; ++i) rows.push_back(i);
  return rows;
}

}  // namespace automs
