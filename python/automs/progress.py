"""Reports of a running search -> one live line in a terminal or notebook."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from automs.reports import SearchReport

__all__ = ["live_line"]

_INTERVAL = 0.1  # seconds between two drawings


@contextmanager
def live_line(verbose: int, metric: str) -> Iterator[Callable[[SearchReport], None] | None]:
    """Give what a search reports to, or None where nothing is to be shown.

    Parameters
    ----------
    verbose : int
        0: nothing. 1 or more: one line that is drawn anew, in a terminal or notebook only.
    metric : str
        The score's name.
    """
    if verbose <= 0:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        yield None
        return
    last = 0.0
    with console.status("searching ...") as status:

        def show(report: SearchReport) -> None:
            nonlocal last
            if time.perf_counter() - last < _INTERVAL:
                return
            last = time.perf_counter()
            status.update(_text(report, metric))

        yield show


def _text(report: SearchReport, metric: str) -> str:
    left = "" if math.isinf(report.remaining) else f", {max(report.remaining, 0.0):.0f} s left"
    best = "" if math.isnan(report.best_score) else f", best {metric} {report.best_score:.5g}"
    return (
        f"{report.elapsed:.0f} s{left}: {report.n_trials} candidates, "
        f"{report.n_finished} trained to their end{best}"
    )
