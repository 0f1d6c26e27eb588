// A function that adds jobs -> checks that threads, pauses and exports do not change their bits.
#pragma once

#include <cstddef>
#include <vector>

#include "check.hpp"
#include "core/train_jobs.hpp"

namespace job_runs {

using namespace automs;

inline void run_all(TrainJobs& jobs, int until, int n_threads) {
  std::vector<JobRequest> requests;
  for (std::size_t job = 0; job < jobs.n_jobs(); ++job) requests.push_back({job, until});
  Stop stop;
  jobs.run(requests, n_threads, Metric::rmse, stop);
}

/// `add` puts the same jobs, of five epochs, into each of several TrainJobs.
template <typename Add>
void check_that_bits_stay(Add&& add) {
  TrainJobs whole, threaded, paused, imported;
  for (TrainJobs* jobs : {&whole, &threaded, &paused, &imported}) add(*jobs);
  run_all(whole, 5, 1);
  run_all(threaded, 5, 3);
  run_all(paused, 2, 1);
  for (std::size_t job = 0; job < imported.n_jobs(); ++job) {
    imported.import_state(job, paused.export_state(job));
    CHECK(imported.state(job).weights == paused.state(job).weights);
    CHECK(paused.state(job).weights.size() == paused.n_values(job));
  }
  run_all(paused, 5, 2);
  run_all(imported, 5, 1);
  for (std::size_t job = 0; job < whole.n_jobs(); ++job) {
    for (const TrainJobs* jobs : {&threaded, &paused, &imported}) {
      CHECK(jobs->state(job).chosen_weights() == whole.state(job).chosen_weights());
      CHECK(jobs->state(job).validation_score == whole.state(job).validation_score);
    }
  }
}

}  // namespace job_runs
