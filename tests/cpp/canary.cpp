// The name of a fault -> that fault, which a sanitizer has to turn into a failure.
#include <climits>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  const char* fault = argc > 1 ? argv[1] : "none";
  if (std::strcmp(fault, "heap-overflow") == 0) {
    std::vector<int> values(static_cast<std::size_t>(argc), 1);
    int* end = values.data() + values.size();
    std::printf("%d\n", *end);
  } else if (std::strcmp(fault, "integer-overflow") == 0) {
    int value = INT_MAX - 2 + argc;
    value += argc;
    std::printf("%d\n", value);
  } else if (std::strcmp(fault, "data-race") == 0) {
    int value = argc;
    std::thread other([&value] { ++value; });
    ++value;
    other.join();
    std::printf("%d\n", value);
  }
  return 0;
}
