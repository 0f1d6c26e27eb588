// a seed -> ModelTables of a random, valid model: what the predictor's tests are run on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/model_file.hpp"

namespace automs_test {

class ModelMaker {
 public:
  explicit ModelMaker(unsigned seed) : generator_(seed) {}

  double normal(double scale = 1.0) {
    return std::normal_distribution<double>(0.0, scale)(generator_);
  }
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(generator_() % n); }

  /// A column of any kind; categories of one column differ.
  automs::ColumnTables column() {
    automs::ColumnTables tables;
    tables.kind = static_cast<automs::ColumnKind>(below(3));
    if (tables.kind != automs::ColumnKind::categorical) return tables;
    tables.ordered = below(2) == 1;
    for (std::uint32_t c = below(6); c > 0; --c) {
      tables.categories.push_back("caf\xC3\xA9 " + std::to_string(c));
    }
    return tables;
  }

  /// A part of the given kind over column `j`.
  automs::PartTables part(automs::PartKind kind, const std::vector<automs::ColumnTables>& columns,
                          std::uint32_t j) {
    automs::PartTables tables;
    tables.kind = kind;
    tables.column = j;
    const automs::ColumnTables& column = columns[j];
    const bool categorical = column.kind == automs::ColumnKind::categorical;
    const double unit = column.kind == automs::ColumnKind::date ? 1e10 : 1.0;  // of its numbers
    const std::uint32_t n_codes =
        categorical ? static_cast<std::uint32_t>(column.categories.size()) : below(5);
    switch (kind) {
      case automs::PartKind::scaled:
        tables.centre = normal(unit);
        tables.scale = below(5) == 0 ? 0.0 : (0.3 + 0.2 * below(10)) / unit;
        tables.clip = below(2) == 1;
        break;
      case automs::PartKind::indicator:
        break;
      case automs::PartKind::interpolated:
      case automs::PartKind::piecewise:
        tables.knots.push_back(normal(unit));
        for (std::uint32_t i = 1 + below(8); i > 0; --i) {
          tables.knots.push_back(tables.knots.back() + (0.01 + 0.2 * below(5)) * unit);
        }
        if (kind == automs::PartKind::piecewise) break;
        for (std::size_t i = 0; i < tables.knots.size(); ++i) tables.values.push_back(normal());
        break;
      case automs::PartKind::one_hot:
      case automs::PartKind::embedded:
        tables.n_places = 1 + below(n_codes + 2);
        for (std::uint32_t i = 0; i < n_codes + 2; ++i) {
          const bool none = kind == automs::PartKind::one_hot && below(4) == 0;
          tables.places.push_back(none ? automs::kNoSlot : below(tables.n_places));
        }
        break;
      case automs::PartKind::ordinal:
        for (std::uint32_t i = 0; i < n_codes + 2; ++i) tables.values.push_back(normal());
        break;
      case automs::PartKind::calendar:
        tables.cycle = static_cast<automs::Cycle>(below(automs::kCycleCount));
        break;
    }
    return tables;
  }

  /// Scaled parts, sometimes of all columns in order and sometimes none, then others.
  automs::EncoderTables encoder(const std::vector<automs::ColumnTables>& columns) {
    automs::EncoderTables parts;
    const auto n_columns = static_cast<std::uint32_t>(columns.size());
    const std::uint32_t n_scaled = below(2 * n_columns);
    for (std::uint32_t i = 0; i < n_scaled; ++i) {
      const std::uint32_t j = n_scaled == n_columns ? i : below(n_columns);
      parts.push_back(part(automs::PartKind::scaled, columns, j));
    }
    const std::uint32_t n_others = below(8) + (n_scaled == 0 ? 1 : 0);
    for (std::uint32_t i = 0; i < n_others; ++i) {
      const std::uint32_t kind = 1 + below(automs::kPartKindCount - 1);
      parts.push_back(part(static_cast<automs::PartKind>(kind), columns, below(n_columns)));
    }
    return parts;
  }

  /// Of a few frequencies, up to two turns for a feature of 1, and any number of outputs.
  automs::PeriodicTables periodic(std::uint32_t n_scaled) {
    automs::PeriodicTables tables;
    tables.n_frequencies = 1 + below(17);
    tables.size = 2 + below(9);
    const std::size_t n_values = std::size_t{tables.n_frequencies} * n_scaled;
    tables.frequencies = floats(n_values, 0.1 + 0.1 * below(5));
    tables.phases = floats(n_values, 2.0);
    tables.weights = floats(n_values * (tables.size - 1), 0.3);
    tables.biases = floats(std::size_t{tables.size - 1} * n_scaled, 0.3);
    return tables;
  }

  automs::NetworkTables network(const automs::Encoder& encoder, std::uint32_t n_logits) {
    automs::NetworkTables tables;
    auto n_inputs = static_cast<std::uint32_t>(encoder.n_features);
    const auto n_scaled = static_cast<std::uint32_t>(encoder.scaled.size());
    if (n_scaled > 0 && below(2) == 0) {
      tables.periodic = periodic(n_scaled);
      n_inputs += n_scaled * (tables.periodic.size - 1);
    }
    for (const std::uint32_t n_rows : encoder.embedding_rows) {
      tables.embedding_sizes.push_back(1 + below(5));
      n_inputs += tables.embedding_sizes.back();
      tables.embeddings.push_back(floats(std::size_t{n_rows} * tables.embedding_sizes.back(), 1.0));
    }
    tables.layer_sizes.push_back(n_inputs);
    const std::uint32_t n_hidden = below(4);
    const std::uint32_t width = 1 + below(110);
    // Equal neighbours let `residual` take effect.
    for (std::uint32_t i = 0; i < n_hidden; ++i) {
      tables.layer_sizes.push_back(below(3) == 0 ? 1 + below(40) : width);
    }
    tables.layer_sizes.push_back(n_logits);
    tables.activation = static_cast<automs::Activation>(below(automs::kActivationCount));
    tables.residual = below(2) == 1;
    const bool blended = below(2) == 1;
    tables.weight = 0.1 + 0.1 * below(5);
    for (std::size_t i = 0; i + 1 < tables.layer_sizes.size(); ++i) {
      const std::uint32_t fan_in = tables.layer_sizes[i], fan_out = tables.layer_sizes[i + 1];
      tables.weights.push_back(
          floats(std::size_t{fan_in} * fan_out, 1.0 / std::sqrt(double(fan_in))));
      tables.biases.push_back(floats(fan_out, 0.3));
    }
    for (std::uint32_t i = 0; blended && i < n_hidden; ++i) {
      tables.blends.push_back(floats(tables.layer_sizes[i + 1], 1.0));
    }
    tables.output_centre.assign(n_logits, 0.0);
    tables.output_scale.assign(n_logits, 1.0);
    return tables;
  }

  /// `n_outputs` counts for regression and multiclass.
  automs::ModelTables model(automs::ModelTask task, std::uint32_t n_outputs) {
    automs::ModelTables tables;
    tables.task = task;
    tables.n_columns = 1 + below(12);
    for (std::uint32_t j = 0; j < tables.n_columns; ++j) tables.columns.push_back(column());
    tables.n_outputs = task == automs::ModelTask::binary ? 2 : n_outputs;
    for (std::uint32_t i = 0; i < 1 + below(3); ++i) {
      tables.encoders.push_back(encoder(tables.columns));
    }
    const std::uint32_t n_networks = 1 + below(4);
    for (std::uint32_t i = 0; i < n_networks; ++i) add_network(tables);
    if (below(2) == 1) {
      for (std::uint32_t j = 0; j < tables.n_columns; ++j) {
        tables.column_names.push_back("column \xC3\xA9 " + std::to_string(j));
      }
    }
    tables.metadata = "{\"score\": 0.5}";
    add_classes(tables);
    if (below(2) == 1) add_decision(tables);
    return tables;
  }

 private:
  std::vector<float> floats(std::size_t n, double scale) {
    std::vector<float> values;
    for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<float>(normal(scale)));
    return values;
  }

  void add_network(automs::ModelTables& tables) {
    const std::uint32_t chosen = below(static_cast<std::uint32_t>(tables.encoders.size()));
    const automs::Encoder encoder = make_encoder(tables.n_columns, tables.encoders[chosen]);
    const bool binary = tables.task == automs::ModelTask::binary;
    automs::NetworkTables network = this->network(encoder, binary ? 1 : tables.n_outputs);
    network.encoder = chosen;
    switch (tables.task) {
      case automs::ModelTask::regression:
        network.link = static_cast<automs::OutputLink>(below(3));
        for (double& centre : network.output_centre) centre = normal(10.0);
        for (double& scale : network.output_scale) scale = 0.5 + below(4);
        break;
      case automs::ModelTask::binary:
        network.link = automs::OutputLink::sigmoid;
        break;
      case automs::ModelTask::multiclass:
        network.link = automs::OutputLink::softmax;
        break;
    }
    tables.networks.push_back(network);
  }

  /// Factors of labels, or bounds of values that some rows reach.
  void add_decision(automs::ModelTables& tables) {
    if (tables.task != automs::ModelTask::regression) {
      for (std::uint32_t k = 0; k < tables.n_outputs; ++k) {
        tables.label_factors.push_back(0.25 * (1 + below(8)));
      }
      return;
    }
    for (automs::NetworkTables& network : tables.networks) {
      for (std::uint32_t j = 0; j < tables.n_outputs; ++j) {
        network.output_low.push_back(network.output_centre[j] - 0.1 * (1 + below(9)));
        network.output_high.push_back(network.output_centre[j] + 0.1 * (1 + below(9)));
      }
    }
  }

  void add_classes(automs::ModelTables& tables) {
    if (tables.task == automs::ModelTask::regression) return;
    std::vector<std::string> strings;
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    for (std::uint32_t k = 0; k < tables.n_outputs; ++k) {
      strings.push_back("class " + std::to_string(k));
      integers.push_back(static_cast<std::int64_t>(k) - 1);
      reals.push_back(0.5 * k);
    }
    switch (below(4)) {
      case 0:
        tables.classes = strings;
        break;
      case 1:
        tables.classes = integers;
        break;
      case 2:
        tables.classes = reals;
        break;
      default:
        tables.classes = std::vector<std::uint8_t>(tables.n_outputs, 1);
        break;
    }
  }

  std::mt19937 generator_;
};

}  // namespace automs_test
