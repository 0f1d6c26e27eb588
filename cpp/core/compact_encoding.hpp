// Raw rows (NaN = missing) -> features, codes, and for binned columns a bin and a fraction each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "automs/encoder.hpp"
#include "core/binned_layout.hpp"

namespace automs {

/// Rows as a training view holds them; the features of binned parts are not among `dense`.
struct CompactRows {
  float* dense;         // (n, n_features less those of binned parts)
  std::int32_t* codes;  // (n, n_embedded)
  std::uint16_t* bins;  // (n, n_binned): the bin or slot, or the number of bins without one
  float* fractions;     // (n, n_binned): from 0 to 1, how far into the bin; of slots 0
};

namespace detail {

/// One-hot columns of fewer slots are left as features: 16 columns of 4, under two layers of 128
/// units, took 6 % longer by rows of weights.
constexpr std::size_t kFewestSlots = 5;

inline bool is_compact(const EncoderPart& part) {
  const bool slots = part.kind == PartKind::one_hot && part.n_features() >= kFewestSlots;
  return (slots || part.kind == PartKind::piecewise) && part.n_features() <= kMostBins;
}

/// Values `stride` apart -> bins and fractions, `n_binned` apart.
inline void find_bins(const Array<double>& all_knots, const double* values, std::size_t stride,
                      std::size_t n, std::size_t n_binned, std::uint16_t* bins, float* fractions) {
  const double* knots = all_knots.data();
  const auto n_bins = static_cast<int>(all_knots.size() - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = values[i * stride];
    int bin = 0;  // a few comparisons side by side take less time than a search
    for (int b = 1; b < n_bins; ++b) bin += x >= knots[b] ? 1 : 0;
    const bool missing = x != x;
    bins[i * n_binned] = static_cast<std::uint16_t>(missing ? n_bins : bin);
    fractions[i * n_binned] =
        static_cast<float>(clamped_share(x, knots[bin], knots[bin + 1]));  // 0 for NaN
  }
}

/// Values `stride` apart -> slots as bins, `n_binned` apart, without fractions.
inline void find_slots(const EncoderPart& part, const double* values, std::size_t stride,
                       std::size_t n, std::size_t n_binned, std::uint16_t* bins, float* fractions) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t slot = part.places[code_place(values[i * stride], part.places.size() - 2)];
    bins[i * n_binned] = static_cast<std::uint16_t>(slot == kNoSlot ? part.n_places : slot);
    fractions[i * n_binned] = 0.0F;
  }
}

}  // namespace detail

/// The features of each part that `encode_compact` gives as bins.
inline std::vector<BinnedColumn> binned_columns(const Encoder& encoder) {
  std::vector<BinnedColumn> columns;
  auto feature = static_cast<int>(encoder.scaled.size());
  for (const EncoderPart& part : encoder.parts) {
    const auto n = static_cast<int>(part.n_features());
    const Bins kind = part.kind == PartKind::one_hot ? Bins::one_hot : Bins::piecewise;
    if (detail::is_compact(part)) columns.push_back({feature, n, kind});
    feature += n;
  }
  return columns;
}

/// n rows of X, `stride` apart -> what the encoder makes of them.
inline void encode_compact(const Encoder& encoder, const double* X, std::size_t stride,
                           std::size_t n, CompactRows out) {
  std::size_t n_binned = 0;
  std::size_t n_dense = encoder.n_features;
  for (const EncoderPart& part : encoder.parts) {
    if (!detail::is_compact(part)) continue;
    ++n_binned;
    n_dense -= part.n_features();
  }
  for (std::size_t i = 0; i < n; ++i) {
    detail::encode_scaled<false>(encoder.scaled, X + i * stride, out.dense + i * n_dense);
  }
  float* feature = out.dense + encoder.scaled.size();
  for (const EncoderPart& part : encoder.parts) {
    const double* values = X + part.column;
    if (detail::is_compact(part) && part.kind == PartKind::one_hot) {
      detail::find_slots(part, values, stride, n, n_binned, out.bins++, out.fractions++);
    } else if (detail::is_compact(part)) {
      detail::find_bins(part.knots, values, stride, n, n_binned, out.bins++, out.fractions++);
    } else if (part.kind == PartKind::embedded) {
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t place = detail::code_place(values[i * stride], part.places.size() - 2);
        out.codes[i * encoder.n_embedded()] = static_cast<std::int32_t>(part.places[place]);
      }
      ++out.codes;
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        detail::encode_part(part, values[i * stride], feature + i * n_dense);
      }
      feature += part.n_features();
    }
  }
}

}  // namespace automs
