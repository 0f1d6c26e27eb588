// Architecture, numbers of features, outputs and categories -> Network: where each weight lies in
// one flat buffer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/binned_layout.hpp"
#include "core/candidate.hpp"
#include "core/check.hpp"
#include "core/periodic_layout.hpp"
#include "core/types.hpp"

namespace automs {

/// One dense layer, z = x W + b. W is row-major (fan_in, fan_out) with `stride` values from row to
/// row; the columns from fan_out on are padding: zero at the start, and as their gradient is zero
/// they stay so. Activations have rows of the same stride, of which `padded_out` are computed.
/// The layer of a single output has no padding (single_output.hpp).
///
/// With the neural tangent parametrisation the trained matrix is sqrt(fan_in) W: `root` is that
/// factor, else 1. The buffer holds W, so that products know nothing of it; the update does.
struct Layer {
  int fan_in;
  int fan_out;
  int padded_out;
  int stride;
  std::size_t weights;  // offsets in the flat buffer
  std::size_t bias;
  bool residual;
  std::size_t blend = 0;  // (stride), a of x + (f(x) - x) a: of hidden layers, where they have it
  double root = 1.0;

  bool is_single_output() const { return stride == 1; }
  std::size_t n_weights() const {
    return static_cast<std::size_t>(fan_in) * static_cast<std::size_t>(stride);
  }
};

/// The table of one embedded column: `n_rows` vectors of `size` values, one after the other. Each
/// row's vector stands in the first layer's input from column `input_column` on.
struct Embedding {
  int n_rows;
  int size;
  int input_column;
  std::size_t weights;  // offset in the flat buffer

  std::size_t n_values() const {
    return static_cast<std::size_t>(n_rows) * static_cast<std::size_t>(size);
  }
};

/// A trained factor for each input of the first layer, whose W is then the trained matrix times
/// these, row by row (scaling_layer.hpp).
struct ScalingLayer {
  bool is_there = false;
  std::size_t scales = 0;   // (fan_in), offsets in the flat buffer
  std::size_t weights = 0;  // (fan_in, stride of the first layer), the trained matrix
};

/// The flat buffer holds the tables first, then the periodic embedding, the scaling layer, the
/// layers, and what further members have of their own. All of that is trained, and kept in states.
/// Behind it, where there is a scaling layer, the first layer's W follows from the rest.
struct Network {
  std::vector<Embedding> embeddings;
  Periodic periodic;
  ScalingLayer scaling;
  std::vector<Layer> layers;
  BinnedLayout binned;
  std::vector<int> input_rows;                   // see `input_row`
  int n_dense = 0;                               // features of a row that a view has as such
  std::size_t n_table_values = 0;                // where the tables end, padding included
  Activation activation = Activation::identity;  // of the hidden layers; the last one has none
  bool parametric_activation = false;
  Parametrization parametrization = Parametrization::standard;
  std::size_t n_values = 0;  // what is trained, padding included
  std::size_t n_buffer = 0;  // length of the flat buffer
  int widest = 0;            // largest stride
  int input_stride = 0;      // between rows of a tile's input
  // Of a network with members, each of them as a network of its own in the same buffer, the first
  // of which has the offsets above (members.hpp); empty without.
  std::vector<Network> members;

  /// Inputs of the first layer: the dense features, those that the periodic embedding gives, the
  /// vectors, the bins of binned columns.
  int n_features() const { return layers.front().fan_in; }
  /// Of the periodic embedding and the vectors.
  int n_learned_features() const { return n_features() - n_dense - binned.n_features; }
  /// Values in a row of a tile's input.
  int n_inputs() const { return n_dense + n_learned_features() + binned.n_expanded(); }
  /// The row of the first layer's W for an input in the order of the encoding. They differ only
  /// where binned columns are, whose rows come last.
  int input_row(int input) const { return input_rows.empty() ? input : input_rows[input]; }
  int n_logits() const { return layers.back().fan_out; }
  int logit_stride() const { return layers.back().stride; }

  /// Whether layer l has a blend of its activation.
  bool is_blended(std::size_t l) const { return parametric_activation && l + 1 < layers.size(); }
};

/// `n` values at the end of the flat buffer, where the next ones start a cache line -> their
/// offset.
template <typename Scalar>
std::size_t place_lines(std::size_t n, Network& network) {
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  const std::size_t offset = network.n_values;
  network.n_values += (n + line - 1) / line * line;
  return offset;
}

/// Adds tables and periodic embedding to a network without layers; gives the values of a row that
/// they make.
template <typename Scalar>
int add_embeddings(const Architecture& architecture, const std::vector<int>& embedding_rows,
                   int n_periodic, Network& network) {
  // A table starts a cache line. What is between tables has no gradient and stays zero, so that an
  // update may run over all of them at once.
  const int embedding_size = architecture.embedding_size;
  int width = make_periodic<Scalar>(architecture.periodic, n_periodic, 0).n_features();
  for (const int n_rows : embedding_rows) {
    require(embedding_size >= 1, "embedding_size must be >= 1 with embedded columns");
    Embedding embedding{n_rows, std::min(embedding_size, n_rows), network.n_dense + width, 0};
    width += embedding.size;
    embedding.weights = place_lines<Scalar>(embedding.n_values(), network);
    network.embeddings.push_back(embedding);
  }
  network.n_table_values = network.n_values;
  network.periodic = make_periodic<Scalar>(architecture.periodic, n_periodic, network.n_values);
  network.n_values += network.periodic.n_values;
  if (width > 0) network.widest = row_stride<Scalar>(width);
  return width;
}

/// Adds the scales in front of `first`, whose sizes are set; the trained matrix comes next.
template <typename Scalar>
void add_scales(const Layer& first, Network& network) {
  network.scaling.is_there = true;
  network.scaling.scales = place_lines<Scalar>(static_cast<std::size_t>(first.fan_in), network);
}

/// Where the first layer's matrix is the scaling layer's trained one, puts W behind all else.
template <typename Scalar>
void place_scaled_weights(Network& network) {
  network.n_buffer = network.n_values;
  if (!network.scaling.is_there) return;
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  Layer& first = network.layers.front();
  network.scaling.weights = first.weights;
  first.weights = (network.n_values + line - 1) / line * line;
  network.n_buffer = first.weights + first.n_weights();
  for (Network& member : network.members) {
    member.n_buffer = network.n_buffer;
    member.scaling.weights = network.scaling.weights;
    member.layers.front().weights = first.weights;
  }
}

/// Adds scales and last layers of all members but the first, which has those that are there.
template <typename Scalar>
void add_members(int n_members, Network& network) {
  if (n_members < 2) return;
  require(network.layers.size() > 1, "n_members must be 1 without hidden layers");
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  network.n_values = (network.n_values + line - 1) / line * line;
  std::vector<Network> members(static_cast<std::size_t>(n_members), network);
  for (std::size_t m = 1; m < members.size(); ++m) {
    members[m].scaling.scales =
        place_lines<Scalar>(static_cast<std::size_t>(network.n_features()), network);
    Layer& last = members[m].layers.back();
    const std::size_t n_weights = last.bias - last.weights;
    last.weights = place_lines<Scalar>(last.blend - last.weights, network);
    last.bias = last.weights + n_weights;
    last.blend = last.bias + static_cast<std::size_t>(last.stride);
  }
  for (Network& member : members) member.n_values = network.n_values;
  network.members = std::move(members);
}

/// Calls body(network) for each member, or for the network itself where it has none.
template <typename Body>
void for_each_member(const Network& network, Body&& body) {
  if (network.members.empty()) return body(network);
  for (const Network& member : network.members) body(member);
}

/// Lays a network out for `Scalar`. `embedding_rows`: categories of each embedded column;
/// `rows_of_step`: rows that go through the network together when it is trained; `n_periodic`:
/// features, the first ones, that a periodic embedding takes.
template <typename Scalar>
Network make_network(const Architecture& architecture, int n_features, int n_logits,
                     const std::vector<int>& embedding_rows = {},
                     const std::vector<BinnedColumn>& binned = {}, int rows_of_step = kTileRows,
                     int n_periodic = 0) {
  require(n_features >= 1 || !embedding_rows.empty() || !binned.empty(),
          "a network needs at least one feature");
  require(n_logits >= 1, "a network needs at least one output");
  Network network;
  network.activation = architecture.activation;
  network.parametric_activation = architecture.parametric_activation;
  network.parametrization = architecture.parametrization;
  network.n_dense = n_features;
  std::vector<int> sizes = architecture.hidden_layer_sizes;
  sizes.push_back(n_logits);
  const int n_learned = add_embeddings<Scalar>(architecture, embedding_rows, n_periodic, network);
  int fan_in = n_features + n_learned;
  if (!binned.empty()) {
    network.binned = lay_out_binned(binned, fan_in, rows_of_step);
    network.input_rows = rows_of_inputs(binned, network.binned, n_features, n_learned);
  }
  network.input_stride = padded<Scalar>(std::max(fan_in + network.binned.n_expanded(), 1));
  fan_in += network.binned.n_features;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    require(sizes[i] >= 1, "hidden_layer_sizes must be >= 1");
    const bool hidden = i + 1 < sizes.size();
    Layer layer{fan_in, sizes[i], padded<Scalar>(sizes[i]), row_stride<Scalar>(sizes[i]), 0,
                0,      false};
    if (!hidden && sizes[i] == 1) layer.padded_out = layer.stride = 1;
    layer.residual = architecture.residual && hidden && i > 0 && fan_in == sizes[i];
    if (network.parametrization == Parametrization::ntp) layer.root = std::sqrt(fan_in);
    const bool is_scaled = architecture.scaling_layer || architecture.n_members > 1;
    if (i == 0 && is_scaled) add_scales<Scalar>(layer, network);
    const auto stride = static_cast<std::size_t>(layer.stride);
    layer.weights = network.n_values;
    layer.bias = layer.weights + layer.n_weights();
    layer.blend = layer.bias + stride;
    const bool is_blended = hidden && network.parametric_activation;
    network.n_values = layer.blend + (is_blended ? stride : 0);
    if (layer.stride > network.widest) network.widest = layer.stride;
    network.layers.push_back(layer);
    fan_in = sizes[i];
  }
  add_members<Scalar>(architecture.n_members, network);
  place_scaled_weights<Scalar>(network);
  return network;
}

}  // namespace automs
