#include "core/lbfgs.hpp"

#include <cmath>
#include <cstddef>
#include <deque>
#include <limits>
#include <utility>

namespace automs {
namespace {

constexpr std::size_t kPairs = 10;
constexpr int kLineSearchTrials = 40;
constexpr double kDecrease = 1e-4;  // first Wolfe condition
constexpr double kCurvature = 0.9;  // second Wolfe condition

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// target += factor * direction
void add_scaled(Vector& target, double factor, const Vector& direction) {
  for (std::size_t i = 0; i < target.size(); ++i) target[i] += factor * direction[i];
}

// One accepted step: how far the point went, how much the gradient changed.
struct Pair {
  Vector step;
  Vector change;
  double curvature;  // step . change > 0
};

// - (approximate inverse second derivatives) * gradient, by the two-loop recursion.
Vector descent_direction(const std::deque<Pair>& pairs, const Vector& gradient) {
  Vector direction = gradient;
  Vector factors(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    factors[i] = dot(pairs[i].step, direction) / pairs[i].curvature;
    add_scaled(direction, -factors[i], pairs[i].change);
  }
  double scale = 1.0;
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    scale = last.curvature / dot(last.change, last.change);
  }
  for (double& value : direction) value *= scale;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double back = dot(pairs[i].change, direction) / pairs[i].curvature;
    add_scaled(direction, factors[i] - back, pairs[i].step);
  }
  for (double& value : direction) value = -value;
  return direction;
}

struct State {
  Vector point;
  Vector gradient;
  double value;
};

enum class Search { found, failed, stopped };

// Fills `next` with a point along `direction` that decreases the value enough and lies past the
// steepest part of the slope (which keeps every pair's curvature positive).
Search line_search(const SmoothFunction& function, const State& current, const Vector& direction,
                   State& next) {
  const double slope = dot(current.gradient, direction);
  if (!(slope < 0.0)) return Search::failed;
  // Near the minimum the values differ by less than they are rounded; that counts as a decrease.
  const double rounding = 8.0 * std::numeric_limits<double>::epsilon() * std::fabs(current.value);
  double low = 0.0, high = std::numeric_limits<double>::infinity(), length = 1.0;
  for (int trial = 0; trial < kLineSearchTrials; ++trial) {
    next.point = current.point;
    add_scaled(next.point, length, direction);
    next.value = function.evaluate(next.point, next.gradient);
    if (std::isnan(next.value)) return Search::stopped;
    if (!(next.value <= current.value + kDecrease * length * slope + rounding)) {
      high = length;
    } else if (dot(next.gradient, direction) < kCurvature * slope) {
      low = length;
    } else {
      return Search::found;
    }
    length = std::isinf(high) ? 2.0 * low : 0.5 * (low + high);
  }
  return Search::failed;
}

void remember(std::deque<Pair>& pairs, const State& current, const State& next) {
  Pair pair{next.point, next.gradient, 0.0};
  add_scaled(pair.step, -1.0, current.point);
  add_scaled(pair.change, -1.0, current.gradient);
  pair.curvature = dot(pair.step, pair.change);
  if (!(pair.curvature > 0.0)) return;
  if (pairs.size() == kPairs) pairs.pop_front();
  pairs.push_back(std::move(pair));
}

}  // namespace

LbfgsResult minimise_lbfgs(const SmoothFunction& function, const LbfgsOptions& options,
                           std::vector<double>& point) {
  LbfgsResult result{false, false, 0};
  State current{point, Vector(point.size()), 0.0};
  State next{point, Vector(point.size()), 0.0};
  current.value = function.evaluate(current.point, current.gradient);
  if (std::isnan(current.value)) {
    result.stopped = true;
    return result;
  }
  std::deque<Pair> pairs;
  while (true) {
    result.converged = function.gradient_norm(current.gradient) <= options.tolerance;
    if (result.converged || result.n_iterations >= options.max_iterations) break;
    Search search =
        line_search(function, current, descent_direction(pairs, current.gradient), next);
    if (search == Search::failed && !pairs.empty()) {
      pairs.clear();  // the pairs have aged: try once more along the plain gradient
      search = line_search(function, current, descent_direction(pairs, current.gradient), next);
    }
    result.stopped = search == Search::stopped;
    if (search != Search::found) break;
    remember(pairs, current, next);
    std::swap(current, next);
    ++result.n_iterations;
  }
  point = current.point;
  return result;
}

}  // namespace automs
