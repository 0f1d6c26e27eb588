// Nothing -> the names of the CPU levels that this processor can run, best first.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

namespace {

/// The levels of the x86-64 psABI, as the compiler may use every feature of the one it is given.
std::vector<std::string> supported_levels() {
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  __builtin_cpu_init();
  std::vector<std::string> levels;
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12
  const bool v2 = __builtin_cpu_supports("x86-64-v2");
  const bool v3 = __builtin_cpu_supports("x86-64-v3");
  const bool v4 = __builtin_cpu_supports("x86-64-v4");
#else  // older compilers know no levels by name; movbe, f16c and lzcnt came with avx2 and bmi
  const bool v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("ssse3") &&
                  __builtin_cpu_supports("popcnt");
  const bool v3 = v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                  __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl");
#endif
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
