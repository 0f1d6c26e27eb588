"""Table and training rows -> `Encoder`: float64 columns to float32 features and embedded codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import Encoder
from automs.column_kinds import ColumnKind
from automs.encoding_categories import category_parts
from automs.encoding_parts import Part, date_parts, numeric_parts
from automs.table import Table
from automs.table_values import TableValues

__all__ = [
    "ENCODINGS", "Encoder", "are_same", "encode_values", "fit_encoder", "fit_parts",
]  # fmt: skip

#: Piecewise encodings: bins of a column, at most.
_PIECEWISE_BINS = {"piecewise": 16, "piecewise-fine": 64}
#: Columns of at most so many times as many values have a bin between any two of them.
_VALUES_OF_BINS = {"piecewise": 1, "piecewise-fine": 2}
ENCODINGS = ("robust", "standard", *_PIECEWISE_BINS, "quantile")

_MIN_BINS = 4
#: More columns than these share the bins that so many have, as long as each has the least.
_SHARED_BINS = 32

_BLOCK_BYTES = 1 << 22  # of values that are no matrix, turned into one at a time

Rows = npt.NDArray[np.int32]


def fit_encoder(table: Table, train_rows: Rows, encoding: str, embed: bool = True) -> Encoder:
    """Learn how to encode the columns of a table, from training rows only.

    Parameters
    ----------
    table : Table
    train_rows : ndarray of int32
        The rows to learn from.
    encoding : {"robust", "standard", "piecewise", "piecewise-fine", "quantile"}
        Of numeric columns. "robust": z = (x - median) / interquartile range, then
        z / sqrt(1 + (z / 3)^2); where the interquartile range is 0, half the range takes its
        place. "standard": z = (x - mean) / standard deviation. "piecewise": as "robust", and for
        each of up to 16 bins between quantiles how far x is through it, from -1 to 1; for
        "piecewise-fine" up to 64, or one between any two values where these are at most twice as
        many. Beyond 32 numeric columns each has fewer bins, as if 32 shared theirs, but 4.
        "quantile": the normal score of the rank, from -3 to 3, linear between up to 256 values.
    embed : bool, default=True
        Whether categorical columns of more than 9 levels become codes for an embedding; else they
        are one-hot, with a slot for each of the 64 most frequent levels and one for all others.

    Returns
    -------
    Encoder
        With at least one part. Its scaled parts come first, then all others, in column order.

    Notes
    -----
    A column that is constant or missing throughout among the training rows gets no part. Each
    numeric or date column with missing and present values gets an indicator. Categories, missing
    being one, become one-hot up to 9 of them (two: a single feature); those seen in fewer than 2
    training rows share the embedding of unknown ones. A category without a training row is
    unknown. Ordered ones become a rank scaled to mean 0 and deviation 1; up to 9, one-hot besides.
    Dates become robust seconds and the sine and cosine of the cycles that their span and times
    tell of. Quantiles are those of at most 200,000 training values, evenly spaced in row order.

    References
    ----------
    D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", 2024, arXiv 2407.04491, section 3: the robust encoding, one-hot
    up to 9 levels. Y. Gorishniy, I. Rubachev, A. Babenko, "On embeddings for numerical features in
    tabular deep learning", 2022, arXiv 2203.05556, section 3.2: piecewise linear encoding.

    Examples
    --------
    >>> import numpy as np
    >>> from automs.table import read_table
    >>> table = read_table([[1.0, "a"], [3.0, "b"], [None, "a"]])
    >>> encoder = fit_encoder(table, np.arange(2, dtype=np.int32), "standard")
    >>> encoder.encode(table.values)[0]
    array([[-1.,  0.],
           [ 1.,  1.],
           [ 0.,  0.]], dtype=float32)
    """
    return Encoder(len(table.columns), fit_parts(table, train_rows, encoding, embed))


def fit_parts(table: Table, train_rows: Rows, encoding: str, embed: bool = True) -> list[Part]:
    """Give the parts of the encoder that `fit_encoder` makes, as the keywords of each."""
    n_numeric = sum(column.kind is ColumnKind.NUMERIC for column in table.columns)
    most = _PIECEWISE_BINS.get(encoding, 0)
    n_bins = min(max(_SHARED_BINS * most // max(n_numeric, 1), _MIN_BINS), most)
    times = _VALUES_OF_BINS.get(encoding, 0)
    parts: list[Part] = []
    for at, column in enumerate(table.columns):
        values = table.values[train_rows, at]
        if column.kind is ColumnKind.CATEGORICAL:
            n_categories, ordered = len(column.categories), column.ordered
            parts += category_parts(at, values, n_categories, ordered=ordered, embed=embed)
        elif column.kind is ColumnKind.DATE:
            parts += date_parts(at, values)
        else:
            parts += numeric_parts(at, values, encoding, n_bins, n_bins * times)
    if not parts:  # an encoder has at least one: a feature that is always 0
        parts = [{"kind": "scaled", "column": 0, "clip": False, "centre": 0.0, "scale": 0.0}]
    return sorted(parts, key=lambda part: bool(part["kind"] != "scaled"))


def are_same(encoder: Encoder, other: Encoder) -> bool:
    """Tell whether two encoders of one table make the same features."""
    mine, its = encoder.parts, other.parts
    return [part["kind"] for part in mine] == [part["kind"] for part in its] and all(
        part.keys() == twin.keys() and all(np.array_equal(part[name], twin[name]) for name in part)
        for part, twin in zip(mine, its, strict=True)
    )


def encode_values(
    encoder: Encoder,
    values: npt.NDArray[np.float64] | TableValues,
    n_threads: int,
    *,
    compact: bool = False,
) -> tuple[npt.NDArray[Any], ...]:
    """Give what `Encoder.encode`, or `encode_compact`, makes of a table's values."""
    encode = encoder.encode_compact if compact else encoder.encode
    if not isinstance(values, TableValues):
        return encode(values, n_threads)
    n_rows, n_columns = values.shape
    at_once = max(_BLOCK_BYTES // (8 * n_columns), 1)
    whole: list[npt.NDArray[Any]] = []
    for first in range(0, n_rows, at_once):
        parts: tuple[npt.NDArray[Any], ...] = encode(values[first : first + at_once], n_threads)
        whole = whole or [np.empty((n_rows, *part.shape[1:]), part.dtype) for part in parts]
        for array, part in zip(whole, parts, strict=True):
            array[first : first + len(part)] = part
    return tuple(whole)
