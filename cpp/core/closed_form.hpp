// a table, its targets and a list of penalties -> linear models solved to the end, in double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/binned_layout.hpp"

namespace automs {

/// Columns of binned features, as a view keeps them: see view.hpp.
template <typename Value>
struct BinnedRows {
  std::vector<BinnedColumn> columns;
  const std::uint16_t* bins = nullptr;
  const Value* fractions = nullptr;
};

/// The rows that a linear model is fitted to; the arrays are row-major and belong to the caller.
/// `Value` is float or double; sums are in double either way.
template <typename Value>
struct LinearRows {
  const Value* X;         // (at least n_rows, n_columns less binned features), finite
  const double* weights;  // (n_rows), finite, >= 0, with a sum > 0; or null: every row counts 1
  std::size_t n_rows;
  std::size_t n_columns;
  std::function<bool()> should_stop;  // may be empty; asked by the calling thread between blocks
  const std::int32_t* numbers = nullptr;  // (n_rows): which rows of the arrays; null: the first
  BinnedRows<Value> binned = {};
};

struct RidgePath {
  std::vector<double> coef;       // (n_alphas, n_columns, n_outputs)
  std::vector<double> intercept;  // (n_alphas, n_outputs)
  bool stopped;                   // then both are empty
};

/// Ridge regression for every alpha (>= 0) from one decomposition: minimises
/// sum_i weight_i |y_i - x_i coef - intercept|^2 + alpha |coef|^2, as scikit-learn's Ridge does.
/// `y` is (n_rows, n_outputs). The decomposition is that of the centred (n_columns, n_columns) Gram
/// matrix where n_columns <= n_rows, else of the (n_rows, n_rows) kernel matrix; eigenvalues below
/// max(n_rows, n_columns) * 2^-52 of the largest count as 0 unless alpha is above that limit. So
/// alpha = 0 gives the solution of least norm, and a constant column gets coefficient 0. Columns
/// should be of like scale: the Gram matrix squares the ratio of their scales.
template <typename Value>
RidgePath ridge_path(const LinearRows<Value>& rows, const double* y, std::size_t n_outputs,
                     const std::vector<double>& alphas);

/// Two penalties for each model: `squared` / 2 * |coef|^2 and `absolute` * the sum of |coef| times
/// its column's standard deviation, that is of the coefficients of standardised columns. Models are
/// solved from the strongest to the weakest, by `absolute` first.
struct DescentOptions {
  std::vector<double> squared;   // each >= 0
  std::vector<double> absolute;  // as many, each >= 0; or empty: 0 for all
  int max_iterations;            // >= 1, for each model
  double tolerance = 1e-6;       // > 0: where it has converged, see `logistic_path`
};

/// n_outputs is that of the targets; of classes 1 for two (the logit of class 1), else n_classes.
struct LinearPath {
  std::vector<double> coef;       // (n_penalties, n_columns, n_outputs)
  std::vector<double> intercept;  // (n_penalties, n_outputs)
  std::vector<char> converged;    // (n_penalties)
  std::vector<int> n_iterations;  // (n_penalties); 0 where a stop came before the first one
  bool stopped;
};

/// Logistic regression for every penalty: minimises the weighted mean cross-entropy plus the
/// penalties, the intercept free, by L-BFGS; each model starts at the solution of the next stronger
/// one. `classes` (n_rows) holds indices in [0, n_classes), n_classes >= 2. A model has
/// converged where the largest derivative of that sum, with respect to the coefficients of
/// standardised columns and the intercepts, is <= `tolerance`. Without a penalty, separable classes
/// have no minimum: the coefficients grow until that limit or `max_iterations` is reached, and stay
/// finite. After a stop, the models that were not reached hold the last solution (zeros where
/// the stop came before the first).
template <typename Value>
LinearPath logistic_path(const LinearRows<Value>& rows, const std::int32_t* classes,
                         std::size_t n_classes, const DescentOptions& options);

/// The elastic net for every penalty: as `logistic_path`, with half the weighted mean squared error
/// of y (n_rows, n_outputs), summed over outputs, in place of the cross-entropy. y should be of
/// scale 1, as the tolerance is absolute.
template <typename Value>
LinearPath elastic_net_path(const LinearRows<Value>& rows, const double* y, std::size_t n_outputs,
                            const DescentOptions& options);

}  // namespace automs
