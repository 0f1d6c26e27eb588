// Nothing -> State: everything that training one candidate on one fold has come to, as a value.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "core/types.hpp"

namespace automs {

enum class JobState : int {
  paused = 0,     // reached the epoch asked for; may go on
  complete = 1,   // reached its last epoch, or its patience ran out
  diverged = 2,   // a loss or weight is not finite any more
  timed_out = 3,  // cut by the deadline at the end of some epoch
  stopped = 4,    // cut by an interruption
};

/// Stands at the end of an epoch always: an epoch that was cut leaves no trace. With the same
/// candidate and view, training on from here gives the bits of an uninterrupted run.
template <typename Scalar>
struct State {
  JobState state = JobState::paused;
  std::int32_t epoch = 0;       // finished epochs
  std::int32_t best_epoch = 0;  // whose weights are in best_weights; 0: none yet
  double best_score = std::numeric_limits<double>::quiet_NaN();  // NaN: none, or undefined
  double chosen_by = -std::numeric_limits<double>::infinity();   // the score, else minus the loss
  AlignedVector<Scalar> weights;                                 // padded layout of `Network`
  AlignedVector<Scalar> first_moment;
  AlignedVector<Scalar> second_moment;   // empty for SGD
  AlignedVector<Scalar> best_weights;    // empty without validation rows
  std::vector<double> train_loss;        // an epoch: mean over rows, while it was being trained
  std::vector<double> validation_loss;   // an epoch, where there are validation rows
  std::vector<double> validation_score;  // an epoch; NaN where no metric is set or it is undefined
  double seconds = 0.0;                  // spent in training, measured

  /// The weights to use: of the best epoch where validation rows chose one, else the last.
  const AlignedVector<Scalar>& chosen_weights() const {
    return best_weights.empty() ? weights : best_weights;
  }

  /// Forgets what only training on would need.
  void settle() {
    forget(first_moment);
    forget(second_moment);
    if (!best_weights.empty()) forget(weights);
  }

  /// Forgets all weights and moments; curves stay.
  void release() {
    settle();
    forget(weights);
    forget(best_weights);
  }

 private:
  static void forget(AlignedVector<Scalar>& values) { AlignedVector<Scalar>().swap(values); }
};

}  // namespace automs
