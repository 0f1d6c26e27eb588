"""Nothing -> what training gives, as data: states of jobs, progress, networks."""

from __future__ import annotations

from dataclasses import dataclass
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
        That of the fold which has come least far; DIVERGED where any fold has.
    epoch : int
        Epochs finished, the least over folds.
    fold_scores : ndarray of float64, shape (n_folds,)
        Best validation score of each fold; -inf for a diverged one, NaN without validation rows.
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
        """Mean over folds; higher is better, -inf where a fold diverged or is without a score."""
        mean = float(np.mean(self.fold_scores))
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
