// bytes of a model file -> Model, or the first rule of FORMAT.md that they break.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "automs/byte_reader.hpp"
#include "automs/checksum.hpp"
#include "automs/model.hpp"

namespace automs {

namespace detail {

template <typename T>
bool all_finite(const Array<T>& values) noexcept {
  bool finite = true;
  for (const T value : values) finite = finite && std::isfinite(value);
  return finite;
}

/// Checks magic, version, size and checksum; afterwards the payload is what the writer wrote, but
/// that does not yet make it trustworthy: anyone can compute a checksum.
inline LoadFailure check_frame(const unsigned char* bytes, std::size_t size) noexcept {
  const std::size_t compared = size < sizeof kMagic ? size : sizeof kMagic;
  if (size == 0) return {Status::truncated, "magic", 0};
  if (std::memcmp(bytes, kMagic, compared) != 0) return {Status::bad_magic, "magic", 0};
  if (size < kHeaderBytes + kChecksumBytes) return {Status::truncated, "header", size};
  if (decode<std::uint32_t>(bytes + 8) != kFormatVersion) {
    return {Status::unknown_version, "version", 8};
  }
  if (decode<std::uint32_t>(bytes + 12) != 0) return {Status::bad_value, "flags", 12};
  const auto payload = decode<std::uint64_t>(bytes + 16);
  const std::size_t held = size - kHeaderBytes - kChecksumBytes;
  if (payload > held) return {Status::truncated, "payload_size", 16};
  if (payload < held) return {Status::bad_value, "payload_size", 16};
  const std::size_t end = size - kChecksumBytes;
  if (crc64(bytes, end) != decode<std::uint64_t>(bytes + end)) {
    return {Status::bad_checksum, "checksum", end};
  }
  return {};
}

/// A list of texts that is absent (count 0) or has exactly `expected` entries.
inline void read_texts(ByteReader& reader, const char* field, std::size_t expected,
                       Array<Text>& out) noexcept {
  const std::size_t n = reader.count(field, sizeof(std::uint32_t));
  reader.expect(n == 0 || n == expected, field);
  if (reader.ok() && !out.resize(n)) reader.fail(Status::out_of_memory, field);
  for (std::size_t i = 0; reader.ok() && i < n; ++i) reader.text(field, out[i]);
}

inline void read_task(ByteReader& reader, Model& model) noexcept {
  const auto task = reader.number<std::uint8_t>("task");
  reader.expect(task <= static_cast<std::uint8_t>(ModelTask::multiclass), "task");
  model.task = static_cast<ModelTask>(task);
  model.n_columns = reader.number<std::uint32_t>("n_columns");
  reader.expect(model.n_columns >= 1, "n_columns");
  model.n_outputs = reader.number<std::uint32_t>("n_outputs");
  reader.expect(model.n_outputs >= 1, "n_outputs");
  if (model.task == ModelTask::binary) reader.expect(model.n_outputs == 2, "n_outputs");
  if (model.task == ModelTask::multiclass) reader.expect(model.n_outputs >= 2, "n_outputs");
}

inline void read_classes(ByteReader& reader, Model& model) noexcept {
  const auto kind = reader.number<std::uint8_t>("class_kind");
  reader.expect(kind <= static_cast<std::uint8_t>(ClassKind::string), "class_kind");
  model.class_kind = static_cast<ClassKind>(kind);
  const bool classifies = model.task != ModelTask::regression;
  reader.expect((model.class_kind != ClassKind::none) == classifies, "class_kind");
  const std::size_t n = reader.count("n_classes", classifies ? 1 : 4);
  reader.expect(n == (classifies ? model.n_outputs : 0), "n_classes");
  if (!reader.ok()) return;
  switch (model.class_kind) {
    case ClassKind::none:
      break;
    case ClassKind::int64:
      reader.numbers("classes", n, model.int_classes);
      break;
    case ClassKind::float64:
      reader.numbers("classes", n, model.float_classes);
      reader.expect(all_finite(model.float_classes), "classes");
      break;
    case ClassKind::boolean:
      reader.numbers("classes", n, model.bool_classes);
      for (const std::uint8_t value : model.bool_classes) reader.expect(value <= 1, "classes");
      break;
    case ClassKind::string:
      if (!model.string_classes.resize(n)) reader.fail(Status::out_of_memory, "classes");
      for (std::size_t i = 0; reader.ok() && i < n; ++i) {
        reader.text("classes", model.string_classes[i]);
      }
      break;
  }
}

inline void read_encoder(ByteReader& reader, std::size_t n_columns, Encoder& encoder) noexcept {
  if (n_columns > reader.remaining() / kColumnBytes) reader.fail(Status::too_large, "columns");
  if (!reader.ok()) return;
  if (!encoder.centre.resize(n_columns) || !encoder.scale.resize(n_columns) ||
      !encoder.clip.resize(n_columns) || !encoder.indicator.resize(n_columns)) {
    return reader.fail(Status::out_of_memory, "columns");
  }
  for (std::size_t j = 0; reader.ok() && j < n_columns; ++j) {
    const auto kind = reader.number<std::uint8_t>("columns.kind");
    reader.expect(kind == static_cast<std::uint8_t>(ColumnKind::numeric), "columns.kind");
    const auto flags = reader.number<std::uint8_t>("columns.flags");
    reader.expect(flags <= 3, "columns.flags");
    encoder.clip[j] = flags & 1;
    encoder.indicator[j] = flags >> 1;
    encoder.centre[j] = reader.number<double>("columns.centre");
    encoder.scale[j] = reader.number<double>("columns.scale");
  }
  if (!reader.ok()) return;
  const Status status = finish_encoder(encoder);
  if (status != Status::ok) reader.fail(status, "columns");
}

inline void read_encoders(ByteReader& reader, Model& model) noexcept {
  const std::size_t n = reader.count("n_encoders", kColumnBytes);
  reader.expect(n >= 1, "n_encoders");
  if (reader.ok() && !model.encoders.resize(n)) reader.fail(Status::out_of_memory, "n_encoders");
  for (std::size_t i = 0; reader.ok() && i < n; ++i) {
    read_encoder(reader, model.n_columns, model.encoders[i]);
  }
}

inline void read_layer(ByteReader& reader, PackedLayer& layer) noexcept {
  // The product of two 32-bit counts fits 64 bits, four times it need not: hence the division.
  const std::size_t floats = reader.remaining() / sizeof(float);
  if (layer.fan_in > floats / layer.fan_out) return reader.fail(Status::too_large, "weights");
  reader.numbers("weights", layer.fan_in * layer.fan_out, layer.weights);
  reader.expect(all_finite(layer.weights), "weights");
  reader.numbers("biases", layer.fan_out, layer.bias);
  reader.expect(all_finite(layer.bias), "biases");
}

inline void read_layers(ByteReader& reader, std::size_t n_features, bool residual,
                        PackedNetwork& network) noexcept {
  const std::size_t n_sizes = reader.count("n_layer_sizes", sizeof(std::uint32_t));
  reader.expect(n_sizes >= 2 && n_sizes <= kMaxLayers + 1, "n_layer_sizes");
  Array<std::uint32_t> sizes;
  reader.numbers("layer_sizes", n_sizes, sizes);
  for (const std::uint32_t size : sizes) reader.expect(size >= 1, "layer_sizes");
  if (!reader.ok()) return;
  reader.expect(sizes[0] == n_features, "layer_sizes");
  const std::size_t n_layers = n_sizes - 1;
  if (!network.layers.resize(n_layers)) return reader.fail(Status::out_of_memory, "layer_sizes");
  for (std::size_t i = 0; reader.ok() && i < n_layers; ++i) {
    PackedLayer& layer = network.layers[i];
    layer.fan_in = sizes[i];
    layer.fan_out = sizes[i + 1];
    layer.adds_input = residual && i > 0 && i + 1 < n_layers && layer.fan_in == layer.fan_out;
    read_layer(reader, layer);
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

inline void read_network(ByteReader& reader, const Model& model, PackedNetwork& network) noexcept {
  network.encoder = reader.number<std::uint32_t>("encoder");
  reader.expect(network.encoder < model.encoders.size(), "encoder");
  network.weight = reader.number<double>("weight");
  reader.expect(std::isfinite(network.weight), "weight");
  const auto activation = reader.number<std::uint8_t>("activation");
  reader.expect(activation < kActivationCount, "activation");
  network.activation = static_cast<Activation>(activation);
  const auto residual = reader.number<std::uint8_t>("residual");
  reader.expect(residual <= 1, "residual");
  const auto link = reader.number<std::uint8_t>("link");
  reader.expect(link <= static_cast<std::uint8_t>(OutputLink::softmax), "link");
  network.link = static_cast<OutputLink>(link);
  if (!reader.ok()) return;
  read_layers(reader, model.encoders[network.encoder].n_features(), residual != 0, network);
  if (!reader.ok()) return;
  const std::size_t n_logits = network.layers[network.layers.size() - 1].fan_out;
  reader.numbers("output_centre", n_logits, network.output_centre);
  reader.expect(all_finite(network.output_centre), "output_centre");
  reader.numbers("output_scale", n_logits, network.output_scale);
  reader.expect(all_finite(network.output_scale), "output_scale");
  if (reader.ok()) check_outputs(reader, model, network, n_logits);
}

inline void read_networks(ByteReader& reader, Model& model) noexcept {
  constexpr std::size_t least_bytes = 51;  // one weight, one bias, one output, no hidden layer
  const std::size_t n = reader.count("n_networks", least_bytes);
  reader.expect(n >= 1, "n_networks");
  if (reader.ok() && !model.networks.resize(n)) reader.fail(Status::out_of_memory, "n_networks");
  for (std::size_t i = 0; reader.ok() && i < n; ++i) {
    read_network(reader, model, model.networks[i]);
  }
}

}  // namespace detail

/// bytes (size) -> out, which is unchanged unless the answer's status is ok. Nothing is allocated
/// before the bytes that fill it are known to be there.
inline LoadFailure read_model(const void* data, std::size_t size, Model& out) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  const LoadFailure frame = detail::check_frame(bytes, size);
  if (frame.status != Status::ok) return frame;
  ByteReader reader(bytes, size - kChecksumBytes, kHeaderBytes);
  Model model;
  detail::read_task(reader, model);
  detail::read_texts(reader, "column_names", model.n_columns, model.column_names);
  const bool regression = model.task == ModelTask::regression;
  detail::read_texts(reader, "target_names", regression ? model.n_outputs : 0, model.target_names);
  detail::read_classes(reader, model);
  detail::read_encoders(reader, model);
  detail::read_networks(reader, model);
  reader.text("metadata", model.metadata);
  reader.expect(reader.remaining() == 0, "end of the payload");
  if (reader.ok()) out = static_cast<Model&&>(model);
  return reader.failure();
}

}  // namespace automs
