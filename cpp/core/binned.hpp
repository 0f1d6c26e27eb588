// Bins, fractions and weights -> what binned columns give to the first layer; their gradient.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/binned_layout.hpp"
#include "core/knot_tables.hpp"
#include "core/network.hpp"
#include "core/one_hot_rows.hpp"
#include "core/optimizer.hpp"
#include "core/product.hpp"
#include "core/view.hpp"
#include "core/workspace.hpp"

namespace automs {

namespace detail {

/// One row of a view -> its rows in the groups' tables.
template <typename Scalar>
void gather_table_rows(const BinnedLayout& layout, const std::uint16_t* bins,
                       const Scalar* fractions, int row, Workspace<Scalar>& workspace) {
  for (const BinnedGroup& group : layout.groups) {
    const int n = group.last - group.first;
    const int at = group.first * kTileRows + row * n;
    std::uint16_t* table_rows = workspace.table_rows.data() + at;
    Scalar* to = workspace.fractions + at;
    const bool slots = group.kind == Bins::one_hot;
    const std::uint16_t no_row = slots ? kNoRow : std::uint16_t{0};
    for (int j = 0; j < n; ++j) {
      const int c = group.first + j;
      const int number = layout.numbers[c];
      const std::uint16_t bin = bins[number];
      table_rows[j] = bin == layout.n_bins[c]
                          ? no_row
                          : static_cast<std::uint16_t>(layout.first_table_rows[c] + bin);
      if (!slots) to[j] = fractions[number];
    }
  }
}

/// One row of a view -> the features of all its bins, as they are laid out.
template <typename Scalar>
void expand_bins(const BinnedLayout& layout, const std::uint16_t* bins, const Scalar* fractions,
                 Scalar* out) {
  for (const BinnedGroup& group : layout.groups) {
    for (int c = group.first; c < group.last; ++c) {
      const int n = layout.n_bins[c];
      const int bin = bins[layout.numbers[c]];
      if (group.kind == Bins::one_hot) {
        std::fill_n(out, n, Scalar(0));
        if (bin < n) out[bin] = Scalar(1);
      } else {
        const Scalar below = bin == n ? Scalar(0) : Scalar(1);
        for (int b = 0; b < n; ++b) out[b] = b < bin ? below : Scalar(-1);
        if (bin < n) out[bin] = Scalar(2) * fractions[layout.numbers[c]] - Scalar(1);
      }
      out += n;
    }
  }
}

}  // namespace detail

/// Asks for what a later tile reads.
template <typename Scalar>
inline void prefetch_bins(const View<Scalar>& view, std::size_t row) {
  const std::size_t n = view.n_binned();
  if (n == 0) return;
  constexpr std::size_t line = kCacheLine / sizeof(Scalar);
  const std::uint16_t* bins = view.bins + row * n;
  const Scalar* fractions = view.fractions + row * n;
  __builtin_prefetch(bins);
  __builtin_prefetch(bins + n - 1);
  for (std::size_t i = 0; i < std::min(n, 4 * line); i += line) __builtin_prefetch(fractions + i);
  __builtin_prefetch(fractions + n - 1);
}

/// The binned columns of `n_rows` rows -> workspace.table_rows and .fractions, or their features
/// behind the others in workspace.input.
template <typename Scalar>
void gather_bins(const Network& network, const View<Scalar>& view, const std::int32_t* rows,
                 int n_rows, Workspace<Scalar>& workspace) {
  const BinnedLayout& layout = network.binned;
  if (layout.empty()) return;
  for (int i = 0; i < n_rows; ++i) {
    const std::size_t first = static_cast<std::size_t>(rows[i]) * layout.size();
    const std::uint16_t* bins = view.bins + first;
    const Scalar* fractions = view.fractions + first;
    if (layout.tables) {
      detail::gather_table_rows(layout, bins, fractions, i, workspace);
    } else {
      Scalar* input = workspace.input + static_cast<std::size_t>(i) * network.input_stride;
      detail::expand_bins(layout, bins, fractions, input + layout.first_rows.front());
    }
  }
}

namespace detail {

/// What a group's piecewise columns give to Width units from `unit` on.
template <int Width, typename Scalar>
void add_knots(const Network& network, const BinnedGroup& group, const Scalar* weights, int n_rows,
               int unit, Scalar* Y, Workspace<Scalar>& workspace) {
  constexpr int R = std::max(1, 8 * kKnotLanes<Scalar, Width> / Width);
  const BinnedLayout& layout = network.binned;
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  std::fill_n(workspace.knots, kMissingRows * Width, Scalar(0));
  for (int c = group.first; c < group.last; ++c) {
    build_knots<Width>(layout.n_bins[c], weights + layer.weights + layout.first_rows[c] * ld + unit,
                       ld, workspace.knots + layout.first_table_rows[c] * Width);
  }
  const int n = group.last - group.first;
  for_each_block<R>(n_rows, [&](int row, auto height) {
    const int at = group.first * kTileRows + row * n;
    add_knots_block<Width, decltype(height)::value>(n, workspace.table_rows.data() + at,
                                                    workspace.fractions + at, workspace.knots,
                                                    Y + row * ld + unit, ld);
  });
}

/// The same of one-hot columns.
template <int Width, typename Scalar>
void add_slots(const Network& network, const BinnedGroup& group, const Scalar* weights, int n_rows,
               int unit, Scalar* Y, Workspace<Scalar>& workspace) {
  constexpr int R = std::max(1, 8 * kKnotLanes<Scalar, Width> / Width);
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  const Scalar* W = weights + layer.weights + network.binned.first_rows[group.first] * ld + unit;
  std::fill_n(workspace.knots, Width, Scalar(0));
  const int n = group.last - group.first;
  for_each_block<R>(n_rows, [&](int row, auto height) {
    const int at = group.first * kTileRows + row * n;
    add_rows_block<Width, decltype(height)::value>(n, workspace.table_rows.data() + at, W,
                                                   workspace.knots, Y + row * ld + unit, ld);
  });
}

}  // namespace detail

/// Y (n_rows, stride of the first layer) += what binned columns give to it, column after column.
/// As in `multiply`: finish(first column, number of columns as a constant).
template <typename Scalar, typename Finish>
void add_binned_values(const Network& network, const Scalar* weights, int n_rows, Scalar* Y,
                       Workspace<Scalar>& workspace, Finish&& finish) {
  const auto add = [&](int unit, auto width) {
    constexpr int w = decltype(width)::value;
    for (const BinnedGroup& group : network.binned.groups) {
      if (group.kind == Bins::one_hot) {
        detail::add_slots<w>(network, group, weights, n_rows, unit, Y, workspace);
      } else {
        detail::add_knots<w>(network, group, weights, n_rows, unit, Y, workspace);
      }
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

/// workspace.delta -> the gradient of a group's piecewise columns' weights to Width units from
/// `unit` on.
template <int Width, typename Scalar>
void knots_gradient(const Network& network, const BinnedGroup& group, int n_rows, int unit,
                    bool accumulate, Workspace<Scalar>& workspace) {
  const BinnedLayout& layout = network.binned;
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  std::fill_n(workspace.knots, group.n_rows * Width, Scalar(0));
  const int at = group.first * kTileRows;
  scatter_to_knots<Width>(n_rows, group.last - group.first, workspace.table_rows.data() + at,
                          workspace.fractions + at, workspace.delta + unit, ld, workspace.knots);
  for (int c = group.first; c < group.last; ++c) {
    knots_to_weights<Width>(layout.n_bins[c], workspace.knots + layout.first_table_rows[c] * Width,
                            workspace.gradient + layer.weights + layout.first_rows[c] * ld + unit,
                            ld, accumulate);
  }
}

/// The same of one-hot columns.
template <int Width, typename Scalar>
void slots_gradient(const Network& network, const BinnedGroup& group, int n_rows, int unit,
                    bool accumulate, Workspace<Scalar>& workspace) {
  const Layer& layer = network.layers.front();
  const auto ld = static_cast<std::size_t>(layer.stride);
  Scalar* G =
      workspace.gradient + layer.weights + network.binned.first_rows[group.first] * ld + unit;
  for (int row = 0; row < group.n_rows && !accumulate; ++row) {
    std::fill_n(G + row * ld, Width, Scalar(0));
  }
  scatter_to_rows<Width>(n_rows, group.last - group.first,
                         workspace.table_rows.data() + group.first * kTileRows,
                         workspace.delta + unit, ld, G, workspace.knots);
}

template <int Width, typename Scalar>
void group_gradient(const Network& network, const BinnedGroup& group, int n_rows, int unit,
                    bool accumulate, Workspace<Scalar>& workspace) {
  if (group.kind == Bins::one_hot) {
    slots_gradient<Width>(network, group, n_rows, unit, accumulate, workspace);
  } else {
    knots_gradient<Width>(network, group, n_rows, unit, accumulate, workspace);
  }
}

}  // namespace detail

/// workspace.delta (n_rows, stride of the first layer) -> the gradient of the binned columns'
/// weights, added to what is there where `accumulate`; rows are added in their order. With `update`
/// these weights are updated, a group of whole rows at once: next to a step by table the moments'
/// way from memory is long, and it is shortest in one stream.
template <typename Scalar>
void binned_gradient(const Network& network, int n_rows, bool accumulate,
                     const UpdateStep<Scalar>* update, Workspace<Scalar>& workspace) {
  const BinnedLayout& layout = network.binned;
  const Layer& layer = network.layers.front();
  for (const BinnedGroup& group : layout.groups) {
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
