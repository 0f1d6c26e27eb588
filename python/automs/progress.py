"""Reports of a running search -> one live line in a terminal or notebook, and its log there."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from automs.reports import SearchReport, TrialReport

__all__ = ["told_in_terminal"]

logger = logging.getLogger("automs")

Show = Callable[[SearchReport | TrialReport], Any]


@contextmanager
def told_in_terminal(verbose: int, metric: str) -> Iterator[list[Show]]:
    """Give the callbacks, none or one, that show a search as it runs.

    Parameters
    ----------
    verbose : int
        0: nothing. 1 or more: one line that is drawn anew, in a terminal or notebook only. 2 or
        more: what is logged goes to standard error as well, terminal or not.
    metric : str
        The score's name.
    """
    if verbose <= 0:
        yield []
        return
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True)
    with ExitStack() as stack:
        if verbose >= 2:
            stack.enter_context(_log_to(console))
        if not (console.is_terminal or console.is_jupyter):
            yield []
            return
        status = stack.enter_context(console.status("searching ..."))

        def show(report: SearchReport | TrialReport) -> None:
            if isinstance(report, SearchReport):
                status.update(_text(report, metric))

        yield [show]


@contextmanager
def _log_to(console: Any) -> Iterator[None]:
    """Send what is logged to the console, above the live line; the logger's level comes back."""
    handler = _ConsoleHandler(console)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(min(level or logging.INFO, logging.INFO))
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: Any) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        text = f"automs: {record.getMessage()}"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _text(report: SearchReport, metric: str) -> str:
    left = "" if math.isinf(report.remaining) else f", {max(report.remaining, 0.0):.0f} s left"
    best = "" if math.isnan(report.best_score) else f", best {metric} {report.best_score:.5g}"
    rate = report.n_trials / max(report.elapsed, 1e-3)
    return (
        f"{report.elapsed:.0f} s{left}: {report.n_trials} candidates ({rate:.3g} a second), "
        f"{report.n_running} running, {report.n_finished} trained to their end{best}"
    )
