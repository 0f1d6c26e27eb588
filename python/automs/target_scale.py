"""A target, training rows and a loss -> `TargetScale`: a target's units to a network's and back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from automs.setting_rules import resolve_loss
from automs.target import Target

__all__ = [
    "ScaleKind", "TargetScale", "fit_target_scale", "kind_of_scale", "link_of", "logs_shift",
]  # fmt: skip

Values = npt.NDArray[np.float64]
Values32 = npt.NDArray[np.float32]

#: A shift is at least so far below the least value, by the largest magnitude: a difference of two
#: values near each other would be about nothing but their rounding.
_LEAST_GAP = 2.0**-20


class ScaleKind(Enum):
    """How a target's values are encoded, by what the loss wants."""

    PLAIN = "plain"  # less their mean, in units of their deviation; classes as they are
    COUNTS = "counts"  # in units of their mean, for a network that gives its logarithm
    LOGS = "logs"  # the same as plain, of logarithms


@dataclass(frozen=True, slots=True)
class TargetScale:
    """How each target is encoded: all arrays have shape (n_logits,).

    A network's value is ``centre + scale * z``, of counts ``scale * exp(z)``; of logarithms
    ``centre + scale * exp(log_deviation * z)``, kept within `low` and `high`, the range of the
    training rows.
    """

    centre: Values
    scale: Values
    log_deviation: Values | None = None
    low: Values | None = None
    high: Values | None = None

    def encode(self, y: Values) -> Values:
        """Give values (n_rows, n_logits) as networks are trained on them.

        Logarithms are those of values that are kept above the least of the training rows.
        """
        if self.log_deviation is None:
            plain: Values = (y - self.centre) / self.scale
            return plain
        assert self.low is not None
        logs: Values = np.log(np.maximum(y, self.low) - self.centre) - np.log(self.scale)
        return logs / self.log_deviation

    def absorb(self, layer: Values32) -> Values32:
        """Give the weights or biases of a last layer that gives logarithms, not in deviations."""
        if self.log_deviation is None:
            return layer
        absorbed: Values32 = (layer * self.log_deviation).astype(np.float32)
        return absorbed


def kind_of_scale(loss: str, task: str) -> ScaleKind:
    """Give how a candidate's loss wants the target of a task."""
    kinds = {"poisson": ScaleKind.COUNTS, "squared_log": ScaleKind.LOGS}
    return kinds.get(resolve_loss(loss, task), ScaleKind.PLAIN)


def link_of(task: str, kind: ScaleKind) -> str:
    """Give what makes a network's logits values or probabilities."""
    of_numbers = "identity" if kind is ScaleKind.PLAIN else "exp"
    return {"binary": "sigmoid", "multiclass": "softmax"}.get(task, of_numbers)


def fit_target_scale(
    target: Target, rows: npt.NDArray[np.int32], sample_weight: Values | None, kind: ScaleKind
) -> TargetScale:
    """Learn the scale from training rows.

    Parameters
    ----------
    target : Target
    rows : ndarray of int32
    sample_weight : ndarray of float64, shape of all rows, or None
    kind : ScaleKind

    Returns
    -------
    TargetScale
        Classes have centre 0 and scale 1.
    """
    if target.classes is not None:
        return TargetScale(np.zeros(target.n_logits), np.ones(target.n_logits))
    y = target.values[rows]
    weights = None if sample_weight is None else sample_weight[rows]
    if weights is not None and not weights.any():
        weights = None
    if kind is ScaleKind.LOGS:
        return _of_logs(y, weights)
    # In units of about the largest magnitude, so that no square is too large or too small; a
    # power of two changes no bit of what follows.
    unit = _units(y)
    y = y / unit
    if kind is ScaleKind.COUNTS:
        mean = np.average(y, axis=0, weights=weights)
        return TargetScale(np.zeros(target.n_logits), np.where(mean > 0, mean, 1.0) * unit)
    mean, deviation = _moments(y, weights)
    return TargetScale(mean * unit, np.where(deviation == 0, 1.0, deviation * unit))


def logs_shift(y: Values, weights: Values | None = None) -> Values:
    """Give what is taken from each column (n_rows, n_columns) before its logarithm.

    That is 0 where all values are above 0. Else it lies as far below the least value as that lies
    below the mean, so that the logarithms are those of ``1 + (y - min) / (mean - min)``, which
    does not depend on the target's units.
    """
    least, mean = y.min(axis=0), np.average(y, axis=0, weights=weights)
    gap = np.maximum(mean - least, _LEAST_GAP * _units(y))
    shift: Values = np.where(least > 0.0, 0.0, least - gap)
    return shift


def _of_logs(y: Values, weights: Values | None) -> TargetScale:
    if weights is not None:
        y, weights = y[weights > 0.0], weights[weights > 0.0]
    shift = logs_shift(y, weights)
    mean, deviation = _moments(np.log(y - shift), weights)
    return TargetScale(
        shift, np.exp(mean), np.where(deviation == 0, 1.0, deviation), y.min(axis=0), y.max(axis=0)
    )


def _moments(y: Values, weights: Values | None) -> tuple[Values, Values]:
    """Mean and deviation of each column; the deviation of a constant one is 0."""
    mean = np.average(y, axis=0, weights=weights)
    deviation = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(y.max(axis=0) == y.min(axis=0), 0.0, deviation)


def _units(y: Values) -> Values:
    """Give the power of two above each column's largest magnitude."""
    units: Values = np.ldexp(1.0, np.frexp(np.abs(y).max(axis=0))[1])
    return units
