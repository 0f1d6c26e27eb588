#include <Eigen/Dense>

#include "core/check.hpp"
#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"
#include "core/closed_form_descent.hpp"

namespace automs {
namespace {

using namespace closed_form;

// Numbers, and half the squared error of what is predicted for them.
struct NumberTarget {
  Eigen::Map<const Matrix> y;  // (n_rows, n_outputs)

  Index n_outputs() const { return y.cols(); }
  double curvature() const { return 1.0; }
  RowVector start(const Vector& weights) const { return weights.transpose() * y; }

  double to_errors(Index begin, const Vector& weights, Matrix& outputs) const {
    outputs -= y.middleRows(begin, outputs.rows());
    const auto own = weights.segment(begin, outputs.rows());
    const double loss = 0.5 * own.dot(outputs.rowwise().squaredNorm());
    outputs.array().colwise() *= own.array();
    return loss;
  }
};

}  // namespace

template <typename Value>
LinearPath elastic_net_path(const LinearRows<Value>& rows, const double* y, std::size_t n_outputs,
                            const DescentOptions& options) {
  const NumberTarget target{{y, static_cast<Index>(rows.n_rows), static_cast<Index>(n_outputs)}};
  require(n_outputs >= 1, "y must have >= 1 column, got 0");
  require(target.y.allFinite(), "y must be finite, got NaN or infinity");
  return descend(rows, target, options);
}

template LinearPath elastic_net_path(const LinearRows<float>&, const double*, std::size_t,
                                     const DescentOptions&);
template LinearPath elastic_net_path(const LinearRows<double>&, const double*, std::size_t,
                                     const DescentOptions&);

}  // namespace automs
