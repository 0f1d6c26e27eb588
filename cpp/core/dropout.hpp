// Probability, seed, step -> hidden units zeroed at random, the others scaled up.
#pragma once

#include <cstdint>

#include "core/network.hpp"
#include "core/random_blocks.hpp"
#include "core/workspace.hpp"

namespace automs {

/// Dropout of one step (Srivastava et al. 2014, inverted form): each hidden unit of each row is
/// zeroed with `probability`, the others are divided by 1 - probability.
struct Dropout {
  double probability = 0.0;
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  std::uint32_t first_row = 0;  // of the tile in the mini-batches of all members, one by one
};

namespace detail {

template <typename Scalar>
void mask_units(int n, std::uint32_t threshold, Scalar kept, const std::uint16_t* __restrict bits,
                Scalar* __restrict values, Scalar* __restrict slopes) {
  for (int unit = 0; unit < n; ++unit) {
    const Scalar factor = bits[unit] < threshold ? Scalar(0) : kept;
    values[unit] *= factor;
    slopes[unit] *= factor;
  }
}

template <typename Scalar>
void mask_bends(int n, std::uint32_t threshold, Scalar kept, const std::uint16_t* __restrict bits,
                Scalar* __restrict bends) {
  for (int unit = 0; unit < n; ++unit) bends[unit] *= bits[unit] < threshold ? Scalar(0) : kept;
}

}  // namespace detail

/// A mask value depends on (seed, step, layer, row of a member, unit) alone: 16 random bits for
/// each unit, eight units a block. All that the backward pass reads of the layer (n_rows, stride)
/// is masked, so that it needs no mask. The probability is rounded to a multiple of 1 / 65536.
template <typename Scalar>
void apply_dropout(const Dropout& dropout, const Layer& layer, std::size_t layer_number, int n_rows,
                   Workspace<Scalar>& workspace) {
  const RandomStream stream(dropout.seed, Purpose::dropout);
  const auto threshold = static_cast<std::uint32_t>(dropout.probability * 65536.0 + 0.5);
  const auto kept = static_cast<Scalar>(65536.0 / (65536.0 - threshold));
  const auto blocks_of_row = static_cast<std::uint32_t>((layer.fan_out + 7) / 8);
  // 64 layers at most share the low bits of the stream's number; the step has the rest.
  const std::uint64_t position = dropout.step * 64 + layer_number;
  std::uint16_t* bits = workspace.random_bits.data();
  random_blocks(stream, position, dropout.first_row * blocks_of_row,
                static_cast<std::size_t>(n_rows) * blocks_of_row, bits);
  for (int row = 0; row < n_rows; ++row) {
    const std::size_t start = static_cast<std::size_t>(row) * layer.stride;
    const std::uint16_t* mask = bits + static_cast<std::size_t>(row) * blocks_of_row * 8;
    detail::mask_units(layer.fan_out, threshold, kept, mask,
                       workspace.activations[layer_number] + start,
                       workspace.slopes[layer_number] + start);
    Scalar* bends = workspace.bends[layer_number];
    if (bends) detail::mask_bends(layer.fan_out, threshold, kept, mask, bends + start);
  }
}

}  // namespace automs
