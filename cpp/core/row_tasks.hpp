// A predictor, a number of rows, the threads there are -> portions of rows and the threads for
// them.
#pragma once

#include <algorithm>
#include <cstddef>

#include "automs/predictor.hpp"

namespace automs {

// Work is counted in products. One took 8 to 12 ps on a core with AVX-512 at 3 GHz, whether a row
// had 500 parameters or 140,000, once features and rows were counted like this; twice that where
// layers end in tanh or silu.
inline constexpr double kWorkPerRow = 1000.0;    // 10 ns, that a row takes without a parameter
inline constexpr double kWorkPerFeature = 40.0;  // 0.4 ns, to encode one

/// 0.1 ms: what may take longer lets other threads do their work meanwhile.
inline constexpr double kFewWork = 1e7;

/// What each thread must have, 0.2 ms. A thread that still spins comes at once, one that sleeps
/// some ten microseconds later; but where other processes have the cores, the join was seen to wait
/// 8 to 16 ms for a thread that had nothing left to do. That risk is not taken to save less.
inline constexpr double kWorkPerThread = 2e7;

/// 20 us: what a thread waits for the last portion, and often enough to take the next one.
inline constexpr double kWorkPerTask = 2e6;

// A predictor takes 24 rows at once, so portions are multiples of that.
inline constexpr std::size_t kRowsTogether = 24;
inline constexpr std::size_t kMostRowsPerTask = 40 * kRowsTogether;

/// Products that predicting a row takes, what else it takes counted in products.
inline double work_per_row(const Predictor& predictor) {
  return kWorkPerRow + kWorkPerFeature * static_cast<double>(predictor.n_features()) +
         static_cast<double>(predictor.n_parameters());
}

/// Whether predicting so many rows takes so short that a lock may be kept meanwhile.
inline bool are_few(const Predictor& predictor, std::size_t n_rows) {
  return static_cast<double>(n_rows) * work_per_row(predictor) <= kFewWork;
}

/// How rows are handed to threads; the bits of the predictions do not depend on it.
struct RowTasks {
  std::size_t n_rows_each;  // the last task may have less
  std::size_t n_tasks;
  int n_threads;  // at least 1
};

/// At most `n_threads` threads, fewer where the rows are not enough for them.
inline RowTasks plan_row_tasks(const Predictor& predictor, std::size_t n_rows, int n_threads) {
  const double each = work_per_row(predictor);
  const auto wanted = static_cast<std::size_t>(kWorkPerTask / each) / kRowsTogether * kRowsTogether;
  const std::size_t n_rows_each = std::clamp(wanted, kRowsTogether, kMostRowsPerTask);
  const std::size_t n_tasks = n_rows / n_rows_each + (n_rows % n_rows_each != 0 ? 1 : 0);
  const double paying = static_cast<double>(n_rows) * each / kWorkPerThread;
  const double most = std::min({paying, static_cast<double>(n_tasks), double(n_threads)});
  return {n_rows_each, n_tasks, std::max(1, static_cast<int>(most))};
}

}  // namespace automs
