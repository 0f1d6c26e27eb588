"""A time limit -> how much of it is left, and whether somebody stopped it before its end."""

from __future__ import annotations

import math
import time

__all__ = ["Clock"]


class Clock:
    """Runs from its making on. Without a limit nothing is ever late, and no decision reads it.

    Once it is stopped nothing is left of it, with a limit or without.

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
        self._stopped = False

    def stop(self) -> None:
        """Leave no time from now on; a signal's handler may call this."""
        self._stopped = True

    def look(self) -> bool:
        """Whether it was stopped: what a long call of the compiled core asks every few ms."""
        return self._stopped

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def remaining(self, reserve: float = 0.0) -> float:
        """Seconds left when `reserve` seconds are kept back; may be negative."""
        if self._stopped:
            return 0.0
        return math.inf if self.limit is None else self.limit - reserve - self.elapsed()

    def time_left(self, reserve: float = 0.0) -> float | None:
        """As `remaining`, at least 0, in the form that the engine takes: None for no limit."""
        left = self.remaining(reserve)
        return None if math.isinf(left) else max(left, 0.0)
