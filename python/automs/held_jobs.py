"""Candidates' jobs -> runs of the engine, in parts whose features may be there at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
import numpy.typing as npt

from automs._core import TrainJobs
from automs.views import Views

__all__ = ["HeldJobs"]

Numbers = npt.NDArray[np.int64]


class HeldJobs:
    """The jobs of an engine: a candidate has one for each fold, side by side.

    Parameters
    ----------
    jobs : TrainJobs
    views : Views
        Of that engine.

    Notes
    -----
    Jobs that are asked for together run together where the features of all their views may be
    there at once, else in parts. Parts never change a job's bits.
    """

    def __init__(self, jobs: TrainJobs, views: Views) -> None:
        self._jobs = jobs
        self._views = views
        self._view_numbers = np.empty((0, 0), dtype=np.int64)  # of each candidate, fold by fold

    def add(self, views: Numbers) -> None:
        """Add jobs of new candidates, by the numbers of their views, (n, n_folds)."""
        first, n_folds = len(self._view_numbers), views.shape[1]
        numbers = np.arange(first, first + len(views), dtype=np.int64)
        self._jobs.add_jobs(np.repeat(numbers, n_folds), views.ravel())
        self._view_numbers = np.vstack([self._view_numbers, views]) if first else views

    def numbers(self, candidates: npt.ArrayLike) -> Numbers:
        """Give the engine's numbers of candidates' jobs, fold by fold."""
        n_folds = self._view_numbers.shape[1]
        first = np.asarray(candidates, dtype=np.int64).reshape(-1, 1) * n_folds
        return (first + np.arange(n_folds, dtype=np.int64)).ravel()

    def parts(
        self, jobs: Numbers, is_late: Callable[[], bool] = lambda: False
    ) -> Iterator[npt.NDArray[np.intp]]:
        """Part jobs, whose features are there until the next part is asked for.

        Parameters
        ----------
        jobs : ndarray of int64, shape (n,)
        is_late : callable
            Before the features of a part are made, whether to stop.

        Yields
        ------
        ndarray of intp
            Positions in `jobs`, ascending.
        """
        numbers, which = np.unique(self._view_numbers.ravel()[jobs], return_inverse=True)
        for views in self._views.in_parts([self._views.numbered(n) for n in numbers.tolist()]):
            if is_late():
                return
            self._views.hold(views)
            part = np.searchsorted(numbers, [view.number for view in views])
            yield np.flatnonzero(np.isin(which, part))

    def hold(self, candidates: npt.ArrayLike) -> None:
        """Have features of these candidates there, as far as they may be at once."""
        next(self.parts(self.numbers(candidates)), None)

    def seconds_for(self, candidates: npt.ArrayLike) -> float:
        """Give what making the features of these candidates takes that are away."""
        numbers = np.unique(self._view_numbers.ravel()[self.numbers(candidates)])
        return self._views.seconds_for(self._views.numbered(n) for n in numbers.tolist())

    def run(
        self,
        candidates: npt.ArrayLike,
        until_epochs: npt.ArrayLike,
        n_threads: int,
        metric: str | None,
        time_limit: float | None,
        look: Callable[[], bool] | None,
    ) -> None:
        """Train candidates on until their epochs; what is late is noted without its features."""
        jobs, n_folds = self.numbers(candidates), self._view_numbers.shape[1]
        until = np.repeat(np.asarray(until_epochs, dtype=np.int32), n_folds)
        end = math.inf if time_limit is None else perf_counter() + time_limit

        is_stopped = False
        waiting = np.ones(len(jobs), dtype=bool)

        def is_late() -> bool:
            nonlocal is_stopped
            is_stopped = look is not None and look()
            return is_stopped or perf_counter() >= end

        for part in self.parts(jobs, is_late):
            left = None if time_limit is None else max(end - perf_counter(), 0.0)
            self._jobs.run(jobs[part], until[part], n_threads, metric, left, look)
            waiting[part] = False
        if waiting.any():
            self._jobs.run(
                jobs[waiting], until[waiting], n_threads, metric, 0.0, lambda: is_stopped
            )

    def validation_predictions(
        self, candidates: npt.ArrayLike, n_threads: int
    ) -> list[npt.NDArray[np.float64]]:
        """Give predictions (n_validation_rows, n_outputs) of each candidate's jobs in turn."""
        jobs = self.numbers(candidates)
        found: dict[int, npt.NDArray[np.float64]] = {}
        for part in self.parts(jobs):
            predictions = self._jobs.validation_predictions(jobs[part], n_threads)
            found |= zip(part.tolist(), predictions, strict=True)
        return [found[at] for at in range(len(jobs))]
