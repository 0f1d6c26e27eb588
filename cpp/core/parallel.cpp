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

  void wait(int n_threads, const std::function<void()>& idle) {
    while (finished_.load() < n_threads) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      try {
        if (idle) idle();
      } catch (...) {
        keep_exception();
      }
    }
  }

  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
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
                  const std::function<void()>& idle) {
  Tasks tasks(n_tasks, body);
  const auto wanted = static_cast<int>(
      std::min<std::size_t>(n_tasks, static_cast<std::size_t>(std::max(1, n_threads))));
#ifdef _OPENMP
  if (wanted > 1 && !forked_after_use.load()) {
    watch_for_forks();
#pragma omp parallel num_threads(wanted)
    {
      const int thread = omp_get_thread_num();
      tasks.work(thread);
      if (thread == 0) tasks.wait(omp_get_num_threads(), idle);
    }
    tasks.rethrow();
    return;
  }
#endif
  if (wanted > 0) tasks.work(0);
  tasks.rethrow();
}

}  // namespace automs
