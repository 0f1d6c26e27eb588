// parts of an encoder as plain vectors <-> the predictor's Encoder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "automs/encoder.hpp"

namespace automs {

/// One part, of any kind; the fields that its kind has no use for stay empty. FORMAT.md says what
/// each kind does.
struct PartTables {
  PartKind kind = PartKind::scaled;
  std::uint32_t column = 0;           // of the raw row
  bool clip = false;                  // scaled
  double centre = 0.0;                // scaled
  double scale = 0.0;                 // scaled
  Cycle cycle = Cycle::year;          // calendar
  std::uint32_t n_places = 0;         // one_hot: slots; embedded: rows of the table
  std::vector<double> knots;          // piecewise, interpolated
  std::vector<double> values;         // interpolated: one a knot; ordinal: one a code
  std::vector<std::uint32_t> places;  // one_hot: slot of each code; embedded: row of each code
};

/// The parts in order: scaled ones first.
using EncoderTables = std::vector<PartTables>;

/// Throws std::invalid_argument that names the part and the field which breaks a rule.
Encoder make_encoder(std::size_t n_columns, const EncoderTables& parts);

/// The parts that an encoder was made of.
EncoderTables tables_of(const Encoder& encoder);

}  // namespace automs
