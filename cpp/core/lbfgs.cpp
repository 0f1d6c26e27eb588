#include "core/lbfgs.hpp"

#include <algorithm>
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
constexpr double kRounding = 8.0 * std::numeric_limits<double>::epsilon();

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
  Vector gradient;  // of the smooth part
  Vector slope;     // of the whole: the least of the subgradients
  double value;
};

// The smooth function and the absolute values that are added to it.
struct Whole {
  const SmoothFunction& smooth;
  const Vector& absolute;  // may be empty

  // Value and gradients at state.point; false where a stop was asked for.
  bool evaluate(State& state) const {
    state.value = smooth.evaluate(state.point, state.gradient);
    state.slope = state.gradient;
    for (std::size_t i = 0; i < absolute.size(); ++i) {
      const double x = state.point[i], size = absolute[i];
      state.value += size * std::fabs(x);
      // At 0 every number from -size to size is a subgradient.
      const double nearest = std::clamp(-state.gradient[i], -size, size);
      state.slope[i] += x > 0.0 ? size : x < 0.0 ? -size : nearest;
    }
    return !std::isnan(state.value);
  }
};

enum class Search { found, failed, stopped };

// Fills `next` with a point along `direction` that decreases the value enough and lies past the
// steepest part of the slope (which keeps every pair's curvature positive).
Search search_line(const Whole& function, const State& current, const Vector& direction,
                   State& next) {
  const double slope = dot(current.slope, direction);
  if (!(slope < 0.0)) return Search::failed;
  // Near the minimum the values differ by less than they are rounded; that counts as a decrease.
  const double rounding = kRounding * std::fabs(current.value);
  double low = 0.0, high = std::numeric_limits<double>::infinity(), length = 1.0;
  for (int trial = 0; trial < kLineSearchTrials; ++trial) {
    next.point = current.point;
    add_scaled(next.point, length, direction);
    if (!function.evaluate(next)) return Search::stopped;
    if (!(next.value <= current.value + kDecrease * length * slope + rounding)) {
      high = length;
    } else if (dot(next.slope, direction) < kCurvature * slope) {
      low = length;
    } else {
      return Search::found;
    }
    length = std::isinf(high) ? 2.0 * low : 0.5 * (low + high);
  }
  return Search::failed;
}

// Where variables have absolute values: fills `next` with a point along `direction`, in the orthant
// of the current point (or, from 0, of the descent), that decreases the value enough.
Search search_orthant(const Whole& function, const State& current, Vector direction, State& next) {
  for (std::size_t i = 0; i < direction.size(); ++i) {
    if (function.absolute[i] > 0.0 && direction[i] * current.slope[i] >= 0.0) direction[i] = 0.0;
  }
  const double rounding = kRounding * std::fabs(current.value);
  double length = 1.0;
  for (int trial = 0; trial < kLineSearchTrials; ++trial, length *= 0.5) {
    next.point = current.point;
    add_scaled(next.point, length, direction);
    double decrease = 0.0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      const double side = current.point[i] != 0.0 ? current.point[i] : -current.slope[i];
      if (function.absolute[i] > 0.0 && next.point[i] * side <= 0.0) next.point[i] = 0.0;
      decrease += current.slope[i] * (next.point[i] - current.point[i]);
    }
    if (!(decrease < 0.0)) return Search::failed;
    if (!function.evaluate(next)) return Search::stopped;
    if (next.value <= current.value + kDecrease * decrease + rounding) return Search::found;
  }
  return Search::failed;
}

Search search(const Whole& function, const std::deque<Pair>& pairs, const State& current,
              State& next) {
  const Vector direction = descent_direction(pairs, current.slope);
  return function.absolute.empty() ? search_line(function, current, direction, next)
                                   : search_orthant(function, current, direction, next);
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
  const Whole whole{function, options.absolute};
  State current{point, Vector(point.size()), Vector(point.size()), 0.0};
  State next = current;
  if (!whole.evaluate(current)) {
    result.stopped = true;
    return result;
  }
  std::deque<Pair> pairs;
  while (true) {
    result.converged = function.gradient_norm(current.slope) <= options.tolerance;
    if (result.converged || result.n_iterations >= options.max_iterations) break;
    Search found = search(whole, pairs, current, next);
    if (found == Search::failed && !pairs.empty()) {
      pairs.clear();  // the pairs have aged: try once more along the plain gradient
      found = search(whole, pairs, current, next);
    }
    result.stopped = found == Search::stopped;
    if (found != Search::found) break;
    remember(pairs, current, next);
    std::swap(current, next);
    ++result.n_iterations;
  }
  point = current.point;
  return result;
}

}  // namespace automs
