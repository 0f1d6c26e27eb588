// Nothing -> the periodic embedding of a network's scaled features, as it stands in a file.
#pragma once

#include <cstddef>

#include "automs/array.hpp"

namespace automs {

constexpr std::size_t kMostPeriodicValues = 64;  // that one feature becomes, itself among them

/// Each scaled feature x gives, besides itself, n_outputs values: its bias + the sum over its
/// frequencies of weight * cos(2 pi frequency x + phase). One value for each feature in every row.
struct PeriodicEmbedding {
  std::size_t n_columns = 0;  // scaled parts of the encoder; 0 without the embedding
  std::size_t n_frequencies = 0;
  std::size_t n_outputs = 0;
  Array<float> frequencies;  // (n_frequencies, n_columns)
  Array<float> weights;      // (n_frequencies, n_outputs, n_columns)
  Array<float> phases;       // (n_frequencies, n_columns), radians
  Array<float> biases;       // (n_outputs, n_columns)

  std::size_t n_values() const noexcept { return n_columns * n_outputs; }
  std::size_t n_parameters() const noexcept {
    return n_columns * (n_frequencies * (2 + n_outputs) + n_outputs);
  }
};

}  // namespace automs
