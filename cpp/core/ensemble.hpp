// cached predictions of many members -> the weights of one averaged ensemble.
#pragma once

#include <functional>
#include <vector>

#include "core/metric.hpp"

namespace automs {

/// How greedy selection is run.
struct EnsembleOptions {
  Metric metric;
  int max_steps;                      // >= 1; members are added with replacement, one a step
  int n_threads;                      // >= 1; never changes the result
  std::function<bool()> should_stop;  // may be empty; asked by the calling thread alone, per member
};

struct EnsembleResult {
  std::vector<double> weights;  // (n_members), multiples of 1 / n_steps, sum 1; or all 0
  double score;                 // of the weighted average on the rows it was chosen on
  int n_steps;                  // additions behind the weights
};

/// Greedy forward selection with replacement (Caruana et al. 2004, "Ensemble selection from
/// libraries of models"): each step adds the member that makes the score of the plain average of
/// all additions highest; the weights are those of the first best step. Scores within 1e-9
/// (relative) are ties: they go to members already used, then to the lower index. `predictions`
/// holds a row-major (rows.n_rows, rows.n_columns) array for each member; `rows.predictions` is not
/// read. Members with an undefined score are left out; where every score is undefined the weights
/// are 0, the score is NaN and n_steps is 0. A stop keeps the finished steps, of which the first
/// always has at least one member.
EnsembleResult greedy_ensemble(const std::vector<const double*>& predictions,
                               const ScoredRows& rows, const EnsembleOptions& options);

}  // namespace automs
