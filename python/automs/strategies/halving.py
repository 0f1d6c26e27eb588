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
_MEMBERS = 0x7AB3  # keeps the seeds of candidates with members apart from those of all others
_TRIAL_SHARE = 0.25  # of what candidates with members may take, before they have shown their worth


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
    members_share : float in [0, 1], default=0.4
        Share of the whole allowance for first candidates with members, at most, under a time
        limit.
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
    First candidates with members (`Candidate`) are slow to show their worth, too: they are trained
    to their end, and drop out only where time runs short. After the first bracket there are as
    many as a quarter of their share pays for, or one; after the second as many as all of it does,
    unless more than a third of the others that were trained to their end are better than all of
    these. Those that a limit on latency or size would make single networks of are left out.

    Without a time limit there is one bracket, of `max_trials` candidates, those with members among
    them counted. With one, each bracket may cost twice what the one before could, and the last
    takes what is left; survivors are cut where their way to the last epoch would not fit, but for
    the best one. Promotion
    compares candidates of one bracket at one rung; a problem's first candidates go on all the same,
    for what their bracket costs once more. Diverged candidates are never promoted. A rung
    is asked for in parts of 128 candidates, so that a search can drop states that are beaten
    (`may_be_promoted`) before it trains the next part: a rung of n keeps about n / 3 + 128.

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
        members_share: float = 0.4,
        mutated_share: float = 0.5,
        max_bracket: int = 512,
    ) -> None:
        if reduction_factor < 2:
            raise ValueError(f"reduction_factor must be >= 2, got {reduction_factor}")
        if not 0 < first_share <= 1:
            raise ValueError(f"first_share must be in (0, 1], got {first_share}")
        for name, share in (("members_share", members_share), ("mutated_share", mutated_share)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {share}")
        if max_bracket < 1:
            raise ValueError(f"max_bracket must be >= 1, got {max_bracket}")
        self.reduction_factor = reduction_factor
        self.fractions = check_fractions(fractions)
        self.first_share = first_share
        self.members_share = members_share
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
        alone = [c for c in problem.first_candidates if c.n_members == 1]
        several = [
            c for c in problem.first_candidates
            if c.n_members > 1 and problem.within_limits(c).n_members > 1
        ]  # fmt: skip
        if problem.max_trials is not None:
            several = several[: max(problem.max_trials - len(alone), 0)]
        problem = replace(problem, first_candidates=alone)
        super().start(problem)
        seed = derive_seed(problem.seed, _MEMBERS)
        self._several = [
            replace(c, seed=derive_seed(seed, at)) if c.seed is None else c
            for at, c in enumerate(several)
        ]
        self._patient: list[int] = []  # those with members that were opened
        self._is_patient = False  # whether all of the bracket go on to their end
        self._parents: list[int] = []
        self._room_of_firsts = 0.0  # what beaten first candidates of this bracket may still cost
        self._seeds_of_firsts = {  # by which they are known: their epochs may be fewer
            derive_seed(problem.seed, at) if c.seed is None else c.seed
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
        return [i for i in indices if self.candidates[i].seed in self._seeds_of_firsts]

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

    def _n_at(self, rung: int) -> int:
        if self._is_patient and rung < len(self.fractions):
            return self._n_opened
        return super()._n_at(rung)

    def _open(self, allowance: float) -> bool:
        was_patient, self._is_patient = self._is_patient, False
        is_first = not self.candidates and self.problem.first_candidates
        if not is_first and not was_patient and self._open_several(allowance):
            return True
        n_left = self.n_left(allowance)
        at_most = None if n_left is None else n_left - len(self._several)
        if math.isfinite(allowance):
            at_most = self.max_bracket if at_most is None else min(at_most, self.max_bracket)
        self._parents = self._best_finished()[:_N_PARENTS]
        opened = self._fill(self._propose, math.inf if at_most is None else at_most, allowance)
        planned = self._share_to_finish(len(self._members))
        self._room_of_firsts = planned * sum(self._costs[i] for i in self._members)
        return opened

    def _open_several(self, allowance: float) -> bool:
        """Open a bracket of those with members that their share pays for, the first ones first.

        False where there are none, or none fits.
        """
        waiting, self._several = self._several, []
        is_trial = not self._patient and math.isfinite(allowance)
        left = self._left_for_members(allowance)
        trial = _TRIAL_SHARE * left if is_trial else left
        members: list[int] = []
        for candidate in waiting:
            cost = self.full_cost(candidate)
            if cost <= (trial if members else left):
                left -= cost
                trial -= cost
                self._costs.append(cost)
                members.append(self.add(candidate))
            elif is_trial:
                self._several.append(candidate)
        self._patient += members
        self._is_patient = bool(members)
        self._rung, self._n_opened, self._room_of_firsts = 0, len(members), 0.0
        self._enter(members)
        return bool(members)

    def _left_for_members(self, allowance: float) -> float:
        """Give what may be spent on those with members; nothing where the first ones were weak."""
        if not math.isfinite(allowance):
            return math.inf
        if self._patient:
            finished = self._best_finished()
            best = min(
                (at for at, i in enumerate(finished) if i in self._patient), default=math.inf
            )
            if best > (len(finished) - len(self._patient)) // 3:
                return 0.0
        spent = sum(self._costs[index] for index in self._patient)
        return min(self.members_share * (self._spent + allowance) - spent, allowance)

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
