// Step number -> learning rate, weight decay, dropout.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/candidate.hpp"

namespace automs {

constexpr double kPi = 3.14159265358979323846;

/// The schedule's factor at t in [0, 1], the share of all steps that is done.
///   coslog4   (1 - cos(2 pi log2(1 + 15 t))) / 2: four cycles that end at t = 1/15, 3/15, 7/15, 1
///             (Holzmueller, Grinsztajn, Steinwart 2024, arXiv 2407.04491, section 3)
///   flat_cos  1 until t = 1/2, then half a cosine down to 0
inline double schedule_factor(Schedule schedule, double t) {
  switch (schedule) {
    case Schedule::constant:
      return 1.0;
    case Schedule::cosine:
      return 0.5 * (1.0 + std::cos(kPi * t));
    case Schedule::coslog4:
      return 0.5 * (1.0 - std::cos(2.0 * kPi * std::log2(1.0 + 15.0 * t)));
    case Schedule::flat_cos:
      return t < 0.5 ? 1.0 : 0.5 * (1.0 + std::cos(kPi * (2.0 * t - 1.0)));
  }
  return 1.0;
}

/// What the schedules set for one step.
struct StepSettings {
  double learning_rate;
  double weight_decay;
  double dropout;
};

/// The settings of step `step` (from 0) of `n_steps`. Taken at the middle of the step, so that a
/// schedule that starts or ends at 0 wastes no step.
inline StepSettings step_settings(const Candidate& candidate, std::int64_t step,
                                  std::int64_t n_steps) {
  const double t = (static_cast<double>(step) + 0.5) / static_cast<double>(n_steps);
  return {
      candidate.learning_rate * schedule_factor(candidate.learning_rate_schedule, t),
      candidate.optimizer.weight_decay * schedule_factor(candidate.weight_decay_schedule, t),
      candidate.dropout * schedule_factor(candidate.dropout_schedule, t),
  };
}

/// With fewer validation rows than these the best of many epochs owes much to chance.
constexpr std::size_t kFewValidationRows = 1000;

/// Whether weights may be chosen at the end of this epoch, from 1. With few validation rows and a
/// schedule that comes down to 0 these are the ends of coslog4's cycles, and for cosine the same.
/// Under other schedules, and with patience, it is every epoch.
inline bool is_choosable(const Candidate& candidate, std::size_t n_validation_rows, int epoch) {
  if (n_validation_rows >= kFewValidationRows) return true;
  const Schedule schedule = candidate.learning_rate_schedule;
  const bool falls = schedule == Schedule::coslog4 || schedule == Schedule::cosine;
  if (!falls || candidate.patience > 0 || epoch == candidate.epochs) return true;
  for (const double share : {1.0 / 15.0, 3.0 / 15.0, 7.0 / 15.0}) {
    const double nearest = std::nearbyint(share * candidate.epochs);
    if (epoch == std::max(static_cast<int>(nearest), 1)) return true;
  }
  return false;
}

}  // namespace automs
