#include "core/ensemble.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "core/check.hpp"
#include "core/parallel.hpp"

namespace automs {
namespace {

constexpr double kTieTolerance = 1e-9;  // relative; above rounding, below what a metric can tell
constexpr double kSerialValues = 1e5;   // a step of fewer values is over before threads have met
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool is_better(double score, double than) {
  return score > than + kTieTolerance * std::fabs(than) || (std::isinf(than) && score > than);
}

// One thread's buffers.
struct Lane {
  std::vector<double> average;
  MetricWorkspace workspace;
};

class GreedySelection {
 public:
  GreedySelection(const std::vector<const double*>& predictions, const ScoredRows& rows,
                  const EnsembleOptions& options)
      : predictions_(predictions),
        rows_(rows),
        options_(options),
        n_values_(rows.n_rows * rows.n_columns),
        sum_(n_values_, 0.0),
        scores_(predictions.size(), kNaN),
        counts_(predictions.size(), 0),
        excluded_(predictions.size(), 0),
        lanes_(static_cast<std::size_t>(options.n_threads)) {
    for (Lane& lane : lanes_) lane.average.resize(n_values_);
  }

  EnsembleResult run() {
    EnsembleResult best{std::vector<double>(predictions_.size(), 0.0), kNaN, 0};
    for (int step = 0; step < options_.max_steps; ++step) {
      const bool finished = score_members(step);
      if (!finished && step > 0) break;
      if (step == 0) exclude_undefined();
      const std::size_t chosen = choose();
      if (chosen == predictions_.size()) break;
      add(chosen);
      if (best.n_steps == 0 || is_better(scores_[chosen], best.score)) {
        best.score = scores_[chosen];
        best.n_steps = step + 1;
        for (std::size_t m = 0; m < counts_.size(); ++m) {
          best.weights[m] = static_cast<double>(counts_[m]) / (step + 1);
        }
      }
      if (!finished) break;
    }
    return best;
  }

 private:
  // Scores the average with each member added; false where a stop came. The first step scores at
  // least one member even then.
  bool score_members(int step) {
    std::fill(scores_.begin(), scores_.end(), kNaN);
    const std::size_t n_members = predictions_.size();
    const double n_values = static_cast<double>(n_members) * static_cast<double>(n_values_);
    std::atomic<int> n_scored{step};
    const auto look = [&] {
      if (options_.should_stop && options_.should_stop()) stopped_.store(true);
    };
    parallel_for(
        n_members, n_values < kSerialValues ? 1 : options_.n_threads,
        [&](std::size_t member, int thread) {
          if (stopped_.load() && n_scored.load() > 0) return;
          score_member(member, step, lanes_[static_cast<std::size_t>(thread)]);
          n_scored.fetch_add(1);
          if (thread == 0) look();
        },
        look);
    return !stopped_.load();
  }

  void score_member(std::size_t member, int step, Lane& lane) {
    if (excluded_[member]) return;
    const double scale = 1.0 / (step + 1);
    const double* added = predictions_[member];
    double* average = lane.average.data();
    for (std::size_t i = 0; i < n_values_; ++i) average[i] = (sum_[i] + added[i]) * scale;
    ScoredRows rows = rows_;
    rows.predictions = average;
    scores_[member] = score(options_.metric, rows, lane.workspace);
  }

  // A member that cannot be scored alone (a NaN prediction) would spoil every average.
  void exclude_undefined() {
    for (std::size_t m = 0; m < scores_.size(); ++m) excluded_[m] = std::isnan(scores_[m]);
  }

  // The best member's index by the rule for ties, or the number of members where none is defined.
  std::size_t choose() const {
    const std::size_t none = scores_.size();
    double top = kNaN;
    for (double s : scores_) {
      if (!std::isnan(s) && !(s <= top)) top = s;
    }
    std::size_t first = none;
    for (std::size_t m = 0; m < none; ++m) {
      if (std::isnan(scores_[m]) || is_better(top, scores_[m])) continue;
      if (counts_[m] > 0) return m;
      if (first == none) first = m;
    }
    return first;
  }

  void add(std::size_t member) {
    ++counts_[member];
    const double* added = predictions_[member];
    for (std::size_t i = 0; i < n_values_; ++i) sum_[i] += added[i];
  }

  const std::vector<const double*>& predictions_;
  const ScoredRows& rows_;
  const EnsembleOptions& options_;
  const std::size_t n_values_;
  std::vector<double> sum_;
  std::vector<double> scores_;
  std::vector<int> counts_;
  std::vector<char> excluded_;
  std::vector<Lane> lanes_;
  std::atomic<bool> stopped_{false};
};

}  // namespace

EnsembleResult greedy_ensemble(const std::vector<const double*>& predictions,
                               const ScoredRows& rows, const EnsembleOptions& options) {
  require(!predictions.empty(), "predictions must hold >= 1 member, got 0");
  require(options.max_steps >= 1,
          "max_steps must be >= 1, got " + std::to_string(options.max_steps));
  require(options.n_threads >= 1,
          "n_threads must be >= 1, got " + std::to_string(options.n_threads));
  return GreedySelection(predictions, rows, options).run();
}

}  // namespace automs
