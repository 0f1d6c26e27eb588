"""Validation request, row count, classes, groups and a seed -> train and validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.seeds import derive_seed, keyed_rng

__all__ = ["Split", "make_splits"]

#: "auto" means cross-validation below this many rows, else a hold-out.
HOLD_OUT_FROM_ROWS = 10_000
AUTO_FOLDS = 5
#: Below so many rows it means folds drawn several times over, as a score of so few rows depends
#: on which of them were trained on together.
REPEATED_BELOW_ROWS = 300
AUTO_REPEATS = 3
AUTO_FRACTION = 0.2
AUTO_MAX_VALIDATION_ROWS = 20_000

_PURPOSE = 0x5B11  # keeps this stream apart from those of candidates with the same seed

Codes = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows to train on and rows to validate on, int32, each ascending; disjoint and not empty.

    `validation_groups` are the codes of the validation rows' groups, where there are groups.
    """

    train_rows: Rows
    validation_rows: Rows
    validation_groups: Codes | None = None


def make_splits(
    validation: Any,
    n_rows: int,
    y_codes: npt.ArrayLike | None,
    seed: int,
    groups: Sequence[Any] | npt.NDArray[Any] | None = None,
    y: Any = None,
) -> list[Split]:
    """Give the splits that a search trains and validates on.

    Parameters
    ----------
    validation : "auto", "time", float, int or scikit-learn splitter
        "auto": 5 folds below 10,000 rows, drawn three times over below 300, else a hold-out of
        20 %, at most 20,000 rows. "time":
        the last 20 % of the rows, at most 20,000, for tables in order of time. A float in (0, 1):
        the share of rows held out. An int >= 2: the number of folds. An object with a method
        ``split(X, y, groups)``: what it gives for a column of zeros as X.
    n_rows : int
    y_codes : array-like of int, shape (n_rows,), or None
        Classes as 0, 1, ...: every part gets its share of each, as far as there are enough rows;
        None (regression): rows are drawn whatever their y.
    seed : int
        Fixes every draw here. (A splitter object has its own.)
    groups : array-like, shape (n_rows,), optional
        Rows of one group stay together; parts are then as equal as groups allow, and not
        stratified. A splitter is given them, and itself decides what they mean.
    y : array-like of shape (n_rows,) or (n_rows, n_targets), optional
        What a splitter is given as y: labels or values; None for `y_codes`.

    Returns
    -------
    list of Split
        One for a hold-out; with folds, each row is a validation row exactly once, or once for each
        time that folds are drawn. (A splitter may leave rows out, or take them more than once.)

    Raises
    ------
    ValueError
        When there are too few rows or groups, groups with "time", or the request or a splitter's
        rows make no sense.
    TypeError
        When `validation` is none of the above.

    Examples
    --------
    >>> [s.validation_rows.size for s in make_splits(4, 10, None, seed=0)]
    [3, 3, 2, 2]
    """
    if n_rows < 2:
        raise ValueError(
            f"validation needs at least 2 rows (samples), 1 to train and 1 to validate on, "
            f"got n_samples={n_rows}"
        )
    codes = None if y_codes is None else _as_codes("y_codes", y_codes, n_rows)
    group_codes = None if groups is None else _as_codes("groups", groups, n_rows)
    if hasattr(validation, "split") and not isinstance(validation, str):
        return _splits_of(validation, n_rows, codes if y is None else y, groups, group_codes)
    if isinstance(validation, str) and validation == "time":
        return [_last_rows(n_rows, group_codes)]
    n_folds, n_held_out = _requested(validation, n_rows, group_codes)
    rng = keyed_rng(derive_seed(seed, _PURPOSE))
    if n_folds:
        n_units = n_rows if group_codes is None else int(group_codes.max()) + 1
        is_tiny = isinstance(validation, str) and n_rows < REPEATED_BELOW_ROWS
        n_draws = AUTO_REPEATS if is_tiny and n_folds < n_units else 1  # of a fold each: all alike
        drawn = [_folds(n_folds, n_rows, codes, group_codes, rng) for _ in range(n_draws)]
        return [_split_by(f == fold, group_codes) for f in drawn for fold in range(n_folds)]
    return [_split_by(_hold_out(n_held_out, n_rows, codes, group_codes, rng), group_codes)]


def _as_codes(name: str, labels: Any, n_rows: int) -> Codes:
    array = np.asarray(labels)
    if array.shape != (n_rows,):
        raise ValueError(f"{name} must be of shape ({n_rows},), got {array.shape}")
    if array.dtype == object:  # mixed labels cannot be sorted, but can be told apart
        known: dict[Any, int] = {}
        return np.array([known.setdefault(label, len(known)) for label in array], np.int64)
    return np.unique(array, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _requested(validation: Any, n_rows: int, groups: Codes | None) -> tuple[int, int]:
    """(folds, 0) or (0, rows to hold out), checked."""
    n_units, units = (n_rows, "rows") if groups is None else (int(groups.max()) + 1, "groups")
    if n_units < 2:
        raise ValueError(
            f"validation needs at least 2 {units}, got {n_units}: rows of one group are never "
            "both trained and validated on; give groups of fewer rows, or groups=None"
        )
    if isinstance(validation, str) and validation == "auto":
        if n_rows < HOLD_OUT_FROM_ROWS:
            return min(AUTO_FOLDS, n_units), 0
        return 0, _auto_held_out(n_rows)
    if isinstance(validation, bool | np.bool_ | str):
        raise _request_error(validation)
    if isinstance(validation, int | np.integer):
        if not 2 <= validation <= n_units:
            raise ValueError(
                f"validation must be from 2 to the number of {units}, {n_units}, as a number "
                f"of folds, got {validation}"
            )
        return int(validation), 0
    if isinstance(validation, float | np.floating):
        if not 0 < validation < 1:
            raise ValueError(f"validation must be in (0, 1) as a fraction, got {validation}")
        return 0, min(max(round(float(validation) * n_rows), 1), n_rows - 1)
    raise _request_error(validation)


def _request_error(validation: Any) -> ValueError | TypeError:
    kind = ValueError if isinstance(validation, str) else TypeError
    return kind(
        "validation must be 'auto', 'time', a fraction, a number of folds, a splitter with a "
        f"method split, or a pair (X_val, y_val), got {validation!r:.80}"
    )


def _auto_held_out(n_rows: int) -> int:
    return min(max(round(AUTO_FRACTION * n_rows), 1), AUTO_MAX_VALIDATION_ROWS)


def _last_rows(n_rows: int, groups: Codes | None) -> Split:
    """Hold out the end of the table, so that nothing is trained on what came later."""
    if groups is not None:
        raise ValueError(
            "groups must be None where validation is 'time', as the order of rows alone decides "
            "then; a splitter can do both"
        )
    rows = np.arange(n_rows, dtype=np.int32)
    first = n_rows - _auto_held_out(n_rows)
    return Split(rows[:first], rows[first:])


def _by_class(codes: Codes | None, n_rows: int, rng: np.random.Generator) -> Codes:
    """All rows in random order, but class after class."""
    order = rng.permutation(n_rows)
    if codes is None:
        return order
    return order[np.argsort(codes[order], kind="stable")]


def _folds(
    n_folds: int,
    n_rows: int,
    codes: Codes | None,
    groups: Codes | None,
    rng: np.random.Generator,
) -> Codes:
    """Deal the rows out to the folds like cards, class after class: shares differ by one row."""
    if groups is not None:
        return _group_folds(n_folds, groups, rng)[groups]
    fold_of_row = np.empty(n_rows, dtype=np.int64)
    fold_of_row[_by_class(codes, n_rows, rng)] = np.arange(n_rows) % n_folds
    return fold_of_row


def _group_folds(n_folds: int, groups: Codes, rng: np.random.Generator) -> Codes:
    """Put the largest group left into the fold with the fewest rows, until none is left."""
    n_rows_of_group = np.bincount(groups)
    order = rng.permutation(n_rows_of_group.size)
    order = order[np.argsort(-n_rows_of_group[order], kind="stable")]
    n_rows_of_fold = np.zeros(n_folds, dtype=np.int64)
    fold_of_group = np.empty(n_rows_of_group.size, dtype=np.int64)
    for group in order:
        fold = int(np.argmin(n_rows_of_fold))
        fold_of_group[group] = fold
        n_rows_of_fold[fold] += n_rows_of_group[group]
    return fold_of_group


def _hold_out(
    n_held_out: int,
    n_rows: int,
    codes: Codes | None,
    groups: Codes | None,
    rng: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """Mark the validation rows: evenly spaced picks from the rows, class after class."""
    if groups is not None:
        return _group_hold_out(n_held_out, groups, rng)[groups]
    order = _by_class(codes, n_rows, rng)
    if codes is not None:  # the only row of a class is for training, if enough others remain
        shared = order[np.bincount(codes)[codes[order]] > 1]
        order = shared if shared.size > n_held_out else order
    at = ((np.arange(n_held_out) + 0.5) * (order.size / n_held_out)).astype(np.int64)
    held_out = np.zeros(n_rows, dtype=bool)
    held_out[order[at]] = True
    return held_out


def _group_hold_out(
    n_held_out: int, groups: Codes, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Mark the groups held out: in random order, each that still fits; at least one."""
    n_rows_of_group = np.bincount(groups)
    held_out = np.zeros(n_rows_of_group.size, dtype=bool)
    n_left = n_held_out
    for group in rng.permutation(n_rows_of_group.size):
        if n_rows_of_group[group] <= n_left:
            held_out[group] = True
            n_left -= int(n_rows_of_group[group])
    if not held_out.any():
        held_out[np.argmin(n_rows_of_group)] = True
    return held_out


def _split_by(held_out: npt.NDArray[np.bool_], groups: Codes | None) -> Split:
    return _split(np.flatnonzero(~held_out), np.flatnonzero(held_out), groups)


def _split(train_rows: Codes, validation_rows: Codes, groups: Codes | None) -> Split:
    own = None if groups is None else groups[validation_rows]
    return Split(train_rows.astype(np.int32), validation_rows.astype(np.int32), own)


def _splits_of(
    splitter: Any, n_rows: int, y: Any, groups: Any, group_codes: Codes | None
) -> list[Split]:
    y = np.zeros(n_rows) if y is None else y
    pairs = splitter.split(np.zeros((n_rows, 1)), y, groups)
    splits = [
        _split(_rows(train, n_rows), _rows(held_out, n_rows), group_codes)
        for train, held_out in pairs
    ]
    if not splits:
        raise ValueError("validation must give at least one split, got a splitter that gives none")
    for split in splits:
        if np.intersect1d(split.train_rows, split.validation_rows).size:
            raise ValueError("validation must not train on validation rows, as its splitter does")
    return splits


def _rows(rows: Any, n_rows: int) -> Codes:
    array = np.asarray(rows)
    if array.dtype == bool and array.shape == (n_rows,):
        array = np.flatnonzero(array)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            "validation must give parts of at least one row, as 1-D integer arrays, got a "
            f"{array.dtype} array of shape {array.shape} from its splitter"
        )
    if array.min() < 0 or array.max() >= n_rows:
        raise ValueError(
            f"validation must give rows from 0 to {n_rows - 1}, got {array.min()} to "
            f"{array.max()} from its splitter"
        )
    return np.unique(array).astype(np.int64)
