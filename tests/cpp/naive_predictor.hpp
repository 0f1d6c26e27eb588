// ModelTables and a raw row -> predictions, by plain loops in double: what the predictor is held
// to.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/model_file.hpp"

namespace automs_test {

using namespace automs;

inline double naive_activation(Activation activation, double x) {
  const double below = std::expm1(std::fmin(x, 0.0));
  switch (activation) {
    case Activation::identity:
      return x;
    case Activation::relu:
      return std::fmax(x, 0.0);
    case Activation::leaky_relu:
      return x > 0.0 ? x : 0.01 * x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case Activation::selu:
      return 1.0507009873554805 * (x > 0.0 ? x : 1.6732632423543772 * below);
    case Activation::elu:
      return x > 0.0 ? x : below;
    case Activation::gelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::silu:
      return x / (1.0 + std::exp(-x));
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
  }
  return std::nan("");
}

inline bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/// Goes year by year from 1970.
inline double share_of_year(double seconds) {
  int year = 1970;
  while (seconds < 0.0) seconds += 86400.0 * (is_leap(--year) ? 366 : 365);
  while (seconds >= 86400.0 * (is_leap(year) ? 366 : 365)) {
    seconds -= 86400.0 * (is_leap(year++) ? 366 : 365);
  }
  return seconds / (86400.0 * (is_leap(year) ? 366 : 365));
}

/// The share that is left of a division, at least 0.
inline double positive_rest(double x, double period) {
  return (x - std::floor(x / period) * period) / period;
}

inline std::vector<double> cycle_features(Cycle cycle, double seconds) {
  if (std::isnan(seconds)) return {0.0, 0.0};
  double share = positive_rest(seconds, 86400.0);
  if (cycle == Cycle::year) share = share_of_year(seconds);
  if (cycle == Cycle::week) share = positive_rest(seconds + 3 * 86400.0, 7 * 86400.0);
  return {std::sin(2.0 * std::acos(-1.0) * share), std::cos(2.0 * std::acos(-1.0) * share)};
}

inline std::size_t entry_of(double x, std::size_t n_entries) {
  for (std::size_t code = 0; code + 2 < n_entries; ++code) {
    if (x == static_cast<double>(code)) return code;
  }
  return std::isnan(x) ? n_entries - 2 : n_entries - 1;
}

inline double interpolated(const PartTables& part, double x) {
  if (std::isnan(x)) return 0.0;
  if (x <= part.knots.front()) return part.values.front();
  for (std::size_t b = 1; b < part.knots.size(); ++b) {
    const double low = part.knots[b - 1], high = part.knots[b];
    if (x > high) continue;
    return ((high - x) * part.values[b - 1] + (x - low) * part.values[b]) / (high - low);
  }
  return part.values.back();
}

/// The features of a part that is not embedded.
inline std::vector<double> part_features(const PartTables& part, double x) {
  std::vector<double> features;
  switch (part.kind) {
    case PartKind::scaled: {
      double z = (x - part.centre) * part.scale;
      if (part.clip) z /= std::sqrt(1.0 + (z / 3.0) * (z / 3.0));
      return {std::isnan(x) ? 0.0 : z};
    }
    case PartKind::indicator:
      return {std::isnan(x) ? 1.0 : 0.0};
    case PartKind::piecewise:
      for (std::size_t b = 1; b < part.knots.size(); ++b) {
        const double share = (x - part.knots[b - 1]) / (part.knots[b] - part.knots[b - 1]);
        const double bounded = std::fmin(std::fmax(share, 0.0), 1.0);
        features.push_back(std::isnan(x) ? 0.0 : 2.0 * bounded - 1.0);
      }
      return features;
    case PartKind::interpolated:
      return {interpolated(part, x)};
    case PartKind::one_hot:
      features.assign(part.n_places, 0.0);
      for (std::uint32_t slot = 0; slot < part.n_places; ++slot) {
        if (part.places[entry_of(x, part.places.size())] == slot) features[slot] = 1.0;
      }
      return features;
    case PartKind::ordinal:
      return {part.values[entry_of(x, part.values.size())]};
    case PartKind::calendar:
      return cycle_features(part.cycle, x);
    case PartKind::embedded:
      break;
  }
  return features;
}

/// What the periodic embedding gives for features x: output by output, all features of each.
inline std::vector<double> naive_periodic(const PeriodicTables& periodic,
                                          const std::vector<double>& x) {
  std::vector<double> values;
  const std::size_t n = x.size();
  const std::size_t n_outputs = periodic.n_frequencies > 0 ? periodic.size - 1 : 0;
  for (std::size_t s = 0; s < n_outputs; ++s) {
    for (std::size_t j = 0; j < n; ++j) {
      values.push_back(periodic.biases[s * n + j]);
      for (std::size_t k = 0; k < periodic.n_frequencies; ++k) {
        const double turns = double(periodic.frequencies[k * n + j]) * x[j];
        const double angle = 2.0 * std::acos(-1.0) * turns + double(periodic.phases[k * n + j]);
        const double weight = periodic.weights[(k * n_outputs + s) * n + j];
        values.back() += weight * std::cos(angle);
      }
    }
  }
  return values;
}

/// The features, then what the periodic embedding and the network's tables give.
inline std::vector<double> naive_input(const EncoderTables& encoder, const NetworkTables& network,
                                       const std::vector<double>& row) {
  std::vector<double> input, scaled, vectors;
  std::size_t embedding = 0;
  for (const PartTables& part : encoder) {
    const double x = row[part.column];
    for (const double feature : part_features(part, x)) input.push_back(feature);
    if (part.kind == PartKind::scaled) scaled.push_back(input.back());
    if (part.kind != PartKind::embedded) continue;
    const std::size_t size = network.embedding_sizes[embedding];
    const std::size_t place = part.places[entry_of(x, part.places.size())];
    for (std::size_t n = 0; n < size; ++n) {
      vectors.push_back(network.embeddings[embedding][place * size + n]);
    }
    ++embedding;
  }
  for (const double value : naive_periodic(network.periodic, scaled)) input.push_back(value);
  input.insert(input.end(), vectors.begin(), vectors.end());
  return input;
}

inline std::vector<double> naive_network(const NetworkTables& network, std::vector<double> input) {
  const std::size_t n_layers = network.weights.size();
  for (std::size_t l = 0; l < n_layers; ++l) {
    const std::size_t fan_in = input.size(), fan_out = network.biases[l].size();
    std::vector<double> output(network.biases[l].begin(), network.biases[l].end());
    for (std::size_t k = 0; k < fan_in; ++k) {
      for (std::size_t n = 0; n < fan_out; ++n) {
        output[n] += input[k] * double(network.weights[l][k * fan_out + n]);
      }
    }
    const bool hidden = l + 1 < n_layers;
    for (std::size_t n = 0; hidden && n < fan_out; ++n) {
      const double z = output[n];
      output[n] = naive_activation(network.activation, z);
      if (!network.blends.empty()) output[n] = z + (output[n] - z) * double(network.blends[l][n]);
      if (network.residual && l > 0 && fan_in == fan_out) output[n] += input[n];
    }
    input = output;
  }
  double sum = 0.0;
  for (double& value : input) {
    if (network.link == OutputLink::sigmoid) value = 1.0 / (1.0 + std::exp(-value));
    if (network.link == OutputLink::exp || network.link == OutputLink::softmax)
      value = std::exp(value);
    sum += value;
  }
  for (std::size_t j = 0; j < input.size(); ++j) {
    if (network.link == OutputLink::softmax) input[j] /= sum;
    input[j] = network.output_centre[j] + network.output_scale[j] * input[j];
    if (network.output_low.empty()) continue;
    input[j] = std::min(std::max(input[j], network.output_low[j]), network.output_high[j]);
  }
  return input;
}

inline std::vector<double> naive_predict(const ModelTables& model, const std::vector<double>& row) {
  std::vector<double> out(model.n_outputs, 0.0);
  for (const NetworkTables& network : model.networks) {
    const auto input = naive_input(model.encoders[network.encoder], network, row);
    const auto values = naive_network(network, input);
    const std::size_t first = model.task == ModelTask::binary ? 1 : 0;
    for (std::size_t j = 0; j < values.size(); ++j) out[first + j] += network.weight * values[j];
  }
  if (model.task == ModelTask::binary) out[0] = 1.0 - out[1];
  return out;
}

}  // namespace automs_test
