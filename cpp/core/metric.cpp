#include "core/metric.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.hpp"

namespace automs {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

struct NamedMetric {
  const char* name;
  Metric metric;
};

constexpr NamedMetric kMetrics[] = {
    {"rmse", Metric::rmse},
    {"mse", Metric::mse},
    {"mae", Metric::mae},
    {"r2", Metric::r2},
    {"pinball", Metric::pinball},
    {"poisson_deviance", Metric::poisson_deviance},
    {"log_loss", Metric::log_loss},
    {"roc_auc", Metric::roc_auc},
    {"accuracy", Metric::accuracy},
    {"balanced_accuracy", Metric::balanced_accuracy},
    {"f1", Metric::f1},
};

bool has_nan(const double* values, std::size_t n) {
  std::size_t count = 0;  // counting has no branch, so it becomes vector code
  for (std::size_t i = 0; i < n; ++i) count += values[i] != values[i] ? 1 : 0;
  return count > 0;
}

double weight_at(const ScoredRows& rows, std::size_t i) {
  return rows.weights ? rows.weights[i] : 1.0;
}

double total_weight(const ScoredRows& rows) {
  if (!rows.weights) return static_cast<double>(rows.n_rows);
  double total = 0.0;
  for (std::size_t i = 0; i < rows.n_rows; ++i) total += rows.weights[i];
  return total;
}

// Weighted mean over rows of loss(y, prediction), for one output.
template <typename Loss>
double mean_loss(const ScoredRows& rows, std::size_t output, double total, Loss loss) {
  const std::size_t k = rows.n_targets;
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    sum += weight_at(rows, i) * loss(rows.y[i * k + output], rows.predictions[i * k + output]);
  }
  return sum / total;
}

double squared(double y, double prediction) { return (y - prediction) * (y - prediction); }

double poisson_deviance(double y, double prediction) {
  if (!(y >= 0.0) || prediction < 0.0) return kNaN;
  // y log(y / prediction) has the limit 0 at y = 0, also where the prediction underflowed to 0.
  return 2.0 * ((y > 0.0 ? y * std::log(y / prediction) : 0.0) - y + prediction);
}

// 1 - (squared error) / (squared distance from the mean), with scikit-learn's finite values where
// y is constant: 1 for a perfect prediction, else 0.
double r2(const ScoredRows& rows, std::size_t output, double total) {
  if (rows.n_rows < 2) return kNaN;
  // The mean is taken as a distance from one of the values, so that it is exact for a constant y.
  const double origin = rows.y[output];
  const double mean =
      origin + mean_loss(rows, output, total, [&](double y, double) { return y - origin; });
  const double error = mean_loss(rows, output, total, squared);
  const double spread =
      mean_loss(rows, output, total, [&](double y, double) { return (y - mean) * (y - mean); });
  if (spread == 0.0) return error == 0.0 ? 1.0 : 0.0;
  return 1.0 - error / spread;
}

double output_score(Metric metric, const ScoredRows& rows, std::size_t output, double total) {
  const double quantile = rows.quantile;
  switch (metric) {
    case Metric::rmse:
      return -std::sqrt(mean_loss(rows, output, total, squared));
    case Metric::mse:
      return -mean_loss(rows, output, total, squared);
    case Metric::mae:
      return -mean_loss(rows, output, total, [](double y, double p) { return std::fabs(y - p); });
    case Metric::r2:
      return r2(rows, output, total);
    case Metric::pinball:
      return -mean_loss(rows, output, total, [quantile](double y, double p) {
        return y >= p ? quantile * (y - p) : (1.0 - quantile) * (p - y);
      });
    default:
      return -mean_loss(rows, output, total, poisson_deviance);
  }
}

double regression_score(Metric metric, const ScoredRows& rows, double total) {
  double sum = 0.0;
  for (std::size_t output = 0; output < rows.n_targets; ++output) {
    sum += output_score(metric, rows, output, total);
  }
  return sum / static_cast<double>(rows.n_targets);
}

double clipped_probability(const ScoredRows& rows, std::size_t i) {
  const double p = rows.predictions[i * rows.n_columns + static_cast<std::size_t>(rows.y[i])];
  return std::min(std::max(p, kEpsilon), 1.0 - kEpsilon);
}

double log_loss_score(const ScoredRows& rows, double total) {
  double sum = 0.0;
  if (rows.weights) {
    for (std::size_t i = 0; i < rows.n_rows; ++i) {
      sum += rows.weights[i] * std::log(clipped_probability(rows, i));
    }
    return sum / total;
  }
  // One logarithm for 16 rows: a product of 16 clipped probabilities is above 1e-251.
  for (std::size_t begin = 0; begin < rows.n_rows; begin += 16) {
    const std::size_t end = std::min(begin + 16, rows.n_rows);
    double product = 1.0;
    for (std::size_t i = begin; i < end; ++i) product *= clipped_probability(rows, i);
    sum += std::log(product);
  }
  return sum / total;
}

// The class of greatest probability; the lowest index wins a tie, as in numpy.argmax. Written with
// selects: which class wins is what a branch predictor cannot guess.
std::size_t predicted_class(const ScoredRows& rows, std::size_t i) {
  const double* row = rows.predictions + i * rows.n_columns;
  if (rows.n_columns == 2) return row[1] > row[0] ? 1 : 0;
  std::size_t best = 0;
  double highest = row[0];
  for (std::size_t j = 1; j < rows.n_columns; ++j) {
    const bool higher = row[j] > highest;
    best = higher ? j : best;
    highest = higher ? row[j] : highest;
  }
  return best;
}

double accuracy_score(const ScoredRows& rows, double total) {
  double right = 0.0;
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    const bool is_right = predicted_class(rows, i) == static_cast<std::size_t>(rows.y[i]);
    right += is_right ? weight_at(rows, i) : 0.0;
  }
  return right / total;
}

double balanced_accuracy_score(const double* truly, const double* rightly, std::size_t n_classes) {
  double recalls = 0.0;
  std::size_t n_present = 0;
  for (std::size_t j = 0; j < n_classes; ++j) {
    if (!(truly[j] > 0.0)) continue;
    recalls += rightly[j] / truly[j];
    ++n_present;
  }
  return n_present ? recalls / static_cast<double>(n_present) : kNaN;
}

// Balanced accuracy and F1 from the weight of each class in y, in the predictions, and in both.
double confusion_score(Metric metric, const ScoredRows& rows, MetricWorkspace& workspace) {
  const std::size_t k = rows.n_columns;
  workspace.class_weights.assign(3 * k, 0.0);
  workspace.class_is_present.assign(k, 0);
  double* truly = workspace.class_weights.data();
  double* predicted = truly + k;
  double* rightly = predicted + k;
  for (std::size_t i = 0; i < rows.n_rows; ++i) {
    const std::size_t true_class = static_cast<std::size_t>(rows.y[i]);
    const std::size_t guess = predicted_class(rows, i);
    const double weight = weight_at(rows, i);
    truly[true_class] += weight;
    predicted[guess] += weight;
    rightly[guess] += guess == true_class ? weight : 0.0;
    workspace.class_is_present[true_class] = workspace.class_is_present[guess] = 1;
  }
  if (metric == Metric::balanced_accuracy) return balanced_accuracy_score(truly, rightly, k);

  const auto f1 = [&](std::size_t j) {
    const double both = truly[j] + predicted[j];
    return both > 0.0 ? 2.0 * rightly[j] / both : 0.0;
  };
  if (k == 2) return f1(1);
  double sum = 0.0;
  std::size_t n_present = 0;
  for (std::size_t j = 0; j < k; ++j) {
    if (!workspace.class_is_present[j]) continue;
    sum += f1(j);
    ++n_present;
  }
  return sum / static_cast<double>(n_present);
}

double roc_auc_score(const ScoredRows& rows, RocAucWorkspace& workspace) {
  const std::size_t k = rows.n_columns;
  if (k == 2) {
    return roc_auc(rows.predictions + 1, k, rows.y, 1.0, rows.weights, rows.n_rows, workspace);
  }
  double sum = 0.0;
  std::size_t n_defined = 0;
  for (std::size_t j = 0; j < k; ++j) {
    const double area = roc_auc(rows.predictions + j, k, rows.y, static_cast<double>(j),
                                rows.weights, rows.n_rows, workspace);
    if (std::isnan(area)) continue;  // the class is absent, or has every row
    sum += area;
    ++n_defined;
  }
  return n_defined ? sum / static_cast<double>(n_defined) : kNaN;
}

void check_classes(const ScoredRows& rows) {
  require(rows.n_targets == 1, "y must have one column of class indices, got " +
                                   std::to_string(rows.n_targets) + " columns");
  require(rows.n_columns >= 2, "predictions must have a column for each of >= 2 classes, got " +
                                   std::to_string(rows.n_columns));
  const double n_classes = static_cast<double>(rows.n_columns);
  const auto fits = [n_classes](double index) {
    return (index >= 0.0) & (index < n_classes) & (index == std::trunc(index));
  };
  std::size_t n_fitting = 0;
  for (std::size_t i = 0; i < rows.n_rows; ++i) n_fitting += fits(rows.y[i]) ? 1 : 0;
  if (n_fitting == rows.n_rows) return;
  const double* wrong = std::find_if_not(rows.y, rows.y + rows.n_rows, fits);
  require(false, "y must hold class indices in [0, " + std::to_string(rows.n_columns) + "), got " +
                     std::to_string(*wrong));
}

double classification_score(Metric metric, const ScoredRows& rows, double total,
                            MetricWorkspace& workspace) {
  switch (metric) {
    case Metric::log_loss:
      return log_loss_score(rows, total);
    case Metric::roc_auc:
      return roc_auc_score(rows, workspace.roc_auc);
    case Metric::accuracy:
      return accuracy_score(rows, total);
    default:
      return confusion_score(metric, rows, workspace);
  }
}

}  // namespace

Metric parse_metric(const std::string& name) {
  std::string names;
  for (const NamedMetric& entry : kMetrics) {
    if (name == entry.name) return entry.metric;
    names += names.empty() ? entry.name : std::string(", ") + entry.name;
  }
  throw std::invalid_argument("metric must be one of " + names + ", got '" + name + "'");
}

bool is_classification(Metric metric) { return metric >= Metric::log_loss; }

double score(Metric metric, const ScoredRows& rows, MetricWorkspace& workspace) {
  if (is_classification(metric)) {
    check_classes(rows);
  } else {
    require(rows.n_columns == rows.n_targets && rows.n_targets > 0,
            "predictions must have as many columns as y, got " + std::to_string(rows.n_columns) +
                " and " + std::to_string(rows.n_targets));
    require(metric != Metric::pinball || (rows.quantile > 0.0 && rows.quantile < 1.0),
            "quantile must be in (0, 1), got " + std::to_string(rows.quantile));
  }
  const double total = total_weight(rows);
  if (!(total > 0.0) || has_nan(rows.predictions, rows.n_rows * rows.n_columns)) return kNaN;
  return is_classification(metric) ? classification_score(metric, rows, total, workspace)
                                   : regression_score(metric, rows, total);
}

}  // namespace automs
