// Logits and targets -> loss of each row and its gradient with respect to the logits.
#pragma once

#include <cmath>
#include <cstddef>

#include "automs/functions.hpp"
#include "core/candidate.hpp"
#include "core/types.hpp"

namespace automs {

// The loss of a row is summed over outputs; L is its weighted mean over rows. z: logit, y: target.
//   squared        (y - z)^2 / 2
//   absolute       |y - z|
//   huber          (y - z)^2 / 2 where |y - z| <= delta, else delta * (|y - z| - delta / 2)
//   quantile       max(q (y - z), (q - 1) (y - z))              (pinball loss, quantile q)
//   poisson        exp(z) - y z                                 (log link, up to a constant)
//   squared_log    (y - z)^2 / 2, y being the logarithm that the view holds (view.hpp)
//   cross_entropy  one logit: log(1 + e^z) - y z, y in {0, 1}; several: log(sum e^z) - z_y
// Label smoothing s replaces a class target t by (1 - s) t + s / n_classes (Szegedy et al. 2016).

namespace detail {

// Each loss is a type with `at(logit, target)` -> loss and derivative, so that no loop holds a
// switch; written without branches, so that loops over rows become vectors.

struct SquaredLoss {
  template <typename Scalar>
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar error = z - y;
    return {Scalar(0.5) * error * error, error};
  }
};

struct AbsoluteLoss {
  template <typename Scalar>
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar error = z - y;
    const Scalar above = error > 0 ? Scalar(1) : Scalar(0);
    const Scalar slope = error < 0 ? Scalar(-1) : above;
    return {error < 0 ? -error : error, slope};
  }
};

template <typename Scalar>
struct HuberLoss {
  Scalar delta;
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar error = z - y;
    const Scalar size = error < 0 ? -error : error;
    const Scalar far = delta * (size - Scalar(0.5) * delta);
    const Scalar near = Scalar(0.5) * error * error;
    const Scalar far_slope = error < 0 ? -delta : delta;
    return {size <= delta ? near : far, size <= delta ? error : far_slope};
  }
};

template <typename Scalar>
struct QuantileLoss {
  Scalar q;
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar error = z - y;
    const Scalar above = error > 0 ? Scalar(1) - q : Scalar(0);
    return {(error < 0 ? -q : Scalar(1) - q) * error, error < 0 ? -q : above};
  }
};

struct PoissonLoss {
  template <typename Scalar>
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar rate = automs::exp(z);
    return {rate - y * z, rate - y};
  }
};

template <typename Scalar>
struct BinaryCrossEntropy {
  Scalar smoothing;
  ValueAndSlope<Scalar> at(Scalar z, Scalar y) const {
    const Scalar target = (Scalar(1) - smoothing) * y + Scalar(0.5) * smoothing;
    return {automs::softplus(z) - target * z, automs::sigmoid(z) - target};
  }
};

/// Calls `visitor` with the loss of one logit and one target.
template <typename Scalar, typename Visitor>
void visit_loss(const LossSettings& settings, Visitor&& visitor) {
  switch (settings.kind) {
    case Loss::squared:
    case Loss::squared_log:
      return visitor(SquaredLoss{});
    case Loss::absolute:
      return visitor(AbsoluteLoss{});
    case Loss::huber:
      return visitor(HuberLoss<Scalar>{static_cast<Scalar>(settings.huber_delta)});
    case Loss::quantile:
      return visitor(QuantileLoss<Scalar>{static_cast<Scalar>(settings.quantile)});
    case Loss::poisson:
      return visitor(PoissonLoss{});
    case Loss::cross_entropy:
      return visitor(BinaryCrossEntropy<Scalar>{static_cast<Scalar>(settings.label_smoothing)});
  }
}

}  // namespace detail

/// Multi-class cross-entropy of one row: logits (n) and the class' index -> loss; gradient (n).
template <typename Scalar>
Scalar softmax_loss(const LossSettings& settings, const Scalar* logits, int n, int target,
                    Scalar* gradient) {
  Scalar largest = logits[0];
  for (int j = 1; j < n; ++j) largest = logits[j] > largest ? logits[j] : largest;
  Scalar sum = 0;
  for (int j = 0; j < n; ++j) {
    gradient[j] = automs::exp(logits[j] - largest);
    sum += gradient[j];
  }
  const auto smoothing = static_cast<Scalar>(settings.label_smoothing);
  const Scalar share = smoothing / static_cast<Scalar>(n);
  Scalar expected = 0;  // sum of target times (logit - largest)
  for (int j = 0; j < n; ++j) {
    const Scalar goal = share + (j == target ? Scalar(1) - smoothing : Scalar(0));
    expected += goal * (logits[j] - largest);
    gradient[j] = gradient[j] / sum - goal;
  }
  return static_cast<Scalar>(std::log(sum)) - expected;
}

/// A tile's rows, at most kTileRows. `targets` (n_rows, n_targets): one value a logit, or the
/// class' index where the loss is cross-entropy over several logits. `row_weights` may be null for
/// 1.
template <typename Scalar>
struct LossTile {
  const Scalar* logits;
  std::size_t ld;  // between rows of the logits and of the gradient
  const Scalar* targets;
  int n_targets;
  const Scalar* row_weights;
  int n_rows;
  int n_logits;
};

namespace detail {

/// One logit and target a row, n of each: losses and their derivatives.
template <typename LossType, typename Scalar>
[[gnu::noinline]] void column_loss(const LossType& loss, int n, const Scalar* __restrict z,
                                   const Scalar* __restrict y, Scalar* __restrict losses,
                                   Scalar* __restrict gradient) {
  for (int row = 0; row < n; ++row) {
    const ValueAndSlope<Scalar> result = loss.at(z[row], y[row]);
    losses[row] = result.value;
    gradient[row] = result.slope;
  }
}

/// Several logits and targets a row: the sums of their losses, and the derivatives.
template <typename LossType, typename Scalar>
void row_losses(const LossType& loss, const LossTile<Scalar>& tile, Scalar* losses,
                Scalar* gradient) {
  for (int row = 0; row < tile.n_rows; ++row) {
    losses[row] = Scalar(0);
    for (int j = 0; j < tile.n_logits; ++j) {
      const ValueAndSlope<Scalar> result =
          loss.at(tile.logits[row * tile.ld + j],
                  tile.targets[static_cast<std::size_t>(row) * tile.n_targets + j]);
      losses[row] += result.value;
      gradient[row * tile.ld + j] = result.slope;
    }
  }
}

/// Rows' weights into their gradients; the padding becomes 0.
template <typename Scalar>
void scale_gradient(const LossTile<Scalar>& tile, Scalar scale, Scalar* gradient) {
  if (tile.ld == 1 && !tile.row_weights) {
    for (int row = 0; row < tile.n_rows; ++row) gradient[row] *= scale;
    return;
  }
  for (int row = 0; row < tile.n_rows; ++row) {
    const Scalar factor = tile.row_weights ? tile.row_weights[row] * scale : scale;
    Scalar* g = gradient + row * tile.ld;
    for (int j = 0; j < tile.n_logits; ++j) g[j] *= factor;
    for (std::size_t j = tile.n_logits; j < tile.ld; ++j) g[j] = Scalar(0);
  }
}

/// Sum of weight * loss in double, in four sums that take turns.
template <typename Scalar>
double weighted_sum(int n, const Scalar* losses, const Scalar* weights) {
  double sums[4] = {};
  auto add = [&](int row, int into) {
    const double weight = weights ? static_cast<double>(weights[row]) : 1.0;
    sums[into] += weight * static_cast<double>(losses[row]);
  };
  int row = 0;
  for (; row + 4 <= n; row += 4) {
    for (int i = 0; i < 4; ++i) add(row + i, i);
  }
  for (int i = 0; row + i < n; ++i) add(row + i, i);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace detail

/// Tile -> sum over rows of weight * loss. gradient (n_rows, ld) = weight * scale * dloss/dlogit,
/// and 0 in the padding.
template <typename Scalar>
double tile_loss(const LossSettings& settings, const LossTile<Scalar>& tile, Scalar scale,
                 Scalar* gradient) {
  Scalar losses[kTileRows];
  if (settings.kind == Loss::cross_entropy && tile.n_logits > 1) {
    for (int row = 0; row < tile.n_rows; ++row) {
      const int target = static_cast<int>(tile.targets[row]);
      losses[row] = softmax_loss(settings, tile.logits + row * tile.ld, tile.n_logits, target,
                                 gradient + row * tile.ld);
    }
  } else {
    detail::visit_loss<Scalar>(settings, [&](const auto& loss) {
      if (tile.ld == 1) {
        detail::column_loss(loss, tile.n_rows, tile.logits, tile.targets, losses, gradient);
      } else {
        detail::row_losses(loss, tile, losses, gradient);
      }
    });
  }
  detail::scale_gradient(tile, scale, gradient);
  return detail::weighted_sum(tile.n_rows, losses, tile.row_weights);
}

}  // namespace automs
