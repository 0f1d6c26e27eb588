// dicts of Python for an encoder's parts and a model's columns <-> PartTables and ColumnTables.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "bindings/convert.hpp"
#include "core/check.hpp"
#include "core/encoder_tables.hpp"
#include "core/model_file.hpp"

namespace automs::bindings {

inline constexpr const char* kPartKindNames[] = {"scaled",       "indicator", "piecewise",
                                                 "interpolated", "one_hot",   "ordinal",
                                                 "calendar",     "embedded"};
inline constexpr const char* kCycleNames[] = {"year", "week", "day"};
inline constexpr const char* kColumnKindNames[] = {"numeric", "categorical", "date"};

inline std::vector<double> get_numbers(const py::dict& part, const char* key) {
  return to_vector(get_array<double>(item(part, key), key, 1));
}

/// Whole numbers from 0 to 2^32 - 1, which a cast alone would wrap.
inline std::vector<std::uint32_t> get_places(const py::dict& part, const char* key) {
  std::vector<std::uint32_t> places;
  for (const double place : get_numbers(part, key)) {
    require(place >= 0.0 && place <= 4294967295.0 &&
                place == static_cast<double>(static_cast<std::uint32_t>(place)),
            std::string(key) + " must be whole numbers from 0 to 2**32 - 1");
    places.push_back(static_cast<std::uint32_t>(place));
  }
  return places;
}

inline PartTables part_from_dict(const py::dict& dict) {
  constexpr const char* count = "an int >= 0";
  PartTables part;
  part.kind = code_of<PartKind>(get<std::string>(dict, "kind", "a str"), kPartKindNames, "kind");
  part.column = get<std::uint32_t>(dict, "column", count);
  switch (part.kind) {
    case PartKind::scaled:
      part.clip = get<bool>(dict, "clip", "a bool");
      part.centre = get<double>(dict, "centre", "a float");
      part.scale = get<double>(dict, "scale", "a float");
      break;
    case PartKind::indicator:
      break;
    case PartKind::interpolated:
      part.values = get_numbers(dict, "values");
      [[fallthrough]];
    case PartKind::piecewise:
      part.knots = get_numbers(dict, "knots");
      break;
    case PartKind::one_hot:
      part.n_places = get<std::uint32_t>(dict, "n_slots", count);
      part.places = get_places(dict, "slots");
      break;
    case PartKind::ordinal:
      part.values = get_numbers(dict, "values");
      break;
    case PartKind::calendar:
      part.cycle = code_of<Cycle>(get<std::string>(dict, "cycle", "a str"), kCycleNames, "cycle");
      break;
    case PartKind::embedded:
      part.n_places = get<std::uint32_t>(dict, "n_rows", count);
      part.places = get_places(dict, "rows");
      break;
  }
  return part;
}

template <typename T>
py::array_t<T> array_of(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

inline py::dict dict_of(const PartTables& part) {
  py::dict dict;
  dict["kind"] = kPartKindNames[static_cast<std::size_t>(part.kind)];
  dict["column"] = part.column;
  switch (part.kind) {
    case PartKind::scaled:
      dict["clip"] = part.clip;
      dict["centre"] = part.centre;
      dict["scale"] = part.scale;
      break;
    case PartKind::indicator:
      break;
    case PartKind::piecewise:
      dict["knots"] = array_of(part.knots);
      break;
    case PartKind::interpolated:
      dict["knots"] = array_of(part.knots);
      dict["values"] = array_of(part.values);
      break;
    case PartKind::one_hot:
      dict["n_slots"] = part.n_places;
      dict["slots"] = array_of(part.places);
      break;
    case PartKind::ordinal:
      dict["values"] = array_of(part.values);
      break;
    case PartKind::calendar:
      dict["cycle"] = kCycleNames[static_cast<std::size_t>(part.cycle)];
      break;
    case PartKind::embedded:
      dict["n_rows"] = part.n_places;
      dict["rows"] = array_of(part.places);
      break;
  }
  return dict;
}

inline ColumnTables column_from_dict(const py::dict& dict) {
  ColumnTables column;
  column.kind =
      code_of<ColumnKind>(get<std::string>(dict, "kind", "a str"), kColumnKindNames, "kind");
  if (dict.contains("ordered")) column.ordered = get<bool>(dict, "ordered", "a bool");
  column.categories = get_names(dict, "categories");
  return column;
}

}  // namespace automs::bindings
