// kind and categories of a raw column -> the code of a category's text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "automs/array.hpp"
#include "automs/status.hpp"

namespace automs {

/// The numbers stand in model files.
enum class ColumnKind : std::uint8_t { numeric = 0, categorical = 1, date = 2 };

constexpr double kUnknownCode = -1.0;

/// A raw column: what its number in a row means (FORMAT.md), and its categories by code.
struct ModelColumn {
  ColumnKind kind = ColumnKind::numeric;
  bool ordered = false;         // the categories have an order, which is that of their codes
  Array<Text> categories;       // code -> text; of a categorical column only
  Array<std::uint32_t> sorted;  // codes by text, ascending; worked out by index_categories
};

namespace detail {

/// Sorts the codes by text: bad_value where a category stands twice.
inline Status index_categories(ModelColumn& column) noexcept {
  const Array<Text>& categories = column.categories;
  if (!column.sorted.resize(categories.size())) return Status::out_of_memory;
  for (std::size_t code = 0; code < categories.size(); ++code) {
    column.sorted[code] = static_cast<std::uint32_t>(code);
  }
  std::sort(column.sorted.begin(), column.sorted.end(),
            [&categories](std::uint32_t a, std::uint32_t b) noexcept {
              return view(categories[a]) < view(categories[b]);
            });
  for (std::size_t i = 1; i < column.sorted.size(); ++i) {
    if (view(categories[column.sorted[i - 1]]) == view(categories[column.sorted[i]])) {
      return Status::bad_value;
    }
  }
  return Status::ok;
}

/// A category's text -> its code, or kUnknownCode.
inline double find_category(const ModelColumn& column, std::string_view text) noexcept {
  const Array<Text>& categories = column.categories;
  const std::uint32_t* found =
      std::lower_bound(column.sorted.begin(), column.sorted.end(), text,
                       [&categories](std::uint32_t code, std::string_view wanted) noexcept {
                         return view(categories[code]) < wanted;
                       });
  if (found == column.sorted.end() || view(categories[*found]) != text) return kUnknownCode;
  return static_cast<double>(*found);
}

}  // namespace detail

}  // namespace automs
