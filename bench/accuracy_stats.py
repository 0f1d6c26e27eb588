"""Rows of results -> comparisons: mean ranks, wins, ratios of errors with an interval, Elo.

A comparison of systems uses the data sets that all of them have, and of those the seeds that all
have. A failed split is an infinite error: it loses, rather than being left out.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Smaller errors count as this in ratios, lest one nearly perfect model decide the mean of all.
LEAST_ERROR = 1e-4
N_RESAMPLES = 10_000
CONFIDENCE = 0.95
# Wins that each of a pair is given, so that one who always won has a finite rating.
VIRTUAL_WINS = 0.5
MEAN_ELO = 1000.0
ELO_SCALE = 400.0 / math.log(10.0)

Errors = dict[str, dict[str, dict[int, float]]]  # data set -> system -> seed -> error
Means = dict[str, float]  # system -> mean error on one data set
Vector = npt.NDArray[np.float64]


def collect(rows: Iterable[tuple[str, str, int, float]]) -> Errors:
    """Errors of (data set, system, seed, error), NaN as infinity; order of first appearance."""
    errors: Errors = {}
    for dataset, system, seed, error in rows:
        seeds = errors.setdefault(dataset, {}).setdefault(system, {})
        seeds[seed] = error if math.isfinite(error) else math.inf
    return errors


def mean_errors(by_seed: dict[str, dict[int, float]], systems: Iterable[str]) -> Means:
    """Mean error of those systems that are there, over the seeds that all of these have.

    Empty where they have no seed in common.
    """
    present = [system for system in systems if by_seed.get(system)]
    common = set.intersection(*(set(by_seed[system]) for system in present)) if present else ()
    if not common:
        return {}
    return {s: float(np.mean([by_seed[s][seed] for seed in sorted(common)])) for s in present}


def ranks(means: Means) -> Means:
    """1 for the lowest error; equal ones share the mean of their places."""
    values = np.array(list(means.values()))
    below = (values[None, :] < values[:, None]).sum(axis=1)
    equal = (values[None, :] == values[:, None]).sum(axis=1)
    return dict(zip(means, (below + (equal + 1) / 2).tolist(), strict=True))


def mean_ranks(errors: Errors, systems: Sequence[str]) -> dict[str, tuple[float, int, int]]:
    """System -> mean rank, data sets that it has, data sets where none was better."""
    found: dict[str, list[float]] = defaultdict(list)
    wins = dict.fromkeys(systems, 0)
    for by_seed in errors.values():
        means = mean_errors(by_seed, systems)
        for system, rank in ranks(means).items() if len(means) > 1 else ():
            found[system].append(rank)
            wins[system] += means[system] == min(means.values()) < math.inf
    return {s: (float(np.mean(r)), len(r), wins[s]) for s, r in found.items()}


@dataclass(frozen=True)
class Duel:
    """Two systems on the data sets that both have."""

    n_datasets: int
    wins: int
    losses: int
    ties: int
    ratio: float  # geometric mean of errors of the first / errors of the second
    low: float
    high: float
    n_failed: int  # data sets where either failed: no part of the ratio

    @property
    def mean_rank(self) -> float:
        """Of the first: 1 if it always wins, 2 if it always loses."""
        return (
            1.0 + (self.losses + self.ties / 2) / self.n_datasets if self.n_datasets else math.nan
        )


def shared(errors: Errors, first: str, second: str) -> list[tuple[float, float]]:
    """Mean errors of the two, on each data set that both have."""
    found = [mean_errors(by_seed, (first, second)) for by_seed in errors.values()]
    return [(means[first], means[second]) for means in found if len(means) == 2]


def duel(errors: Errors, ours: str, peer: str) -> Duel:
    pairs = shared(errors, ours, peer)
    logs = np.array([math.log(ratio(a, b)) for a, b in pairs if max(a, b) < math.inf])
    low, high = bootstrap(logs)
    return Duel(
        len(pairs),
        sum(a < b for a, b in pairs),
        sum(a > b for a, b in pairs),
        sum(a == b for a, b in pairs),
        math.exp(logs.mean()) if logs.size else math.nan,
        math.exp(low),
        math.exp(high),
        len(pairs) - logs.size,
    )


def ratio(error: float, other: float) -> float:
    """Error by error, after both are at least `LEAST_ERROR`; 1 where both failed."""
    if error == other:
        return 1.0
    return max(error, LEAST_ERROR) / max(other, LEAST_ERROR)


def bootstrap(values: Vector, seed: int = 0) -> tuple[float, float]:
    """Percentile interval of the mean, from resampled values; the same for the same values."""
    if values.size == 0:
        return math.nan, math.nan
    draws = np.random.default_rng(seed).integers(values.size, size=(N_RESAMPLES, values.size))
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(values[draws].mean(axis=1), [tail, 1.0 - tail])
    return float(low), float(high)


def pairwise_wins(errors: Errors, systems: Sequence[str]) -> Vector:
    """(n, n): data sets on which the system of the row beat that of the column; a tie is half."""
    wins = np.zeros((len(systems), len(systems)))
    for i, first in enumerate(systems):
        for j in range(i):
            for own, other in shared(errors, first, systems[j]):
                wins[i, j] += (own < other) + (own == other) / 2
                wins[j, i] += (own > other) + (own == other) / 2
    return wins


def elo(wins: Vector) -> Vector:
    """Ratings with mean 1000 under which 400 more mean ten wins for a loss.

    The Bradley-Terry model, P(i beats j) = p_i / (p_i + p_j), by the iteration of Hunter (2004),
    "MM algorithms for generalized Bradley-Terry models", Annals of Statistics 32, equation 3.
    """
    n = len(wins)
    wins = wins + VIRTUAL_WINS * (1.0 - np.eye(n))
    met = wins + wins.T
    strength = np.ones(n)
    for _ in range(10_000):
        shares = met / (strength[:, None] + strength[None, :])
        new = wins.sum(axis=1) / shares.sum(axis=1) if n > 1 else strength
        new /= np.exp(np.log(new).mean())
        settled = np.abs(new / strength - 1.0).max() < 1e-10
        strength = new
        if settled:
            break
    return MEAN_ELO + ELO_SCALE * np.log(strength)


def worst_losses(errors: Errors, ours: str, systems: Sequence[str]) -> list[tuple[str, str, float]]:
    """(data set, best peer there, our error / its error) where we lost, the worst first."""
    found = []
    for dataset, by_seed in errors.items():
        means = mean_errors(by_seed, systems)
        own = means.pop(ours, None)
        if own is None or not means:
            continue
        best = min(means, key=lambda system: means[system])
        if own > means[best]:
            found.append((dataset, best, ratio(own, means[best])))
    return sorted(found, key=lambda loss: -loss[2])
