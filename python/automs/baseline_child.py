"""A problem on standard input -> a result for each baseline on standard output: the child."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from automs.baseline_cost import Plan, make_plan, nominal_seconds, problem_sizes
from automs.baseline_models import FoldPredictions, fit_and_predict, import_models, model_note
from automs.baseline_problem import (
    BaselineProblem,
    BaselineResult,
    baseline_label,
    receive,
    send,
)

__all__ = ["BaselineRunner", "serve"]

#: Nominal seconds of a baseline where there is no time limit: no decision reads a clock then.
_FIXED_SECONDS = 60.0
#: Seconds for a nominal one until it is measured: the search takes its share of the cores.
_FIRST_PACE = 1.5
#: Share of its time that a baseline is planned for.
_SAFETY = 0.8
#: Expected to take longer than so many seconds, a baseline is tried on a share of its time.
_TRIAL_FROM = 0.3
_TRIAL_SHARE = 0.06
#: A trial on few rows is short, and so not sure: it changes the pace by this factor at most.
_TRIAL_DOUBT = 4.0
_MAX_STARTS = 3
_PR_SET_PDEATHSIG = 1  # of Linux's prctl


class BaselineRunner:
    """Trains baselines, cheapest first, each in its share of the time that is left.

    What a baseline costs is nominal seconds times a pace; the pace is measured, first on few rows,
    then on each fold. A baseline that turns out too slow starts again with a smaller plan.

    Parameters
    ----------
    names : sequence of str
    problem : BaselineProblem
    seconds : float or None
        Time for all of them; None: no clock is read, and plans are fixed.
    clock : callable, optional
        Gives seconds.
    """

    def __init__(
        self,
        names: Sequence[str],
        problem: BaselineProblem,
        seconds: float | None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._problem = problem
        self._clock = clock
        self._deadline = None if seconds is None else clock() + seconds
        self._sizes = problem_sizes(problem)
        self._pace = _FIRST_PACE
        full = {name: make_plan(name, self._sizes, float("inf")) for name in names}
        self._names = sorted(names, key=lambda name: self._nominal(name, full[name]))

    def _nominal(self, name: str, plan: Plan | None) -> float:
        return float("inf") if plan is None else nominal_seconds(name, self._sizes, plan)

    def run(self) -> Iterator[tuple[str, BaselineResult]]:
        """Give name and result of each baseline as it is finished."""
        for position, name in enumerate(self._names):
            label = baseline_label(name, self._problem.n_classes, self._problem.loss)
            try:
                result = self._run_one(name, label, len(self._names) - position)
            except Exception as error:  # a row of the leaderboard, and not a crash here
                result = BaselineResult(label, None, reason=f"{type(error).__name__}: {error}")
            yield name, result

    def _run_one(self, name: str, label: str, n_left: int) -> BaselineResult:
        """Train one baseline, on as much as its time allows."""
        folds: list[FoldPredictions] | None = None
        plan: Plan | None = None
        for start in range(_MAX_STARTS):
            allowed = self._allowed(n_left)
            if start == 0:
                self._try_few_rows(name, allowed)
            plan = self._plan(name, _SAFETY * allowed)
            if plan is None:
                break
            longest = float("inf") if start == _MAX_STARTS - 1 else allowed
            folds = self._train_folds(name, plan, longest)
            if folds is not None:
                break
        if plan is None or folds is None:
            return BaselineResult(label, None, reason="its time is too short even for few rows")
        notes = (plan.note, model_note(name, self._problem))
        return BaselineResult(
            label,
            [fold.values for fold in folds],
            sum(fold.fit_time for fold in folds),
            sum(fold.predict_time for fold in folds),
            ", ".join(note for note in notes if note),
        )

    def _allowed(self, n_left: int) -> float:
        """Give an equal share of the time that is left."""
        if self._deadline is None:
            return float("inf")
        return (self._deadline - self._clock()) / n_left

    def _plan(self, name: str, seconds: float) -> Plan | None:
        nominal = _FIXED_SECONDS if self._deadline is None else seconds / self._pace
        # What a constant costs is never too much.
        return make_plan(name, self._sizes, float("inf") if name == "constant" else nominal)

    def _try_few_rows(self, name: str, allowed: float) -> None:
        """Measure the pace on few rows of the first fold, where all of them take long."""
        plan = self._plan(name, _SAFETY * allowed)
        if self._deadline is None or self._pace * self._nominal(name, plan) < _TRIAL_FROM:
            return
        # For one fold that is planned as all of them, so that it takes its share of that share.
        small = self._plan(name, _TRIAL_SHARE * allowed * self._sizes.n_folds)
        if small is not None:
            before, start = self._pace, self._clock()
            fit_and_predict(name, self._problem, 0, small)
            self._measure(name, small, 1, self._clock() - start)
            self._pace = min(max(self._pace, before / _TRIAL_DOUBT), before * _TRIAL_DOUBT)

    def _train_folds(self, name: str, plan: Plan, longest: float) -> list[FoldPredictions] | None:
        """Train every fold; None as soon as all of them would take longer than that."""
        folds: list[FoldPredictions] = []
        n_folds, timed = self._sizes.n_folds, self._deadline is not None
        start = self._clock() if timed else 0.0
        for fold in range(n_folds):
            folds.append(fit_and_predict(name, self._problem, fold, plan))
            if not timed:
                continue
            spent = self._clock() - start
            self._measure(name, plan, len(folds), spent)
            if len(folds) < n_folds and spent * n_folds / len(folds) > longest:
                return None
        return folds

    def _measure(self, name: str, plan: Plan, n_folds: int, seconds: float) -> None:
        if name == "constant":  # tells nothing of the others
            return
        nominal = self._nominal(name, plan) * n_folds / self._sizes.n_folds
        self._pace = min(max(seconds / nominal, 0.05), 100.0)


def serve() -> None:
    """Take names, a problem and its time from standard input, and send each result back."""
    started = time.perf_counter()
    _end_with_parent()
    import_models()
    with contextlib.suppress(OSError, EOFError):
        stdin = sys.stdin.buffer
        names, problem, seconds = receive(stdin)
        threading.Thread(target=_end_with_input, args=(stdin.fileno(),), daemon=True).start()
        if seconds is not None:
            seconds -= time.perf_counter() - started
        for result in BaselineRunner(names, problem, seconds).run():
            send(result, sys.stdout.buffer)
    # At once: what is still in memory is no result, and a thread waits for the input.
    os._exit(0)


def _end_with_parent() -> None:
    """Ask Linux to end this process when the parent ends, even in the midst of a long C call.

    A parent that is gone already has left an input that ends before the problem does.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _end_with_input(descriptor: int) -> None:
    """Wait for the end of the input, which comes with the end of the parent, and end."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 4096):
            pass
    os._exit(1)
