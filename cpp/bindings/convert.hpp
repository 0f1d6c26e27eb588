// items of Python's dicts -> C++ values, or std::invalid_argument that names the key.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/check.hpp"

namespace automs::bindings {

namespace py = pybind11;

inline std::string type_name(py::handle object) { return Py_TYPE(object.ptr())->tp_name; }

inline py::object item(const py::dict& dict, const char* key) {
  require(dict.contains(key), std::string("the key '") + key + "' is missing");
  return dict[key];
}

/// Converts an object, `what` being its name in messages and `rule` what it must be.
template <typename T>
T convert(py::handle object, const std::string& what, const char* rule) {
  try {
    return py::cast<T>(object);
  } catch (const py::cast_error&) {
    PyErr_Clear();
    throw std::invalid_argument(what + " must be " + rule + ", got " + type_name(object));
  }
}

template <typename T>
T get(const py::dict& dict, const char* key, const char* rule) {
  return convert<T>(item(dict, key), key, rule);
}

/// A list of strings, or none for None and for a missing key.
inline std::vector<std::string> get_names(const py::dict& dict, const char* key) {
  if (!dict.contains(key) || dict[key].is_none()) return {};
  return get<std::vector<std::string>>(dict, key, "a list of str, or None");
}

/// One of `names`, whose place is its code.
template <typename Code, std::size_t n>
Code code_of(const std::string& name, const char* const (&names)[n], const char* key) {
  for (std::size_t i = 0; i < n; ++i) {
    if (name == names[i]) return static_cast<Code>(i);
  }
  throw std::invalid_argument(std::string(key) + " is unknown, got '" + name + "'");
}

/// A numeric array of `n_dims` dimensions, converted to T where needed.
template <typename T>
py::array_t<T> get_array(py::handle object, const char* what, py::ssize_t n_dims) {
  auto array = py::array_t<T, py::array::c_style | py::array::forcecast>::ensure(object);
  if (!array || array.ndim() != n_dims) {
    PyErr_Clear();
    throw std::invalid_argument(std::string(what) + " must be numeric arrays of " +
                                std::to_string(n_dims) + " dimensions");
  }
  return array;
}

template <typename T>
std::vector<T> to_vector(const py::array_t<T>& array) {
  return std::vector<T>(array.data(), array.data() + array.size());
}

}  // namespace automs::bindings
