"""A candidate and its progress -> `Trial`: what came of it, and whether it can be used."""

from __future__ import annotations

from dataclasses import dataclass

from automs.candidates import Candidate
from automs.leaderboard import TrialState
from automs.outcomes import JobState, Progress

__all__ = ["Trial", "trial_state"]

_TRIAL_STATES = {
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


def trial_state(progress: Progress, *, stopped: bool = False) -> TrialState:
    """Give the state of a trial that goes no further; `stopped`: an interruption was why."""
    state = _TRIAL_STATES[progress.state]
    if state is TrialState.TIMED_OUT and stopped:
        state = TrialState.STOPPED
    if progress.epoch == 0 and state is not TrialState.DIVERGED:
        state = TrialState.SKIPPED
    return state
