// predictions, targets and row weights -> one score, higher is better.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/roc_auc.hpp"

namespace automs {

/// What a score measures. Errors are negated, so that a higher score is always better.
enum class Metric : int {
  rmse,
  mse,
  mae,
  r2,
  pinball,
  poisson_deviance,
  log_loss,
  roc_auc,
  accuracy,
  balanced_accuracy,
  f1
};

/// The metric of that name, as written above; any other name throws std::invalid_argument.
Metric parse_metric(const std::string& name);

/// True for the metrics of classification, whose predictions are probabilities and whose y holds
/// class indices.
bool is_classification(Metric metric);

/// What is scored; the arrays are row-major and belong to the caller.
struct ScoredRows {
  const double* predictions;  // (n_rows, n_columns)
  const double* y;            // (n_rows, n_targets); class index in one column for classification
  const double* weights;      // (n_rows), >= 0, or null: every row counts 1
  std::size_t n_rows;
  std::size_t n_columns;
  std::size_t n_targets;
  double quantile;  // in (0, 1); read by pinball alone
};

/// Buffers that one thread lends to any number of calls, so that scoring rarely allocates.
struct MetricWorkspace {
  RocAucWorkspace roc_auc;
  std::vector<double> class_weights;   // (3, n_classes): true, predicted, rightly predicted
  std::vector<char> class_is_present;  // (n_classes)
};

/// The score of the rows; the formulas are scikit-learn's, several outputs averaged evenly.
/// NaN where it is undefined (no rows, weights that sum to 0, a NaN prediction, a ROC AUC with
/// fewer than two classes in y, an R2 of one row, a Poisson deviance with y < 0). A multiclass ROC
/// AUC is the mean over the classes that y has. Throws std::invalid_argument for shapes or class
/// indices that do not fit.
double score(Metric metric, const ScoredRows& rows, MetricWorkspace& workspace);

}  // namespace automs
