// a convex function, smooth but for absolute values, and a start -> its minimiser, by L-BFGS.
#pragma once

#include <functional>
#include <vector>

namespace automs {

/// What is minimised, over points of one fixed length.
struct SmoothFunction {
  /// Value at `point`; fills `gradient` of the same length. NaN: a stop was asked for.
  std::function<double(const std::vector<double>& point, std::vector<double>& gradient)> evaluate;
  /// The size of a gradient that is compared with the tolerance (for instance its max-norm).
  std::function<double(const std::vector<double>& gradient)> gradient_norm;
};

struct LbfgsOptions {
  int max_iterations;  // >= 0
  double tolerance;    // converged where gradient_norm <= tolerance
  /// Empty, or one number >= 0 for each variable: sum_i absolute[i] |point[i]| is added to the
  /// function. The gradient that is compared then is the least one in the subdifferential.
  std::vector<double> absolute;
};

struct LbfgsResult {
  bool converged;
  bool stopped;
  int n_iterations;
};

/// Moves `point` to a minimum: L-BFGS with 10 pairs (Nocedal and Wright, "Numerical optimization",
/// algorithm 7.5) and a line search for the weak Wolfe conditions by doubling and bisection. The
/// variables should be scaled so that the second derivatives are near 1. With absolute values it is
/// OWL-QN (Andrew and Gao, "Scalable training of L1-regularized log-linear models", 2007): a step
/// stays in one orthant, and is halved until the value decreases enough. `point` ends at the last
/// accepted point, finite also where no minimum exists and the iterations run out.
LbfgsResult minimise_lbfgs(const SmoothFunction& function, const LbfgsOptions& options,
                           std::vector<double>& point);

}  // namespace automs
