"""Candidates, X and y -> trained networks with scores, curves and weights: the engine by itself."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from automs._threads import effective_n_threads
from automs.arguments import resolve_seed, resolve_whole
from automs.candidates import Candidate
from automs.errors import SearchWarning
from automs.exact import train_exact
from automs.scoring import resolve_metric
from automs.seeds import derive_seed
from automs.setting_columns import SettingColumns
from automs.splits import Split, make_splits
from automs.table import read_table
from automs.target import Target, read_target, read_weights
from automs.trained import TrainedCandidate, TrainedColumns, trained_candidate
from automs.training import Training

__all__ = ["TrainedCandidate", "TrainedColumns", "train_candidates"]


@overload
def train_candidates(
    candidates: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    validation: Any = None,
    sample_weight: Any = None,
    epochs: int | None = None,
    metric: Any = "auto",
    n_jobs: int | None = None,
    random_state: Any = None,
) -> TrainedColumns: ...
@overload
def train_candidates(
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
) -> list[TrainedCandidate]: ...
def train_candidates(  # noqa: PLR0913  # the engine's own front door
    candidates: Sequence[Candidate | TrainedCandidate] | Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    validation: Any = None,
    sample_weight: Any = None,
    epochs: int | None = None,
    metric: Any = "auto",
    n_jobs: int | None = None,
    random_state: Any = None,
) -> list[TrainedCandidate] | TrainedColumns:
    """Train many networks in one call, for those who bring their own search.

    Parameters
    ----------
    candidates : sequence of Candidate or TrainedCandidate, or mapping of str to array
        A trained one goes on from where it is, to the same bits as without the pause; X, y,
        validation, weights and `random_state` must be those of the first call.
        A mapping holds columns: for each setting that varies an array with one value a candidate,
        for others a single value. `hidden_layer_sizes` is a number or tuple for all, or an array
        of whole numbers, (n,) or (n, n_layers), where 0 is a layer that is not there.
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
    list of TrainedCandidate, or TrainedColumns
        In the order of `candidates`; columns where columns came. One that diverges is a result
        like any other.

    Raises
    ------
    ValueError, TypeError
        When an argument breaks its rule.

    Notes
    -----
    A candidate with a seed gives the same bits alone and among others, for any number of threads.
    Columns make no Python object a candidate, which matters from thousands of small ones on.

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
    >>> columns = {"hidden_layer_sizes": (4,), "learning_rate": [0.1, 0.01, 0.001]}
    >>> train_candidates(columns, X, y, validation=0.25, random_state=0).score.shape
    (3,)
    """
    if isinstance(candidates, Candidate | TrainedCandidate):
        raise TypeError("candidates must be a sequence of Candidate, got a single one")
    if epochs is not None:
        epochs = resolve_whole("epochs", epochs)
    if not candidates:
        return []
    table = read_table(X)
    n_rows = table.values.shape[0]
    seed = resolve_seed(random_state)
    plain = _plain(candidates, seed)
    target = _target(y, n_rows, _losses(plain))
    decode = None if target.classes is None else target.decode
    training = Training(
        table,
        target,
        _splits(validation, n_rows, target, seed),
        resolve_metric(metric, target.task, decode=decode),
        sample_weight=read_weights(sample_weight, n_rows),
        n_threads=effective_n_threads(n_jobs),
    )
    if isinstance(plain, SettingColumns):
        training.add_columns(plain)
        _train(training, range(len(plain)), plain.column("epochs"), epochs)
        return TrainedColumns(training, table)
    training.add(plain)
    for number, given in enumerate(candidates):
        if isinstance(given, TrainedCandidate):
            training.import_states(number, given._states)
    nets = [n for n, c in enumerate(plain) if c.optimizer != "exact"]
    _train(training, nets, [plain[n].epochs for n in nets], epochs)
    for number, candidate in enumerate(plain):
        if candidate.optimizer == "exact":
            train_exact(training, [number])
    progress = training.progress(range(len(plain)))
    return [trained_candidate(training, n, p, table) for n, p in enumerate(progress)]


def _plain(
    candidates: Sequence[Candidate | TrainedCandidate] | Mapping[str, Any], seed: int
) -> list[Candidate] | SettingColumns:
    """Give the candidates as they will be trained, their seeds set."""
    if isinstance(candidates, Mapping):
        return SettingColumns(candidates, seed)
    plain = [c.candidate if isinstance(c, TrainedCandidate) else c for c in candidates]
    for number, candidate in enumerate(plain):
        if not isinstance(candidate, Candidate):
            raise TypeError(f"candidates[{number}] must be a Candidate, got {type(candidate)}")
    return [
        c if c.seed is not None else replace(c, seed=derive_seed(seed, number))
        for number, c in enumerate(plain)
    ]


def _losses(candidates: list[Candidate] | SettingColumns) -> Counter[str]:
    """How many candidates have each loss."""
    if isinstance(candidates, SettingColumns):
        words = candidates.words("loss")
        return Counter({word: len(numbers) for word, numbers in words.items()})
    return Counter(candidate.loss for candidate in candidates)


def _target(y: Any, n_rows: int, losses: Counter[str]) -> Target:
    kind = np.asarray(y).dtype.kind
    holds_labels = kind in "bUS" or (kind == "O" and isinstance(np.asarray(y).flat[0], str))
    with_classes, n = losses["cross_entropy"], losses.total()
    if 0 < with_classes < n and not holds_labels:
        raise ValueError(
            "loss must be cross_entropy for all candidates or for none where y holds numbers, got "
            f"it for {with_classes} of {n}"
        )
    classification = holds_labels or with_classes == n
    loss = "poisson" if losses["poisson"] else "auto"
    return read_target(y, n_rows, classification=classification, loss=loss)


def _splits(validation: Any, n_rows: int, target: Target, seed: int) -> list[Split]:
    if validation is None:
        no_rows = np.empty(0, dtype=np.int32)
        return [Split(np.arange(n_rows, dtype=np.int32), no_rows)]
    codes = None if target.classes is None else target.values[:, 0]
    return make_splits(validation, n_rows, codes, seed)


def _train(
    training: Training, nets: Sequence[int], last: npt.ArrayLike, epochs: int | None
) -> None:
    """Train to each candidate's last epoch, or at most `epochs`."""
    until = np.asarray(last, dtype=np.int32)
    try:
        training.run(nets, until if epochs is None else np.minimum(until, epochs))
    except KeyboardInterrupt:
        warnings.warn(
            "training was interrupted: candidates hold the epochs they had finished",
            SearchWarning,
            stacklevel=3,
        )
