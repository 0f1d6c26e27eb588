// Scaled features of a tile -> their periodic embedding; the loss by it -> its gradient.
#pragma once

#include <cstddef>
#include <type_traits>

#include "automs/functions.hpp"
#include "core/network.hpp"
#include "core/product.hpp"
#include "core/workspace.hpp"

namespace automs {

// The features of a row stand side by side in vectors, and a block of them, one vector wide, goes
// through all rows of the tile before the next one, so that its values stay in the L1 cache. A row
// is computed alike however many there are, and gradients add rows in their order.

namespace detail {

constexpr double kTurn = 6.283185307179586;  // radians

/// As many values as there are lanes, or the first `n` and zeros.
template <typename Scalar>
inline Vector<Scalar> load_first(const Scalar* from, int n) {
  if (n >= kLanes<Scalar>) return load(from);
  Scalar values[kLanes<Scalar>] = {};
  for (int i = 0; i < n; ++i) values[i] = from[i];
  return load(values);
}

template <typename Scalar>
inline void store_first(Scalar* to, Vector<Scalar> v, int n) {
  if (n >= kLanes<Scalar>) return store(to, v);
  Scalar values[kLanes<Scalar>];
  store(values, v);
  for (int i = 0; i < n; ++i) to[i] = values[i];
}

/// cos(2 pi t) and sin(2 pi t), lane by lane.
template <typename Scalar>
inline CosineAndSine<Vector<Scalar>> cos_sin_of(Vector<Scalar> turns) {
  if constexpr (std::is_same_v<Scalar, float>) {
    return cos_sin_turns(turns);
  } else {
    CosineAndSine<Vector<Scalar>> result;
    for (int i = 0; i < kLanes<Scalar>; ++i) {
      const CosineAndSine<Scalar> lane = cos_sin_turns(turns[i]);
      result.cosine[i] = lane.cosine;
      result.sine[i] = lane.sine;
    }
    return result;
  }
}

/// The features column, column + 1, ..., as many as a vector has lanes or are left.
template <typename Scalar>
struct PeriodicBlock {
  const Periodic& periodic;
  const Scalar* values;  // the flat buffer, from the column on
  int column;

  int n() const { return periodic.n_columns - column; }
  Vector<Scalar> at(std::size_t row) const { return load(values + row); }
  /// f_k x + p_k in turns, x being the feature.
  Vector<Scalar> turns(int k, Vector<Scalar> x) const {
    return at(periodic.frequencies(k)) * x + at(periodic.phases(k)) * Scalar(1.0 / kTurn);
  }
};

/// Calls block(number of outputs as a constant) for the usual number, else with 0 for any other.
template <typename Block>
inline void with_outputs(int n_outputs, Block&& block) {
  if (n_outputs == 3) return block(std::integral_constant<int, 3>{});
  block(std::integral_constant<int, 0>{});
}

template <int Outputs, typename Scalar>
[[gnu::noinline]] void periodic_forward(const PeriodicBlock<Scalar> block, int n_rows,
                                        std::size_t ld, const Scalar* x, Scalar* out) {
  const Periodic& periodic = block.periodic;
  const int n_outputs = Outputs > 0 ? Outputs : periodic.n_outputs;
  Vector<Scalar> sums[Outputs > 0 ? Outputs : kLargestPeriodic];
  for (int row = 0; row < n_rows; ++row, x += ld, out += ld) {
    const Vector<Scalar> feature = load_first(x, block.n());
    for (int j = 0; j < n_outputs; ++j) sums[j] = block.at(periodic.biases(j));
    for (int k = 0; k < periodic.n_frequencies; ++k) {
      const Vector<Scalar> cosine = cos_sin_of<Scalar>(block.turns(k, feature)).cosine;
      for (int j = 0; j < n_outputs; ++j) sums[j] += cosine * block.at(periodic.weights(k, j));
    }
    for (int j = 0; j < n_outputs; ++j) {
      store_first(out + j * periodic.n_columns, sums[j], block.n());
    }
  }
}

/// What the gradient of a block reads: its features, cosines, and the loss by its outputs.
template <typename Scalar>
struct PeriodicPanel {
  Scalar* start;  // (n_outputs + 2, T, lanes)

  Scalar* at(int row, int part) const {
    return start + (static_cast<std::size_t>(part) * kTileRows + row) * kLanes<Scalar>;
  }
  Scalar* feature(int row) const { return at(row, 0); }
  Scalar* cosine(int row) const { return at(row, 1); }
  Scalar* by_output(int row, int output) const { return at(row, 2 + output); }
};

/// gradient (one vector) = sum, or += sum where `accumulate`.
template <typename Scalar>
inline void put_gradient(Scalar* gradient, Vector<Scalar> sum, bool accumulate) {
  store(gradient, accumulate ? load(gradient) + sum : sum);
}

/// `gradient`: the flat buffer's, from the block's column on.
template <int Outputs, typename Scalar>
[[gnu::noinline]] void periodic_backward(const PeriodicBlock<Scalar> block,
                                         const PeriodicPanel<Scalar> panel, int n_rows,
                                         bool accumulate, Scalar* gradient) {
  const Periodic& periodic = block.periodic;
  const int n_outputs = Outputs > 0 ? Outputs : periodic.n_outputs;
  for (int k = 0; k < periodic.n_frequencies; ++k) {
    Vector<Scalar> by_frequency{}, by_phase{};
    for (int row = 0; row < n_rows; ++row) {
      const Vector<Scalar> x = load(panel.feature(row));
      const auto wave = cos_sin_of<Scalar>(block.turns(k, x));
      store(panel.cosine(row), wave.cosine);
      Vector<Scalar> by_cosine{};
      for (int j = 0; j < n_outputs; ++j) {
        by_cosine += load(panel.by_output(row, j)) * block.at(periodic.weights(k, j));
      }
      const Vector<Scalar> by_angle = by_cosine * wave.sine;  // but for its sign
      by_phase -= by_angle;
      by_frequency -= by_angle * x;
    }
    put_gradient<Scalar>(gradient + periodic.frequencies(k), by_frequency * Scalar(kTurn),
                         accumulate);
    put_gradient<Scalar>(gradient + periodic.phases(k), by_phase, accumulate);
    for (int j = 0; j < n_outputs; ++j) {
      Vector<Scalar> sum{};
      for (int row = 0; row < n_rows; ++row) {
        sum += load(panel.cosine(row)) * load(panel.by_output(row, j));
      }
      put_gradient<Scalar>(gradient + periodic.weights(k, j), sum, accumulate);
    }
  }
}

}  // namespace detail

/// Writes what the periodic embedding gives behind the dense features of `n_rows` rows in
/// workspace.input. `weights` is the flat buffer.
template <typename Scalar>
void periodic_features(const Network& network, const Scalar* weights, int n_rows,
                       Workspace<Scalar>& workspace) {
  const Periodic& periodic = network.periodic;
  for (int column = 0; column < periodic.n_columns; column += kLanes<Scalar>) {
    Scalar* x = workspace.input + column;
    detail::with_outputs(periodic.n_outputs, [&](auto outputs) {
      detail::periodic_forward<decltype(outputs)::value, Scalar>(
          {periodic, weights + column, column}, n_rows, network.input_stride, x,
          x + network.n_dense);
    });
  }
}

/// What `loss_by_vectors` gave, rows `ld` apart, and the dense features X -> the gradient of the
/// periodic embedding, added to what is there where `accumulate`.
template <typename Scalar>
void periodic_gradient(const Network& network, const Scalar* X, int n_rows, std::size_t ld,
                       bool accumulate, Workspace<Scalar>& workspace) {
  const Periodic& periodic = network.periodic;
  const detail::PeriodicPanel<Scalar> panel{workspace.periodic_panel};
  const auto ld_input = static_cast<std::size_t>(network.input_stride);
  for (int column = 0; column < periodic.n_columns; column += kLanes<Scalar>) {
    const detail::PeriodicBlock<Scalar> block{periodic, workspace.weights + column, column};
    for (int row = 0; row < n_rows; ++row) {
      detail::store(panel.feature(row), detail::load_first(X + row * ld_input + column, block.n()));
    }
    for (int j = 0; j < periodic.n_outputs; ++j) {
      const Scalar* by_output = workspace.next_delta + j * periodic.n_columns + column;
      detail::Vector<Scalar> sum{};
      for (int row = 0; row < n_rows; ++row) {
        const auto value = detail::load_first(by_output + row * ld, block.n());
        detail::store(panel.by_output(row, j), value);
        sum += value;
      }
      detail::put_gradient<Scalar>(workspace.gradient + column + periodic.biases(j), sum,
                                   accumulate);
    }
    detail::with_outputs(periodic.n_outputs, [&](auto outputs) {
      detail::periodic_backward<decltype(outputs)::value>(block, panel, n_rows, accumulate,
                                                          workspace.gradient + column);
    });
  }
}

}  // namespace automs
