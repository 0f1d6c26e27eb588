// parts of an encoder as plain vectors <-> the predictor's Encoder.
#include "core/encoder_tables.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "core/check.hpp"

namespace automs {

namespace {

template <typename T>
void fill(Array<T>& out, const std::vector<T>& values) {
  if (!out.resize(values.size())) throw std::bad_alloc();
  std::copy(values.begin(), values.end(), out.begin());
}

template <typename T>
std::vector<T> vector_of(const Array<T>& values) {
  return std::vector<T>(values.begin(), values.end());
}

std::string rule_of(const std::string& field) {
  if (field == "column") return "must be below n_columns";
  if (field == "kind") return "must not be scaled after another kind: scaled parts come first";
  if (field == "centre" || field == "scale") return "must be finite";
  if (field == "knots") return "must be at least 2, finite and strictly ascending";
  if (field == "values") {
    return "must be within 1e9 of 0, one for each knot, or one for each code, for missing and for "
           "unknown";
  }
  if (field == "slots") {
    return "must be below n_slots, or 2**32 - 1 for none: one for each code, for missing and for "
           "unknown";
  }
  if (field == "rows") {
    return "must be below n_rows: one for each code, for missing and for unknown";
  }
  if (field == "n_slots") return "must be at least 1 and at most the number of slots' entries";
  if (field == "n_rows") return "must be at least 1 and below 2**31";
  return "breaks a rule of the model file";
}

void set_scaled(ScaledParts& scaled, std::size_t i, const PartTables& part) {
  scaled.columns[i] = part.column;
  scaled.centre[i] = part.centre;
  scaled.scale[i] = part.scale;
  scaled.bend[i] = part.clip ? kClipped : kNotClipped;
}

void set_part(EncoderPart& out, const PartTables& part) {
  out.kind = part.kind;
  out.cycle = part.cycle;
  out.column = part.column;
  out.n_places = part.n_places;
  fill(out.knots, part.knots);
  fill(out.values, part.values);
  fill(out.places, part.places);
}

}  // namespace

Encoder make_encoder(std::size_t n_columns, const EncoderTables& parts) {
  require(n_columns >= 1 && n_columns <= 0xFFFFFFFFu,
          "n_columns must be at least 1 and below 2**32, got " + std::to_string(n_columns));
  require(!parts.empty(), "parts must not be empty");
  const auto is_other = [](const PartTables& part) { return part.kind != PartKind::scaled; };
  const auto n_scaled =
      static_cast<std::size_t>(std::find_if(parts.begin(), parts.end(), is_other) - parts.begin());
  Encoder encoder;
  encoder.n_columns = n_columns;
  if (!encoder.scaled.resize(n_scaled) || !encoder.parts.resize(parts.size() - n_scaled)) {
    throw std::bad_alloc();
  }
  for (std::size_t i = 0; i < n_scaled; ++i) set_scaled(encoder.scaled, i, parts[i]);
  for (std::size_t i = n_scaled; i < parts.size(); ++i) {
    set_part(encoder.parts[i - n_scaled], parts[i]);
  }
  const EncoderFault fault = finish_encoder(encoder);
  if (fault.status == Status::out_of_memory) throw std::bad_alloc();
  require(fault.status == Status::ok,
          "parts[" + std::to_string(fault.part) + "]: " + fault.field + " " + rule_of(fault.field));
  return encoder;
}

EncoderTables tables_of(const Encoder& encoder) {
  EncoderTables tables;
  const ScaledParts& scaled = encoder.scaled;
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    PartTables part;
    part.column = scaled.columns[i];
    part.clip = scaled.bend[i] == kClipped;
    part.centre = scaled.centre[i];
    part.scale = scaled.scale[i];
    tables.push_back(part);
  }
  for (const EncoderPart& from : encoder.parts) {
    PartTables part;
    part.kind = from.kind;
    part.column = from.column;
    part.cycle = from.cycle;
    part.n_places = from.n_places;
    part.knots = vector_of(from.knots);
    part.values = vector_of(from.values);
    part.places = vector_of(from.places);
    tables.push_back(part);
  }
  return tables;
}

}  // namespace automs
