// bytes of a model file -> a predictor that takes NumPy arrays, with and without the GIL.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "automs/predictor.hpp"
#include "core/check.hpp"
#include "core/parallel.hpp"
#include "core/row_tasks.hpp"

namespace automs::bindings {

namespace py = pybind11;

template <typename T>
using Rows = py::array_t<T, py::array::c_style>;

inline constexpr std::size_t kRowsPerTask = 256;

inline std::size_t n_tasks_of(std::size_t n_rows) {
  return (n_rows + kRowsPerTask - 1) / kRowsPerTask;
}

template <typename T>
void check_rows(const Rows<T>& X, std::size_t n_columns) {
  require(X.ndim() == 2, "X must be 2-D, got " + std::to_string(X.ndim()) + " dimensions");
  require(
      static_cast<std::size_t>(X.shape(1)) == n_columns,
      "X must have " + std::to_string(n_columns) + " columns, got " + std::to_string(X.shape(1)));
}

template <typename T, typename U>
py::array_t<U> copy_of(const automs::Array<T>& values) {
  py::array_t<U> array(static_cast<py::ssize_t>(values.size()));
  std::copy(values.begin(), values.end(), array.mutable_data());
  return array;
}

inline py::list list_of(const automs::Array<Text>& texts) {
  py::list list;
  for (const Text& text : texts) list.append(py::str(text.data(), text.size()));
  return list;
}

[[noreturn]] inline void throw_load_failure(const LoadFailure& failure) {
  if (failure.status == Status::out_of_memory) throw std::bad_alloc();
  const std::string message = std::string("not a valid model file: ") + describe(failure.status) +
                              " (" + failure.field + ", byte " + std::to_string(failure.offset) +
                              ")";
  const py::object error = py::module_::import("automs.errors").attr("ModelFileError");
  PyErr_SetString(error.ptr(), message.c_str());
  throw py::error_already_set();
}

/// A loaded predictor with the bytes it came from.
class BoundPredictor {
 public:
  explicit BoundPredictor(py::bytes bytes) : bytes_(std::move(bytes)) {
    const std::string_view view(bytes_);
    LoadFailure failure;
    if (Predictor::load(view.data(), view.size(), predictor_, &failure) != Status::ok) {
      throw_load_failure(failure);
    }
    prepare(workspace_);
    one_.resize(predictor_.n_outputs());
  }

  const Predictor& predictor() const { return predictor_; }
  const py::bytes& bytes() const { return bytes_; }

  py::object classes() const {
    switch (predictor_.class_kind()) {
      case ClassKind::none:
        return py::none();
      case ClassKind::int64:
        return copy_of<std::int64_t, std::int64_t>(predictor_.int_classes());
      case ClassKind::float64:
        return copy_of<double, double>(predictor_.float_classes());
      case ClassKind::boolean:
        return copy_of<std::uint8_t, bool>(predictor_.bool_classes());
      case ClassKind::string:
        break;
    }
    return list_of(predictor_.string_classes());
  }

  template <typename T>
  py::array_t<double> predict_rows(const Rows<T>& X, int n_threads) const {
    check_rows(X, predictor_.n_columns());
    require(n_threads >= 1, "n_threads must be >= 1, got " + std::to_string(n_threads));
    const auto n_rows = static_cast<std::size_t>(X.shape(0));
    py::array_t<double> predictions({n_rows, predictor_.n_outputs()});
    const T* source = X.data();
    double* out = predictions.mutable_data();
    std::size_t infinite = kNoRow;
    {
      const py::gil_scoped_release unlocked;
      infinite = predict_all(source, n_rows, plan_row_tasks(predictor_, n_rows, n_threads), out);
    }
    require(infinite == kNoRow, "X must not hold infinities (NaN means missing), got one in row " +
                                    std::to_string(infinite));
    return predictions;
  }

  /// Rows -> out, by this thread and with the GIL held; false, and nothing certain in `out`, where
  /// they hold an infinity.
  template <typename T>
  bool predict_few(const T* rows, std::size_t n_rows, double* out) {
    const std::size_t width = predictor_.n_columns();
    if (predictor_.has_infinity(rows, n_rows * width)) return false;
    predictor_.predict_rows(rows, n_rows, width, out, workspace_);
    return true;
  }

  /// The same without the GIL; false also where there is no memory for a workspace.
  template <typename T>
  bool predict_more(const T* rows, std::size_t n_rows, double* out) const noexcept {
    const py::gil_scoped_release unlocked;
    try {
      return predict_all(rows, n_rows, plan_row_tasks(predictor_, n_rows, 1), out) == kNoRow;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  /// Room for one row's values, guarded by the GIL.
  double* one() { return one_.data(); }

  py::array_t<double> predict_one(const py::object& row) {
    predict_into_one(row);
    return py::array_t<double>(static_cast<py::ssize_t>(one_.size()), one_.data());
  }

  double predict_value(const py::object& row) {
    require(one_.size() == 1, "predict_value needs a model of one output");
    predict_into_one(row);
    return one_[0];
  }

  std::size_t predict_class(const py::object& row) {
    predict_into_one(row);
    return predictor_.label_index(one_.data());
  }

 private:
  static constexpr std::size_t kNoRow = static_cast<std::size_t>(-1);

  void prepare(Predictor::Workspace& workspace) const {
    if (workspace.prepare(predictor_) != Status::ok) throw std::bad_alloc();
  }

  /// Fills `out`; gives the first row with an infinity, or kNoRow.
  template <typename T>
  std::size_t predict_all(const T* rows, std::size_t n_rows, const RowTasks& tasks,
                          double* out) const {
    const std::size_t width = predictor_.n_columns();
    std::vector<Predictor::Workspace> workspaces(static_cast<std::size_t>(tasks.n_threads));
    for (Predictor::Workspace& workspace : workspaces) prepare(workspace);
    std::atomic<std::size_t> infinite{kNoRow};
    parallel_for(tasks.n_tasks, tasks.n_threads, [&](std::size_t task, int thread) {
      const std::size_t first = task * tasks.n_rows_each;
      const std::size_t n = std::min(tasks.n_rows_each, n_rows - first);
      const T* start = rows + first * width;
      const std::size_t n_suspects = predictor_.has_infinity(start, n * width) ? n * width : 0;
      for (std::size_t i = 0; i < n_suspects; ++i) {
        if (!std::isinf(start[i])) continue;
        const std::size_t row = first + i / width;
        std::size_t known = infinite.load();
        while (row < known && !infinite.compare_exchange_weak(known, row)) {
        }
        return;
      }
      predictor_.predict_rows(start, n, width, out + first * predictor_.n_outputs(),
                              workspaces[static_cast<std::size_t>(thread)]);
    });
    return infinite.load();
  }

  /// Fills `one_`. Python code may run while the row is read, not after: the GIL then guards
  /// `one_`.
  void predict_into_one(const py::object& row) {
    const std::vector<double> values = read_row(row);
    for (const double value : values) {
      require(!std::isinf(value), "row must not hold infinities (NaN means missing)");
    }
    predictor_.predict(values.data(), one_.data(), workspace_);
  }

  std::vector<double> read_row(const py::object& row) const {
    std::vector<double> values;
    if (PyList_CheckExact(row.ptr()) || PyTuple_CheckExact(row.ptr())) {
      const auto sequence = py::reinterpret_borrow<py::sequence>(row);
      values.reserve(predictor_.n_columns());
      for (std::size_t i = 0; i < sequence.size(); ++i) values.push_back(to_double(sequence[i]));
    } else {
      const auto array =
          py::array_t<double, py::array::c_style | py::array::forcecast>::ensure(row);
      if (!array) throw py::error_already_set();
      require(array.ndim() == 1,
              "row must be 1-D, got " + std::to_string(array.ndim()) + " dimensions");
      values.assign(array.data(), array.data() + array.size());
    }
    require(values.size() == predictor_.n_columns(),
            "row must have " + std::to_string(predictor_.n_columns()) + " columns, got " +
                std::to_string(values.size()));
    return values;
  }

  static double to_double(const py::object& value) {
    if (value.is_none()) return std::nan("");
    const double number = PyFloat_AsDouble(value.ptr());
    if (number == -1.0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    return number;
  }

  py::bytes bytes_;
  Predictor predictor_;
  Predictor::Workspace workspace_;  // of `predict_one`, used with the GIL held
  std::vector<double> one_;
};

}  // namespace automs::bindings
