"""Lists of candidates -> how good the best of their first k is, on tables that they never saw.

A list is chosen from by validation errors alone; the test error is that of what was chosen. Lists
are compared at equal numbers of candidates, and at equal training time in medians of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from portfolio_choice import LENGTH, Scores, Values, leave_one_out, regrets

SEED = 0
N_ORDERS = 200
N_BOOTSTRAP = 10_000
COUNTS = (1, 2, 4, 6, 8, 12)
TIMES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)

_HEAD = """\
# First candidates chosen by a portfolio

What `python bench/build_portfolio.py report bench/results/portfolio.csv` gives: {candidates}
candidates on {tables} tables, each cut to at most 4,000 rows for training and validation. A built
list is chosen without the table that it is tried on, from tables of the same kind of task unless it
says otherwise; the hand-chosen one was made with some of the tables in view. Regret is 0 for the
table's best candidate, 1 for its median one or worse: on validation rows, or on test rows for the
candidate that is best by validation. Time is in trainings of the table's median candidate.
"""
#: Numbers of the candidates of a table's list -> how many of them count.
Cut = Callable[[int, Sequence[int]], int]


@dataclass(frozen=True)
class Contest:
    """The lists of one contestant: for each table one or more orders of candidates' numbers."""

    name: str
    orders: tuple[tuple[tuple[int, ...], ...], ...]


def contests(scores: Scores, left_out: Mapping[str, set[str]]) -> list[Contest]:
    """The hand-chosen list, those chosen without the table, and random draws.

    `left_out` has, by table, those that the search leaves out there, in any list but the draws.
    """
    number = {name: at for at, name in enumerate(scores.candidates)}
    hand = [name for name in scores.candidates if name.startswith("hand")]
    draws = [name for name in scores.candidates if name.startswith("draw")]
    rng = np.random.default_rng(SEED)

    def kept(lists: Mapping[str, Sequence[str]]) -> tuple[tuple[tuple[int, ...], ...], ...]:
        return tuple(
            (tuple(number[name] for name in lists[table] if name not in left_out[table]),)
            for table in scores.tables
        )

    def shuffled() -> tuple[int, ...]:
        return tuple(number[draws[at]] for at in rng.permutation(len(draws))[:LENGTH])

    return [
        Contest("hand-chosen", kept(dict.fromkeys(scores.tables, hand))),
        Contest("hand-chosen, in a built order", kept(leave_one_out(scores.of_families("hand")))),
        Contest("built, by kind", kept(leave_one_out(scores))),
        Contest("built, without recipes", kept(leave_one_out(scores.of_families("hand", "draw")))),
        Contest("built, all kinds", kept(leave_one_out(scores, by_kind=False))),
        Contest("random draws", tuple(
            tuple(shuffled() for _ in range(N_ORDERS)) for _ in scores.tables
        )),
    ]  # fmt: skip


def by_count(n: int) -> Cut:
    return lambda _, order: min(n, len(order))


def by_time(scores: Scores, limit: float) -> Cut:
    """As many as are trained, one after another, within the limit; the first one always is."""

    def cut(table: int, order: Sequence[int]) -> int:
        passed = np.cumsum(scores.cost[table, list(order)])
        return max(int(np.searchsorted(passed, limit, side="right")), 1)

    return cut


def best_so_far(contest: Contest, validation: Values, measured: Values, cut: Cut) -> Values:
    """What is `measured` on each table for the best by validation, a mean over orders."""
    found = []
    for table, orders in enumerate(contest.orders):
        best = [
            min(order[: cut(table, order)], key=lambda at: validation[table, at])
            for order in orders
        ]
        found.append(np.mean([measured[table, at] for at in best]))
    return np.array(found)


@dataclass(frozen=True)
class Duel:
    """One list against another, table by table: wins, losses, and the mean ratio of errors."""

    wins: int
    losses: int
    ratio: float
    low: float
    high: float


def duel(ours: Values, theirs: Values) -> Duel:
    """Geometric mean of ratios of errors, and its 95 % interval by a bootstrap over tables."""
    logs = np.log(ours / theirs)
    rng = np.random.default_rng(SEED)
    means = logs[rng.integers(len(logs), size=(N_BOOTSTRAP, len(logs)))].mean(axis=1)
    low, high = np.exp(np.quantile(means, (0.025, 0.975)))
    wins, losses = int((ours < theirs).sum()), int((ours > theirs).sum())
    return Duel(wins, losses, float(np.exp(logs.mean())), float(low), float(high))


def evidence(scores: Scores, left_out: Mapping[str, set[str]]) -> str:
    """All of it as Markdown."""
    entrants = contests(scores, left_out)
    validation, test = regrets(scores.error_val), regrets(scores.error_test)
    counts = [(f"{n}", by_count(n)) for n in COUNTS]
    times = [(f"{t:g}", by_time(scores, t)) for t in TIMES]
    parts = [_HEAD.format(tables=len(scores.tables), candidates=len(scores.candidates))]
    for title, cuts in (("candidates", counts), ("training time", times)):
        for rows, measured in (("validation", validation), ("test", test)):
            parts.append(
                f"## Mean regret on {rows} rows after so many {title}\n".replace(
                    "many training", "much training"
                )
            )
            parts.append(_table(entrants, scores, measured, cuts))
    parts.append("## Test error against the hand-chosen list\n")
    parts.append(_duels(entrants, scores, [*counts[2:], *times[2:]], len(counts[2:])))
    return "\n".join(parts)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _header(cells: Sequence[str]) -> list[str]:
    return [_line(cells), _line(["---", *["---:"] * (len(cells) - 1)])]


def _table(
    entrants: Sequence[Contest], scores: Scores, measured: Values, cuts: Sequence[tuple[str, Cut]]
) -> str:
    lines = _header(["", *(label for label, _ in cuts)])
    for entrant in entrants:
        means = [best_so_far(entrant, scores.error_val, measured, cut).mean() for _, cut in cuts]
        lines.append(_line([entrant.name, *(f"{mean:.3f}" for mean in means)]))
    return "\n".join(lines) + "\n"


def _duels(
    entrants: Sequence[Contest],
    scores: Scores,
    cuts: Sequence[tuple[str, Cut]],
    n_counts: int,
) -> str:
    lines = _header(["", "after", "wins", "losses", "error ratio", "95 % interval"])
    hand, *others = entrants
    for entrant in others:
        for at, (label, cut) in enumerate(cuts):
            ours, theirs = (
                best_so_far(who, scores.error_val, scores.error_test, cut)
                for who in (entrant, hand)
            )
            found = duel(ours, theirs)
            unit = "candidates" if at < n_counts else "medians of time"
            lines.append(_line([
                entrant.name, f"{label} {unit}", f"{found.wins}", f"{found.losses}",
                f"{found.ratio:.3f}", f"{found.low:.3f} to {found.high:.3f}",
            ]))  # fmt: skip
    return "\n".join(lines) + "\n"
