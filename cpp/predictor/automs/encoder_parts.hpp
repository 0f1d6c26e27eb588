// one raw value (NaN = missing) -> the features, or the embedded code, of one part of an encoder.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/array.hpp"
#include "automs/calendar.hpp"

namespace automs {

/// The numbers stand in model files.
enum class PartKind : std::uint8_t {
  scaled = 0,
  indicator = 1,
  piecewise = 2,
  interpolated = 3,
  one_hot = 4,
  ordinal = 5,
  calendar = 6,
  embedded = 7,
};

constexpr int kPartKindCount = 8;
constexpr std::uint32_t kNoSlot = 0xFFFFFFFFu;
constexpr double kLargestFeature = 1e9;  // by magnitude; so no feature of a network is infinite

/// A part of any kind but scaled. `values` and `places` have an entry for each code of a category,
/// then one for "missing" and one for "unknown".
struct EncoderPart {
  PartKind kind = PartKind::indicator;
  Cycle cycle = Cycle::year;   // of calendar
  std::uint32_t column = 0;    // of the raw row
  std::uint32_t n_places = 0;  // one_hot: its slots; embedded: rows of the table
  Array<double> knots;         // piecewise, interpolated: strictly ascending
  Array<double> values;        // interpolated: one a knot; ordinal: one a code
  Array<std::uint32_t>
      places;  // one_hot: slot of each code, or kNoSlot; embedded: row of each code

  /// Codes of categories that the part tells apart; 0 for parts that know none.
  std::size_t n_codes() const noexcept {
    const std::size_t n = kind == PartKind::ordinal ? values.size() : places.size();
    return n >= 2 ? n - 2 : 0;
  }

  std::size_t n_features() const noexcept {
    switch (kind) {
      case PartKind::piecewise:
        return knots.size() - 1;
      case PartKind::one_hot:
        return n_places;
      case PartKind::calendar:
        return 2;
      case PartKind::embedded:
        return 0;
      default:
        return 1;
    }
  }
};

namespace detail {

inline bool are_knots(const Array<double>& knots) noexcept {
  const std::size_t n = knots.size();
  if (n < 2 || !std::isfinite(knots[0]) || !std::isfinite(knots[n - 1])) return false;
  for (std::size_t i = 1; i < n; ++i) {
    if (!(knots[i - 1] < knots[i])) return false;
  }
  return std::isfinite(knots[n - 1] - knots[0]);
}

inline bool are_features(const Array<double>& values) noexcept {
  for (const double value : values) {
    if (!(std::fabs(value) <= kLargestFeature)) return false;
  }
  return true;
}

/// Whether every place is below `n_places`, or kNoSlot where that is allowed.
inline bool are_places(const EncoderPart& part, bool may_lack) noexcept {
  if (part.places.size() < 2) return false;
  for (const std::uint32_t place : part.places) {
    if (place >= part.n_places && !(may_lack && place == kNoSlot)) return false;
  }
  return true;
}

/// The name of the first field that breaks a rule of FORMAT.md, or null.
inline const char* part_fault(const EncoderPart& part, std::size_t n_columns) noexcept {
  if (part.column >= n_columns) return "column";
  switch (part.kind) {
    case PartKind::scaled:
      return "kind";  // those come first, in arrays of their own
    case PartKind::indicator:
      return nullptr;
    case PartKind::piecewise:
      return are_knots(part.knots) ? nullptr : "knots";
    case PartKind::interpolated:
      if (!are_knots(part.knots)) return "knots";
      return part.values.size() == part.knots.size() && are_features(part.values) ? nullptr
                                                                                  : "values";
    case PartKind::one_hot:
      if (part.n_places < 1 || part.n_places > part.places.size()) return "n_slots";
      return are_places(part, true) ? nullptr : "slots";
    case PartKind::ordinal:
      return part.values.size() >= 2 && are_features(part.values) ? nullptr : "values";
    case PartKind::calendar:
      return static_cast<int>(part.cycle) < kCycleCount ? nullptr : "cycle";
    case PartKind::embedded:
      if (part.n_places < 1 || part.n_places > 0x7FFFFFFFu) return "n_rows";
      return are_places(part, false) ? nullptr : "rows";
  }
  return "kind";
}

/// A raw value -> its place in a table of n_codes + 2 entries: that of its code, or of "missing",
/// or of "unknown" for any number that is no code.
inline std::size_t code_place(double x, std::size_t n_codes) noexcept {
  if (x != x) return n_codes;
  if (!(x >= 0.0 && x < static_cast<double>(n_codes))) return n_codes + 1;
  const auto code = static_cast<std::size_t>(x);
  return static_cast<double>(code) == x ? code : n_codes + 1;
}

/// (x - low) / (high - low) for low < high, bounded to [0, 1]; 0 for NaN.
inline double clamped_share(double x, double low, double high) noexcept {
  const double share = (x - low) / (high - low);
  const double bounded_below = share > 0.0 ? share : 0.0;
  return bounded_below < 1.0 ? bounded_below : 1.0;
}

inline void encode_piecewise(const EncoderPart& part, double x, float* __restrict out) noexcept {
  const std::size_t n_bins = part.knots.size() - 1;
  const double* knots = part.knots.data();
  const bool missing = x != x;
  for (std::size_t b = 0; b < n_bins; ++b) {
    const double feature = 2.0 * clamped_share(x, knots[b], knots[b + 1]) - 1.0;
    out[b] = missing ? 0.0f : static_cast<float>(feature);
  }
}

inline float encode_interpolated(const EncoderPart& part, double x) noexcept {
  if (x != x) return 0.0f;
  const double* knots = part.knots.data();
  const double* values = part.values.data();
  const std::size_t last = part.knots.size() - 1;
  if (x >= knots[last]) return static_cast<float>(values[last]);
  if (x <= knots[0]) return static_cast<float>(values[0]);
  const auto b = static_cast<std::size_t>(std::upper_bound(knots, knots + last, x) - knots) - 1;
  const double share = clamped_share(x, knots[b], knots[b + 1]);
  return static_cast<float>(values[b] + (values[b + 1] - values[b]) * share);
}

inline void encode_one_hot(const EncoderPart& part, double x, float* __restrict out) noexcept {
  for (std::uint32_t slot = 0; slot < part.n_places; ++slot) out[slot] = 0.0f;
  const std::uint32_t slot = part.places[code_place(x, part.places.size() - 2)];
  if (slot != kNoSlot) out[slot] = 1.0f;
}

inline void encode_calendar(const EncoderPart& part, double x, float* out) noexcept {
  out[0] = out[1] = 0.0f;
  if (!(std::fabs(x) <= kMostSeconds)) return;
  const double angle = 6.283185307179586 * cycle_share(part.cycle, x);
  out[0] = static_cast<float>(std::sin(angle));
  out[1] = static_cast<float>(std::cos(angle));
}

/// The features of a part; nothing where it is embedded.
inline void encode_part(const EncoderPart& part, double x, float* out) noexcept {
  switch (part.kind) {
    case PartKind::scaled:
    case PartKind::embedded:
      return;
    case PartKind::indicator:
      out[0] = x != x ? 1.0f : 0.0f;
      return;
    case PartKind::piecewise:
      return encode_piecewise(part, x, out);
    case PartKind::interpolated:
      out[0] = encode_interpolated(part, x);
      return;
    case PartKind::one_hot:
      return encode_one_hot(part, x, out);
    case PartKind::ordinal:
      out[0] = static_cast<float>(part.values[code_place(x, part.values.size() - 2)]);
      return;
    case PartKind::calendar:
      return encode_calendar(part, x, out);
  }
}

}  // namespace detail

}  // namespace automs
