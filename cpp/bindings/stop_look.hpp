// A time limit, and Python's signals -> whether a long call without the GIL has to stop.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>

namespace automs::bindings {

/// Given to the core as `should_stop`; called by the thread that entered from Python, which has
/// released the GIL. Ctrl-C is looked for every 20 ms.
class StopLook {
 public:
  /// `time_limit` in seconds from now.
  explicit StopLook(std::optional<double> time_limit) : next_look_(Clock::now() + kInterval) {
    // Beyond a year the clock's own range would be at risk.
    if (!time_limit || *time_limit > 3e7) return;
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(*time_limit));
  }

  bool operator()() {
    if (error_) return true;
    const Clock::time_point now = Clock::now();
    if (now >= next_look_) {
      next_look_ = now + kInterval;
      const pybind11::gil_scoped_acquire gil;
      if (PyErr_CheckSignals() != 0) error_.emplace();
    }
    return error_.has_value() || now >= deadline_;
  }

  /// With the GIL: throws what a signal's handler raised, if any did.
  void rethrow() const {
    if (error_) throw pybind11::error_already_set(*error_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kInterval{20};

  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point next_look_;
  std::optional<pybind11::error_already_set> error_;
};

}  // namespace automs::bindings
