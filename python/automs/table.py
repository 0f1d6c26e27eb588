"""An array, sparse matrix or data frame -> `Table`: columns as float64, missing values as NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Table", "read_table"]

_SUPPORTED = "supported are numeric and boolean columns"
_N_SHOWN = 5  # names in a message, at most

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The values of a table, float64, C-contiguous, (n_rows, n_columns), and the columns' names.

    Missing values are NaN; none is infinite. `names` is None where the columns have no names, or
    not all of them are strings. `values` may be the caller's own memory: never write to it.
    """

    values: Values
    names: tuple[str, ...] | None = None


def read_table(
    X: Any,
    *,
    expected_names: Sequence[str] | None = None,
    name: str = "X",
    memory_limit: int | None = None,
) -> Table:
    """Read a table of numeric and boolean columns.

    Parameters
    ----------
    X : array-like, SciPy sparse matrix, or pandas, polars or pyarrow table
        Of shape (n_rows, n_columns), with at least one row and one column. None, NaN, null and
        NA are missing values.
    expected_names : sequence of str, optional
        Take the columns of these names, in this order; other columns are ignored. Where X has no
        names this does nothing: its caller compares the number of columns.
    name : str, default="X"
        The name of the argument in messages.
    memory_limit : int, optional, bytes
        A sparse matrix that would take more than this as a dense one is an error.

    Returns
    -------
    Table

    Raises
    ------
    TypeError
        When a column is neither numeric nor boolean.
    ValueError
        When X is not two-dimensional, is empty, is complex, has infinite values, has a column name
        twice, lacks an expected column, or is too large.

    Examples
    --------
    >>> read_table([[1, 2.5], [None, True]]).values
    array([[1. , 2.5],
           [nan, 1. ]])
    """
    if _is_sparse(X):
        X = _dense(X, name, memory_limit)
    if _is_frame(X):
        values, names = _read_frame(X, expected_names, name)
    else:
        values, names = _read_array(X, name), None
    _check_finite(values, names, name)
    return Table(values, names)


def _is_sparse(X: Any) -> bool:
    return hasattr(X, "toarray") and hasattr(X, "nnz")


def _is_frame(X: Any) -> bool:
    return hasattr(X, "columns") and hasattr(X, "shape") and not isinstance(X, np.ndarray)


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


def _read_array(X: Any, name: str) -> Values:
    if isinstance(X, np.ma.MaskedArray):
        X = np.ma.filled(X.astype(np.float64), np.nan)
    try:
        array = np.asarray(X)
    except ValueError as error:  # NumPy's own words: an inhomogeneous shape
        raise ValueError(f"{name} must have as many values in every row: {error}") from None
    _check_shape(array.shape, name)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {array.dtype}")
    if array.dtype.kind == "O":
        columns = [_objects_to_float(array[:, at], name, at) for at in range(array.shape[1])]
        return np.ascontiguousarray(np.stack(columns, axis=1))
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}; {_SUPPORTED}")
    return np.ascontiguousarray(array, dtype=np.float64)


def _objects_to_float(column: npt.NDArray[Any], name: str, label: Any) -> Values:
    """Numbers, booleans and missing values in a column of Python objects -> float64."""
    kinds = {type(value) for value in column}
    for kind in kinds:
        if issubclass(kind, complex | np.complexfloating):
            raise ValueError(f"Complex data not supported: {name} column {label!r} holds {kind}")
        if issubclass(kind, str | bytes):
            raise TypeError(
                f"{name} column {label!r} has dtype object, holding {kind.__name__}; {_SUPPORTED}"
            )
    if any(kind.__name__ == "NAType" for kind in kinds):
        column = np.array([None if type(v).__name__ == "NAType" else v for v in column], object)
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name} column {label!r} has dtype object; {_SUPPORTED}: {error}"
        ) from None


def _read_frame(
    X: Any, expected_names: Sequence[str] | None, name: str
) -> tuple[Values, tuple[str, ...] | None]:
    import narwhals as nw  # noqa: PLC0415  # on first use: arrays need no reader of frames

    try:
        frame = nw.from_native(X, eager_only=True)
        labels = list(frame.columns)
    except ValueError as error:
        raise ValueError(f"{name} must have each column name once: {error}") from None
    except TypeError:
        raise TypeError(
            f"{name} must be an array, or a pandas, polars or pyarrow table, got {type(X)}"
        ) from None
    _check_shape(frame.shape, name)
    names = tuple(labels) if all(isinstance(label, str) for label in labels) else None
    if names is not None and expected_names is not None:
        missing = [label for label in expected_names if label not in names]
        if missing:
            raise ValueError(
                f"{name} must have the columns that were seen in fit; missing: {_listed(missing)}"
            )
        labels = list(expected_names)
        names = tuple(labels)
    values = np.empty((frame.shape[0], len(labels)))
    for at, label in enumerate(labels):
        column = frame.get_column(label)
        if column.dtype.is_numeric() or column.dtype == nw.Boolean:
            values[:, at] = column.cast(nw.Float64).to_numpy()
        elif column.dtype == nw.Object:
            values[:, at] = _objects_to_float(column.to_numpy(), name, label)
        else:
            raise TypeError(f"{name} column {label!r} has dtype {column.dtype}; {_SUPPORTED}")
    return values, names


def _listed(labels: Sequence[Any]) -> str:
    shown = ", ".join(repr(label) for label in labels[:_N_SHOWN])
    return shown + (f" and {len(labels) - _N_SHOWN} more" if len(labels) > _N_SHOWN else "")


def _check_finite(values: Values, names: tuple[str, ...] | None, name: str) -> None:
    infinite = np.flatnonzero(np.isinf(values).any(axis=0))
    if infinite.size:
        columns = [int(at) if names is None else names[at] for at in infinite]
        raise ValueError(
            f"{name} must not hold infinite values (infinity), got some in column "
            f"{_listed(columns)}"
        )
