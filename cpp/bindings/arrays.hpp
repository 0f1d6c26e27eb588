// NumPy arrays -> checked pointers, without copies; C++ vectors -> NumPy arrays that own them.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace automs::bindings {

/// A C-contiguous array of exactly this dtype; anything else is refused by the overload itself.
template <typename T>
using Array = pybind11::array_t<T, pybind11::array::c_style>;

/// Throws ValueError unless `array` has `ndim` dimensions.
inline void check_ndim(const pybind11::array& array, int ndim, const char* name) {
  if (array.ndim() == ndim) return;
  throw pybind11::value_error(std::string(name) + " must have " + std::to_string(ndim) +
                              " dimensions, got " + std::to_string(array.ndim()));
}

/// Throws ValueError unless the array's first dimension is `length`.
inline void check_length(const pybind11::array& array, std::size_t length, const char* name) {
  if (static_cast<std::size_t>(array.shape(0)) == length) return;
  throw pybind11::value_error(std::string(name) + " must have length " + std::to_string(length) +
                              ", got " + std::to_string(array.shape(0)));
}

template <typename T>
std::vector<T> to_vector(const Array<T>& array, const char* name) {
  check_ndim(array, 1, name);
  return {array.data(), array.data() + array.size()};
}

/// Moves a vector into an array of the given shape.
template <typename T>
pybind11::array_t<T> to_array(std::vector<T> values, std::vector<pybind11::ssize_t> shape) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  T* data = owner->data();
  pybind11::capsule keeper(owner.release(),
                           [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return pybind11::array_t<T>(std::move(shape), data, keeper);
}

template <typename T>
pybind11::array_t<T> to_array(std::vector<T> values) {
  const auto n = static_cast<pybind11::ssize_t>(values.size());
  return to_array(std::move(values), {n});
}

}  // namespace automs::bindings
