// Threads that help: every piece done once, bits of one thread, ends by stops and exceptions.
#include <atomic>
#include <thread>
#include <vector>

#include "check.hpp"
#include "core/crew.hpp"
#include "core/parallel.hpp"
#include "core/slices.hpp"
#include "core/train_jobs.hpp"
#include "fixtures.hpp"

using namespace automs;
using fixtures::make_candidate;
using fixtures::make_problem;
using fixtures::Problem;

namespace {

void test_every_piece_is_done_once_with_any_number_of_threads() {
  for (const int n_threads : {1, 2, 3}) {
    Crew crew(n_threads);
    std::atomic<int> n_wrong{0};
    auto task = [&](std::size_t, int thread) {
      for (int round = 0; round < 3000; ++round) {
        int done[7] = {};  // each piece has its own
        auto body = [&](int piece, int) { done[piece] += piece + round; };
        const int n_pieces = 1 + round % 7;
        crew.share(thread, n_pieces, body);
        for (int piece = 0; piece < 7; ++piece) {
          n_wrong += done[piece] != (piece < n_pieces ? piece + round : 0);
        }
      }
    };
    parallel_for(2, n_threads, task, {}, &crew);
    CHECK(n_wrong == 0);
  }
}

/// The two pieces wait for each other, so one thread alone would wait for ever.
void test_a_thread_without_a_task_helps() {
  Crew crew(2);
  std::atomic<int> first_taker{-1}, second_taker{-1};
  auto task = [&](std::size_t, int thread) {
    std::atomic<int> started{0};
    auto body = [&](int piece, int taker) {
      (piece == 0 ? first_taker : second_taker) = taker;
      ++started;
      while (started < 2) std::this_thread::yield();
    };
    crew.share(thread, 2, body);
  };
  parallel_for(1, 2, task, {}, &crew);
  CHECK(first_taker != second_taker);
  CHECK(first_taker + second_taker == 1);
}

void test_there_are_helpers_only_while_a_thread_is_without_a_task() {
  Crew crew(2);
  CHECK(!crew.has_helpers(0));
  bool came = false;
  auto task = [&](std::size_t, int thread) {
    while (!crew.has_helpers(thread)) std::this_thread::yield();
    came = true;
  };
  parallel_for(1, 2, task, {}, &crew);
  CHECK(came && !crew.has_helpers(0) && !crew.has_helpers(1));
}

void test_an_exception_ends_the_waiting_of_helpers() {
  Crew crew(3);
  auto task = [](std::size_t, int) { throw std::runtime_error("injected"); };
  CHECK_THROWS(parallel_for(1, 3, task, {}, &crew), std::runtime_error);
}

/// Slices are whole panels, and together they are all columns, each once.
void test_slices_cover_the_columns_in_whole_panels() {
  constexpr int width = kBlockVectors * kLanes<float>;
  for (const int n : {width, 3 * width, 17 * width + kLanes<float>, 4096}) {
    std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
    std::atomic<int> n_calls{0}, n_wrong{0};
    Crew crew(2);
    std::vector<AlignedVector<float>> panels(2, AlignedVector<float>(1));
    AlignedVector<float> own(1);
    auto task = [&](std::size_t, int thread) {
      while (!crew.has_helpers(thread)) std::this_thread::yield();
      for_each_slice(Help<float>{&crew, thread, &panels}, own.data(), n, 1e5,
                     [&](int first, int columns, float* panel) {
                       n_wrong += first % width != 0 || columns < 1;
                       n_wrong += panel != own.data() && panel != panels[0].data() &&
                                  panel != panels[1].data();
                       ++n_calls;
                       for (int i = 0; i < columns; ++i)
                         ++seen[static_cast<std::size_t>(first + i)];
                     });
    };
    parallel_for(1, 2, task, {}, &crew);
    for (const std::atomic<int>& times : seen) CHECK(times == 1);
    CHECK(n_wrong == 0);
    CHECK(n_calls == n_slices<float>(n, 1e5));
    CHECK(n_calls <= (n + width - 1) / width);
  }
}

std::vector<State<float>> train_all(const Problem<float>& p, int n_threads,
                                    const std::vector<std::vector<int>>& shapes) {
  TrainJobs jobs;
  jobs.add_view(p.view);
  std::vector<JobRequest> requests;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    Candidate c = make_candidate(shapes[i], Activation::gelu, Loss::squared);
    c.architecture.residual = true;
    c.optimizer.kind = i % 2 == 0 ? Optimizer::adam : Optimizer::sgd;
    c.dropout = 0.1;
    c.batch_size = 300;
    c.epochs = 2;
    c.learning_rate = 1e-4;
    c.seed = static_cast<std::uint64_t>(i);
    requests.push_back({jobs.add_job(jobs.add_candidate(c), 0), c.epochs});
  }
  Stop stop;
  jobs.run(requests, n_threads, Metric::rmse, stop);
  std::vector<State<float>> states;
  for (const JobRequest& request : requests) states.push_back(jobs.state(request.job));
  return states;
}

void check_helped(const Problem<float>& p, const std::vector<std::vector<int>>& shapes) {
  const auto alone = train_all(p, 1, shapes);
  for (const int n_threads : {2, 3}) {
    const auto helped = train_all(p, n_threads, shapes);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(alone[i].state == JobState::complete);
      CHECK(alone[i].chosen_weights() == helped[i].chosen_weights());
      CHECK(alone[i].train_loss == helped[i].train_loss);
      CHECK(alone[i].validation_score == helped[i].validation_score);
    }
  }
}

void test_helpers_do_not_change_bits() {
  const std::vector<std::vector<int>> wide{{200, 264, 264}, {201, 264, 264}, {202, 264, 264}};
  for (const int n_logits : {1, 40}) {
    const Problem<float> p = make_problem<float>(Loss::squared, n_logits, 1000, 50);
    for (int n = 1; n <= 3; ++n) check_helped(p, {wide.begin(), wide.begin() + n});
  }
}

/// A network whose own layers are hardly worth help, in whose backward pass there are wider panels
/// than in that of the one that is: memory checkers see where a helper's panel is too short.
void test_panels_of_helpers_are_long_enough_for_every_job() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 1000, 50);
  std::vector<std::vector<int>> shapes{{48, 48}};
  for (int i = 0; i < 7; ++i) shapes.push_back({20, 88});
  shapes.push_back({65, 112});
  check_helped(p, shapes);
}

void test_a_helped_job_can_be_stopped() {
  const Problem<float> p = make_problem<float>(Loss::squared, 1, 1000, 50);
  TrainJobs jobs;
  jobs.add_view(p.view);
  Candidate c = make_candidate({256, 256}, Activation::relu, Loss::squared);
  c.epochs = 1000000;
  c.batch_size = 128;
  jobs.add_job(jobs.add_candidate(c), 0);
  // Whichever thread has the job, the calling one looks: between batches, or while it helps.
  for (int attempt = 0; attempt < 4; ++attempt) {
    int looks = 0;
    Stop stop(Stop::Clock::time_point::max(), [&] { return ++looks >= 3; });
    jobs.run({{0, c.epochs}}, 3, Metric::rmse, stop);
    CHECK(jobs.state(0).state == JobState::stopped && looks == 3);
  }
  Stop late(Stop::Clock::now() + std::chrono::milliseconds(20), {});
  jobs.run({{0, c.epochs}}, 3, Metric::rmse, late);
  CHECK(jobs.state(0).state == JobState::timed_out);
}

}  // namespace

int main() {
  test_every_piece_is_done_once_with_any_number_of_threads();
  test_a_thread_without_a_task_helps();
  test_there_are_helpers_only_while_a_thread_is_without_a_task();
  test_an_exception_ends_the_waiting_of_helpers();
  test_slices_cover_the_columns_in_whole_panels();
  test_helpers_do_not_change_bits();
  test_panels_of_helpers_are_long_enough_for_every_job();
  test_a_helped_job_can_be_stopped();
  return automs_test_result();
}
