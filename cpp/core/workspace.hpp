// Network -> one thread's buffers for training it, laid out in a single block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/network.hpp"
#include "core/random_blocks.hpp"
#include "core/slices.hpp"
#include "core/transpose.hpp"
#include "core/types.hpp"

namespace automs {

/// The arena of one thread. `lay_out` allocates only where a network needs more than any before.
template <typename Scalar>
class Workspace {
 public:
  // Shapes: T = kTileRows, P = stride of the layer, B = network.n_buffer, N = network.n_values.
  Scalar* input = nullptr;          // (T, input_stride)
  std::vector<std::int32_t> codes;  // (T, n_embedded)
  // Of binned columns, group after group (T, columns of the group): the row of a group's table for
  // the knot below a value or for its slot, and how far the value lies behind its knot.
  std::vector<std::uint16_t> table_rows;
  Scalar* fractions = nullptr;
  Scalar* knots = nullptr;        // (n_knot_rows, panel), a table or its gradient, or a spare row
  Scalar* targets = nullptr;      // (T, n_targets)
  Scalar* row_weights = nullptr;  // (T)
  std::vector<Scalar*> activations;  // a layer: (T, P); the last one holds the logits
  std::vector<Scalar*> slopes;       // a layer: (T, P), derivatives of the activation
  std::vector<Scalar*> bends;        // a blended layer: (T, P), f(z) - z; null for the others
  Scalar* delta = nullptr;           // (T, widest), loss by a layer's pre-activations
  Scalar* next_delta = nullptr;      // (T, widest), the same of the layer before it
  Scalar* by_output = nullptr;       // (T, widest), loss by the output of a residual layer
  Scalar* sums = nullptr;            // (widest or input_stride), sums over the rows of a tile
  Scalar* panel = nullptr;           // (panel_size of the widest), part of a transposed matrix
  Scalar* periodic_panel = nullptr;  // (T, periodic.n_outputs + 2, lanes), of a periodic embedding
  AlignedVector<std::uint16_t> random_bits;  // (T, widest), blocks of eight for the dropout
  std::vector<double> means;                 // (T, 2 n_logits), of members' predictions
  Scalar* weights = nullptr;                 // (B)
  Scalar* gradient = nullptr;                // (B)
  Scalar* first_moment = nullptr;            // (N), or the velocity of SGD
  Scalar* second_moment = nullptr;           // (N)
  Help<Scalar> help;                         // who may take slices of the products

  void lay_out(const Network& network, int n_targets) {
    used_ = 0;
    place(network, n_targets, nullptr);
    if (block_.size() < used_) block_.resize(used_);
    used_ = 0;
    place(network, n_targets, block_.data());
    codes.resize(static_cast<std::size_t>(kTileRows) * network.embeddings.size());
    table_rows.resize(static_cast<std::size_t>(kTileRows) * network.binned.size());
    const auto blocks_of_row = static_cast<std::size_t>((network.widest + 7) / 8);
    const std::size_t bits = 8 * whole_groups(kTileRows * blocks_of_row);
    if (random_bits.size() < bits) random_bits.resize(bits);
    const auto n_logits = static_cast<std::size_t>(network.n_logits());
    if (!network.members.empty()) means.resize(2 * n_logits * kTileRows);
  }

 private:
  /// First pass with a null base: counts only. Second pass: sets the pointers.
  void place(const Network& network, int n_targets, Scalar* base) {
    const auto tile = static_cast<std::size_t>(kTileRows);
    const std::size_t n_layers = network.layers.size();
    activations.resize(n_layers);
    slopes.resize(n_layers);
    bends.assign(n_layers, nullptr);
    input = take(base, tile * network.input_stride);
    targets = take(base, tile * n_targets);
    row_weights = take(base, tile);
    fractions = take(base, tile * network.binned.size());
    knots = take(
        base, static_cast<std::size_t>(network.binned.n_knot_rows) * kKnotVectors * kLanes<Scalar>);
    for (std::size_t l = 0; l < n_layers; ++l) {
      const Layer& layer = network.layers[l];
      activations[l] = take(base, tile * layer.stride);
      slopes[l] = take(base, tile * layer.stride);
      if (network.is_blended(l)) bends[l] = take(base, tile * layer.stride);
    }
    for (Scalar** buffer : {&delta, &next_delta, &by_output}) {
      *buffer = take(base, tile * network.widest);
    }
    panel = take(base, panel_size<Scalar>(network.widest));
    const int columns_at_once = network.periodic.n_columns > 0 ? kLanes<Scalar> : 0;
    periodic_panel = take(base, tile * (network.periodic.n_outputs + 2) * columns_at_once);
    sums = take(base, std::max(network.widest, network.input_stride));
    for (Scalar** buffer : {&weights, &gradient}) *buffer = take(base, network.n_buffer);
    for (Scalar** buffer : {&first_moment, &second_moment}) *buffer = take(base, network.n_values);
  }

  Scalar* take(Scalar* base, std::size_t n) {
    constexpr std::size_t line = kCacheLine / sizeof(Scalar);
    Scalar* start = base ? base + used_ : nullptr;
    used_ += (n + line - 1) / line * line;
    return start;
  }

  AlignedVector<Scalar> block_;
  std::size_t used_ = 0;
};

}  // namespace automs
