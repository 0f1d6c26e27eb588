"""Nothing -> what training gives, as data: states of jobs, progress, networks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from automs._core import Encoder
from automs.candidates import Candidate

__all__ = ["FoldNetwork", "JobState", "Progress"]

Values = npt.NDArray[np.float64]


class JobState(IntEnum):
    """How far the engine has come with a job; its own codes."""

    PAUSED = 0
    COMPLETE = 1
    DIVERGED = 2
    TIMED_OUT = 3
    STOPPED = 4


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
    target_range: tuple[Values, Values] | None = None  # least and greatest in training (n_outputs)
    bounded: bool = False  # whether values keep within it
