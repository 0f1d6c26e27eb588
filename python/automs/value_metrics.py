"""Predicted values, true ones and weights -> the scores of a regression in NumPy.

Each function takes one output's predictions, true values and weights, all of shape (n_rows,), and
a quantile, and gives a score, higher is better; NaN where there is none. Formulas are
scikit-learn's; where that knows no weights, rows without weight do not count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["VALUE_SCORES"]

Floats = NDArray[np.float64]
ValueScore = Callable[[Floats, Floats, Floats, float], float]

_LEAST = float(np.finfo(np.float64).eps)  # that an error is divided by


def _mean(values: Floats, weights: Floats) -> float:
    return float(np.average(values, weights=weights))


def _weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """Give the value below which a share of the weight lies; the middle of two where both do."""
    order = np.argsort(values, kind="stable")
    order = order[weights[order] > 0.0]
    sums = np.cumsum(weights[order])
    wanted = share * sums[-1]
    at = min(int(np.searchsorted(sums, wanted * (1.0 - 1e-12))), len(order) - 1)
    is_between = abs(sums[at] - wanted) <= 1e-12 * sums[-1] and at + 1 < len(order)
    return float(values[order[at]] + values[order[at + is_between]]) / 2.0


def _explained_variance(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    def variance(values: Floats) -> float:
        return _mean((values - _mean(values, weights)) ** 2, weights)

    of_y, of_errors = variance(y), variance(y - predictions)
    if of_y == 0.0:
        return 1.0 if of_errors == 0.0 else 0.0
    return 1.0 - of_errors / of_y


def _max_error(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    return -float(np.abs(y - predictions)[weights > 0.0].max())


def _median_error(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    return -_weighted_quantile(np.abs(y - predictions), weights, 0.5)


def _share_error(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    return -_mean(np.abs(y - predictions) / np.maximum(np.abs(y), _LEAST), weights)


def _gamma_deviance(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    if (y <= 0.0).any() or (predictions <= 0.0).any():
        return float("nan")
    return -2.0 * _mean(np.log(predictions / y) + y / predictions - 1.0, weights)


def _log_error(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    if (y <= -1.0).any() or (predictions <= -1.0).any():
        return float("nan")
    return -_mean((np.log1p(y) - np.log1p(predictions)) ** 2, weights)


def _root_log_error(predictions: Floats, y: Floats, weights: Floats, quantile: float) -> float:
    return -float(np.sqrt(-_log_error(predictions, y, weights, quantile)))


def _pinball(errors: Floats, weights: Floats, quantile: float) -> float:
    return _mean(np.where(errors >= 0.0, quantile * errors, (quantile - 1.0) * errors), weights)


def _explained_pinball(predictions: Floats, y: Floats, weights: Floats, quantile: float) -> float:
    """1 - loss / (loss of the quantile of y); finite where y is constant, as for R2."""
    if len(y) < 2:
        return float("nan")
    loss = _pinball(y - predictions, weights, quantile)
    of_constant = _pinball(y - _weighted_quantile(y, weights, quantile), weights, quantile)
    if of_constant == 0.0:
        return 1.0 if loss == 0.0 else 0.0
    return 1.0 - loss / of_constant


def _explained_error(predictions: Floats, y: Floats, weights: Floats, _quantile: float) -> float:
    return _explained_pinball(predictions, y, weights, 0.5)


VALUE_SCORES: dict[str, ValueScore] = {
    "explained_variance": _explained_variance,
    "neg_max_error": _max_error,
    "neg_median_absolute_error": _median_error,
    "neg_mean_absolute_percentage_error": _share_error,
    "neg_mean_gamma_deviance": _gamma_deviance,
    "neg_mean_squared_log_error": _log_error,
    "neg_root_mean_squared_log_error": _root_log_error,
    "d2_absolute_error_score": _explained_error,
    "d2_pinball_score": _explained_pinball,
}
