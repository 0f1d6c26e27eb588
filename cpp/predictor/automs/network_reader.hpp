// bytes of the networks in a model file -> PackedNetworks, checked against encoders and task.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/byte_reader.hpp"
#include "automs/model.hpp"

namespace automs {

namespace detail {

template <typename T>
bool all_finite(const Array<T>& values) noexcept {
  bool finite = true;
  for (const T value : values) finite = finite && std::isfinite(value);
  return finite;
}

/// n_rows * n_columns floats, both at least 1.
inline void read_matrix(ByteReader& reader, const char* field, std::size_t n_rows,
                        std::size_t n_columns, Array<float>& out) noexcept {
  // The product of two 32-bit counts fits 64 bits, four times it need not: hence the division.
  const std::size_t floats = reader.remaining() / sizeof(float);
  if (n_rows > floats / n_columns) return reader.fail(Status::too_large, field);
  reader.numbers(field, n_rows * n_columns, out);
  reader.expect(all_finite(out), field);
}

inline void read_layer(ByteReader& reader, PackedLayer& layer) noexcept {
  read_matrix(reader, "weights", layer.fan_in, layer.fan_out, layer.weights);
  reader.numbers("biases", layer.fan_out, layer.bias);
  reader.expect(all_finite(layer.bias), "biases");
}

inline void read_blend(ByteReader& reader, PackedLayer& layer) noexcept {
  reader.numbers("blends", layer.fan_out, layer.blend);
  reader.expect(all_finite(layer.blend), "blends");
}

// Bits of a network's features.
constexpr std::uint8_t kResidual = 1;
constexpr std::uint8_t kBlended = 2;   // not in version 1
constexpr std::uint8_t kPeriodic = 4;  // not in version 1

/// The sizes of the vectors, one for each embedded part of the encoder.
inline void read_embedding_sizes(ByteReader& reader, const Encoder& encoder,
                                 PackedNetwork& network) noexcept {
  Array<std::uint32_t> sizes;
  reader.numbers("embedding_sizes", encoder.n_embedded(), sizes);
  for (const std::uint32_t size : sizes) reader.expect(size >= 1, "embedding_sizes");
  if (!reader.ok()) return;
  if (!network.embeddings.resize(sizes.size())) {
    return reader.fail(Status::out_of_memory, "embedding_sizes");
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) network.embeddings[i].size = sizes[i];
}

inline void read_embeddings(ByteReader& reader, const Encoder& encoder,
                            PackedNetwork& network) noexcept {
  for (std::size_t i = 0; reader.ok() && i < network.embeddings.size(); ++i) {
    EmbeddingTable& table = network.embeddings[i];
    read_matrix(reader, "embeddings", encoder.embedding_rows[i], table.size, table.vectors);
  }
}

/// How many frequencies and values the periodic embedding of the scaled parts has.
inline void read_periodic_sizes(ByteReader& reader, const Encoder& encoder,
                                PeriodicEmbedding& periodic) noexcept {
  periodic.n_columns = encoder.scaled.size();
  reader.expect(periodic.n_columns >= 1, "features");
  // Each frequency of each part takes at least a frequency, a weight and a phase.
  periodic.n_frequencies = reader.count("n_frequencies", 3 * sizeof(float));
  reader.expect(periodic.n_frequencies >= 1, "n_frequencies");
  const std::size_t n_values = reader.number<std::uint32_t>("periodic_size");
  reader.expect(n_values >= 2 && n_values <= kMostPeriodicValues, "periodic_size");
  periodic.n_outputs = n_values - 1;
}

inline void read_periodic(ByteReader& reader, PeriodicEmbedding& periodic) noexcept {
  const std::size_t n_columns = periodic.n_columns, n_frequencies = periodic.n_frequencies;
  read_matrix(reader, "frequencies", n_frequencies, n_columns, periodic.frequencies);
  // A product beyond what is left of the file might not fit into a size_t.
  if (n_frequencies > reader.remaining() / sizeof(float) / periodic.n_outputs) {
    reader.fail(Status::too_large, "periodic_weights");
    return;
  }
  read_matrix(reader, "periodic_weights", n_frequencies * periodic.n_outputs, n_columns,
              periodic.weights);
  read_matrix(reader, "phases", n_frequencies, n_columns, periodic.phases);
  read_matrix(reader, "periodic_biases", periodic.n_outputs, n_columns, periodic.biases);
}

inline void read_layers(ByteReader& reader, const Encoder& encoder, std::uint8_t features,
                        PackedNetwork& network) noexcept {
  const std::size_t n_sizes = reader.count("n_layer_sizes", sizeof(std::uint32_t));
  reader.expect(n_sizes >= 2 && n_sizes <= kMaxLayers + 1, "n_layer_sizes");
  Array<std::uint32_t> sizes;
  reader.numbers("layer_sizes", n_sizes, sizes);
  for (const std::uint32_t size : sizes) reader.expect(size >= 1, "layer_sizes");
  if (!reader.ok()) return;
  reader.expect(sizes[0] == encoder.n_features + network.n_embedding_values(), "layer_sizes");
  if (network.periodic.n_columns > 0) read_periodic(reader, network.periodic);
  read_embeddings(reader, encoder, network);
  if (!reader.ok()) return;
  const std::size_t n_layers = n_sizes - 1;
  if (!network.layers.resize(n_layers)) return reader.fail(Status::out_of_memory, "layer_sizes");
  for (std::size_t i = 0; reader.ok() && i < n_layers; ++i) {
    PackedLayer& layer = network.layers[i];
    layer.fan_in = sizes[i];
    layer.fan_out = sizes[i + 1];
    const bool hidden = i + 1 < n_layers;
    layer.adds_input =
        (features & kResidual) != 0 && i > 0 && hidden && layer.fan_in == layer.fan_out;
    read_layer(reader, layer);
    if (hidden && (features & kBlended) != 0) read_blend(reader, layer);
  }
}

/// The rules that tie a network's outputs to the task: probabilities are a sigmoid or a softmax.
inline void check_outputs(ByteReader& reader, const Model& model, const PackedNetwork& network,
                          std::size_t n_logits) noexcept {
  switch (model.task) {
    case ModelTask::regression:
      reader.expect(network.link != OutputLink::softmax, "link");
      reader.expect(n_logits == model.n_outputs, "layer_sizes");
      return;
    case ModelTask::binary:
      reader.expect(network.link == OutputLink::sigmoid, "link");
      reader.expect(n_logits == 1, "layer_sizes");
      break;
    case ModelTask::multiclass:
      reader.expect(network.link == OutputLink::softmax, "link");
      reader.expect(n_logits == model.n_outputs, "layer_sizes");
      break;
  }
  reader.expect(network.weight >= 0.0, "weight");
  for (const double centre : network.output_centre) reader.expect(centre == 0.0, "output_centre");
  for (const double scale : network.output_scale) reader.expect(scale == 1.0, "output_scale");
}

inline void read_network(ByteReader& reader, std::uint32_t version, const Model& model,
                         PackedNetwork& network) noexcept {
  network.encoder = reader.number<std::uint32_t>("encoder");
  reader.expect(network.encoder < model.encoders.size(), "encoder");
  network.weight = reader.number<double>("weight");
  reader.expect(std::isfinite(network.weight), "weight");
  const auto activation = reader.number<std::uint8_t>("activation");
  reader.expect(activation < kActivationCount, "activation");
  network.activation = static_cast<Activation>(activation);
  const auto features = reader.number<std::uint8_t>("features");
  reader.expect(features <= (version > 1 ? kResidual + kBlended + kPeriodic : kResidual),
                "features");
  const auto link = reader.number<std::uint8_t>("link");
  reader.expect(link <= static_cast<std::uint8_t>(OutputLink::softmax), "link");
  network.link = static_cast<OutputLink>(link);
  if (!reader.ok()) return;
  const Encoder& encoder = model.encoders[network.encoder];
  if ((features & kPeriodic) != 0) read_periodic_sizes(reader, encoder, network.periodic);
  if (version > 1) read_embedding_sizes(reader, encoder, network);
  if (!reader.ok()) return;
  read_layers(reader, encoder, features, network);
  if (!reader.ok()) return;
  const std::size_t n_logits = network.layers[network.layers.size() - 1].fan_out;
  reader.numbers("output_centre", n_logits, network.output_centre);
  reader.expect(all_finite(network.output_centre), "output_centre");
  reader.numbers("output_scale", n_logits, network.output_scale);
  reader.expect(all_finite(network.output_scale), "output_scale");
  if (reader.ok()) check_outputs(reader, model, network, n_logits);
}

inline void read_networks(ByteReader& reader, std::uint32_t version, Model& model) noexcept {
  constexpr std::size_t least_bytes = 51;  // one weight, one bias, one output, no hidden layer
  const std::size_t n = reader.count("n_networks", least_bytes);
  reader.expect(n >= 1, "n_networks");
  if (reader.ok() && !model.networks.resize(n)) reader.fail(Status::out_of_memory, "n_networks");
  for (std::size_t i = 0; reader.ok() && i < n; ++i) {
    read_network(reader, version, model, model.networks[i]);
  }
}

}  // namespace detail

}  // namespace automs
