// Pieces of one thread's work, threads that have none of their own -> the pieces done, by anyone.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "core/types.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace automs {

/// Tells the processor that a loop waits.
inline void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// The threads of one run. A thread with much to do offers pieces of it; threads without a task
/// take them one by one, and so does the thread itself. It never waits for a helper to come, only
/// for pieces that were taken: where the machine has fewer free cores than threads, it does most of
/// them alone. Who does a piece is left to chance, so nothing may depend on that.
class Crew {
 public:
  static constexpr int kMostPieces = 0xffff;

  explicit Crew(int n_threads) : boards_(static_cast<std::size_t>(n_threads)) {}

  int n_threads() const { return static_cast<int>(boards_.size()); }

  /// Whether it is worth the while that `thread` cuts its work into pieces now.
  bool has_helpers(int thread) {
    if (n_helpers_.load(std::memory_order_relaxed) == 0) return false;
    Board& board = boards_[static_cast<std::size_t>(thread)];
    if (!board.is_alone) return true;
    board.is_alone = Clock::now() < board.alone_until;
    return !board.is_alone;
  }

  /// Calls body(piece, thread) for every piece in [0, n_pieces), n_pieces <= kMostPieces, and
  /// returns when all of them are done. `thread` is the caller's number. The body must not throw.
  template <typename Body>
  void share(int thread, int n_pieces, Body& body) {
    Board& board = boards_[static_cast<std::size_t>(thread)];
    board.call = [](void* context, int piece, int taker) {
      (*static_cast<Body*>(context))(piece, taker);
    };
    board.context = &body;
    board.n_done.store(0, std::memory_order_relaxed);
    const auto n = static_cast<std::uint64_t>(n_pieces);
    // A round of its own, so that who looked at the last one takes nothing of this one unseen.
    const std::uint64_t round = (board.ticket.load(std::memory_order_relaxed) >> 32) + 1;
    board.ticket.store(round << 32 | n << 16, std::memory_order_release);
    while (take_piece(board, thread)) {
    }
    for (int looks = 0; board.n_done.load(std::memory_order_acquire) < n_pieces; ++looks) {
      if (looks < kLooksBeforeYield) {
        pause_briefly();
      } else {
        wait_for_lost(board, n_pieces);
      }
    }
  }

  /// A thread between `enter` and `leave` helps.
  void enter() { n_helpers_.fetch_add(1, std::memory_order_relaxed); }
  void leave() { n_helpers_.fetch_sub(1, std::memory_order_relaxed); }

  /// Does one piece of anybody's work; false where there is none.
  bool help(int thread) {
    for (Board& board : boards_) {
      if (take_piece(board, thread)) return true;
    }
    return false;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr int kLooksBeforeYield = 4000;  // some ten microseconds or more
  static constexpr std::chrono::milliseconds kLongWait{1};
  static constexpr std::chrono::milliseconds kAlone{50};

  /// What one thread offers. `ticket` holds the round's number (32 bits), the number of pieces and
  /// the next piece (16 bits each); who raises the latter by one has taken that piece. Until it is
  /// counted in `n_done`, the offering thread changes nothing else here.
  struct alignas(kCacheLine) Board {
    std::atomic<std::uint64_t> ticket{0};
    void (*call)(void* context, int piece, int thread) = nullptr;
    void* context = nullptr;
    alignas(kCacheLine) std::atomic<int> n_done{0};
    // Of the offering thread alone.
    bool is_alone = false;
    Clock::time_point alone_until;
  };

  /// A helper that lost its core amid a piece keeps the offering thread waiting until it has one
  /// again. That takes long only where others want the cores, and is likely to happen again then.
  static void wait_for_lost(Board& board, int n_pieces) {
    const Clock::time_point start = Clock::now();
    while (board.n_done.load(std::memory_order_acquire) < n_pieces) std::this_thread::yield();
    const Clock::time_point now = Clock::now();
    if (now - start < kLongWait) return;
    board.is_alone = true;
    board.alone_until = now + kAlone;
  }

  static bool take_piece(Board& board, int thread) {
    std::uint64_t ticket = board.ticket.load(std::memory_order_acquire);
    while ((ticket & 0xffff) < (ticket >> 16 & 0xffff)) {
      // The thread's writes before it offered the round are seen after the exchange.
      if (board.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
        board.call(board.context, static_cast<int>(ticket & 0xffff), thread);
        board.n_done.fetch_add(1, std::memory_order_release);
        return true;
      }
    }
    return false;
  }

  std::vector<Board> boards_;
  std::atomic<int> n_helpers_{0};
};

}  // namespace automs
