"""Scores at a rung -> the best go on to the next one: successive halving with true resume."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from automs.candidates import Candidate
from automs.schedule import RUNG_FRACTIONS, check_fractions, n_survivors, promote
from automs.seeds import derive_seed
from automs.strategies.base import Problem, Result
from automs.strategies.rungs import RungStrategy

__all__ = ["HalvingStrategy"]

_N_PARENTS = 8  # mutated candidates come from so many best finished ones
_MUTATION = 0x307A  # keeps the choice of parents apart from the draws of candidates


class HalvingStrategy(RungStrategy):
    """Train many candidates a little, and the better of them further: successive halving.

    Parameters
    ----------
    reduction_factor : int >= 2, default=3
        One in so many is promoted at each rung; at least two reach their last epoch.
    fractions : sequence of float, default=(1/15, 3/15, 7/15, 1)
        Rungs, as shares of each candidate's own epochs.
    first_share : float in (0, 1], default=0.125
        Share of the whole allowance for the first bracket, under a time limit.
    mutated_share : float in [0, 1], default=0.5
        Share of mutated copies of good candidates in the brackets after the first.
    max_bracket : int >= 1, default=512
        Candidates of one bracket under a time limit, at most.

    Raises
    ------
    ValueError
        When a parameter breaks its rule.

    Notes
    -----
    Without a time limit there is one bracket, of `max_trials` candidates. With one, each bracket
    may cost twice what the one before could, and the last takes what is left; survivors are cut
    where their way to the last epoch would not fit, but for the best one. Promotion compares
    candidates of one bracket at one rung; a problem's first candidates go on all the same, for what
    their bracket costs once more. Diverged candidates are never promoted. A rung is asked for in
    parts of 128 candidates, so that a search can drop states that are beaten (`may_be_promoted`)
    before it trains the next part: a rung of n keeps about n / 3 + 128.

    References
    ----------
    K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
    optimization", AISTATS 2016: eta is `reduction_factor`, the resource is epochs.

    Examples
    --------
    >>> print(HalvingStrategy().describe(30))
    rung 0: 30 candidates to 6.7 % of their epochs
    rung 1: 10 candidates to 20 % of their epochs
    rung 2: 3 candidates to 46.7 % of their epochs
    rung 3: 2 candidates to 100 % of their epochs
    """

    part = 128

    def __init__(
        self,
        reduction_factor: int = 3,
        fractions: Sequence[float] = RUNG_FRACTIONS,
        first_share: float = 0.125,
        mutated_share: float = 0.5,
        max_bracket: int = 512,
    ) -> None:
        if reduction_factor < 2:
            raise ValueError(f"reduction_factor must be >= 2, got {reduction_factor}")
        if not 0 < first_share <= 1:
            raise ValueError(f"first_share must be in (0, 1], got {first_share}")
        if not 0 <= mutated_share <= 1:
            raise ValueError(f"mutated_share must be in [0, 1], got {mutated_share}")
        if max_bracket < 1:
            raise ValueError(f"max_bracket must be >= 1, got {max_bracket}")
        self.reduction_factor = reduction_factor
        self.fractions = check_fractions(fractions)
        self.first_share = first_share
        self.mutated_share = mutated_share
        self.max_bracket = max_bracket

    def describe(self, n_candidates: int) -> str:
        """Give the schedule of a bracket of `n_candidates`, one line for each rung."""
        return "\n".join(
            f"rung {rung}: {n_survivors(n_candidates, self.reduction_factor, rung)} candidates "
            f"to {round(100 * fraction, 1):g} % of their epochs"
            for rung, fraction in enumerate(self.fractions)
        )

    def start(self, problem: Problem) -> None:
        """Begin a search."""
        super().start(problem)
        self._parents: list[int] = []
        self._room_of_firsts = 0.0  # what beaten first candidates of this bracket may still cost
        self._firsts = {
            replace(c, seed=derive_seed(problem.seed, at) if c.seed is None else c.seed)
            for at, c in enumerate(problem.first_candidates)
        }

    def tell(self, results: Sequence[Result]) -> None:
        """Take in results, and see which members are already beaten."""
        super().tell(results)
        told = [index for index in self._members if self._has_arrived(index)]
        ranked = self._ranked(told)
        best = ranked[: self._n_at(self._rung + 1)] + self._first_among(ranked)
        self._kept = (set(self._members) - set(told)) | set(best)

    def _ranked(self, indices: Sequence[int]) -> list[int]:
        """Order candidates best first, without those that diverged or were never told of."""
        scores = [self._last[i].score if i in self._last else -math.inf for i in indices]
        order = promote(scores, len(scores))
        return [indices[at] for at in order if math.isfinite(scores[at])]

    def _climb(self, allowance: float) -> None:
        """Promote the best members to the next rung."""
        arrived = [index for index in self._members if self._has_arrived(index)]
        self._rung += 1
        in_order = self._ranked(arrived)
        ranked = in_order[: self._n_at(self._rung)]
        while len(ranked) > 1 and self._cost_to_finish(ranked) > allowance:
            ranked = ranked[: max(len(ranked) * 3 // 4, 1)]
        self._enter(ranked + self._first_that_fit(in_order[len(ranked) :], ranked, allowance))

    def _first_among(self, indices: Sequence[int]) -> list[int]:
        return [i for i in indices if self.candidates[i] in self._firsts]

    def _first_that_fit(
        self, beaten: Sequence[int], ranked: list[int], allowance: float
    ) -> list[int]:
        """Give first candidates that go on although they are beaten, best first.

        Strong regularisation is slow to show its worth. What they may cost is their bracket's
        planned cost once more.
        """
        if self._rung >= len(self.fractions):
            return []
        left = min(self._room_of_firsts, allowance - self._cost_to_finish(ranked))
        step = self.fractions[self._rung] - self.fractions[self._rung - 1]
        going_on = []
        for index in self._first_among(beaten):
            start = self._last[index].epoch / self.candidates[index].epochs
            cost = self._costs[index] * (1.0 - start)
            if cost <= left and not self._last[index].finished:
                going_on.append(index)
                left -= cost
                self._room_of_firsts -= self._costs[index] * step
        return going_on

    def _cost_to_finish(self, ranked: list[int]) -> float:
        """Cost of this rung and those above it, if the order stays as it is."""
        cost, start = 0.0, self.fractions[self._rung - 1]
        for rung in range(self._rung, len(self.fractions)):
            going_on = (i for i in ranked[: self._n_at(rung)] if not self._last[i].finished)
            cost += sum(self._costs[index] for index in going_on) * (self.fractions[rung] - start)
            start = self.fractions[rung]
        return cost

    def _open(self, allowance: float) -> bool:
        n_left = self.n_left(allowance)
        at_most = math.inf if n_left is None else n_left
        if math.isfinite(allowance):
            at_most = min(at_most, self.max_bracket)
        self._parents = self._best_finished()[:_N_PARENTS]
        opened = self._fill(self._propose, at_most, allowance)
        planned = self._share_to_finish(len(self._members))
        self._room_of_firsts = planned * sum(self._costs[i] for i in self._members)
        return opened

    def _best_finished(self) -> list[int]:
        """Give the candidates that were trained to their end, best first."""
        return self._ranked(sorted(i for i, result in self._last.items() if result.finished))

    def _propose(self) -> Candidate:
        """Give the next candidate: a draw, or in later brackets also a mutated good one."""
        parents = self._parents
        return self._draw_or_step(
            (lambda rng: parents[int(rng.integers(len(parents)))]) if parents else None,
            self.mutated_share,
            _MUTATION,
        )
