// Nothing -> Encoder, Predictor and write_model in the compiled module.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "automs/encoder.hpp"
#include "bindings/bound_predictor.hpp"
#include "bindings/model_dict.hpp"
#include "core/check.hpp"
#include "core/model_file.hpp"
#include "core/parallel.hpp"

namespace automs::bindings {

namespace {

template <typename T>
void fill(automs::Array<T>& out, const std::vector<T>& values) {
  if (!out.resize(values.size())) throw std::bad_alloc();
  std::copy(values.begin(), values.end(), out.begin());
}

Encoder make_encoder(const py::object& centre, const py::object& scale, const py::object& clip,
                     const py::object& indicator) {
  Encoder encoder;
  fill(encoder.centre, to_vector(get_array<double>(centre, "centre", 1)));
  fill(encoder.scale, to_vector(get_array<double>(scale, "scale", 1)));
  const auto flags = [](const py::object& object, const char* name) {
    const auto array = get_array<bool>(object, name, 1);
    return std::vector<std::uint8_t>(array.data(), array.data() + array.size());
  };
  fill(encoder.clip, flags(clip, "clip"));
  fill(encoder.indicator, flags(indicator, "indicator"));
  const Status status = finish_encoder(encoder);
  if (status == Status::out_of_memory) throw std::bad_alloc();
  require(status == Status::ok,
          "centre, scale, clip and indicator must be finite and of one length >= 1");
  return encoder;
}

py::array_t<float> encode(const Encoder& encoder, const Rows<double>& X, int n_threads) {
  check_rows(X, encoder.n_columns());
  require(n_threads >= 1, "n_threads must be >= 1, got " + std::to_string(n_threads));
  const auto n_rows = static_cast<std::size_t>(X.shape(0));
  const std::size_t n_columns = encoder.n_columns();
  const std::size_t n_features = encoder.n_features();
  py::array_t<float> encoded({n_rows, n_features});
  const double* source = X.data();
  float* out = encoded.mutable_data();
  const py::gil_scoped_release unlocked;
  parallel_for(n_tasks_of(n_rows), n_threads, [&](std::size_t task, int) {
    const std::size_t first = task * kRowsPerTask;
    encode_rows(encoder, source + first * n_columns, n_columns, nullptr,
                std::min(kRowsPerTask, n_rows - first), out + first * n_features);
  });
  return encoded;
}

void bind_encoder(py::module_& m) {
  const auto table = [](auto Encoder::* member) {
    return [member](const Encoder& encoder) { return copy_of<double, double>(encoder.*member); };
  };
  const auto flags = [](auto Encoder::* member) {
    return
        [member](const Encoder& encoder) { return copy_of<std::uint8_t, bool>(encoder.*member); };
  };
  py::class_<Encoder>(m, "Encoder", py::module_local())
      .def(py::init(&make_encoder), py::arg("centre"), py::arg("scale"), py::arg("clip"),
           py::arg("indicator"))
      .def_property_readonly("n_columns", &Encoder::n_columns)
      .def_property_readonly("n_features", &Encoder::n_features)
      .def_property_readonly("centre", table(&Encoder::centre))
      .def_property_readonly("scale", table(&Encoder::scale))
      .def_property_readonly("clip", flags(&Encoder::clip))
      .def_property_readonly("indicator", flags(&Encoder::indicator))
      .def("encode", &encode, py::arg("X").noconvert(), py::arg("n_threads") = 1);
}

const char* task_name(const BoundPredictor& bound) {
  return kTaskNames[static_cast<std::size_t>(bound.predictor().task())];
}

py::object names_or_none(const automs::Array<Text>& names) {
  if (names.size() == 0) return py::none();
  return list_of(names);
}

void bind_predictor_class(py::module_& m) {
  using Bound = BoundPredictor;
  py::class_<Bound>(m, "Predictor", py::module_local())
      .def(py::init<py::bytes>(), py::arg("data"))
      .def_property_readonly("n_columns", [](const Bound& b) { return b.predictor().n_columns(); })
      .def_property_readonly("n_outputs", [](const Bound& b) { return b.predictor().n_outputs(); })
      .def_property_readonly("n_networks",
                             [](const Bound& b) { return b.predictor().n_networks(); })
      .def_property_readonly("n_parameters",
                             [](const Bound& b) { return b.predictor().n_parameters(); })
      .def_property_readonly("task", &task_name)
      .def_property_readonly(
          "column_names",
          [](const Bound& b) { return names_or_none(b.predictor().column_names()); })
      .def_property_readonly(
          "target_names",
          [](const Bound& b) { return names_or_none(b.predictor().target_names()); })
      .def_property_readonly("classes", &Bound::classes)
      .def_property_readonly("metadata",
                             [](const Bound& b) {
                               const std::string_view text = b.predictor().metadata();
                               return py::str(text.data(), text.size());
                             })
      .def("predict_rows", &Bound::predict_rows<double>, py::arg("X").noconvert(),
           py::arg("n_threads") = 1)
      .def("predict_rows", &Bound::predict_rows<float>, py::arg("X").noconvert(),
           py::arg("n_threads") = 1)
      .def("predict_one", &Bound::predict_one, py::arg("row"))
      .def("predict_value", &Bound::predict_value, py::arg("row"))
      .def("predict_class", &Bound::predict_class, py::arg("row"))
      .def("to_bytes", &Bound::bytes);
}

}  // namespace

}  // namespace automs::bindings

void bind_predictor(pybind11::module_& m);
void bind_predictor(pybind11::module_& m) {
  namespace py = pybind11;
  automs::bindings::bind_encoder(m);
  automs::bindings::bind_predictor_class(m);
  m.def(
      "write_model",
      [](const py::dict& model) {
        return py::bytes(automs::write_model(automs::bindings::model_from_dict(model)));
      },
      py::arg("model"));
}
