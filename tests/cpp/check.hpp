// The whole test framework of the C++ tests: failed checks are printed and counted.
#pragma once

#include <cmath>
#include <cstdio>

namespace automs_test {
inline int checks = 0;
inline int failures = 0;

inline void record(bool passed, const char* text, const char* file, int line) {
  ++checks;
  if (passed) return;
  ++failures;
  if (failures <= 20) std::printf("FAILED %s:%d: %s\n", file, line, text);
}

/// True where |a - b| <= tolerance * max(1, |b|), or both are NaN.
inline bool close(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double scale = std::fabs(b) > 1.0 ? std::fabs(b) : 1.0;
  return std::fabs(a - b) <= tolerance * scale;
}

inline void record_close(double a, double b, double tolerance, const char* text, const char* file,
                         int line) {
  const bool passed = close(a, b, tolerance);
  record(passed, text, file, line);
  if (!passed && failures <= 20)
    std::printf("  %.17g against %.17g, tolerance %g\n", a, b, tolerance);
}
}  // namespace automs_test

#define CHECK(condition) automs_test::record((condition), #condition, __FILE__, __LINE__)
#define CHECK_CLOSE(a, b, tolerance) \
  automs_test::record_close((a), (b), (tolerance), #a " ~ " #b, __FILE__, __LINE__)
#define CHECK_THROWS(expression, Exception)                                             \
  do {                                                                                  \
    bool caught = false;                                                                \
    try {                                                                               \
      (void)(expression);                                                               \
    } catch (const Exception&) {                                                        \
      caught = true;                                                                    \
    }                                                                                   \
    automs_test::record(caught, #expression " throws " #Exception, __FILE__, __LINE__); \
  } while (false)

/// The exit code of a test program; a program that checked nothing has failed.
inline int automs_test_result() {
  std::printf("%d checks, %d failed\n", automs_test::checks, automs_test::failures);
  return automs_test::failures > 0 || automs_test::checks == 0 ? 1 : 0;
}
