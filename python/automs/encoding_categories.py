"""Training codes of a categorical column -> parts of an encoder: slots, ranks, embedding rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automs.encoding_parts import Part, indicator_part

__all__ = ["category_parts"]

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_MAX_ONE_HOT = 9  # levels, a missing value among them; for more there is an embedding
_MAX_POOLED_ONE_HOT = 64  # levels with a slot of their own where there are no embeddings
_MIN_EMBEDDED = 2  # training rows of a category with a row of its own
_NO_SLOT = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Levels:
    """A column's training rows: how many of each code, and how many missing."""

    column: int
    counts: Counts
    n_missing: int

    @property
    def seen(self) -> Counts:
        """The codes of training rows, in their order."""
        return np.flatnonzero(self.counts)


def category_parts(
    column: int, values: Values, n_categories: int, *, ordered: bool, embed: bool
) -> list[Part]:
    """Give the parts of a categorical column.

    Parameters
    ----------
    column : int
    values : ndarray of float64, shape (n_train_rows,)
        Codes of training rows; NaN is missing, any other number that is no code is unknown.
    n_categories : int
    ordered : bool
        Whether codes ascend: then there is an ordinal part.
    embed : bool
        Whether many levels become an embedding; else one-hot with the rare ones in one slot.

    Returns
    -------
    list of dict
        None where training rows have one level only.

    Examples
    --------
    >>> import numpy as np
    >>> codes = np.array([0.0, 1.0, 3.0])
    >>> [part] = category_parts(0, codes, 4, ordered=False, embed=True)
    >>> part["n_slots"], part["slots"][:3].tolist()
    (3, [0, 1, 4294967295])
    """
    missing = np.isnan(values)
    known = (values >= 0) & (values < n_categories)
    counts = np.bincount(values[known].astype(np.int64), minlength=n_categories)
    levels = _Levels(column, counts, int(missing.sum()))
    n_levels = levels.seen.size + (levels.n_missing > 0)
    if n_levels < 2:
        return []
    few = n_levels <= _MAX_ONE_HOT
    if ordered:
        many = indicator_part(column, levels.n_missing, len(values))
        return _ordinal(levels) + (_one_hot(levels) if few else many)
    if few:
        return _one_hot(levels)
    return _embedded(levels, len(values)) if embed else _pooled_one_hot(levels)


def _one_hot(levels: _Levels) -> list[Part]:
    """Give a slot to each level; of two one tells: the second, or missing."""
    missing = levels.n_missing > 0
    with_slot = levels.seen
    if with_slot.size + missing == 2:
        with_slot = with_slot[1:]
    return [_one_hot_part(levels, with_slot, _NO_SLOT, missing=missing)]


def _pooled_one_hot(levels: _Levels) -> list[Part]:
    """Give a slot to each of the most frequent levels, and one to all others and unknown ones."""
    seen = levels.seen
    by_count = seen[np.argsort(-levels.counts[seen], kind="stable")]
    with_slot = np.sort(by_count[:_MAX_POOLED_ONE_HOT])
    pooled = with_slot.size if seen.size > with_slot.size else _NO_SLOT
    return [_one_hot_part(levels, with_slot, pooled, missing=levels.n_missing > 0)]


def _one_hot_part(levels: _Levels, with_slot: Counts, others: int, *, missing: bool) -> Part:
    """Give these codes a slot each, in their order; then others share one, then comes missing."""
    n_codes = levels.counts.size
    slots = np.full(n_codes + 2, others, dtype=np.uint32)
    slots[with_slot] = np.arange(with_slot.size)
    n_slots = with_slot.size + (others != _NO_SLOT)
    slots[n_codes] = n_slots if missing else _NO_SLOT
    return {
        "kind": "one_hot",
        "column": levels.column,
        "n_slots": int(n_slots + missing),
        "slots": slots,
    }


def _ordinal(levels: _Levels) -> list[Part]:
    """Give ranks among the levels of training rows, of mean 0 and deviation 1 there."""
    seen = levels.seen
    if seen.size < 2:
        return []
    ranks, weights = np.arange(seen.size, dtype=np.float64), levels.counts[seen]
    mean = np.average(ranks, weights=weights)
    deviation = np.sqrt(np.average((ranks - mean) ** 2, weights=weights))
    values = np.zeros(levels.counts.size + 2)
    values[seen] = (ranks - mean) / deviation
    return [{"kind": "ordinal", "column": levels.column, "values": values}]


def _embedded(levels: _Levels, n_rows: int) -> list[Part]:
    """Give a row to each level but rare ones, which share the next with unknown ones; then missing.

    So the row of unknown levels learns from rare ones. Where no training row is missing, a missing
    value counts as unknown: a row of its own would never be trained.
    """
    kept = np.flatnonzero(levels.counts >= _MIN_EMBEDDED)
    if not kept.size:  # names of rows: they say nothing about other rows
        return indicator_part(levels.column, levels.n_missing, n_rows)
    n_codes = levels.counts.size
    unknown = kept.size
    rows = np.full(n_codes + 2, unknown, dtype=np.uint32)
    rows[kept] = np.arange(kept.size)
    missing = levels.n_missing > 0
    rows[n_codes] = unknown + missing
    return [
        {
            "kind": "embedded",
            "column": levels.column,
            "n_rows": int(unknown + 1 + missing),
            "rows": rows,
        }
    ]
