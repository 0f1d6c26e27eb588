#include <Eigen/Dense>
#include <limits>
#include <stdexcept>

#include "core/check.hpp"
#include "core/closed_form.hpp"
#include "core/closed_form_blocks.hpp"

namespace automs {
namespace {

using namespace closed_form;

// What turns the eigenvalues into 1 / (eigenvalue + alpha), with directions of no variance at 0.
Vector inverse_shifted(const Vector& eigenvalues, double alpha, double relative_cutoff) {
  const double cutoff = relative_cutoff * std::max(eigenvalues.maxCoeff(), 0.0);
  return eigenvalues.unaryExpr([&](double value) {
    return std::max(value, alpha) > cutoff ? 1.0 / (std::max(value, 0.0) + alpha) : 0.0;
  });
}

Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> decompose(const Eigen::MatrixXd& lower) {
  require(lower.allFinite(), "X must be finite and of squares that double holds");
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(lower);
  if (solver.info() != Eigen::Success)
    throw std::runtime_error("eigendecomposition did not converge");
  return solver;
}

// One ridge problem after centring: rows scaled by the roots of their weights.
template <typename Value>
struct CentredRidge {
  const LinearRows<Value>& rows;
  RowVector means;      // (n_columns)
  Vector root_weights;  // (n_rows)
  Matrix y;             // (n_rows, n_outputs), centred and scaled
  const std::vector<double>& alphas;
  double relative_cutoff;
};

// n_columns <= n_rows: coef = V (1 / (eigenvalues + alpha)) V' (X'y), with X'X = V eigenvalues V'.
template <typename Value>
void solve_by_gram(const CentredRidge<Value>& ridge, std::vector<double>& coef) {
  const Index d = ridge.means.size(), k = ridge.y.cols();
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(d, d);
  Eigen::MatrixXd cross = Eigen::MatrixXd::Zero(d, k);
  Matrix block;
  for_blocks(ridge.rows, ridge.y.rows(), d, [&](Index begin, Index count) {
    load_rows(ridge.rows, begin, count, ridge.means.data(), block);
    block.array().colwise() *= ridge.root_weights.segment(begin, count).array();
    gram.selfadjointView<Eigen::Lower>().rankUpdate(block.transpose());
    cross.noalias() += block.transpose() * ridge.y.middleRows(begin, count);
  });
  const auto solver = decompose(gram);
  const Matrix rotated = solver.eigenvectors().transpose() * cross;
  for (std::size_t a = 0; a < ridge.alphas.size(); ++a) {
    const Vector inverse =
        inverse_shifted(solver.eigenvalues(), ridge.alphas[a], ridge.relative_cutoff);
    Eigen::Map<Matrix> target(coef.data() + static_cast<Index>(a) * d * k, d, k);
    target.noalias() = solver.eigenvectors() * (inverse.asDiagonal() * rotated);
  }
}

// n_columns > n_rows: coef = X' U (1 / (eigenvalues + alpha)) U' y, with X X' = U eigenvalues U'.
template <typename Value>
void solve_by_kernel(const CentredRidge<Value>& ridge, std::vector<double>& coef) {
  const Index n = ridge.y.rows(), d = ridge.means.size(), k = ridge.y.cols();
  // Blocks of columns need all rows side by side; there are fewer of these than columns.
  Eigen::Matrix<Value, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> X;
  load_rows(ridge.rows, 0, n, std::vector<Value>(static_cast<std::size_t>(d)).data(), X);
  const Index n_alphas = static_cast<Index>(ridge.alphas.size());
  Eigen::MatrixXd block;
  const auto load_block = [&](Index begin, Index count) {
    block = X.middleCols(begin, count).template cast<double>().rowwise() -
            ridge.means.segment(begin, count);
    block.array().colwise() *= ridge.root_weights.array();
  };
  Eigen::MatrixXd kernel = Eigen::MatrixXd::Zero(n, n);
  for_blocks(ridge.rows, d, n, [&](Index begin, Index count) {
    load_block(begin, count);
    kernel.selfadjointView<Eigen::Lower>().rankUpdate(block);
  });
  const auto solver = decompose(kernel);
  const Eigen::MatrixXd rotated = solver.eigenvectors().transpose() * ridge.y;
  Eigen::MatrixXd dual(n, n_alphas * k);
  for (Index a = 0; a < n_alphas; ++a) {
    const Vector inverse = inverse_shifted(
        solver.eigenvalues(), ridge.alphas[static_cast<std::size_t>(a)], ridge.relative_cutoff);
    dual.middleCols(a * k, k).noalias() = solver.eigenvectors() * (inverse.asDiagonal() * rotated);
  }
  for_blocks(ridge.rows, d, n, [&](Index begin, Index count) {
    load_block(begin, count);
    const Matrix part = block.transpose() * dual;
    for (Index a = 0; a < n_alphas; ++a) {
      Eigen::Map<Matrix> target(coef.data() + a * d * k, d, k);
      target.middleRows(begin, count) = part.middleCols(a * k, k);
    }
  });
}

template <typename Value>
RidgePath solve_ridge(const LinearRows<Value>& rows, const double* y, std::size_t n_outputs,
                      const std::vector<double>& alphas) {
  const Vector weights = checked_weights(rows);
  const Index n = weights.size(), d = static_cast<Index>(rows.n_columns);
  const Index k = static_cast<Index>(n_outputs);
  const Eigen::Map<const Matrix> targets(y, n, k);
  const RowVector y_origin = targets.row(0);
  const RowVector y_means =
      y_origin + weights.transpose() * (targets.rowwise() - y_origin) / weights.sum();
  require(y_means.allFinite(), "y must be finite, got NaN or infinity");

  CentredRidge<Value> ridge{
      rows,
      column_means(rows, weights),
      weights.cwiseSqrt(),
      targets.rowwise() - y_means,
      alphas,
      std::numeric_limits<double>::epsilon() * static_cast<double>(std::max(n, d))};
  ridge.y.array().colwise() *= ridge.root_weights.array();
  RidgePath path{std::vector<double>(alphas.size() * rows.n_columns * n_outputs, 0.0),
                 std::vector<double>(alphas.size() * n_outputs), false};
  if (d > n) {
    solve_by_kernel(ridge, path.coef);
  } else if (d > 0) {
    solve_by_gram(ridge, path.coef);
  }
  for (std::size_t a = 0; a < alphas.size(); ++a) {
    const Eigen::Map<const Matrix> coef(path.coef.data() + static_cast<Index>(a) * d * k, d, k);
    Eigen::Map<RowVector>(path.intercept.data() + static_cast<Index>(a) * k, k) =
        y_means - ridge.means * coef;
  }
  return path;
}

}  // namespace

template <typename Value>
RidgePath ridge_path(const LinearRows<Value>& rows, const double* y, std::size_t n_outputs,
                     const std::vector<double>& alphas) {
  check_penalties(alphas, "alphas");
  try {
    return solve_ridge(rows, y, n_outputs, alphas);
  } catch (const Stopped&) {
    return {{}, {}, true};
  }
}

template RidgePath ridge_path(const LinearRows<float>&, const double*, std::size_t,
                              const std::vector<double>&);
template RidgePath ridge_path(const LinearRows<double>&, const double*, std::size_t,
                              const std::vector<double>&);

}  // namespace automs
