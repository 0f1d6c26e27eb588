"""A block of code -> the same with no stop by Python's garbage collector in it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["paused_collector"]


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Put off collections of cyclic garbage to the end of the block.

    A full collection looks at every object of the process: with some libraries loaded it takes
    70 ms, beside a caller's own objects seconds, and it comes whenever enough was allocated.

    Notes
    -----
    The collector is the process's: other threads wait for it, too. Where it is off already, by
    the caller or by a block of another thread, it is left as it is.

    Examples
    --------
    >>> with paused_collector():
    ...     gc.isenabled()
    False
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
