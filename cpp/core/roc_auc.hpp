// ranking values and which rows are positive -> area under the ROC curve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace automs {

/// One row to be ranked: its value as an integer of the same order, its weight with the class as
/// sign (positive class > 0, the rest < 0).
struct RankedRow {
  std::uint64_t key;
  double signed_weight;
};

/// Buffers for ranking, reused from call to call.
struct RocAucWorkspace {
  std::vector<RankedRow> rows;
  std::vector<RankedRow> scratch;
  std::vector<std::uint32_t> bucket_starts;
};

/// Area under the ROC curve of `values` (n_rows, `stride` apart, without NaN) for the rows whose y
/// (n_rows) equals `positive_class`, against all others; `weights` (n_rows) may be null. Equal
/// values count half. NaN where either side has no weight.
double roc_auc(const double* values, std::size_t stride, const double* y, double positive_class,
               const double* weights, std::size_t n_rows, RocAucWorkspace& workspace);

}  // namespace automs
