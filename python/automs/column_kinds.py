"""A label -> the text of its category; and what a column is: kind, categories, order."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Any

import numpy as np

__all__ = [
    "MAX_CATEGORIES",
    "Column",
    "ColumnKind",
    "category_text",
    "is_missing",
    "is_missing_type",
]

MAX_CATEGORIES = 65_535  # a column; rarer ones count as unknown

_NO_VALUE = {"NoneType", "NAType", "NaTType"}  # the last two of pandas, which need not be there
_SELF_UNEQUAL = float | np.floating | Decimal | np.datetime64 | np.timedelta64


class ColumnKind(IntEnum):
    """What the numbers of a column mean; the codes of the model file."""

    NUMERIC = 0
    CATEGORICAL = 1
    DATE = 2


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table is.

    Attributes
    ----------
    kind : ColumnKind
        Numbers; codes of categories (-1 for an unknown one); or seconds since 1970 began in UTC.
    categories : tuple of str
        The texts of codes 0, 1, ...; of a categorical column only.
    ordered : bool
        Whether the categories ascend.
    """

    kind: ColumnKind = ColumnKind.NUMERIC
    categories: tuple[str, ...] = ()
    ordered: bool = False


def category_text(label: Any) -> str:
    """Give the text by which a category is known: a whole number's without a fraction.

    Examples
    --------
    >>> [category_text(label) for label in ("a", 3, 3.0, 2.5, True)]
    ['a', '3', '3', '2.5', 'True']
    """
    if isinstance(label, float | np.floating | Decimal):
        number = float(label)
        return str(int(number)) if number.is_integer() else repr(number)
    text = str(label)
    # Halves of surrogate pairs, which no file can hold, become question marks.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def is_missing(label: Any) -> bool:
    """Tell None, NaN, NaT and NA from values."""
    if is_missing_type(type(label)):
        return True
    return isinstance(label, _SELF_UNEQUAL) and bool(label != label)  # noqa: PLR0124  # NaN


def is_missing_type(kind: type) -> bool:
    """Tell the types all of whose objects are missing values."""
    return kind.__name__ in _NO_VALUE
