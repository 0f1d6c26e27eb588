"""Values of one column as given for prediction, the model's column -> float64: a row's numbers.

Numbers as they are, categories as codes, dates as seconds since 1970 in UTC, missing values as NaN.
Columns of pandas, polars and pyarrow are known by what they can do: prediction needs NumPy alone.
"""

from __future__ import annotations

import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.column_kinds import category_text, is_missing
from automs.raw_columns import date_seconds, duration_seconds, time_seconds

__all__ = ["ColumnReader"]

UNKNOWN = -1.0
_MISSING = float("nan")

Floats = npt.NDArray[np.float64]


class ColumnReader:
    """Reads the values of one of a model's columns.

    Parameters
    ----------
    column : dict
        As in ``_core.Predictor.columns``: "kind" and "categories".
    name : str or int
        For messages.
    """

    def __init__(self, column: dict[str, Any], name: str | int) -> None:
        self.kind: str = column["kind"]
        self._categories: list[str] = column["categories"]
        self._what = f"column {name!r}"

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {text: float(code) for code, text in enumerate(self._categories)}

    def read(self, values: Any) -> Floats:
        """Read a column: an array of shape (n_rows,), or a series of some library.

        Returns
        -------
        ndarray of float64, shape (n_rows,)

        Raises
        ------
        TypeError
            When the column is numeric or of dates, and a value is neither.
        ValueError
            When a text is no date in ISO form, or a number is beyond the range of a float.
        """
        if self.kind == "categorical":
            return self._read_labels(values)
        array = _plain(values)
        return self._read_dates(array) if self.kind == "date" else self._read_numbers(array)

    def read_one(self, value: Any) -> float:
        """Read a single value, as `read` does."""
        if self.kind == "categorical":
            if type(value) is str:
                return self._codes.get(value, UNKNOWN)
            return _MISSING if is_missing(value) else self._codes.get(category_text(value), UNKNOWN)
        if type(value) is float:
            return value
        if is_missing(value):
            return _MISSING
        try:
            return self._second(value) if self.kind == "date" else self._number(value)
        except OverflowError:
            raise ValueError(f"{self._what} must hold numbers in the range of a float") from None

    def _read_labels(self, values: Any) -> Floats:
        encoded = _dictionary(values)
        if encoded is None:
            array = _plain(values)
            if array.dtype.kind not in "biuf" or isinstance(array, np.ma.MaskedArray):
                return np.array([self.read_one(label) for label in array.tolist()], np.float64)
            distinct, places = np.unique(array, return_inverse=True)
            encoded = distinct.tolist(), places
        labels, indices = encoded
        # The last one is for the index -1, which stands for a missing value.
        codes = np.array([*(self.read_one(label) for label in labels), _MISSING])
        taken: Floats = codes[indices]
        return taken

    def _read_numbers(self, array: npt.NDArray[Any]) -> Floats:
        if array.dtype.kind in "biuf":
            return _numbers(array)
        if array.dtype.kind == "m":
            return _ticks_to_seconds(array)
        return np.array([self.read_one(value) for value in _objects(array)], np.float64)

    def _read_dates(self, array: npt.NDArray[Any]) -> Floats:
        if array.dtype.kind in "iuf":
            return _numbers(array)
        if array.dtype.kind == "M":
            return _ticks_to_seconds(array)
        return np.array([self.read_one(value) for value in _objects(array)], np.float64)

    def _number(self, value: Any) -> float:
        """Read a present value of a numeric column; durations and times of day are seconds."""
        if isinstance(value, datetime.timedelta | np.timedelta64):
            return duration_seconds(value)
        if isinstance(value, datetime.time):
            return time_seconds(value)
        if isinstance(value, str | bytes | complex | np.complexfloating | np.datetime64):
            raise self._refusal("numbers or booleans", value)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise self._refusal("numbers or booleans", value) from None

    def _second(self, value: Any) -> float:
        """Read a present value of a column of dates."""
        if isinstance(value, str | datetime.date | np.datetime64):
            try:
                return date_seconds(value)
            except ValueError:
                raise ValueError(
                    f"{self._what} must hold dates in ISO form, got {value!r:.80}"
                ) from None
        if isinstance(value, int | float | np.integer | np.floating) and type(value) is not bool:
            return float(value)
        raise self._refusal("dates", value)

    def _refusal(self, rule: str, value: Any) -> TypeError:
        return TypeError(f"{self._what} must hold {rule}, got {type(value).__name__} {value!r:.80}")


def _numbers(array: npt.NDArray[Any]) -> Floats:
    if isinstance(array, np.ma.MaskedArray):
        filled: Floats = np.ma.filled(array.astype(np.float64), _MISSING)
        return filled
    return np.asarray(array, dtype=np.float64)


def _objects(array: npt.NDArray[Any]) -> list[Any]:
    """Give an array's elements; datetime64 and the like keep their type, which tells their unit."""
    return list(array) if array.dtype.kind in "mM" else array.tolist()


def _ticks_to_seconds(array: npt.NDArray[Any]) -> Floats:
    """datetime64 or timedelta64 of any unit -> seconds, exact to a microsecond; NaT -> NaN."""
    ticks = array.astype(f"{array.dtype.kind}8[us]")
    return np.where(np.isnat(ticks), _MISSING, ticks.astype(np.int64) / 1e6)


def _plain(values: Any) -> npt.NDArray[Any]:
    """Give a series of any library as a NumPy array; times with a zone become UTC."""
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "mM":
        return np.where(np.ma.getmaskarray(values), np.array("NaT", values.dtype), values.data)
    if isinstance(values, np.ndarray):
        return values
    if getattr(getattr(values, "dtype", None), "tz", None) is not None:  # pandas
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    if hasattr(values, "to_pylist"):  # pyarrow
        if hasattr(values.type, "value_type") and hasattr(values.type, "index_type"):
            values = values.cast(values.type.value_type)
        array: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
        return array
    return np.asarray(values.to_numpy() if hasattr(values, "to_numpy") else values)


def _dictionary(values: Any) -> tuple[list[Any], npt.NDArray[Any]] | None:
    """Give the labels of a column that is stored as indices, and the indices: -1 is missing."""
    if hasattr(values, "to_physical"):
        return _polars_dictionary(values)
    if hasattr(values, "to_pylist"):
        return _pyarrow_dictionary(values)
    if hasattr(getattr(values, "dtype", None), "categories"):  # pandas
        return values.cat.categories.tolist(), values.cat.codes.to_numpy()
    return None


def _polars_dictionary(values: Any) -> tuple[list[Any], npt.NDArray[Any]] | None:
    if str(values.dtype).partition("(")[0] not in ("Categorical", "Enum"):
        return None
    # Indices may count the categories of other columns too: only those of this one are looked at.
    distinct = values.drop_nulls().unique()
    indices = distinct.to_physical().to_numpy()
    labels: list[Any] = [None] * (int(indices.max(initial=0)) + 1)
    for index, label in zip(indices, distinct.to_list(), strict=True):
        labels[index] = label
    return labels, _whole(values.to_physical().to_numpy())


def _pyarrow_dictionary(values: Any) -> tuple[list[Any], npt.NDArray[Any]] | None:
    if not hasattr(values.type, "index_type"):
        return None
    if hasattr(values, "combine_chunks"):
        values = values.combine_chunks()
    if not hasattr(values, "indices"):  # not a single chunk
        return None
    indices = values.indices.to_numpy(zero_copy_only=False)
    return values.dictionary.to_pylist(), _whole(indices)


def _whole(indices: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(indices), -1, indices).astype(np.int64)
