"""Losses and weights of particles -> tempered weights, their effective number, and resampling.

Nothing here knows of candidates or training: these are the steps of a sequential Monte Carlo
sampler, and `sample_gibbs` puts them together for a finite space with known losses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "effective_sample_size",
    "log_sum",
    "paired_noise",
    "raised_temperature",
    "sample_gibbs",
    "softened",
    "systematic_counts",
]

Values = npt.NDArray[np.float64]

#: Halvings of an interval until its middle is found to about the last digit.
_N_HALVINGS = 60


def log_sum(log_values: Values) -> float:
    """Give the logarithm of the sum of ``exp(log_values)``; -inf where there is nothing to sum."""
    top = float(np.max(log_values, initial=-np.inf))
    if not np.isfinite(top):
        return -np.inf
    return top + float(np.log(np.exp(log_values - top).sum()))


def effective_sample_size(log_weights: Values) -> float:
    """Give how many equal weights tell as much: ``1 / sum(w ** 2)`` for ``w`` of sum 1.

    Parameters
    ----------
    log_weights : ndarray of float64, shape (n,)
        -inf for a particle that has no weight.

    Returns
    -------
    float
        From 1 to n; 0 where no particle has weight.

    Examples
    --------
    >>> float(effective_sample_size(np.log([0.5, 0.5, 1e-300])))
    2.0
    """
    total = log_sum(log_weights)
    if not np.isfinite(total):
        return 0.0
    return float(1.0 / np.sum(np.exp(2.0 * (log_weights - total))))


def systematic_counts(
    log_weights: Values, n: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw how often each particle is taken when `n` are, by systematic resampling.

    Parameters
    ----------
    log_weights : ndarray of float64, shape (n_particles,)
        At least one above -inf.
    n : int >= 1
    rng : numpy.random.Generator
        Gives one number.

    Returns
    -------
    ndarray of int64, shape (n_particles,)
        Sum `n`. Each is n times the normalised weight on average, and never a whole one away.
    """
    ends = np.cumsum(np.exp(log_weights - log_sum(log_weights)))
    # The last end is 1 up to rounding: scaled, so that no point falls behind it.
    taken = np.searchsorted(ends / ends[-1], (np.arange(n) + rng.random()) / n, side="right")
    return np.bincount(taken, minlength=len(log_weights)).astype(np.int64)


def raised_temperature(
    log_weights: Values, losses: Values, low: float, high: float, n_effective: float
) -> float:
    """Give the inverse temperature up to which the effective sample size stays large enough.

    Parameters
    ----------
    log_weights : ndarray of float64, shape (n,)
        Before any factor of these losses.
    losses : ndarray of float64, shape (n,)
        Finite.
    low, high : float
        Ends of the interval that it lies in.
    n_effective : float
        The effective sample size of ``log_weights - temperature * losses`` to fall to.

    Returns
    -------
    float
        `high` where that still has more, `low` where not even that has as much.
    """

    def is_enough(temperature: float) -> bool:
        with np.errstate(over="ignore"):  # a loss too large to be tempered has no weight
            tempered = log_weights - temperature * losses
        return effective_sample_size(tempered) >= n_effective

    if is_enough(high):
        return high
    if not is_enough(low):
        return low
    for _ in range(_N_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_enough(middle) else (low, middle)
    return low


def softened(log_weights: Sequence[float], n_effective: float) -> Values:
    """Give normalised weights, at the highest temperature power that leaves so many effective.

    Examples
    --------
    >>> softened([0.0, -1.0, -900.0], 3.0).round(3)
    array([0.333, 0.333, 0.333])
    """
    losses = -np.asarray(log_weights, dtype=np.float64)
    power = raised_temperature(np.zeros(losses.size), losses, 0.0, 1.0, n_effective)
    weights: Values = np.exp(-power * losses - log_sum(-power * losses))
    return weights


def paired_noise(scores: Sequence[float], part_scores: Sequence[Sequence[float]]) -> float:
    """Give the typical standard error of how far a candidate's score is below the best one's.

    Parameters
    ----------
    scores : sequence of float
        Finite, one a candidate.
    part_scores : sequence of sequence of float
        The same candidates' scores on disjoint parts of the validation rows; NaN where undefined.

    Returns
    -------
    float
        The median over candidates of the standard error of the mean difference over the parts:
        what all candidates find hard alike cancels. Without any pair that differs the best one's
        own standard error, and without parts the deviation of the scores; NaN where all are equal.

    Examples
    --------
    >>> paired_noise([0.5, 0.0], [[1.0, 2.0], [0.0, 2.0]])
    0.5
    """
    if not scores:
        return float("nan")
    best = int(np.argmax(scores))
    parts = [np.asarray(values, dtype=np.float64) for values in part_scores]
    own = _standard_error(parts[best])
    if parts[best].size:
        pairs = [_standard_error(values - parts[best]) for values in parts if values.size]
        noises = [noise for noise in pairs if noise > 0.0]
        if noises:
            return float(np.median(noises))
    noise = own if own > 0.0 else float(np.std(scores))
    return noise if noise > 0.0 else float("nan")


def _standard_error(values: Values) -> float:
    """Of the mean, over values that are defined; NaN for fewer than two."""
    defined = values[np.isfinite(values)]
    if defined.size < 2:
        return float("nan")
    return float(np.std(defined, ddof=1) / np.sqrt(defined.size))


def sample_gibbs(
    losses: Sequence[float] | Values,
    inverse_temperature: float,
    n_particles: int = 1000,
    *,
    n_moves: int = 1,
    ess_share: float = 0.5,
    seed: int = 0,
) -> npt.NDArray[np.int64]:
    """Draw from P(i) ~ exp(-inverse_temperature * losses[i]) by sequential Monte Carlo.

    Parameters
    ----------
    losses : array-like of float, shape (n,)
        Known once and for all; inf for what is never drawn. At least one is finite.
    inverse_temperature : float >= 0
    n_particles : int >= 1, default=1000
    n_moves : int >= 0, default=1
        Metropolis-Hastings steps after each resampling, each proposing any of the n evenly.
    ess_share : float in (0, 1), default=0.5
        The temperature is lowered in steps that leave this share of effective particles.
    seed : int, default=0

    Returns
    -------
    ndarray of int64, shape (n_particles,)
        Indices. Shares are right as n_particles grows; draws of one call are not independent.

    Notes
    -----
    Every step leaves its target as it is: weights are the exact ratio of two targets, systematic
    resampling takes each particle by its weight on average, and a move is accepted with
    probability ``min(1, exp(-temperature * (loss of the new - loss of the old)))``.

    References
    ----------
    P. Del Moral, A. Doucet, A. Jasra, "Sequential Monte Carlo samplers", JRSS B 68, 2006.

    Examples
    --------
    >>> np.bincount(sample_gibbs([0.0, 0.0, 50.0], 1.0, 100, seed=1))[2:].sum()
    np.int64(0)
    """
    known = np.asarray(losses, dtype=np.float64)
    allowed = np.flatnonzero(np.isfinite(known))
    if allowed.size == 0:
        raise ValueError("losses must hold a finite one, got none")
    if not inverse_temperature >= 0:
        raise ValueError(f"inverse_temperature must be >= 0, got {inverse_temperature}")
    rng = np.random.default_rng(seed)
    particles = allowed[rng.integers(allowed.size, size=n_particles)]
    temperature, flat = 0.0, np.zeros(n_particles)
    while temperature < inverse_temperature:
        left = inverse_temperature - temperature
        step = raised_temperature(flat, known[particles], 0.0, left, ess_share * n_particles)
        if step == left or temperature + step == temperature:  # too small a step would never end
            step, raised = left, inverse_temperature
        else:
            raised = temperature + step
        with np.errstate(over="ignore"):
            counts = systematic_counts(-step * known[particles], n_particles, rng)
        particles, temperature = np.repeat(particles, counts), raised
        for _ in range(n_moves):
            proposed = allowed[rng.integers(allowed.size, size=n_particles)]
            rise = known[proposed] - known[particles]
            with np.errstate(over="ignore"):
                chance = np.exp(-temperature * np.maximum(rise, 0.0))
            accepted = rng.random(n_particles) < chance
            particles = np.where(accepted, proposed, particles)
    return particles.astype(np.int64)
