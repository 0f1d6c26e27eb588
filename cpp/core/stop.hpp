// A deadline, a flag and the calling thread's look -> whether training has to stop.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

namespace automs {

/// Shared by all threads of one run. Only the calling thread (number 0) may `look`: there Python
/// checks signals and shows progress, every `look_interval`.
class Stop {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kLookInterval{10};

  /// `look` returns true to stop; it may be empty.
  Stop(Clock::time_point deadline, std::function<bool()> look)
      : deadline_(deadline), look_(std::move(look)), next_look_(Clock::now()) {}

  Stop() : Stop(Clock::time_point::max(), {}) {}

  /// True where training has to stop now. Cheap: one look at the clock.
  bool requested(int thread) {
    if (interrupted_.load(std::memory_order_relaxed)) return true;
    const Clock::time_point now = Clock::now();
    if (thread == 0 && look_ && now >= next_look_) look(now);
    return interrupted_.load(std::memory_order_relaxed) || now >= deadline_;
  }

  bool interrupted() const { return interrupted_.load(std::memory_order_relaxed); }

 private:
  void look(Clock::time_point now) {
    next_look_ = now + kLookInterval;
    if (look_()) interrupted_.store(true, std::memory_order_relaxed);
  }

  Clock::time_point deadline_;
  std::function<bool()> look_;
  Clock::time_point next_look_;  // touched by the calling thread alone
  std::atomic<bool> interrupted_{false};
};

}  // namespace automs
