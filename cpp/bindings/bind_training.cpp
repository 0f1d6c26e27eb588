// Binds TrainJobs: matrices and columns of settings in; curves, scores and weights out.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "bindings/arrays.hpp"
#include "bindings/binned_tuples.hpp"
#include "bindings/candidate_columns.hpp"
#include "bindings/feature_arrays.hpp"
#include "core/train_jobs.hpp"
#include "core/types.hpp"

namespace py = pybind11;

namespace automs::bindings {
namespace {

Task parse_task(const std::string& task) {
  if (task == "regression") return Task::regression;
  if (task == "binary") return Task::binary;
  if (task == "multiclass") return Task::multiclass;
  throw py::value_error("task must be regression, binary or multiclass, got " + task);
}

/// Encoded logarithms (n_rows, n_targets); of each target deviation, low and high.
using PyLogTargets = std::tuple<Array<float>, Array<double>, Array<double>, Array<double>>;

/// TrainJobs, and the arrays that its views point into.
class PyTrainJobs {
 public:
  std::size_t add_view(
      const std::string& task, int n_logits, const Array<float>& X, const Array<double>& y,
      const std::optional<Array<double>>& row_weights, const Array<std::int32_t>& train_rows,
      const Array<std::int32_t>& validation_rows, const Array<double>& output_centre,
      const Array<double>& output_scale, const std::optional<Array<std::int32_t>>& codes,
      const std::vector<int>& embedding_rows, const std::optional<Array<std::uint16_t>>& bins,
      const std::optional<Array<float>>& fractions, const std::vector<BinnedTuple>& binned,
      int n_periodic, const std::optional<PyLogTargets>& logs) {
    check_ndim(X, 2, "X");
    check_ndim(y, 2, "y");
    const auto n_rows = static_cast<std::size_t>(X.shape(0));
    check_length(y, n_rows, "y");
    View<float> view;
    view.task = parse_task(task);
    view.n_rows = n_rows;
    view.n_features = static_cast<int>(X.shape(1));
    view.n_logits = n_logits;
    view.n_targets = static_cast<int>(y.shape(1));
    view.y = y.data();
    if (row_weights) {
      check_ndim(*row_weights, 1, "row_weights");
      check_length(*row_weights, n_rows, "row_weights");
      view.row_weights = row_weights->data();
      arrays_.push_back(*row_weights);
    }
    view.embedding_rows = embedding_rows;
    view.binned = to_columns(binned);
    view.n_periodic = n_periodic;
    view.train_rows = to_vector(train_rows, "train_rows");
    view.validation_rows = to_vector(validation_rows, "validation_rows");
    view.output_centre = to_vector(output_centre, "output_centre");
    view.output_scale = to_vector(output_scale, "output_scale");
    if (logs) view.logs = take_logs(*logs, n_rows, static_cast<std::size_t>(view.n_targets));
    const FeatureArrays features{X, codes, bins, fractions};
    point_to(view, features.of(view));
    arrays_.push_back(y);
    const std::size_t number = jobs_.add_view(std::move(view));
    features_.push_back(features);
    return number;
  }

  void put_away(std::size_t view) {
    jobs_.put_away(view);
    features_[view].reset();
  }

  void bring_back(std::size_t view, const Array<float>& X,
                  const std::optional<Array<std::int32_t>>& codes,
                  const std::optional<Array<std::uint16_t>>& bins,
                  const std::optional<Array<float>>& fractions) {
    const FeatureArrays features{X, codes, bins, fractions};
    jobs_.bring_back(view, features.of(jobs_.view(view)));
    features_[view] = features;
  }

  std::size_t add_candidates(const py::dict& columns) {
    std::vector<Candidate> candidates = parse_candidates(columns);
    std::size_t first = n_candidates_;
    for (Candidate& candidate : candidates) jobs_.add_candidate(std::move(candidate));
    n_candidates_ += candidates.size();
    return first;
  }

  std::size_t add_jobs(const Array<std::int64_t>& candidates, const Array<std::int64_t>& views) {
    check_length(views, static_cast<std::size_t>(candidates.size()), "views");
    const std::size_t first = jobs_.n_jobs();
    for (py::ssize_t i = 0; i < candidates.size(); ++i) {
      jobs_.add_job(static_cast<std::size_t>(candidates.data()[i]),
                    static_cast<std::size_t>(views.data()[i]));
    }
    return first;
  }

  /// `time_limit` in seconds from now. `look` is called by the calling thread, with the GIL, every
  /// few milliseconds; a true result or an exception stops the run, and the exception is thrown
  /// again after the threads have joined.
  void run(const Array<std::int64_t>& jobs, const Array<std::int32_t>& until_epochs, int n_threads,
           const std::optional<std::string>& metric, std::optional<double> time_limit,
           const py::object& look) {
    check_length(until_epochs, static_cast<std::size_t>(jobs.size()), "until_epochs");
    std::vector<JobRequest> requests;
    for (py::ssize_t i = 0; i < jobs.size(); ++i) {
      requests.push_back({static_cast<std::size_t>(jobs.data()[i]), until_epochs.data()[i]});
    }
    std::optional<Metric> parsed;
    if (metric) parsed = parse_metric(*metric);
    std::optional<py::error_already_set> error;
    Stop stop(deadline(time_limit), [&] {
      const py::gil_scoped_acquire gil;
      try {
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        return !look.is_none() && py::cast<bool>(look());
      } catch (py::error_already_set& raised) {
        error = raised;
        return true;
      }
    });
    {
      const py::gil_scoped_release no_gil;
      jobs_.run(requests, n_threads, parsed, stop);
    }
    if (error) throw py::error_already_set(*error);
  }

  py::dict summary(const Array<std::int64_t>& jobs) const {
    const auto n = static_cast<std::size_t>(jobs.size());
    std::vector<std::int32_t> state(n), epoch(n), best_epoch(n);
    std::vector<double> best_score(n), loss(n), seconds(n);
    for (std::size_t i = 0; i < n; ++i) {
      const State<float>& s = jobs_.state(static_cast<std::size_t>(jobs.data()[i]));
      state[i] = static_cast<std::int32_t>(s.state);
      epoch[i] = s.epoch;
      best_epoch[i] = s.best_epoch;
      best_score[i] = s.best_score;
      const auto best = static_cast<std::size_t>(s.best_epoch);
      loss[i] = best > 0 ? s.validation_loss[best - 1] : std::nan("");
      seconds[i] = s.seconds;
    }
    py::dict out;
    out["state"] = to_array(std::move(state));
    out["epoch"] = to_array(std::move(epoch));
    out["best_epoch"] = to_array(std::move(best_epoch));
    out["best_score"] = to_array(std::move(best_score));
    out["validation_loss"] = to_array(std::move(loss));
    out["seconds"] = to_array(std::move(seconds));
    return out;
  }

  py::dict curves(std::size_t job) const {
    const State<float>& s = jobs_.state(job);
    py::dict out;
    out["train_loss"] = to_array(std::vector<double>(s.train_loss));
    out["validation_loss"] = to_array(std::vector<double>(s.validation_loss));
    out["validation_score"] = to_array(std::vector<double>(s.validation_score));
    return out;
  }

  py::tuple weights(std::size_t job, std::size_t member) const {
    py::list weights;
    py::list biases;
    py::list embeddings;
    py::list blends;
    NetworkWeights network = jobs_.weights(job, member);
    for (DenseWeights& layer : network.layers) {
      weights.append(to_array(std::move(layer.weights), {layer.fan_in, layer.fan_out}));
      biases.append(to_array(std::move(layer.bias)));
      if (!layer.blend.empty()) blends.append(to_array(std::move(layer.blend)));
    }
    for (TableWeights& table : network.embeddings) {
      embeddings.append(to_array(std::move(table.weights), {table.n_rows, table.size}));
    }
    return py::make_tuple(weights, biases, embeddings, blends);
  }

  /// The arrays of the periodic embedding, which members share, or None without one.
  py::object periodic(std::size_t job) const {
    PeriodicWeights p = jobs_.weights(job, 0).periodic;
    if (p.n_columns == 0) return py::none();
    py::dict out;
    out["frequencies"] = to_array(std::move(p.frequencies), {p.n_frequencies, p.n_columns});
    out["weights"] = to_array(std::move(p.weights), {p.n_frequencies, p.n_outputs, p.n_columns});
    out["phases"] = to_array(std::move(p.phases), {p.n_frequencies, p.n_columns});
    out["biases"] = to_array(std::move(p.biases), {p.n_outputs, p.n_columns});
    return std::move(out);
  }

  py::list validation_predictions(const Array<std::int64_t>& jobs, int n_threads) const {
    const std::vector<std::size_t> numbers(jobs.data(), jobs.data() + jobs.size());
    std::vector<std::vector<double>> predictions;
    {
      const py::gil_scoped_release no_gil;
      predictions = jobs_.validation_predictions(numbers, n_threads);
    }
    py::list out;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto n_rows =
          static_cast<py::ssize_t>(jobs_.view_of(numbers[i]).validation_rows.size());
      const auto size = static_cast<py::ssize_t>(predictions[i].size());
      out.append(to_array(std::move(predictions[i]), {n_rows, n_rows > 0 ? size / n_rows : 0}));
    }
    return out;
  }

  py::dict export_state(std::size_t job) const {
    PortableState s = jobs_.export_state(job);
    py::dict out;
    out["state"] = static_cast<int>(s.state);
    out["epoch"] = s.epoch;
    out["best_epoch"] = s.best_epoch;
    out["best_score"] = s.best_score;
    out["chosen_by"] = s.chosen_by;
    out["seconds"] = s.seconds;
    out["weights"] = to_array(std::move(s.weights));
    out["first_moment"] = to_array(std::move(s.first_moment));
    out["second_moment"] = to_array(std::move(s.second_moment));
    out["best_weights"] = to_array(std::move(s.best_weights));
    out["train_loss"] = to_array(std::move(s.train_loss));
    out["validation_loss"] = to_array(std::move(s.validation_loss));
    out["validation_score"] = to_array(std::move(s.validation_score));
    return out;
  }

  void import_state(std::size_t job, const py::dict& s) {
    auto floats = [&](const char* name) {
      return to_vector(py::cast<Array<float>>(s[name]), name);
    };
    auto doubles = [&](const char* name) {
      return to_vector(py::cast<Array<double>>(s[name]), name);
    };
    jobs_.import_state(job,
                       {checked_code<JobState>(py::cast<int>(s["state"]), 5, "state"),
                        py::cast<std::int32_t>(s["epoch"]), py::cast<std::int32_t>(s["best_epoch"]),
                        py::cast<double>(s["best_score"]), py::cast<double>(s["chosen_by"]),
                        py::cast<double>(s["seconds"]), floats("weights"), floats("first_moment"),
                        floats("second_moment"), floats("best_weights"), doubles("train_loss"),
                        doubles("validation_loss"), doubles("validation_score")});
  }

  void set_weights(std::size_t job, const Array<float>& weights, double seconds,
                   const std::optional<std::string>& metric) {
    std::optional<Metric> parsed;
    if (metric) parsed = parse_metric(*metric);
    jobs_.set_weights(job, to_vector(weights, "weights"), seconds, parsed);
  }

  std::size_t n_values(std::size_t job) const { return jobs_.n_values(job); }

  void settle(const Array<std::int64_t>& jobs) {
    jobs_.settle({jobs.data(), jobs.data() + jobs.size()});
  }

  void release(const Array<std::int64_t>& jobs) {
    jobs_.release({jobs.data(), jobs.data() + jobs.size()});
  }

  void restart(const Array<std::int64_t>& jobs) {
    jobs_.restart({jobs.data(), jobs.data() + jobs.size()});
  }

 private:
  LogTargets<float> take_logs(const PyLogTargets& logs, std::size_t n_rows, std::size_t n_targets) {
    const auto& [encoded, deviation, low, high] = logs;
    arrays_.push_back(encoded);
    return {data_of(std::optional(encoded), "logs", n_rows, n_targets, "y"),
            to_vector(deviation, "deviation"), to_vector(low, "low"), to_vector(high, "high")};
  }

  static Stop::Clock::time_point deadline(std::optional<double> time_limit) {
    // Beyond a year the clock's own range would be at risk.
    if (!time_limit || *time_limit > 3e7) return Stop::Clock::time_point::max();
    const std::chrono::duration<double> limit(*time_limit);
    return Stop::Clock::now() + std::chrono::duration_cast<Stop::Clock::duration>(limit);
  }

  TrainJobs jobs_;
  std::size_t n_candidates_ = 0;
  std::vector<py::object> arrays_;                      // what is never put away
  std::vector<std::optional<FeatureArrays>> features_;  // of each view, while they are there
};

}  // namespace
}  // namespace automs::bindings

void bind_training(py::module_& m) {
  using automs::bindings::PyTrainJobs;
  py::class_<PyTrainJobs>(m, "TrainJobs", py::module_local())
      .def(py::init<>())
      .def("add_view", &PyTrainJobs::add_view, py::arg("task"), py::arg("n_logits"),
           py::arg("X").noconvert(), py::arg("y").noconvert(), py::arg("row_weights"),
           py::arg("train_rows"), py::arg("validation_rows"), py::arg("output_centre"),
           py::arg("output_scale"), py::arg("codes").noconvert() = py::none(),
           py::arg("embedding_rows") = std::vector<int>{}, py::arg("bins").noconvert() = py::none(),
           py::arg("fractions").noconvert() = py::none(),
           py::arg("binned") = std::vector<automs::bindings::BinnedTuple>{},
           py::arg("n_periodic") = 0, py::arg("logs") = py::none())
      .def("put_away", &PyTrainJobs::put_away, py::arg("view"))
      .def("bring_back", &PyTrainJobs::bring_back, py::arg("view"), py::arg("X").noconvert(),
           py::arg("codes").noconvert() = py::none(), py::arg("bins").noconvert() = py::none(),
           py::arg("fractions").noconvert() = py::none())
      .def("add_candidates", &PyTrainJobs::add_candidates, py::arg("columns"))
      .def("add_jobs", &PyTrainJobs::add_jobs, py::arg("candidates"), py::arg("views"))
      .def("run", &PyTrainJobs::run, py::arg("jobs"), py::arg("until_epochs"), py::arg("n_threads"),
           py::arg("metric") = py::none(), py::arg("time_limit") = py::none(),
           py::arg("look") = py::none())
      .def("summary", &PyTrainJobs::summary, py::arg("jobs"))
      .def("curves", &PyTrainJobs::curves, py::arg("job"))
      .def("weights", &PyTrainJobs::weights, py::arg("job"), py::arg("member") = 0)
      .def("periodic", &PyTrainJobs::periodic, py::arg("job"))
      .def("validation_predictions", &PyTrainJobs::validation_predictions, py::arg("jobs"),
           py::arg("n_threads"))
      .def("export_state", &PyTrainJobs::export_state, py::arg("job"))
      .def("import_state", &PyTrainJobs::import_state, py::arg("job"), py::arg("state"))
      .def("set_weights", &PyTrainJobs::set_weights, py::arg("job"), py::arg("weights"),
           py::arg("seconds"), py::arg("metric") = py::none())
      .def("n_values", &PyTrainJobs::n_values, py::arg("job"))
      .def("settle", &PyTrainJobs::settle, py::arg("jobs"))
      .def("release", &PyTrainJobs::release, py::arg("jobs"))
      .def("restart", &PyTrainJobs::restart, py::arg("jobs"));
  m.attr("vector_bytes") = automs::kVectorBytes;
}
