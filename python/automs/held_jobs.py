"""Candidates' jobs -> runs of the engine, in parts whose features may be there at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter

import numpy as np
import numpy.typing as npt

from automs._core import TrainJobs
from automs.views import View, Views

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
    Candidates that are asked for together run together where the features of all their views may
    be there at once, else in parts. Parts never change a job's bits.
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

    def parts(self, candidates: npt.ArrayLike) -> Iterator[Numbers]:
        """Part candidates, whose features are there until the next part is asked for.

        Yields
        ------
        ndarray of int64
            Positions in `candidates`, ascending.
        """
        numbers = self._view_numbers[np.asarray(candidates, dtype=np.int64)]
        if not numbers.size:
            return
        sets, which = np.unique(numbers, axis=0, return_inverse=True)
        which = which.ravel()  # NumPy 2.0 gives it another axis
        part: list[int] = []
        held: list[View] = []
        for at, needed in enumerate(sets):
            views = [self._views.numbered(number) for number in needed]
            if part and not self._views.fit_together([*held, *views]):
                yield self._hold(held, which, part)
                part, held = [], []
            part.append(at)
            held += views
        if part:
            yield self._hold(held, which, part)

    def _hold(self, views: list[View], which: Numbers, part: list[int]) -> Numbers:
        self._views.hold(views)
        return np.flatnonzero(np.isin(which, part))

    def run(
        self,
        candidates: npt.ArrayLike,
        until_epochs: npt.ArrayLike,
        n_threads: int,
        metric: str | None,
        time_limit: float | None,
        look: Callable[[], bool] | None,
    ) -> None:
        """Train candidates on until their epochs."""
        numbers, until = np.asarray(candidates, np.int64), np.asarray(until_epochs, np.int32)
        end = None if time_limit is None else perf_counter() + time_limit
        for part in self.parts(numbers):
            jobs = self.numbers(numbers[part])
            epochs = np.repeat(until[part], self._view_numbers.shape[1])
            left = None if end is None else max(end - perf_counter(), 0.0)
            self._jobs.run(jobs, epochs, n_threads, metric, left, look)

    def validation_predictions(
        self, candidates: npt.ArrayLike, n_threads: int
    ) -> list[npt.NDArray[np.float64]]:
        """Give predictions (n_validation_rows, n_outputs) of each candidate's jobs in turn."""
        candidates = np.asarray(candidates, dtype=np.int64)
        found: dict[int, npt.NDArray[np.float64]] = {}
        for part in self.parts(candidates):
            jobs = self.numbers(candidates[part])
            predictions = self._jobs.validation_predictions(jobs, n_threads)
            found |= zip(jobs.tolist(), predictions, strict=True)
        return [found[job] for job in self.numbers(candidates).tolist()]
