// bytes of a model file -> Model, or the first rule of FORMAT.md that they break.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "automs/byte_reader.hpp"
#include "automs/checksum.hpp"
#include "automs/decision.hpp"
#include "automs/encoder_reader.hpp"
#include "automs/model.hpp"
#include "automs/network_reader.hpp"

namespace automs {

namespace detail {

/// Checks magic, version, size and checksum; afterwards the payload is what the writer wrote, but
/// that does not yet make it trustworthy: anyone can compute a checksum.
inline LoadFailure check_frame(const unsigned char* bytes, std::size_t size) noexcept {
  const std::size_t compared = size < sizeof kMagic ? size : sizeof kMagic;
  if (size == 0) return {Status::truncated, "magic", 0};
  if (std::memcmp(bytes, kMagic, compared) != 0) return {Status::bad_magic, "magic", 0};
  if (size < kHeaderBytes + kChecksumBytes) return {Status::truncated, "header", size};
  const auto version = decode<std::uint32_t>(bytes + 8);
  if (version < 1 || version > kFormatVersion) {
    return {Status::unknown_version, "version", 8};
  }
  const auto flags = decode<std::uint32_t>(bytes + 12);
  if ((flags & ~(version > 1 ? kKnownFlags : 0)) != 0) return {Status::bad_value, "flags", 12};
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

}  // namespace detail

/// bytes (size) -> out, which is unchanged unless the answer's status is ok. Nothing is allocated
/// before the bytes that fill it are known to be there.
inline LoadFailure read_model(const void* data, std::size_t size, Model& out) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  const LoadFailure frame = detail::check_frame(bytes, size);
  if (frame.status != Status::ok) return frame;
  const auto version = detail::decode<std::uint32_t>(bytes + 8);
  ByteReader reader(bytes, size - kChecksumBytes, kHeaderBytes);
  Model model;
  detail::read_task(reader, model);
  detail::read_texts(reader, "column_names", model.n_columns, model.column_names);
  detail::read_columns(reader, version, model);
  const bool regression = model.task == ModelTask::regression;
  detail::read_texts(reader, "target_names", regression ? model.n_outputs : 0, model.target_names);
  detail::read_classes(reader, model);
  detail::read_encoders(reader, version, model);
  detail::read_networks(reader, version, model);
  reader.text("metadata", model.metadata);
  detail::read_decision(reader, detail::decode<std::uint32_t>(bytes + 12), model);
  reader.expect(reader.remaining() == 0, "end of the payload");
  if (reader.ok()) out = static_cast<Model&&>(model);
  return reader.failure();
}

}  // namespace automs
