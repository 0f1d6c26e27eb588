// raw row (n_columns, NaN = missing) -> features (n_features, float) and codes of embedded columns
// (n_embedded), as training and prediction see them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "automs/array.hpp"
#include "automs/encoder_parts.hpp"
#include "automs/status.hpp"

namespace automs {

/// z is clipped as z / sqrt(1 + (z / bend)^2): smoothly to (-3, 3), or, exactly, not at all.
constexpr double kClipped = 3.0;
constexpr double kNotClipped = std::numeric_limits<double>::infinity();

/// The scaled parts of an encoder as columns, over which a loop vectorises.
struct ScaledParts {
  Array<std::uint32_t> columns;  // of the raw row
  Array<double> centre;
  Array<double> scale;  // 0 for a constant column, which then encodes to 0
  Array<double> bend;   // kClipped or kNotClipped

  std::size_t size() const noexcept { return columns.size(); }
  bool resize(std::size_t n) noexcept {
    return columns.resize(n) && centre.resize(n) && scale.resize(n) && bend.resize(n);
  }
};

/// What one encoding learned from training rows: a list of parts, of which the scaled ones come
/// first. Features follow each other in the order of the parts, and so do embedded codes.
struct Encoder {
  std::size_t n_columns = 0;
  ScaledParts scaled;
  Array<EncoderPart> parts;  // all others

  // Worked out by finish_encoder.
  std::size_t n_features = 0;
  Array<std::uint32_t> embedding_rows;  // of each embedded part: the rows that its table must have
  bool in_order = false;                // scaled part j reads column j

  std::size_t n_embedded() const noexcept { return embedding_rows.size(); }
  std::size_t n_parts() const noexcept { return scaled.size() + parts.size(); }
};

/// What finish_encoder found: the status, the field at fault and the place of its part in the list.
struct EncoderFault {
  Status status = Status::ok;
  const char* field = "";
  std::size_t part = 0;
};

namespace detail {

/// z bounded to [-1e9, 1e9], infinities too: no feature of a network becomes infinite.
inline double bounded(double z) noexcept {
  const double upper = z > kLargestFeature ? kLargestFeature : z;
  return upper < -kLargestFeature ? -kLargestFeature : upper;
}

inline const char* scaled_fault(const Encoder& encoder, std::size_t i) noexcept {
  const ScaledParts& parts = encoder.scaled;
  if (parts.columns[i] >= encoder.n_columns) return "column";
  if (!std::isfinite(parts.centre[i])) return "centre";
  if (!std::isfinite(parts.scale[i])) return "scale";
  return parts.bend[i] == kClipped || parts.bend[i] == kNotClipped ? nullptr : "clip";
}

/// The first field that breaks a rule, with the place of its part.
inline EncoderFault find_fault(const Encoder& encoder) noexcept {
  const std::size_t n_scaled = encoder.scaled.size();
  if (encoder.n_columns < 1 || encoder.n_columns > 0xFFFFFFFFu) {
    return {Status::bad_value, "n_columns", 0};
  }
  if (encoder.n_parts() == 0 || encoder.scaled.centre.size() != n_scaled ||
      encoder.scaled.scale.size() != n_scaled || encoder.scaled.bend.size() != n_scaled) {
    return {Status::bad_value, "parts", 0};
  }
  for (std::size_t i = 0; i < n_scaled; ++i) {
    if (const char* field = scaled_fault(encoder, i)) return {Status::bad_value, field, i};
  }
  for (std::size_t i = 0; i < encoder.parts.size(); ++i) {
    const char* field = part_fault(encoder.parts[i], encoder.n_columns);
    if (field != nullptr) return {Status::bad_value, field, n_scaled + i};
  }
  return {};
}

template <bool in_order, typename T>
void encode_scaled(const ScaledParts& parts, const T* row, float* __restrict out) noexcept {
  const std::size_t n = parts.size();
  const std::uint32_t* columns = parts.columns.data();
  const double* centre = parts.centre.data();
  const double* scale = parts.scale.data();
  const double* bend = parts.bend.data();
  for (std::size_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(row[in_order ? i : columns[i]]);
    const double z = bounded((x - centre[i]) * scale[i]);
    const double share = z / bend[i];
    const double feature = z / std::sqrt(1.0 + share * share);
    // Infinity times a scale of 0 would be NaN; a constant column says nothing in any case.
    out[i] = x != x || scale[i] == 0.0 ? 0.0f : static_cast<float>(feature);
  }
}

}  // namespace detail

/// Checks `n_columns` and every part, and works out the rest. Whatever else is done with an encoder
/// comes after this.
inline EncoderFault finish_encoder(Encoder& encoder) noexcept {
  const EncoderFault fault = detail::find_fault(encoder);
  if (fault.status != Status::ok) return fault;
  encoder.in_order = true;
  for (std::size_t i = 0; i < encoder.scaled.size(); ++i) {
    encoder.in_order = encoder.in_order && encoder.scaled.columns[i] == i;
  }
  encoder.n_features = encoder.scaled.size();
  std::size_t n_embedded = 0;
  for (const EncoderPart& part : encoder.parts) {
    encoder.n_features += part.n_features();
    n_embedded += part.kind == PartKind::embedded ? 1 : 0;
  }
  if (!encoder.embedding_rows.resize(n_embedded)) return {Status::out_of_memory, "parts", 0};
  std::size_t next = 0;
  for (const EncoderPart& part : encoder.parts) {
    if (part.kind == PartKind::embedded) encoder.embedding_rows[next++] = part.n_places;
  }
  return {};
}

/// row (n_columns) -> the features of all parts but the scaled ones, and codes (n_embedded).
template <typename T>
void encode_others(const Encoder& encoder, const T* row, float* out, std::int32_t* codes) noexcept {
  for (const EncoderPart& part : encoder.parts) {
    const double x = static_cast<double>(row[part.column]);
    if (part.kind == PartKind::embedded) {
      const std::size_t place = detail::code_place(x, part.places.size() - 2);
      *codes++ = static_cast<std::int32_t>(part.places[place]);
    } else {
      detail::encode_part(part, x, out);
      out += part.n_features();
    }
  }
}

/// row (n_columns) -> dense (n_features), codes (n_embedded; may be null where that is 0). Values
/// are centred and scaled in double, then narrowed, so that large numbers with small differences
/// survive.
template <typename T>
void encode_row(const Encoder& encoder, const T* row, float* __restrict dense,
                std::int32_t* codes) noexcept {
  if (encoder.in_order) {
    detail::encode_scaled<true>(encoder.scaled, row, dense);
  } else {
    detail::encode_scaled<false>(encoder.scaled, row, dense);
  }
  encode_others(encoder, row, dense + encoder.scaled.size(), codes);
}

/// n rows of X (row-major, `stride` elements from row to row) -> dense (n, n_features) and codes
/// (n, n_embedded), row-major.
inline void encode_rows(const Encoder& encoder, const double* X, std::size_t stride, std::size_t n,
                        float* dense, std::int32_t* codes) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    encode_row(encoder, X + i * stride, dense + i * encoder.n_features,
               codes + i * encoder.n_embedded());
  }
}

}  // namespace automs
