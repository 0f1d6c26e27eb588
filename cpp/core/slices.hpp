// A product's columns, threads that may help -> the columns in slices, each done by one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/crew.hpp"
#include "core/network.hpp"
#include "core/product.hpp"
#include "core/transpose.hpp"

namespace automs {

// A slice is made of whole panels of columns (product.hpp), which are never summed over: whoever
// does it, and however many slices there are, each element is summed in the same order by the same
// kernel, so the bits are those of one thread.

/// Multiply-adds of the smallest slice: some microseconds, while handing one over takes about 0.2.
constexpr double kSliceWork = 1 << 17;

/// Who may help with one arena's work; by default nobody.
template <typename Scalar>
struct Help {
  Crew* crew = nullptr;
  int thread = 0;  // whose arena it is
  // One for each thread of the crew, long enough for `multiply_by_transposed`.
  std::vector<AlignedVector<Scalar>>* panels = nullptr;
};

/// How many slices `n` columns of so many multiply-adds each are worth.
template <typename Scalar>
int n_slices(int n, double work_per_column) {
  constexpr int width = kBlockVectors * kLanes<Scalar>;
  const double worth = std::min<double>(n * work_per_column / kSliceWork, Crew::kMostPieces);
  return std::min((n + width - 1) / width, static_cast<int>(worth));
}

/// Whether any product of a network is large enough for two threads, with `n_rows` rows a tile.
template <typename Scalar>
bool is_worth_help(const Network& network, int n_rows) {
  const auto rows = static_cast<double>(std::min(n_rows, kTileRows));
  return std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer& layer) {
    return n_slices<Scalar>(layer.padded_out, rows * layer.fan_in) > 1;
  });
}

/// Calls body(first column, columns, panel) for slices of `n` columns: one, or where there are
/// helpers as many as the work is worth. `own_panel` is the panel of the calling thread.
template <typename Scalar, typename Body>
void for_each_slice(const Help<Scalar>& help, Scalar* own_panel, int n, double work_per_column,
                    Body&& body) {
  const bool helped = help.crew && help.crew->has_helpers(help.thread);
  const int count = helped ? n_slices<Scalar>(n, work_per_column) : 1;
  if (count < 2) return body(0, n, own_panel);
  constexpr int width = kBlockVectors * kLanes<Scalar>;
  const long n_panels = (n + width - 1) / width;
  auto slice = [&](int number, int thread) {
    const int first = static_cast<int>(n_panels * number / count) * width;
    const int end = std::min(static_cast<int>(n_panels * (number + 1) / count) * width, n);
    Scalar* panel =
        thread == help.thread ? own_panel : (*help.panels)[static_cast<std::size_t>(thread)].data();
    body(first, end - first, panel);
  };
  help.crew->share(help.thread, count, slice);
}

}  // namespace automs
