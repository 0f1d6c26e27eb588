// Metrics against their definitions in plain loops, and where they are undefined.
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "core/metric.hpp"

using namespace automs;

namespace {

const double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Sample {
  std::vector<double> predictions, y, weights;
  std::size_t n_rows, n_columns, n_targets;

  ScoredRows rows(bool weighted = true) const {
    return {predictions.data(), y.data(), weighted ? weights.data() : nullptr, n_rows, n_columns,
            n_targets,          0.3};
  }
};

double score_of(const char* metric, const Sample& sample, bool weighted = true) {
  MetricWorkspace workspace;
  return score(parse_metric(metric), sample.rows(weighted), workspace);
}

// Probabilities from few levels, so that ties abound; every class occurs; some weights are 0.
Sample classes(std::size_t n, std::size_t k, unsigned seed) {
  std::mt19937 rng(seed);
  Sample sample{{}, {}, {}, n, k, 1};
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0.0;
    std::vector<double> row(k);
    for (double& value : row) sum += value = 1.0 + static_cast<double>(rng() % 5);
    for (double value : row) sample.predictions.push_back(value / sum);
    sample.y.push_back(static_cast<double>(i < k ? i : rng() % k));
    sample.weights.push_back(i < k ? 1.0 : static_cast<double>(rng() % 4) / 2.0);
  }
  return sample;
}

Sample values(std::size_t n, std::size_t k, unsigned seed) {
  std::mt19937 rng(seed);
  std::uniform_real_distribution<double> uniform(0.1, 3.0);
  Sample sample{{}, {}, {}, n, k, k};
  for (std::size_t i = 0; i < n * k; ++i) {
    sample.predictions.push_back(uniform(rng));
    sample.y.push_back(rng() % 5 == 0 ? 0.0 : uniform(rng));
  }
  for (std::size_t i = 0; i < n; ++i) sample.weights.push_back(uniform(rng));
  return sample;
}

// Pairs of a positive and another row: 1 where ranked right, half for a tie.
double naive_auc(const Sample& s, std::size_t column, double positive) {
  double won = 0.0, total = 0.0;
  for (std::size_t i = 0; i < s.n_rows; ++i) {
    for (std::size_t j = 0; j < s.n_rows; ++j) {
      if (s.y[i] != positive || s.y[j] == positive) continue;
      const double a = s.predictions[i * s.n_columns + column];
      const double b = s.predictions[j * s.n_columns + column];
      const double weight = s.weights[i] * s.weights[j];
      won += weight * (a > b ? 1.0 : a == b ? 0.5 : 0.0);
      total += weight;
    }
  }
  return won / total;
}

void roc_auc_counts_pairs() {
  for (const std::size_t n : {7u, 100u, 700u}) {  // comparison sort and radix sort
    const Sample two = classes(n, 2, 1);
    CHECK_CLOSE(score_of("roc_auc", two), naive_auc(two, 1, 1.0), 1e-12);
    const Sample four = classes(n, 4, 2);
    double mean = 0.0;
    for (std::size_t j = 0; j < 4; ++j) mean += naive_auc(four, j, static_cast<double>(j)) / 4.0;
    CHECK_CLOSE(score_of("roc_auc", four), mean, 1e-12);
  }
}

void roc_auc_orders_all_doubles() {
  Sample s{{}, {}, {}, 0, 2, 1};
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> rising = {-infinity, -1e300, -1.0,  -1e-310, 0.0,
                                5e-324,    1.0,    1e300, infinity};
  for (std::size_t i = 0; i < 1000; ++i) rising.push_back(infinity);
  for (std::size_t i = 0; i < rising.size(); ++i) {
    s.predictions.insert(s.predictions.end(), {0.0, rising[i]});
    s.y.push_back(i >= 4 ? 1.0 : 0.0);
  }
  s.n_rows = rising.size();
  CHECK(score_of("roc_auc", s, false) == 1.0);
  s.predictions[2 * 3 + 1] = -0.0;  // now ties with the 0.0 of a positive row
  CHECK_CLOSE(score_of("roc_auc", s, false), 1.0 - 0.5 / (4.0 * 1005.0), 1e-12);
}

void log_loss_is_the_mean_of_logarithms() {
  Sample s = classes(101, 3, 3);
  s.predictions[0] = 0.0;  // clipped at 2^-52
  for (const bool weighted : {false, true}) {
    double sum = 0.0, total = 0.0;
    for (std::size_t i = 0; i < s.n_rows; ++i) {
      const double p = s.predictions[i * 3 + static_cast<std::size_t>(s.y[i])];
      const double weight = weighted ? s.weights[i] : 1.0;
      sum += weight * std::log(std::fmax(p, std::numeric_limits<double>::epsilon()));
      total += weight;
    }
    CHECK_CLOSE(score_of("log_loss", s, weighted), sum / total, 1e-13);
  }
  Sample impossible{std::vector<double>(64, 0.0), std::vector<double>(32, 1.0), {}, 32, 2, 1};
  CHECK_CLOSE(score_of("log_loss", impossible, false), -52.0 * std::log(2.0), 1e-12);
}

void regression_averages_over_outputs() {
  const Sample s = values(50, 2, 4);
  double mse[2] = {0, 0}, mae = 0, pinball = 0, deviance = 0, total = 0;
  for (double weight : s.weights) total += weight;
  for (std::size_t i = 0; i < s.n_rows; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      const double y = s.y[2 * i + j], p = s.predictions[2 * i + j], w = s.weights[i] / total;
      mse[j] += w * (y - p) * (y - p);
      mae += w * std::fabs(y - p) / 2.0;
      pinball += w * (y >= p ? 0.3 * (y - p) : 0.7 * (p - y)) / 2.0;
      deviance += w * ((y > 0.0 ? y * std::log(y / p) : 0.0) - y + p);
    }
  }
  CHECK_CLOSE(score_of("mse", s), -(mse[0] + mse[1]) / 2.0, 1e-13);
  CHECK_CLOSE(score_of("rmse", s), -(std::sqrt(mse[0]) + std::sqrt(mse[1])) / 2.0, 1e-13);
  CHECK_CLOSE(score_of("mae", s), -mae, 1e-13);
  CHECK_CLOSE(score_of("pinball", s), -pinball, 1e-13);
  CHECK_CLOSE(score_of("poisson_deviance", s), -deviance, 1e-13);
}

void r2_is_finite_for_a_constant_target() {
  Sample s{{0.1, 0.1, 0.1}, {0.1, 0.1, 0.1}, {1, 2, 3}, 3, 1, 1};
  CHECK(score_of("r2", s) == 1.0);
  s.predictions[0] = 0.2;
  CHECK(score_of("r2", s) == 0.0);
}

void class_metrics_follow_the_confusion() {
  // y, predicted: 0-0, 0-1, 1-1, 1-1 of weights 1, 2, 3, 4; class 2 is in neither.
  const Sample s{
      {.8, .1, .1, .2, .7, .1, .1, .6, .3, .4, .4, .2}, {0, 0, 1, 1}, {1, 2, 3, 4}, 4, 3, 1};
  CHECK_CLOSE(score_of("accuracy", s), 0.4, 1e-15);  // the tie of the last row goes to class 0
  CHECK_CLOSE(score_of("balanced_accuracy", s), (1.0 / 3.0 + 3.0 / 7.0) / 2.0, 1e-15);
  CHECK_CLOSE(score_of("f1", s), (2.0 / 8.0 + 6.0 / 12.0) / 2.0, 1e-15);
}

void undefined_scores_are_nan() {
  Sample s = classes(20, 2, 5);
  const std::vector<double> y = s.y;
  s.y.assign(20, 1.0);
  CHECK(std::isnan(score_of("roc_auc", s)));
  CHECK(!std::isnan(score_of("log_loss", s)));
  s.y = y;
  s.weights.assign(20, 0.0);
  Sample nan_prediction = classes(20, 2, 6);
  nan_prediction.predictions[7] = kNaN;
  for (const char* metric : {"log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"}) {
    CHECK(std::isnan(score_of(metric, s)));
    CHECK(std::isnan(score_of(metric, nan_prediction)));
  }
  Sample one = values(1, 1, 7);
  CHECK(std::isnan(score_of("r2", one)));
  one.y[0] = -1.0;
  CHECK(std::isnan(score_of("poisson_deviance", one)));
  one.n_rows = 0;
  CHECK(std::isnan(score_of("rmse", one, false)));
}

void misfits_are_refused() {
  CHECK_THROWS(parse_metric("rmsle"), std::invalid_argument);
  CHECK(parse_metric("balanced_accuracy") == Metric::balanced_accuracy);
  Sample s = classes(10, 2, 8);
  for (const double wrong : {2.0, -1.0, 0.5, kNaN}) {
    s.y[3] = wrong;
    CHECK_THROWS(score_of("accuracy", s), std::invalid_argument);
  }
  CHECK_THROWS(score_of("rmse", s), std::invalid_argument);  // two columns, one target
}

}  // namespace

int main() {
  roc_auc_counts_pairs();
  roc_auc_orders_all_doubles();
  log_loss_is_the_mean_of_logarithms();
  regression_averages_over_outputs();
  r2_is_finite_for_a_constant_target();
  class_metrics_follow_the_confusion();
  undefined_scores_are_nan();
  misfits_are_refused();
  return automs_test_result();
}
