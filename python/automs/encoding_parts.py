"""Training values of a numeric or date column -> parts of an encoder: scales, knots, cycles."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Part", "date_parts", "indicator_part", "numeric_parts", "scaled_part"]

Values = npt.NDArray[np.float64]
Part = dict[str, Any]

#: Quantiles are those of at most so many values, evenly spaced in the order of the rows.
_MAX_SAMPLE = 200_000
_MAX_QUANTILE_KNOTS = 256
_MAX_DEVIATION = 3.0  # of what a rank becomes
_DAY = 86_400.0  # seconds


def numeric_parts(
    column: int, values: Values, encoding: str, n_bins: int, n_values: int
) -> list[Part]:
    """Give the parts of a numeric column.

    Parameters
    ----------
    column : int
    values : ndarray of float64, shape (n_train_rows,)
        Of training rows; NaN is missing.
    encoding : {"robust", "standard", "piecewise", "piecewise-fine", "quantile"}
    n_bins : int
        Bins of a piecewise part, at most; 0 for the encodings that have none.
    n_values : int
        Up to so many bins are between any two values of a column.

    Returns
    -------
    list of dict
        None for a column that is constant or missing throughout, but for the indicator.
    """
    present = values[~np.isnan(values)]
    parts = []
    sample = _sample(present)
    if encoding == "quantile":
        parts += _interpolated(column, sample) or scaled_part(column, present, "robust")
    else:
        scaling = "standard" if encoding == "standard" else "robust"
        parts += scaled_part(column, present, scaling)
        if n_bins and parts:
            parts += _piecewise(column, sample, n_bins, n_values)
    return parts + indicator_part(column, len(values) - len(present), len(values))


def date_parts(column: int, values: Values) -> list[Part]:
    """Give the parts of a date column: its seconds, and the cycles that its values can tell of.

    The year is one where dates span more than 180 days, the week where they span more than 7, and
    the day where they differ in their time of day.
    """
    present = values[~np.isnan(values)]
    parts = scaled_part(column, present, "robust")
    if parts:
        days = float(present.max() - present.min()) / _DAY
        times = present % _DAY
        cycles = (
            ("year", days > 180.0),
            ("week", days > 7.0),
            ("day", bool((times != times[0]).any())),
        )
        parts += [
            {"kind": "calendar", "column": column, "cycle": cycle} for cycle, told in cycles if told
        ]
    return parts + indicator_part(column, len(values) - len(present), len(values))


def indicator_part(column: int, n_missing: int, n_rows: int) -> list[Part]:
    """Give an indicator of missing values, where some but not all are missing."""
    return [{"kind": "indicator", "column": column}] if 0 < n_missing < n_rows else []


def scaled_part(column: int, present: Values, scaling: str) -> list[Part]:
    """Give a scaled part, "robust" or "standard", or none where there is no spread to scale by."""
    if not present.size:
        return []
    measure = _median_and_range if scaling == "robust" else _mean_and_deviation
    centre, scale = _centre_and_scale(present, measure)
    if scale == 0.0:
        return []
    clip = scaling == "robust"
    return [{"kind": "scaled", "column": column, "clip": clip, "centre": centre, "scale": scale}]


def _sample(present: Values) -> Values:
    if present.size <= _MAX_SAMPLE:
        return present
    return present[np.linspace(0, present.size - 1, _MAX_SAMPLE).astype(np.int64)]


def _centre_and_scale(
    present: Values, measure: Callable[[Values], tuple[float, float]]
) -> tuple[float, float]:
    """Measure a column in units of its largest magnitude, so that no sum overflows."""
    low, high = float(present.min()), float(present.max())
    if low == high:
        return low, 0.0
    unit = max(abs(low), abs(high))
    with np.errstate(over="ignore", under="ignore"):
        centre, spread = measure(present / unit)
        scale = 1.0 / (spread * unit) if spread * unit > 0.0 else np.inf
    # Values that differ by less than a double can express as a scale count as constant.
    return float(centre * unit), float(scale) if np.isfinite(scale) else 0.0


def _mean_and_deviation(column: Values) -> tuple[float, float]:
    return float(column.mean()), float(column.std())


def _median_and_range(column: Values) -> tuple[float, float]:
    lower, median, upper = np.quantile(_sample(column), [0.25, 0.5, 0.75])
    if upper > lower:
        return float(median), float(upper - lower)
    return float(median), float(column.max() - column.min()) / 2.0


def _piecewise(column: int, sample: Values, n_bins: int, n_values: int) -> list[Part]:
    """Give a part of two bins at least, or none."""
    knots = _knots(sample, n_bins, n_values)
    if knots.size < 3 or not _measurable(knots):
        return []
    return [{"kind": "piecewise", "column": column, "knots": knots}]


def _knots(sample: Values, n_bins: int, n_values: int) -> Values:
    """Put knots at every value where these are few, else at quantiles.

    A value that would take more than a bin for itself, such as the zeros of a column of amounts,
    gets a knot; the others are at quantiles of what remains.
    """
    distinct, counts = np.unique(sample, return_counts=True)
    if distinct.size <= n_values + 1:
        return distinct
    frequent = distinct[counts > sample.size / n_bins]
    rest = sample[~np.isin(sample, frequent)]
    # Quantiles that are values: between two of them there may be no double.
    shares = np.linspace(0.0, 1.0, n_bins + 1 - frequent.size)
    return np.unique(np.concatenate([frequent, np.quantile(rest, shares, method="nearest")]))


def _interpolated(column: int, sample: Values) -> list[Part]:
    """Knots at values and their normal scores: the normal quantile of the mean rank of equals."""
    knots, counts = np.unique(sample, return_counts=True)
    if knots.size < 2 or not _measurable(knots):
        return []
    share = (np.cumsum(counts) - 0.5 * counts) / sample.size
    if knots.size > _MAX_QUANTILE_KNOTS:
        wanted = np.linspace(share[0], share[-1], _MAX_QUANTILE_KNOTS)
        chosen = np.unique(np.searchsorted(share, wanted))
        knots, share = knots[chosen], share[chosen]
    normal = NormalDist()
    edge = normal.cdf(-_MAX_DEVIATION)
    scores = [normal.inv_cdf(p) for p in np.clip(share, edge, 1.0 - edge).tolist()]
    return [{"kind": "interpolated", "column": column, "knots": knots, "values": np.array(scores)}]


def _measurable(knots: Values) -> bool:
    """Tell whether a double holds the distance between all knots."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(knots[-1] - knots[0]))
