"""`RawColumn`, and the `Column` of fit if there is one -> float64 values and their `Column`."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.column_kinds import MAX_CATEGORIES, Column, ColumnKind, category_text, is_missing
from automs.raw_columns import RawColumn, date_seconds

__all__ = ["learn_column", "read_as"]

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

_UNKNOWN = -1.0


def learn_column(raw: RawColumn) -> tuple[Values, Column]:
    """Give a column's values, and what it is.

    A column that is missing throughout is numeric, whatever its type. Categories are known by
    their texts; those without an order are sorted by it, and only those that occur are kept. Of
    more than `MAX_CATEGORIES` the most frequent are kept, the first by text among equals.

    Examples
    --------
    >>> import numpy as np
    >>> from automs.raw_columns import read_column
    >>> learn_column(read_column(np.array(["b", None, "a"], dtype=object), "X column 0"))[0]
    array([ 1., nan,  0.])
    """
    if raw.kind is not ColumnKind.CATEGORICAL:
        kind = ColumnKind.NUMERIC if np.isnan(raw.values).all() else raw.kind
        return raw.values, Column(kind)
    codes, texts = _merged(raw.values, raw.labels)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    if not counts.any():
        return np.full(codes.shape, np.nan), Column()
    kept = _kept(counts, texts, raw.ordered)
    new_codes = np.full(len(texts) + 1, _UNKNOWN)
    new_codes[kept] = np.arange(len(kept))
    new_codes[-1] = np.nan  # that of code -1
    categories = tuple(texts[at] for at in kept)
    return new_codes[codes], Column(ColumnKind.CATEGORICAL, categories, raw.ordered)


def read_as(raw: RawColumn, column: Column, what: str) -> Values:
    """Give a column's values as the codes, numbers or seconds of the column of fit.

    Parameters
    ----------
    raw : RawColumn
    column : Column
    what : str
        The column in messages.

    Raises
    ------
    TypeError
        When the column cannot be read as what it was in fit.
    """
    if raw.kind is not ColumnKind.CATEGORICAL and np.isnan(raw.values).all():
        return raw.values
    if column.kind is ColumnKind.CATEGORICAL:
        return _as_categories(raw, column, what)
    if raw.kind is column.kind:
        return raw.values
    if raw.kind is ColumnKind.CATEGORICAL:
        if column.kind is ColumnKind.DATE:
            return _as_numbers(raw, date_seconds, f"{what} held dates in fit; it must hold dates")
        return _as_numbers(raw, _number, f"{what} was numeric in fit; it must hold numbers")
    now, then = ("dates", "numbers") if raw.kind is ColumnKind.DATE else ("numbers", "dates")
    raise TypeError(f"{what} held {then} in fit; it must hold {then}, got {now}")


def _merged(codes: Any, labels: list[Any]) -> tuple[Codes, list[str]]:
    """Codes of distinct texts, in the labels' order; -1 for missing."""
    plain = set(map(type, labels)) == {str} and all(map(str.isascii, labels))
    if plain and len(set(labels)) == len(labels):  # each is its own text: common, and fast
        return np.asarray(codes, dtype=np.int64), labels
    positions: dict[str, int] = {}
    own = np.full(len(labels) + 1, -1, dtype=np.int64)
    for at, label in enumerate(labels):
        if not is_missing(label):
            own[at] = positions.setdefault(category_text(label), len(positions))
    return own[codes], list(positions)


def _kept(counts: npt.NDArray[np.int64], texts: list[str], ordered: bool) -> list[int]:
    """Positions of the categories that get codes, in the order of their codes."""
    kept = list(range(len(texts))) if ordered else np.flatnonzero(counts).tolist()
    if len(kept) > MAX_CATEGORIES:
        # Only those of the count at which the places end compete by their texts.
        last = np.sort(counts[kept])[-MAX_CATEGORIES]
        sure = [at for at in kept if counts[at] > last]
        equal = sorted((at for at in kept if counts[at] == last), key=texts.__getitem__)
        kept = sure + equal[: MAX_CATEGORIES - len(sure)]
    return sorted(kept) if ordered else sorted(kept, key=texts.__getitem__)


def _as_categories(raw: RawColumn, column: Column, what: str) -> Values:
    if raw.kind is ColumnKind.DATE:
        raise TypeError(f"{what} was categorical in fit; it must hold text or numbers, got dates")
    codes, labels = raw.values, raw.labels
    if raw.kind is ColumnKind.NUMERIC:
        distinct, codes = np.unique(raw.values, return_inverse=True)
        numbers: list[Any] = distinct.tolist()
        labels = [n if is_missing(n) else bool(n) for n in numbers] if raw.boolean else numbers
    positions = {text: float(code) for code, text in enumerate(column.categories)}
    own = [
        np.nan if is_missing(label) else positions.get(category_text(label), _UNKNOWN)
        for label in labels
    ]
    values: Values = np.array([*own, np.nan])[codes]  # the last one is that of code -1
    return values


def _as_numbers(raw: RawColumn, measure: Callable[[Any], float], rule: str) -> Values:
    """Measure each label that occurs."""
    own = np.full(len(raw.labels) + 1, np.nan)
    for at in np.unique(raw.values[raw.values >= 0]).tolist():
        label = raw.labels[at]
        if is_missing(label):
            continue
        try:
            own[at] = measure(label)
        except (AttributeError, OverflowError, TypeError, ValueError):
            raise TypeError(f"{rule}, got {label!r}") from None
    values: Values = own[raw.values]
    return values


def _number(label: Any) -> float:
    if not isinstance(label, Real):  # a text of digits may be a code that only looks like one
        raise TypeError(label)
    return float(label)
