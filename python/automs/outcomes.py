"""Nothing -> what training gives, as data: states of jobs, progress, networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import Encoder
from automs.candidates import Candidate

__all__ = ["FoldNetwork", "JobState", "Progress", "ProgressColumns", "gather_folds"]

Values = npt.NDArray[np.float64]


class JobState(IntEnum):
    """How far the engine has come with a job; its own codes."""

    PAUSED = 0
    COMPLETE = 1
    DIVERGED = 2
    TIMED_OUT = 3
    STOPPED = 4


#: Which fold's state is the candidate's: a diverged one decides, then one that was cut.
_LEAST_FAR_FIRST = (
    JobState.DIVERGED,
    JobState.STOPPED,
    JobState.TIMED_OUT,
    JobState.PAUSED,
    JobState.COMPLETE,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """What has come of one candidate so far, over all folds.

    Attributes
    ----------
    state : JobState
        DIVERGED where any fold has; COMPLETE where every fold is; else that of one which is not.
    epoch : int
        Epochs finished: the least over folds that are not complete, else the most.
    fold_scores : ndarray of float64, shape (n_folds,)
        Best validation score of each fold; -inf for one that diverged or has no epoch, NaN
        where the metric is undefined or there are no validation rows.
    loss : float
        Mean validation loss at the folds' best epochs.
    best_epochs : tuple of int
        The epoch that each fold's weights are of.
    seconds : float
        Training time of all folds together.
    """

    state: JobState
    epoch: int
    fold_scores: Values
    loss: float
    best_epochs: tuple[int, ...]
    seconds: float

    @property
    def score(self) -> float:
        """Mean over the folds where it is defined; higher is better, -inf where there is none."""
        defined = self.fold_scores[~np.isnan(self.fold_scores)]
        mean = float(np.mean(defined)) if defined.size else -np.inf
        return mean if np.isfinite(mean) else -np.inf


@dataclass(frozen=True, slots=True)
class ProgressColumns:
    """The same of n candidates: `state` holds codes, what is by fold has shape (n, n_folds)."""

    state: npt.NDArray[np.int32]
    epoch: npt.NDArray[np.int32]
    fold_scores: Values
    loss: Values
    best_epochs: npt.NDArray[np.int32]
    seconds: Values

    def __getitem__(self, at: int) -> Progress:
        """Give the progress of one candidate."""
        return Progress(
            state=JobState(int(self.state[at])),
            epoch=int(self.epoch[at]),
            fold_scores=self.fold_scores[at],
            loss=float(self.loss[at]),
            best_epochs=tuple(int(epoch) for epoch in self.best_epochs[at]),
            seconds=float(self.seconds[at]),
        )

    def scores(self) -> Values:
        """Give `Progress.score` of every candidate, shape (n,)."""
        defined = ~np.isnan(self.fold_scores)
        n_defined = defined.sum(axis=1)
        totals = np.where(defined, self.fold_scores, 0.0).sum(axis=1)
        means = np.where(n_defined > 0, totals / np.maximum(n_defined, 1), -np.inf)
        return np.where(np.isfinite(means), means, -np.inf)


def gather_folds(folds: dict[str, npt.NDArray[Any]], *, validated: bool) -> ProgressColumns:
    """Give the progress of candidates from what the engine says of each of their jobs.

    Parameters
    ----------
    folds : dict of str to ndarray of shape (n, n_folds)
        ``state``, ``epoch``, ``best_epoch``, ``best_score``, ``validation_loss``, ``seconds``.
    validated : bool
        Whether there are validation rows.
    """
    states, epochs = folds["state"], folds["epoch"]
    place = np.empty(len(JobState), dtype=np.int32)
    place[list(_LEAST_FAR_FIRST)] = np.arange(len(JobState))
    state = np.array(_LEAST_FAR_FIRST, dtype=np.int32)[place[states].min(axis=1)]
    # Folds that ended early, by their patience, do not hold the candidate back.
    ended = np.isin(states, (JobState.COMPLETE, JobState.DIVERGED))
    least = np.where(ended, np.iinfo(np.int32).max, epochs).min(axis=1)
    trained = folds["best_epoch"] > 0
    scores = np.where(trained, folds["best_score"], -np.inf)
    if not validated:
        scores = np.full(scores.shape, np.nan)
    scores[states == JobState.DIVERGED] = -np.inf
    return ProgressColumns(
        state=state,
        epoch=np.where(ended.all(axis=1), epochs.max(axis=1), least),
        fold_scores=scores,
        loss=folds["validation_loss"].mean(axis=1),
        best_epochs=np.where(trained, folds["best_epoch"], epochs),
        seconds=folds["seconds"].sum(axis=1),
    )


@dataclass(frozen=True, slots=True)
class FoldNetwork:
    """One trained network with all that a model file needs of it."""

    candidate: Candidate
    encoder: Encoder
    weights: list[npt.NDArray[np.float32]]
    biases: list[npt.NDArray[np.float32]]
    output_centre: Values
    output_scale: Values
    link: str
    embeddings: list[npt.NDArray[np.float32]] = field(default_factory=list)
    blends: list[npt.NDArray[np.float32]] = field(default_factory=list)  # of hidden layers, or none
    periodic: dict[str, npt.NDArray[np.float32]] | None = None
    target_range: tuple[Values, Values] | None = None  # least and greatest in training (n_outputs)
    bounded: bool = False  # whether values keep within it
