"""Columns and training rows -> `Encoder`: float64 columns to float32 features, NaN included."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import Encoder

__all__ = ["ENCODINGS", "Encoder", "fit_encoder"]

ENCODINGS = ("robust", "standard")

Values = npt.NDArray[np.float64]


def fit_encoder(values: Values, train_rows: npt.NDArray[np.int32], encoding: str) -> Encoder:
    """Learn how to encode columns, from training rows only.

    Parameters
    ----------
    values : ndarray of float64, shape (n_rows, n_columns)
        NaN is a missing value.
    train_rows : ndarray of int32
        The rows to learn from.
    encoding : {"robust", "standard"}
        "robust": z = (x - median) / interquartile range, then z / sqrt(1 + (z / 3)^2); where the
        interquartile range is 0, half the range takes its place. "standard": z = (x - mean) /
        standard deviation.

    Returns
    -------
    Encoder
        A constant column becomes 0. A missing value becomes 0, and each column with both missing
        and present values among the training rows gets a feature more that says which.

    References
    ----------
    D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", 2024, arXiv 2407.04491, section 3: the robust encoding.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[1.0, 5.0], [3.0, np.nan]])
    >>> encoder = fit_encoder(values, np.arange(2, dtype=np.int32), "standard")
    >>> encoder.encode(values)[0]
    array([[-1.,  0.,  0.],
           [ 1.,  0.,  1.]], dtype=float32)
    """
    train = values[train_rows]
    missing = np.isnan(train)
    n_missing = missing.sum(axis=0)
    indicator = (n_missing > 0) & (n_missing < len(train))
    measure = _median_and_range if encoding == "robust" else _mean_and_deviation
    n_columns = train.shape[1]
    centre, scale = np.zeros(n_columns), np.zeros(n_columns)
    for column in range(n_columns):
        present = train[:, column]
        if n_missing[column]:
            present = present[~missing[:, column]]
        if present.size:
            centre[column], scale[column] = _centre_and_scale(present, measure)
    clip = encoding == "robust"
    parts: list[dict[str, Any]] = [
        {"kind": "scaled", "column": at, "clip": clip, "centre": centre[at], "scale": scale[at]}
        for at in range(n_columns)
    ]
    parts += [{"kind": "indicator", "column": int(at)} for at in np.flatnonzero(indicator)]
    return Encoder(n_columns, parts)


def _centre_and_scale(present: Values, measure: Any) -> tuple[float, float]:
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
    lower, median, upper = np.quantile(column, [0.25, 0.5, 0.75])
    if upper > lower:
        return float(median), float(upper - lower)
    return float(median), float(column.max() - column.min()) / 2.0
