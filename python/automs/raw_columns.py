"""One-dimensional NumPy array -> `RawColumn`: numbers, seconds, or codes of labels."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.column_kinds import ColumnKind, category_text, is_missing, is_missing_type

__all__ = [
    "RawColumn",
    "date_seconds",
    "duration_seconds",
    "read_column",
    "time_seconds",
    "unsupported",
]

Values = npt.NDArray[np.float64]

_SUPPORTED = (
    "supported are numeric, boolean, string, categorical, date, datetime, duration and time "
    "columns: turn it into one or more of these, or leave it out"
)
_MICROSECOND = datetime.timedelta(microseconds=1)
_EPOCH = datetime.datetime(1970, 1, 1)  # of dates without a zone
_EPOCH_UTC = _EPOCH.replace(tzinfo=datetime.UTC)

#: What an object column may hold, by class; the first that fits. A date is no time and no text.
_CLASSES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("number", (bool, int, float, np.bool_, Decimal, Fraction)),
    ("duration", (datetime.timedelta, np.timedelta64)),  # before NumPy's numbers: it is one
    ("number", (np.integer, np.floating)),
    ("text", (str,)),
    ("date", (datetime.date, np.datetime64)),
    ("time", (datetime.time,)),
)


@dataclass(frozen=True, slots=True, eq=False)
class RawColumn:
    """A column as it was given, before it is fitted to the kinds of a model.

    Attributes
    ----------
    kind : ColumnKind
    values : ndarray of shape (n_rows,)
        float64 with NaN for missing; for categories whole numbers, positions in `labels`, and -1
        for missing.
    labels : list
        Of categories, as they were given; some may be missing values, or have equal texts.
    ordered : bool
        Whether the labels ascend.
    boolean : bool
        Whether the numbers were true and false.
    """

    kind: ColumnKind
    values: npt.NDArray[Any]
    labels: list[Any] = field(default_factory=list)
    ordered: bool = False
    boolean: bool = False


def unsupported(what: str, dtype: Any) -> TypeError:
    """Give the error for a column that holds what a model cannot take."""
    return TypeError(f"{what} has dtype {dtype}; {_SUPPORTED}")


def read_column(array: npt.NDArray[Any], what: str, *, as_text: bool = False) -> RawColumn:
    """Read one column.

    Parameters
    ----------
    array : ndarray of shape (n_rows,)
    what : str
        The column in messages.
    as_text : bool, default=False
        Whether objects are wanted as categories even where all are numbers.

    Raises
    ------
    TypeError
        When the column holds something other than numbers, texts, dates, durations and times, or
        some of these that do not go together.
    ValueError
        When it holds complex numbers.

    Examples
    --------
    >>> import numpy as np
    >>> column = read_column(np.array(["b", None, "a", "b"], dtype=object), "X column 0")
    >>> column.values, column.labels
    (array([0, 1, 2, 0]), ['b', None, 'a'])
    """
    kind = array.dtype.kind
    if kind in "biuf":
        values = array.astype(np.float64)
        return RawColumn(ColumnKind.NUMERIC, values, boolean=kind == "b")
    if kind == "c":
        raise ValueError(f"Complex data not supported: {what} has dtype {array.dtype}")
    if kind == "M":
        return RawColumn(ColumnKind.DATE, _seconds_of_ticks(array.astype("M8[us]")))
    if kind == "m":
        return RawColumn(ColumnKind.NUMERIC, _seconds_of_ticks(array.astype("m8[us]")))
    if kind not in "OUT":
        raise unsupported(what, array.dtype)
    return _read_objects(array.astype(object, copy=False), what, as_text)


def _seconds_of_ticks(array: npt.NDArray[Any]) -> Values:
    """Microseconds, as NumPy's dates or durations -> seconds, NaT as NaN."""
    return np.where(np.isnat(array), np.nan, array.astype(np.int64) / 1e6)


def date_seconds(value: Any) -> float:
    """Give the seconds from 1970 to a date, a datetime or their ISO 8601 text; UTC without a zone.

    Raises
    ------
    ValueError
        When a text is no such date.

    Examples
    --------
    >>> date_seconds("1970-01-02"), date_seconds("1970-01-01T03:00+02:00")
    (86400.0, 3600.0)
    """
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value.strip())
    if isinstance(value, np.datetime64):
        return int(value.astype("M8[us]").astype(np.int64)) / 1e6
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    since = _EPOCH if value.tzinfo is None else _EPOCH_UTC
    return int((value - since) // _MICROSECOND) / 1e6


def _read_objects(objects: npt.NDArray[Any], what: str, as_text: bool) -> RawColumn:
    types = {kind for kind in set(map(type, objects)) if not is_missing_type(kind)}
    classes = {_class_of(kind, what) for kind in types}
    if "text" in classes or as_text:
        classes.discard("text")
        if "other" in classes:
            raise unsupported(what, _holding(types))
        plain = types <= {str, np.str_, float}
        return _categories(objects if plain else map(_text_or_none, objects), len(objects))
    if "number" in classes and len(classes) > 1 and "other" not in classes:
        # Among dates, durations and times NaN is no number.
        types = {type(value) for value in objects if not is_missing(value)}
        classes = {_class_of(kind, what) for kind in types}
    if len(classes) > 1 and "other" not in classes:
        raise unsupported(what, _holding(types))
    measure = _MEASURES.get(next(iter(classes), "number"))
    if measure is None:
        return RawColumn(
            ColumnKind.NUMERIC,
            _floats(objects, what),
            boolean=bool(types) and types <= {bool, np.bool_},
        )
    kind = ColumnKind.DATE if "date" in classes else ColumnKind.NUMERIC
    return RawColumn(kind, _measured(objects, measure))


def _class_of(kind: type, what: str) -> str:
    if issubclass(kind, complex | np.complexfloating):
        raise ValueError(f"Complex data not supported: {what} holds {kind}")
    if issubclass(kind, bytes | bytearray):
        raise unsupported(what, _holding({kind}))
    return next((name for name, members in _CLASSES if issubclass(kind, members)), "other")


def _holding(types: Iterable[type]) -> str:
    return f"object, holding {' and '.join(sorted(kind.__name__ for kind in types))}"


class _Positions(dict[Any, int]):
    """The position of each key, in the order of their first look-up."""

    def __missing__(self, key: Any) -> int:
        self[key] = position = len(self)
        return position


def _codes(objects: Iterable[Any], n_rows: int) -> tuple[npt.NDArray[np.int64], list[Any]]:
    positions = _Positions()
    codes = np.fromiter(map(positions.__getitem__, objects), np.int64, n_rows)
    return codes, list(positions)


def _categories(objects: Iterable[Any], n_rows: int) -> RawColumn:
    codes, labels = _codes(objects, n_rows)
    return RawColumn(ColumnKind.CATEGORICAL, codes, labels)


def _text_or_none(value: Any) -> str | None:
    # By text, because 1 and True would be one key.
    return None if is_missing(value) else category_text(value)


def _floats(objects: npt.NDArray[Any], what: str) -> Values:
    if any(map(is_missing_type, set(map(type, objects)))):  # NA refuses to be a float
        filled = [None if is_missing(value) else value for value in objects]
        objects = np.array(filled, dtype=object)
    try:
        return objects.astype(np.float64)
    except OverflowError as error:
        raise ValueError(f"{what} holds a number beyond float64: {error}") from None
    except (TypeError, ValueError) as error:
        present = {type(value) for value in objects if value is not None}
        raise TypeError(f"{unsupported(what, _holding(present))}: {error}") from None


def _measured(objects: npt.NDArray[Any], measure: Callable[[Any], float]) -> Values:
    """Measure each distinct object once."""
    codes, labels = _codes(objects, len(objects))
    numbers = [np.nan if is_missing(label) else measure(label) for label in labels]
    return np.array(numbers, dtype=np.float64)[codes]


def duration_seconds(value: datetime.timedelta | np.timedelta64) -> float:
    """Give a duration in seconds, exact to a microsecond."""
    if isinstance(value, np.timedelta64):
        return int(value.astype("m8[us]").astype(np.int64)) / 1e6
    return int(value // _MICROSECOND) / 1e6


def time_seconds(value: datetime.time) -> float:
    """Give the seconds from midnight to a time of day."""
    whole = 3600 * value.hour + 60 * value.minute + value.second
    return whole + value.microsecond / 1e6


_MEASURES: dict[str, Callable[[Any], float]] = {
    "date": date_seconds,
    "duration": duration_seconds,
    "time": time_seconds,
}
