"""A problem -> the default search of other candidates, or a schedule without any finesse."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from automs import Candidate, Choice, SearchSpace
from automs.schedule import promote
from automs.strategies.base import Problem, Request, Result, Strategy
from automs.strategies.halving import HalvingStrategy


class ChangedHalving(HalvingStrategy):
    """The default strategy, told of another problem than the search has."""

    def __init__(self, change: Callable[[Problem], Problem]) -> None:
        super().__init__()
        self.change = change

    def start(self, problem: Problem) -> None:
        super().start(self.change(problem))


def without_first_candidates(problem: Problem) -> Problem:
    return replace(problem, first_candidates=())


def without_recipes(problem: Problem) -> Problem:
    """Leave out the first candidates that are RealMLP, and the parts of the space after it."""
    first = [c for c in problem.first_candidates if not c.scaling_layer]
    parts = [part for part in problem.search_space.parts if not _is_after_realmlp(part[1])]
    # What this takes away must be there, or the variant would be the full search unnoticed.
    n_first, n_parts = len(problem.first_candidates), len(problem.search_space.parts)
    if len(parts) != n_parts - 2 or (problem.first_candidates and len(first) == n_first):
        raise RuntimeError("the default search has no recipes where ablation.py looks for them")
    return replace(problem, first_candidates=first, search_space=SearchSpace.union(parts))


def without_members(problem: Problem) -> Problem:
    return replace(
        problem, first_candidates=[c for c in problem.first_candidates if c.n_members == 1]
    )


def _is_after_realmlp(part: SearchSpace) -> bool:
    if "scaling_layer" in part:
        return True
    encoding = part["encoding"]
    encodings = encoding.options if isinstance(encoding, Choice) else (encoding,)
    return "residual" in part and "robust" in encodings


def plainly_encoded(problem: Problem) -> Problem:
    """Give all candidates robustly scaled and clipped numbers, and nothing else of them."""
    plain = (
        replace(c, encoding="robust", numeric_embedding="none") for c in problem.first_candidates
    )
    space = problem.search_space.replace(encoding="robust", numeric_embedding="none")
    return replace(problem, first_candidates=_unlike(plain), search_space=space)


def _unlike(candidates: Iterable[Candidate]) -> list[Candidate]:
    return list(dict.fromkeys(candidates))


class OneEpochThenBest(Strategy):
    """Train all candidates for one epoch, and the best three to the end.

    There are as many as leave the time that the best so far still need; each costs no more than a
    quarter of all time, so that three of them and first epochs of others fit. Rates are measured
    on first epochs, which are slower: what time is left in the end goes to another round.
    """

    N_BEST = 3
    #: Share of the whole allowance, spent or left, that one chunk of first epochs takes.
    CHUNK_SHARE = 0.05
    #: No round is begun with less than this share of it left.
    LEAST_ROUND = 0.1
    MOST_AT_ONCE = 256

    def start(self, problem: Problem) -> None:
        super().start(problem)
        self._last: dict[int, Result] = {}
        self._spent = 0.0
        self._is_screening = True
        self._first_of_round = 0
        self._best: list[int] = []  # of this round, that are told of and go on, best first

    def ask(self, allowance: float) -> list[Request]:
        if not self._is_screening:
            if allowance < self.LEAST_ROUND * (self._spent + allowance):
                return []
            self._is_screening = True
            self._first_of_round, self._best = len(self.candidates), []
        if requests := self._first_epochs(allowance):
            return requests
        self._is_screening = False
        return self._to_the_end(allowance)

    def tell(self, results: Sequence[Result]) -> None:
        for result in results:
            self._last[result.candidate_index] = result
            self._spent += result.cost
        if self._is_screening:
            self._best = self._best_among([*self._best, *(r.candidate_index for r in results)])

    def may_be_promoted(self, candidate_index: int) -> bool:
        if not self._is_screening or not 0 <= candidate_index < len(self.candidates):
            return False
        return candidate_index not in self._last or candidate_index in self._best

    def _best_among(self, told: Iterable[int]) -> list[int]:
        """Give the best three that go on, best first; results may have come in any order."""
        indices = [i for i in sorted(told) if self._goes_on(self._last[i])]
        scores = [self._last[i].score for i in indices]
        return [indices[at] for at in promote(scores, self.N_BEST)]

    def _goes_on(self, result: Result) -> bool:
        return math.isfinite(result.score) and not result.finished

    def _first_epochs(self, allowance: float) -> list[Request]:
        """Give the next chunk of new candidates, none where the best need what is left."""
        n_left = self.n_left(allowance)
        at_most = self.MOST_AT_ONCE if n_left is None else min(n_left, self.MOST_AT_ONCE)
        whole = self._spent + allowance
        room, chunk = allowance - self._kept_back(), self.CHUNK_SHARE * whole
        requests: list[Request] = []
        while len(requests) < at_most and chunk > 0:
            candidate = self.fitting_candidate(self.new_candidate, (whole / 4).__ge__)
            if candidate is None:
                break
            until = candidate.epochs if candidate.optimizer == "exact" else 1
            cost = self.problem.cost(candidate, until)
            if self.candidates and cost > room:
                break
            requests.append(Request(self.add(candidate), until))
            room, chunk = room - cost, chunk - cost
        return requests

    def _kept_back(self) -> float:
        """As much as if all of the best cost what the dearest does: the next ones may."""
        return self.N_BEST * max((self._cost_of_ends([i]) for i in self._best), default=0.0)

    def _to_the_end(self, allowance: float) -> list[Request]:
        """Give those of the best that fit beside better ones; one in any case, if it is the first.

        A training that is cut is better than none.
        """
        going_on: list[int] = []
        for index in self._best:
            is_needed = not going_on and self._first_of_round == 0
            if is_needed or self._cost_of_ends([*going_on, index]) <= allowance:
                going_on.append(index)
        return [Request(index, self.candidates[index].epochs) for index in going_on]

    def _cost_of_ends(self, indices: Iterable[int]) -> float:
        """Cost of what these still have to train."""
        return sum(self._cost_of_end(self.candidates[i], self._last[i].epoch) for i in indices)

    def _cost_of_end(self, candidate: Candidate, epoch: int) -> float:
        return self.full_cost(candidate) - self.problem.cost(candidate, epoch)
