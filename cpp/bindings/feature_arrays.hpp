// Arrays of encoded features -> checked pointers to them for a view, for as long as they are held.
#pragma once

#include <optional>
#include <string>

#include "bindings/arrays.hpp"
#include "core/view.hpp"

namespace automs::bindings {

/// An array (n_rows, n_columns) -> its values, or null; `columns` says what has the columns.
template <typename T>
const T* data_of(const std::optional<Array<T>>& array, const std::string& name, std::size_t n_rows,
                 std::size_t n_columns, const std::string& columns) {
  if (!array) return nullptr;
  check_ndim(*array, 2, name.c_str());
  check_length(*array, n_rows, name.c_str());
  if (static_cast<std::size_t>(array->shape(1)) != n_columns) {
    throw pybind11::value_error(name + " must have one column for each of " + columns + ", got " +
                                std::to_string(array->shape(1)) + " for " +
                                std::to_string(n_columns));
  }
  return array->data();
}

/// Holds the arrays that a view's encoded features are in.
struct FeatureArrays {
  std::optional<Array<float>> X;
  std::optional<Array<std::int32_t>> codes;
  std::optional<Array<std::uint16_t>> bins;
  std::optional<Array<float>> fractions;

  /// Pointers to them; ValueError where they do not have a view's shape.
  Features<float> of(const View<float>& view) const {
    return {data_of(X, "X", view.n_rows, static_cast<std::size_t>(view.n_features), "n_features"),
            data_of(codes, "codes", view.n_rows, view.n_embedded(), "embedding_rows"),
            data_of(bins, "bins", view.n_rows, view.n_binned(), "binned"),
            data_of(fractions, "fractions", view.n_rows, view.n_binned(), "binned")};
  }
};

}  // namespace automs::bindings
