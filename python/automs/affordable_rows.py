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
from automs.target import Target

__all__ = ["Rows", "affordable_rows", "keep_rows"]

#: Values of a table for each second of the limit, so that reading, splitting and encoding leave
#: time to train. A fixed number: the rows are the same on every machine.
_VALUES_A_SECOND = 1_000_000
#: Fewer rows than this are never left out.
_LEAST_ROWS = 20_000
#: Rows of a class that are all kept.
_RARE = 20

Rows = npt.NDArray[np.int64]


def affordable_rows(
    shape: tuple[int, int], classes: Rows | None, limit: float | None, seed: int
) -> Rows | None:
    """Draw the rows that a time limit is enough for.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the table.
    classes : ndarray of int64, shape (n_rows,), optional
        Class indices of a classification: the rows of rare classes are kept.
    limit : float or None, seconds
    seed : int

    Returns
    -------
    ndarray of int64, or None
        Numbers of rows, ascending; None for all.

    Examples
    --------
    >>> affordable_rows((1_000, 10), None, 0.1, seed=0) is None
    True
    >>> affordable_rows((1_000_000, 10), None, 1.0, seed=0).shape
    (100000,)
    """
    if limit is None:
        return None
    n_rows, n_columns = shape
    n_kept = max(int(limit * _VALUES_A_SECOND) // n_columns, _LEAST_ROWS)
    if n_kept >= n_rows:
        return None
    rows = keyed_rng(seed, n_rows).choice(n_rows, n_kept, replace=False)
    if classes is not None:
        counts = np.bincount(classes)
        rows = np.union1d(rows, np.flatnonzero(counts[classes] <= _RARE))
    return np.sort(rows)


def keep_rows(
    rows: Rows, limit: float, table: Table, target: Target, *arrays: npt.NDArray[Any] | None
) -> tuple[Any, ...]:
    """Give the table, the target and the arrays, where there are any, of these rows; and warn."""
    warnings.warn(
        f"time_limit={limit:g} is short for a table of {len(table.values)} rows: {len(rows)} of "
        "them, drawn at random, are used; give a longer one for all",
        SearchWarning,
        stacklevel=4,
    )
    kept = (array if array is None else array[rows] for array in arrays)
    return (
        replace(table, values=table.values[rows]),
        replace(target, values=target.values[rows]),
        *kept,
    )
