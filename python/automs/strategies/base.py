"""Past scores -> next candidates: the interface of every search strategy."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from automs.candidates import Candidate
from automs.cost import nominal_cost
from automs.draws import draw_candidates
from automs.schedule import shorter_runs
from automs.search_space import SearchSpace
from automs.seeds import derive_seed

__all__ = ["Posterior", "Problem", "Request", "Result", "Strategy"]

#: Proposals that are looked at for one that the time left allows.
_N_PROPOSALS = 16


def _unchanged(candidate: Candidate) -> Candidate:
    return candidate


#: Encoded features, rows of tables, bins, slots, and features that a periodic embedding takes.
FeatureCounts = tuple[int, Sequence[int], Sequence[int], Sequence[int], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a strategy may know before it starts.

    Attributes
    ----------
    search_space : SearchSpace
    seed : int
        Fixes every draw.
    n_rows, n_features, n_outputs : int
        Training rows of one fold, encoded features and logits; for nominal costs.
    features_of : callable, optional
        Candidate -> its encoded features, the rows of each of its embedding tables, bins and slots
        as `nominal_cost` has them, and the features that a periodic embedding would take; where it
        is not given, all candidates have `n_features`, and nothing else.
    n_folds : int, default=1
        How often each candidate is trained.
    max_trials : int, optional
        Candidates to propose, exactly so many unless the allowance ends first.
    first_candidates : sequence of Candidate, default=()
        Proposed before any draw, as number 0, 1, ...
    within_limits : callable, optional
        Candidate -> what is trained in its place where its network would be too slow or too large
        to be used; a strategy need not know.
    """

    search_space: SearchSpace
    seed: int
    n_rows: int
    n_features: int
    n_outputs: int
    features_of: Callable[[Candidate], FeatureCounts] | None = None
    n_folds: int = 1
    max_trials: int | None = None
    first_candidates: Sequence[Candidate] = ()
    within_limits: Callable[[Candidate], Candidate] = _unchanged

    def without_table(self) -> Problem:
        """Give it without what may hold the whole table, to be kept."""
        return replace(self, features_of=None, within_limits=_unchanged)

    def cost(self, candidate: Candidate, epochs: int | None = None) -> float:
        """Give the nominal cost of some epochs, by default all, on all folds."""
        counts: FeatureCounts = (self.n_features, (), (), (), 0)
        if self.features_of is not None:
            counts = self.features_of(candidate)
        n_features, tables, bins, slots, n_periodic = counts
        return self.n_folds * nominal_cost(
            candidate,
            self.n_rows,
            n_features,
            self.n_outputs,
            epochs,
            tables,
            bins=bins,
            slots=slots,
            n_periodic=n_periodic,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """Train a candidate on, from where it is, until the end of an epoch.

    Attributes
    ----------
    candidate_index : int
    until_epoch : int
    from_candidate : int, optional
        Start from a copy of this candidate's state: weights, moments, epoch and curves as they
        are before any request of the same `ask` is trained. For a candidate that was never
        trained, with the network, encoding, optimizer, epochs and batch size of the other, whose
        state is still kept (`may_be_promoted`) and which is not finished.

    Examples
    --------
    >>> Request(0, until_epoch=15)
    Request(candidate_index=0, until_epoch=15, from_candidate=None)
    """

    candidate_index: int
    until_epoch: int
    from_candidate: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a request.

    Attributes
    ----------
    candidate_index : int
    epoch : int
        Epochs trained by now.
    score : float
        Higher is better, over all folds; -inf for a diverged candidate.
    finished : bool
        Whether no training is left: last epoch reached, stopped by its patience, or diverged.
    cost : float
        Nominal cost of this request, summed over folds.
    part_scores : tuple of float
        Scores on disjoint parts of the validation rows, the same for all candidates, NaN where
        undefined; empty unless the strategy asks for them (`wants_part_scores`).
    """

    candidate_index: int
    epoch: int
    score: float
    finished: bool
    cost: float = 0.0
    part_scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Posterior:
    """Candidates by their share in P ~ exp(inverse_temperature * score).

    Attributes
    ----------
    weights : dict of int to float
        By candidate, sum 1.
    inverse_temperature : float
        In units of one over the score.
    """

    weights: dict[int, float]
    inverse_temperature: float


class Strategy(ABC):
    """Past scores -> next candidates; it never trains and never reads a clock.

    A search calls `start` once, then `ask` and `tell` in turn until `ask` gives nothing. Between
    two calls of `ask`, `tell` may be called several times, with results in any order; a request
    that is never told of was cut off. What a strategy does must follow from the problem, the
    allowances and the results alone.

    Write one by giving `ask` and `tell`; `new_candidate`, `add` and `full_cost` help.

    Attributes
    ----------
    problem : Problem
        As given to `start`.
    candidates : list of Candidate
        All proposed so far; a `candidate_index` points into it.
    wants_part_scores : bool, default=False
        Whether results are to hold `part_scores`, which takes one more pass over validation rows.

    Examples
    --------
    >>> class FirstThree(Strategy):
    ...     def ask(self, allowance):
    ...         if self.candidates:
    ...             return []
    ...         new = [self.add(self.new_candidate()) for _ in range(3)]
    ...         return [Request(i, self.candidates[i].epochs) for i in new]
    ...     def tell(self, results):
    ...         pass
    """

    problem: Problem
    candidates: list[Candidate]
    wants_part_scores: bool = False

    def start(self, problem: Problem) -> None:
        """Begin a search, forgetting any earlier one; overriding methods call this first."""
        self.problem = problem
        self.candidates = []
        self.n_drawn = 0

    @abstractmethod
    def ask(self, allowance: float) -> list[Request]:
        """Give what to train next; nothing ends the search.

        Parameters
        ----------
        allowance : float
            Nominal cost, summed over folds, for which there is time left; ``math.inf`` without
            a time limit.

        Returns
        -------
        list of Request
            At most one for a candidate, each going beyond what it has trained.
        """

    @abstractmethod
    def tell(self, results: Sequence[Result]) -> None:
        """Take in results of requests."""

    def may_be_promoted(self, candidate_index: int) -> bool:
        """Whether this candidate may be asked for again; where not, its state can be dropped."""
        return 0 <= candidate_index < len(self.candidates)

    def posterior(self) -> Posterior | None:
        """Give the weights by which the model averages candidates; None: it chooses greedily."""
        return None

    def new_candidate(self) -> Candidate:
        """Give the next of the first candidates, or else a draw, without adding it.

        It depends on the problem and the number of those given so far alone, and has a seed.
        """
        number, problem = self.n_drawn, self.problem
        self.n_drawn += 1
        if number >= len(problem.first_candidates):
            return draw_candidates(problem.search_space, 1, problem.seed, first=number)[0]
        candidate = problem.first_candidates[number]
        if candidate.seed is None:
            return replace(candidate, seed=derive_seed(problem.seed, number))
        return candidate

    def add(self, candidate: Candidate) -> int:
        """Append to `candidates` and give the index."""
        self.candidates.append(candidate)
        return len(self.candidates) - 1

    def fitting_candidate(
        self,
        propose: Callable[[], Candidate],
        fits: Callable[[float], bool],
        *,
        needed: bool | None = None,
    ) -> Candidate | None:
        """Give the first of some proposals whose full cost fits.

        Where one is `needed`, as by default the very first one is, it may be a proposal with fewer
        epochs. Where none of these fits either, the very first candidate is the cheapest of them,
        as a training that is cut is better than none.
        """
        needed = not self.candidates if needed is None else needed
        cheapest: tuple[float, Candidate] | None = None
        for _ in range(_N_PROPOSALS):
            proposal = propose()
            for candidate in [proposal, *(self._shortened(proposal) if needed else [])]:
                cost = self.full_cost(candidate)
                if fits(cost):
                    return candidate
                if cheapest is None or cost < cheapest[0]:
                    cheapest = (cost, candidate)
        return cheapest[1] if cheapest and needed and not self.candidates else None

    def _shortened(self, candidate: Candidate) -> list[Candidate]:
        """Give a candidate with fewer and fewer epochs, where these are not the caller's."""
        problem = self.problem
        if not problem.first_candidates or candidate.optimizer == "exact":
            return []
        runs = shorter_runs(candidate.epochs, math.ceil(problem.n_rows / candidate.batch_size))
        return [replace(candidate, epochs=epochs) for epochs in runs]

    def full_cost(self, candidate: Candidate) -> float:
        """Give the nominal cost of all epochs on all folds."""
        return self.problem.cost(candidate)

    def n_left(self, allowance: float) -> int | None:
        """Give how many candidates may still be proposed, None for no such limit.

        Raises
        ------
        ValueError
            When there is neither `max_trials` nor a finite allowance: the search would not end.
        """
        if self.problem.max_trials is not None:
            return max(self.problem.max_trials - len(self.candidates), 0)
        if not math.isfinite(allowance):
            raise ValueError("a search must have max_trials or a time limit, got neither")
        return None
