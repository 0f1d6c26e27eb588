"""X as given for prediction, a model's column names -> rows in the model's order, C-contiguous.

Data frames are known by what they can do, so that prediction needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["read_rows", "row_by_name"]

Rows = npt.NDArray[np.float64] | npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]


def read_rows(X: Any, names: Sequence[str] | None) -> Rows:
    """Read rows for prediction.

    Parameters
    ----------
    X : array-like, SciPy sparse matrix, or pandas, polars or pyarrow table
        Of shape (n_rows, n_columns), numeric or boolean. None, NaN, null and NA are missing values.
    names : sequence of str, optional
        The model's columns. Where X has names too they are taken by name, in this order, and other
        columns of X are ignored.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        float32 where X is float32, else float64. May be the caller's own memory.

    Raises
    ------
    TypeError
        When X holds something other than numbers and booleans.
    ValueError
        When X is not two-dimensional or lacks a column.

    Examples
    --------
    >>> read_rows([[1, None], [True, 2.5]], None)
    array([[1. , nan],
           [1. , 2.5]])
    """
    labels = _labels(X)
    if labels is not None:
        return _read_frame(X, labels, names)
    if hasattr(X, "toarray"):
        X = X.toarray()
    values = X if isinstance(X, np.ndarray) else np.asarray(X)
    if values.ndim != 2:
        raise ValueError(
            f"X must be of shape (n_rows, n_columns), got shape {values.shape}"
            " (predict_one takes a single row)"
        )
    if values.dtype == np.float32 and not isinstance(values, np.ma.MaskedArray):
        return np.ascontiguousarray(values)
    return np.ascontiguousarray(_to_floats(values, "X"))


def row_by_name(row: Any, names: Sequence[str]) -> Any:
    """Put one row with keys (a dict, a pandas series) into the order of `names`.

    A row none of whose keys is a string is given back as it is.
    """
    keys = set(row.keys())
    if not any(isinstance(key, str) for key in keys):
        return row
    _check_present(keys, names, "row")
    return [row[name] for name in names]


def _labels(X: Any) -> list[Any] | None:
    """Give the column labels of a data frame, or None for anything else."""
    if isinstance(X, np.ndarray):
        return None
    labels = getattr(X, "column_names", None)  # pyarrow, whose `columns` are the data
    if labels is None and hasattr(X, "to_numpy"):
        labels = getattr(X, "columns", None)
    return None if labels is None else list(labels)


def _read_frame(X: Any, labels: list[Any], names: Sequence[str] | None) -> Floats:
    if names is not None and all(isinstance(label, str) for label in labels):
        _check_present(set(labels), names, "X")
        ambiguous = [name for name in names if labels.count(name) > 1]
        if ambiguous:
            raise ValueError(f"X must have each column name once, got {ambiguous[0]!r} twice")
        wanted: Sequence[Any] = names
    else:
        wanted = labels
    if list(wanted) == labels and hasattr(X, "to_numpy"):
        values = X.to_numpy()
        if values.dtype.kind in "biuf":
            return np.ascontiguousarray(values, dtype=np.float64)
    columns = [_to_floats(_column(X, label), f"X column {label!r}") for label in wanted]
    return np.ascontiguousarray(np.stack(columns, axis=1)) if columns else np.empty((len(X), 0))


def _column(X: Any, label: Any) -> npt.NDArray[Any]:
    values: npt.NDArray[Any] = X[label].to_numpy()
    return values


def _check_present(present: set[Any], names: Sequence[str], argument: str) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        shown = ", ".join(repr(name) for name in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(f"{argument} lacks the columns {shown}{more}")


def _to_floats(values: npt.NDArray[Any], what: str) -> Floats:
    """Numbers, booleans, and missing values among Python objects -> float64."""
    if isinstance(values, np.ma.MaskedArray):
        filled: Floats = np.ma.filled(values.astype(np.float64), np.nan)
        return filled
    if values.dtype.kind == "O":
        return _objects_to_floats(values, what)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{what} must hold numbers or booleans, got dtype {values.dtype}")
    return np.asarray(values, dtype=np.float64)


def _objects_to_floats(values: npt.NDArray[Any], what: str) -> Floats:
    kinds = {type(value) for value in values.flat}
    for kind in kinds:
        if issubclass(kind, str | bytes):
            raise TypeError(f"{what} must hold numbers or booleans, got a {kind.__name__}")
    if any(kind.__name__ == "NAType" for kind in kinds):  # pandas' NA refuses to be a float
        values = np.array([np.nan if type(v).__name__ == "NAType" else v for v in values.flat],
                          dtype=object).reshape(values.shape)  # fmt: skip
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} must hold numbers or booleans: {error}") from None
