// raw row (n_columns, NaN = missing) -> features (n_features, float), as training and prediction
// see it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "automs/array.hpp"
#include "automs/status.hpp"

namespace automs {

/// What one encoding learned from training rows: one entry for each raw column. Features are the
/// scaled columns, followed by one 0/1 feature for each column with `indicator`, in column order.
struct Encoder {
  Array<double> centre;
  Array<double> scale;             // 0 for a constant column, which then encodes to 0
  Array<std::uint8_t> clip;        // 1: bounded smoothly to (-3, 3)
  Array<std::uint8_t> indicator;   // 1: the column has a feature that says "missing"
  Array<std::uint32_t> indicated;  // the columns with indicator = 1, ascending

  std::size_t n_columns() const noexcept { return centre.size(); }
  std::size_t n_features() const noexcept { return centre.size() + indicated.size(); }
};

namespace detail {

/// z bounded to [-1e9, 1e9], infinities too: no feature of a network becomes infinite.
inline double bounded(double z) noexcept {
  const double upper = z > 1e9 ? 1e9 : z;
  return upper < -1e9 ? -1e9 : upper;
}

/// z / sqrt(1 + (z / 3)^2) for a bounded z; from 1e9 on it is 3 to the last bit of a float.
inline double soft_clip(double z) noexcept {
  const double third = z / 3.0;
  return z / std::sqrt(1.0 + third * third);
}

}  // namespace detail

/// Checks the four tables and lists the indicated columns: bad_value for an empty encoder, tables
/// of different lengths, a number that is not finite, or a flag above 1.
inline Status finish_encoder(Encoder& encoder) noexcept {
  const std::size_t n = encoder.n_columns();
  if (n == 0 || n > 0xFFFFFFFFu || encoder.scale.size() != n || encoder.clip.size() != n ||
      encoder.indicator.size() != n) {
    return Status::bad_value;
  }
  std::size_t n_indicated = 0;
  for (std::size_t j = 0; j < n; ++j) {
    if (!std::isfinite(encoder.centre[j]) || !std::isfinite(encoder.scale[j]) ||
        encoder.clip[j] > 1 || encoder.indicator[j] > 1) {
      return Status::bad_value;
    }
    n_indicated += encoder.indicator[j];
  }
  if (!encoder.indicated.resize(n_indicated)) return Status::out_of_memory;
  std::size_t next = 0;
  for (std::size_t j = 0; j < n; ++j) {
    if (encoder.indicator[j] != 0) encoder.indicated[next++] = static_cast<std::uint32_t>(j);
  }
  return Status::ok;
}

/// row (n_columns) -> out (n_features). Values are centred and scaled in double, then narrowed, so
/// that large numbers with small differences survive.
template <typename T>
void encode_row(const Encoder& encoder, const T* row, float* __restrict out) noexcept {
  const std::size_t n = encoder.n_columns();
  const double* centre = encoder.centre.data();
  const double* scale = encoder.scale.data();
  const std::uint8_t* clip = encoder.clip.data();
  for (std::size_t j = 0; j < n; ++j) {
    const double x = static_cast<double>(row[j]);
    const double scaled = detail::bounded((x - centre[j]) * scale[j]);
    const double z = clip[j] != 0 ? detail::soft_clip(scaled) : scaled;
    // Infinity times a scale of 0 would be NaN; a constant column says nothing in any case.
    out[j] = x != x || scale[j] == 0.0 ? 0.0f : static_cast<float>(z);
  }
  for (std::size_t i = 0; i < encoder.indicated.size(); ++i) {
    const T x = row[encoder.indicated[i]];
    out[n + i] = x != x ? 1.0f : 0.0f;
  }
}

/// Rows of X (row-major, `stride` elements from row to row) -> out (n, n_features), row-major. Row
/// i of `out` is row rows[i] of X, or row i where `rows` is null.
inline void encode_rows(const Encoder& encoder, const double* X, std::size_t stride,
                        const std::int32_t* rows, std::size_t n, float* out) noexcept {
  const std::size_t n_features = encoder.n_features();
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t source = rows != nullptr ? static_cast<std::size_t>(rows[i]) : i;
    encode_row(encoder, X + source * stride, out + i * n_features);
  }
}

}  // namespace automs
