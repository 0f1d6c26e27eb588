"""Nothing -> what a running search tells a progress display or a callback, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SearchReport"]


@dataclass(frozen=True, slots=True)
class SearchReport:
    """What a progress display is told: seconds, trials begun and finished, best score so far."""

    elapsed: float
    remaining: float
    n_trials: int
    n_finished: int
    best_score: float
