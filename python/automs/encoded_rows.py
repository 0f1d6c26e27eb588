"""A matrix, or rows of a view where they are -> what the closed forms of the core read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["EncodedRows", "as_rows"]


@dataclass(frozen=True)
class EncodedRows:
    """Some rows of an encoded table, read where they are.

    Attributes
    ----------
    X : ndarray of float32, shape (n_all_rows, n_dense)
        Features, without those of columns that are given by their bins.
    numbers : ndarray of int32, shape (n_rows,)
        Which rows.
    bins : ndarray of uint16, shape (n_all_rows, n_binned), optional
        The bin or slot of each value, as many as there are bins where it has none.
    fractions : ndarray of float32, shape (n_all_rows, n_binned), optional
        How far it lies into its bin; 0 in a slot.
    binned : sequence of (int, int, bool)
        Of each such column the first feature, the number of bins, and whether it is one-hot: else
        it is piecewise linear.
    """

    X: NDArray[np.float32]
    numbers: NDArray[np.int32]
    bins: NDArray[np.uint16] | None = None
    fractions: NDArray[np.float32] | None = None
    binned: Sequence[tuple[int, int, bool]] = ()


def as_rows(X: ArrayLike | EncodedRows) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the matrix, and what else tells the rows that are meant."""
    if not isinstance(X, EncodedRows):
        return _as_matrix(X), {}
    rows: dict[str, Any] = {"numbers": X.numbers}
    if X.binned:
        rows["binned"] = (X.bins, X.fractions, X.binned)
    return X.X, rows


def _as_matrix(X: ArrayLike) -> NDArray[np.float32] | NDArray[np.float64]:
    """Return X as C-contiguous float32 where it is float32, else as float64."""
    matrix = np.asarray(X)
    if matrix.dtype == np.float32:
        return np.ascontiguousarray(matrix, dtype=np.float32)
    return np.ascontiguousarray(matrix, dtype=np.float64)
