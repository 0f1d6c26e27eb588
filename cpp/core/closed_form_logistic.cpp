#include <Eigen/Dense>

#include "core/check.hpp"
#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"
#include "core/closed_form_descent.hpp"

namespace automs {
namespace {

using namespace closed_form;

// Classes, and the cross-entropy of their logits.
struct ClassTarget {
  const std::int32_t* classes;  // (n_rows)
  std::size_t n_rows;
  std::size_t n_classes;

  Index n_outputs() const { return n_classes == 2 ? 1 : static_cast<Index>(n_classes); }

  // p (1 - p) for even classes.
  double curvature() const {
    const double p = 1.0 / static_cast<double>(n_classes);
    return p * (1.0 - p);
  }

  // From the classes' shares (one row added, so that an absent class stays finite).
  RowVector start(const Vector& weights) const {
    RowVector shares =
        RowVector::Constant(static_cast<Index>(n_classes), 1.0 / static_cast<double>(n_rows));
    for (Index i = 0; i < weights.size(); ++i) shares[classes[i]] += weights[i];
    const RowVector logs = shares.array().log();
    return n_outputs() == 1 ? RowVector::Constant(1, logs[1] - logs[0])
                            : RowVector(logs.array() - logs.mean());
  }

  double to_errors(Index begin, const Vector& weights, Matrix& outputs) const {
    return n_outputs() == 1 ? to_binary_errors(begin, weights, outputs)
                            : to_softmax_errors(begin, weights, outputs);
  }

  // outputs -> weight * (probability of class 1 - is class 1), in place; returns the weighted loss.
  double to_binary_errors(Index begin, const Vector& weights, Matrix& outputs) const {
    double loss = 0.0;
    for (Index i = 0; i < outputs.rows(); ++i) {
      const double logit = outputs(i, 0), weight = weights[begin + i];
      const double is_one = classes[begin + i] == 1 ? 1.0 : 0.0;
      const double small = std::exp(-std::fabs(logit));  // never overflows
      loss += weight * (std::log1p(small) + std::max(logit, 0.0) - is_one * logit);
      const double probability = (logit >= 0.0 ? 1.0 : small) / (1.0 + small);
      outputs(i, 0) = weight * (probability - is_one);
    }
    return loss;
  }

  // outputs -> weight * (probabilities - one-hot class), in place; returns the weighted loss.
  double to_softmax_errors(Index begin, const Vector& weights, Matrix& outputs) const {
    double loss = 0.0;
    for (Index i = 0; i < outputs.rows(); ++i) {
      auto row = outputs.row(i);
      const double weight = weights[begin + i];
      const std::int32_t true_class = classes[begin + i];
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
};

void check_classes(const ClassTarget& target) {
  const std::size_t n = target.n_classes;
  require(n >= 2, "n_classes must be >= 2, got " + std::to_string(n));
  for (std::size_t i = 0; i < target.n_rows; ++i) {
    const std::int32_t index = target.classes[i];
    if (index >= 0 && static_cast<std::size_t>(index) < n) continue;
    require(false,
            "classes must be in [0, " + std::to_string(n) + "), got " + std::to_string(index));
  }
}

}  // namespace

template <typename Value>
LinearPath logistic_path(const LinearRows<Value>& rows, const std::int32_t* classes,
                         std::size_t n_classes, const DescentOptions& options) {
  const ClassTarget target{classes, rows.n_rows, n_classes};
  check_classes(target);
  return descend(rows, target, options);
}

template LinearPath logistic_path(const LinearRows<float>&, const std::int32_t*, std::size_t,
                                  const DescentOptions&);
template LinearPath logistic_path(const LinearRows<double>&, const std::int32_t*, std::size_t,
                                  const DescentOptions&);

}  // namespace automs
