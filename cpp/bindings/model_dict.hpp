// the dict that Python hands over -> ModelTables, or std::invalid_argument naming the key.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "automs/encoder.hpp"
#include "bindings/convert.hpp"
#include "bindings/encoder_dicts.hpp"
#include "core/check.hpp"
#include "core/model_file.hpp"

namespace automs::bindings {

inline constexpr const char* kTaskNames[] = {"regression", "binary", "multiclass"};
inline constexpr const char* kLinkNames[] = {"identity", "exp", "sigmoid", "softmax"};
inline constexpr const char* kActivationNames[] = {
    "identity", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu", "mish"};

inline Activation get_activation(const py::dict& network) {
  const py::object value = item(network, "activation");
  if (py::isinstance<py::str>(value)) {
    return code_of<Activation>(convert<std::string>(value, "activation", "a str"), kActivationNames,
                               "activation");
  }
  const int code = convert<int>(value, "activation", "a name or its code");
  require(code >= 0 && code < kActivationCount, "activation must be in [0, " +
                                                    std::to_string(kActivationCount) + "), got " +
                                                    std::to_string(code));
  return static_cast<Activation>(code);
}

inline ClassLabels get_classes(const py::dict& model) {
  if (!model.contains("class_kind") || model["class_kind"].is_none()) {
    require(!model.contains("classes") || model["classes"].is_none(), "classes need a class_kind");
    return std::monostate{};
  }
  const auto kind = get<std::string>(model, "class_kind", "a str, or None");
  if (kind == "int64") return get<std::vector<std::int64_t>>(model, "classes", "a list of int");
  if (kind == "float64") return get<std::vector<double>>(model, "classes", "a list of float");
  if (kind == "string") return get<std::vector<std::string>>(model, "classes", "a list of str");
  require(kind == "bool", "class_kind must be int64, float64, bool or string, got '" + kind + "'");
  std::vector<std::uint8_t> labels;
  for (const bool label : get<std::vector<bool>>(model, "classes", "a list of bool")) {
    labels.push_back(label ? 1 : 0);
  }
  return labels;
}

/// Parametric activations; an absent key and None stand for none.
inline void get_blends(const py::dict& dict, NetworkTables& network) {
  if (!dict.contains("blends") || dict["blends"].is_none()) return;
  for (const py::object& blend : get<std::vector<py::object>>(dict, "blends", "a list of arrays")) {
    network.blends.push_back(to_vector(get_array<float>(blend, "blends", 1)));
  }
}

/// Tables of embeddings; an absent key and None stand for no table.
inline void get_embeddings(const py::dict& dict, NetworkTables& network) {
  if (!dict.contains("embeddings") || dict["embeddings"].is_none()) return;
  for (const py::object& table :
       get<std::vector<py::object>>(dict, "embeddings", "a list of arrays")) {
    const auto array = get_array<float>(table, "embeddings", 2);
    network.embedding_sizes.push_back(static_cast<std::uint32_t>(array.shape(1)));
    network.embeddings.push_back(to_vector(array));
  }
}

/// Numbers of an optional key; an absent one and None stand for none.
inline std::vector<double> get_optional(const py::dict& dict, const char* key) {
  if (!dict.contains(key) || dict[key].is_none()) return {};
  return to_vector(get_array<double>(item(dict, key), key, 1));
}

/// The arrays of a periodic embedding; an absent key and None stand for none.
inline void get_periodic(const py::dict& dict, PeriodicTables& periodic) {
  if (!dict.contains("periodic") || dict["periodic"].is_none()) return;
  require(py::isinstance<py::dict>(dict["periodic"]),
          "periodic must be a dict of arrays, or None, got " + type_name(dict["periodic"]));
  const auto arrays = py::cast<py::dict>(dict["periodic"]);
  const auto frequencies = get_array<float>(item(arrays, "frequencies"), "frequencies", 2);
  const auto weights = get_array<float>(item(arrays, "weights"), "weights", 3);
  const auto phases = get_array<float>(item(arrays, "phases"), "phases", 2);
  const auto biases = get_array<float>(item(arrays, "biases"), "biases", 2);
  const py::ssize_t k = frequencies.shape(0), n = frequencies.shape(1), s = biases.shape(0);
  require(k >= 1 && biases.shape(1) == n && phases.shape(0) == k && phases.shape(1) == n &&
              weights.shape(0) == k && weights.shape(1) == s && weights.shape(2) == n,
          "periodic must have frequencies and phases (n_frequencies, n), weights (n_frequencies, "
          "n_outputs, n) and biases (n_outputs, n)");
  periodic = {static_cast<std::uint32_t>(k),
              static_cast<std::uint32_t>(s + 1),
              to_vector(frequencies),
              to_vector(weights),
              to_vector(phases),
              to_vector(biases)};
}

inline NetworkTables network_from_dict(const py::dict& dict) {
  NetworkTables network;
  network.encoder = get<std::uint32_t>(dict, "encoder", "an int >= 0");
  network.weight = get<double>(dict, "weight", "a float");
  network.layer_sizes = get<std::vector<std::uint32_t>>(dict, "layer_sizes", "a list of int >= 0");
  network.activation = get_activation(dict);
  network.residual = get<bool>(dict, "residual", "a bool");
  network.link = code_of<OutputLink>(get<std::string>(dict, "link", "a str"), kLinkNames, "link");
  get_embeddings(dict, network);
  get_periodic(dict, network.periodic);
  const auto weights = get<std::vector<py::object>>(dict, "weights", "a list of arrays");
  const std::vector<std::uint32_t>& sizes = network.layer_sizes;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto array = get_array<float>(weights[i], "weights", 2);
    // The sizes alone would let a transposed matrix through.
    require(i + 1 >= sizes.size() || (array.shape(0) == static_cast<py::ssize_t>(sizes[i]) &&
                                      array.shape(1) == static_cast<py::ssize_t>(sizes[i + 1])),
            "weights[" + std::to_string(i) + "] must have shape (fan_in, fan_out)");
    network.weights.push_back(to_vector(array));
  }
  for (const py::object& bias : get<std::vector<py::object>>(dict, "biases", "a list of arrays")) {
    network.biases.push_back(to_vector(get_array<float>(bias, "biases", 1)));
  }
  get_blends(dict, network);
  network.output_centre =
      to_vector(get_array<double>(item(dict, "output_centre"), "output_centre", 1));
  network.output_scale =
      to_vector(get_array<double>(item(dict, "output_scale"), "output_scale", 1));
  network.output_low = get_optional(dict, "output_low");
  network.output_high = get_optional(dict, "output_high");
  return network;
}

/// The number of values that `predict` writes: a binary network's one logit gives two of them.
inline std::uint32_t count_outputs(const ModelTables& model) {
  if (model.task == ModelTask::binary) return 2;
  require(!model.networks.empty(), "networks must not be empty");
  const std::vector<std::uint32_t>& sizes = model.networks.front().layer_sizes;
  return sizes.empty() ? 0 : sizes.back();
}

inline ModelTables model_from_dict(const py::dict& dict) {
  ModelTables model;
  model.task = code_of<ModelTask>(get<std::string>(dict, "task", "a str"), kTaskNames, "task");
  model.n_columns = get<std::uint32_t>(dict, "n_columns", "an int >= 0");
  model.column_names = get_names(dict, "column_names");
  if (dict.contains("columns") && !dict["columns"].is_none()) {
    for (const py::dict& column : get<std::vector<py::dict>>(dict, "columns", "a list of dict")) {
      model.columns.push_back(column_from_dict(column));
    }
  }
  model.target_names = get_names(dict, "target_names");
  model.classes = get_classes(dict);
  for (const py::object& encoder :
       get<std::vector<py::object>>(dict, "encoders", "a list of Encoder")) {
    require(py::isinstance<Encoder>(encoder), "encoders must be a list of Encoder");
    const auto& made = encoder.cast<const Encoder&>();
    require(made.n_columns == model.n_columns,
            "encoders must have n_columns = " + std::to_string(model.n_columns) + ", got one of " +
                std::to_string(made.n_columns));
    model.encoders.push_back(tables_of(made));
  }
  for (const py::dict& network : get<std::vector<py::dict>>(dict, "networks", "a list of dict")) {
    model.networks.push_back(network_from_dict(network));
  }
  model.n_outputs = count_outputs(model);
  model.metadata = get<std::string>(dict, "metadata", "a str");
  model.label_factors = get_optional(dict, "label_factors");
  return model;
}

}  // namespace automs::bindings
