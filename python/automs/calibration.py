"""Members' probabilities for rows that they were not trained on -> one temperature for them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automs.halves import cut_halves
from automs.scoring import Metric, score_predictions

__all__ = ["CalibratedRows", "Temperature", "fit_temperature", "tempered"]

Floats = NDArray[np.float64]

#: Temperatures are looked for between one over this and this.
_MOST = 5.0
#: Steps of the golden section: they leave an interval of 1 % of the temperature.
_N_STEPS = 12
#: A probability below this counts as this; beyond it a logit's own value is not known.
_LEAST = 1e-16


@dataclass(frozen=True)
class CalibratedRows:
    """Rows that none of the members was trained on.

    Attributes
    ----------
    members : list of ndarray of shape (n_rows, n_classes), float64
        Probabilities by each member.
    weights : sequence of float
        Of the members, sum 1.
    y : ndarray of shape (n_rows,), int64
        Class indices.
    row_weights : ndarray of shape (n_rows,), float64, or None
    groups : ndarray of int, shape (n_rows,), optional
        Rows of one group are never in both halves.
    """

    members: Sequence[Floats]
    weights: Sequence[float]
    y: NDArray[np.int64]
    row_weights: Floats | None = None
    groups: NDArray[np.integer] | None = None

    def mean(self, temperature: float = 1.0) -> Floats:
        """Give the ensemble's probabilities, each member at that temperature."""
        pairs = zip(self.weights, self.members, strict=True)
        total = sum(weight * tempered(member, temperature) for weight, member in pairs)
        return np.asarray(total, dtype=np.float64)

    def take(self, rows: NDArray[np.intp]) -> CalibratedRows:
        """Give some of the rows."""
        own = None if self.row_weights is None else self.row_weights[rows]
        return CalibratedRows([m[rows] for m in self.members], self.weights, self.y[rows], own)


@dataclass(frozen=True)
class Temperature:
    """What was found: the temperature, and predictions by temperatures of the other half.

    Attributes
    ----------
    value : float
        What logits are divided by; above 1 it makes probabilities less certain.
    crossed : ndarray of shape (n_rows, n_classes), float64
        For each row, by the temperature of the half that it is not in.
    score, plain_score : float
        Of these predictions, and without a temperature.
    """

    value: float
    crossed: Floats
    score: float
    plain_score: float


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Give the probabilities that logits divided by a temperature have.

    Examples
    --------
    >>> tempered(np.array([[0.2, 0.8]]), 0.5).round(4)
    array([[0.0588, 0.9412]])
    """
    if temperature == 1.0:
        return probabilities
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(rows: CalibratedRows, metric: Metric, seed: int) -> Temperature | None:
    """Find the temperature of all members' logits that fits best, where that is of use.

    Members are averaged after each was divided by the temperature, as the model file holds it, so
    what is minimised is the log loss of what will be predicted. As Laplace's rule has it, one row
    more than there are is shared among all classes: without it, members that are never wrong
    would become certain. A temperature is kept where the rows' score by temperatures of the other
    half is better than without one.

    Parameters
    ----------
    rows : CalibratedRows
    metric : Metric
        One that reads how large probabilities are.
    seed : int
        Cuts the halves.

    Returns
    -------
    Temperature or None
        None where it would not help.

    Notes
    -----
    Cost: 12 times the probabilities of all members, twice over.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017).
    """
    if rows.groups is not None and not rows.groups.any():
        return None
    column = rows.y[:, None].astype(np.float64)

    def score(probabilities: Floats) -> float:
        return score_predictions(metric, probabilities, column, rows.row_weights)

    plain = rows.mean()
    crossed = np.empty_like(plain)
    halves = cut_halves(column, metric, seed, rows.groups)
    for chosen_on, used_on in (halves, halves[::-1]):
        if not _has_weight(rows.take(chosen_on)):
            return None
        crossed[used_on] = rows.take(used_on).mean(_best_temperature(rows.take(chosen_on)))
    plain_score, crossed_score = score(plain), score(crossed)
    if not crossed_score > plain_score:
        return None
    return Temperature(_best_temperature(rows), crossed, crossed_score, plain_score)


def _has_weight(rows: CalibratedRows) -> bool:
    return len(rows.y) > 0 and (rows.row_weights is None or bool(rows.row_weights.any()))


def _best_temperature(rows: CalibratedRows) -> float:
    logarithm = _golden_section(
        lambda at: _smoothed_loss(rows.mean(float(np.exp(at))), rows), np.log(_MOST)
    )
    return float(np.exp(logarithm))


def _smoothed_loss(probabilities: Floats, rows: CalibratedRows) -> float:
    """Log loss where one row more is shared among the classes, evenly over all rows."""
    logs = np.log(np.maximum(probabilities, _LEAST))
    n_rows = len(rows.y)
    by_row = n_rows * logs[np.arange(n_rows), rows.y] + logs.mean(axis=1)
    return -float(np.average(by_row, weights=rows.row_weights)) / (n_rows + 1)


def _golden_section(function: Callable[[float], float], most: float) -> float:
    """Give where a function of one valley between -most and most is least."""
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    low, high = -float(most), float(most)
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    for _ in range(_N_STEPS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return (low + high) / 2.0
