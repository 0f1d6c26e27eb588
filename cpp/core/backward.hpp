// Activations, slopes and the loss by the logits -> the gradient of every weight.
#pragma once

#include <algorithm>

#include "core/embedding.hpp"
#include "core/forward.hpp"
#include "core/network.hpp"
#include "core/product.hpp"
#include "core/workspace.hpp"

namespace automs {

/// W of every layer but the first -> W^T (fan_out, stride of fan_in), in square
/// blocks, as either side may be much wider than a cache line. Of the first layer the rows of the
/// embedded features alone, where there are any.
template <typename Scalar>
void transpose_weights(const Network& network, const Scalar* weights,
                       Workspace<Scalar>& workspace) {
  constexpr int block = 16;
  for (std::size_t l = network.embeddings.empty() ? 1 : 0; l < network.layers.size(); ++l) {
    const Layer& layer = network.layers[l];
    const int skipped = l == 0 ? network.n_dense : 0;
    const int n_in = layer.fan_in - skipped;
    const std::size_t ld = row_stride<Scalar>(n_in);
    const Scalar* W = weights + layer.weights + skipped * static_cast<std::size_t>(layer.stride);
    Scalar* transposed = workspace.transposed[l];
    for (int i0 = 0; i0 < n_in; i0 += block) {
      const int i1 = std::min(i0 + block, n_in);
      for (int j0 = 0; j0 < layer.fan_out; j0 += block) {
        const int j1 = std::min(j0 + block, layer.fan_out);
        for (int j = j0; j < j1; ++j) {
          for (int i = i0; i < i1; ++i) {
            transposed[j * ld + i] = W[i * static_cast<std::size_t>(layer.stride) + j];
          }
        }
      }
    }
    for (int j = 0; j < layer.fan_out; ++j) {
      for (std::size_t i = n_in; i < ld; ++i) transposed[j * ld + i] = Scalar(0);
    }
  }
}

/// Column sums of delta (n_rows, stride) -> the bias' gradient.
template <typename Scalar>
void bias_gradient(const Layer& layer, const Scalar* __restrict delta, int n_rows,
                   Scalar* __restrict gradient, bool accumulate) {
  const auto stride = static_cast<std::size_t>(layer.stride);
  const int n = layer.padded_out;
  if (!accumulate) std::fill(gradient, gradient + n, Scalar(0));
  for (int row = 0; row < n_rows; ++row) {
    for (int unit = 0; unit < n; ++unit) gradient[unit] += delta[row * stride + unit];
  }
}

/// by_output (n_rows, stride) times slopes -> delta, and its column sums -> the bias' gradient.
template <typename Scalar>
void hidden_delta(const Layer& layer, int n_rows, const Scalar* __restrict by_output,
                  const Scalar* __restrict slopes, Scalar* __restrict delta,
                  Scalar* __restrict gradient, bool accumulate) {
  const auto stride = static_cast<std::size_t>(layer.stride);
  const int n = layer.padded_out;
  if (!accumulate) std::fill(gradient, gradient + n, Scalar(0));
  for (int row = 0; row < n_rows; ++row) {
    const std::size_t first = row * stride;
    for (int unit = 0; unit < n; ++unit) {
      const Scalar value = by_output[first + unit] * slopes[first + unit];
      delta[first + unit] = value;
      gradient[unit] += value;
    }
  }
}

/// The gradient of a layer with one output: a row of sums over the units of its input, which fills
/// vectors, where a column of W would fill one lane of each. `input` has whole vectors in its rows.
template <typename Scalar>
void single_output_gradient(const Layer& layer, int n_rows, const Scalar* input,
                            std::size_t ld_input, const Scalar* delta, Scalar* row_of_sums,
                            Scalar* gradient, bool accumulate) {
  const auto stride = static_cast<std::size_t>(layer.stride);
  multiply_transposed(n_rows, 1, padded<Scalar>(layer.fan_in), delta, stride, input, ld_input,
                      row_of_sums, ld_input, false);
  for (int i = 0; i < layer.fan_in; ++i) {
    const Scalar before = accumulate ? gradient[i * stride] : Scalar(0);
    gradient[i * stride] = before + row_of_sums[i];
  }
}

/// workspace.output_gradient (n_rows, logit_stride) and the tile's forward pass -> gradient
/// (network.n_values), added to what is there where `accumulate`. Needs `transpose_weights`.
template <typename Scalar>
void backward(const Network& network, const Scalar* X, int n_rows, bool accumulate,
              Workspace<Scalar>& workspace) {
  Scalar* gradient = workspace.gradient;
  for (std::size_t l = network.layers.size(); l-- > 0;) {
    const Layer& layer = network.layers[l];
    const std::size_t ld = layer.stride;
    const bool output_layer = l + 1 == network.layers.size();
    const Scalar* delta = output_layer ? workspace.output_gradient : workspace.delta;
    if (output_layer) {
      bias_gradient(layer, delta, n_rows, gradient + layer.bias, accumulate);
    } else {
      hidden_delta(layer, n_rows, workspace.output_gradient, workspace.slopes[l], workspace.delta,
                   gradient + layer.bias, accumulate);
    }
    const Scalar* input = l == 0 ? X : workspace.activations[l - 1];
    const std::size_t ld_input = l == 0 ? network.n_features() : network.layers[l - 1].stride;
    if (layer.fan_out == 1 && l > 0) {
      single_output_gradient(layer, n_rows, input, ld_input, delta, workspace.input_gradient,
                             gradient + layer.weights, accumulate);
    } else {
      multiply_transposed(n_rows, layer.fan_in, layer.padded_out, input, ld_input, delta, ld,
                          gradient + layer.weights, ld, accumulate);
    }
    if (l == 0) return embedding_gradient(network, delta, n_rows, accumulate, workspace);
    multiply(n_rows, layer.fan_out, padded<Scalar>(layer.fan_in), delta, ld,
             workspace.transposed[l], ld_input, static_cast<const Scalar*>(nullptr),
             workspace.input_gradient, ld_input);
    if (layer.residual) {
      add_residual(layer, n_rows, workspace.output_gradient, ld, workspace.input_gradient);
    }
    std::swap(workspace.input_gradient, workspace.output_gradient);
  }
}

}  // namespace automs
