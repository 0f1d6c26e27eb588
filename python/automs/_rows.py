"""X or a row as given for prediction, a model's columns -> numbers in the model's order.

Data frames are known by what they can do, so that prediction needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._cells import ColumnReader

__all__ = ["RowReader"]

Rows = npt.NDArray[np.float64] | npt.NDArray[np.float32]


class RowReader:
    """Reads tables and single rows for a model.

    An array of floats holds a row's numbers already: a code in a categorical column, seconds since
    1970 in UTC in a column of dates. Anything else (a data frame, a list, an array of objects,
    texts or integers) holds values as they are in tables: labels, dates, texts.

    Parameters
    ----------
    columns : sequence of dict
        One for each column, as in ``_core.Predictor.columns``.
    names : sequence of str, optional
        The columns' names. Where X has names too they are taken by name, in this order, and other
        columns of X are ignored.

    Examples
    --------
    >>> colour = {"kind": "categorical", "categories": ["red", "blue"]}
    >>> reader = RowReader([{"kind": "numeric", "categories": []}, colour])
    >>> reader.table([[1, "blue"], [None, "green"]])
    array([[ 1.,  1.],
           [nan, -1.]])
    """

    def __init__(
        self, columns: Sequence[dict[str, Any]], names: Sequence[str] | None = None
    ) -> None:
        self._names = names
        labels: Sequence[str | int] = range(len(columns)) if names is None else names
        self._readers = [
            ColumnReader(column, name) for column, name in zip(columns, labels, strict=True)
        ]
        self._numeric = all(reader.kind == "numeric" for reader in self._readers)

    def table(self, X: Any) -> Rows:
        """Read rows for prediction.

        Parameters
        ----------
        X : array-like, SciPy sparse matrix, or pandas, polars or pyarrow table
            Of shape (n_rows, n_columns). None, NaN, NaT, null and NA are missing values.

        Returns
        -------
        ndarray of shape (n_rows, n_columns), C-contiguous
            float32 where X is an array of float32, else float64. May be the caller's own memory.

        Raises
        ------
        TypeError
            When a numeric column holds something other than numbers, or a column of dates holds
            something that is none.
        ValueError
            When X is not two-dimensional, has a wrong number of columns or lacks a named one, or a
            text is no date in ISO form.
        """
        labels = _labels(X)
        if labels is not None:
            return self._read_frame(X, labels)
        if hasattr(X, "toarray"):
            X = X.toarray()
        values = self._as_array(X)
        if values.ndim != 2:
            raise ValueError(
                f"X must be of shape (n_rows, n_columns), got shape {values.shape}"
                " (predict_one takes a single row)"
            )
        self._check_width(values.shape[1])
        if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "biuf":
            values = np.ma.filled(values.astype(np.float64), np.nan)
        if values.dtype == np.float32:
            return np.ascontiguousarray(values)
        if values.dtype.kind == "f" or (self._numeric and values.dtype.kind in "biu"):
            return np.ascontiguousarray(values, dtype=np.float64)
        return self._read_columns(list(values.T), len(values))

    def row(self, row: Any) -> Any:
        """Give one row in the model's order.

        Parameters
        ----------
        row : sequence or array of shape (n_columns,), or dict or pandas series by column name

        Returns
        -------
        list or ndarray
            Numbers; but a list or tuple for a model of numeric columns alone is given back as it
            is, at no cost. Whoever finds other things than numbers in it calls `numbers`.

        Raises
        ------
        TypeError, ValueError
            As in `table`.
        """
        if self._names is not None and hasattr(row, "keys"):
            row = _row_by_name(row, self._names)
        if self._numeric and isinstance(row, list | tuple):
            return row
        if isinstance(row, np.ndarray) and row.dtype.kind in ("biuf" if self._numeric else "f"):
            return row
        return self.numbers(row)

    def numbers(self, row: Any) -> list[float]:
        """Read the values of one row that is in the model's order."""
        if getattr(row, "ndim", 1) != 1:
            raise ValueError(f"row must be 1-D, got {row.ndim} dimensions")
        if isinstance(row, str | bytes) or not hasattr(row, "__iter__"):
            raise TypeError(f"row must be a sequence, an array or a dict, got {type(row).__name__}")
        values = list(row)
        if len(values) != len(self._readers):
            raise ValueError(f"row must have {len(self._readers)} columns, got {len(values)}")
        return [reader.read_one(value) for reader, value in zip(self._readers, values, strict=True)]

    def _as_array(self, X: Any) -> npt.NDArray[Any]:
        if isinstance(X, np.ndarray):
            return X
        if isinstance(X, list | tuple) and not self._numeric:
            return _object_array(X)
        values = np.asarray(X)
        # Beside a text NumPy would make texts of numbers.
        return _object_array(X) if values.dtype.kind not in "biufO" else values

    def _read_frame(self, X: Any, labels: list[Any]) -> Rows:
        wanted = self._wanted(labels)
        if self._numeric and wanted == labels and hasattr(X, "to_numpy"):
            values = X.to_numpy()
            if values.dtype.kind in "biuf":
                return np.ascontiguousarray(values, dtype=np.float64)
        return self._read_columns([X[label] for label in wanted], len(X))

    def _wanted(self, labels: list[Any]) -> list[Any]:
        """Give the labels of the frame's columns in the model's order."""
        if self._names is None or not all(isinstance(label, str) for label in labels):
            self._check_width(len(labels))
            return labels
        _check_present(set(labels), self._names, "X")
        wanted = list(self._names)
        ambiguous = [] if wanted == labels else [n for n in wanted if labels.count(n) > 1]
        if ambiguous:
            raise ValueError(f"X must have each column name once, got {ambiguous[0]!r} twice")
        return wanted

    def _read_columns(self, columns: list[Any], n_rows: int) -> npt.NDArray[np.float64]:
        rows = np.empty((n_rows, len(columns)))
        for at, (reader, values) in enumerate(zip(self._readers, columns, strict=True)):
            try:
                rows[:, at] = reader.read(values)
            except (TypeError, ValueError) as error:
                raise type(error)(f"X {error}") from None
        return rows

    def _check_width(self, n_columns: int) -> None:
        if n_columns != len(self._readers):
            raise ValueError(
                f"X must have {len(self._readers)} columns (features), got {n_columns}"
            )


def _labels(X: Any) -> list[Any] | None:
    """Give the column labels of a data frame, or None for anything else."""
    if isinstance(X, np.ndarray):
        return None
    labels = getattr(X, "column_names", None)  # pyarrow, whose `columns` are the data
    if labels is None and hasattr(X, "to_numpy"):
        labels = getattr(X, "columns", None)
    return None if labels is None else list(labels)


def _object_array(X: Any) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.array(X, dtype=object)
    return array


def _row_by_name(row: Any, names: Sequence[str]) -> Any:
    """Put one row with keys (a dict, a pandas series) into the order of `names`.

    A row none of whose keys is a string is given back as it is.
    """
    keys = set(row.keys())
    if not any(isinstance(key, str) for key in keys):
        return row
    _check_present(keys, names, "row")
    return [row[name] for name in names]


def _check_present(present: set[Any], names: Sequence[str], argument: str) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        shown = ", ".join(repr(name) for name in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ValueError(f"{argument} lacks the columns {shown}{more}")
