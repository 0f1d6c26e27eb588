// a bound predictor -> functions that take C-contiguous float arrays with no copy and no look at
// them in Python, and hand anything else to the careful ones.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "bindings/bound_predictor.hpp"
#include "core/row_tasks.hpp"

namespace automs::bindings {

/// What the functions need. They are plain C functions whose `self` is a capsule of this, as the
/// way of pybind11 to a method takes longer than a small network.
struct FastCalls {
  BoundPredictor* bound = nullptr;
  py::object owner;            // keeps `bound`
  py::object labels;           // tuple of the classes, or None
  py::object one, rows, into;  // the careful functions
  PyObject* float64 = nullptr;
  PyObject* float32 = nullptr;
};

/// An array as it lies in memory.
struct RawArray {
  char* data = nullptr;
  const py::ssize_t* shape = nullptr;
  bool is_double = false;
};

/// False unless `object` is a C-contiguous ndarray of native float32 or float64 of n_dims.
inline bool read_array(const FastCalls& calls, PyObject* object, int n_dims, int wanted_flags,
                       RawArray& array) {
  using api = py::detail::npy_api;
  constexpr int plain = api::NPY_ARRAY_C_CONTIGUOUS_ | api::NPY_ARRAY_ALIGNED_;
  if (Py_TYPE(object) != api::get().PyArray_Type_) return false;
  const auto* proxy = py::detail::array_proxy(object);
  const int wanted = plain | wanted_flags;
  if (proxy->nd != n_dims || (proxy->flags & wanted) != wanted) return false;
  array.is_double = proxy->descr == calls.float64;
  if (!array.is_double && proxy->descr != calls.float32) return false;
  array.data = proxy->data;
  array.shape = proxy->dimensions;
  return true;
}

/// Predicts into `out`, without the GIL where that takes longer than a moment.
template <typename T>
bool predict_values(BoundPredictor& bound, const char* data, std::size_t n_rows, double* out) {
  const T* rows = reinterpret_cast<const T*>(data);
  return are_few(bound.predictor(), n_rows) ? bound.predict_few(rows, n_rows, out)
                                            : bound.predict_more(rows, n_rows, out);
}

/// Predicts into `out`; false where the careful function has to say what is wrong.
inline bool predict_raw(BoundPredictor& bound, const RawArray& array, std::size_t n_rows,
                        double* out) {
  return array.is_double ? predict_values<double>(bound, array.data, n_rows, out)
                         : predict_values<float>(bound, array.data, n_rows, out);
}

/// Whether the array holds rows for the model, too few for more than one thread.
inline bool is_for_one_thread(const FastCalls& calls, const RawArray& array) {
  const Predictor& predictor = calls.bound->predictor();
  const auto n_rows = static_cast<std::size_t>(array.shape[0]);
  return static_cast<std::size_t>(array.shape[1]) == predictor.n_columns() &&
         plan_row_tasks(predictor, n_rows, 2).n_threads == 1;
}

inline FastCalls& calls_of(PyObject* self) {
  return *static_cast<FastCalls*>(PyCapsule_GetPointer(self, nullptr));
}

/// The rows' result: (n_rows,) for a regression of one target, else (n_rows, n_outputs).
inline PyObject* new_result(const FastCalls& calls, std::size_t n_rows) {
  const auto& api = py::detail::npy_api::get();
  const std::size_t n_outputs = calls.bound->predictor().n_outputs();
  const Py_intptr_t shape[2] = {static_cast<Py_intptr_t>(n_rows),
                                static_cast<Py_intptr_t>(n_outputs)};
  Py_INCREF(calls.float64);  // which the call takes
  return api.PyArray_NewFromDescr_(api.PyArray_Type_, calls.float64, n_outputs == 1 ? 1 : 2, shape,
                                   nullptr, nullptr, 0, nullptr);
}

inline PyObject* fast_one(PyObject* self, PyObject* row) {
  FastCalls& calls = calls_of(self);
  RawArray array;
  const std::size_t n_columns = calls.bound->predictor().n_columns();
  double* out = calls.bound->one();
  if (!read_array(calls, row, 1, 0, array) ||
      static_cast<std::size_t>(array.shape[0]) != n_columns ||
      !predict_raw(*calls.bound, array, 1, out)) {
    return PyObject_CallOneArg(calls.one.ptr(), row);
  }
  const std::size_t n_outputs = calls.bound->predictor().n_outputs();
  if (!calls.labels.is_none()) {
    const std::size_t index = calls.bound->predictor().label_index(out);
    PyObject* label = PyTuple_GET_ITEM(calls.labels.ptr(), static_cast<Py_ssize_t>(index));
    Py_INCREF(label);
    return label;
  }
  if (n_outputs == 1) return PyFloat_FromDouble(*out);
  const auto& api = py::detail::npy_api::get();
  const auto length = static_cast<Py_intptr_t>(n_outputs);
  Py_INCREF(calls.float64);
  PyObject* result = api.PyArray_NewFromDescr_(api.PyArray_Type_, calls.float64, 1, &length,
                                               nullptr, nullptr, 0, nullptr);
  if (result != nullptr) {
    std::copy(out, out + n_outputs,
              reinterpret_cast<double*>(py::detail::array_proxy(result)->data));
  }
  return result;
}

inline PyObject* fast_rows(PyObject* self, PyObject* const* arguments, Py_ssize_t n,
                           PyObject* names) {
  FastCalls& calls = calls_of(self);
  RawArray array;
  if (n == 1 && names == nullptr && read_array(calls, arguments[0], 2, 0, array) &&
      is_for_one_thread(calls, array)) {
    const auto n_rows = static_cast<std::size_t>(array.shape[0]);
    PyObject* result = new_result(calls, n_rows);
    if (result == nullptr) return nullptr;
    auto* out = reinterpret_cast<double*>(py::detail::array_proxy(result)->data);
    if (predict_raw(*calls.bound, array, n_rows, out)) return result;
    Py_DECREF(result);
  }
  return PyObject_Vectorcall(calls.rows.ptr(), arguments, static_cast<std::size_t>(n), names);
}

inline PyObject* fast_into(PyObject* self, PyObject* const* arguments, Py_ssize_t n,
                           PyObject* names) {
  FastCalls& calls = calls_of(self);
  const std::size_t n_outputs = calls.bound->predictor().n_outputs();
  RawArray array, out;
  const bool fits = n == 2 && names == nullptr && read_array(calls, arguments[0], 2, 0, array) &&
                    is_for_one_thread(calls, array) &&
                    read_array(calls, arguments[1], n_outputs == 1 ? 1 : 2,
                               py::detail::npy_api::NPY_ARRAY_WRITEABLE_, out) &&
                    out.is_double && out.shape[0] == array.shape[0] &&
                    (n_outputs == 1 || static_cast<std::size_t>(out.shape[1]) == n_outputs);
  const auto n_rows = fits ? static_cast<std::size_t>(array.shape[0]) : 0;
  const char* out_end = out.data + n_rows * n_outputs * sizeof(double);
  const std::size_t row_bytes =
      calls.bound->predictor().n_columns() * (array.is_double ? sizeof(double) : sizeof(float));
  const bool apart = out_end <= array.data || array.data + n_rows * row_bytes <= out.data;
  if (fits && apart &&
      predict_raw(*calls.bound, array, n_rows, reinterpret_cast<double*>(out.data))) {
    Py_RETURN_NONE;
  }
  return PyObject_Vectorcall(calls.into.ptr(), arguments, static_cast<std::size_t>(n), names);
}

/// (predict_one, rows, into): `labels` is a tuple or None, the last three are called with whatever
/// the fast functions do not take. They must not refer to what holds the functions.
inline py::tuple fast_calls(const py::object& owner, py::object labels, py::object one,
                            py::object rows, py::object into) {
  static PyMethodDef methods[] = {
      {"predict_one", &fast_one, METH_O, "Predict one row; see Predictor.predict_one."},
      {"predict", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&fast_rows)),
       METH_FASTCALL | METH_KEYWORDS, "Predict rows; see the class's method of this name."},
      {"predict_into", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&fast_into)),
       METH_FASTCALL | METH_KEYWORDS, "Predict rows; see Predictor.predict_into."},
  };
  auto calls = std::make_unique<FastCalls>();
  calls->bound = &owner.cast<BoundPredictor&>();
  calls->owner = owner;
  calls->labels = std::move(labels);
  calls->one = std::move(one);
  calls->rows = std::move(rows);
  calls->into = std::move(into);
  calls->float64 = py::dtype::of<double>().release().ptr();  // NumPy keeps both for ever
  calls->float32 = py::dtype::of<float>().release().ptr();
  const py::capsule self(calls.release(),
                         [](void* pointer) { delete static_cast<FastCalls*>(pointer); });
  py::tuple functions(3);
  for (std::size_t i = 0; i < 3; ++i) {
    functions[i] =
        py::reinterpret_steal<py::object>(PyCFunction_NewEx(&methods[i], self.ptr(), nullptr));
  }
  return functions;
}

}  // namespace automs::bindings
