"""Columns of numbers, where they are -> what reads like a float64 matrix of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["TableValues", "is_worth_storing", "narrow"]

Values = npt.NDArray[np.float64]

#: Bytes that a copy in float64 would take, for it to be worth while to do without.
_LARGE = 1 << 25


class TableValues:
    """Columns of a large table in the types that they came in, often in the caller's own memory.

    Rows of it are float64 and made when they are asked for, as those of a matrix: ``values[rows]``,
    ``values[rows, column]``. A pickle holds the columns, and becomes a matrix.

    Parameters
    ----------
    columns : sequence of ndarray, shape (n_rows,)
        Numbers of at most 8 bytes each. Never written to.

    Attributes
    ----------
    shape : tuple of int
    nbytes : int
        Of the columns.

    Examples
    --------
    >>> values = TableValues([np.array([1, 2], np.int8), np.array([0.5, np.nan])])
    >>> values[:]
    array([[1. , 0.5],
           [2. , nan]])
    >>> values[1:, 0], values.shape
    (array([2.]), (2, 2))
    """

    def __init__(self, columns: Sequence[npt.NDArray[Any]]) -> None:
        self._columns = list(columns)
        self.shape = (len(self._columns[0]), len(self._columns))
        self.nbytes = sum(column.nbytes for column in self._columns)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Values:
        """Give some rows of all columns, or of one."""
        if isinstance(key, tuple):
            rows, at = key
            return self._columns[at][rows].astype(np.float64)
        return _as_matrix(self._columns, key)

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> TableValues:
        """Give some rows of all columns, still in the types that they came in."""
        return TableValues([column[rows] for column in self._columns])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """Give all of it, as NumPy's functions ask for it."""
        return self[:] if dtype is None else self[:].astype(dtype)

    def __reduce__(self) -> tuple[Callable[[Any], Values], tuple[Any]]:
        """Pickle the columns, without a copy of those that lie by themselves."""
        return _as_matrix, (self._columns,)


def is_worth_storing(n_rows: int, n_columns: int) -> bool:
    """Tell whether a table is so large that its columns had better stay as they came."""
    return 8 * n_rows * n_columns >= _LARGE


def narrow(original: npt.NDArray[Any] | None, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Give a column in the narrowest form at hand that float64 values can be read back from.

    Parameters
    ----------
    original : ndarray of shape (n_rows,), optional
        As the caller has it.
    values : ndarray of float64, shape (n_rows,)
        As it was read.

    Returns
    -------
    ndarray of shape (n_rows,)
        The original where it holds the same numbers, else the values, in float32 where these are.
    """
    if original is not None and original.dtype.kind in "iuf" and original.dtype.itemsize <= 8:
        read_back = original.astype(np.float64, copy=False)
        values = original if _are_equal(read_back, values) else values
    if values is original:
        return values
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    return single if _are_equal(single, values) else values


def _are_equal(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    return bool(np.array_equal(one, other, equal_nan=True))


def _as_matrix(columns: Sequence[npt.NDArray[Any]], rows: Any = slice(None)) -> Values:
    matrix = np.empty((*np.shape(columns[0][rows]), len(columns)))
    for at, column in enumerate(columns):
        matrix[..., at] = column[rows]
    return matrix
