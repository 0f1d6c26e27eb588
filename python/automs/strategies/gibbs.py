"""Scores at a rung -> a population drawn from P ~ exp(-lambda L): sequential Monte Carlo."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

import numpy as np

from automs.candidates import Candidate
from automs.schedule import RUNG_FRACTIONS, check_fractions
from automs.seeds import derive_seed, keyed_rng, pick
from automs.strategies.base import Posterior, Problem, Result
from automs.strategies.jitter import RECIPE_SETTINGS, jittered_candidate
from automs.strategies.population import Particle, Population, RungReport
from automs.strategies.sweeps import SweepStrategy
from automs.strategies.tempering import log_sum, paired_noise, softened

__all__ = ["GibbsStrategy"]

logger = logging.getLogger("automs")

_POPULATION_SHARE = 2 / 3  # of max_trials; the others are for copies
_N_BEST = 2  # go on to the next rung even where resampling drops them
_N_PARENTS = 4.0  # effectively at least, of these steps
_STEP_SHARE = 0.5  # of later sweeps under a time limit: steps from what was found before
_RESAMPLING, _JITTER, _STEP = 0x5E5A, 0x117E, 0x57E9  # keep draws apart from those of candidates


class GibbsStrategy(SweepStrategy):
    """Draw candidates from P(theta) ~ exp(-lambda L(theta)) by sequential Monte Carlo.

    Parameters
    ----------
    inverse_temperature : float >= 0 or "auto", default="auto"
        lambda, in units of one over the score. "auto" is one over the noise of L.
    n_particles : int >= 1, optional
        Candidates drawn for a sweep, at most. None: two thirds of `max_trials`, or under a time
        limit as many as the sweep's share of the time pays for, up to 256.
    reduction_factor : int >= 1, default=2
        The population of a rung is that of the one before divided by this, but at least 4 (2
        where a time limit leaves no more); 1 keeps its size.
    fractions : sequence of float, default=(1/15, 3/15, 7/15, 1)
        Rungs, as shares of each candidate's own epochs.
    tempering : {"adaptive", "fractions"}, default="adaptive"
        lambda of the rungs before the last: raised until the effective sample size has fallen to
        `ess_share`, or the rung's fraction of the final one.
    ess_share : float in (0, 1), default=0.5
        The population is resampled where its effective sample size is at most this share of it.
    mutated_settings : sequence of str, default=RECIPE_SETTINGS
        What a copy may change, within the search space; each copy also has a seed of its own.
    ensemble : {"greedy", "posterior"}, default="greedy"
        How the model of `fit` is put together: greedily, as with any strategy, or as the mean by
        `posterior_weights`.
    first_share : float in (0, 1], default=0.125
        Share of the whole allowance for the first sweep, under a time limit; more where that is
        too little to choose from.

    Attributes
    ----------
    history : list of RungReport
        One for each rung of each sweep.

    Raises
    ------
    ValueError
        When a parameter breaks its rule.

    Notes
    -----
    theta is all that is drawn: architecture, recipe, seed, and so the weights. L is minus the
    score on the validation rows, in the metric's units: the error itself for "rmse" or
    "log_loss". Its noise is the median standard error of a candidate's difference to the best
    one, over parts of the validation rows; a larger lambda tells candidates apart by chance.

    A sweep draws its population from the search space and trains it to the first rung. At the end
    of rung t particle i gets the weight ``exp(lambda[t-1] L[t-1, i] - lambda[t] L[t, i])`` times
    the one it had, so that the product of all is ``exp(-lambda L)`` at the last rung, whatever
    lay between. Where the population is resampled, the first copy of a particle goes on as it
    is, others are moved a little and go on from its state; copies that cannot be made (no trials
    left, a finished particle, one outside the space) stay with the first as weight. The two best
    go on even where they are dropped, without weight. Diverged candidates have weight 0. Sweeps
    are pooled by their estimates of the normalising constant.

    What is exact: where losses do not change by training or copying, shares are right as the
    number of particles grows (with tempering "fractions" their unnormalised weights are unbiased
    for any number). What is not: losses do change, so that a particle may be dropped by an early
    loss that a longer training would have mended; copies are not accepted or refused by a loss of
    their own, so the target is that over runs whose recipe may move at rungs; what a time limit
    cannot pay for is never drawn, and half of what its later sweeps draw are steps away from the
    particles of the earlier ones, the best four most (not with ensemble "posterior"); "auto" reads
    the losses that it then weighs; and after a hold-out, members are trained again from epoch 0.

    References
    ----------
    P. Del Moral, A. Doucet, A. Jasra, "Sequential Monte Carlo samplers", JRSS B 68, 2006.

    Examples
    --------
    >>> from automs import AutoRegressor, GibbsStrategy
    >>> strategy = GibbsStrategy(inverse_temperature=50.0, ensemble="posterior")
    >>> model = AutoRegressor(max_trials=30, strategy=strategy)
    """

    def __init__(  # noqa: PLR0913  # settings of the sampler
        self,
        inverse_temperature: float | str = "auto",
        *,
        n_particles: int | None = None,
        reduction_factor: int = 2,
        fractions: Sequence[float] = RUNG_FRACTIONS,
        tempering: str = "adaptive",
        ess_share: float = 0.5,
        mutated_settings: Sequence[str] = RECIPE_SETTINGS,
        ensemble: str = "greedy",
        first_share: float = 0.125,
    ) -> None:
        given = 0.0 if inverse_temperature == "auto" else inverse_temperature
        is_number = isinstance(given, int | float) and 0 <= given < math.inf
        recipe = set(mutated_settings) <= set(RECIPE_SETTINGS)
        temperings, ensembles = ("adaptive", "fractions"), ("greedy", "posterior")
        for name, rule, holds, got in (
            ("inverse_temperature", "auto, or finite and >= 0", is_number, inverse_temperature),
            ("n_particles", "None or >= 1", n_particles is None or n_particles >= 1, n_particles),
            ("reduction_factor", ">= 1", reduction_factor >= 1, reduction_factor),
            ("tempering", "adaptive or fractions", tempering in temperings, tempering),
            ("ess_share", "in (0, 1)", 0 < ess_share < 1, ess_share),
            ("mutated_settings", f"some of {RECIPE_SETTINGS}", recipe, mutated_settings),
            ("ensemble", "greedy or posterior", ensemble in ensembles, ensemble),
            ("first_share", "in (0, 1]", 0 < first_share <= 1, first_share),
        ):
            if not holds:
                raise ValueError(f"{name} must be {rule}, got {got!r}")
        self.inverse_temperature = inverse_temperature
        self.n_particles = n_particles
        self.reduction_factor = reduction_factor
        self.fractions = check_fractions(fractions)
        self.tempering = tempering
        self.ess_share = ess_share
        self.mutated_settings = tuple(mutated_settings)
        self.ensemble = ensemble
        self.first_share = first_share
        self.wants_part_scores = inverse_temperature == "auto"

    def start(self, problem: Problem) -> None:
        """Begin a search."""
        super().start(problem)
        self.history: list[RungReport] = []
        self._population, self._is_weighed = Population([]), False  # by losses at this rung
        self._n_sweeps = self._n_copies = self._n_resampled = 0
        self._pooled: dict[int, float] = {}  # log of each share, of all completed sweeps
        given = self.inverse_temperature
        self._final = None if isinstance(given, str) else float(given)
        self.wants_part_scores = self._final is None

    def tell(self, results: Sequence[Result]) -> None:
        """Take in results; the last one of a sweep completes it."""
        super().tell(results)
        if self._is_last_rung() and all(self._has_arrived(index) for index in self._members):
            self._weigh()

    def posterior_weights(self) -> dict[int, float]:
        """Give the shares of candidates that reached the last rung, of all completed sweeps.

        Returns
        -------
        dict of int to float
            By candidate index, sum 1; a copy that could not be made counts for its original.
        """
        total = log_sum(np.array(list(self._pooled.values()), dtype=np.float64))
        return {index: math.exp(share - total) for index, share in self._pooled.items()}

    def posterior(self) -> Posterior | None:
        """Give the posterior weights where the model is to be averaged by them."""
        if self.ensemble != "posterior" or not self._pooled or self._final is None:
            return None
        return Posterior(self.posterior_weights(), self._final)

    def _open(self, allowance: float) -> bool:
        self._takes_steps = math.isfinite(allowance) and self.ensemble != "posterior"
        if not self._begin(allowance, self.n_particles, _POPULATION_SHARE):
            return False
        self._population, self._is_weighed = Population(self._members), False
        self._n_sweeps += 1
        return True

    def _draw(self) -> Candidate:
        """Give a draw, or in later sweeps under a time limit also a step from a finished one."""
        if not self._takes_steps or not self._pooled:
            return self.new_candidate()
        parents = list(self._pooled)
        shares = tuple(softened(list(self._pooled.values()), _N_PARENTS))
        return self._draw_or_step(lambda rng: parents[pick(shares, rng)], _STEP_SHARE, _STEP)

    def _loss(self, index: int) -> float:
        """Minus the score; inf for a candidate that diverged or was never told of."""
        score = self._last[index].score if index in self._last else -math.inf
        return -score if self._has_arrived(index) and math.isfinite(score) else math.inf

    def _weigh(self) -> None:
        """Move the weights on to this rung's target; after the last rung pool them."""
        if self._is_weighed:
            return
        self._is_weighed = True
        losses = {index: self._loss(index) for index in self._members}
        alive = [self._last[index] for index, loss in losses.items() if math.isfinite(loss)]
        noise = math.nan
        if self._final is None:
            noise = paired_noise([r.score for r in alive], [r.part_scores for r in alive])
        # Without a noise all losses are equal, and any temperature gives the same weights.
        unknown = 0.0 if math.isnan(noise) else 1.0 / max(noise, 1e-100)
        final = unknown if self._final is None else self._final
        temperature = final
        if not self._is_last_rung() and self.tempering == "fractions":
            temperature = final * self.fractions[self._rung]
        elif not self._is_last_rung():
            start = self.history[-1].inverse_temperature if self._rung else 0.0
            temperature = self._population.raised(losses, start, final, self.ess_share)
        ess = self._population.weigh(losses, temperature)
        sizes = (self._n_sweeps - 1, self._rung, len(losses), len(alive))
        self.history.append(RungReport(*sizes, temperature, ess, noise))
        logger.info("%s", self.history[-1])
        if self._is_last_rung() and ess > 0.0:
            self._pooled |= self._population.shares()
            if noise > 0.0:  # sweeps are pooled at one temperature, that of the first
                self._final = final
                self.wants_part_scores = False

    def _climb(self, allowance: float) -> None:
        if self._widened(allowance):
            self._population = Population(self._members)
            return
        self._weigh()
        if self._is_last_rung():
            self._enter([])
            return
        alive = [index for index in self._members if math.isfinite(self._loss(index))]
        best = sorted(alive, key=lambda index: (self._loss(index), index))[:_N_BEST]
        self._rung += 1
        n = self._n_at(self._rung)
        resampled = self._population.must_resample(n, self.ess_share)
        copies = self._resample(n) if resampled else dict.fromkeys(self._population.weighted(), 1)
        while n > 1 and self._cost_to_finish(copies, best) > allowance:
            n, resampled = n * 3 // 4, True
            copies = self._resample(n)
        if self._cost_to_finish(copies, best) > allowance:  # the best goes on all the same
            best = best[:1]
            copies = dict.fromkeys(best, 1)
        particles = self._offspring(copies, best, resampled)
        self._population.particles = particles
        self._is_weighed = False
        self._enter([particle.index for particle in particles])

    def _resample(self, n: int) -> dict[int, int]:
        self._n_resampled += 1
        rng = keyed_rng(derive_seed(self.problem.seed, _RESAMPLING), self._n_resampled)
        return self._population.copies(n, rng)

    def _cost_to_finish(self, copies: dict[int, int], best: list[int]) -> float:
        """Cost of this rung and, with particles of the mean cost, of those above it."""
        going = dict.fromkeys(best, 1) | copies
        total = sum(k * self._costs[i] for i, k in going.items() if not self._last[i].finished)
        return total * self._share_to_finish(sum(going.values()))

    def _offspring(
        self, copies: dict[int, int], best: list[int], resampled: bool
    ) -> list[Particle]:
        """Give the next rung's particles; a copy that cannot be made is weight of its original."""
        particles = []
        for parent in self._population.particles:
            n = copies.get(parent.index, 0)
            if n == 0 and parent.index not in best:
                continue
            new = self._new_copies(parent.index, n - 1)
            weight = parent.log_weight
            if n == 0:
                weight = -math.inf
            elif resampled:
                weight = math.log(n - len(new))
            # Copies come first: they begin with what their original is before it goes on.
            particles += [Particle(index, 0.0, parent.tempered) for index in new]
            particles.append(Particle(parent.index, weight, parent.tempered))
        return particles

    def _new_copies(self, parent: int, n: int) -> list[int]:
        """Add up to `n` copies that go on from the parent's state; a finished one has none."""
        n_left, new = self.n_left(0.0), list[int]()
        while len(new) < (n if n_left is None else min(n, n_left)):
            seed = derive_seed(self.problem.seed, _JITTER, self._n_copies)
            copy = jittered_candidate(
                self.candidates[parent], self.problem.search_space, self.mutated_settings, seed
            )
            if copy is None or self._last[parent].finished:
                break
            self._n_copies += 1
            self._costs.append(self._costs[parent])
            new.append(self.add(copy))
            self._origins[new[-1]] = parent
        return new
