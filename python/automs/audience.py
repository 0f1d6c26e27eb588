"""Callbacks and reports -> calls, progress only now and then; and whether one wants the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

from automs.reports import SearchReport, TrialReport

__all__ = ["Audience", "Callback", "resolve_callbacks"]

_INTERVAL = 0.1  # seconds between two reports of progress

Callback = Callable[[SearchReport | TrialReport], Any]


def resolve_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Give a `callbacks` argument as a tuple.

    Raises
    ------
    TypeError
        When it is neither None, nor callable, nor a sequence of what is callable.

    Examples
    --------
    >>> resolve_callbacks(print)
    (<built-in function print>,)
    """
    if callbacks is None:
        return ()
    if callable(callbacks):
        return (callbacks,)
    if not isinstance(callbacks, list | tuple) or not all(callable(c) for c in callbacks):
        raise TypeError(
            f"callbacks must be None, a callable or a list of callables, got {callbacks!r}"
        )
    return tuple(callbacks)


class Audience:
    """Those who are told of a search, in the thread that searches.

    Parameters
    ----------
    callbacks : sequence of callable
        Each is called with every report; what it raises passes through.

    Attributes
    ----------
    wants_end : bool
        Whether one of them returned True.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.wants_end = False
        self._callbacks = callbacks
        self._last = -_INTERVAL

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def tell(self, report: SearchReport | TrialReport) -> None:
        """Hand a report to all of them."""
        for callback in self._callbacks:
            if callback(report) is True:
                self.wants_end = True

    def tell_now_and_then(self, report: Callable[[], SearchReport]) -> None:
        """Hand progress to all of them, unless that was done a moment ago."""
        if self._callbacks and perf_counter() - self._last >= _INTERVAL:
            self.tell(report())
            self._last = perf_counter()
