// Logits and targets -> loss of each row and its gradient with respect to the logits.
#pragma once

#include <cmath>
#include <cstddef>

#include "automs/functions.hpp"
#include "core/candidate.hpp"

namespace automs {

// The loss of a row is summed over outputs; L is its weighted mean over rows. z: logit, y: target.
//   squared        (y - z)^2 / 2
//   absolute       |y - z|
//   huber          (y - z)^2 / 2 where |y - z| <= delta, else delta * (|y - z| - delta / 2)
//   quantile       max(q (y - z), (q - 1) (y - z))              (pinball loss, quantile q)
//   poisson        exp(z) - y z                                 (log link, up to a constant)
//   cross_entropy  one logit: log(1 + e^z) - y z, y in {0, 1}; several: log(sum e^z) - z_y
// Label smoothing s replaces a class target t by (1 - s) t + s / n_classes (Szegedy et al. 2016).

/// Loss and derivative at one (logit, target).
template <typename Scalar>
ValueAndSlope<Scalar> pointwise_loss(const LossSettings& settings, Scalar z, Scalar y) {
  const Scalar error = z - y;
  switch (settings.kind) {
    case Loss::squared:
      return {Scalar(0.5) * error * error, error};
    case Loss::absolute:
      return {error < 0 ? -error : error, Scalar((error > 0) - (error < 0))};
    case Loss::huber: {
      const auto delta = static_cast<Scalar>(settings.huber_delta);
      const Scalar size = error < 0 ? -error : error;
      if (size <= delta) return {Scalar(0.5) * error * error, error};
      return {delta * (size - Scalar(0.5) * delta), error < 0 ? -delta : delta};
    }
    case Loss::quantile: {
      const auto q = static_cast<Scalar>(settings.quantile);
      if (error < 0) return {-q * error, -q};
      return {(Scalar(1) - q) * error, error > 0 ? Scalar(1) - q : Scalar(0)};
    }
    case Loss::poisson: {
      const Scalar rate = automs::exp(z);
      return {rate - y * z, rate - y};
    }
    case Loss::cross_entropy: {
      const auto s = static_cast<Scalar>(settings.label_smoothing);
      const Scalar target = (Scalar(1) - s) * y + Scalar(0.5) * s;
      return {automs::softplus(z) - target * z, automs::sigmoid(z) - target};
    }
  }
  return {Scalar(0), Scalar(0)};
}

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

/// A tile's rows. `targets` (n_rows, n_targets): one value a logit, or the class' index where the
/// loss is cross-entropy over several logits. `row_weights` may be null for 1.
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

/// Tile -> sum over rows of weight * loss. gradient (n_rows, ld) = weight * scale * dloss/dlogit,
/// and 0 in the padding.
template <typename Scalar>
double tile_loss(const LossSettings& settings, const LossTile<Scalar>& tile, Scalar scale,
                 Scalar* gradient) {
  const bool softmax = settings.kind == Loss::cross_entropy && tile.n_logits > 1;
  double total = 0.0;
  for (int row = 0; row < tile.n_rows; ++row) {
    const Scalar* z = tile.logits + row * tile.ld;
    const Scalar* y = tile.targets + static_cast<std::size_t>(row) * tile.n_targets;
    Scalar* g = gradient + row * tile.ld;
    const Scalar weight = tile.row_weights ? tile.row_weights[row] : Scalar(1);
    double loss = 0.0;
    if (softmax) {
      loss = softmax_loss(settings, z, tile.n_logits, static_cast<int>(y[0]), g);
    } else {
      for (int j = 0; j < tile.n_logits; ++j) {
        const ValueAndSlope<Scalar> result = pointwise_loss(settings, z[j], y[j]);
        loss += result.value;
        g[j] = result.slope;
      }
    }
    for (int j = 0; j < tile.n_logits; ++j) g[j] *= weight * scale;
    for (std::size_t j = tile.n_logits; j < tile.ld; ++j) g[j] = Scalar(0);
    total += static_cast<double>(weight) * loss;
  }
  return total;
}

}  // namespace automs
