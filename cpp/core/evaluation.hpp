// Weights and rows of a view -> predictions in the target's units, loss and score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "automs/functions.hpp"
#include "core/candidate.hpp"
#include "core/forward.hpp"
#include "core/loss.hpp"
#include "core/members.hpp"
#include "core/metric.hpp"
#include "core/network.hpp"
#include "core/tile.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

/// What `evaluate` gives, with the buffers that it reuses.
struct Evaluation {
  double loss = 0.0;                // weighted mean over the rows, without label smoothing
  std::vector<double> predictions;  // (n_rows, n_columns): values, or a probability for each class
  int n_columns = 0;
  std::vector<double> y;            // (n_rows, n_targets)
  std::vector<double> row_weights;  // (n_rows), or empty
  MetricWorkspace metric_workspace;
};

/// Columns of a prediction: a binary network's single logit gives two probabilities, several logits
/// (one for each of several labels) give the probability of each label.
template <typename Scalar>
int n_prediction_columns(const View<Scalar>& view) {
  return view.task == Task::binary && view.n_logits == 1 ? 2 : view.n_logits;
}

/// logits (n_logits) of one row -> its prediction (n_prediction_columns), in double.
template <typename Scalar>
void decode_logits(Loss loss, const View<Scalar>& view, const Scalar* logits, double* prediction) {
  const int n = view.n_logits;
  if (view.task == Task::regression) {
    for (int j = 0; j < n; ++j) {
      if (loss == Loss::squared_log) {
        prediction[j] = exp_value(view, j, logits[j]);
        continue;
      }
      const Scalar value = loss == Loss::poisson ? automs::exp(logits[j]) : logits[j];
      prediction[j] = view.output_centre[j] + view.output_scale[j] * static_cast<double>(value);
    }
    return;
  }
  if (view.task == Task::binary) {
    for (int j = 0; j < n; ++j) prediction[j] = static_cast<double>(automs::sigmoid(logits[j]));
    if (n == 1) {
      prediction[1] = prediction[0];
      prediction[0] = 1.0 - prediction[1];
    }
    return;
  }
  Scalar largest = logits[0];
  for (int j = 1; j < n; ++j) largest = std::max(largest, logits[j]);
  double sum = 0.0;
  for (int j = 0; j < n; ++j) {
    prediction[j] = static_cast<double>(automs::exp(logits[j] - largest));
    sum += prediction[j];
  }
  for (int j = 0; j < n; ++j) prediction[j] /= sum;
}

/// Fills `result` but for its score. Rows go through the network in tiles, in the order given. The
/// weights (network.n_buffer) of a network with members are workspace.weights.
template <typename Scalar>
void evaluate(const Candidate& candidate, const Network& network, const View<Scalar>& view,
              const Scalar* weights, const std::vector<std::int32_t>& rows,
              Workspace<Scalar>& workspace, Evaluation& result) {
  const bool has_members = !network.members.empty();
  result.n_columns = n_prediction_columns(view);
  result.predictions.resize(rows.size() * result.n_columns);
  result.y.resize(rows.size() * view.n_targets);
  result.row_weights.resize(view.row_weights ? rows.size() : 0);
  LossSettings settings = candidate.loss;
  settings.label_smoothing = 0.0;
  double weighted_loss = 0.0;
  double total_weight = 0.0;
  for (std::size_t first = 0; first < rows.size(); first += kTileRows) {
    const int n_rows = static_cast<int>(std::min<std::size_t>(kTileRows, rows.size() - first));
    gather_tile(view, network, weights, {rows.data() + first, n_rows, rows.data() + rows.size()},
                1.0, workspace);
    for (int i = 0; i < n_rows; ++i) {
      const auto row = static_cast<std::size_t>(rows[first + i]);
      for (int j = 0; j < view.n_targets; ++j) {
        result.y[(first + i) * view.n_targets + j] = view.y[row * view.n_targets + j];
      }
      const double weight = view.weight(row);
      total_weight += weight;
      if (view.row_weights) result.row_weights[first + i] = weight;
    }
    if (has_members) {
      forward_members(candidate.loss.kind, network, view, n_rows, workspace);
    } else {
      forward(network, weights, workspace.input, n_rows, false, nullptr, workspace);
    }
    const auto ld = static_cast<std::size_t>(network.logit_stride());
    const Scalar* logits = workspace.activations.back();
    const LossTile<Scalar> tile{logits,
                                ld,
                                workspace.targets,
                                view.n_targets,
                                view.row_weights ? workspace.row_weights : nullptr,
                                n_rows,
                                network.n_logits()};
    weighted_loss += tile_loss(settings, tile, Scalar(1), workspace.delta);
    for (int i = 0; i < n_rows; ++i) {
      decode_logits(settings.kind, view, logits + i * ld,
                    result.predictions.data() + (first + i) * result.n_columns);
    }
  }
  result.loss = total_weight > 0.0 ? weighted_loss / total_weight : std::nan("");
}

/// The metric of an evaluation, higher is better; NaN where it is undefined.
template <typename Scalar>
double score_evaluation(Metric metric, const Candidate& candidate, const View<Scalar>& view,
                        Evaluation& result) {
  const std::size_t n_rows = result.y.size() / view.n_targets;
  const ScoredRows rows{result.predictions.data(),
                        result.y.data(),
                        result.row_weights.empty() ? nullptr : result.row_weights.data(),
                        n_rows,
                        static_cast<std::size_t>(result.n_columns),
                        static_cast<std::size_t>(view.n_targets),
                        candidate.loss.quantile};
  return score(metric, rows, result.metric_workspace);
}

}  // namespace automs
