// bytes of the columns and encoders in a model file -> ModelColumns and Encoders, checked.
#pragma once

#include <cstddef>
#include <cstdint>

#include "automs/byte_reader.hpp"
#include "automs/model.hpp"

namespace automs {

namespace detail {

constexpr std::size_t kScaledBytes = 22;      // of one scaled part
constexpr std::size_t kLeastPartBytes = 5;    // an indicator
constexpr std::size_t kColumnBytes = 18;      // of one column in an encoder of version 1
constexpr std::size_t kLeastModelColumn = 2;  // bytes: kind, ordered

inline void read_column(ByteReader& reader, ModelColumn& column) noexcept {
  const auto kind = reader.number<std::uint8_t>("columns.kind");
  reader.expect(kind <= static_cast<std::uint8_t>(ColumnKind::date), "columns.kind");
  column.kind = static_cast<ColumnKind>(kind);
  const bool categorical = column.kind == ColumnKind::categorical;
  const auto ordered = reader.number<std::uint8_t>("columns.ordered");
  reader.expect(ordered <= (categorical ? 1 : 0), "columns.ordered");
  column.ordered = ordered != 0;
  if (!categorical) return;
  constexpr const char* field = "columns.categories";
  const std::size_t n = reader.count(field, sizeof(std::uint32_t));
  if (reader.ok() && !column.categories.resize(n)) reader.fail(Status::out_of_memory, field);
  for (std::size_t i = 0; reader.ok() && i < n; ++i) reader.text(field, column.categories[i]);
  if (!reader.ok()) return;
  const Status status = index_categories(column);
  if (status != Status::ok) reader.fail(status, field);
}

inline void read_columns(ByteReader& reader, std::uint32_t version, Model& model) noexcept {
  const std::size_t n = model.n_columns;
  const std::size_t least = version == 1 ? kColumnBytes : kLeastModelColumn;
  if (n > reader.remaining() / least) reader.fail(Status::too_large, "n_columns");
  if (reader.ok() && !model.columns.resize(n)) reader.fail(Status::out_of_memory, "columns");
  if (version == 1) return;  // which knows numeric columns alone
  for (std::size_t j = 0; reader.ok() && j < n; ++j) read_column(reader, model.columns[j]);
}

/// Finishes an encoder whose fields are all read.
inline void check_encoder(ByteReader& reader, Encoder& encoder) noexcept {
  if (!reader.ok()) return;
  const EncoderFault fault = finish_encoder(encoder);
  if (fault.status != Status::ok) reader.fail(fault.status, fault.field);
}

/// Version 1: a record for each column -> scaled parts, then an indicator for each column that has
/// the flag.
inline void read_encoder_1(ByteReader& reader, Encoder& encoder) noexcept {
  const std::size_t n = encoder.n_columns;
  if (n > reader.remaining() / kColumnBytes) reader.fail(Status::too_large, "columns");
  Array<std::uint32_t> indicated;
  if (reader.ok() && (!encoder.scaled.resize(n) || !indicated.resize(n))) {
    reader.fail(Status::out_of_memory, "columns");
  }
  std::size_t n_indicated = 0;
  for (std::size_t j = 0; reader.ok() && j < n; ++j) {
    reader.expect(reader.number<std::uint8_t>("columns.kind") == 0, "columns.kind");
    const auto flags = reader.number<std::uint8_t>("columns.flags");
    reader.expect(flags <= 3, "columns.flags");
    encoder.scaled.columns[j] = static_cast<std::uint32_t>(j);
    encoder.scaled.bend[j] = (flags & 1) != 0 ? kClipped : kNotClipped;
    if ((flags & 2) != 0) indicated[n_indicated++] = static_cast<std::uint32_t>(j);
    encoder.scaled.centre[j] = reader.number<double>("columns.centre");
    encoder.scaled.scale[j] = reader.number<double>("columns.scale");
  }
  if (reader.ok() && !encoder.parts.resize(n_indicated)) {
    reader.fail(Status::out_of_memory, "columns");
  }
  for (std::size_t i = 0; reader.ok() && i < n_indicated; ++i) {
    encoder.parts[i].column = indicated[i];
  }
  check_encoder(reader, encoder);
}

inline void read_scaled(ByteReader& reader, ScaledParts& parts, std::size_t i) noexcept {
  reader.number<std::uint8_t>("parts.kind");
  parts.columns[i] = reader.number<std::uint32_t>("parts.column");
  const auto clip = reader.number<std::uint8_t>("parts.clip");
  reader.expect(clip <= 1, "parts.clip");
  parts.bend[i] = clip != 0 ? kClipped : kNotClipped;
  parts.centre[i] = reader.number<double>("parts.centre");
  parts.scale[i] = reader.number<double>("parts.scale");
}

/// A uint32 count of codes -> the entries of a table by code: those, "missing" and "unknown".
inline std::size_t read_n_entries(ByteReader& reader) noexcept {
  return std::size_t{reader.number<std::uint32_t>("parts.n_codes")} + 2;
}

inline void read_part(ByteReader& reader, EncoderPart& part) noexcept {
  const auto kind = reader.number<std::uint8_t>("parts.kind");
  reader.expect(kind > 0 && kind < kPartKindCount, "parts.kind");  // scaled parts come first
  part.kind = static_cast<PartKind>(kind);
  part.column = reader.number<std::uint32_t>("parts.column");
  if (!reader.ok()) return;
  switch (part.kind) {
    case PartKind::scaled:
    case PartKind::indicator:
      return;
    case PartKind::piecewise:
    case PartKind::interpolated: {
      const std::size_t n = reader.count("parts.n_knots", sizeof(double));
      reader.numbers("parts.knots", n, part.knots);
      if (part.kind == PartKind::interpolated) reader.numbers("parts.values", n, part.values);
      return;
    }
    case PartKind::one_hot:
    case PartKind::embedded:
      part.n_places = reader.number<std::uint32_t>("parts.n_places");
      return reader.numbers("parts.places", read_n_entries(reader), part.places);
    case PartKind::ordinal:
      return reader.numbers("parts.values", read_n_entries(reader), part.values);
    case PartKind::calendar: {
      const auto cycle = reader.number<std::uint8_t>("parts.cycle");
      reader.expect(cycle < kCycleCount, "parts.cycle");
      part.cycle = static_cast<Cycle>(cycle);
      return;
    }
  }
}

/// A part that knows codes knows those of its column's categories, no more and no fewer.
inline void check_codes(ByteReader& reader, const Model& model, const Encoder& encoder) noexcept {
  for (const EncoderPart& part : encoder.parts) {
    const bool has_codes = part.kind == PartKind::one_hot || part.kind == PartKind::ordinal ||
                           part.kind == PartKind::embedded;
    const ModelColumn& column = model.columns[part.column];
    if (!has_codes || column.kind != ColumnKind::categorical) continue;
    reader.expect(part.n_codes() == column.categories.size(), "parts.n_codes");
  }
}

inline void read_encoder(ByteReader& reader, const Model& model, Encoder& encoder) noexcept {
  const std::size_t n = reader.count("n_parts", kLeastPartBytes);
  const std::size_t n_scaled =
      reader.count_leading(static_cast<unsigned char>(PartKind::scaled), kScaledBytes, n);
  if (!reader.ok()) return;
  if (!encoder.scaled.resize(n_scaled) || !encoder.parts.resize(n - n_scaled)) {
    return reader.fail(Status::out_of_memory, "parts");
  }
  for (std::size_t i = 0; i < n_scaled; ++i) read_scaled(reader, encoder.scaled, i);
  for (std::size_t i = 0; reader.ok() && i < n - n_scaled; ++i) {
    read_part(reader, encoder.parts[i]);
  }
  check_encoder(reader, encoder);
  if (reader.ok()) check_codes(reader, model, encoder);
}

inline void read_encoders(ByteReader& reader, std::uint32_t version, Model& model) noexcept {
  const std::size_t least = version == 1 ? kColumnBytes : sizeof(std::uint32_t) + kLeastPartBytes;
  const std::size_t n = reader.count("n_encoders", least);
  reader.expect(n >= 1, "n_encoders");
  if (reader.ok() && !model.encoders.resize(n)) reader.fail(Status::out_of_memory, "n_encoders");
  for (std::size_t i = 0; reader.ok() && i < n; ++i) {
    model.encoders[i].n_columns = model.n_columns;
    if (version == 1) {
      read_encoder_1(reader, model.encoders[i]);
    } else {
      read_encoder(reader, model, model.encoders[i]);
    }
  }
}

}  // namespace detail

}  // namespace automs
