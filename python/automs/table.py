"""An array, sparse matrix or data frame -> `Table`: columns as float64, missing values as NaN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.categories import learn_column, read_as
from automs.column_kinds import Column, ColumnKind
from automs.frames import is_frame, listed, open_frame, original, read_series, select_columns
from automs.raw_columns import RawColumn, read_column
from automs.table_values import TableValues, is_worth_storing, narrow

__all__ = ["Column", "ColumnKind", "Table", "read_table"]

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The values of a table, what its columns are, and their names.

    Attributes
    ----------
    values : ndarray of float64, shape (n_rows, n_columns), C-contiguous; or TableValues
        Numbers, codes of categories (-1 for an unknown one) or seconds since 1970 began in UTC.
        Missing values are NaN; none is infinite. May be the caller's own memory: never write to it.
    columns : tuple of Column
    names : tuple of str or None
        None where the columns have no names, or not all of them are strings.
    """

    values: Values | TableValues
    columns: tuple[Column, ...]
    names: tuple[str, ...] | None = None


def read_table(
    X: Any,
    *,
    columns: Sequence[Column] | None = None,
    expected_names: Sequence[str] | None = None,
    name: str = "X",
    memory_limit: int | None = None,
    in_place: bool = False,
) -> Table:
    """Read a table of columns of any kind.

    Parameters
    ----------
    X : array-like, SciPy sparse matrix, or pandas, polars or pyarrow table
        Of shape (n_rows, n_columns), with at least one row and one column: numbers, booleans,
        strings, categories, dates with or without times, durations and times of day (both as
        seconds). None, NaN, NaT, null, NA and masked values are missing values.
    columns : sequence of Column, optional
        What the columns were in fit; values are read as that. A category that is not there becomes
        -1. Where X has another number of columns this does nothing: its caller compares.
    expected_names : sequence of str, optional
        Take the columns of these names, in this order; other columns are ignored. Where X has no
        names this does nothing: columns are taken by position.
    name : str, default="X"
        The name of the argument in messages.
    memory_limit : int, optional, bytes
        A sparse matrix that would take more than this as a dense one is an error.
    in_place : bool, default=False
        Whether a large table's values may be `TableValues`: no copy of what is there already.

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        When a column is of no such type, or cannot be read as what it was in fit.
    ValueError
        When X is not two-dimensional, is empty, is complex, has infinite values, has a column name
        twice, lacks an expected column, or is too large.

    Notes
    -----
    A column of Python objects is categorical where any of them is a string. Ordered categories are
    pandas' ordered ones, pyarrow's ordered dictionaries and polars' enumerations. Datetimes
    without a zone count as UTC.

    Examples
    --------
    >>> read_table([[1, 2.5], [None, True]]).values
    array([[1. , 2.5],
           [nan, 1. ]])
    >>> table = read_table([["red", 2], ["blue", 3]])
    >>> table.columns[0].categories, table.values[:, 0]
    (('blue', 'red'), array([1., 0.]))
    >>> read_table([["green", 1], ["red", 2]], columns=table.columns).values[:, 0]
    array([-1.,  1.])
    """
    if _is_sparse(X):
        X = _dense(X, name, memory_limit)
    if is_frame(X):
        table = _read_frame(X, columns, expected_names, name, in_place)
    else:
        table = _read_array(X, columns, name, in_place)
    _check_finite(table, name)
    return table


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "toarray") and hasattr(X, "nnz")


def _dense(X: Any, name: str, memory_limit: int | None) -> npt.NDArray[Any]:
    n_bytes = int(np.prod(X.shape, dtype=np.int64)) * np.dtype(np.float64).itemsize
    if memory_limit is not None and n_bytes > memory_limit:
        raise ValueError(
            f"{name} must fit memory_limit when made dense: it needs {n_bytes} bytes, "
            f"memory_limit is {memory_limit}"
        )
    dense: npt.NDArray[Any] = np.asarray(X.toarray())
    return dense


def _check_shape(shape: tuple[int, ...], name: str) -> None:
    if len(shape) < 2:
        kind = "1D" if shape else "scalar"
        raise ValueError(
            f"Expected 2D array, got {kind} array instead: {name} has shape {shape}. Reshape your "
            f"data: {name}.reshape(-1, 1) for one column, {name}.reshape(1, -1) for one row."
        )
    if len(shape) > 2:
        raise ValueError(f"{name} must be of shape (n_rows, n_columns), got {shape}")
    for count, kind in zip(shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {kind}(s) (shape={shape}) while a minimum of 1 is required."
            )


def _read_array(X: Any, columns: Sequence[Column] | None, name: str, in_place: bool) -> Table:
    array = _as_array(X, name)
    _check_shape(array.shape, name)
    n_columns = array.shape[1]
    if columns is not None and len(columns) != n_columns:
        columns = None
    numeric = (Column(),) * n_columns
    if array.dtype.kind in "biuf" and columns in (None, numeric):
        needs_copy = array.dtype != np.float64 or not array.flags.c_contiguous
        is_narrow = array.dtype.itemsize <= 8
        if in_place and needs_copy and is_narrow and is_worth_storing(*array.shape):
            return Table(TableValues(list(array.T)), numeric)
        return Table(np.ascontiguousarray(array, dtype=np.float64), numeric)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")

    def read(at: int, as_text: bool) -> RawColumn:
        return read_column(array[:, at], f"{name} column {at}", as_text=as_text)

    whats = [f"{name} column {at}" for at in range(n_columns)]
    return Table(*_read_columns(read, len(array), whats, columns))


def _as_array(X: Any, name: str) -> npt.NDArray[Any]:
    if isinstance(X, np.ma.MaskedArray):
        return _filled(X)
    try:
        array: npt.NDArray[Any] = np.asarray(X)
        if hasattr(X, "dtype") or array.dtype.kind in "biufc":
            return array
        uneven = ""
    except ValueError as error:  # NumPy's own words: an inhomogeneous shape
        uneven = str(error)
    array = np.array(X, dtype=object)  # else a string would turn its neighbours into some
    if uneven and array.ndim != 2:
        raise ValueError(f"{name} must have as many values in every row: {uneven}")
    return array


def _filled(X: Any) -> npt.NDArray[Any]:
    """Give a masked array as one whose masked values are missing ones of its type."""
    if X.dtype.kind in "iuf":
        filled: npt.NDArray[Any] = X.astype(np.float64).filled(np.nan)
    elif X.dtype.kind in "mM":
        filled = X.filled(np.array("NaT", dtype=X.dtype))
    else:
        filled = X.data.astype(object)
        filled[np.ma.getmaskarray(X)] = None
    return filled


def _read_frame(
    X: Any,
    columns: Sequence[Column] | None,
    expected_names: Sequence[str] | None,
    name: str,
    in_place: bool,
) -> Table:
    frame = open_frame(X, name)
    _check_shape(frame.shape, name)
    chosen, names = select_columns(frame, expected_names, name)
    if columns is not None and len(columns) != len(chosen):
        columns = None
    whats = [f"{name} column {label!r}" for label, _ in chosen]

    def read(at: int, as_text: bool) -> RawColumn:
        return read_series(chosen[at][1], whats[at], as_text=as_text)

    if in_place and columns is None and is_worth_storing(frame.shape[0], len(chosen)):
        stored, own = [], []
        for at, (_, series) in enumerate(chosen):
            values, column = learn_column(read(at, False))
            stored.append(narrow(original(series), values))
            own.append(column)
        return Table(TableValues(stored), tuple(own), names)
    return Table(*_read_columns(read, frame.shape[0], whats, columns), names)


def _read_columns(
    read: Callable[[int, bool], RawColumn],
    n_rows: int,
    whats: Sequence[str],
    columns: Sequence[Column] | None,
) -> tuple[Values, tuple[Column, ...]]:
    """Read one column after the other, as those of fit where they are given."""
    values = np.empty((n_rows, len(whats)))
    own = []
    for at, what in enumerate(whats):
        if columns is None:
            values[:, at], column = learn_column(read(at, False))
        else:
            column = columns[at]
            raw = read(at, column.kind is ColumnKind.CATEGORICAL)
            values[:, at] = read_as(raw, column, what)
        own.append(column)
    return values, tuple(own)


def _check_finite(table: Table, name: str) -> None:
    values, names = table.values, table.names
    if isinstance(values, TableValues):
        infinite = [at for at in range(values.shape[1]) if np.isinf(values[:, at]).any()]
    else:
        infinite = np.flatnonzero(np.isinf(values).any(axis=0)).tolist()
    if infinite:
        columns = [at if names is None else names[at] for at in infinite]
        raise ValueError(
            f"{name} must not hold infinite values (infinity), got some in column {listed(columns)}"
        )
