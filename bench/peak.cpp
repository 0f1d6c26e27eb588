// A number of threads -> multiply-adds a second that they reach together on full registers.
//
// c++ -O3 -march=native -std=c++17 -pthread bench/peak.cpp -o peak && ./peak 2
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64;
#elif defined(__AVX2__)
constexpr int kBytes = 32;
#else
constexpr int kBytes = 16;
#endif
using Vector [[gnu::vector_size(kBytes)]] = float;

constexpr int kChains = 12;  // enough to hide a multiply-add's latency, few enough for registers
constexpr int kRounds = 20000;

double seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

volatile float given = 0.5f;  // what the compiler cannot know, or equal chains would be merged
volatile float sink = 0.0f;

void multiply_add() {
  const Vector factor = Vector{} + given;
  Vector sums[kChains];
  for (Vector& sum : sums) sum = Vector{} + given;
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sums[c] = sums[c] * factor + factor;
  }
  for (const Vector& sum : sums) sink = sink + sum[0];
}

/// Flops a second of `n_threads` that start together, each over `n_calls` calls.
double speed(int n_threads, int n_calls) {
  std::atomic<int> waiting{n_threads};
  std::vector<std::thread> threads;
  const double start = seconds();
  for (int t = 0; t < n_threads; ++t) {
    threads.emplace_back([&] {
      --waiting;
      while (waiting > 0) {
      }
      for (int i = 0; i < n_calls; ++i) multiply_add();
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double lanes = kBytes / sizeof(float);
  return 2.0 * kChains * kRounds * lanes * n_threads * n_calls / (seconds() - start);
}

}  // namespace

int main(int argc, char** argv) {
  const int n_threads = argc > 1 ? std::max(1, std::atoi(argv[1])) : 1;
  double best = 0.0;
  for (int i = 0; i < 15; ++i) best = std::max(best, speed(n_threads, 100));
  std::printf("%.2f\n", best * 1e-9);
  return 0;
}
