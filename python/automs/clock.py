"""A time limit -> how much of it is left."""

from __future__ import annotations

import math
import time

__all__ = ["Clock"]


class Clock:
    """Runs from its making on. Without a limit nothing is ever late, and no decision reads it.

    Parameters
    ----------
    limit : float or None, seconds

    Examples
    --------
    >>> Clock(None).remaining()
    inf
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._start = time.perf_counter()

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def remaining(self, reserve: float = 0.0) -> float:
        """Seconds left when `reserve` seconds are kept back; may be negative."""
        return math.inf if self.limit is None else self.limit - reserve - self.elapsed()

    def time_left(self, reserve: float = 0.0) -> float | None:
        """As `remaining`, at least 0, in the form that the engine takes: None for no limit."""
        return None if self.limit is None else max(self.remaining(reserve), 0.0)
