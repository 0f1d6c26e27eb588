// Binds score and greedy_ensemble: predictions, targets and weights in; scores and weights out.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/stop_look.hpp"
#include "core/ensemble.hpp"
#include "core/metric.hpp"

namespace py = pybind11;

namespace automs::bindings {
namespace {

ScoredRows checked_rows(const Array<double>& predictions, const Array<double>& y,
                        const std::optional<Array<double>>& weights, double quantile) {
  check_ndim(predictions, 2, "predictions");
  check_ndim(y, 2, "y");
  const auto n_rows = static_cast<std::size_t>(predictions.shape(0));
  check_length(y, n_rows, "y");
  if (weights) {
    check_ndim(*weights, 1, "weights");
    check_length(*weights, n_rows, "weights");
  }
  return {predictions.data(),
          y.data(),
          weights ? weights->data() : nullptr,
          n_rows,
          static_cast<std::size_t>(predictions.shape(1)),
          static_cast<std::size_t>(y.shape(1)),
          quantile};
}

double py_score(const std::string& metric, const Array<double>& predictions, const Array<double>& y,
                const std::optional<Array<double>>& weights, double quantile) {
  const Metric parsed = parse_metric(metric);
  const ScoredRows rows = checked_rows(predictions, y, weights, quantile);
  const py::gil_scoped_release no_gil;
  MetricWorkspace workspace;
  return score(parsed, rows, workspace);
}

// Every member as an array of the first one's shape; `keep` holds them while they are read.
std::vector<const double*> checked_members(const py::list& members,
                                           std::vector<Array<double>>& keep) {
  std::vector<const double*> pointers;
  for (const py::handle member : members) {
    const std::string name = "predictions[" + std::to_string(pointers.size()) + "]";
    if (!Array<double>::check_(member)) {
      throw py::type_error(name + " must be a C-contiguous float64 array, got " +
                           std::string(py::str(py::type::handle_of(member))));
    }
    keep.push_back(py::reinterpret_borrow<Array<double>>(member));
    check_ndim(keep.back(), 2, name.c_str());
    check_length(keep.back(), static_cast<std::size_t>(keep.front().shape(0)), name.c_str());
    if (keep.back().shape(1) != keep.front().shape(1)) {
      throw py::value_error(name + " must have " + std::to_string(keep.front().shape(1)) +
                            " columns, got " + std::to_string(keep.back().shape(1)));
    }
    pointers.push_back(keep.back().data());
  }
  if (pointers.empty()) throw py::value_error("predictions must hold >= 1 member, got 0");
  return pointers;
}

py::tuple py_greedy_ensemble(const py::list& predictions, const Array<double>& y,
                             const std::optional<Array<double>>& weights, const std::string& metric,
                             int max_steps, int n_threads, double quantile,
                             std::optional<double> deadline_seconds, const py::object& look) {
  std::vector<Array<double>> keep;
  const std::vector<const double*> members = checked_members(predictions, keep);
  const ScoredRows rows = checked_rows(keep.front(), y, weights, quantile);
  StopLook stop(deadline_seconds, look);
  const EnsembleOptions options{parse_metric(metric), max_steps, n_threads, std::ref(stop)};
  EnsembleResult result;
  {
    const py::gil_scoped_release no_gil;
    result = greedy_ensemble(members, rows, options);
  }
  stop.rethrow();
  return py::make_tuple(to_array(std::move(result.weights)), result.score, result.n_steps);
}

}  // namespace
}  // namespace automs::bindings

void bind_scoring(py::module_& m) {
  using namespace automs::bindings;
  m.def("score", &py_score, py::arg("metric"), py::arg("predictions").noconvert(),
        py::arg("y").noconvert(), py::arg("weights").noconvert() = py::none(),
        py::arg("quantile") = 0.5);
  m.def("greedy_ensemble", &py_greedy_ensemble, py::arg("predictions"), py::arg("y").noconvert(),
        py::arg("weights").noconvert(), py::arg("metric"), py::arg("max_steps"),
        py::arg("n_threads"), py::arg("quantile") = 0.5, py::arg("deadline_seconds") = py::none(),
        py::arg("look") = py::none());
}
