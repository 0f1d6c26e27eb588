// A time limit, Python's signals and a look -> whether a long call without the GIL has to stop.
#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>

namespace automs::bindings {

/// Given to the core as `should_stop`; called by the thread that entered from Python, which has
/// released the GIL. Every 20 ms it looks for Ctrl-C and, where there is one, calls `look`, which
/// returns true to stop.
class StopLook {
 public:
  /// `time_limit` in seconds from now; `look` is None or callable, and belongs to the caller.
  StopLook(std::optional<double> time_limit, const pybind11::object& look)
      : look_(look), next_look_(Clock::now() + kInterval) {
    // Beyond a year the clock's own range would be at risk.
    if (!time_limit || *time_limit > 3e7) return;
    deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(*time_limit));
  }

  bool operator()() {
    if (stopped_) return true;
    const Clock::time_point now = Clock::now();
    if (now >= next_look_) {
      next_look_ = now + kInterval;
      const pybind11::gil_scoped_acquire gil;
      ask_python();
    }
    stopped_ = stopped_ || now >= deadline_;
    return stopped_;
  }

  /// With the GIL: throws what a signal's handler or the look raised, if any did.
  void rethrow() const {
    if (error_) throw pybind11::error_already_set(*error_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kInterval{20};

  void ask_python() {
    try {
      if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
      if (!look_.is_none() && pybind11::cast<bool>(look_())) stopped_ = true;
    } catch (pybind11::error_already_set& raised) {
      error_ = raised;
      stopped_ = true;
    }
  }

  const pybind11::object& look_;
  bool stopped_ = false;
  Clock::time_point deadline_ = Clock::time_point::max();
  Clock::time_point next_look_;
  std::optional<pybind11::error_already_set> error_;
};

}  // namespace automs::bindings
