// Settings, numbers of features -> Periodic: where each value of a periodic embedding lies.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/candidate.hpp"
#include "core/random.hpp"
#include "core/types.hpp"

namespace automs {

/// The periodic embedding of the first `n_columns` features: each x gives, besides itself,
/// n_outputs values b + sum over k of W_k cos(2 pi f_k x + p_k), with f, p, W and b of its own. In
/// the flat buffer they are rows of `stride` values, one for each feature and then padding, which
/// starts at zero and stays so: frequencies f, weights W (those of k = 0 first), phases p, biases
/// b.
struct Periodic {
  int n_columns = 0;  // 0: there is none
  int n_frequencies = 0;
  int n_outputs = 0;
  int stride = 0;
  double frequency_scale = 0.0;
  std::size_t first = 0;     // offset in the flat buffer
  std::size_t n_values = 0;  // there, with what fills the last cache line

  std::size_t row(int i) const {
    return first + static_cast<std::size_t>(i) * static_cast<std::size_t>(stride);
  }
  std::size_t frequencies(int k) const { return row(k); }
  std::size_t weights(int k, int output) const {
    return row(n_frequencies + k * n_outputs + output);
  }
  std::size_t phases(int k) const { return row(n_frequencies * (1 + n_outputs) + k); }
  std::size_t biases(int output) const { return row(n_frequencies * (2 + n_outputs) + output); }
  int n_rows() const { return n_frequencies * (2 + n_outputs) + n_outputs; }

  /// Values of a row of the first layer's input that it gives, output by output.
  int n_features() const { return n_columns * n_outputs; }
  std::size_t n_parameters() const {
    return static_cast<std::size_t>(n_rows()) * static_cast<std::size_t>(n_columns);
  }
};

/// `first`: where it begins in the flat buffer, at a cache line.
template <typename Scalar>
Periodic make_periodic(const PeriodicSettings& settings, int n_periodic, std::size_t first) {
  Periodic periodic;
  periodic.first = first;
  if (settings.kind == NumericEmbedding::none || n_periodic == 0) return periodic;
  periodic.n_columns = n_periodic;
  periodic.n_frequencies = settings.n_frequencies;
  periodic.n_outputs = settings.size - 1;
  periodic.frequency_scale = settings.frequency_scale;
  periodic.stride = padded<Scalar>(n_periodic);
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  periodic.n_values = (periodic.row(periodic.n_rows()) - first + line - 1) / line * line;
  return periodic;
}

/// First values (Holzmueller, Grinsztajn, Steinwart 2024, arXiv 2407.04491, PBLD): frequencies
/// N(0, scale^2), phases uniform in +-pi, weights and biases uniform in +-1 / sqrt(n_frequencies).
/// A value depends on (seed, its kind, feature, frequency and output) alone.
template <typename Scalar>
void initialize_periodic(const Periodic& periodic, std::uint64_t seed, Scalar* values) {
  const double scale = periodic.frequency_scale;
  const RandomStream stream(seed, Purpose::initial_periodic);
  const double bound =
      periodic.n_columns > 0 ? 1.0 / std::sqrt(static_cast<double>(periodic.n_frequencies)) : 0.0;
  auto uniform = [](std::uint32_t word) { return (word + 0.5) * 0x1p-31 - 1.0; };
  for (int j = 0; j < periodic.n_columns; ++j) {
    auto block = [&](std::uint32_t index) { return stream.block(std::uint32_t(j), index); };
    auto set = [&](std::size_t row, double value) { values[row + j] = static_cast<Scalar>(value); };
    // A frequency has kLargestPeriodic blocks: the first for itself, then one for each output.
    for (int k = 0; k < periodic.n_frequencies; ++k) {
      const auto start = static_cast<std::uint32_t>(k) * kLargestPeriodic;
      const auto words = block(start);
      set(periodic.frequencies(k), scale * normal_pair(words[0], words[1]).first);
      set(periodic.phases(k), 3.141592653589793 * uniform(words[2]));
      for (int output = 0; output < periodic.n_outputs; ++output) {
        const auto own = block(start + 1 + static_cast<std::uint32_t>(output));
        set(periodic.weights(k, output), bound * uniform(own[0]));
        if (k == 0) set(periodic.biases(output), bound * uniform(own[1]));
      }
    }
  }
}

}  // namespace automs
