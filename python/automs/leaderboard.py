"""Rows about candidates, ensembles and baselines -> the leaderboard, best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

__all__ = ["LeaderboardRow", "TrialState", "make_leaderboard", "mark_used", "sort_rows"]


class TrialState(StrEnum):
    """How a trial ended."""

    COMPLETE = "COMPLETE"  #: reached its last budget
    PRUNED = "PRUNED"  #: not promoted
    DIVERGED = "DIVERGED"  #: lost to NaN or infinity
    TIMED_OUT = "TIMED_OUT"  #: cut by its deadline
    STOPPED = "STOPPED"  #: ended by Ctrl-C
    SKIPPED = "SKIPPED"  #: not tried, with the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardRow:
    """One row of the leaderboard, its rank still to be given (0).

    Attributes
    ----------
    rank : int
        From 1, best first; set by `sort_rows`.
    name : str
        Unique in a leaderboard.
    kind : {"candidate", "ensemble", "distilled", "baseline"}
    score_val, score_val_std : float
        Validation score, higher is better, and its standard deviation over folds (NaN: unknown).
    loss_val : float
        Validation loss.
    fit_time, pred_time_val : float, seconds
    latency_us : float, microseconds
        Of predicting one row.
    n_parameters : int, optional
    n_bytes : int, optional
        Of the model file, where it is one that can be used.
    epochs : int, optional
        Epochs trained.
    state : TrialState
    reason : str
        Why it is in this state, where that is not plain; what it is made of, or why it is not used.
    used : bool
        Whether this is the model that predicts.
    settings : mapping of str
        A candidate's settings; they become columns, `epochs` under the name ``max_epochs``.
    """

    rank: int = 0
    name: str
    kind: str
    score_val: float = math.nan
    score_val_std: float = math.nan
    loss_val: float = math.nan
    fit_time: float = math.nan
    pred_time_val: float = math.nan
    latency_us: float = math.nan
    n_parameters: int | None = None
    n_bytes: int | None = None
    epochs: int | None = None
    state: TrialState = TrialState.COMPLETE
    reason: str = ""
    used: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the columns by name, settings last."""
        columns = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "settings"}
        columns["state"] = str(self.state)
        settings = {_setting_column(name): value for name, value in self.settings.items()}
        return columns | {name: value for name, value in settings.items() if name not in columns}


def _setting_column(name: str) -> str:
    return "max_epochs" if name == "epochs" else name


_FINAL = {TrialState.COMPLETE, TrialState.STOPPED, TrialState.TIMED_OUT}
_SCORED, _PRUNED, _UNSCORED = range(3)


def _sort_key(row: LeaderboardRow) -> tuple[float | str, ...]:
    size = math.inf if row.n_parameters is None else row.n_parameters
    if not math.isfinite(row.score_val) or row.state in {TrialState.DIVERGED, TrialState.SKIPPED}:
        return (_UNSCORED, list(TrialState).index(row.state), 0.0, size, row.name)
    if row.state in _FINAL:
        return (_SCORED, 0.0, -row.score_val, size, row.name)
    return (_PRUNED, -(row.epochs or 0), -row.score_val, size, row.name)


def sort_rows(rows: Sequence[LeaderboardRow]) -> list[LeaderboardRow]:
    """Give the rows best first, with ranks 1, 2, ...

    First come those with a finite score that ran to an end or were cut off, by score; then pruned
    ones, those that trained longest first, then by score; then those without a score. Ties go to
    fewer parameters, then to the name that sorts first.

    Examples
    --------
    >>> rows = [LeaderboardRow(name="a", kind="baseline", score_val=0.5),
    ...         LeaderboardRow(name="b", kind="candidate", score_val=0.7)]
    >>> [(row.rank, row.name) for row in sort_rows(rows)]
    [(1, 'b'), (2, 'a')]
    """
    ordered = sorted(rows, key=_sort_key)
    return [replace(row, rank=rank) for rank, row in enumerate(ordered, start=1)]


def make_leaderboard(rows: Sequence[LeaderboardRow]) -> Any:
    """Give the leaderboard as a table.

    Parameters
    ----------
    rows : sequence of LeaderboardRow

    Returns
    -------
    pandas.DataFrame or list of dict
        One row each, best first, as `sort_rows` orders them; a list of dicts, all with the same
        keys, where pandas is not installed. What a row does not have is None there (or missing).

    Examples
    --------
    >>> len(make_leaderboard([LeaderboardRow(name="ridge", kind="baseline", score_val=0.5)]))
    1
    """
    records = [row.as_dict() for row in sort_rows(rows)]
    columns = list(dict.fromkeys(name for record in records for name in record))
    if not columns:
        columns = [name for name in LeaderboardRow.__dataclass_fields__ if name != "settings"]
    records = [{name: record.get(name) for name in columns} for record in records]
    try:
        import pandas as pd  # noqa: PLC0415  # optional, and slow to import
    except ImportError:
        return records
    table = pd.DataFrame(records, columns=columns, dtype=object)
    for name in columns:
        # Others stay objects: among missing values, a seed of 64 bits would become a float.
        if len({type(record[name]) for record in records}) == 1:
            table[name] = table[name].infer_objects()
    return table


def mark_used(board: Any, name: str) -> Any:
    """Give a leaderboard on which one model, by its name, is the one that is used.

    Examples
    --------
    >>> board = make_leaderboard([LeaderboardRow(name="ridge", kind="baseline", used=True)])
    >>> list(mark_used(board, "net-0001")["used"])
    [False]
    """
    if isinstance(board, list):
        return [record | {"used": record["name"] == name} for record in board]
    return board.assign(used=board["name"] == name)
