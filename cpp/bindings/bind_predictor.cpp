// Nothing -> Encoder, Predictor and write_model in the compiled module.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "automs/encoder.hpp"
#include "bindings/binned_tuples.hpp"
#include "bindings/bound_predictor.hpp"
#include "bindings/encoder_dicts.hpp"
#include "bindings/fast_calls.hpp"
#include "bindings/model_dict.hpp"
#include "core/check.hpp"
#include "core/compact_encoding.hpp"
#include "core/encoder_tables.hpp"
#include "core/model_file.hpp"
#include "core/parallel.hpp"

namespace automs::bindings {

namespace {

/// What a dict or its keys broke, with the place of the dict in its list.
PartTables numbered_part(const py::handle& object, std::size_t i) {
  try {
    require(py::isinstance<py::dict>(object), "a part must be a dict, got " + type_name(object));
    return part_from_dict(py::reinterpret_borrow<py::dict>(object));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument("parts[" + std::to_string(i) + "]: " + error.what());
  }
}

Encoder encoder_from_dicts(std::size_t n_columns, const py::sequence& dicts) {
  EncoderTables parts;
  for (std::size_t i = 0; i < dicts.size(); ++i) parts.push_back(numbered_part(dicts[i], i));
  return make_encoder(n_columns, parts);
}

py::list parts_of(const Encoder& encoder) {
  py::list parts;
  for (const PartTables& part : tables_of(encoder)) parts.append(dict_of(part));
  return parts;
}

py::list embedding_rows_of(const Encoder& encoder) {
  py::list rows;
  for (const std::uint32_t n : encoder.embedding_rows) rows.append(n);
  return rows;
}

/// X (n_rows, n_columns) -> features (n_rows, n_features) and codes (n_rows, n_embedded).
py::tuple encode(const Encoder& encoder, const Rows<double>& X, int n_threads) {
  check_rows(X, encoder.n_columns);
  require(n_threads >= 1, "n_threads must be >= 1, got " + std::to_string(n_threads));
  const auto n_rows = static_cast<std::size_t>(X.shape(0));
  const std::size_t n_columns = encoder.n_columns;
  const std::size_t n_features = encoder.n_features;
  const std::size_t n_embedded = encoder.n_embedded();
  py::array_t<float> dense({n_rows, n_features});
  py::array_t<std::int32_t> codes({n_rows, n_embedded});
  const double* source = X.data();
  float* features = dense.mutable_data();
  std::int32_t* places = codes.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    parallel_for(n_tasks_of(n_rows), n_threads, [&](std::size_t task, int) {
      const std::size_t first = task * kRowsPerTask;
      encode_rows(encoder, source + first * n_columns, n_columns,
                  std::min(kRowsPerTask, n_rows - first), features + first * n_features,
                  places + first * n_embedded);
    });
  }
  return py::make_tuple(dense, codes);
}

/// What the parts are that `encode_rows_compact` gives as bins.
std::vector<BinnedTuple> binned_of(const Encoder& encoder) {
  std::vector<BinnedTuple> tuples;
  for (const BinnedColumn& column : binned_columns(encoder)) {
    tuples.emplace_back(column.first_feature, column.n_bins, column.kind == Bins::one_hot);
  }
  return tuples;
}

/// X (n_rows, n_columns) -> features without those of binned parts, codes, bins, fractions.
py::tuple encode_rows_compact(const Encoder& encoder, const Rows<double>& X, int n_threads) {
  check_rows(X, encoder.n_columns);
  require(n_threads >= 1, "n_threads must be >= 1, got " + std::to_string(n_threads));
  const auto n_rows = static_cast<std::size_t>(X.shape(0));
  const std::vector<BinnedColumn> columns = binned_columns(encoder);
  std::size_t n_dense = encoder.n_features;
  for (const BinnedColumn& column : columns) n_dense -= static_cast<std::size_t>(column.n_bins);
  py::array_t<float> dense({n_rows, n_dense}), fractions({n_rows, columns.size()});
  py::array_t<std::int32_t> codes({n_rows, encoder.n_embedded()});
  py::array_t<std::uint16_t> bins({n_rows, columns.size()});
  const double* source = X.data();
  const CompactRows out{dense.mutable_data(), codes.mutable_data(), bins.mutable_data(),
                        fractions.mutable_data()};
  {
    const py::gil_scoped_release unlocked;
    parallel_for(n_tasks_of(n_rows), n_threads, [&](std::size_t task, int) {
      const std::size_t first = task * kRowsPerTask;
      encode_compact(encoder, source + first * encoder.n_columns, encoder.n_columns,
                     std::min(kRowsPerTask, n_rows - first),
                     {out.dense + first * n_dense, out.codes + first * encoder.n_embedded(),
                      out.bins + first * columns.size(), out.fractions + first * columns.size()});
    });
  }
  return py::make_tuple(dense, codes, bins, fractions);
}

void bind_encoder(py::module_& m) {
  py::class_<Encoder>(m, "Encoder", py::module_local())
      .def(py::init(&encoder_from_dicts), py::arg("n_columns"), py::arg("parts"))
      .def_property_readonly("n_columns", [](const Encoder& e) { return e.n_columns; })
      .def_property_readonly("n_features", [](const Encoder& e) { return e.n_features; })
      .def_property_readonly("n_scaled", [](const Encoder& e) { return e.scaled.size(); })
      .def_property_readonly("n_embedded", &Encoder::n_embedded)
      .def_property_readonly("embedding_rows", &embedding_rows_of)
      .def_property_readonly("parts", &parts_of)
      .def("encode", &encode, py::arg("X").noconvert(), py::arg("n_threads") = 1)
      .def_property_readonly("binned", &binned_of)
      .def("encode_compact", &encode_rows_compact, py::arg("X").noconvert(),
           py::arg("n_threads") = 1);
}

/// A dict for each raw column, as `write_model` takes them.
py::list columns_of(const BoundPredictor& bound) {
  const Predictor& predictor = bound.predictor();
  py::list columns;
  for (std::size_t j = 0; j < predictor.n_columns(); ++j) {
    py::list categories;
    for (std::size_t c = 0; c < predictor.n_categories(j); ++c) {
      const std::string_view text = predictor.category(j, c);
      categories.append(py::str(text.data(), text.size()));
    }
    py::dict column;
    column["kind"] = kColumnKindNames[static_cast<std::size_t>(predictor.column_kind(j))];
    column["ordered"] = predictor.column_is_ordered(j);
    column["categories"] = categories;
    columns.append(column);
  }
  return columns;
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
      .def_property_readonly("columns", &columns_of)
      .def_property_readonly(
          "target_names",
          [](const Bound& b) { return names_or_none(b.predictor().target_names()); })
      .def_property_readonly("classes", &Bound::classes)
      .def_property_readonly("label_factors",
                             [](const Bound& b) -> py::object {
                               const automs::Array<double>& factors = b.predictor().label_factors();
                               if (factors.size() == 0) return py::none();
                               return copy_of<double, double>(factors);
                             })
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
      .def("fast_calls", &fast_calls, py::arg("labels"), py::arg("one"), py::arg("rows"),
           py::arg("into"))
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
        try {
          return py::bytes(automs::write_model(automs::bindings::model_from_dict(model)));
        } catch (const std::invalid_argument& error) {
          throw std::invalid_argument(std::string("model: ") + error.what());
        }
      },
      py::arg("model"));
}
