"""Errors of candidates on tables -> a list of them, in order, and the lists without each table.

Regret is 0 for the best candidate of a table, and 1 for its median and for all that are worse: so
tables weigh alike, and a list that has nothing yet has regret 1. The greedy choice takes, time
and again, the candidate that lowers the mean regret of the best so far most for what it costs.

M. Feurer, K. Eggensperger, S. Falkner, M. Lindauer, F. Hutter, "Auto-sklearn 2.0: hands-free
AutoML via meta-learning", JMLR 2022: portfolios by greedy submodular minimisation. M. Streeter,
D. Golovin, "An online algorithm for maximizing submodular functions", NIPS 2008: gain by cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from portfolio_scores import Score

LENGTH = 12
#: What a place in the list costs besides the training, in trainings of a median candidate.
PLACE = 1.0

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Errors and relative training times of the candidates (columns) on the tables (rows)."""

    tables: tuple[str, ...]
    kinds: tuple[str, ...]
    candidates: tuple[str, ...]
    error_val: Values
    error_test: Values
    cost: Values

    def rows(self, chosen: Iterable[bool]) -> Scores:
        """The same with these tables alone."""
        at = np.flatnonzero(list(chosen))
        return Scores(
            tuple(self.tables[i] for i in at),
            tuple(self.kinds[i] for i in at),
            self.candidates,
            self.error_val[at],
            self.error_test[at],
            self.cost[at],
        )

    def of_families(self, *families: str) -> Scores:
        """The same with the candidates alone whose names begin so."""
        at = [i for i, name in enumerate(self.candidates) if name.startswith(families)]
        names = tuple(self.candidates[i] for i in at)
        figures = (self.error_val[:, at], self.error_test[:, at], self.cost[:, at])
        return Scores(self.tables, self.kinds, names, *figures)


def kind_of(task: str) -> str:
    return "regression" if task == "regression" else "classification"


def collect(scores: Sequence[Score]) -> Scores:
    """Tables that have all candidates; a training time counts in medians of its table."""
    by_table: dict[str, dict[str, Score]] = {}
    for score in scores:
        by_table.setdefault(score.table, {})[score.candidate] = score
    names = tuple(dict.fromkeys(score.candidate for score in scores))
    whole = {table: own for table, own in by_table.items() if len(own) == len(names)}
    if not whole:
        raise ValueError("no table has the errors of all candidates")
    lines = [[own[name] for name in names] for own in whole.values()]
    seconds = np.array([[s.seconds for s in line] for line in lines])
    return Scores(
        tuple(whole),
        tuple(kind_of(line[0].task) for line in lines),
        names,
        np.array([[s.error_val for s in line] for line in lines]),
        np.array([[s.error_test for s in line] for line in lines]),
        seconds / np.median(seconds, axis=1, keepdims=True),
    )


def regrets(errors: Values) -> Values:
    """Share of the way from the best error of each row to its median, at most 1."""
    best = errors.min(axis=1, keepdims=True)
    typical = np.median(errors, axis=1, keepdims=True)
    # Where half of the candidates are the best, all others are as bad as can be.
    scale = np.where(typical > best, typical - best, np.finfo(float).tiny)
    return np.clip((errors - best) / scale, 0.0, 1.0)


def greedy(regret: Values, cost: Values, length: int = LENGTH) -> list[int]:
    """Columns in the order of choice; it ends early where no other one helps.

    Parameters
    ----------
    regret : ndarray of shape (n_tables, n_candidates)
    cost : ndarray of shape (n_candidates,)
    length : int
        Candidates to choose, at most.
    """
    best = np.ones(len(regret))
    chosen: list[int] = []
    while len(chosen) < length:
        gain = (best[:, np.newaxis] - np.minimum(best[:, np.newaxis], regret)).mean(axis=0)
        at = int(np.argmax(gain / (PLACE + cost)))
        if gain[at] <= 0.0:
            break
        chosen.append(at)
        best = np.minimum(best, regret[:, at])
    return chosen


def choose(scores: Scores, length: int = LENGTH) -> list[str]:
    """The list for tables like these: by regret on validation and test rows, with equal weight.

    Either is a noisy measure of the same network; their mean is less so.

    Raises
    ------
    ValueError
        When there is no table.
    """
    if not scores.tables:
        raise ValueError("a list must be chosen from at least one table, got none")
    regret = (regrets(scores.error_val) + regrets(scores.error_test)) / 2.0
    cost = np.exp(np.log(np.maximum(scores.cost, 1e-9)).mean(axis=0))
    return [scores.candidates[at] for at in greedy(regret, cost, length)]


def lists_by_kind(scores: Scores, length: int = LENGTH) -> dict[str, list[str]]:
    """A list for each kind of task, from the tables of that kind."""
    return {
        kind: choose(scores.rows(own == kind for own in scores.kinds), length)
        for kind in sorted(set(scores.kinds))
    }


def leave_one_out(scores: Scores, *, by_kind: bool = True) -> dict[str, list[str]]:
    """For each table the list that is chosen without it: from the others, of its kind alone."""
    lists = {}
    for table, kind in zip(scores.tables, scores.kinds, strict=True):
        others = (
            name != table and (own == kind or not by_kind)
            for name, own in zip(scores.tables, scores.kinds, strict=True)
        )
        lists[table] = choose(scores.rows(others))
    return lists
