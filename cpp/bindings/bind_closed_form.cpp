// Binds ridge_path, logistic_path and elastic_net_path: rows and penalties in; coefficients and
// intercepts out.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/binned_tuples.hpp"
#include "bindings/stop_look.hpp"
#include "core/check.hpp"
#include "core/closed_form.hpp"

namespace py = pybind11;

namespace automs::bindings {
namespace {

/// Which rows of X are meant, None for all; and binned columns, whose features are not in X.
using Numbers = std::optional<Array<std::int32_t>>;
template <typename Value>
using Binned =
    std::optional<std::tuple<Array<std::uint16_t>, Array<Value>, std::vector<BinnedTuple>>>;

template <typename Value>
void add_binned(const Array<Value>& X, const Binned<Value>& given, LinearRows<Value>& rows) {
  const auto& [bins, fractions, columns] = *given;
  const auto n_all = static_cast<std::size_t>(X.shape(0));
  BinnedRows<Value>& binned = rows.binned;
  binned.columns = to_columns(columns);
  for (const BinnedColumn& column : binned.columns) {
    rows.n_columns += static_cast<std::size_t>(column.n_bins);
  }
  check_binned(binned.columns, static_cast<int>(X.shape(1)));
  for (const py::array& array : {py::array(bins), py::array(fractions)}) {
    check_ndim(array, 2, "binned");
    check_length(array, n_all, "binned");
    require(static_cast<std::size_t>(array.shape(1)) == columns.size(),
            "binned must have one column of bins and fractions for each of its columns");
  }
  binned.bins = bins.data();
  binned.fractions = fractions.data();
  for (std::size_t i = 0; i < n_all * columns.size(); ++i) {
    require(binned.bins[i] <= binned.columns[i % columns.size()].n_bins,
            "binned must have bins of at most as many as its columns have");
  }
}

template <typename Value>
LinearRows<Value> checked_rows(const Array<Value>& X, const std::optional<Array<double>>& weights,
                               const Numbers& numbers, const Binned<Value>& binned,
                               StopLook& stop) {
  check_ndim(X, 2, "X");
  if (numbers) check_ndim(*numbers, 1, "numbers");
  const auto n_rows = static_cast<std::size_t>(numbers ? numbers->shape(0) : X.shape(0));
  if (weights) {
    check_ndim(*weights, 1, "weights");
    check_length(*weights, n_rows, "weights");
  }
  LinearRows<Value> rows{X.data(), weights ? weights->data() : nullptr, n_rows,
                         static_cast<std::size_t>(X.shape(1)), std::ref(stop)};
  if (numbers) rows.numbers = numbers->data();
  for (std::size_t i = 0; rows.numbers && i < n_rows; ++i) {
    require(rows.numbers[i] >= 0 && rows.numbers[i] < X.shape(0),
            "numbers must be row numbers of X, got " + std::to_string(rows.numbers[i]));
  }
  if (binned) add_binned(X, binned, rows);
  return rows;
}

template <typename Value>
py::tuple py_ridge_path(const Array<Value>& X, const Array<double>& y, const Array<double>& alphas,
                        const std::optional<Array<double>>& weights,
                        std::optional<double> time_limit, const py::object& look,
                        const Numbers& numbers, const Binned<Value>& binned) {
  StopLook stop(time_limit, look);
  const LinearRows<Value> rows = checked_rows(X, weights, numbers, binned, stop);
  check_ndim(y, 2, "y");
  check_length(y, rows.n_rows, "y");
  const std::vector<double> penalties = to_vector(alphas, "alphas");
  RidgePath path;
  {
    const py::gil_scoped_release no_gil;
    path = ridge_path(rows, y.data(), static_cast<std::size_t>(y.shape(1)), penalties);
  }
  stop.rethrow();
  const auto n_alphas = path.stopped ? 0 : static_cast<py::ssize_t>(penalties.size());
  const auto n_columns = static_cast<py::ssize_t>(rows.n_columns);
  return py::make_tuple(to_array(std::move(path.coef), {n_alphas, n_columns, y.shape(1)}),
                        to_array(std::move(path.intercept), {n_alphas, y.shape(1)}));
}

// What solve() gives without the GIL: coefficients, intercepts, converged, n_iterations, stopped.
template <typename Solve>
py::tuple descend(StopLook& stop, std::size_t n_columns, std::size_t n_outputs, Solve solve) {
  LinearPath path;
  {
    const py::gil_scoped_release no_gil;
    path = solve();
  }
  stop.rethrow();
  const auto n_penalties = static_cast<py::ssize_t>(path.converged.size());
  const auto columns = static_cast<py::ssize_t>(n_columns);
  const auto outputs = static_cast<py::ssize_t>(n_outputs);
  py::array_t<bool> converged(n_penalties);
  std::copy(path.converged.begin(), path.converged.end(), converged.mutable_data());
  return py::make_tuple(to_array(std::move(path.coef), {n_penalties, columns, outputs}),
                        to_array(std::move(path.intercept), {n_penalties, outputs}), converged,
                        to_array(std::move(path.n_iterations)), path.stopped);
}

DescentOptions to_options(const Array<double>& penalties, const Array<double>& l1_penalties,
                          int max_iterations, double tolerance) {
  return {to_vector(penalties, "penalties"), to_vector(l1_penalties, "l1_penalties"),
          max_iterations, tolerance};
}

template <typename Value>
py::tuple py_logistic_path(const Array<Value>& X, const Array<std::int32_t>& classes,
                           std::size_t n_classes, const Array<double>& penalties,
                           const Array<double>& l1_penalties,
                           const std::optional<Array<double>>& weights, int max_iterations,
                           double tolerance, std::optional<double> time_limit,
                           const py::object& look, const Numbers& numbers,
                           const Binned<Value>& binned) {
  StopLook stop(time_limit, look);
  const LinearRows<Value> rows = checked_rows(X, weights, numbers, binned, stop);
  check_ndim(classes, 1, "classes");
  check_length(classes, rows.n_rows, "classes");
  const DescentOptions options = to_options(penalties, l1_penalties, max_iterations, tolerance);
  return descend(stop, rows.n_columns, n_classes == 2 ? 1 : n_classes,
                 [&] { return logistic_path(rows, classes.data(), n_classes, options); });
}

template <typename Value>
py::tuple py_elastic_net_path(const Array<Value>& X, const Array<double>& y,
                              const Array<double>& penalties, const Array<double>& l1_penalties,
                              const std::optional<Array<double>>& weights, int max_iterations,
                              double tolerance, std::optional<double> time_limit,
                              const py::object& look, const Numbers& numbers,
                              const Binned<Value>& binned) {
  StopLook stop(time_limit, look);
  const LinearRows<Value> rows = checked_rows(X, weights, numbers, binned, stop);
  check_ndim(y, 2, "y");
  check_length(y, rows.n_rows, "y");
  const DescentOptions options = to_options(penalties, l1_penalties, max_iterations, tolerance);
  const auto n_outputs = static_cast<std::size_t>(y.shape(1));
  return descend(stop, rows.n_columns, n_outputs,
                 [&] { return elastic_net_path(rows, y.data(), n_outputs, options); });
}

template <typename Value>
void define(py::module_& m) {
  m.def("ridge_path", &py_ridge_path<Value>, py::arg("X").noconvert(), py::arg("y").noconvert(),
        py::arg("alphas").noconvert(), py::arg("weights").noconvert() = py::none(),
        py::arg("time_limit") = py::none(), py::arg("look") = py::none(),
        py::arg("numbers") = py::none(), py::arg("binned") = py::none());
  m.def("logistic_path", &py_logistic_path<Value>, py::arg("X").noconvert(),
        py::arg("classes").noconvert(), py::arg("n_classes"), py::arg("penalties").noconvert(),
        py::arg("l1_penalties").noconvert(), py::arg("weights").noconvert() = py::none(),
        py::arg("max_iterations") = 1000, py::arg("tolerance") = 1e-6,
        py::arg("time_limit") = py::none(), py::arg("look") = py::none(),
        py::arg("numbers") = py::none(), py::arg("binned") = py::none());
  m.def("elastic_net_path", &py_elastic_net_path<Value>, py::arg("X").noconvert(),
        py::arg("y").noconvert(), py::arg("penalties").noconvert(),
        py::arg("l1_penalties").noconvert(), py::arg("weights").noconvert() = py::none(),
        py::arg("max_iterations") = 1000, py::arg("tolerance") = 1e-6,
        py::arg("time_limit") = py::none(), py::arg("look") = py::none(),
        py::arg("numbers") = py::none(), py::arg("binned") = py::none());
}

}  // namespace
}  // namespace automs::bindings

void bind_closed_form(py::module_& m) {
  automs::bindings::define<float>(m);
  automs::bindings::define<double>(m);
}
