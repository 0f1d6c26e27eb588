// seconds since 1970 (UTC) -> the share of a civil year, week or day that is over.
#pragma once

#include <cmath>
#include <cstdint>

namespace automs {

/// The numbers stand in model files.
enum class Cycle : std::uint8_t { year = 0, week = 1, day = 2 };

constexpr int kCycleCount = 3;
constexpr double kMostSeconds = 1e14;  // three million years; beyond them a number is no date

namespace detail {

/// Days from the start of a 400-year cycle of the Gregorian calendar, whose first year is a leap
/// year, to the start of its year `year` (0 to 400).
inline std::int64_t days_before_year(std::int64_t year) noexcept {
  return 365 * year + (year + 3) / 4 - (year + 99) / 100 + (year > 0 ? 1 : 0);
}

/// day: whole days since 1970-01-01; rest: the share of it that is over.
inline double share_of_year(double day, double rest) noexcept {
  constexpr double days_to_1970 = 719528.0;  // from 0000-01-01, which starts a 400-year cycle
  constexpr double days_of_cycle = 146097.0;
  const double since_0000 = day + days_to_1970;
  const double cycles = std::floor(since_0000 / days_of_cycle);
  const auto day_of_cycle = static_cast<std::int64_t>(since_0000 - cycles * days_of_cycle);
  std::int64_t year = day_of_cycle / 366;  // this one or, late in the cycle, the one before
  while (days_before_year(year + 1) <= day_of_cycle) ++year;
  const std::int64_t start = days_before_year(year);
  const auto length = static_cast<double>(days_before_year(year + 1) - start);
  return (static_cast<double>(day_of_cycle - start) + rest) / length;
}

}  // namespace detail

/// For |seconds| <= kMostSeconds; weeks start on Monday.
inline double cycle_share(Cycle cycle, double seconds) noexcept {
  constexpr double seconds_of_day = 86400.0;
  const double day = std::floor(seconds / seconds_of_day);
  const double rest = (seconds - day * seconds_of_day) / seconds_of_day;
  switch (cycle) {
    case Cycle::year:
      return detail::share_of_year(day, rest);
    case Cycle::week: {
      const double since_monday = day + 3.0;  // 1970-01-01 was a Thursday
      return (since_monday - 7.0 * std::floor(since_monday / 7.0) + rest) / 7.0;
    }
    case Cycle::day:
      break;
  }
  return rest;
}

}  // namespace automs
