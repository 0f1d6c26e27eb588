// A seed -> small tables, views and candidates for the tests of the engine.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/candidate.hpp"
#include "core/random.hpp"
#include "core/view.hpp"

namespace fixtures {

/// Owns the matrices that a view points into.
template <typename Scalar>
struct Problem {
  std::vector<Scalar> X;
  std::vector<double> y;
  std::vector<double> row_weights;
  std::vector<std::int32_t> codes;
  std::vector<std::uint16_t> bins;
  std::vector<Scalar> fractions;
  std::vector<Scalar> logs;
  automs::View<Scalar> view;
};

inline double uniform(std::uint64_t seed, std::uint32_t index) {
  const automs::RandomStream stream(seed, automs::Purpose::row_order);
  return stream.block(1u << 20, index)[0] * 0x1p-32 * 2 - 1;
}

inline automs::Task task_of(automs::Loss loss, int n_logits) {
  if (loss != automs::Loss::cross_entropy) return automs::Task::regression;
  return n_logits == 1 ? automs::Task::binary : automs::Task::multiclass;
}

/// Encodes the logarithms of the targets, all above -1, whose range is that of the first half.
template <typename Scalar>
void encode_logs(Problem<Scalar>& p) {
  const auto n_targets = static_cast<std::size_t>(p.view.n_targets);
  p.view.output_centre.assign(n_targets, -1.0);
  p.view.output_scale.assign(n_targets, 1.7);
  p.view.logs.deviation.assign(n_targets, 0.4);
  p.view.logs.low.assign(n_targets, 1e300);
  p.view.logs.high.assign(n_targets, -1e300);
  p.logs.clear();
  for (std::size_t i = 0; i < p.y.size(); ++i) {
    p.logs.push_back(static_cast<Scalar>(std::log((p.y[i] + 1.0) / 1.7) / 0.4));
    if (i >= p.y.size() / 2) continue;
    double& low = p.view.logs.low[i % n_targets];
    double& high = p.view.logs.high[i % n_targets];
    low = std::fmin(low, p.y[i]);
    high = std::fmax(high, p.y[i]);
  }
  p.view.logs.encoded = p.logs.data();
}

/// The last quarter of the rows validates. Targets follow the features with some noise, and suit
/// the loss: counts for poisson, values above 0 for squared_log, classes for cross-entropy.
template <typename Scalar>
Problem<Scalar> make_problem(automs::Loss loss, int n_logits, int n_rows = 120, int n_features = 5,
                             bool weighted = true, std::uint64_t seed = 1) {
  Problem<Scalar> p;
  p.view.task = task_of(loss, n_logits);
  const bool multiclass = p.view.task == automs::Task::multiclass;
  const int n_targets = multiclass ? 1 : n_logits;
  for (int i = 0; i < n_rows * n_features; ++i) {
    p.X.push_back(static_cast<Scalar>(uniform(seed, static_cast<std::uint32_t>(i))));
  }
  for (int row = 0; row < n_rows; ++row) {
    const double a = p.X[row * n_features], b = p.X[row * n_features + 1];
    for (int j = 0; j < n_targets; ++j) {
      const double noise = 0.1 * uniform(seed + 7, static_cast<std::uint32_t>(row * n_targets + j));
      const double signal = a - (j + 1) * b * b + noise;
      double y = signal;
      if (loss == automs::Loss::poisson) y = std::floor(3 * std::exp(signal));
      if (loss == automs::Loss::squared_log) y = std::exp(signal);
      if (p.view.task == automs::Task::binary) y = signal > 0 ? 1 : 0;
      if (multiclass) y = std::fmin(n_logits - 1, std::floor((signal + 2) * n_logits / 3));
      p.y.push_back(std::fmax(multiclass ? 0.0 : y, y));
    }
    p.row_weights.push_back(0.5 + std::fabs(uniform(seed + 9, static_cast<std::uint32_t>(row))));
  }
  p.view.X = p.X.data();
  p.view.y = p.y.data();
  p.view.row_weights = weighted ? p.row_weights.data() : nullptr;
  p.view.n_rows = static_cast<std::size_t>(n_rows);
  p.view.n_features = n_features;
  p.view.n_logits = n_logits;
  p.view.n_targets = n_targets;
  const double centre = loss == automs::Loss::poisson ? 0.0 : -0.3;
  p.view.output_centre.assign(n_targets, centre);
  p.view.output_scale.assign(n_targets, 0.8);
  if (loss == automs::Loss::squared_log) encode_logs(p);
  for (int row = 0; row < n_rows; ++row) {
    (row < n_rows * 3 / 4 ? p.view.train_rows : p.view.validation_rows).push_back(row);
  }
  return p;
}

/// A problem with embedded columns besides, whose codes shift the targets of a regression.
template <typename Scalar>
Problem<Scalar> make_embedded_problem(automs::Loss loss, int n_logits,
                                      std::vector<int> embedding_rows, int n_rows = 120,
                                      int n_features = 5) {
  Problem<Scalar> p = make_problem<Scalar>(loss, n_logits, n_rows, n_features);
  for (int row = 0; row < n_rows; ++row) {
    for (const int n : embedding_rows) {
      const auto index = static_cast<std::uint32_t>(p.codes.size());
      const auto code = static_cast<std::int32_t>((uniform(11, index) + 1) / 2 * n);
      p.codes.push_back(code);
      if (p.view.task != automs::Task::regression) continue;
      for (int j = 0; j < p.view.n_targets; ++j) p.y[row * p.view.n_targets + j] += code % 2;
    }
  }
  p.view.codes = p.codes.data();
  p.view.embedding_rows = std::move(embedding_rows);
  if (loss == automs::Loss::squared_log) encode_logs(p);
  return p;
}

/// An embedded problem with binned columns besides, of which every other one stands behind a
/// dense feature, as long as there are any; the second and every third from there on is one-hot.
/// One value in sixteen is missing; bins shift the targets of a regression.
template <typename Scalar>
Problem<Scalar> make_binned_problem(automs::Loss loss, int n_logits, const std::vector<int>& bins,
                                    std::vector<int> embedding_rows = {}, int n_rows = 120,
                                    int n_features = 5) {
  Problem<Scalar> p =
      make_embedded_problem<Scalar>(loss, n_logits, std::move(embedding_rows), n_rows, n_features);
  for (int row = 0; row < n_rows; ++row) {
    for (const int n : bins) {
      const auto index = static_cast<std::uint32_t>(p.bins.size());
      const double x = (uniform(13, index) + 1) / 2 * n;
      const bool missing = uniform(14, index) > 0.875;
      p.bins.push_back(static_cast<std::uint16_t>(missing ? n : static_cast<int>(x)));
      p.fractions.push_back(static_cast<Scalar>(missing ? 0.0 : x - std::floor(x)));
      if (p.view.task != automs::Task::regression || missing) continue;
      for (int j = 0; j < p.view.n_targets; ++j) p.y[row * p.view.n_targets + j] += 0.2 * x / n;
    }
  }
  int next = 0, others = 0;
  for (std::size_t c = 0; c < bins.size(); ++c) {
    if (c % 2 == 1 && others < n_features) ++others, ++next;
    const auto kind = c % 3 == 1 ? automs::Bins::one_hot : automs::Bins::piecewise;
    p.view.binned.push_back({next, bins[c], kind});
    next += bins[c];
  }
  p.view.bins = p.bins.data();
  p.view.fractions = p.fractions.data();
  if (loss == automs::Loss::squared_log) encode_logs(p);
  return p;
}

/// The same problem with every bin's feature in X.
template <typename Scalar>
Problem<Scalar> expanded(const Problem<Scalar>& compact) {
  Problem<Scalar> p = compact;
  const automs::View<Scalar>& from = compact.view;
  const std::size_t n = from.n_binned();
  p.X.clear();
  for (std::size_t row = 0; row < from.n_rows; ++row) {
    const std::size_t start = p.X.size();
    int other = 0;
    for (std::size_t c = 0; c < n; ++c) {
      const auto first = static_cast<std::size_t>(from.binned[c].first_feature);
      while (p.X.size() - start < first) p.X.push_back(from.X[row * from.n_features + other++]);
      const int bin = from.bins[row * n + c], n_bins = from.binned[c].n_bins;
      for (int b = 0; b < n_bins; ++b) {
        const Scalar own = 2 * from.fractions[row * n + c] - 1;
        const Scalar piecewise = b < bin ? Scalar(1) : (b > bin ? Scalar(-1) : own);
        const bool slots = from.binned[c].kind == automs::Bins::one_hot;
        const Scalar feature = slots ? static_cast<Scalar>(b == bin) : piecewise;
        p.X.push_back(bin == n_bins ? Scalar(0) : feature);
      }
    }
    while (other < from.n_features) p.X.push_back(from.X[row * from.n_features + other++]);
  }
  p.view.X = p.X.data();
  p.view.n_features = static_cast<int>(p.X.size() / from.n_rows);
  p.view.binned.clear();
  p.view.bins = nullptr;
  p.view.fractions = nullptr;
  return p;
}

inline automs::Candidate make_candidate(std::vector<int> sizes, automs::Activation activation,
                                        automs::Loss loss) {
  automs::Candidate c;
  c.architecture.hidden_layer_sizes = std::move(sizes);
  c.architecture.activation = activation;
  c.loss.kind = loss;
  c.loss.huber_delta = 0.3;
  c.loss.quantile = 0.8;
  c.batch_size = 32;
  c.epochs = 4;
  c.learning_rate = 0.01;
  c.seed = 42;
  return c;
}

}  // namespace fixtures
