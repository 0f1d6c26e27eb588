// TrainJobs, the states of its jobs -> outside and back, or forgotten.
#include <cmath>
#include <string>
#include <utility>

#include "core/candidate_network.hpp"
#include "core/check.hpp"
#include "core/portable.hpp"
#include "core/train_jobs.hpp"
#include "core/trainer.hpp"

namespace automs {

PortableState TrainJobs::export_state(std::size_t job) const {
  const State<float>& state = *checked(job).state;
  const Network network = network_of(candidate_of(job), view_of(job));
  return {state.state,
          state.epoch,
          state.best_epoch,
          state.best_score,
          state.chosen_by,
          state.seconds,
          without_padding(network, state.weights),
          without_padding(network, state.first_moment),
          without_padding(network, state.second_moment),
          without_padding(network, state.best_weights),
          state.train_loss,
          state.validation_loss,
          state.validation_score};
}

void TrainJobs::import_state(std::size_t job, const PortableState& portable) {
  const Network network = network_of(candidate_of(job), view_of(job));
  require(portable.epoch >= 0 && portable.best_epoch >= 0 && portable.best_epoch <= portable.epoch,
          "a state's epochs must hold 0 <= best_epoch <= epoch");
  require(portable.validation_loss.size() >= static_cast<std::size_t>(portable.best_epoch),
          "a state's validation_loss must reach its best_epoch");
  const bool open = portable.state != JobState::complete && portable.state != JobState::diverged;
  const bool adam = candidate_of(job).optimizer.kind != Optimizer::sgd;
  require(!open || portable.weights.empty() ||
              (!portable.first_moment.empty() && (!adam || !portable.second_moment.empty())),
          "a state that may go on needs its weights and moments");
  State<float> state;
  state.state = portable.state;
  state.epoch = portable.epoch;
  state.best_epoch = portable.best_epoch;
  state.best_score = portable.best_score;
  state.chosen_by = portable.chosen_by;
  state.seconds = portable.seconds;
  state.weights = with_padding(network, portable.weights);
  state.first_moment = with_padding(network, portable.first_moment);
  state.second_moment = with_padding(network, portable.second_moment);
  state.best_weights = with_padding(network, portable.best_weights);
  state.train_loss = portable.train_loss;
  state.validation_loss = portable.validation_loss;
  state.validation_score = portable.validation_score;
  *jobs_[job].state = std::move(state);
}

void TrainJobs::set_weights(std::size_t job, const std::vector<float>& dense, double seconds,
                            std::optional<Metric> metric) {
  const Candidate& candidate = candidate_of(job);
  const View<float>& view = view_of(job);
  const Network network = network_of(candidate, view);
  require_features(job);
  require(!dense.empty(), "weights must not be empty");
  require(network.n_learned_features() == 0,
          "weights must not be set with embedded columns or a periodic embedding");
  require(!network.scaling.is_there, "weights must not be set with a scaling_layer");
  State<float> state;
  state.weights = with_padding(network, dense);
  state.epoch = state.best_epoch = 1;
  state.seconds = seconds;
  state.state = JobState::complete;
  state.train_loss.assign(1, std::nan(""));
  ThreadBuffers<float> buffers;
  buffers.workspace.lay_out(network, view.n_targets);
  load_weights(network, state.weights.data(), buffers.workspace.weights);
  evaluate(candidate, network, view, buffers.workspace.weights, view.validation_rows,
           buffers.workspace, buffers.evaluation);
  const double loss = buffers.evaluation.loss;
  const bool scored = metric && !view.validation_rows.empty();
  state.best_score =
      scored ? score_evaluation(*metric, candidate, view, buffers.evaluation) : -loss;
  state.validation_loss.assign(1, loss);
  state.chosen_by = state.best_score;
  state.validation_score.assign(1, state.best_score);
  *jobs_[job].state = std::move(state);
}

void TrainJobs::settle(const std::vector<std::size_t>& jobs) {
  for (const std::size_t job : jobs) {
    checked(job);
    jobs_[job].state->settle();
  }
}

void TrainJobs::restart(const std::vector<std::size_t>& jobs) {
  for (const std::size_t job : jobs) {
    checked(job);
    *jobs_[job].state = State<float>();
  }
}

void TrainJobs::release(const std::vector<std::size_t>& jobs) {
  for (const std::size_t job : jobs) {
    checked(job);
    jobs_[job].state->release();
  }
}

}  // namespace automs
