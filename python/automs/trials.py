"""A candidate's progress -> a trial: what users are told of a candidate, and of a search."""

from __future__ import annotations

from dataclasses import dataclass

from automs.candidates import Candidate
from automs.leaderboard import TrialState
from automs.outcomes import JobState, Progress

__all__ = ["TRIAL_STATES", "SearchReport", "Trial"]

#: The engine's states -> those of the leaderboard.
TRIAL_STATES = {
    JobState.PAUSED: TrialState.PRUNED,
    JobState.COMPLETE: TrialState.COMPLETE,
    JobState.DIVERGED: TrialState.DIVERGED,
    JobState.TIMED_OUT: TrialState.TIMED_OUT,
    JobState.STOPPED: TrialState.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One candidate and what came of it.

    Attributes
    ----------
    number : int
        Of the candidate in the training.
    name : str
    candidate : Candidate
    progress : Progress
    state : TrialState
    solver : {"constant", "exact", "gradient"}
        How it gets its weights.
    usable : bool
        Whether its weights are there and its score is finite.
    """

    number: int
    name: str
    candidate: Candidate
    progress: Progress
    state: TrialState
    solver: str
    usable: bool


@dataclass(frozen=True, slots=True)
class SearchReport:
    """What a progress display is told: seconds, trials begun and finished, best score so far."""

    elapsed: float
    remaining: float
    n_trials: int
    n_finished: int
    best_score: float
