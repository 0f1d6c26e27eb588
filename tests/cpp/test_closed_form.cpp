// Closed forms: derivatives that vanish at the optimum, paths that equal single fits, bad input.
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "core/closed_form.hpp"

using namespace automs;

namespace {

template <typename Value>
struct Problem {
  std::vector<Value> X;               // (n, d)
  std::vector<double> y;              // (n, 2)
  std::vector<std::int32_t> classes;  // (n), of three
  std::vector<double> weights;        // (n)
  std::size_t n, d;

  LinearRows<Value> rows() const { return {X.data(), weights.data(), n, d, {}}; }
};

// The last column but one is constant; the last one is a copy of the first.
template <typename Value>
Problem<Value> problem(std::size_t n, std::size_t d) {
  std::mt19937 rng(static_cast<unsigned>(n + d));
  std::normal_distribution<double> normal;
  Problem<Value> p{{}, {}, {}, {}, n, d};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) p.X.push_back(static_cast<Value>(3.0 + normal(rng)));
    p.X[i * d + d - 2] = Value(0.1);
    p.X[i * d + d - 1] = p.X[i * d];
    p.y.insert(p.y.end(), {normal(rng), normal(rng) + static_cast<double>(p.X[i * d])});
    const double noisy = static_cast<double>(p.X[i * d]) + normal(rng);
    p.classes.push_back(noisy > 4.0 ? 2 : noisy > 3.0 ? 1 : 0);
    p.weights.push_back(static_cast<double>(rng() % 3));
  }
  return p;
}

// d/d coef and d/d intercept of the ridge objective: 0 at the optimum.
template <typename Value>
void check_ridge_gradient(const Problem<Value>& p, const double* coef, const double* intercept,
                          double alpha, double tolerance) {
  for (std::size_t t = 0; t < 2; ++t) {
    std::vector<double> gradient(p.d + 1, 0.0);
    for (std::size_t i = 0; i < p.n; ++i) {
      double error = intercept[t] - p.y[2 * i + t];
      for (std::size_t j = 0; j < p.d; ++j) error += p.X[i * p.d + j] * coef[2 * j + t];
      for (std::size_t j = 0; j < p.d; ++j) {
        gradient[j] += p.weights[i] * error * p.X[i * p.d + j];
      }
      gradient[p.d] += p.weights[i] * error;
    }
    for (std::size_t j = 0; j < p.d; ++j) gradient[j] += alpha * coef[2 * j + t];
    for (double value : gradient) CHECK_CLOSE(value, 0.0, tolerance);
  }
}

template <typename Value>
void ridge_gradient_vanishes(std::size_t n, std::size_t d) {
  const Problem<Value> p = problem<Value>(n, d);
  const std::vector<double> alphas = {0.0, 1e-3, 1.0, 100.0};
  const RidgePath path = ridge_path(p.rows(), p.y.data(), 2, alphas);
  CHECK(!path.stopped);
  for (std::size_t a = 0; a < alphas.size(); ++a) {
    const double* coef = &path.coef[a * d * 2];
    // Gradients are sums of n values near 10, rounded at 1e-16 and amplified by the condition.
    check_ridge_gradient(p, coef, &path.intercept[a * 2], alphas[a], 1e-8);
    for (std::size_t t = 0; t < 2; ++t) {
      CHECK(coef[(d - 2) * 2 + t] == 0.0 || std::fabs(coef[(d - 2) * 2 + t]) < 1e-15);
      // Penalised, or of least norm: copies share the coefficient. A null direction's rounding is
      // divided by alpha.
      CHECK_CLOSE(coef[(d - 1) * 2 + t], coef[t], 1e-9);
    }
    const RidgePath single = ridge_path(p.rows(), p.y.data(), 2, {alphas[a]});
    for (std::size_t j = 0; j < d * 2; ++j) CHECK_CLOSE(single.coef[j], coef[j], 1e-13);
  }
}

// The penalised mean cross-entropy in plain loops, at the path's solution `which` moved by `step`
// along parameter `moved` (coefficients, then intercepts).
double logistic_objective(const Problem<float>& p, std::size_t n_classes, LinearPath path,
                          std::size_t which, double penalty, std::size_t moved, double step) {
  const std::size_t k = n_classes == 2 ? 1 : n_classes;
  double* coef = &path.coef[which * p.d * k];
  double* intercept = &path.intercept[which * k];
  (moved < p.d * k ? coef[moved] : intercept[moved - p.d * k]) += step;
  double loss = 0.0, total = 0.0, squares = 0.0;
  for (std::size_t i = 0; i < p.n; ++i) {
    std::vector<double> logits(n_classes, 0.0);
    for (std::size_t t = 0; t < k; ++t) {
      double& logit = logits[k == 1 ? 1 : t];
      logit = intercept[t];
      for (std::size_t j = 0; j < p.d; ++j) logit += p.X[i * p.d + j] * coef[j * k + t];
    }
    double sum = 0.0;
    for (double logit : logits) sum += std::exp(logit);
    loss += p.weights[i] * (std::log(sum) - logits[static_cast<std::size_t>(p.classes[i])]);
    total += p.weights[i];
  }
  for (std::size_t j = 0; j < p.d * k; ++j) squares += coef[j] * coef[j];
  return loss / total + 0.5 * penalty * squares;
}

// Half the mean squared error and both penalties in plain loops, with one parameter moved.
double elastic_net_objective(const Problem<float>& p, LinearPath path, double l2, double l1,
                             std::size_t moved, double step) {
  (moved < p.d * 2 ? path.coef[moved] : path.intercept[moved - p.d * 2]) += step;
  std::vector<double> means(p.d, 0.0), variances(p.d, 0.0);
  double loss = 0.0, total = 0.0, penalty = 0.0;
  for (std::size_t i = 0; i < p.n; ++i) total += p.weights[i];
  for (std::size_t i = 0; i < p.n; ++i) {
    for (std::size_t j = 0; j < p.d; ++j) means[j] += p.weights[i] / total * p.X[i * p.d + j];
    for (std::size_t t = 0; t < 2; ++t) {
      double error = path.intercept[t] - p.y[i * 2 + t];
      for (std::size_t j = 0; j < p.d; ++j) error += p.X[i * p.d + j] * path.coef[j * 2 + t];
      loss += 0.5 * p.weights[i] / total * error * error;
    }
  }
  for (std::size_t i = 0; i < p.n; ++i) {
    for (std::size_t j = 0; j < p.d; ++j) {
      const double distance = p.X[i * p.d + j] - means[j];
      variances[j] += p.weights[i] / total * distance * distance;
    }
  }
  for (std::size_t c = 0; c < p.d * 2; ++c) {
    penalty += 0.5 * l2 * path.coef[c] * path.coef[c];
    penalty += l1 * std::fabs(path.coef[c]) * std::sqrt(variances[c / 2]);
  }
  return loss + penalty;
}

void elastic_net_is_a_minimum() {
  const Problem<float> p = problem<float>(200, 5);
  for (const double l1 : {0.5, 0.01}) {
    for (const double l2 : {0.0, 0.1}) {
      const LinearPath path = elastic_net_path(p.rows(), p.y.data(), 2, {{l2}, {l1}, 500});
      CHECK(path.converged[0]);
      for (std::size_t moved = 0; moved < (p.d + 1) * 2; ++moved) {
        const auto at = [&](double s) { return elastic_net_objective(p, path, l2, l1, moved, s); };
        for (const double step : {1e-3, -1e-3}) CHECK(at(step) >= at(0.0) - 1e-7);
      }
    }
  }
  const LinearPath none = elastic_net_path(p.rows(), p.y.data(), 2, {{0.0}, {1e6}, 500});
  for (const double coef : none.coef) CHECK(coef == 0.0);
  LinearRows<float> rows = p.rows();
  rows.should_stop = [] { return true; };
  CHECK(elastic_net_path(rows, p.y.data(), 2, {{0.0}, {1.0}, 10}).stopped);
}

void logistic_gradient_vanishes(std::size_t n_classes) {
  Problem<float> p = problem<float>(300, 5);
  for (auto& index : p.classes) index = std::min<std::int32_t>(index, int(n_classes) - 1);
  const std::vector<double> penalties = {1e-4, 1.0, 0.0, 1e-2};
  const LinearPath path =
      logistic_path(p.rows(), p.classes.data(), n_classes, {penalties, {}, 500});
  CHECK(!path.stopped);
  const std::size_t k = n_classes == 2 ? 1 : n_classes;
  for (std::size_t which = 0; which < penalties.size(); ++which) {
    CHECK(path.converged[which]);
    CHECK(path.n_iterations[which] >= 1 && path.n_iterations[which] < 100);
    for (std::size_t moved = 0; moved < (p.d + 1) * k; ++moved) {
      const double step = 1e-4;
      const auto at = [&](double s) {
        return logistic_objective(p, n_classes, path, which, penalties[which], moved, s);
      };
      // 1e-6 for centred columns, here at mean 3: a coefficient's derivative adds 3 intercepts'.
      CHECK_CLOSE((at(step) - at(-step)) / (2.0 * step), 0.0, 1e-5);
    }
  }
}

void separable_classes_stay_finite() {
  const std::vector<double> X = {-2, -1, 1, 2};
  const std::vector<std::int32_t> classes = {0, 0, 1, 1};
  const LinearRows<double> rows{X.data(), nullptr, 4, 1, {}};
  for (const int max_iterations : {3, 1000}) {
    for (const std::size_t n_classes : {2u, 4u}) {  // with four, two classes have no rows
      const LinearPath path =
          logistic_path(rows, classes.data(), n_classes, {{0.0}, {}, max_iterations});
      for (double value : path.coef) CHECK(std::isfinite(value));
      for (double value : path.intercept) CHECK(std::isfinite(value));
      CHECK(path.n_iterations[0] <= max_iterations);
      CHECK(max_iterations > 3 || !path.converged[0]);
    }
  }
}

void one_class_alone_stays_finite() {
  const std::vector<float> X = {1, 2, 3};
  const std::vector<std::int32_t> classes = {1, 1, 1};
  const LinearRows<float> rows{X.data(), nullptr, 3, 1, {}};
  const LinearPath path = logistic_path(rows, classes.data(), 2, {{1.0, 0.0}, {}, 100});
  for (double value : path.coef) CHECK(std::isfinite(value));
  CHECK(path.intercept[0] > 2.0);
}

// Two binned columns, of 3 bins and of 2, around and behind dense ones; some values are missing.
template <typename Value>
void bins_are_the_features_that_they_stand_for(Bins first, Bins second) {
  const std::size_t n = 300, d = 8;  // features: dense, 3 bins, dense, dense, 2 bins
  const Problem<Value> p = problem<Value>(n, d);
  std::mt19937 rng(5);
  std::vector<Value> dense, fractions, features;
  std::vector<std::uint16_t> bins;
  const std::vector<BinnedColumn> columns = {{1, 3, first}, {6, 2, second}};
  for (std::size_t i = 0; i < n; ++i) {
    const auto expand = [&](const BinnedColumn& column) {
      const int bin = static_cast<int>(rng() % static_cast<unsigned>(column.n_bins + 1));
      const bool missing = bin == column.n_bins;
      const Value share = missing ? Value(0) : static_cast<Value>(rng() % 9) / Value(8);
      bins.push_back(static_cast<std::uint16_t>(bin));
      fractions.push_back(share);
      for (int b = 0; b < column.n_bins; ++b) {
        const Value inner = b < bin ? Value(1) : b > bin ? Value(-1) : 2 * share - 1;
        const bool slots = column.kind == Bins::one_hot;
        const Value feature = slots ? static_cast<Value>(b == bin) : inner;
        features.push_back(missing ? Value(0) : feature);
      }
    };
    const auto copy = [&](std::size_t from, std::size_t to) {
      for (std::size_t j = from; j < to; ++j) dense.push_back(p.X[i * d + j]);
      features.insert(features.end(), dense.end() - static_cast<std::ptrdiff_t>(to - from),
                      dense.end());
    };
    copy(0, 1);
    expand(columns[0]);
    copy(1, 3);
    expand(columns[1]);
  }
  LinearRows<Value> whole = p.rows(), compact = p.rows();
  whole.X = features.data();
  compact.X = dense.data();
  compact.binned = {columns, bins.data(), fractions.data()};
  std::vector<std::int32_t> numbers;  // every second row
  for (std::size_t i = 0; i < n / 2; ++i) numbers.push_back(static_cast<std::int32_t>(2 * i));
  for (LinearRows<Value>* rows : {&whole, &compact}) {
    rows->numbers = numbers.data();
    rows->n_rows = numbers.size();
  }
  const DescentOptions options{{1e-2, 1.0}, {1e-3, 0.0}, 1000};
  const auto compare = [](const LinearPath& path, const LinearPath& expected) {
    for (std::size_t i = 0; i < path.coef.size(); ++i) {
      CHECK_CLOSE(path.coef[i], expected.coef[i], 1e-4);
    }
    for (std::size_t i = 0; i < path.intercept.size(); ++i) {
      CHECK_CLOSE(path.intercept[i], expected.intercept[i], 1e-3);
    }
    for (const char converged : path.converged) CHECK(converged);
  };
  compare(logistic_path(compact, p.classes.data(), 3, options),
          logistic_path(whole, p.classes.data(), 3, options));
  compare(elastic_net_path(compact, p.y.data(), 2, options),
          elastic_net_path(whole, p.y.data(), 2, options));
}

void a_stop_is_flagged() {
  const Problem<float> p = problem<float>(300, 5);
  LinearRows<float> rows = p.rows();
  rows.should_stop = [] { return true; };
  CHECK(ridge_path(rows, p.y.data(), 2, {1.0}).stopped);
  CHECK(logistic_path(rows, p.classes.data(), 3, {{1.0}, {}, 10}).stopped);
  int looks = 0;
  rows.should_stop = [&] { return ++looks > 4; };
  const LinearPath path = logistic_path(rows, p.classes.data(), 3, {{0.0, 1.0}, {}, 100});
  CHECK(path.stopped && path.n_iterations[1] > 0 && path.n_iterations[0] == 0);
  for (double value : path.coef) CHECK(std::isfinite(value));
}

void misfits_are_refused() {
  Problem<float> p = problem<float>(30, 4);
  const auto ridge = [&](double alpha) { return ridge_path(p.rows(), p.y.data(), 2, {alpha}); };
  const auto logistic = [&] {
    return logistic_path(p.rows(), p.classes.data(), 3, {{1.0}, {}, 10});
  };
  CHECK_THROWS(ridge(-1.0), std::invalid_argument);
  CHECK_THROWS(ridge(std::nan("")), std::invalid_argument);
  p.classes[4] = 3;
  CHECK_THROWS(logistic(), std::invalid_argument);
  p.classes[4] = 0;
  for (const double tolerance : {0.0, std::nan("")}) {
    CHECK_THROWS(logistic_path(p.rows(), p.classes.data(), 3, {{1.0}, {}, 10, tolerance}),
                 std::invalid_argument);
  }
  p.X[7] = std::numeric_limits<float>::infinity();
  p.weights[1] = 1.0;
  CHECK_THROWS(ridge(1.0), std::invalid_argument);
  CHECK_THROWS(logistic(), std::invalid_argument);
  p.X[7] = 0.0f;
  p.weights[3] = -1.0;
  CHECK_THROWS(ridge(1.0), std::invalid_argument);
}

}  // namespace

int main() {
  ridge_gradient_vanishes<float>(200, 6);
  ridge_gradient_vanishes<double>(200, 6);
  ridge_gradient_vanishes<double>(30, 50);  // the kernel's side
  elastic_net_is_a_minimum();
  logistic_gradient_vanishes(2);
  logistic_gradient_vanishes(3);
  separable_classes_stay_finite();
  one_class_alone_stays_finite();
  for (const Bins kind : {Bins::piecewise, Bins::one_hot}) {
    bins_are_the_features_that_they_stand_for<float>(kind, Bins::one_hot);
    bins_are_the_features_that_they_stand_for<double>(kind, Bins::piecewise);
  }
  a_stop_is_flagged();
  misfits_are_refused();
  return automs_test_result();
}
