// Jobs over threads: bits for any number of threads and any grouping, exceptions, forks, states.
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include "check.hpp"
#include "core/evaluation.hpp"
#include "core/parallel.hpp"
#include "core/train_jobs.hpp"
#include "fixtures.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_problem;
using fixtures::Problem;

namespace {

std::vector<Candidate> mixed_candidates() {
  std::vector<Candidate> candidates;
  for (int i = 0; i < 12; ++i) {
    Candidate c = make_candidate({}, static_cast<Activation>(i % kActivationCount), Loss::squared);
    for (int depth = 0; depth < i % 4; ++depth) {
      c.architecture.hidden_layer_sizes.push_back(3 + 5 * i + depth);
    }
    c.batch_size = 8 + 30 * i;
    c.epochs = 3 + i % 3;
    c.dropout = i % 2 == 0 ? 0.0 : 0.2;
    c.seed = static_cast<std::uint64_t>(1000 + i);
    candidates.push_back(c);
  }
  return candidates;
}

std::vector<State<float>> run_all(const Problem<float>& p, int n_threads, bool backwards) {
  TrainJobs jobs;
  jobs.add_view(p.view);
  const std::vector<Candidate> candidates = mixed_candidates();
  std::vector<JobRequest> requests;
  for (const Candidate& c : candidates) {
    const std::size_t job = jobs.add_job(jobs.add_candidate(c), 0);
    requests.push_back({job, c.epochs});
  }
  if (backwards) requests = {requests.rbegin(), requests.rend()};
  Stop stop;
  jobs.run(requests, n_threads, Metric::rmse, stop);
  std::vector<State<float>> states;
  for (std::size_t job = 0; job < jobs.n_jobs(); ++job) states.push_back(jobs.state(job));
  return states;
}

void check_equal(const State<float>& a, const State<float>& b) {
  CHECK(a.chosen_weights() == b.chosen_weights());
  CHECK(a.train_loss == b.train_loss && a.validation_score == b.validation_score);
  CHECK(a.best_epoch == b.best_epoch && a.best_score == b.best_score);
}

void test_threads_and_order_do_not_change_bits() {
  const Problem<float> p = make_problem<float>(Loss::squared, 2, 400);
  const auto serial = run_all(p, 1, false);
  for (const int n_threads : {2, 3, 8}) {
    for (const bool backwards : {false, true}) {
      const auto threaded = run_all(p, n_threads, backwards);
      for (std::size_t i = 0; i < serial.size(); ++i) check_equal(serial[i], threaded[i]);
    }
  }
}

void test_alone_equals_among_others() {
  const Problem<float> p = make_problem<float>(Loss::squared, 2, 400);
  const auto among = run_all(p, 2, false);
  const std::vector<Candidate> candidates = mixed_candidates();
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    TrainJobs jobs;
    jobs.add_view(p.view);
    const std::size_t job = jobs.add_job(jobs.add_candidate(candidates[i]), 0);
    Stop stop;
    jobs.run({{job, candidates[i].epochs}}, 1, Metric::rmse, stop);
    check_equal(jobs.state(job), among[i]);
  }
}

void test_exported_state_goes_on_to_the_same_bits() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 200);
  Candidate c = make_candidate({10, 10}, Activation::mish, Loss::squared);
  c.epochs = 6;
  TrainJobs whole, first, second;
  for (TrainJobs* jobs : {&whole, &first, &second}) {
    jobs->add_view(p.view);
    jobs->add_job(jobs->add_candidate(c), 0);
  }
  Stop stop;
  whole.run({{0, 6}}, 1, Metric::r2, stop);
  first.run({{0, 2}}, 1, Metric::r2, stop);
  second.import_state(0, first.export_state(0));
  second.run({{0, 6}}, 1, Metric::r2, stop);
  check_equal(whole.state(0), second.state(0));
  CHECK(second.state(0).state == JobState::complete);
  PortableState broken = first.export_state(0);
  broken.weights.pop_back();
  CHECK_THROWS(second.import_state(0, broken), std::invalid_argument);
}

void test_bad_arguments_are_refused() {
  Problem<float> p = make_problem<float>(Loss::squared, 1);
  TrainJobs jobs;
  View<float> view = p.view;
  view.train_rows.push_back(1 << 20);
  CHECK_THROWS(jobs.add_view(view), std::invalid_argument);
  jobs.add_view(p.view);
  Candidate c = make_candidate({4}, Activation::relu, Loss::cross_entropy);
  const std::size_t wrong_loss = jobs.add_candidate(c);
  CHECK_THROWS(jobs.add_job(wrong_loss, 0), std::invalid_argument);
  c.loss.kind = Loss::squared;
  c.batch_size = 0;
  CHECK_THROWS(jobs.add_candidate(c), std::invalid_argument);
  Stop stop;
  CHECK_THROWS(jobs.run({{99, 1}}, 1, Metric::rmse, stop), std::invalid_argument);
  c.batch_size = 4;
  const std::size_t job = jobs.add_job(jobs.add_candidate(c), 0);
  CHECK_THROWS(jobs.run({{job, 1}, {job, 2}}, 2, Metric::rmse, stop), std::invalid_argument);
  jobs.run({{job, 1}}, 1, Metric::rmse, stop);
  jobs.release({job});
  CHECK_THROWS(jobs.weights(job), std::invalid_argument);
  CHECK_THROWS(jobs.run({{job, 2}}, 2, Metric::rmse, stop), std::invalid_argument);
}

void test_a_settled_job_can_be_used_and_starts_again() {
  Problem<float> p = make_problem<float>(Loss::squared, 1);
  TrainJobs jobs;
  jobs.add_view(p.view);
  Candidate c = make_candidate({4}, Activation::relu, Loss::squared);
  c.epochs = 4;
  jobs.add_candidate(c);
  const std::size_t job = jobs.add_job(0, 0);
  const std::size_t twin = jobs.add_job(0, 0);
  Stop stop;
  jobs.run({{job, 2}, {twin, 4}}, 1, Metric::rmse, stop);
  const NetworkWeights before = jobs.weights(job);
  jobs.settle({job});
  CHECK(jobs.state(job).first_moment.empty() && jobs.state(job).second_moment.empty());
  CHECK(jobs.weights(job).layers[0].weights == before.layers[0].weights);
  CHECK_THROWS(jobs.run({{job, 4}}, 1, Metric::rmse, stop), std::invalid_argument);
  jobs.restart({job});
  CHECK(jobs.state(job).epoch == 0);
  jobs.run({{job, 4}}, 1, Metric::rmse, stop);
  CHECK(jobs.weights(job).layers[0].weights == jobs.weights(twin).layers[0].weights);
  CHECK_THROWS(jobs.settle({99}), std::invalid_argument);
}

void test_a_view_that_was_away_gives_the_same_bits_from_elsewhere() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 200);
  Candidate c = make_candidate({10}, Activation::relu, Loss::squared);
  c.epochs = 4;
  TrainJobs whole, moved;
  for (TrainJobs* jobs : {&whole, &moved}) {
    jobs->add_view(p.view);
    jobs->add_job(jobs->add_candidate(c), 0);
  }
  Stop stop;
  whole.run({{0, 4}}, 1, Metric::rmse, stop);
  {
    const std::vector<float> first = p.X;
    moved.bring_back(0, {first.data(), nullptr, nullptr, nullptr});
    moved.run({{0, 2}}, 1, Metric::rmse, stop);
    moved.put_away(0);
  }
  CHECK_THROWS(moved.run({{0, 4}}, 1, Metric::rmse, stop), std::invalid_argument);
  CHECK_THROWS(moved.validation_predictions({0}, 1), std::invalid_argument);
  CHECK_THROWS(moved.bring_back(0, {}), std::invalid_argument);
  CHECK_THROWS(moved.bring_back(1, {p.X.data(), nullptr, nullptr, nullptr}), std::invalid_argument);
  CHECK_THROWS(moved.put_away(1), std::invalid_argument);
  CHECK(moved.weights(0).layers.size() == 2);
  Stop over(Stop::Clock::now(), {});
  moved.run({{0, 4}}, 2, Metric::rmse, over);
  CHECK(moved.state(0).state == JobState::timed_out && moved.state(0).epoch == 2);
  Stop stopped(Stop::Clock::time_point::max(), [] { return true; });
  moved.run({{0, 4}}, 2, Metric::rmse, stopped);
  CHECK(moved.state(0).state == JobState::stopped && moved.state(0).epoch == 2);
  moved.put_away(0);
  const std::vector<float> second = p.X;
  moved.bring_back(0, {second.data(), nullptr, nullptr, nullptr});
  moved.run({{0, 4}}, 1, Metric::rmse, stop);
  check_equal(whole.state(0), moved.state(0));
  CHECK(whole.validation_predictions({0}, 1) == moved.validation_predictions({0}, 1));
}

void test_a_closed_form_needs_its_view() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 200);
  TrainJobs jobs;
  jobs.add_view(p.view);
  jobs.add_job(jobs.add_candidate(make_candidate({}, Activation::relu, Loss::squared)), 0);
  const std::vector<float> dense(static_cast<std::size_t>(p.view.n_features) + 1, 0.5f);
  jobs.put_away(0);
  CHECK_THROWS(jobs.set_weights(0, dense, 0.0, Metric::rmse), std::invalid_argument);
  jobs.bring_back(0, {p.X.data(), nullptr, nullptr, nullptr});
  jobs.set_weights(0, dense, 0.0, Metric::rmse);
  CHECK(jobs.state(0).state == JobState::complete);
}

void test_logarithms_and_their_loss_belong_together() {
  const Problem<float> logs = make_problem<float>(Loss::squared_log, 2);
  View<float> broken = logs.view;
  broken.logs.high.pop_back();
  TrainJobs jobs;
  CHECK_THROWS(jobs.add_view(broken), std::invalid_argument);
  broken = make_problem<float>(Loss::cross_entropy, 1).view;
  broken.logs = logs.view.logs;
  CHECK_THROWS(jobs.add_view(broken), std::invalid_argument);
  jobs.add_view(logs.view);
  jobs.add_view(make_problem<float>(Loss::squared, 2).view);
  jobs.add_candidate(make_candidate({4}, Activation::relu, Loss::squared));
  jobs.add_candidate(make_candidate({4}, Activation::relu, Loss::squared_log));
  CHECK_THROWS(jobs.add_job(0, 0), std::invalid_argument);
  CHECK_THROWS(jobs.add_job(1, 1), std::invalid_argument);
  CHECK(jobs.add_job(1, 0) == 0);
}

void test_logarithms_come_back_in_the_targets_units() {
  const Problem<float> p = make_problem<float>(Loss::squared_log, 2);
  const View<float>& view = p.view;
  const double low = view.logs.low[1], high = view.logs.high[1];
  for (const double y : {0.5 * (low + high), low, high, -0.9, 2.0 * high}) {
    const float logit[2] = {0.0f, static_cast<float>(std::log((y + 1.0) / 1.7) / 0.4)};
    double prediction[2];
    decode_logits(Loss::squared_log, view, logit, prediction);
    CHECK_CLOSE(prediction[1], std::fmin(std::fmax(y, low), high), 1e-6);
  }
  for (const float logit : {-1e30f, 1e30f}) {  // no infinity on the way
    const float logits[2] = {logit, logit};
    double prediction[2];
    decode_logits(Loss::squared_log, view, logits, prediction);
    CHECK(prediction[0] == (logit < 0 ? view.logs.low[0] : view.logs.high[0]));
  }
}

void test_an_exception_in_a_task_reaches_the_caller() {
  for (const int n_threads : {1, 2, 4}) {
    int done[100] = {};
    auto body = [&](std::size_t task, int) {
      if (task == 37) throw std::runtime_error("injected");
      done[task] = 1;
    };
    CHECK_THROWS(parallel_for(100, n_threads, body), std::runtime_error);
    CHECK(done[0] == 1);
    auto not_standard = [](std::size_t, int) { throw 5; };
    CHECK_THROWS(parallel_for(100, n_threads, not_standard), int);
  }
}

void test_an_exception_while_idle_reaches_the_caller() {
  auto body = [](std::size_t, int thread) { usleep(thread == 0 ? 1000 : 20000); };
  auto idle = [] { throw std::runtime_error("injected"); };
  // The caller idles only where the other thread came in time for one of the tasks.
  for (int attempt = 0; attempt < 500; ++attempt) {
    try {
      parallel_for(2, 2, body, idle);
    } catch (const std::runtime_error&) {
      CHECK(true);
      return;
    }
  }
  CHECK(!"idle was never called");
}

void test_a_look_can_stop_a_run() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 2000);
  TrainJobs jobs;
  jobs.add_view(p.view);
  Candidate c = make_candidate({64, 64}, Activation::relu, Loss::squared);
  c.epochs = 1000000;
  std::vector<JobRequest> requests;
  for (int i = 0; i < 4; ++i) {
    requests.push_back({jobs.add_job(jobs.add_candidate(c), 0), c.epochs});
  }
  int looks = 0;
  Stop stop(Stop::Clock::time_point::max(), [&] { return ++looks >= 3; });
  jobs.run(requests, 2, Metric::rmse, stop);
  for (std::size_t i = 0; i < 4; ++i) CHECK(jobs.state(i).state == JobState::stopped);
  CHECK(looks == 3);
}

/// A child forked after threads were used must train, and to the same bits, instead of waiting for
/// threads that it does not have.
void test_a_forked_child_trains() {
  const Problem<float> p = make_problem<float>(Loss::squared, 2, 400);
  const auto before = run_all(p, 2, false);
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const auto after = run_all(p, 2, false);
    bool equal = true;
    for (std::size_t i = 0; i < after.size(); ++i) {
      equal = equal && after[i].chosen_weights() == before[i].chosen_weights();
    }
    _exit(equal ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

int main() {
  test_threads_and_order_do_not_change_bits();
  test_alone_equals_among_others();
  test_exported_state_goes_on_to_the_same_bits();
  test_bad_arguments_are_refused();
  test_a_settled_job_can_be_used_and_starts_again();
  test_a_view_that_was_away_gives_the_same_bits_from_elsewhere();
  test_a_closed_form_needs_its_view();
  test_logarithms_and_their_loss_belong_together();
  test_logarithms_come_back_in_the_targets_units();
  test_an_exception_in_a_task_reaches_the_caller();
  test_an_exception_while_idle_reaches_the_caller();
  test_a_look_can_stop_a_run();
  test_a_forked_child_trains();
  return automs_test_result();
}
