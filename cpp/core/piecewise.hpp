// Bins, fractions and weights -> what piecewise columns give to the first layer; their gradient.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/knot_tables.hpp"
#include "core/network.hpp"
#include "core/optimizer.hpp"
#include "core/piecewise_layout.hpp"
#include "core/product.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// One row of a view -> its rows in the groups' tables.
template <typename Scalar>
void gather_knot_rows(const PiecewiseLayout& layout, const std::uint16_t* bins,
                      const Scalar* fractions, int row, Workspace<Scalar>& workspace) {
  const std::uint16_t* n_bins = layout.n_bins.data();
  const std::uint16_t* first_knots = layout.first_knots.data();
  for (const KnotGroup& group : layout.groups) {
    const int n = group.last - group.first;
    const int at = group.first * kTileRows + row * n;
    std::uint16_t* knot_rows = workspace.knot_rows.data() + at;
    Scalar* to = workspace.fractions + at;
    for (int j = 0; j < n; ++j) {
      const int c = group.first + j;
      const bool missing = bins[c] == n_bins[c];
      knot_rows[j] =
          missing ? std::uint16_t{0} : static_cast<std::uint16_t>(first_knots[c] + bins[c]);
      to[j] = fractions[c];
    }
  }
}

/// One row of a view -> the features of all its bins.
template <typename Scalar>
void expand_bins(const PiecewiseLayout& layout, const std::uint16_t* bins, const Scalar* fractions,
                 Scalar* out) {
  for (std::size_t c = 0; c < layout.size(); ++c) {
    const int n = layout.n_bins[c];
    const int bin = bins[c];
    const Scalar below = bin == n ? Scalar(0) : Scalar(1);
    for (int b = 0; b < n; ++b) out[b] = b < bin ? below : Scalar(-1);
    if (bin < n) out[bin] = Scalar(2) * fractions[c] - Scalar(1);
    out += n;
  }
}

}  // namespace detail

/// Asks for what a later tile reads.
template <typename Scalar>
inline void prefetch_bins(const View<Scalar>& view, std::size_t row) {
  const std::size_t n = view.n_piecewise();
  if (n == 0) return;
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  const std::uint16_t* bins = view.bins + row * n;
  const Scalar* fractions = view.fractions + row * n;
  __builtin_prefetch(bins);
  __builtin_prefetch(bins + n - 1);
  for (std::size_t i = 0; i < std::min(n, 4 * line); i += line) __builtin_prefetch(fractions + i);
  __builtin_prefetch(fractions + n - 1);
}

/// The piecewise columns of `n_rows` rows -> workspace.knot_rows and .fractions, or their features
/// behind the others in workspace.input.
template <typename Scalar>
void gather_bins(const Network& network, const View<Scalar>& view, const std::int32_t* rows,
                 int n_rows, Workspace<Scalar>& workspace) {
  const PiecewiseLayout& layout = network.piecewise;
  if (layout.empty()) return;
  for (int i = 0; i < n_rows; ++i) {
    const std::size_t first = static_cast<std::size_t>(rows[i]) * layout.size();
    const std::uint16_t* bins = view.bins + first;
    const Scalar* fractions = view.fractions + first;
    if (layout.tables) {
      detail::gather_knot_rows(layout, bins, fractions, i, workspace);
    } else {
      Scalar* input = workspace.input + static_cast<std::size_t>(i) * network.input_stride;
      detail::expand_bins(layout, bins, fractions, input + layout.first_rows.front());
    }
  }
}

namespace detail {

/// What a group's columns give to Width units from `unit` on.
template <int Width, typename Scalar>
void add_group_values(const Network& network, const KnotGroup& group, const Scalar* weights,
                      int n_rows, int unit, Scalar* Y, Workspace<Scalar>& workspace) {
  constexpr int R = std::max(1, 8 * kKnotLanes<Scalar, Width> / Width);
  const PiecewiseLayout& layout = network.piecewise;
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  std::fill_n(workspace.knots, kMissingRows * Width, Scalar(0));
  for (int c = group.first; c < group.last; ++c) {
    build_knots<Width>(layout.n_bins[c], weights + layer.weights + layout.first_rows[c] * ld + unit,
                       ld, workspace.knots + layout.first_knots[c] * Width);
  }
  const int n = group.last - group.first;
  for_each_block<R>(n_rows, [&](int row, auto height) {
    const int at = group.first * kTileRows + row * n;
    add_knots_block<Width, decltype(height)::value>(n, workspace.knot_rows.data() + at,
                                                    workspace.fractions + at, workspace.knots,
                                                    Y + row * ld + unit, ld);
  });
}

}  // namespace detail

/// Y (n_rows, stride of the first layer) += what piecewise columns give to it, column after column.
/// As in `multiply`: finish(first column, number of columns as a constant).
template <typename Scalar, typename Finish>
void add_knot_values(const Network& network, const Scalar* weights, int n_rows, Scalar* Y,
                     Workspace<Scalar>& workspace, Finish&& finish) {
  const auto add = [&](int unit, auto width) {
    for (const KnotGroup& group : network.piecewise.groups) {
      detail::add_group_values<decltype(width)::value>(network, group, weights, n_rows, unit, Y,
                                                       workspace);
    }
    finish(unit, width);
  };
  const Layer& layer = network.layers.front();
  if (layer.is_single_output()) return add(0, std::integral_constant<int, 1>{});
  detail::for_each_panel<Scalar, kKnotVectors>(layer.padded_out, [&](int unit, auto vectors) {
    add(unit, std::integral_constant<int, decltype(vectors)::value * kLanes<Scalar>>{});
  });
}

namespace detail {

/// workspace.delta -> the gradient of the weights from a group's columns to Width units from `unit`
/// on.
template <int Width, typename Scalar>
void group_gradient(const Network& network, const KnotGroup& group, int n_rows, int unit,
                    bool accumulate, Workspace<Scalar>& workspace) {
  const PiecewiseLayout& layout = network.piecewise;
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  std::fill_n(workspace.knots, group.n_rows * Width, Scalar(0));
  const int at = group.first * kTileRows;
  scatter_to_knots<Width>(n_rows, group.last - group.first, workspace.knot_rows.data() + at,
                          workspace.fractions + at, workspace.delta + unit, ld, workspace.knots);
  for (int c = group.first; c < group.last; ++c) {
    knots_to_weights<Width>(layout.n_bins[c], workspace.knots + layout.first_knots[c] * Width,
                            workspace.gradient + layer.weights + layout.first_rows[c] * ld + unit,
                            ld, accumulate);
  }
}

}  // namespace detail

/// workspace.delta (n_rows, stride of the first layer) -> the gradient of the piecewise columns'
/// weights, added to what is there where `accumulate`; rows are added in their order. With `update`
/// these weights are updated, a group of whole rows at once: next to a step by table the moments'
/// way from memory is long, and it is shortest in one stream.
template <typename Scalar>
void piecewise_gradient(const Network& network, int n_rows, bool accumulate,
                        const UpdateStep<Scalar>* update, Workspace<Scalar>& workspace) {
  const PiecewiseLayout& layout = network.piecewise;
  const Layer& layer = network.layers.front();
  for (const KnotGroup& group : layout.groups) {
    if (layer.is_single_output()) {
      detail::group_gradient<1>(network, group, n_rows, 0, accumulate, workspace);
    } else {
      detail::for_each_panel<Scalar, kKnotVectors>(layer.padded_out, [&](int unit, auto vectors) {
        detail::group_gradient<decltype(vectors)::value * kLanes<Scalar>>(
            network, group, n_rows, unit, accumulate, workspace);
      });
    }
    if (!update) continue;
    const int last = group.last - 1;
    const int first_row = layout.first_rows[group.first];
    const int end = layout.first_rows[last] + layout.n_bins[last];
    update->for_weights(layer).update_rows(layer, first_row, end - first_row, workspace);
  }
}

}  // namespace automs
