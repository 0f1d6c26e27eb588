"""A budget and rungs -> batches of candidates that are trained from rung to rung."""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from automs.candidates import Candidate
from automs.draws import mutate_candidate
from automs.schedule import bracket_cost, epoch_at, n_survivors
from automs.seeds import derive_seed, keyed_rng
from automs.strategies.base import Problem, Request, Result, Strategy

__all__ = ["RungStrategy"]


class RungStrategy(Strategy):
    """What strategies share that train batches of candidates from rung to rung.

    Under a time limit each batch may cost twice what the one before could, and the last takes
    what is left. Those that inherit set the attributes below, give `_open` and `_climb`, and keep
    `_members` (of the current rung) and `_kept` (whose states a later rung may need).

    Attributes
    ----------
    reduction_factor : int
        One in so many goes on at each rung.
    fractions : tuple of float
        Rungs, as shares of each candidate's own epochs.
    first_share : float
        Share of the whole allowance for the first batch.
    part : int, optional
        Members that are asked for at once; None for all.
    n_finishing : int, default=2
        So many of a batch reach their last epoch, where it has as many.
    """

    reduction_factor: int
    fractions: tuple[float, ...]
    first_share: float
    part: int | None = None
    n_finishing: int = 2

    def start(self, problem: Problem) -> None:
        """Begin a search."""
        super().start(problem)
        self._last: dict[int, Result] = {}  # of each candidate told of
        self._costs: list[float] = []  # of each candidate, to its last epoch
        self._members: list[int] = []  # of the current rung
        self._asked: set[int] = set()  # members asked for at this rung
        self._kept: set[int] = set()  # members that the next rung may need
        self._origins: dict[int, int] = {}  # whose state a copy starts from, until it is asked for
        self._rung = 0
        self._n_opened = 0  # candidates at rung 0 of this batch
        self._n_batches = 0
        self._spent = 0.0

    def ask(self, allowance: float) -> list[Request]:
        """Give the next rung's requests, of this batch or of a new one."""
        while True:
            requests = self._requests()
            if requests:
                return requests
            if self._members:
                self._climb(allowance)
            elif not self._open(allowance):
                return []

    def tell(self, results: Sequence[Result]) -> None:
        """Take in results."""
        for result in results:
            self._last[result.candidate_index] = result
            self._spent += result.cost

    def may_be_promoted(self, candidate_index: int) -> bool:
        """Whether a later rung may still ask for this candidate."""
        last = self._last.get(candidate_index)
        return candidate_index in self._kept and not (last is not None and last.finished)

    @abstractmethod
    def _open(self, allowance: float) -> bool:
        """Enter rung 0 of a new batch; False when there is no room for one."""

    @abstractmethod
    def _climb(self, allowance: float) -> None:
        """Enter the next rung; after the last one no members remain."""

    def _enter(self, members: list[int]) -> None:
        """Make these the members of the current rung."""
        self._members = members
        self._kept = set(members)
        self._asked = set()

    def _n_at(self, rung: int) -> int:
        if rung >= len(self.fractions):
            return 0
        return n_survivors(self._n_opened, self.reduction_factor, rung, self.n_finishing)

    def _draw_or_step(
        self, parent: Callable[[np.random.Generator], int] | None, share: float, purpose: int
    ) -> Candidate:
        """Give the next candidate: a draw, or for this share a step from a parent, where any is.

        `purpose` keeps these draws apart from others.
        """
        number, problem = self.n_drawn, self.problem
        rng = keyed_rng(derive_seed(problem.seed, purpose), number)
        is_first = number < len(problem.first_candidates)
        if is_first or parent is None or rng.random() >= share:
            return self.new_candidate()
        self.n_drawn += 1
        start = self.candidates[parent(rng)]
        return mutate_candidate(start, problem.search_space, problem.seed, number)

    def _is_last_rung(self) -> bool:
        return self._rung == len(self.fractions) - 1

    def _share_to_finish(self, n_members: int) -> float:
        """Give the cost of this rung and those above, as a share of all members' full cost."""
        cost, start = 0.0, self.fractions[self._rung - 1] if self._rung else 0.0
        for rung in range(self._rung, len(self.fractions)):
            going_on = 1.0 if rung == self._rung else min(self._n_at(rung) / max(n_members, 1), 1.0)
            cost += going_on * (self.fractions[rung] - start)
            start = self.fractions[rung]
        return cost

    def _target(self, index: int) -> int:
        """Give the epoch that the current rung trains a candidate to."""
        candidate = self.candidates[index]
        if candidate.optimizer == "exact":  # has no epochs, and is done at once
            return candidate.epochs
        return epoch_at(candidate.epochs, self.fractions[self._rung])

    def _has_arrived(self, index: int) -> bool:
        last = self._last.get(index)
        return last is not None and (last.finished or last.epoch >= self._target(index))

    def _requests(self) -> list[Request]:
        """Give what is left to ask for at this rung, in parts, so that losers can be dropped."""
        left = (i for i in self._members if i not in self._asked and not self._has_arrived(i))
        part = list(itertools.islice(left, self.part))
        self._asked.update(part)
        return [Request(i, self._target(i), self._origins.pop(i, None)) for i in part]

    def _fill(self, propose: Callable[[], Candidate], at_most: float, allowance: float) -> bool:
        """Fill rung 0 of a new batch with what its share of the allowance pays for."""
        share = self._next_share(allowance) if math.isfinite(allowance) else math.inf

        def fits(costs: list[float]) -> bool:
            n, mean = len(costs), sum(costs) / len(costs)
            # A share too small for a few candidates is stretched.
            limit = share if n > 2 * self.reduction_factor else allowance
            return bracket_cost(n, mean, self.reduction_factor, self.fractions) <= limit

        self._rung = 0
        self._enter([])
        self._extend(propose, at_most, fits)
        return bool(self._members)

    def _extend(
        self,
        propose: Callable[[], Candidate],
        at_most: float,
        fits: Callable[[list[float]], bool],
        *,
        needed: bool = True,
    ) -> None:
        """Add candidates to rung 0 while the full costs of all of them fit.

        Where not even one does, it is `needed` all the same: its epochs may be fewer.
        """
        members = self._members
        costs = [self._costs[index] for index in members]
        while len(members) < at_most:
            if members and not fits([*costs, sum(costs) / len(costs)]):
                break  # one more of the mean size is too much
            candidate = self.fitting_candidate(
                propose, lambda cost: fits([*costs, cost]), needed=needed and not members
            )
            if candidate is None:
                break
            costs.append(self.full_cost(candidate))
            self._costs.append(costs[-1])
            members.append(self.add(candidate))
        self._n_opened = len(members)
        self._kept = set(members)

    def _next_share(self, allowance: float) -> float:
        """Give each batch twice the last one's share, or all, if little would be left over."""
        share = self.first_share * 2**self._n_batches * (self._spent + allowance)
        self._n_batches += 1
        return allowance if allowance < 1.5 * share else share
