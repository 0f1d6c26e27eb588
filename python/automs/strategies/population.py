"""Losses of a rung's particles -> their weights, who goes on, and how often."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automs.strategies.tempering import (
    effective_sample_size,
    log_sum,
    raised_temperature,
    systematic_counts,
)

__all__ = ["Particle", "Population", "RungReport"]

#: Tempering leaves so many particles effective, or this share where there are hardly as many.
_LEAST_EFFECTIVE, _LARGEST_SHARE = 4.0, 0.9


@dataclass(frozen=True, slots=True)
class RungReport:
    """What a sweep's population was at the end of a rung.

    Attributes
    ----------
    sweep, rung : int
        Counted from 0.
    n_particles : int
        Trained at this rung.
    n_alive : int
        Of these, with a finite loss.
    inverse_temperature : float
        Of the target that the weights are for.
    effective_sample_size : float
        Of these weights; 0 where no particle has any.
    noise : float
        Typical standard error of a difference between two losses; NaN where it was not asked for.
    """

    sweep: int
    rung: int
    n_particles: int
    n_alive: int
    inverse_temperature: float
    effective_sample_size: float
    noise: float


@dataclass(slots=True)
class Particle:
    """A candidate with a weight; one without (-inf) is trained on beside the population.

    `tempered` is the inverse temperature times the loss that the weight holds by now.
    """

    index: int
    log_weight: float = 0.0
    tempered: float = 0.0

    @property
    def is_weighted(self) -> bool:
        """Whether it is one of the population."""
        return self.log_weight > -math.inf


class Population:
    """The particles of one sweep, from the draw to the last rung.

    Parameters
    ----------
    indices : sequence of int
        Candidates, as drawn.

    Attributes
    ----------
    particles : list of Particle
        Of the current rung.
    n_drawn : int
        Of the first rung.
    log_mass : float
        Logarithm of the estimate of the mean of ``exp(-inverse_temperature * loss)`` under draws.

    Examples
    --------
    >>> population = Population([0, 1])
    >>> population.weigh({0: 1.0, 1: math.inf}, 2.0)  # one effective particle
    1.0
    >>> population.log_mass == math.log(math.exp(-2.0) / 2)
    True
    """

    def __init__(self, indices: Sequence[int]) -> None:
        self.particles = [Particle(index) for index in indices]
        self.n_drawn = len(self.particles)
        self.log_mass = 0.0

    def weighted(self) -> list[int]:
        """Give the candidates that have weight."""
        return [p.index for p in self.particles if p.is_weighted]

    def raised(self, losses: Mapping[int, float], low: float, high: float, share: float) -> float:
        """Give the inverse temperature in [low, high] that leaves a share of the population."""
        alive = [p for p in self.particles if p.is_weighted and math.isfinite(losses[p.index])]
        bare = np.array([p.log_weight + p.tempered for p in alive])
        values = np.array([losses[p.index] for p in alive])
        # Few particles stay apart: half of two would be one.
        enough = max(share * len(alive), min(_LEAST_EFFECTIVE, _LARGEST_SHARE * len(alive)))
        return raised_temperature(bare, values, min(low, high), high, enough)

    def weigh(self, losses: Mapping[int, float], temperature: float) -> float:
        """Move all weights on to a target; give the effective sample size.

        Parameters
        ----------
        losses : mapping of int to float
            By candidate; a particle whose loss is not finite has no weight any more.
        temperature : float >= 0
            The target's inverse temperature.
        """
        before = log_sum(self._log_weights())
        for particle in self.particles:
            tempered = temperature * losses[particle.index]
            if math.isfinite(losses[particle.index]) and math.isfinite(tempered):
                particle.log_weight += particle.tempered - tempered
                particle.tempered = tempered
            else:
                particle.log_weight = -math.inf
        after = log_sum(self._log_weights())
        self.log_mass = self.log_mass + after - before if math.isfinite(before) else -math.inf
        return effective_sample_size(self._log_weights())

    def must_resample(self, n: int, ess_share: float) -> bool:
        """Whether the population is larger than `n`, or too uneven."""
        log_weights = self._log_weights()
        n_weighted = int(np.isfinite(log_weights).sum())
        # Tempering stops where the share is just reached, up to rounding.
        uneven = effective_sample_size(log_weights) <= 1.000001 * ess_share * n_weighted
        return n_weighted > n or uneven

    def copies(self, n: int, rng: np.random.Generator) -> dict[int, int]:
        """Draw how often each candidate goes on when `n` particles do, all of one weight then."""
        log_weights = self._log_weights()
        if not np.isfinite(log_weights).any():
            return {}
        counts = systematic_counts(log_weights, n, rng)
        return {p.index: int(k) for p, k in zip(self.particles, counts, strict=True) if k}

    def shares(self) -> dict[int, float]:
        """Give the logarithm of each candidate's part in the mass, times the particles drawn."""
        total = log_sum(self._log_weights())
        scale = math.log(self.n_drawn) + self.log_mass - total
        return {p.index: scale + p.log_weight for p in self.particles if p.is_weighted}

    def _log_weights(self) -> npt.NDArray[np.float64]:
        return np.array([p.log_weight for p in self.particles], dtype=np.float64)
