"""A time limit that is short for a large table -> the rows that there is time for."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.errors import SearchWarning
from automs.seeds import keyed_rng
from automs.table import Table
from automs.table_values import TableValues
from automs.target import Target

__all__ = ["Rows", "affordable_rows", "keep_rows"]

#: Values of a table for each second of the limit, so that reading, splitting and encoding leave
#: time to train. A fixed number: the rows are the same on every machine.
_VALUES_A_SECOND = 1_000_000
#: Fewer rows than this are never left out.
_LEAST_ROWS = 20_000
#: Rows of a class that are kept at least, where it has so many.
_RARE = 20

Rows = npt.NDArray[np.int64]


def affordable_rows(
    shape: tuple[int, int],
    classes: Rows | None,
    weights: npt.NDArray[np.float64] | None,
    limit: float | None,
    seed: int,
) -> Rows | None:
    """Draw the rows that a time limit is enough for.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the table.
    classes : ndarray of int64, shape (n_rows,), optional
        Class indices of a classification: of each class some rows are kept.
    weights : ndarray of float64, shape (n_rows,), optional
        Rows of weight 0 come last.
    limit : float or None, seconds
    seed : int

    Returns
    -------
    ndarray of int64, or None
        Numbers of rows, ascending; None for all.

    Examples
    --------
    >>> affordable_rows((1_000, 10), None, None, 0.1, seed=0) is None
    True
    >>> affordable_rows((1_000_000, 10), None, None, 1.0, seed=0).shape
    (100000,)
    """
    if limit is None:
        return None
    n_rows, n_columns = shape
    n_kept = max(int(limit * _VALUES_A_SECOND) // n_columns, _LEAST_ROWS)
    if n_kept >= n_rows:
        return None
    order = keyed_rng(seed, n_rows).permutation(n_rows)
    if weights is not None:
        order = np.concatenate([order[weights[order] > 0.0], order[weights[order] == 0.0]])
    rows = order[:n_kept]
    if classes is not None:
        rows = np.union1d(rows, order[_rank_in_class(classes[order]) < _RARE])
    return np.sort(rows)


def _rank_in_class(classes: Rows) -> Rows:
    """Give for each entry how many before it are of its class."""
    order = np.argsort(classes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(classes))[:-1]])
    rank = np.empty_like(order)
    rank[order] = np.arange(classes.size) - starts[classes[order]]
    return rank


def keep_rows(
    rows: Rows, limit: float, table: Table, target: Target, *arrays: npt.NDArray[Any] | None
) -> tuple[Any, ...]:
    """Give the table, the target and the arrays, where there are any, of these rows; and warn."""
    n_rows = len(table.values)
    warnings.warn(
        f"time_limit={limit:g} is short for a table of {n_rows} rows: {len(rows)} of "
        "them, drawn at random, are used; give a longer one for all",
        SearchWarning,
        stacklevel=4,
    )
    values = table.values
    values = values.take(rows) if isinstance(values, TableValues) else values[rows]
    kept = (array if array is None else array[rows] for array in arrays)
    return (
        replace(table, values=values),
        replace(target, values=target.values[rows]),
        *kept,
    )
