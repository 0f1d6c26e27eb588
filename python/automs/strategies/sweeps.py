"""An allowance -> the first rung of a sweep: its size by measured speed, and who is in it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

from automs.candidates import Candidate
from automs.schedule import n_survivors
from automs.strategies.base import Problem
from automs.strategies.rungs import RungStrategy

__all__ = ["SweepStrategy"]

_MAX_MEMBERS = 256  # of a sweep under a time limit, whose number is not given
_LEAST_FINISHING, _MOST_FINISHING = 2, 4  # of a sweep: at least so many, as there is time for
_DEAREST = 1 / 3  # of an allowance: a candidate that costs more is taken where nothing else fits
_MARGIN = 0.99  # later rungs cost more or less than the mean that they are planned with


class SweepStrategy(RungStrategy):
    """What a strategy of sweeps adds to one of batches: sweeps that are worth their time.

    Before anything was trained the allowance is a guess. So the first sweep begins with a few
    candidates, and is filled up when their first rung has told how fast they train. A sweep
    drops some at two rungs at least, and four of it finish, or two where there is no time for as
    many: where its share is smaller than that, it takes more, up to the whole allowance. No
    member costs more than a third of it, unless nothing else fits. First candidates that a sweep
    has no room for wait for the next one, unless it can have none but with fewer epochs.

    Those that inherit give `_draw`, and call `_widened` before they leave rung 0.
    """

    n_finishing = _MOST_FINISHING

    def start(self, problem: Problem) -> None:
        """Begin a search."""
        super().start(problem)
        self._waiting = [self.new_candidate() for _ in problem.first_candidates]
        self._queue: list[Candidate] = []  # of those, what this sweep has not looked at yet
        self._is_narrow = False  # whether the current sweep may still be filled up

    @abstractmethod
    def _draw(self) -> Candidate:
        """Give a candidate that is none of the first ones."""

    def _begin(self, allowance: float, given: int | None, share_of_trials: float) -> bool:
        """Enter rung 0 of a new sweep, of at most a `given` number; False without room for one.

        Where no number is given it is a share of the trials left.
        """
        n_left = self.n_left(allowance)
        limits: list[float] = [_MAX_MEMBERS] if math.isfinite(allowance) else []
        if n_left is not None:
            limits.append(math.ceil(share_of_trials * n_left))
        if given is not None:
            limits = [given, math.inf if n_left is None else n_left]
        self._at_most = min(limits)
        self._is_narrow = (
            math.isfinite(allowance) and self._spent == 0.0 and len(self.fractions) > 1
        )
        self._rung = self._n_opened = 0
        self._enter([])
        self._fill_up(_MARGIN * allowance)
        return bool(self._members)

    def _widened(self, allowance: float) -> bool:
        """Fill up the first sweep by the speed found; whether there are new members to train."""
        if not self._is_narrow:
            return False
        self._is_narrow = False
        n_before = len(self._members)
        spent = sum(self._last[index].cost for index in self._members if index in self._last)
        self._fill_up(_MARGIN * allowance + spent)
        return len(self._members) > n_before

    def _fill_up(self, allowance: float) -> None:
        self.n_finishing = self._n_affordable(allowance)
        at_most = min(self._at_most, _MOST_FINISHING) if self._is_narrow else self._at_most
        share = allowance if self._is_narrow else self._share(allowance)
        for dearest in (_DEAREST * allowance, allowance):
            self._queue = list(self._waiting)
            room = self._room(share, allowance, dearest)
            self._extend(self._propose, at_most, room, needed=dearest == allowance)
            if self._members:
                break
        self._waiting = [first for first in self._waiting if not self._was_added(first)]

    def _was_added(self, first: Candidate) -> bool:
        """Whether a candidate is there, with all of its epochs or fewer."""
        like = (c for c in self.candidates if c.seed == first.seed)
        return any(replace(c, epochs=first.epochs) == first for c in like)

    def _n_affordable(self, allowance: float) -> int:
        """Give how many are to finish, of candidates like those that were or are to be trained."""
        waiting = (self.full_cost(candidate) for candidate in self._waiting)
        costs = [*self._costs, *(cost for cost in waiting if cost <= _DEAREST * allowance)]
        self.n_finishing = _MOST_FINISHING
        mean = sum(costs) / max(len(costs), 1)
        fits = self._planned_cost([mean] * self._few) <= allowance
        return _MOST_FINISHING if fits else _LEAST_FINISHING

    def _propose(self) -> Candidate:
        return self._queue.pop(0) if self._queue else self._draw()

    def _share(self, allowance: float) -> float:
        """Give what a sweep of more than a few members may cost."""
        share = self._next_share(allowance) if math.isfinite(allowance) else math.inf
        least = self._planned_cost(sorted(self._costs, reverse=True)[: self._few])
        return allowance if allowance < 1.5 * least else share

    def _room(
        self, share: float, allowance: float, dearest: float
    ) -> Callable[[list[float]], bool]:
        def fits(costs: list[float]) -> bool:
            limit = share if len(costs) > self._few else allowance
            return costs[-1] <= dearest and self._planned_cost(sorted(costs)[::-1]) <= limit

        return fits

    @property
    def _few(self) -> int:
        return self.n_finishing * self.reduction_factor**2

    def _planned_cost(self, costs: list[float]) -> float:
        """Give the cost of a sweep where the dearest go on: large networks often are the better."""
        total, start = 0.0, 0.0
        for rung, end in enumerate(self.fractions):
            n = n_survivors(len(costs), self.reduction_factor, rung, self.n_finishing)
            total += (end - start) * sum(costs[:n])
            start = end
        return total
