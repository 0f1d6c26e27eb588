"""A metric that the engine does not know -> scores of candidates, once for each best epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from automs.clock import Clock

__all__ = ["OwnScores"]

Values = npt.NDArray[np.float64]


class OwnScores:
    """Scores by a metric that may be slow, for as long as there is time; the first one always.

    Attributes
    ----------
    is_late : callable
        Whether there is no time left. A candidate then keeps the score of an earlier best epoch,
        and has NaN where there is none.

    Examples
    --------
    >>> scores = OwnScores()
    >>> with scores.until(lambda: True):
    ...     for number in (3, 4):
    ...         print(scores.of(number, (1,), lambda number: np.array([0.5 * number])))
    [1.5]
    [nan]
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[tuple[int, ...], Values]] = {}  # best epochs, scores
        self._seconds = 0.0
        self._n_scored = 0
        self.is_late: Callable[[], bool] = lambda: False

    @property
    def mean_seconds(self) -> float:
        """What scoring a candidate has taken so far."""
        return self._seconds / max(self._n_scored, 1)

    def of(
        self, number: int, best_epochs: tuple[int, ...], score: Callable[[int], Values]
    ) -> Values:
        """Give a candidate's scores, one a fold, by its best epochs; `score` finds unknown ones."""
        known = self._known.get(number)
        if known is not None and known[0] == best_epochs:
            return known[1]
        if self._known and self.is_late():
            return np.full(len(best_epochs), np.nan) if known is None else known[1]
        started = time.perf_counter()
        scores = score(number)
        self._known[number] = best_epochs, scores
        self._seconds += time.perf_counter() - started
        self._n_scored += 1
        return scores

    def end_with(self, clock: Clock, reserve: Callable[[], float]) -> None:
        """Let scores take half of the seconds that `reserve` keeps back of a clock's limit.

        What they are kept for needs the scores, too.
        """
        limit = math.inf if clock.limit is None else clock.limit
        self.is_late = lambda: clock.elapsed() > limit - reserve() / 2.0

    @contextmanager
    def until(self, is_late: Callable[[], bool]) -> Iterator[None]:
        """Let another clock say what is late for a while."""
        before, self.is_late = self.is_late, is_late
        try:
            yield
        finally:
            self.is_late = before
