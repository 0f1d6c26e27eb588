// "race" or "none" -> two tasks of the engine's own threads that share a number, or that do not.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>

#include "core/parallel.hpp"

int main(int argc, char** argv) {
  const bool race = argc > 1 && std::strcmp(argv[1], "race") == 0;
  int values[2] = {0, 0};
  std::atomic<int> started{0};
  // Both tasks have begun before either writes, so that nothing puts the writes in an order.
  automs::parallel_for(2, 2, [&](std::size_t task, int) {
    ++started;
    while (started < 2) std::this_thread::yield();
    ++values[race ? 0 : task];
  });
  std::printf("%d\n", values[0] + values[1]);
  return 0;
}
