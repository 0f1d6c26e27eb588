#include "core/train_jobs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/candidate_checks.hpp"
#include "core/candidate_network.hpp"
#include "core/check.hpp"
#include "core/parallel.hpp"
#include "core/portable.hpp"
#include "core/trainer.hpp"

namespace automs {

namespace {

bool is_finished(const State<float>& state) {
  return state.state == JobState::complete || state.state == JobState::diverged;
}

/// Notes that a run was over before this job began.
void leave(State<float>& state, int until_epoch, const Stop& stop) {
  if (is_finished(state) || state.epoch >= until_epoch) return;
  state.state = stop.interrupted() ? JobState::stopped : JobState::timed_out;
}

}  // namespace

std::size_t TrainJobs::add_view(View<float> view) {
  check_view(view);
  views_.push_back(std::move(view));
  return views_.size() - 1;
}

void TrainJobs::put_away(std::size_t number) {
  view(number);  // or throws
  point_to(views_[number], {});
  views_[number].is_away = true;
}

void TrainJobs::bring_back(std::size_t number, const Features<float>& features) {
  put_away(number);
  View<float>& back = views_[number];
  point_to(back, features);
  try {
    check_features(back);
  } catch (...) {
    point_to(back, {});
    throw;
  }
  back.is_away = false;
}

std::size_t TrainJobs::add_candidate(Candidate candidate) {
  check_candidate(candidate);
  candidates_.push_back(std::move(candidate));
  return candidates_.size() - 1;
}

std::size_t TrainJobs::add_job(std::size_t candidate, std::size_t view) {
  require(candidate < candidates_.size(), "no candidate has this number");
  require(view < views_.size(), "no view has this number");
  check_pair(candidates_[candidate], views_[view]);
  jobs_.push_back({candidate, view, std::make_unique<State<float>>()});
  return jobs_.size() - 1;
}

const TrainJobs::Job& TrainJobs::checked(std::size_t job) const {
  require(job < jobs_.size(), "no job has the number " + std::to_string(job));
  return jobs_[job];
}

const State<float>& TrainJobs::state(std::size_t job) const { return *checked(job).state; }
const View<float>& TrainJobs::view_of(std::size_t job) const { return views_[checked(job).view]; }
const View<float>& TrainJobs::view(std::size_t number) const {
  require(number < views_.size(), "no view has the number " + std::to_string(number));
  return views_[number];
}

void TrainJobs::require_features(std::size_t job) const {
  require(!view_of(job).is_away, "the view of job " + std::to_string(job) + " is put away");
}

const Candidate& TrainJobs::candidate_of(std::size_t job) const {
  return candidates_[checked(job).candidate];
}

double TrainJobs::expected_cost(const JobRequest& request) const {
  const Candidate& candidate = candidate_of(request.job);
  const View<float>& view = view_of(request.job);
  double weights = 0.0;
  double fan_in = view.n_features + 4.0 * view.n_binned();  // by table as much as four features
  double table_values = 0.0;
  for (const int n_rows : view.embedding_rows) {
    const int size = std::min(candidate.architecture.embedding_size, n_rows);
    fan_in += size;
    table_values += static_cast<double>(n_rows) * size;
  }
  const Periodic periodic =
      make_periodic<float>(candidate.architecture.periodic, view.n_periodic, 0);
  fan_in += periodic.n_features();
  for (const int size : candidate.architecture.hidden_layer_sizes) {
    weights += (fan_in + 8.0) * size;  // 8: the activation, about as much as eight weights
    fan_in = size;
  }
  weights += fan_in * view.n_logits;
  weights *= candidate.architecture.n_members;
  // A cosine with its slopes takes about as long as twelve weights.
  weights += 12.0 * periodic.n_columns * periodic.n_frequencies;
  // A step updates every value of a table, which costs about as much as two weights do for a row.
  const auto rows = static_cast<double>(view.train_rows.size());
  const double steps = std::ceil(rows / candidate.batch_size);
  return (weights * rows + 2.0 * table_values * steps) *
         (request.until_epoch - state(request.job).epoch);
}

std::vector<AlignedVector<float>> TrainJobs::helpers_panels(const std::vector<JobRequest>& requests,
                                                            int n_threads) const {
  std::vector<AlignedVector<float>> panels;
  std::size_t longest = 0;
  bool any = false;
  for (std::size_t i = 0; n_threads > 1 && i < requests.size(); ++i) {
    const Candidate& candidate = candidate_of(requests[i].job);
    const View<float>& view = view_of(requests[i].job);
    const std::size_t n_rows = std::min<std::size_t>(kTileRows, view.train_rows.size());
    const Network network = network_of(candidate, view);
    any = any ||
          is_worth_help<float>(network, std::min(candidate.batch_size, static_cast<int>(n_rows)));
    // Where any job is helped all may be, so a panel is long enough for each.
    longest = std::max(longest, panel_size<float>(network.widest));
  }
  if (any) panels.assign(static_cast<std::size_t>(n_threads), AlignedVector<float>(longest));
  return panels;
}

void TrainJobs::run(const std::vector<JobRequest>& requests, int n_threads,
                    std::optional<Metric> metric, Stop& stop) {
  std::vector<double> costs;
  std::vector<bool> requested(jobs_.size(), false);
  const bool is_over = stop.requested(0);
  for (const JobRequest& request : requests) {
    if (!is_over) require_features(request.job);
    require(!requested[request.job], "a job was requested twice");
    requested[request.job] = true;
    costs.push_back(expected_cost(request));
  }
  std::vector<std::size_t> order(requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<ThreadBuffers<float>> buffers(static_cast<std::size_t>(std::max(1, n_threads)));
  Crew crew(std::max(1, n_threads));
  std::vector<AlignedVector<float>> panels = helpers_panels(requests, crew.n_threads());
  auto train = [&](std::size_t task, int thread) {
    const JobRequest& request = requests[order[task]];
    const Job& job = jobs_[request.job];
    if (views_[job.view].is_away) {
      leave(*job.state, std::min(request.until_epoch, candidates_[job.candidate].epochs), stop);
      return;
    }
    const Network network = network_of(candidates_[job.candidate], views_[job.view]);
    ThreadBuffers<float>& own = buffers[static_cast<std::size_t>(thread)];
    if (!panels.empty()) own.workspace.help = {&crew, thread, &panels};
    Trainer<float> trainer(candidates_[job.candidate], network, views_[job.view], metric, own);
    trainer.train(*job.state, request.until_epoch, stop, thread);
    if (is_finished(*job.state)) job.state->settle();
  };
  parallel_for(
      requests.size(), n_threads, train, [&] { stop.requested(0); },
      panels.empty() ? nullptr : &crew);
}

std::size_t TrainJobs::n_values(std::size_t job) const {
  return network_of(candidate_of(job), view_of(job)).n_values;
}

std::size_t TrainJobs::n_members(std::size_t job) const {
  return static_cast<std::size_t>(candidate_of(job).architecture.n_members);
}

NetworkWeights TrainJobs::weights(std::size_t job, std::size_t member) const {
  require(member < n_members(job), "no member has this number");
  const Network shared = network_of(candidate_of(job), view_of(job));
  const Network& network = shared.members.empty() ? shared : shared.members[member];
  const AlignedVector<float>& kept = state(job).chosen_weights();
  require(!kept.empty(),
          "job " + std::to_string(job) + " has no weights: not trained, or released");
  AlignedVector<float> values(network.n_buffer);
  load_weights(network, kept.data(), values.data());
  put_scaled_weights(network, values.data());
  const std::vector<float> dense = without_padding(network, values);
  NetworkWeights out;
  auto next = dense.begin();
  auto take = [&](std::size_t n) {
    const auto first = next;
    next += static_cast<std::ptrdiff_t>(n);
    return std::vector<float>(first, next);
  };
  for (const Embedding& table : network.embeddings) {
    out.embeddings.push_back({table.n_rows, table.size, take(table.n_values())});
  }
  const Periodic& periodic = network.periodic;
  if (periodic.n_columns > 0) {
    const auto row = static_cast<std::size_t>(periodic.n_columns);
    const auto by_frequency = row * static_cast<std::size_t>(periodic.n_frequencies);
    const auto n_outputs = static_cast<std::size_t>(periodic.n_outputs);
    PeriodicWeights& p = out.periodic;
    p = {periodic.n_columns, periodic.n_frequencies, periodic.n_outputs, {}, {}, {}, {}};
    p.frequencies = take(by_frequency);
    p.weights = take(by_frequency * n_outputs);
    p.phases = take(by_frequency);
    p.biases = take(row * n_outputs);
  }
  if (network.scaling.is_there) next += network.n_features();  // the weights have the scales
  for (const Layer& layer : network.layers) {
    const auto fan_out = static_cast<std::size_t>(layer.fan_out);
    std::vector<float> weights = take(static_cast<std::size_t>(layer.fan_in) * fan_out);
    std::vector<float> bias = take(fan_out);
    const bool is_blended = network.is_blended(out.layers.size());
    out.layers.push_back({layer.fan_in, layer.fan_out, std::move(weights), std::move(bias),
                          take(is_blended ? fan_out : 0)});
  }
  return out;
}

std::vector<std::vector<double>> TrainJobs::validation_predictions(
    const std::vector<std::size_t>& jobs, int n_threads) const {
  for (const std::size_t job : jobs) {
    require_features(job);
    require(!state(job).chosen_weights().empty(),
            "job " + std::to_string(job) + " has no weights: not trained, or released");
  }
  std::vector<std::vector<double>> predictions(jobs.size());
  std::vector<ThreadBuffers<float>> buffers(static_cast<std::size_t>(std::max(1, n_threads)));
  parallel_for(jobs.size(), n_threads, [&](std::size_t task, int thread) {
    const std::size_t job = jobs[task];
    const View<float>& view = view_of(job);
    const Network network = network_of(candidate_of(job), view);
    ThreadBuffers<float>& own = buffers[static_cast<std::size_t>(thread)];
    own.workspace.lay_out(network, view.n_targets);
    load_weights(network, state(job).chosen_weights().data(), own.workspace.weights);
    evaluate(candidate_of(job), network, view, own.workspace.weights, view.validation_rows,
             own.workspace, own.evaluation);
    predictions[task] = own.evaluation.predictions;
  });
  return predictions;
}

}  // namespace automs
