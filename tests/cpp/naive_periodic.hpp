// Features -> their periodic embedding and its gradient, one value after the other.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "core/network.hpp"

namespace naive {

/// One parameter with its gradient and moments.
struct Parameter {
  double value = 0, gradient = 0, first = 0, second = 0;
};

using Table = std::vector<std::vector<Parameter>>;  // (n_rows, size)

/// For each feature x: n_outputs values b + sum over k of W_k cos(2 pi f_k x + p_k).
class Periodic {
 public:
  Periodic() = default;

  template <typename Scalar>
  Periodic(const automs::Periodic& from, const std::vector<Scalar>& weights)
      : n_columns_(from.n_columns), n_outputs_(from.n_outputs) {
    auto row_at = [&](std::size_t start) {
      std::vector<Parameter> row(n_columns_);
      for (int j = 0; j < n_columns_; ++j) row[j].value = weights[start + j];
      return row;
    };
    for (int k = 0; k < from.n_frequencies; ++k) {
      f.push_back(row_at(from.frequencies(k)));
      p.push_back(row_at(from.phases(k)));
      W.emplace_back();
      for (int s = 0; s < n_outputs_; ++s) W[k].push_back(row_at(from.weights(k, s)));
    }
    for (int s = 0; s < n_outputs_; ++s) b.push_back(row_at(from.biases(s)));
  }

  /// Output by output, the features of each side by side.
  std::vector<double> outputs(const std::vector<double>& x) const {
    std::vector<double> values;
    for (int s = 0; s < n_outputs_; ++s) {
      for (int j = 0; j < n_columns_; ++j) {
        values.push_back(b[s][j].value);
        for (std::size_t k = 0; k < f.size(); ++k) {
          values.back() += W[k][s][j].value * std::cos(angle(x[j], k, j));
        }
      }
    }
    return values;
  }

  /// Adds what the loss by the outputs gives; returns where they end.
  template <typename Iterator>
  Iterator add_gradient(const std::vector<double>& x, Iterator by_output) {
    for (int s = 0; s < n_outputs_; ++s) {
      for (int j = 0; j < n_columns_; ++j, ++by_output) {
        b[s][j].gradient += *by_output;
        for (std::size_t k = 0; k < f.size(); ++k) {
          const double z = angle(x[j], k, j);
          const double by_angle = -*by_output * W[k][s][j].value * std::sin(z);
          W[k][s][j].gradient += *by_output * std::cos(z);
          f[k][j].gradient += by_angle * kTurn * x[j];
          p[k][j].gradient += by_angle;
        }
      }
    }
    return by_output;
  }

  /// Calls update(parameter, whether penalties act on it).
  template <typename Update>
  void for_each(Update&& update) {
    auto all = [&](Table& table, bool is_weight) {
      for (auto& row : table) {
        for (Parameter& parameter : row) update(parameter, is_weight);
      }
    };
    all(f, true);
    for (Table& table : W) all(table, true);
    all(p, false);
    all(b, false);
  }

  Table f, p;            // (n_frequencies, n_columns)
  std::vector<Table> W;  // (n_frequencies, n_outputs, n_columns)
  Table b;               // (n_outputs, n_columns)

 private:
  static constexpr double kTurn = 6.283185307179586;

  double angle(double x, std::size_t k, int j) const {
    return kTurn * f[k][j].value * x + p[k][j].value;
  }

  int n_columns_ = 0, n_outputs_ = 0;
};

}  // namespace naive
