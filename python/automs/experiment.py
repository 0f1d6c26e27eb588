"""Candidates, X and y -> trained networks with scores, curves and weights: the engine by itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._threads import effective_n_threads
from automs.arguments import resolve_seed, resolve_whole
from automs.candidates import Candidate
from automs.errors import SearchWarning
from automs.exact import train_exact
from automs.leaderboard import TrialState
from automs.outcomes import FoldNetwork, JobState
from automs.packing import build_predictor
from automs.predictor import Predictor
from automs.scoring import resolve_metric
from automs.seeds import derive_seed
from automs.splits import Split, make_splits
from automs.table import Table, read_table
from automs.target import Target, read_target, read_weights
from automs.training import Training

__all__ = ["TrainedCandidate", "train_candidates"]

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
        diverged, NaN without validation rows.
    fold_scores : ndarray of float64, shape (n_folds,)
    weights : list of list of ndarray of float32
        For each fold the layers' weights, (fan_in, fan_out) each, at the best epoch, or the last
        one without validation rows. For encoded features and, in a regression, an encoded target.
    biases : list of list of ndarray of float32
        Likewise, (fan_out,) each.
    embeddings : list of list of ndarray of float32
        For each fold the tables of embedded columns, (n_rows, size) each.
    blends : list of list of ndarray of float32
        For each fold the hidden layers' parametric activations, (fan_out,) each; empty without.
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


def train_candidates(  # noqa: PLR0913  # the engine's own front door
    candidates: Sequence[Candidate | TrainedCandidate],
    X: Any,
    y: Any,
    *,
    validation: Any = None,
    sample_weight: Any = None,
    epochs: int | None = None,
    metric: Any = "auto",
    n_jobs: int | None = None,
    random_state: Any = None,
) -> list[TrainedCandidate]:
    """Train many networks in one call, for those who bring their own search.

    Parameters
    ----------
    candidates : sequence of Candidate or TrainedCandidate
        A trained one goes on from where it is, to the same bits as without the pause; X, y,
        validation, weights and `random_state` must be those of the first call.
    X : array-like or table of shape (n_rows, n_columns)
        Numbers, booleans, strings, categories, dates, durations; any may be missing.
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
        Classes where it holds strings or booleans, or where a candidate's loss is
        "cross_entropy"; else numbers.
    validation : None, "auto", float, int or splitter, default=None
        None trains on all rows. Else as for `AutoRegressor`.
    sample_weight : array-like of shape (n_rows,), optional
    epochs : int, optional
        Stop after so many epochs of each candidate's own; None trains to the end.
    metric : str or callable, default="auto"
        Of the score, which chooses the best epoch; "auto" is "rmse", or "log_loss" for classes.
    n_jobs : int or None, default=None
        Threads; they never change a result.
    random_state : int, RandomState or None, default=None
        Of the splits, and of the candidates without a seed of their own.

    Returns
    -------
    list of TrainedCandidate
        In the order of `candidates`. One that diverges is a result like any other.

    Raises
    ------
    ValueError, TypeError
        When an argument breaks its rule.

    Notes
    -----
    A candidate with a seed gives the same bits alone and among others, for any number of threads.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from automs import Candidate, train_candidates
    >>> X, y = load_diabetes(return_X_y=True)
    >>> nets = [Candidate((16,), seed=1), Candidate((8, 8), activation="tanh", seed=2)]
    >>> results = train_candidates(nets, X, y, validation=0.25, random_state=0)
    >>> [result.epoch for result in results]
    [10, 10]
    >>> results[0].predictor().predict(X[:2]).shape
    (2,)
    """
    if isinstance(candidates, Candidate | TrainedCandidate):
        raise TypeError("candidates must be a sequence of Candidate, got a single one")
    if epochs is not None:
        epochs = resolve_whole("epochs", epochs)
    if not candidates:
        return []
    table = read_table(X)
    n_rows = table.values.shape[0]
    plain = [c.candidate if isinstance(c, TrainedCandidate) else c for c in candidates]
    for number, candidate in enumerate(plain):
        if not isinstance(candidate, Candidate):
            raise TypeError(f"candidates[{number}] must be a Candidate, got {type(candidate)}")
    target = _target(y, n_rows, plain)
    seed = resolve_seed(random_state)
    splits = _splits(validation, n_rows, target, seed)
    decode = None if target.classes is None else target.decode
    training = Training(
        table,
        target,
        splits,
        resolve_metric(metric, target.task, decode=decode),
        sample_weight=read_weights(sample_weight, n_rows),
        n_threads=effective_n_threads(n_jobs),
    )
    training.add(
        [
            c if c.seed is not None else replace(c, seed=derive_seed(seed, number))
            for number, c in enumerate(plain)
        ]
    )
    for number, given in enumerate(candidates):
        if isinstance(given, TrainedCandidate):
            training.import_states(number, given._states)
    _train(training, epochs)
    return _results(training, target, table)


def _target(y: Any, n_rows: int, candidates: Sequence[Candidate]) -> Target:
    kind = np.asarray(y).dtype.kind
    holds_labels = kind in "bUS" or (kind == "O" and isinstance(np.asarray(y).flat[0], str))
    with_classes = [c.loss == "cross_entropy" for c in candidates]
    if any(with_classes) and not all(with_classes) and not holds_labels:
        raise ValueError(
            "loss must be cross_entropy for all candidates or for none where y holds numbers, got "
            f"it for {sum(with_classes)} of {len(candidates)}"
        )
    classification = holds_labels or all(with_classes)
    loss = "poisson" if any(c.loss == "poisson" for c in candidates) else "auto"
    return read_target(y, n_rows, classification=classification, loss=loss)


def _splits(validation: Any, n_rows: int, target: Target, seed: int) -> list[Split]:
    if validation is None:
        no_rows = np.empty(0, dtype=np.int32)
        return [Split(np.arange(n_rows, dtype=np.int32), no_rows)]
    codes = None if target.classes is None else target.values[:, 0]
    return make_splits(validation, n_rows, codes, seed)


def _train(training: Training, epochs: int | None) -> None:
    nets = [n for n, c in enumerate(training.candidates) if c.optimizer != "exact"]
    until = [training.candidates[n].epochs for n in nets]
    if epochs is not None:
        until = [min(epochs, last) for last in until]
    try:
        training.run(nets, until)
    except KeyboardInterrupt:
        warnings.warn(
            "training was interrupted: candidates hold the epochs they had finished",
            SearchWarning,
            stacklevel=3,
        )
    for number, candidate in enumerate(training.candidates):
        if candidate.optimizer == "exact":
            train_exact(training, [number])


def _results(training: Training, target: Target, table: Table) -> list[TrainedCandidate]:
    results = []
    numbers = range(len(training.candidates))
    for number, progress in zip(numbers, training.progress(numbers), strict=True):
        trained = progress.epoch > 0 and progress.state is not JobState.DIVERGED
        networks: list[FoldNetwork] = training.networks(number) if trained else []
        model = None
        if trained:
            members = [(1.0, networks)]
            model = build_predictor(members, target, table.names, table.columns, {}).to_bytes()
        results.append(
            TrainedCandidate(
                candidate=training.candidates[number],
                state=_STATES[progress.state],
                epoch=progress.epoch,
                score=progress.score if training.splits[0].validation_rows.size else float("nan"),
                fold_scores=progress.fold_scores,
                weights=[network.weights for network in networks],
                biases=[network.biases for network in networks],
                embeddings=[network.embeddings for network in networks],
                blends=[network.blends for network in networks],
                curves=training.curves(number),
                _states=training.export_states(number),
                _model=model,
            )
        )
    return results
