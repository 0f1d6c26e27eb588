// libFuzzer's bytes -> a load and predictions, with the frame as it came and with one that fits.
// The corpus is made of the golden files: see CMakeLists.txt.
#include <cstdlib>
#include <string>
#include <vector>

#include "mutation.hpp"

namespace {

/// Ends the process, which libFuzzer reports, where the loader broke a promise.
void check(const void* bytes, std::size_t size) {
  static const std::vector<double> pool = {
      0.0,    1.0,    -1.0, 2.0,   1e300,
      -1e300, 1e-310, 0.5,  1.7e9, std::numeric_limits<double>::quiet_NaN()};
  bool loaded = false;
  if (!automs_test::loads_or_refuses(bytes, size, pool, loaded)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check(data, size);
  std::string repaired(reinterpret_cast<const char*>(data), size);
  automs_test::repair_frame(repaired);
  check(repaired.data(), repaired.size());
  return 0;
}
