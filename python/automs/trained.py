"""A `Training` -> what came of its candidates: values, or columns that give them on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.leaderboard import TrialState
from automs.outcomes import FoldNetwork, JobState, Progress
from automs.packing import build_predictor
from automs.predictor import Predictor
from automs.table import Table
from automs.training import Training

__all__ = ["TrainedCandidate", "TrainedColumns", "trained_candidate"]

Values = npt.NDArray[np.float64]

_STATES = {
    JobState.PAUSED: TrialState.COMPLETE,  # reached the epoch that was asked for
    JobState.COMPLETE: TrialState.COMPLETE,
    JobState.DIVERGED: TrialState.DIVERGED,
    JobState.TIMED_OUT: TrialState.TIMED_OUT,
    JobState.STOPPED: TrialState.STOPPED,
}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedCandidate:
    """What came of one candidate; a value that can be pickled, and trained on.

    Attributes
    ----------
    candidate : Candidate
        With the seed that it was trained with.
    state : TrialState
        COMPLETE: reached the epoch asked for; or DIVERGED, or STOPPED by Ctrl-C, after which
        `train_candidates` returns with a warning.
    epoch : int
        Epochs trained.
    score : float
        Validation score at the best epoch, mean over folds, higher is better; -inf where it
        diverged, NaN without validation rows. Under coslog4 and cosine, without patience, the
        best of 1/15, 3/15, 7/15 and all of the epochs, which is less due to chance.
    fold_scores : ndarray of float64, shape (n_folds,)
    weights : list of list of ndarray of float32
        For each fold, and for each of its members where there are several, the layers' weights,
        (fan_in, fan_out) each, at the best epoch, or the last one without validation rows. For
        encoded features and, in a regression, an encoded target.
    biases : list of list of ndarray of float32
        Likewise, (fan_out,) each.
    embeddings : list of list of ndarray of float32
        Likewise, the tables of embedded columns, (n_rows, size) each.
    periodic : list of dict or None
        Likewise, the arrays of the periodic embedding of n scaled features: ``frequencies``
        and ``phases``, (n_frequencies, n), ``weights``, (n_frequencies, n_outputs, n), and
        ``biases``, (n_outputs, n); None without one.
    blends : list of list of ndarray of float32
        Likewise, the hidden layers' parametric activations, (fan_out,) each; empty without.
    curves : list of dict
        For each fold ``train_loss``, ``validation_loss`` and ``validation_score``, float64, one
        value an epoch; of a diverging epoch there may be no validation.
    """

    candidate: Candidate
    state: TrialState
    epoch: int
    score: float
    fold_scores: Values
    weights: list[list[npt.NDArray[np.float32]]]
    biases: list[list[npt.NDArray[np.float32]]]
    embeddings: list[list[npt.NDArray[np.float32]]]
    periodic: list[dict[str, npt.NDArray[np.float32]] | None]
    blends: list[list[npt.NDArray[np.float32]]]
    curves: list[dict[str, Values]]
    _states: list[dict[str, Any]] = field(repr=False)
    _model: bytes | None = field(repr=False)

    def predictor(self) -> Predictor:
        """Give the model that averages the networks of all folds.

        Raises
        ------
        ValueError
            When the candidate diverged, or was stopped before its first epoch.
        """
        if self._model is None:
            raise ValueError(
                f"predictor() needs trained weights, and this candidate is {self.state} "
                f"after {self.epoch} epochs"
            )
        return Predictor(self._model)


class TrainedColumns(Sequence[TrainedCandidate]):
    """What came of candidates that were handed over as columns: columns again, in their order.

    A sequence, too: ``results[i]`` makes the `TrainedCandidate` of candidate i, when asked for.
    It holds the engine's weights of all candidates as long as it lives.

    Attributes
    ----------
    state : ndarray of str, shape (n,)
        Names of `TrialState`.
    epoch : ndarray of int32, shape (n,)
        Epochs trained.
    score : ndarray of float64, shape (n,)
        As of `TrainedCandidate`.
    fold_scores : ndarray of float64, shape (n, n_folds)
    best_epochs : ndarray of int32, shape (n, n_folds)
        The epoch that each fold's weights are of.
    loss : ndarray of float64, shape (n,)
        Validation loss at the best epochs, mean over folds.
    seconds : ndarray of float64, shape (n,)
        Training time of one thread, all folds together.
    """

    def __init__(self, training: Training, table: Table) -> None:
        self._training = training
        self._table = table
        self._progress = training.progress_columns(range(len(training.candidates)))
        names = np.array([_STATES[state] for state in JobState])
        self.state: npt.NDArray[np.str_] = names[self._progress.state]
        self.epoch = self._progress.epoch
        self.fold_scores = self._progress.fold_scores
        self.best_epochs = self._progress.best_epochs
        self.loss = self._progress.loss
        self.seconds = self._progress.seconds
        validated = training.splits[0].validation_rows.size > 0
        self.score: Values = (
            self._progress.scores() if validated else np.full(len(self.epoch), np.nan)
        )

    def __len__(self) -> int:
        return len(self.epoch)

    @overload
    def __getitem__(self, number: int) -> TrainedCandidate: ...
    @overload
    def __getitem__(self, number: slice) -> list[TrainedCandidate]: ...
    def __getitem__(self, number: int | slice) -> TrainedCandidate | list[TrainedCandidate]:
        """Give what came of one candidate, made anew."""
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        at = range(len(self))[number]
        return trained_candidate(self._training, at, self._progress[at], self._table)


def trained_candidate(
    training: Training, number: int, progress: Progress, table: Table
) -> TrainedCandidate:
    """Gather what a `Training` on `table` made of candidate `number`."""
    trained = progress.epoch > 0 and progress.state is not JobState.DIVERGED
    networks: list[FoldNetwork] = training.networks(number) if trained else []
    model = None
    if trained:
        members = [(1.0, networks)]
        predictor = build_predictor(members, training.target, table.names, table.columns, {})
        model = predictor.to_bytes()
    return TrainedCandidate(
        candidate=training.candidates[number],
        state=_STATES[progress.state],
        epoch=progress.epoch,
        score=progress.score if training.splits[0].validation_rows.size else float("nan"),
        fold_scores=progress.fold_scores,
        weights=[network.weights for network in networks],
        biases=[network.biases for network in networks],
        embeddings=[network.embeddings for network in networks],
        periodic=[network.periodic for network in networks],
        blends=[network.blends for network in networks],
        curves=training.curves(number),
        _states=training.export_states(number),
        _model=model,
    )
