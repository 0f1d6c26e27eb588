// Training rows, initial weights -> weights and biases that fit these rows, layer after layer.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/candidate.hpp"
#include "core/forward.hpp"
#include "core/network.hpp"
#include "core/random.hpp"
#include "core/tile.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

// Weights and biases fitted to the data as in RealMLP (Holzmueller, Grinsztajn, Steinwart 2024,
// arXiv 2407.04491); the biases "he+5" after Steinwart 2019, arXiv 1903.11482.

constexpr std::size_t kMostFittedRows = 1024;  // of the training rows, evenly spread
constexpr int kMixedRows = 5;                  // whose pre-activations a bias mixes

namespace detail {

inline std::vector<std::int32_t> spread_rows(const std::vector<std::int32_t>& rows) {
  const std::size_t n = std::min(rows.size(), kMostFittedRows);
  std::vector<std::int32_t> spread;
  for (std::size_t i = 0; i < n; ++i) spread.push_back(rows[i * rows.size() / n]);
  return spread;
}

/// x W + b of layer l for some rows -> (n_rows, fan_out), row-major.
template <typename Scalar>
std::vector<double> pre_activations(const Network& network, std::size_t l, const View<Scalar>& view,
                                    const Scalar* weights, const std::vector<std::int32_t>& rows,
                                    Workspace<Scalar>& workspace) {
  // The last layer of a network gives just that.
  Network part = network;
  part.layers.resize(l + 1);
  part.layers.back().residual = false;
  const Layer& layer = part.layers.back();
  std::vector<double> z;
  for (std::size_t first = 0; first < rows.size(); first += kTileRows) {
    const auto n_rows = static_cast<int>(std::min<std::size_t>(kTileRows, rows.size() - first));
    gather_tile(view, part, weights, {rows.data() + first, n_rows, rows.data() + rows.size()}, 1.0,
                workspace);
    forward(part, weights, workspace.input, n_rows, false, nullptr, workspace);
    for (int row = 0; row < n_rows; ++row) {
      const Scalar* from = workspace.activations[l] + static_cast<std::size_t>(row) * layer.stride;
      z.insert(z.end(), from, from + layer.fan_out);
    }
  }
  return z;
}

/// Divides every unit's weights, and its column of z, by the deviation of that column. A unit that
/// gives one value alone stays as it is.
template <typename Scalar>
void scale_units(const Layer& layer, std::vector<double>& z, Scalar* weights) {
  const auto n = static_cast<std::size_t>(layer.fan_out);
  const double n_rows = static_cast<double>(z.size() / n);
  for (std::size_t unit = 0; unit < n; ++unit) {
    double sum = 0.0, squares = 0.0;
    for (std::size_t i = unit; i < z.size(); i += n) sum += z[i];
    const double mean = sum / n_rows;
    for (std::size_t i = unit; i < z.size(); i += n) squares += (z[i] - mean) * (z[i] - mean);
    const double deviation = std::sqrt(squares / n_rows);
    if (!(deviation > 1e-6)) continue;
    for (int row = 0; row < layer.fan_in; ++row) {
      Scalar& weight = weights[layer.weights + static_cast<std::size_t>(row) * layer.stride + unit];
      weight = static_cast<Scalar>(weight / deviation);
    }
    for (std::size_t i = unit; i < z.size(); i += n) z[i] /= deviation;
  }
}

/// Minus a random convex combination of the pre-activations of some rows: their shares are
/// uniformly distributed over the simplex.
inline double mixed_bias(const RandomStream& stream, std::size_t l, std::uint32_t unit,
                         std::size_t n_units, const std::vector<double>& z) {
  const std::size_t n_rows = z.size() / n_units;
  double sum = 0.0, total = 0.0;
  for (std::uint32_t i = 0; i < kMixedRows; ++i) {
    const auto words = stream.block(l, unit * kMixedRows + i);
    const auto row = static_cast<std::size_t>((std::uint64_t{words[0]} * n_rows) >> 32);
    const double share = -std::log((words[1] + 0.5) * 0x1p-32);
    sum += share * z[row * n_units + unit];
    total += share;
  }
  return -sum / total;
}

}  // namespace detail

/// weights (network.n_buffer), as `initialize_weights` left them -> those that the candidate asks
/// for, as if all inputs had the factor 1. They depend on the candidate, the seed and the training
/// rows alone.
template <typename Scalar>
void fit_first_values(const Candidate& candidate, const Network& network, const View<Scalar>& view,
                      Scalar* weights, Workspace<Scalar>& workspace) {
  const InitialValues& initial = candidate.initial;
  const bool fits = initial.weights == WeightInit::unit_deviation;
  const bool mixes = initial.biases == BiasInit::he_plus_5;
  const RandomStream stream(candidate.seed, Purpose::initial_biases);
  const std::vector<std::int32_t> rows = detail::spread_rows(view.train_rows);
  // The numbers of a layer are those of stream `number`.
  const auto fit_layer = [&](const Network& member, std::size_t l, std::size_t number) {
    const Layer& layer = member.layers[l];
    if (initial.zero_output_layer && l + 1 == member.layers.size()) {
      std::fill_n(weights + layer.weights, layer.n_weights(), Scalar(0));
      return;
    }
    const auto n_units = static_cast<std::size_t>(layer.fan_out);
    std::vector<double> z;
    if (fits || mixes) z = detail::pre_activations(member, l, view, weights, rows, workspace);
    if (fits) detail::scale_units(layer, z, weights);
    for (std::uint32_t unit = 0; unit < n_units; ++unit) {
      double bias = 0.0;
      if (mixes) bias = detail::mixed_bias(stream, number, unit, n_units, z);
      if (initial.biases == BiasInit::normal) {
        const auto words = stream.block(number, unit);
        bias = normal_pair(words[0], words[1]).first;
      }
      weights[layer.bias + unit] = static_cast<Scalar>(bias);
    }
  };
  const std::size_t n_layers = network.layers.size();
  for (std::size_t l = 0; l < n_layers; ++l) fit_layer(network, l, l);
  for (std::size_t m = 1; m < network.members.size(); ++m) {
    fit_layer(network.members[m], n_layers - 1, n_layers - 1 + m);
  }
}

}  // namespace automs
