// encoders, networks, classes and names as plain vectors -> the bytes of a model file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "automs/model.hpp"
#include "core/encoder_tables.hpp"

namespace automs {

/// What the number of a raw column means.
struct ColumnTables {
  ColumnKind kind = ColumnKind::numeric;
  bool ordered = false;                 // of categories
  std::vector<std::string> categories;  // by code, each once; of a categorical column only
};

/// The periodic embedding of the features that the encoder's scaled parts give, a value for each of
/// them in every row; n_frequencies is 0 without one.
struct PeriodicTables {
  std::uint32_t n_frequencies = 0;
  std::uint32_t size = 0;          // values that a feature becomes, itself among them
  std::vector<float> frequencies;  // (n_frequencies, n_scaled)
  std::vector<float> weights;      // (n_frequencies, size - 1, n_scaled)
  std::vector<float> phases;       // (n_frequencies, n_scaled), radians
  std::vector<float> biases;       // (size - 1, n_scaled)
};

/// One trained network and its place in the ensemble.
struct NetworkTables {
  std::uint32_t encoder = 0;  // index into ModelTables::encoders
  double weight = 1.0;
  std::vector<std::uint32_t> layer_sizes;  // inputs, hidden layers, n_logits
  Activation activation = Activation::identity;
  bool residual = false;
  OutputLink link = OutputLink::identity;
  PeriodicTables periodic;
  std::vector<std::uint32_t> embedding_sizes;  // of each embedded part's vectors
  std::vector<std::vector<float>> embeddings;  // each (n_rows, size), row-major
  std::vector<std::vector<float>> weights;     // each (fan_in, fan_out), row-major
  std::vector<std::vector<float>> biases;      // each (fan_out)
  std::vector<std::vector<float>> blends;      // of hidden layers, each (fan_out); or none
  std::vector<double> output_centre;           // (n_logits)
  std::vector<double> output_scale;            // (n_logits)
  std::vector<double> output_low;              // (n_logits), or empty: no bound
  std::vector<double> output_high;             // (n_logits), or empty
};

/// No classes (regression), or their labels in the order of the probabilities; bool as uint8.
using ClassLabels = std::variant<std::monostate, std::vector<std::int64_t>, std::vector<double>,
                                 std::vector<std::uint8_t>, std::vector<std::string>>;

struct ModelTables {
  ModelTask task = ModelTask::regression;
  std::uint32_t n_columns = 0;
  std::uint32_t n_outputs = 0;
  std::vector<std::string> column_names;  // (n_columns), or empty
  std::vector<ColumnTables> columns;      // (n_columns), or empty: all numeric
  std::vector<std::string> target_names;  // (n_outputs) of a regression, or empty
  ClassLabels classes;
  std::vector<EncoderTables> encoders;
  std::vector<NetworkTables> networks;
  std::string metadata;               // JSON text in UTF-8
  std::vector<double> label_factors;  // (n_outputs) of a classification, or empty: all 1
};

/// The bytes of a model file of the newest format version (cpp/predictor/FORMAT.md). Throws
/// std::invalid_argument for whatever the reader would refuse. Equal tables give equal bytes.
std::string write_model(const ModelTables& tables);

}  // namespace automs
