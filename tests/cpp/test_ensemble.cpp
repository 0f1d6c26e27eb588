// Greedy selection against plain loops; ties, stops, undefined members and thread counts.
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "core/ensemble.hpp"

using namespace automs;

namespace {

using Members = std::vector<std::vector<double>>;

struct Problem {
  Members members;  // each (n_rows, 1)
  std::vector<double> y;

  std::vector<const double*> pointers() const {
    std::vector<const double*> out;
    for (const auto& member : members) out.push_back(member.data());
    return out;
  }
  ScoredRows rows() const { return {nullptr, y.data(), nullptr, y.size(), 1, 1, 0.5}; }
};

Problem noisy(std::size_t n_rows, std::size_t n_members, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal;
  Problem problem;
  for (std::size_t i = 0; i < n_rows; ++i) problem.y.push_back(normal(rng));
  for (std::size_t m = 0; m < n_members; ++m) {
    std::vector<double> member(problem.y);
    for (double& value : member) value += (1.0 + 0.02 * static_cast<double>(m)) * normal(rng);
    problem.members.push_back(member);
  }
  return problem;
}

EnsembleResult run(const Problem& problem, int max_steps, int n_threads = 1,
                   std::function<bool()> should_stop = {}) {
  return greedy_ensemble(problem.pointers(), problem.rows(),
                         {Metric::mse, max_steps, n_threads, std::move(should_stop)});
}

double mean_squared_error(const Problem& problem, const std::vector<double>& weights) {
  double sum = 0.0;
  for (std::size_t i = 0; i < problem.y.size(); ++i) {
    double value = -problem.y[i];
    for (std::size_t m = 0; m < weights.size(); ++m) value += weights[m] * problem.members[m][i];
    sum += value * value;
  }
  return sum / static_cast<double>(problem.y.size());
}

// The same selection without ties, from the definition: the whole average anew for each trial.
std::vector<double> naive_weights(const Problem& problem, int max_steps) {
  const std::size_t n_members = problem.members.size();
  std::vector<double> counts(n_members, 0.0), best;
  double best_error = std::numeric_limits<double>::infinity();
  for (int step = 1; step <= max_steps; ++step) {
    std::size_t chosen = 0;
    double lowest = std::numeric_limits<double>::infinity();
    std::vector<double> chosen_weights;
    for (std::size_t m = 0; m < n_members; ++m) {
      std::vector<double> weights = counts;
      weights[m] += 1.0;
      for (double& weight : weights) weight /= step;
      const double error = mean_squared_error(problem, weights);
      if (error < lowest) {
        lowest = error;
        chosen = m;
        chosen_weights = weights;
      }
    }
    counts[chosen] += 1.0;
    if (lowest < best_error * (1.0 - 1e-9)) {
      best_error = lowest;
      best = chosen_weights;
    }
  }
  return best;
}

void equals_the_definition() {
  for (unsigned seed = 0; seed < 5; ++seed) {
    const Problem problem = noisy(60, 8, seed);
    const EnsembleResult result = run(problem, 15);
    const std::vector<double> expected = naive_weights(problem, 15);
    for (std::size_t m = 0; m < expected.size(); ++m) {
      CHECK_CLOSE(result.weights[m], expected[m], 1e-15);
    }
    CHECK_CLOSE(result.score, -mean_squared_error(problem, result.weights), 1e-12);
  }
}

void thread_count_does_not_change_the_weights() {
  const Problem problem = noisy(6000, 40, 9);
  const EnsembleResult one = run(problem, 10, 1);
  for (const int n_threads : {2, 4}) {
    const EnsembleResult many = run(problem, 10, n_threads);
    CHECK(many.weights == one.weights);
    CHECK(many.score == one.score);
    CHECK(many.n_steps == one.n_steps);
  }
}

void ties_go_to_used_members_then_to_the_lower_index() {
  // Members 1 and 2 are equal; beside either, member 0 is worse than nothing.
  const Problem problem{{{9, 9, 9}, {1, 2, 4}, {1, 2, 4}}, {1, 2, 3}};
  const EnsembleResult result = run(problem, 5);
  CHECK(result.weights == (std::vector<double>{0, 1, 0}));
  CHECK(result.n_steps == 1);  // later steps are no better: the first best counts
}

void undefined_members_are_left_out() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Problem some{{{1, nan, 3}, {1, 2, 4}}, {1, 2, 3}};
  CHECK(run(some, 3).weights == (std::vector<double>{0, 1}));
  const Problem none{{{1, nan, 3}}, {1, 2, 3}};
  const EnsembleResult result = run(none, 3);
  CHECK(result.weights == std::vector<double>{0.0});
  CHECK(std::isnan(result.score) && result.n_steps == 0);
}

void a_stop_keeps_finished_steps() {
  const Problem problem = noisy(50, 6, 3);
  for (const int n_threads : {1, 3}) {
    const EnsembleResult at_once = run(problem, 10, n_threads, [] { return true; });
    CHECK(at_once.n_steps == 1);
  }
  int looks = 0;
  const EnsembleResult later = run(problem, 10, 1, [&] { return ++looks > 13; });
  CHECK(later.weights == run(problem, 2).weights);  // two steps of six members, then a part
}

void misfits_are_refused() {
  const Problem problem = noisy(5, 2, 1);
  CHECK_THROWS(run(problem, 0), std::invalid_argument);
  CHECK_THROWS(run(problem, 1, 0), std::invalid_argument);
  CHECK_THROWS(run({{}, {1.0}}, 1), std::invalid_argument);
}

}  // namespace

int main() {
  equals_the_definition();
  thread_count_does_not_change_the_weights();
  ties_go_to_used_members_then_to_the_lower_index();
  undefined_members_are_left_out();
  a_stop_keeps_finished_steps();
  misfits_are_refused();
  return automs_test_result();
}
