// A tile of rows, weights -> activations, slopes and logits of every layer.
#pragma once

#include <cstddef>

#include "automs/activation.hpp"
#include "core/binned.hpp"
#include "core/dropout.hpp"
#include "core/network.hpp"
#include "core/product.hpp"
#include "core/single_output.hpp"
#include "core/slices.hpp"
#include "core/workspace.hpp"

namespace automs {

/// Adds the layer's input (n_rows, fan_in) to its output; fan_in equals fan_out.
template <typename Scalar>
void add_residual(const Layer& layer, int n_rows, const Scalar* input, std::size_t ld_input,
                  Scalar* output) {
  for (int row = 0; row < n_rows; ++row) {
    for (int unit = 0; unit < layer.fan_out; ++unit) {
      output[static_cast<std::size_t>(row) * layer.stride + unit] += input[row * ld_input + unit];
    }
  }
}

namespace detail {

// Functions of their own, as their loops are vectorised well only where it is known at the call
// that nothing overlaps.
template <typename Function, int Width, typename Scalar>
[[gnu::noinline]] void apply_to_rows(int n_rows, std::size_t ld, Scalar* z) {
  for (int row = 0; row < n_rows; ++row, z += ld) {
    for (int i = 0; i < Width; ++i) z[i] = Function::at(z[i]).value;
  }
}

template <typename Function, int Width, typename Scalar>
[[gnu::noinline]] void apply_with_slopes_to_rows(int n_rows, std::size_t ld, Scalar* __restrict z,
                                                 Scalar* __restrict slopes) {
  for (int row = 0; row < n_rows; ++row, z += ld, slopes += ld) {
    for (int i = 0; i < Width; ++i) {
      const ValueAndSlope<Scalar> result = Function::at(z[i]);
      slopes[i] = result.slope;
      z[i] = result.value;
    }
  }
}

/// z -> z + (f(z) - z) a in place, a (Width).
template <typename Function, int Width, typename Scalar>
[[gnu::noinline]] void blend_rows(int n_rows, std::size_t ld, const Scalar* __restrict a,
                                  Scalar* __restrict z) {
  for (int row = 0; row < n_rows; ++row, z += ld) {
    for (int i = 0; i < Width; ++i) z[i] += (Function::at(z[i]).value - z[i]) * a[i];
  }
}

template <typename Function, int Width, typename Scalar>
[[gnu::noinline]] void blend_with_slopes(int n_rows, std::size_t ld, const Scalar* __restrict a,
                                         Scalar* __restrict z, Scalar* __restrict slopes,
                                         Scalar* __restrict bends) {
  for (int row = 0; row < n_rows; ++row, z += ld, slopes += ld, bends += ld) {
    for (int i = 0; i < Width; ++i) {
      const ValueAndSlope<Scalar> result = Function::at(z[i]);
      bends[i] = result.value - z[i];
      slopes[i] = Scalar(1) + (result.slope - Scalar(1)) * a[i];
      z[i] += bends[i] * a[i];
    }
  }
}

/// z (n_rows, Width), rows `ld` apart -> z + (f(z) - z) a in place; slopes and f(z) - z where they
/// are wanted.
template <int Width, typename Scalar>
void blend_panel(Activation activation, int n_rows, std::size_t ld, const Scalar* a, Scalar* z,
                 Scalar* slopes, Scalar* bends) {
  visit_activation(activation, [&](auto function) {
    using Function = decltype(function);
    if (slopes) {
      blend_with_slopes<Function, Width>(n_rows, ld, a, z, slopes, bends);
    } else {
      blend_rows<Function, Width>(n_rows, ld, a, z);
    }
  });
}

/// z (n_rows, Width), rows `ld` apart -> f(z) in place, and slopes where they are wanted.
template <int Width, typename Scalar>
void activate_panel(Activation activation, int n_rows, std::size_t ld, Scalar* z, Scalar* slopes) {
  if (activation == Activation::identity && !slopes) return;
  visit_activation(activation, [&](auto function) {
    using Function = decltype(function);
    if (slopes) {
      apply_with_slopes_to_rows<Function, Width>(n_rows, ld, z, slopes);
    } else {
      apply_to_rows<Function, Width>(n_rows, ld, z);
    }
  });
}

}  // namespace detail

/// X (n_rows, input_stride), n_rows <= kTileRows -> workspace.activations; the last are the logits.
/// With `training`, the slopes too, and dropout where `dropout` is given.
template <typename Scalar>
void forward(const Network& network, const Scalar* weights, const Scalar* X, int n_rows,
             bool training, const Dropout* dropout, Workspace<Scalar>& workspace) {
  const Scalar* input = X;
  std::size_t ld_input = network.input_stride;
  for (std::size_t l = 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const bool hidden = l + 1 < network.layers.size();
    const Scalar* W = weights + layer.weights;
    const Scalar* bias = weights + layer.bias;
    Scalar* output = workspace.activations[l];
    Scalar* slopes = training ? workspace.slopes[l] : nullptr;
    Scalar* bends = workspace.bends[l];
    const std::size_t ld = layer.stride;
    const bool tables = l == 0 && network.binned.tables;
    const int fan_in = l == 0 ? network.n_inputs() : layer.fan_in;
    if (layer.is_single_output()) {
      dot_rows(n_rows, fan_in, input, ld_input, W, *bias, output);
      if (tables) add_binned_values(network, weights, n_rows, output, workspace, NoFinish{});
      return;
    }
    const auto activate = [&](int first, auto width) {
      if (!hidden) return;
      if (network.parametric_activation) {
        detail::blend_panel<decltype(width)::value>(
            network.activation, n_rows, ld, weights + layer.blend + first, output + first,
            slopes ? slopes + first : nullptr, slopes ? bends + first : nullptr);
        return;
      }
      detail::activate_panel<decltype(width)::value>(network.activation, n_rows, ld, output + first,
                                                     slopes ? slopes + first : nullptr);
    };
    auto slice = [&](int start, int columns, Scalar*) {
      multiply(n_rows, fan_in, columns, input, ld_input, W + start, ld, bias + start,
               output + start, ld, [&](int column, auto width) {
                 if (!tables) activate(start + column, width);
               });
    };
    for_each_slice(workspace.help, workspace.panel, layer.padded_out,
                   static_cast<double>(n_rows) * fan_in, slice);
    if (tables) add_binned_values(network, weights, n_rows, output, workspace, activate);
    if (hidden && dropout) apply_dropout(*dropout, layer, l, n_rows, workspace);
    if (layer.residual) add_residual(layer, n_rows, input, ld_input, output);
    input = output;
    ld_input = ld;
  }
}

}  // namespace automs
