// Nothing -> the names of the CPU levels that this processor can run, best first.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

namespace {

/// The levels of the x86-64 psABI. Features are asked for one by one, as older compilers do not
/// know the levels by name; the operating system's part is checked by the compiler's own support.
std::vector<std::string> supported_levels() {
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  __builtin_cpu_init();
  std::vector<std::string> levels;
  const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
  if (v4) levels.emplace_back("v4");
  if (v3) levels.emplace_back("v3");
  if (v2) levels.emplace_back("v2");
  return levels;
#else
  return {"generic"};
#endif
}

}  // namespace

PYBIND11_MODULE(_cpu_level, m) {
  m.doc() = "Which CPU levels this processor can run; compiled for the oldest one.";
  m.def("supported_levels", &supported_levels);
}
