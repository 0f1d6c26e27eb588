"""Nothing -> what a running search tells a display, a callback or the log, as plain data."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automs.leaderboard import TrialState

__all__ = ["SearchReport", "TrialReport", "log_step"]

logger = logging.getLogger("automs")


@dataclass(frozen=True, slots=True)
class SearchReport:
    """How far a search has come.

    Attributes
    ----------
    elapsed, remaining : float, seconds
        Since `fit` began, and until its time limit (infinite without one).
    n_trials : int
        Candidates begun; the constant and the linear models do not, here and below.
    n_running : int
        Candidates that are being trained.
    n_finished : int
        Candidates that trained to their end, or diverged.
    best_score : float
        The best validation score so far; higher is better, NaN before there is one.

    Examples
    --------
    Stop a search as soon as it is good enough:

    >>> def stop(report):
    ...     return isinstance(report, SearchReport) and report.best_score > -0.1
    >>> stop(SearchReport(elapsed=1.0, remaining=59.0, n_trials=20, best_score=-0.05))
    True
    """

    elapsed: float
    remaining: float
    n_trials: int
    n_running: int = 0
    n_finished: int = 0
    best_score: float = math.nan


@dataclass(frozen=True, slots=True)
class TrialReport:
    """What came of a candidate that will not be trained on.

    Attributes
    ----------
    name : str
        As on the leaderboard.
    state : TrialState
    score : float
        Validation score, higher is better; -inf where there is none.
    epochs : int
        Epochs trained.
    seconds : float
        Training time of all folds.
    settings : mapping of str
        Of the candidate.

    Examples
    --------
    >>> report = TrialReport("net-0000", TrialState.PRUNED, score=-0.4, epochs=2, seconds=0.1)
    >>> f"{report.name}: {report.state} after {report.epochs} epochs"
    'net-0000: PRUNED after 2 epochs'
    """

    name: str
    state: TrialState
    score: float
    epochs: int
    seconds: float
    settings: Mapping[str, Any] = field(default_factory=dict)


def log_step(report: SearchReport, epochs: Sequence[int]) -> None:
    """Log that candidates were trained until these epochs, and how far the search is with it."""
    logger.info(
        "%.1f s: %d candidates trained until epoch %d to %d; %d of %d at their end, best %.6g",
        report.elapsed, len(epochs), min(epochs), max(epochs), report.n_finished, report.n_trials,
        report.best_score,
    )  # fmt: skip
