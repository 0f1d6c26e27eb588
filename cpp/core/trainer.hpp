// Candidate, view, state -> the state some epochs later: mini-batches, validation, best epoch.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/backward.hpp"
#include "core/candidate.hpp"
#include "core/candidate_network.hpp"
#include "core/evaluation.hpp"
#include "core/first_weights.hpp"
#include "core/forward.hpp"
#include "core/initial_values.hpp"
#include "core/learning_rate.hpp"
#include "core/loss.hpp"
#include "core/members.hpp"
#include "core/metric.hpp"
#include "core/network.hpp"
#include "core/optimizer.hpp"
#include "core/scaling_layer.hpp"
#include "core/shuffle.hpp"
#include "core/state.hpp"
#include "core/stop.hpp"
#include "core/tile.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

/// Everything one thread reuses from job to job.
template <typename Scalar>
struct ThreadBuffers {
  Workspace<Scalar> workspace;
  Evaluation evaluation;
  std::vector<std::int32_t> row_order;
};

/// Trains one candidate on one view. Nothing is allocated in the loop over mini-batches.
template <typename Scalar>
class Trainer {
 public:
  Trainer(const Candidate& candidate, const Network& network, const View<Scalar>& view,
          std::optional<Metric> metric, ThreadBuffers<Scalar>& buffers)
      : candidate_(candidate),
        network_(network),
        view_(view),
        metric_(metric),
        buffers_(buffers),
        workspace_(buffers.workspace) {
    workspace_.lay_out(network, view.n_targets);
    double total = 0.0;
    for (const std::int32_t row : view.train_rows) total += view.weight(row);
    mean_weight_ = total / static_cast<double>(view.train_rows.size());
  }

  /// Goes on from `state` until epoch `until_epoch` (at most candidate.epochs), or to whatever
  /// ends the training before. `thread` is the number of the calling thread.
  void train(State<Scalar>& state, int until_epoch, Stop& stop, int thread) {
    if (state.state == JobState::complete || state.state == JobState::diverged) return;
    const int last = std::min(until_epoch, candidate_.epochs);
    if (state.epoch < last && stop.requested(thread)) {  // first weights cost time, too
      state.state = stop.interrupted() ? JobState::stopped : JobState::timed_out;
      return;
    }
    const auto start = std::chrono::steady_clock::now();
    begin(state);
    while (state.epoch < last && state.state == JobState::paused) {
      if (!train_epoch(state.epoch, stop, thread)) {
        state.state = stop.interrupted() ? JobState::stopped : JobState::timed_out;
        break;
      }
      finish_epoch(state);
    }
    if (state.state == JobState::paused && state.epoch >= candidate_.epochs) {
      state.state = JobState::complete;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    state.seconds += took.count();
  }

 private:
  std::int64_t n_train() const { return static_cast<std::int64_t>(view_.train_rows.size()); }
  std::int64_t batch_size() const {
    return std::min<std::int64_t>(candidate_.batch_size, n_train());
  }
  std::int64_t n_members() const {
    return std::max<std::int64_t>(static_cast<std::int64_t>(network_.members.size()), 1);
  }
  std::int64_t steps_per_epoch() const { return (n_train() + batch_size() - 1) / batch_size(); }

  /// Loads the state's weights into the arena; a state without any gets its first ones.
  void begin(State<Scalar>& state) {
    const std::size_t n = network_.n_values;
    require(state.weights.empty() ? state.epoch == 0 : !state.first_moment.empty(),
            "a released or settled job cannot go on");
    Scalar* weights = workspace_.weights;
    if (state.weights.empty()) {
      initialize_weights(network_, candidate_.seed, weights);
      fit_first_values(candidate_, network_, view_, weights, workspace_);
      for_each_member(network_, [&](const Network& member) { add_output_bias(member, weights); });
      start_scaling_layer(network_, weights);
      start_member_scales(network_, candidate_.seed, weights);
      state.weights.assign(weights, weights + n);
      state.first_moment.assign(n, Scalar(0));
      if (candidate_.optimizer.kind != Optimizer::sgd) state.second_moment.assign(n, Scalar(0));
    }
    // A job that was cut may be asked to go on.
    if (state.state == JobState::timed_out || state.state == JobState::stopped) {
      state.state = JobState::paused;
    }
    load_weights(network_, state.weights.data(), weights);
    std::copy(state.first_moment.begin(), state.first_moment.end(), workspace_.first_moment);
    std::copy(state.second_moment.begin(), state.second_moment.end(), workspace_.second_moment);
    // What no product writes, the padding of wide rows, has to be zero.
    std::fill_n(workspace_.gradient, network_.n_buffer, Scalar(0));
  }

  /// Classes: the log odds of the training rows (plus one row a class) are in the output's bias.
  void add_output_bias(const Network& network, Scalar* weights) const {
    if (candidate_.loss.kind != Loss::cross_entropy) return;
    const int n = view_.n_logits;
    Scalar* bias = weights + network.layers.back().bias;
    if (view_.task == Task::multiclass) {
      std::vector<double> counts(n, mean_weight_);
      double total = n * mean_weight_;
      for (const std::int32_t row : view_.train_rows) {
        counts[static_cast<std::size_t>(view_.y[row])] += view_.weight(row);
        total += view_.weight(row);
      }
      for (int j = 0; j < n; ++j) bias[j] += static_cast<Scalar>(std::log(counts[j] / total));
      return;
    }
    for (int j = 0; j < n; ++j) {
      double ones = mean_weight_;
      double zeros = mean_weight_;
      for (const std::int32_t row : view_.train_rows) {
        const bool one = view_.y[static_cast<std::size_t>(row) * view_.n_targets + j] > 0.5;
        (one ? ones : zeros) += view_.weight(row);
      }
      bias[j] += static_cast<Scalar>(std::log(ones / zeros));
    }
  }

  /// One pass over the training rows; false where it was cut.
  bool train_epoch(int epoch, Stop& stop, int thread) {
    shuffle_rows(view_.train_rows, candidate_.seed, static_cast<std::uint64_t>(epoch),
                 buffers_.row_order);
    const std::int64_t n_steps = steps_per_epoch() * candidate_.epochs;
    std::int64_t step = steps_per_epoch() * epoch;
    std::int64_t next_look = 0;
    const auto rows_of_look = std::max<std::int64_t>(kTileRows / n_members(), 1);
    weighted_loss_ = 0.0;
    for (std::int64_t first = 0; first < n_train(); first += batch_size(), ++step) {
      const std::int64_t last = std::min(first + batch_size(), n_train());
      const StepSettings now = step_settings(candidate_, step, n_steps);
      const UpdateStep<Scalar> update(candidate_.optimizer, now.learning_rate, now.weight_decay,
                                      step);
      dropout_ = now.dropout;
      for (std::int64_t row = first; row < last; row += kTileRows) {
        if (row >= next_look) {
          if (stop.requested(thread)) return false;
          next_look = row + rows_of_look;  // a look at the clock takes as long as a small batch
        }
        const int n_rows = static_cast<int>(std::min<std::int64_t>(kTileRows, last - row));
        const bool last_tile = row + n_rows == last;
        add_tile(row, n_rows, step, first, last - first, last_tile ? &update : nullptr);
      }
    }
    return true;
  }

  /// Adds the gradient of rows [row, row + n_rows) of the epoch's order; they belong to the
  /// mini-batch of `batch_rows` rows that starts at `first`. Its last tile brings the `update`.
  void add_tile(std::int64_t row, int n_rows, std::int64_t step, std::int64_t first,
                std::int64_t batch_rows, const UpdateStep<Scalar>* update) {
    const std::int32_t* order = buffers_.row_order.data();
    gather_tile(view_, network_, workspace_.weights, {order + row, n_rows, order + n_train()},
                mean_weight_, workspace_);
    const auto before = static_cast<std::uint32_t>(row - first);
    if (network_.members.empty()) {
      pass(network_, n_rows, step, before, 1.0 / static_cast<double>(batch_rows));
      backward(network_, workspace_.input, n_rows, row != first, update, workspace_);
      return;
    }
    if (row == first) std::fill_n(workspace_.gradient, network_.n_values, Scalar(0));
    const double share = 1.0 / static_cast<double>(batch_rows * n_members());
    auto first_row = before;  // as far as dropout goes, members have rows of their own
    for (const Network& member : network_.members) {
      fold_scales(member, workspace_.weights);
      pass(member, n_rows, step, first_row, share);
      first_row += static_cast<std::uint32_t>(batch_rows);
      backward<Scalar>(member, workspace_.input, n_rows, true, nullptr, workspace_);
      unfold_gradient<true>(member, workspace_);
    }
    if (update) update_members(network_, *update, workspace_);
  }

  /// The tile through a network -> workspace.delta, the loss by the logits times `scale`. The rows'
  /// dropout is that of rows `first_row` and so on of the step.
  void pass(const Network& network, int n_rows, std::int64_t step, std::uint32_t first_row,
            double scale) {
    const Dropout dropout{dropout_, candidate_.seed, static_cast<std::uint64_t>(step), first_row};
    forward(network, workspace_.weights, workspace_.input, n_rows, true,
            dropout_ > 0.0 ? &dropout : nullptr, workspace_);
    const LossTile<Scalar> tile{workspace_.activations.back(),
                                static_cast<std::size_t>(network.logit_stride()),
                                workspace_.targets,
                                view_.n_targets,
                                view_.row_weights ? workspace_.row_weights : nullptr,
                                n_rows,
                                network.n_logits()};
    weighted_loss_ +=
        tile_loss(candidate_.loss, tile, static_cast<Scalar>(scale), workspace_.delta);
  }

  /// Writes the finished epoch into the state: curves, weights, best weights, end of training.
  void finish_epoch(State<Scalar>& state) {
    const double loss = weighted_loss_ / static_cast<double>(n_train() * n_members());
    ++state.epoch;
    state.train_loss.push_back(loss);
    const std::size_t n = network_.n_values;
    bool finite = std::isfinite(loss);
    for (std::size_t i = 0; i < network_.n_buffer && finite; ++i) {
      finite = std::isfinite(workspace_.weights[i]);
    }
    std::copy_n(workspace_.weights, n, state.weights.begin());
    std::copy_n(workspace_.first_moment, n, state.first_moment.begin());
    if (!state.second_moment.empty()) {
      std::copy_n(workspace_.second_moment, n, state.second_moment.begin());
    }
    if (finite && !view_.validation_rows.empty()) finite = validate(state);
    if (!finite) {
      state.state = JobState::diverged;
    } else if (candidate_.patience > 0 && !view_.validation_rows.empty() &&
               state.epoch - state.best_epoch >= candidate_.patience) {
      state.state = JobState::complete;
    }
  }

  /// Scores the weights on the validation rows and keeps them where they are the best so far, of
  /// epochs where weights may be chosen once there is one; of equal scores the last one. False
  /// where the loss is not finite.
  bool validate(State<Scalar>& state) {
    evaluate(candidate_, network_, view_, workspace_.weights, view_.validation_rows, workspace_,
             buffers_.evaluation);
    const double loss = buffers_.evaluation.loss;
    const double score =
        metric_ ? score_evaluation(*metric_, candidate_, view_, buffers_.evaluation) : -loss;
    state.validation_loss.push_back(loss);
    state.validation_score.push_back(score);
    if (!std::isfinite(loss)) return false;
    const double chosen_by = std::isfinite(score) ? score : -loss;
    const std::size_t n_rows = view_.validation_rows.size();
    const bool choosable = is_choosable(candidate_, n_rows, state.epoch);
    const bool had_choice =
        state.best_epoch > 0 && is_choosable(candidate_, n_rows, state.best_epoch);
    const bool better = chosen_by >= state.chosen_by || state.best_epoch == 0;
    if (choosable == had_choice ? better : choosable) {
      state.chosen_by = chosen_by;
      state.best_score = score;
      state.best_epoch = state.epoch;
      state.best_weights.assign(workspace_.weights, workspace_.weights + network_.n_values);
    }
    return true;
  }

  const Candidate& candidate_;
  const Network& network_;
  const View<Scalar>& view_;
  std::optional<Metric> metric_;
  ThreadBuffers<Scalar>& buffers_;
  Workspace<Scalar>& workspace_;
  double mean_weight_ = 1.0;
  double weighted_loss_ = 0.0;
  double dropout_ = 0.0;  // of the step
};

}  // namespace automs
