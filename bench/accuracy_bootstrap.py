"""Two systems' predictions for the same test rows -> the noise of the difference of their errors.

A resample draws seeds, where there are several, and for each seed drawn rows of its test set, the
same ones for both systems. Errors are those of `accuracy_protocol`, with rows counted as often as
they were drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from accuracy_predictions import Rows

N_RESAMPLES = 1_000
#: Counts at once, lest those of a large test set fill the memory.
_MOST_COUNTS = 4_000_000

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """Our mean error over seeds, the peer's, and the standard error of the difference."""

    ours: float
    peer: float
    standard_error: float

    @property
    def value(self) -> float:
        return self.ours - self.peer


def weighted_errors(rows: Rows, counts: Vector) -> Vector:
    """Errors (n_resamples,) where row i counts `counts[:, i]` times; NaN where undefined."""
    if rows.task == "binary":
        return 1.0 - weighted_auc(rows.y, rows.values, counts)
    n = counts.sum(axis=1)
    if rows.task == "multiclass":
        return counts @ rows.values / n
    y = rows.y - rows.y.mean()  # or squares of a mean far from 0 take all digits
    variance = counts @ np.square(y) / n - np.square(counts @ y / n)
    squares = counts @ np.square(rows.values - rows.y) / n
    return np.sqrt(np.divide(squares, variance, where=variance > 0, out=np.full_like(n, np.nan)))


def weighted_auc(y: Vector, scores: Vector, counts: Vector) -> Vector:
    """Share of pairs of both classes in the right order, ties being half: areas (n_resamples,)."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    is_last = np.append(ordered[1:] > ordered[:-1], True)  # of its ties
    last = np.flatnonzero(is_last)
    group = np.append(0, np.cumsum(is_last)[:-1])
    positive = counts[:, order] * (y[order] > 0)
    negative_until = np.cumsum(counts[:, order] - positive, axis=1)[:, last]  # by group
    negative_before = np.hstack([np.zeros((len(counts), 1)), negative_until[:, :-1]])
    below = (negative_before + negative_until)[:, group] / 2
    pairs = positive.sum(axis=1) * negative_until[:, -1]
    right = (positive * below).sum(axis=1)
    return np.divide(right, pairs, where=pairs > 0, out=np.full(len(counts), np.nan))


def resampled_errors(systems: Sequence[Rows], n_resamples: int, seed: int) -> Vector:
    """Errors (n_systems, n_resamples) of systems on the same rows, under the same resamples."""
    n_rows = len(systems[0].y)
    rng = np.random.default_rng(seed)
    parts = [
        [weighted_errors(rows, counts) for rows in systems]
        for counts in _counts(rng, n_rows, n_resamples)
    ]
    return np.concatenate(parts, axis=1)


def _counts(rng: np.random.Generator, n_rows: int, n_resamples: int) -> Iterator[Vector]:
    """How often each row was drawn, in parts (n, n_rows) of `n_resamples` resamples."""
    at_once = max(_MOST_COUNTS // n_rows, 1)
    for start in range(0, n_resamples, at_once):
        n = min(at_once, n_resamples - start)
        drawn = rng.integers(n_rows, size=(n, n_rows)) + n_rows * np.arange(n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=n * n_rows)
        yield counts.reshape(n, n_rows).astype(np.float64)


def plain_errors(systems: Sequence[Rows]) -> Vector:
    """Errors (n_systems,) on the rows as they are."""
    once = np.ones((1, len(systems[0].y)))
    return np.array([weighted_errors(rows, once)[0] for rows in systems])


def mean_differences(errors: Vector, seed: int = 0) -> Vector:
    """(n_seeds, n_seeds, n_resamples) differences -> means over resampled seeds (n_resamples,).

    The middle axis are the places of a sample of seeds, each with resampled rows of its own, so
    that a seed which is drawn twice has other rows each time.
    """
    n_seeds, _, n_resamples = errors.shape
    drawn = np.random.default_rng(seed).integers(n_seeds, size=(n_seeds, n_resamples))
    places, resamples = np.arange(n_seeds)[:, None], np.arange(n_resamples)
    return errors[drawn, places, resamples].mean(axis=0)


def differences(
    by_seed: Sequence[Sequence[Rows]], n_resamples: int = N_RESAMPLES
) -> list[Difference]:
    """Each seed's rows of all systems, ours first -> ours against each of the others."""
    n_seeds = len(by_seed)
    plain = np.mean([plain_errors(systems) for systems in by_seed], axis=0)
    drawn = np.array(
        [
            resampled_errors(systems, n_seeds * n_resamples, seed)
            for seed, systems in enumerate(by_seed)
        ]
    ).reshape(n_seeds, -1, n_seeds, n_resamples)
    found = []
    for at in range(1, len(plain)):
        means = mean_differences(drawn[:, 0] - drawn[:, at])
        spread = float(np.nanstd(means, ddof=1))
        found.append(Difference(float(plain[0]), float(plain[at]), spread))
    return found
