#include <Eigen/Dense>
#include <limits>
#include <numeric>

#include "core/check.hpp"
#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"
#include "core/lbfgs.hpp"

namespace automs {
namespace {

using namespace closed_form;

constexpr double kGradientTolerance = 1e-6;

// The penalised mean cross-entropy as a function of scaled coefficients (n_columns, n_logits)
// followed by scaled intercepts (n_logits). Columns are centred, and scaled so that the second
// derivatives are near 1 for this penalty, which is what L-BFGS likes.
template <typename Value>
class LogisticLoss {
 public:
  LogisticLoss(const LinearRows<Value>& rows, const std::int32_t* classes, std::size_t n_classes)
      : rows_(rows),
        classes_(classes),
        n_logits_(n_classes == 2 ? 1 : static_cast<Index>(n_classes)),
        weights_(checked_weights(rows)),
        means_(column_means(rows, weights_)),
        variances_(RowVector::Zero(means_.size())) {
    weights_ /= weights_.sum();
    for_blocks(rows, weights_.size(), means_.size(), [&](Index begin, Index count) {
      load_block(begin, count);
      variances_ += weights_.segment(begin, count).transpose() * block_.array().square().matrix();
    });
    require(variances_.allFinite(), "X must be finite and of squares that double holds");
    // p (1 - p) for even classes: how much an entry of a column adds to the second derivative.
    const double p = 1.0 / static_cast<double>(n_classes);
    curvature_ = p * (1.0 - p);
    start(n_classes);
  }

  Index n_logits() const { return n_logits_; }

  /// The current solution, for the columns as they were given.
  void write(double* coef, double* intercept) const {
    Eigen::Map<Matrix>(coef, coef_.rows(), n_logits_) = coef_;
    Eigen::Map<RowVector>(intercept, n_logits_) = intercept_ - means_ * coef_;
  }

  LbfgsResult minimise(double penalty, int max_iterations) {
    penalty_ = penalty;
    scales_ = Vector::Zero(variances_.size());  // stays 0 for a constant column
    for (Index j = 0; j < scales_.size(); ++j) {
      const double second_derivative = curvature_ * variances_[j] + penalty;
      if (variances_[j] > 0.0) scales_[j] = 1.0 / std::sqrt(second_derivative);
    }
    intercept_scale_ = 1.0 / std::sqrt(curvature_);
    std::vector<double> point(static_cast<std::size_t>((coef_.rows() + 1) * n_logits_));
    Eigen::Map<Matrix> scaled(point.data(), coef_.rows() + 1, n_logits_);
    for (Index j = 0; j < coef_.rows(); ++j) {
      scaled.row(j) = scales_[j] > 0.0 ? RowVector(coef_.row(j) / scales_[j])
                                       : RowVector(RowVector::Zero(n_logits_));
    }
    scaled.bottomRows(1) = intercept_ / intercept_scale_;
    const SmoothFunction function{
        [this](const std::vector<double>& at, std::vector<double>& gradient) {
          return evaluate(at, gradient);
        },
        [this](const std::vector<double>& gradient) { return gradient_norm(gradient); }};
    const LbfgsResult result =
        minimise_lbfgs(function, {max_iterations, kGradientTolerance}, point);
    unscale(point);
    return result;
  }

 private:
  // Coefficients 0 and the classes' shares (one row added, so that an absent class stays finite).
  void start(std::size_t n_classes) {
    RowVector shares =
        RowVector::Constant(static_cast<Index>(n_classes), 1.0 / static_cast<double>(rows_.n_rows));
    for (Index i = 0; i < weights_.size(); ++i) shares[classes_[i]] += weights_[i];
    const RowVector logs = shares.array().log();
    coef_ = Matrix::Zero(means_.size(), n_logits_);
    intercept_ = n_logits_ == 1 ? RowVector::Constant(1, logs[1] - logs[0])
                                : RowVector(logs.array() - logs.mean());
  }

  void load_block(Index begin, Index count) {
    load_rows(rows_, begin, count, means_.data(), block_);
  }

  void unscale(const std::vector<double>& point) {
    const Eigen::Map<const Matrix> scaled(point.data(), coef_.rows() + 1, n_logits_);
    coef_ = scales_.asDiagonal() * scaled.topRows(coef_.rows());
    intercept_ = scaled.bottomRows(1) * intercept_scale_;
  }

  double evaluate(const std::vector<double>& point, std::vector<double>& gradient) {
    unscale(point);
    const Index d = coef_.rows();
    Eigen::Map<Matrix> scaled_gradient(gradient.data(), d + 1, n_logits_);
    scaled_gradient.setZero();
    double loss = 0.0;
    try {
      for_blocks(rows_, weights_.size(), d, [&](Index begin, Index count) {
        load_block(begin, count);
        logits_.noalias() = block_ * coef_;
        logits_.rowwise() += intercept_;
        loss += n_logits_ == 1 ? to_binary_errors(begin) : to_softmax_errors(begin);
        scaled_gradient.topRows(d).noalias() += block_.transpose() * logits_;
        scaled_gradient.bottomRows(1) += logits_.colwise().sum();
      });
    } catch (const Stopped&) {
      return std::numeric_limits<double>::quiet_NaN();
    }
    scaled_gradient.topRows(d) += penalty_ * coef_;
    scaled_gradient.topRows(d) = scales_.asDiagonal() * scaled_gradient.topRows(d).eval();
    scaled_gradient.bottomRows(1) *= intercept_scale_;
    return loss + 0.5 * penalty_ * coef_.squaredNorm();
  }

  // logits_ -> weight * (probability of class 1 - is class 1), in place; returns the weighted loss.
  double to_binary_errors(Index begin) {
    double loss = 0.0;
    for (Index i = 0; i < logits_.rows(); ++i) {
      const double logit = logits_(i, 0), weight = weights_[begin + i];
      const double is_one = classes_[begin + i] == 1 ? 1.0 : 0.0;
      const double small = std::exp(-std::fabs(logit));  // never overflows
      loss += weight * (std::log1p(small) + std::max(logit, 0.0) - is_one * logit);
      const double probability = (logit >= 0.0 ? 1.0 : small) / (1.0 + small);
      logits_(i, 0) = weight * (probability - is_one);
    }
    return loss;
  }

  // logits_ -> weight * (probabilities - one-hot class), in place; returns the weighted loss.
  double to_softmax_errors(Index begin) {
    double loss = 0.0;
    for (Index i = 0; i < logits_.rows(); ++i) {
      auto row = logits_.row(i);
      const double weight = weights_[begin + i];
      const std::int32_t true_class = classes_[begin + i];
      row.array() -= row.maxCoeff();
      const double true_logit = row[true_class];
      row = row.array().exp();
      const double sum = row.sum();
      loss += weight * (std::log(sum) - true_logit);
      row *= weight / sum;
      row[true_class] -= weight;
    }
    return loss;
  }

  double gradient_norm(const std::vector<double>& gradient) const {
    const Eigen::Map<const Matrix> scaled(gradient.data(), coef_.rows() + 1, n_logits_);
    double norm = scaled.bottomRows(1).cwiseAbs().maxCoeff() / intercept_scale_;
    for (Index j = 0; j < coef_.rows(); ++j) {
      if (!(scales_[j] > 0.0)) continue;
      const double to_standardised = 1.0 / (scales_[j] * std::sqrt(variances_[j]));
      norm = std::max(norm, scaled.row(j).cwiseAbs().maxCoeff() * to_standardised);
    }
    return norm;
  }

  const LinearRows<Value>& rows_;
  const std::int32_t* classes_;  // (n_rows)
  const Index n_logits_;
  Vector weights_;       // (n_rows), sum 1
  RowVector means_;      // (n_columns)
  RowVector variances_;  // (n_columns)
  double curvature_ = 0.25;
  double penalty_ = 0.0;
  Vector scales_;  // (n_columns): coefficient = scale * scaled coefficient; 0 for a constant column
  double intercept_scale_ = 2.0;
  Matrix coef_;          // (n_columns, n_logits), for centred columns
  RowVector intercept_;  // (n_logits), for centred columns
  Matrix block_;         // rows of X, centred
  Matrix logits_;        // of the block
};

void check_options(const LogisticOptions& options, const std::int32_t* classes,
                   std::size_t n_rows) {
  require(options.n_classes >= 2,
          "n_classes must be >= 2, got " + std::to_string(options.n_classes));
  require(options.max_iterations >= 1,
          "max_iterations must be >= 1, got " + std::to_string(options.max_iterations));
  for (std::size_t i = 0; i < n_rows; ++i) {
    const std::int32_t index = classes[i];
    if (index >= 0 && static_cast<std::size_t>(index) < options.n_classes) continue;
    require(false, "classes must be in [0, " + std::to_string(options.n_classes) + "), got " +
                       std::to_string(index));
  }
}

template <typename Value>
void solve_logistic(const LinearRows<Value>& rows, const std::int32_t* classes,
                    const LogisticOptions& options, LogisticPath& path) {
  LogisticLoss<Value> loss(rows, classes, options.n_classes);
  std::vector<std::size_t> order(options.penalties.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return options.penalties[a] > options.penalties[b];
  });
  const std::size_t n_logits = static_cast<std::size_t>(loss.n_logits());
  for (std::size_t p : order) {
    if (!path.stopped) {
      const LbfgsResult result = loss.minimise(options.penalties[p], options.max_iterations);
      path.converged[p] = result.converged;
      path.n_iterations[p] = std::max(result.n_iterations, result.stopped ? 0 : 1);
      path.stopped = result.stopped;
    }
    loss.write(&path.coef[p * rows.n_columns * n_logits], &path.intercept[p * n_logits]);
  }
}

}  // namespace

template <typename Value>
LogisticPath logistic_path(const LinearRows<Value>& rows, const std::int32_t* classes,
                           const LogisticOptions& options) {
  check_options(options, classes, rows.n_rows);
  check_penalties(options.penalties, "penalties");
  const std::size_t n_penalties = options.penalties.size();
  const std::size_t n_logits = options.n_classes == 2 ? 1 : options.n_classes;
  LogisticPath path{std::vector<double>(n_penalties * rows.n_columns * n_logits, 0.0),
                    std::vector<double>(n_penalties * n_logits, 0.0),
                    std::vector<char>(n_penalties, 0), std::vector<int>(n_penalties, 0), false};
  try {
    solve_logistic(rows, classes, options, path);
  } catch (const Stopped&) {
    path.stopped = true;
  }
  return path;
}

template LogisticPath logistic_path(const LinearRows<float>&, const std::int32_t*,
                                    const LogisticOptions&);
template LogisticPath logistic_path(const LinearRows<double>&, const std::int32_t*,
                                    const LogisticOptions&);

}  // namespace automs
