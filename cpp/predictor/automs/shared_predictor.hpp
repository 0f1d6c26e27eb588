// new models, now and then -> a predictor whose readers go on while it is replaced.
//
// Readers take no lock, wait for nobody and allocate nothing: a reader marks the model that it
// uses, and whoever publishes the next one makes the workspaces, and waits with the release of the
// old one until no mark is left on it. An example:
//
//   automs::SharedPredictor shared(8);          // eight reading threads, numbers 0 to 7
//   shared.publish(std::move(predictor));       // from any thread, as often as needed
//   shared.predict(thread_number, row, &value); // in thread `thread_number`
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "automs/predictor.hpp"

namespace automs {

/// A model that can be replaced while others predict. Every reading thread has a number of its own
/// below n_readers, and no two threads use one number at the same time.
class SharedPredictor {
 public:
  explicit SharedPredictor(std::size_t n_readers) noexcept { readers_.resize(n_readers); }
  SharedPredictor(const SharedPredictor&) = delete;
  SharedPredictor& operator=(const SharedPredictor&) = delete;
  /// No reader may be at work any more.
  ~SharedPredictor() { delete current_.load(); }

  /// 0 where memory was short.
  std::size_t n_readers() const noexcept { return readers_.size(); }

  /// Makes `next` the model of all predictions that begin from now on. It must have the numbers of
  /// columns and outputs of the one before (bad_value otherwise), because readers' arrays have
  /// those sizes; on failure `next` and the old model stay. When this returns, the old model is
  /// released: it waits for the predictions that are under way in it.
  Status publish(Predictor&& next) noexcept {
    const std::lock_guard<std::mutex> one_publisher(publishing_);
    const Version* before = current_.load();
    if (before != nullptr && !same_shape(before->predictor, next)) return Status::bad_value;
    std::unique_ptr<Version> version(new (std::nothrow) Version);
    if (!version || !version->workspaces.resize(readers_.size())) return Status::out_of_memory;
    for (Predictor::Workspace& workspace : version->workspaces) {
      if (workspace.prepare(next) != Status::ok) return Status::out_of_memory;
    }
    version->predictor = std::move(next);
    retire(current_.exchange(version.release()));
    return Status::ok;
  }

  /// Calls use(const Predictor&, Predictor::Workspace&) with the model of the moment, which stays
  /// alive until `use` returns: false, and no call, where none was published or `reader` is no
  /// reader's number. `use` must not throw. Codes of categories belong to one model, so programs
  /// that replace it look them up in here.
  template <typename Use>
  bool with_model(std::size_t reader, Use&& use) noexcept {
    if (reader >= readers_.size()) return false;
    std::atomic<Version*>& mark = readers_[reader].in_use;
    Version* version = current_.load();
    // The mark counts only if the model was still the current one after it could be seen.
    for (;;) {
      mark.store(version);
      Version* now = current_.load();
      if (now == version) break;
      version = now;
    }
    if (version != nullptr) use(std::as_const(version->predictor), version->workspaces[reader]);
    mark.store(nullptr, std::memory_order_release);
    return version != nullptr;
  }

  /// row (n_columns) -> out (n_outputs), as Predictor::predict; false, and `out` as it was, where
  /// `with_model` says false.
  template <typename T>
  bool predict(std::size_t reader, const T* row, double* out) noexcept {
    return with_model(
        reader, [row, out](const Predictor& predictor, Predictor::Workspace& workspace) noexcept {
          predictor.predict(row, out, workspace);
        });
  }

 private:
  struct Version {
    Predictor predictor;
    Array<Predictor::Workspace> workspaces;  // one for each reader
  };

  /// On a cache line of its own, so that readers do not slow each other down.
  struct alignas(64) Reader {
    std::atomic<Version*> in_use{nullptr};
  };

  static bool same_shape(const Predictor& a, const Predictor& b) noexcept {
    return a.n_columns() == b.n_columns() && a.n_outputs() == b.n_outputs();
  }

  void retire(Version* version) noexcept {
    for (const Reader& reader : readers_) {
      while (version != nullptr && reader.in_use.load() == version) std::this_thread::yield();
    }
    delete version;
  }

  Array<Reader> readers_;
  std::atomic<Version*> current_{nullptr};
  std::mutex publishing_;
};

}  // namespace automs
