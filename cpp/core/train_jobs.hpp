// Candidates, views, how far to train -> trained states: (candidate x fold) jobs over the threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/candidate.hpp"
#include "core/metric.hpp"
#include "core/state.hpp"
#include "core/stop.hpp"
#include "core/view.hpp"

namespace automs {

/// A job and the epoch that it is to reach.
struct JobRequest {
  std::size_t job;
  int until_epoch;
};

/// A layer's weights without padding: W (fan_in, fan_out) row-major, b (fan_out), and of a hidden
/// layer with a parametric activation its a (fan_out).
struct DenseWeights {
  int fan_in;
  int fan_out;
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<float> blend;
};

/// An embedded column's table, (n_rows, size) row-major.
struct TableWeights {
  int n_rows;
  int size;
  std::vector<float> weights;
};

/// A periodic embedding, one value for each feature in every row. `n_columns` is 0 without one.
struct PeriodicWeights {
  int n_columns = 0;
  int n_frequencies = 0;
  int n_outputs = 0;
  std::vector<float> frequencies;  // (n_frequencies, n_columns)
  std::vector<float> weights;      // (n_frequencies, n_outputs, n_columns)
  std::vector<float> phases;       // (n_frequencies, n_columns), radians
  std::vector<float> biases;       // (n_outputs, n_columns)
};

struct NetworkWeights {
  std::vector<TableWeights> embeddings;
  PeriodicWeights periodic;
  std::vector<DenseWeights> layers;
};

/// A state without padding, the same for every CPU level: of each buffer the pieces in the order of
/// portable.hpp. Buffers that the state does not hold are empty.
struct PortableState {
  JobState state = JobState::paused;
  std::int32_t epoch = 0;
  std::int32_t best_epoch = 0;
  double best_score = 0.0;
  double chosen_by = 0.0;
  double seconds = 0.0;
  std::vector<float> weights;
  std::vector<float> first_moment;
  std::vector<float> second_moment;
  std::vector<float> best_weights;
  std::vector<double> train_loss;
  std::vector<double> validation_loss;
  std::vector<double> validation_score;
};

/// Owns the candidates, the jobs and their states; the matrices of the views are the caller's.
/// Which other jobs run, in which order and on how many threads, never changes a job's bits.
class TrainJobs {
 public:
  std::size_t add_view(View<float> view);
  /// Lets go of a view's encoded features: until they are back no job of it trains or is scored.
  void put_away(std::size_t number);
  /// Points a view to the features that it was added with, wherever they are now.
  void bring_back(std::size_t number, const Features<float>& features);
  std::size_t add_candidate(Candidate candidate);
  std::size_t add_job(std::size_t candidate, std::size_t view);

  std::size_t n_jobs() const { return jobs_.size(); }
  const State<float>& state(std::size_t job) const;
  const View<float>& view_of(std::size_t job) const;
  const View<float>& view(std::size_t number) const;
  const Candidate& candidate_of(std::size_t job) const;

  /// Trains every requested job on, longest first. `metric` scores the validation rows after every
  /// epoch; without one the negative loss chooses the best epoch. A view may be away only where
  /// `stop` is requested from the start: its jobs are then noted as stopped or timed out.
  void run(const std::vector<JobRequest>& requests, int n_threads, std::optional<Metric> metric,
           Stop& stop);

  /// Values that a job's state has of each kind (weights, moments), padding and all.
  std::size_t n_values(std::size_t job) const;

  /// Networks of a job's candidate: more than one where they share a trunk.
  std::size_t n_members(std::size_t job) const;

  /// The chosen weights of one member of a trained job, table by table and layer by layer.
  NetworkWeights weights(std::size_t job, std::size_t member = 0) const;

  /// Predictions (n_validation_rows, n_columns) of each job's chosen weights on its own validation
  /// rows, in the target's units or as probabilities.
  std::vector<std::vector<double>> validation_predictions(const std::vector<std::size_t>& jobs,
                                                          int n_threads) const;

  PortableState export_state(std::size_t job) const;
  void import_state(std::size_t job, const PortableState& portable);

  /// Gives an untrained job the weights that a closed form found (the layers' W and b in turn), and
  /// scores them: the job is complete then, after what counts as one epoch of `seconds`. The job's
  /// network must have no tables and no periodic embedding.
  void set_weights(std::size_t job, const std::vector<float>& dense, double seconds,
                   std::optional<Metric> metric);

  /// Forgets what only training on would need; the chosen weights of these jobs can still be used.
  void settle(const std::vector<std::size_t>& jobs);

  /// Forgets weights and moments of jobs that will neither go on nor be used; curves stay.
  void release(const std::vector<std::size_t>& jobs);

  /// Puts jobs back to where they were before they were trained, whether released or not.
  void restart(const std::vector<std::size_t>& jobs);

 private:
  struct Job {
    std::size_t candidate;
    std::size_t view;
    std::unique_ptr<State<float>> state;
  };

  const Job& checked(std::size_t job) const;
  void require_features(std::size_t job) const;
  double expected_cost(const JobRequest& request) const;
  /// A panel for each thread where any of the networks is large enough to be helped with.
  std::vector<AlignedVector<float>> helpers_panels(const std::vector<JobRequest>& requests,
                                                   int n_threads) const;

  std::vector<View<float>> views_;
  std::vector<Candidate> candidates_;
  std::vector<Job> jobs_;
};

}  // namespace automs
