// Python's tuples (first feature, number of bins, whether one-hot) -> binned columns.
#pragma once

#include <tuple>
#include <vector>

#include "core/binned_layout.hpp"

namespace automs::bindings {

using BinnedTuple = std::tuple<int, int, bool>;

inline std::vector<BinnedColumn> to_columns(const std::vector<BinnedTuple>& tuples) {
  std::vector<BinnedColumn> columns;
  for (const auto& [first_feature, n_bins, one_hot] : tuples) {
    columns.push_back({first_feature, n_bins, one_hot ? Bins::one_hot : Bins::piecewise});
  }
  return columns;
}

}  // namespace automs::bindings
