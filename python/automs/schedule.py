"""Epochs, counts and scores at a rung -> rungs, survivors, and who is promoted."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "RUNG_FRACTIONS",
    "bracket_cost",
    "check_fractions",
    "epoch_at",
    "n_survivors",
    "promote",
    "rung_epochs",
    "shorter_runs",
]

#: Ends of coslog4's four cycles, where the learning rate has come down and scores are comparable.
RUNG_FRACTIONS = (1 / 15, 3 / 15, 7 / 15, 1.0)
#: What a run that is made shorter than its candidate says has at least.
_LEAST_STEPS = 5_000


def check_fractions(fractions: Sequence[float]) -> tuple[float, ...]:
    """Give `fractions` as a tuple; ValueError unless they ascend from above 0 to 1."""
    ascending = all(a < b for a, b in zip((0.0, *fractions), fractions, strict=False))
    if not fractions or not ascending or fractions[-1] != 1:
        raise ValueError(f"fractions must ascend from above 0 to 1, got {tuple(fractions)}")
    return tuple(float(fraction) for fraction in fractions)


def epoch_at(epochs: int, fraction: float) -> int:
    """Give the whole epoch, at least 1, nearest to a fraction of `epochs`."""
    return min(max(round(fraction * epochs), 1), epochs)


def shorter_runs(epochs: int, steps: int) -> list[int]:
    """Give what a run of so many epochs, of so many steps each, may be shortened to.

    On millions of rows a few epochs are as many steps as hundreds are on a small table.

    Examples
    --------
    >>> shorter_runs(30, 2000), shorter_runs(30, 100)
    ([15, 7, 3], [])
    """
    halves = itertools.takewhile(
        lambda n: n >= 1 and n * steps >= _LEAST_STEPS,
        (epochs >> times for times in itertools.count(1)),
    )
    return list(halves)


def rung_epochs(epochs: int, fractions: Sequence[float] = RUNG_FRACTIONS) -> list[int]:
    """Give the epochs at which a run of `epochs` epochs meets its rungs.

    Parameters
    ----------
    epochs : int >= 1
    fractions : sequence of float, default=(1/15, 3/15, 7/15, 1)
        Ascending, the last one 1.

    Returns
    -------
    list of int
        Strictly ascending, the last one `epochs`; rungs that fall on one epoch become one.

    Raises
    ------
    ValueError
        When `epochs` < 1 or the fractions break their rule.

    Examples
    --------
    >>> rung_epochs(60), rung_epochs(4), rung_epochs(1)
    ([4, 12, 28, 60], [1, 2, 4], [1])
    """
    if epochs < 1:
        raise ValueError(f"epochs must be >= 1, got {epochs}")
    return sorted({epoch_at(epochs, fraction) for fraction in check_fractions(fractions)})


def promote(scores: npt.ArrayLike, n_keep: int) -> npt.NDArray[np.int64]:
    """Give the indices of the `n_keep` best scores, best first.

    Parameters
    ----------
    scores : array-like of float, shape (n,)
        Higher is better; NaN counts as -inf.
    n_keep : int
        More than n keeps all.

    Returns
    -------
    ndarray of int64
        Ties go to the lower index.

    Examples
    --------
    >>> promote([0.1, float("nan"), 0.3, 0.3], 2)
    array([2, 3])
    """
    values = np.asarray(scores, dtype=np.float64)
    values = np.where(np.isnan(values), -np.inf, values)
    return np.argsort(-values, kind="stable")[: max(n_keep, 0)].astype(np.int64)


def n_survivors(n_candidates: int, reduction_factor: int, rung: int, at_least: int = 2) -> int:
    """Give how many of a bracket's candidates train at a rung.

    Parameters
    ----------
    n_candidates : int
        Those of rung 0.
    reduction_factor : int >= 2
        One in so many is promoted at each rung.
    rung : int >= 0
    at_least : int, default=2
        So many reach the last rung, if there are as many.

    Returns
    -------
    int

    Examples
    --------
    >>> [n_survivors(30, 3, rung) for rung in range(4)]
    [30, 10, 3, 2]
    """
    return min(n_candidates, max(n_candidates // int(reduction_factor**rung), at_least))


def bracket_cost(
    n_candidates: int,
    full_cost: float,
    reduction_factor: int,
    fractions: Sequence[float] = RUNG_FRACTIONS,
) -> float:
    """Give the cost of a bracket whose candidates cost `full_cost` each, trained to the end.

    Examples
    --------
    >>> bracket_cost(9, 1.0, 3, fractions=(0.1, 0.5, 1.0))  # 9 * 0.1 + 3 * 0.4 + 2 * 0.5
    3.1
    """
    starts = (0.0, *fractions[:-1])
    return full_cost * sum(
        n_survivors(n_candidates, reduction_factor, rung) * (end - start)
        for rung, (start, end) in enumerate(zip(starts, fractions, strict=True))
    )
