#include "core/train_jobs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "core/check.hpp"
#include "core/network.hpp"
#include "core/parallel.hpp"
#include "core/portable.hpp"
#include "core/trainer.hpp"

namespace automs {

namespace {

Network network_of(const Candidate& candidate, const View<float>& view) {
  return make_network<float>(candidate.architecture, view.n_features, view.n_logits,
                             view.embedding_rows, view.binned, rows_of_step(candidate, view),
                             view.n_periodic);
}

void check_periodic(const PeriodicSettings& settings) {
  require(settings.n_frequencies >= 1 && settings.n_frequencies <= kMostFrequencies,
          "n_frequencies must be in [1, " + std::to_string(kMostFrequencies) + "]");
  require(settings.size >= 2 && settings.size <= kLargestPeriodic,
          "periodic_embedding_size must be in [2, " + std::to_string(kLargestPeriodic) + "]");
  require(std::isfinite(settings.frequency_scale) && settings.frequency_scale > 0.0,
          "frequency_scale must be finite and above 0");
}

void check_candidate(const Candidate& candidate) {
  require(candidate.epochs >= 1, "epochs must be >= 1");
  require(candidate.batch_size >= 1, "batch_size must be >= 1");
  require(candidate.dropout >= 0.0 && candidate.dropout < 1.0, "dropout must be in [0, 1)");
  require(candidate.architecture.embedding_size >= 0 &&
              candidate.architecture.embedding_size <= kLargestEmbedding,
          "embedding_size must be in [0, " + std::to_string(kLargestEmbedding) + "]");
  check_periodic(candidate.architecture.periodic);
  for (const double factor :
       {candidate.optimizer.bias_lr_factor, candidate.optimizer.scaling_lr_factor,
        candidate.optimizer.activation_lr_factor}) {
    require(factor > 0.0 && factor < std::numeric_limits<double>::infinity(),
            "bias_lr_factor, scaling_lr_factor and activation_lr_factor must be > 0");
  }
  const int n_members = candidate.architecture.n_members;
  require(n_members >= 1 && n_members <= kMostMembers,
          "n_members must be in [1, " + std::to_string(kMostMembers) + "]");
  require(n_members == 1 || !candidate.architecture.hidden_layer_sizes.empty(),
          "n_members must be 1 without hidden layers");
  // Dropout's stream of random numbers has room for 64 layers.
  require(candidate.architecture.hidden_layer_sizes.size() <= 64,
          "hidden_layer_sizes must have at most 64 layers");
}

/// Classes are trained with cross-entropy, numbers with any other loss, logarithms with their own;
/// a category needs a vector.
void check_pair(const Candidate& candidate, const View<float>& view) {
  const bool classes = view.task != Task::regression;
  require(
      classes == (candidate.loss.kind == Loss::cross_entropy),
      classes ? "loss must be cross_entropy for classes" : "loss must not be cross_entropy here");
  require((view.logs.encoded != nullptr) == (candidate.loss.kind == Loss::squared_log),
          "loss must be squared_log where the view holds logarithms of targets, and only there");
  require(view.embedding_rows.empty() || candidate.architecture.embedding_size >= 1,
          "embedding_size must be >= 1 for a view with embedding_rows");
}

void forget(AlignedVector<float>& values) { AlignedVector<float>().swap(values); }

/// Forgets what a state needs to go on, but not to be used.
void drop_moments(State<float>& state) {
  forget(state.first_moment);
  forget(state.second_moment);
  if (!state.best_weights.empty()) forget(state.weights);
}

bool is_finished(const State<float>& state) {
  return state.state == JobState::complete || state.state == JobState::diverged;
}

}  // namespace

std::size_t TrainJobs::add_view(View<float> view) {
  check_view(view);
  views_.push_back(std::move(view));
  return views_.size() - 1;
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
  for (const JobRequest& request : requests) {
    checked(request.job);
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
    const Network network = network_of(candidates_[job.candidate], views_[job.view]);
    ThreadBuffers<float>& own = buffers[static_cast<std::size_t>(thread)];
    if (!panels.empty()) own.workspace.help = {&crew, thread, &panels};
    Trainer<float> trainer(candidates_[job.candidate], network, views_[job.view], metric, own);
    trainer.train(*job.state, request.until_epoch, stop, thread);
    if (is_finished(*job.state)) drop_moments(*job.state);
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
  AlignedVector<float> values = state(job).chosen_weights();
  require(!values.empty(),
          "job " + std::to_string(job) + " has no weights: not trained, or released");
  fold_scales(network, values.data());
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
  // The first layer's weights hold the scaling layer already.
  if (network.scaling.is_there) {
    const Layer& first = network.layers.front();
    next += static_cast<std::ptrdiff_t>(first.fan_in) * (1 + first.fan_out);
  }
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
    evaluate(candidate_of(job), network, view, state(job).chosen_weights().data(),
             view.validation_rows, own.workspace, own.evaluation);
    predictions[task] = own.evaluation.predictions;
  });
  return predictions;
}

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
  evaluate(candidate, network, view, state.weights.data(), view.validation_rows, buffers.workspace,
           buffers.evaluation);
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
    drop_moments(*jobs_[job].state);
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
    State<float>& state = *jobs_[job].state;
    drop_moments(state);
    forget(state.weights);
    forget(state.best_weights);
  }
}

}  // namespace automs
