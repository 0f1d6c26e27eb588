// what follows the metadata of a file -> bounds of values and factors of labels; their use.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/byte_reader.hpp"
#include "automs/model.hpp"
#include "automs/network_reader.hpp"

namespace automs {

// Bits of the frame's flags: which sections follow the metadata, in this order.
constexpr std::uint32_t kHasLabelFactors = 1;
constexpr std::uint32_t kHasOutputBounds = 2;
constexpr std::uint32_t kKnownFlags = kHasLabelFactors | kHasOutputBounds;

/// The index of the label: the greatest product of probability and factor (n each; null: 1), the
/// first of equal ones.
inline std::size_t choose_label(const double* probabilities, const double* factors,
                                std::size_t n) noexcept {
  std::size_t best = 0;
  double highest = factors == nullptr ? probabilities[0] : probabilities[0] * factors[0];
  for (std::size_t j = 1; j < n; ++j) {
    const double value = factors == nullptr ? probabilities[j] : probabilities[j] * factors[j];
    if (!(value > highest)) continue;
    best = j;
    highest = value;
  }
  return best;
}

namespace detail {

/// Values (n_logits) -> the nearest within the network's bounds; NaN stays NaN.
inline void bound_values(const PackedNetwork& network, double* values) noexcept {
  for (std::size_t j = 0; j < network.output_low.size(); ++j) {
    if (values[j] < network.output_low[j]) values[j] = network.output_low[j];
    if (values[j] > network.output_high[j]) values[j] = network.output_high[j];
  }
}

inline void read_label_factors(ByteReader& reader, Model& model) noexcept {
  reader.expect(model.task != ModelTask::regression, "label_factors");
  reader.numbers("label_factors", model.n_outputs, model.label_factors);
  for (const double factor : model.label_factors) {
    reader.expect(std::isfinite(factor) && factor > 0.0, "label_factors");
  }
}

inline void read_output_bounds(ByteReader& reader, Model& model) noexcept {
  reader.expect(model.task == ModelTask::regression, "output_bounds");
  for (std::size_t i = 0; reader.ok() && i < model.networks.size(); ++i) {
    PackedNetwork& network = model.networks[i];
    reader.numbers("output_bounds", model.n_outputs, network.output_low);
    reader.numbers("output_bounds", model.n_outputs, network.output_high);
    for (std::size_t j = 0; reader.ok() && j < model.n_outputs; ++j) {
      const double low = network.output_low[j];
      const double high = network.output_high[j];
      reader.expect(std::isfinite(low) && std::isfinite(high) && low <= high, "output_bounds");
    }
  }
}

inline void read_decision(ByteReader& reader, std::uint32_t flags, Model& model) noexcept {
  if (reader.ok() && (flags & kHasLabelFactors) != 0) read_label_factors(reader, model);
  if (reader.ok() && (flags & kHasOutputBounds) != 0) read_output_bounds(reader, model);
}

}  // namespace detail

}  // namespace automs
