// Nothing -> View: one encoded table with its targets, weights and rows, shared by all candidates.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/binned_layout.hpp"
#include "core/check.hpp"

namespace automs {

enum class Task : int { regression = 0, binary = 1, multiclass = 2 };

/// A regression's targets as networks with the loss squared_log are trained on them. A value is
/// output_centre + output_scale * exp(deviation * logit), and within [low, high].
template <typename Scalar>
struct LogTargets {
  const Scalar* encoded = nullptr;  // (n_rows, n_targets), logarithms in units of their deviation
  std::vector<double> deviation;    // (n_targets), as are the next two
  std::vector<double> low;
  std::vector<double> high;
};

/// What a view's rows are encoded to; null where there is none of a kind.
template <typename Scalar>
struct Features {
  const Scalar* X = nullptr;
  const std::int32_t* codes = nullptr;
  const std::uint16_t* bins = nullptr;
  const Scalar* fractions = nullptr;
};

/// The rows of one fold. The matrices belong to the caller; those of encoded features may be put
/// away for a while (`TrainJobs::put_away`), what else there is outlives the view.
template <typename Scalar>
struct View {
  Task task = Task::regression;
  const Scalar* X = nullptr;            // (n_rows, n_features), row-major, without binned features
  const std::int32_t* codes = nullptr;  // (n_rows, n_embedded), rows of tables; null without any
  std::size_t n_rows = 0;
  int n_features = 0;
  int n_logits = 0;
  int n_targets = 0;                    // columns of y: 1 for classes, whose index it holds
  const double* y = nullptr;            // (n_rows, n_targets), in the target's own units
  const double* row_weights = nullptr;  // (n_rows), or null for 1
  std::vector<std::int32_t> train_rows;
  std::vector<std::int32_t> validation_rows;  // may be empty
  // Regression: encoded target = (y - centre) / scale, one of each for every target.
  std::vector<double> output_centre;
  std::vector<double> output_scale;
  LogTargets<Scalar> logs;          // without `encoded` the view holds none
  std::vector<int> embedding_rows;  // of each embedded column's table
  int n_periodic = 0;               // the first features, which a periodic embedding may take
  // Binned columns, whose features are not in X: (n_rows, n_binned) each, null without any.
  const std::uint16_t* bins = nullptr;  // a value's bin or slot, n_bins where it has none
  const Scalar* fractions = nullptr;    // how far it lies into its bin, from 0 to 1; not of slots
  std::vector<BinnedColumn> binned;
  bool is_away = false;  // X, codes, bins and fractions are null

  std::size_t n_embedded() const { return embedding_rows.size(); }
  std::size_t n_binned() const { return binned.size(); }

  /// Column `target` of row `row`, as the network is trained on it.
  Scalar encoded_target(std::size_t row, int target) const {
    const double value = y[row * n_targets + target];
    if (task != Task::regression) return static_cast<Scalar>(value);
    if (logs.encoded) return logs.encoded[row * n_targets + target];
    return static_cast<Scalar>((value - output_centre[target]) / output_scale[target]);
  }

  double weight(std::size_t row) const { return row_weights ? row_weights[row] : 1.0; }
};

template <typename Scalar>
void point_to(View<Scalar>& view, const Features<Scalar>& features) {
  view.X = features.X;
  view.codes = features.codes;
  view.bins = features.bins;
  view.fractions = features.fractions;
}

/// Checks the codes of all rows, as any of them may be gathered.
template <typename Scalar>
void check_codes(const View<Scalar>& view) {
  require(view.codes || view.embedding_rows.empty(), "codes must be given with embedding_rows");
  for (const int n : view.embedding_rows) {
    require(n >= 1, "embedding_rows must be >= 1, got " + std::to_string(n));
  }
  for (std::size_t i = 0; i < view.n_rows * view.n_embedded(); ++i) {
    const std::int32_t code = view.codes[i];
    const int n = view.embedding_rows[i % view.n_embedded()];
    if (code >= 0 && code < n) continue;
    require(false, "codes must be in [0, " + std::to_string(n) + ") in column " +
                       std::to_string(i % view.n_embedded()) + ", got " + std::to_string(code));
  }
}

/// Checks the bins and fractions of all rows.
template <typename Scalar>
void check_bins(const View<Scalar>& view) {
  check_binned(view.binned, view.n_features);
  const std::size_t n = view.n_binned();
  require(n == 0 || (view.bins && view.fractions), "bins and fractions must be given with binned");
  for (std::size_t row = 0; row < view.n_rows; ++row) {
    bool right = true;
    for (std::size_t j = 0; j < n; ++j) {
      const Scalar t = view.fractions[row * n + j];
      right &= view.bins[row * n + j] <= view.binned[j].n_bins && t >= 0 && t <= 1;
    }
    require(right, "bins must be at most n_bins, and fractions in [0, 1], got others in row " +
                       std::to_string(row));
  }
}

/// Checks the encoded features.
template <typename Scalar>
void check_features(const View<Scalar>& view) {
  require(view.X || view.n_features == 0, "X must be given");
  check_codes(view);
  check_bins(view);
}

/// Checks that every target has what its logarithms need.
template <typename Scalar>
void check_logs(const View<Scalar>& view) {
  if (!view.logs.encoded) return;
  require(view.task == Task::regression, "logarithms of targets must be those of a regression");
  for (const auto* values : {&view.logs.deviation, &view.logs.low, &view.logs.high}) {
    require(values->size() == static_cast<std::size_t>(view.n_targets),
            "logarithms of targets need one deviation, low and high for each target");
  }
}

/// Checks what would make the trainer read out of bounds.
template <typename Scalar>
void check_view(const View<Scalar>& view) {
  require(view.y, "y must be given");
  const bool has_others = !view.embedding_rows.empty() || !view.binned.empty();
  require(view.n_features >= (has_others ? 0 : 1) && view.n_logits >= 1 && view.n_targets >= 1,
          "a view needs at least one feature, one logit and one target");
  require(view.n_periodic >= 0 && view.n_periodic <= view.n_features,
          "n_periodic must be in [0, n_features], got " + std::to_string(view.n_periodic));
  check_features(view);
  require(!view.train_rows.empty(), "train_rows must not be empty");
  const bool classes = view.task == Task::multiclass;
  require(classes ? view.n_targets == 1 && view.n_logits >= 2 : view.n_targets == view.n_logits,
          "y must have one column for each output, or the class' index in one column");
  if (view.task == Task::regression) {
    require(view.output_centre.size() == static_cast<std::size_t>(view.n_targets) &&
                view.output_scale.size() == static_cast<std::size_t>(view.n_targets),
            "output_centre and output_scale need one value for each target");
  }
  check_logs(view);
  for (const auto* rows : {&view.train_rows, &view.validation_rows}) {
    for (const std::int32_t row : *rows) {
      require(
          row >= 0 && static_cast<std::size_t>(row) < view.n_rows,
          "train_rows and validation_rows must be row numbers of X, got " + std::to_string(row));
      if (!classes) continue;
      const double label = view.y[row];
      require(label >= 0 && label < view.n_logits, "y must hold class indices below n_classes");
    }
  }
}

/// A logit of a network that was trained on logarithms -> its value, as the exported one gives it.
template <typename Scalar>
double exp_value(const View<Scalar>& view, int j, Scalar logit) {
  constexpr double largest = 88.0;  // as in the predictor: no infinity arises
  const double log = view.logs.deviation[j] * static_cast<double>(logit);
  const double value =
      view.output_centre[j] + view.output_scale[j] * std::exp(log > largest ? largest : log);
  const double above = value < view.logs.low[j] ? view.logs.low[j] : value;
  return above > view.logs.high[j] ? view.logs.high[j] : above;
}

}  // namespace automs
