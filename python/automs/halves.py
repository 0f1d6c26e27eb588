"""Scored rows, groups and a seed -> two halves that share no group."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from automs.scoring import Metric

__all__ = ["cut_halves"]

Floats = NDArray[np.float64]
Halves = tuple[NDArray[np.intp], NDArray[np.intp]]


def cut_halves(
    y: Floats, metric: Metric, seed: int, groups: NDArray[np.integer] | None = None
) -> Halves:
    """Give two sorted halves of the rows, each class shared evenly for classification.

    Parameters
    ----------
    y : ndarray of shape (n_rows, n_outputs), float64
    metric : Metric
    seed : int
    groups : ndarray of int, shape (n_rows,), optional
        Rows of one group, or copies of one row, are in the same half; None: each row for itself.

    Returns
    -------
    first, second : ndarray of int
    """
    codes = _group_codes(groups)
    if codes is not None:
        return _halves_of_groups(y, metric, seed, codes)
    order = np.random.default_rng(seed).permutation(len(y))
    if metric.is_classification:
        # Sorted by class, random within: every second row keeps all classes in both halves.
        order = order[np.argsort(y[order, 0], kind="stable")]
    return np.sort(order[0::2]), np.sort(order[1::2])


def _group_codes(groups: NDArray[np.integer] | None) -> NDArray[np.int64] | None:
    """Give groups as 0, 1, ..., None where every row is a group for itself."""
    if groups is None:
        return None
    labels, codes = np.unique(groups, return_inverse=True)
    return None if len(labels) == len(groups) else codes.astype(np.int64)


def _halves_of_groups(y: Floats, metric: Metric, seed: int, groups: NDArray[np.int64]) -> Halves:
    """Give halves that share no group: each goes to the half with fewer rows so far."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    if metric.is_classification:
        first_row = np.unique(groups, return_index=True)[1]
        order = order[np.argsort(y[first_row[order], 0], kind="stable")]
    in_second = np.zeros(len(sizes), dtype=bool)
    surplus = 0  # rows that the first half has more than the second
    for group in order:
        in_second[group] = surplus > 0
        surplus += -int(sizes[group]) if surplus > 0 else int(sizes[group])
    second = in_second[groups]
    return np.flatnonzero(~second), np.flatnonzero(second)
