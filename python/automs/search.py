"""A `Training`, a strategy and a clock -> trained trials, the best of which can be used."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace

from automs.audience import Audience
from automs.candidates import Candidate
from automs.clock import Clock
from automs.early_end import EarlyEnd
from automs.exact import train_exact
from automs.first_models import LINEAR_MODELS, add_constant, affordable_models, train_linear
from automs.kept_states import KeptStates
from automs.outcomes import JobState, Progress
from automs.part_scores import part_scores
from automs.reports import SearchReport, log_step
from automs.schedule import promote
from automs.seeds import derive_seed
from automs.skewed_targets import first_loss, linear_losses
from automs.strategies.base import Posterior, Problem, Request, Result, Strategy
from automs.training import Training
from automs.trials import Trial, trial_report, trial_state

__all__ = ["Search", "Trial"]

#: Share of the time that the linear models' paths of penalties may take.
_LINEAR_SHARE = 0.1
#: Nominal cost that one thread is taken to train in a second before anything was measured.
_FIRST_RATE = 5e9


class Search:
    """Runs a strategy on a training until its end, the clock's, or an interruption.

    Parameters
    ----------
    training : Training
    strategy : Strategy
    problem : Problem
    clock : Clock
    reserve : callable, optional
        Gives the seconds that this search keeps back for what comes after it; 0 by default.
    audience : Audience, optional
        Told of progress and of every trial that ended; it may end the search.
    """

    def __init__(
        self,
        training: Training,
        strategy: Strategy,
        problem: Problem,
        clock: Clock,
        *,
        reserve: Callable[[Search], float] = lambda _: 0.0,
        audience: Audience | None = None,
    ) -> None:
        self.training = training
        self.strategy = strategy
        self.problem = problem
        self.clock = clock
        self._reserve_for = reserve
        own = weakref.proxy(self)  # a cycle would hold all views until a collection
        training.own_scores.end_with(clock, lambda: own.reserve)
        self.audience = Audience(()) if audience is None else audience
        self._best_score = -math.inf
        self._n_running = 0
        self._untold: list[int] = []  # indices of trials that may go on, or were not told of
        self._numbers: list[int] = []  # the strategy's index -> number in the training
        self._first: dict[str, int] = {}  # constant and linear models, by name
        self._kept = KeptStates(training)
        self._waiting: set[int] = set()  # asked for, in a part of the round to come
        self._spent = 0.0  # nominal cost of finished runs ...
        self._busy = 0.0  # ... and the seconds they took
        self._finished_scores: list[float] = []
        self._finished_seconds: list[float] = []
        self.most_members = 1  # of a candidate so far
        self._early_end = EarlyEnd()

    def run(self) -> None:
        """Search. A stopped clock ends it, and what was trained until then stays."""
        if not self._first:
            self.train_constant()
        self._train_linear()
        for trial in self.trials() if self.audience else ():
            self.audience.tell(trial_report(trial))
        self.strategy.start(self.problem)
        while not self.audience.wants_end and self._step():
            self._tell_of_ended()
        self._kept.keep(self._numbers, lambda _: False)
        self._tell_of_ended(all_ended=True)
        if self.audience:
            self.audience.tell(self._search_report())

    @property
    def reserve(self) -> float:
        """Seconds that are kept back for what comes after the search."""
        return self._reserve_for(self)

    def seconds_of_best(self, n_trials: int) -> list[float]:
        """Give the training time of the best finished trials, at most so many."""
        best = promote(self._finished_scores, n_trials)
        return [self._finished_seconds[index] for index in best]

    @property
    def n_candidates(self) -> int:
        """Candidates of the strategy; the constant and the linear models do not count."""
        return len(self._numbers)

    def posterior(self) -> Posterior | None:
        """Give the strategy's weights for averaging candidates, by number in the training."""
        given = self.strategy.posterior()
        if given is None:
            return None
        weights = {self._numbers[index]: weight for index, weight in given.weights.items()}
        return replace(given, weights=weights)

    def trials(self) -> list[Trial]:
        """Give all trials: the constant and the linear ones, then those of the strategy."""
        names = list(self._first) + [f"net-{i:04d}" for i in range(len(self._numbers))]
        numbers = list(self._first.values()) + self._numbers
        return [
            self._trial(name, number, progress)
            for name, number, progress in zip(
                names, numbers, self.training.progress(numbers), strict=True
            )
        ]

    def _trial(self, name: str, number: int, progress: Progress) -> Trial:
        state = trial_state(progress, stopped=self.clock.look())
        is_kept = number not in self._kept.released
        usable = math.isfinite(progress.score) and is_kept and progress.epoch > 0
        candidate = self.training.candidates[number]
        solver = "exact" if candidate.optimizer == "exact" else "gradient"
        if number == self._first["constant"]:
            solver = "constant"
        return Trial(number, name, candidate, progress, state, solver, usable)

    def train_constant(self) -> None:
        """Make the model that is there whatever happens; `run` does so where this did not."""
        quantile = self.problem.search_space.parameters.get("quantile")
        quantile = quantile if isinstance(quantile, float) else 0.5
        loss = first_loss(self.problem.search_space)
        self._first["constant"] = add_constant(self.training, loss, quantile)

    def _train_linear(self) -> None:
        left = self.clock.time_left(self.reserve)
        losses = linear_losses(self.problem.search_space)
        limit = None if left is None else _LINEAR_SHARE * left / len(losses)
        # Where the space is the caller's, encodings are too.
        wanted = tuple(LINEAR_MODELS) if self.problem.first_candidates else ("linear",)
        seconds = math.inf if limit is None else limit
        names = affordable_models(self.training, wanted, seconds)
        for suffix, loss in losses.items():
            best = train_linear(
                self.training, loss, self.problem.seed, limit, self.clock.look, names
            )
            self._first |= {name + suffix: number for name, number in best.items()}

    def _step(self) -> bool:
        """Do one round of asking, training and telling; False at the end of the search."""
        is_stale = self.clock.limit is not None and self._early_end.is_due
        if self.clock.remaining(self.reserve) <= 0.0 or is_stale:
            return False
        requests = self.strategy.ask(self._allowance())
        if not requests:
            return False
        self._add_new_candidates()
        numbers = [self._numbers[request.candidate_index] for request in requests]
        self._waiting = {request.candidate_index for request in requests}
        for request, number in zip(requests, numbers, strict=True):
            if request.from_candidate is not None:
                self._kept.copy(number, self._numbers[request.from_candidate])
        for part in self._kept.parts(numbers):
            started = self.clock.elapsed()
            self._kept.begin([numbers[at] for at in part], self._time_left, self._look)
            self._busy += self.clock.elapsed() - started
            self._train([requests[at] for at in part])
            self._kept.recover()
            self._waiting -= {requests[at].candidate_index for at in part}
            self._kept.keep(self._numbers, self._may_go_on)
            if self.clock.remaining(self.reserve) <= 0.0 or self.audience.wants_end:
                break
        return True

    def _train(self, requests: Sequence[Request]) -> None:
        """Train as far as asked, and tell the strategy."""
        before = self._epochs(requests)
        started = self.clock.elapsed()
        until = {self._numbers[r.candidate_index]: r.until_epoch for r in requests}
        exact = [n for n in until if self.training.candidates[n].optimizer == "exact"]
        for number in exact:
            left = self.clock.time_left(self.reserve)
            train_exact(self.training, [number], left, self.clock.look)
            del until[number]
        self._n_running = len(requests)
        scoring = len(requests) * self.training.own_scores.mean_seconds
        left = self.clock.time_left(self.reserve + scoring)
        self.training.run(list(until), list(until.values()), left, self._look)
        results = self._results(requests, before)
        self._spent += sum(result.cost for result in results)
        self._busy += self.clock.elapsed() - started
        self._n_running = 0
        self.strategy.tell(results)
        log_step(self._search_report(), [request.until_epoch for request in requests])

    def _epochs(self, requests: Sequence[Request]) -> list[int]:
        numbers = [self._numbers[r.candidate_index] for r in requests]
        return [progress.epoch for progress in self.training.progress(numbers)]

    def _add_new_candidates(self) -> None:
        new = self.strategy.candidates[len(self._numbers) :]
        if new:
            seeded = [
                c if c.seed is not None
                else replace(c, seed=derive_seed(self.problem.seed, len(self._numbers) + i))
                for i, c in enumerate(new)
            ]  # fmt: skip
            first = self.training.add([self._affordable(c) for c in seeded])
            self.most_members = max(self.most_members, *(c.n_members for c in seeded))
            self._untold.extend(range(len(self._numbers), len(self._numbers) + len(new)))
            self._numbers.extend(range(first, first + len(new)))

    def _affordable(self, candidate: Candidate) -> Candidate:
        left = self.clock.remaining(self.reserve)
        return self.problem.within_limits(self.training.views.affordable(candidate, left))

    def _may_go_on(self, index: int) -> bool:
        return index in self._waiting or self.strategy.may_be_promoted(index)

    def _time_left(self) -> float | None:
        return self.clock.time_left(self.reserve)

    def _results(self, requests: Sequence[Request], before: Sequence[int]) -> list[Result]:
        numbers = [self._numbers[r.candidate_index] for r in requests]
        results = []
        outcomes = self.training.progress(numbers)
        parts: dict[int, tuple[float, ...]] = {}
        if self.strategy.wants_part_scores:
            parts = part_scores(self.training, numbers, outcomes)
        for request, start, progress in zip(requests, before, outcomes, strict=True):
            finished = progress.state in {JobState.COMPLETE, JobState.DIVERGED}
            score = -math.inf if progress.state is JobState.DIVERGED else progress.score
            index = request.candidate_index
            cost = self.problem.cost(self.strategy.candidates[index], progress.epoch - start)
            own = parts.get(self._numbers[index], ())
            results.append(Result(index, progress.epoch, score, finished, cost, own))
            self._best_score = max(self._best_score, score)
            if finished:
                self._early_end.note(score, len(self._numbers))
                self._finished_scores.append(score)
                self._finished_seconds.append(progress.seconds)
        return results

    def _allowance(self) -> float:
        """Nominal cost that the remaining time allows, by the rate measured so far."""
        remaining = self.clock.remaining(self.reserve)
        if math.isinf(remaining):
            return math.inf
        if self._busy < 1e-3:
            return remaining * _FIRST_RATE * self.training.n_threads
        return remaining * self._spent / self._busy

    def _look(self) -> bool:
        self.audience.tell_now_and_then(self._search_report)
        return self.clock.look() or self.audience.wants_end

    def _search_report(self) -> SearchReport:
        return SearchReport(
            self.clock.elapsed(),
            self.clock.remaining(),
            n_trials=len(self._numbers),
            n_running=self._n_running,
            n_finished=len(self._finished_scores),
            best_score=self._best_score if math.isfinite(self._best_score) else math.nan,
        )

    def _tell_of_ended(self, *, all_ended: bool = False) -> None:
        """Tell of the trials that will not go on, each once."""
        if not self.audience:
            return
        untold, self._untold = self._untold, []
        numbers = [self._numbers[index] for index in untold]
        for index, progress in zip(untold, self.training.progress(numbers), strict=True):
            is_over = progress.state in {JobState.COMPLETE, JobState.DIVERGED}
            if all_ended or is_over or not self.strategy.may_be_promoted(index):
                name, number = f"net-{index:04d}", self._numbers[index]
                self.audience.tell(trial_report(self._trial(name, number, progress)))
            else:
                self._untold.append(index)
