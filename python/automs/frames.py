"""A pandas, polars or pyarrow table -> its columns by name, each a `RawColumn`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.column_kinds import ColumnKind
from automs.raw_columns import RawColumn, read_column, unsupported

__all__ = ["is_frame", "listed", "open_frame", "original", "read_series", "select_columns"]

_N_SHOWN = 5  # names in a message, at most


def is_frame(X: Any) -> bool:
    """Tell a table with columns from an array; a lazy one, which has no shape, counts too."""
    if not hasattr(X, "shape"):
        return hasattr(X, "collect_schema")
    return hasattr(X, "columns") and not isinstance(X, np.ndarray)


def open_frame(X: Any, name: str) -> Any:
    """Give X as a narwhals table.

    Raises
    ------
    TypeError
        When X is no table in memory.
    ValueError
        When a column's name is there twice.
    """
    import narwhals as nw  # noqa: PLC0415  # on first use: arrays need no reader of frames

    wrong_type = TypeError(
        f"{name} must be an array, or a pandas, polars or pyarrow table in memory, got {type(X)}"
    )
    if not hasattr(X, "shape"):
        raise wrong_type
    labels = list(getattr(X, "column_names", X.columns))  # pyarrow's `columns` are the data
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        raise ValueError(
            f"{name} must have each column name once, got {listed(twice)} more than once: rename "
            "or drop a column"
        )
    try:
        return nw.from_native(X, eager_only=True)
    except (TypeError, ValueError):
        raise wrong_type from None


def select_columns(
    frame: Any, expected_names: Sequence[str] | None, name: str
) -> tuple[list[tuple[Any, Any]], tuple[str, ...] | None]:
    """Give (label, series) for each column, and the names where all labels are strings.

    Raises
    ------
    ValueError
        When a table with names lacks an expected one.
    """
    labels = list(frame.columns)
    series = list(frame.iter_columns())
    if not all(isinstance(label, str) for label in labels):
        return list(zip(labels, series, strict=True)), None
    if expected_names is not None:
        by_name = dict(zip(labels, series, strict=True))
        missing = [label for label in expected_names if label not in by_name]
        if missing:
            raise ValueError(
                f"{name} must have the columns that were seen in fit; missing: {listed(missing)}"
            )
        labels = list(expected_names)
        series = [by_name[label] for label in labels]
    return list(zip(labels, series, strict=True)), tuple(labels)


def listed(labels: Sequence[Any]) -> str:
    """Give a few names for a message."""
    shown = ", ".join(repr(label) for label in labels[:_N_SHOWN])
    return shown + (f" and {len(labels) - _N_SHOWN} more" if len(labels) > _N_SHOWN else "")


def read_series(series: Any, what: str, *, as_text: bool = False) -> RawColumn:
    """Read one column of a table, by the library that holds it rather than value by value.

    Parameters
    ----------
    series : narwhals.Series
    what : str
        The column in messages.
    as_text : bool, default=False
        Whether Python objects are wanted as categories even where all are numbers.

    Raises
    ------
    TypeError
        When the column's type is none that a model can take.
    """
    import narwhals as nw  # noqa: PLC0415  # on first use

    dtype = series.dtype
    if dtype in (nw.Int64, nw.UInt64):  # beyond 2**53 pyarrow refuses a cast, where NumPy rounds
        return RawColumn(ColumnKind.NUMERIC, series.to_numpy().astype(np.float64))
    if dtype.is_numeric() or dtype == nw.Boolean:
        values = series.cast(nw.Float64).to_numpy()
        return RawColumn(ColumnKind.NUMERIC, values, boolean=dtype == nw.Boolean)
    if dtype in (nw.Date, nw.Datetime, nw.Duration):  # zoned ones are UTC in NumPy
        return read_column(series.to_numpy(), what)
    if dtype in (nw.Object, nw.Time) or _holds_objects(series):
        objects = np.array(series.to_list(), object) if dtype == nw.Time else series.to_numpy()
        return read_column(objects, what, as_text=as_text)
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return RawColumn(ColumnKind.CATEGORICAL, *_read_labels(series))
    return _read_other(series, what)


def original(series: Any) -> npt.NDArray[Any] | None:
    """Give a numeric column as its library holds it, where NumPy can; None for another."""
    import narwhals as nw  # noqa: PLC0415  # on first use

    dtype = series.dtype
    is_number = dtype.is_integer() or dtype.is_float()
    if not is_number or dtype in (nw.Int128, nw.UInt128):
        return None
    values: npt.NDArray[Any] = series.to_numpy()
    return values


def _holds_objects(series: Any) -> bool:
    """Tell pandas' columns of Python objects, which narwhals may call strings."""
    dtype = getattr(series.to_native(), "dtype", None)
    return isinstance(dtype, np.dtype) and dtype.kind == "O"


def _read_other(series: Any, what: str) -> RawColumn:
    """Read a column of a type that narwhals has no name for, where NumPy has one."""
    n_rows = len(series)
    if series.null_count() == n_rows:
        return RawColumn(ColumnKind.NUMERIC, np.full(n_rows, np.nan))
    native = series.to_native()
    dtype = getattr(native, "dtype", getattr(native, "type", series.dtype))
    try:
        values = np.asarray(native)
    except (NotImplementedError, TypeError, ValueError):
        raise unsupported(what, dtype) from None
    if values.ndim != 1 or values.dtype.kind not in "biufmM":
        raise unsupported(what, dtype)
    return read_column(values, what)


def _read_labels(series: Any) -> tuple[npt.NDArray[np.int64], list[Any], bool]:
    """Codes (-1 for missing), labels, and whether these ascend, of strings or categories."""
    native = series.to_native()
    if hasattr(native, "factorize"):  # pandas
        return _pandas_labels(native)
    if hasattr(native, "dictionary_encode"):  # pyarrow
        return _pyarrow_labels(native)
    return _other_labels(series)


def _pandas_labels(native: Any) -> tuple[npt.NDArray[np.int64], list[Any], bool]:
    if hasattr(native.dtype, "categories"):
        codes = native.cat.codes.to_numpy().astype(np.int64)
        return codes, native.cat.categories.tolist(), bool(native.cat.ordered)
    codes, labels = native.factorize()
    return codes.astype(np.int64), labels.tolist(), False


def _pyarrow_labels(native: Any) -> tuple[npt.NDArray[np.int64], list[Any], bool]:
    encoded = native.dictionary_encode().combine_chunks()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return codes, encoded.dictionary.to_pylist(), bool(encoded.type.ordered)


def _other_labels(series: Any) -> tuple[npt.NDArray[np.int64], list[Any], bool]:
    """Of polars, or whatever else narwhals knows; enumerations ascend."""
    import narwhals as nw  # noqa: PLC0415  # on first use

    ordered = series.dtype == nw.Enum
    texts = series.cast(nw.String)
    labels = list(series.dtype.categories) if ordered else texts.drop_nulls().unique().to_list()
    codes = texts.replace_strict(
        labels, list(range(len(labels))), default=-1, return_dtype=nw.Int64
    )
    return codes.to_numpy(), labels, ordered
