#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace automs {

namespace {

std::atomic<bool> forked_after_use{false};

/// OpenMP's threads do not survive a fork, but its record of them does: the next region of the
/// child would wait for them for ever. So a child that was forked after the first use stays serial.
void watch_for_forks() {
#if defined(_OPENMP) && (defined(__unix__) || defined(__APPLE__))
  static std::once_flag once;
  std::call_once(once,
                 [] { pthread_atfork(nullptr, nullptr, [] { forked_after_use.store(true); }); });
#endif
}

/// The tasks of one call, shared by its threads.
class Tasks {
 public:
  Tasks(std::size_t n_tasks, const std::function<void(std::size_t, int)>& body)
      : n_tasks_(n_tasks), body_(body) {}

  /// Takes tasks until there are none. Never throws.
  void work(int thread) {
    try {
      while (!failed_.load(std::memory_order_relaxed)) {
        const std::size_t task = next_.fetch_add(1, std::memory_order_relaxed);
        if (task >= n_tasks_) break;
        body_(task, thread);
      }
    } catch (...) {
      keep_exception();
    }
    finished_.fetch_add(1);
  }

  /// Waits for the others to finish. With a crew, takes pieces of their work meanwhile.
  void wait(int thread, int n_threads, const std::function<void()>& idle, Crew* crew) {
    if (crew) crew->enter();
    Clock::time_point next_idle = Clock::now() + kIdleInterval;
    for (int misses = 0; finished_.load() < n_threads;) {
      if (crew && crew->help(thread)) {
        misses = 0;
      } else {
        crew ? rest(misses) : rest_alone(misses);
        misses = std::min(misses + 1, kMissesBeforeSleep);
      }
      if (thread == 0 && idle && Clock::now() >= next_idle) {
        call(idle);
        next_idle = Clock::now() + kIdleInterval;
      }
    }
    if (crew) crew->leave();
  }

  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kIdleInterval{1};
  static constexpr int kMissesBeforeYield = 2000;  // some ten microseconds
  static constexpr int kMissesBeforeSleep = 4000;  // about a millisecond

  /// A helper is needed again within microseconds, or not for long.
  static void rest(int misses) {
    if (misses < kMissesBeforeYield) {
      pause_briefly();
    } else if (misses < kMissesBeforeSleep) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }

  /// Without a crew there is nothing to help with: the others end within microseconds, as tasks
  /// are short where time matters, or else this core is better left to one of them.
  static void rest_alone(int misses) {
    if (misses < kMissesBeforeYield) {
      pause_briefly();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  }

  void call(const std::function<void()>& idle) {
    try {
      idle();
    } catch (...) {
      keep_exception();
    }
  }

  void keep_exception() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!exception_) exception_ = std::current_exception();
    failed_.store(true);
  }

  std::size_t n_tasks_;
  const std::function<void(std::size_t, int)>& body_;
  std::atomic<std::size_t> next_{0};
  std::atomic<int> finished_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr exception_;
};

}  // namespace

void parallel_for(std::size_t n_tasks, int n_threads,
                  const std::function<void(std::size_t task, int thread)>& body,
                  const std::function<void()>& idle, Crew* crew) {
  Tasks tasks(n_tasks, body);
  const auto most = static_cast<std::size_t>(std::max(1, n_threads));
  const auto wanted = static_cast<int>(crew ? most : std::min(n_tasks, most));
#ifdef _OPENMP
  if (wanted > 1 && !forked_after_use.load()) {
    watch_for_forks();
#pragma omp parallel num_threads(wanted)
    {
      const int thread = omp_get_thread_num();
      tasks.work(thread);
      if (thread == 0 || crew) tasks.wait(thread, omp_get_num_threads(), idle, crew);
    }
    tasks.rethrow();
    return;
  }
#endif
  if (wanted > 0) tasks.work(0);
  tasks.rethrow();
}

}  // namespace automs
