"""Ctrl-C during a long call -> its clock is stopped; a second one raises KeyboardInterrupt."""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

from automs.clock import Clock

__all__ = ["Interruption"]


class Interruption:
    """Takes Ctrl-C inside its block: the first one stops a clock, which every phase looks at.

    Parameters
    ----------
    clock : Clock

    Attributes
    ----------
    came : bool
        Whether there was a Ctrl-C.

    Notes
    -----
    Python hands signals to the main thread alone, and only there is a handler put in; elsewhere,
    and where SIGINT is ignored or is the system's own, the block changes nothing. The handler that
    was there is put back at the end. One of the caller's own is called at every Ctrl-C, once the
    clock is stopped; the first time, a KeyboardInterrupt of its own is held back.

    Examples
    --------
    >>> clock = Clock(None)
    >>> with Interruption(clock) as interruption:
    ...     signal.raise_signal(signal.SIGINT)
    >>> interruption.came, clock.look()
    (True, True)
    """

    def __init__(self, clock: Clock) -> None:
        self.came = False
        self._clock = clock
        self._previous: Any = None
        self._in_place = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.getsignal(signal.SIGINT)
            if callable(self._previous):
                signal.signal(signal.SIGINT, self._handle)
                self._in_place = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What somebody else has put in since then is theirs.
        if self._in_place and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, self._previous)
        self._in_place = False

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self.came = self.came, True
        self._clock.stop()
        if self._previous is not signal.default_int_handler:
            held_back = () if again else (KeyboardInterrupt,)
            with contextlib.suppress(*held_back):
                self._previous(number, frame)
        if again:
            raise KeyboardInterrupt
