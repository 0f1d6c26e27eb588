"""A `Training` -> its first usable models, whatever comes after them: constant and linear."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.exact import L1_PENALTIES, PENALTIES, train_exact
from automs.outcomes import Progress
from automs.prior import FINE_ROWS
from automs.training import Training

__all__ = ["LINEAR_MODELS", "add_constant", "affordable_models", "set_constant", "train_linear"]

#: Name -> encoding, and the setting that a path is made of with its values. Piecewise features
#: make a model additive: a piecewise linear function of each column. The sparse ones use few of
#: them: Tibshirani, "Regression shrinkage and selection via the lasso" (1996), and Ravikumar et
#: al., "Sparse additive models" (2009).
LINEAR_MODELS = {
    "linear": ("standard", "l2_penalty", PENALTIES),
    "additive": ("piecewise", "l2_penalty", PENALTIES),
    "sparse-linear": ("standard", "l1_penalty", L1_PENALTIES),
    "sparse-additive": ("piecewise", "l1_penalty", L1_PENALTIES),
}


#: Of a path's descents; as scikit-learn's, below what a score can tell.
_TOLERANCE = 1e-4


def add_constant(training: Training, loss: str, quantile: float) -> int:
    """Add the model that knows nothing but the target's mean, or the shares of the classes.

    Returns
    -------
    int
        Its number in the training.
    """
    candidate = Candidate(
        (), loss=loss, quantile=quantile, encoding="standard", embedding_size=0, epochs=1, seed=0
    )
    number = training.add([candidate])
    set_constant(training, number)
    return number


def set_constant(training: Training, number: int) -> None:
    """Give the constant candidate its weights on every fold."""
    start = time.perf_counter()
    weights = [_constant_weights(training, fold, number) for fold in training.folds]
    training.set_weights({number: weights}, time.perf_counter() - start)


def _constant_weights(training: Training, fold: int, number: int) -> npt.NDArray[np.float32]:
    """Zero weights, and below them the bias: encoded targets have mean 0, or 1 for counts."""
    target = training.target
    view = training.view(fold, training.candidates[number])
    weights = np.zeros((view.encoder.n_features + 1, target.n_logits), dtype=np.float32)
    if target.classes is not None:
        rows = training.splits[fold].train_rows
        codes = target.values[rows, 0].astype(np.int64)
        own = training.train_weights(fold)
        counts = np.bincount(codes, weights=own, minlength=target.n_outputs)
        # A class without training rows in this fold has a small share, not none.
        logits = np.log(counts / counts.sum() + 1e-6)
        weights[-1] = logits[1] - logits[0] if target.n_logits == 1 else logits
    return weights


#: Sparse models are for tables with fewer rows than so many for each feature: where there are
#: more, a penalty on squares does as well, sooner.
_SPARSE_ROWS = 20
#: And of at most so many values, over all folds: beyond, a path could take minutes.
_SPARSE_VALUES = 5e7


def affordable_models(training: Training, names: Iterable[str], seconds: float) -> list[str]:
    """Give the linear models, of `LINEAR_MODELS`, that there is time, memory and use for.

    Each encoding needs a view of every fold.
    """
    n_features: dict[str, int] = {}  # of the encodings that are affordable
    n_rows = training.splits[0].train_rows.size
    for encoding in dict.fromkeys(_encoding(name, n_rows) for name in names):
        candidate = Candidate((), optimizer="exact", encoding=encoding)
        if training.views.affordable(candidate, seconds) == candidate:
            # All folds, so that what is left is counted for the next one.
            views = [training.view(fold, candidate) for fold in training.folds]
            n_features[encoding] = views[0].encoder.n_features

    def is_of_use(name: str) -> bool:
        setting = LINEAR_MODELS[name][1]
        n = n_features.get(_encoding(name, n_rows), 0)
        if setting != "l1_penalty":
            return n > 0
        return n_rows < _SPARSE_ROWS * n and n_rows * n * training.n_folds <= _SPARSE_VALUES

    return [name for name in names if is_of_use(name)]


def train_linear(
    training: Training,
    loss: str,
    seed: int,
    limit: float | None,
    look: Callable[[], bool] | None = None,
    names: Sequence[str] = ("linear",),
) -> dict[str, int]:
    """Solve a path of penalties for each model, and keep the best of each.

    Parameters
    ----------
    training : Training
    loss : str
        There are such models for "squared", "squared_log" and "cross_entropy".
    seed : int
    limit : float or None, seconds
    look : callable, optional
        Stops it when it returns True.
    names : sequence of str, default=("linear",)
        Of `LINEAR_MODELS`.

    Returns
    -------
    dict of str to int
        By name, the number of the best one in the training, where there is any.
    """
    if loss not in {"auto", "squared", "squared_log", "cross_entropy"} or not names:
        return {}
    loss = loss if loss == "squared_log" else "auto"
    started = time.perf_counter()
    n_rows = training.splits[0].train_rows.size
    made = [(name, candidate) for name in names for candidate in _path(name, n_rows, loss, seed)]
    first = training.add([candidate for _, candidate in made])
    numbers = range(first, first + len(made))
    solved = train_exact(training, numbers, limit, look, tolerance=_TOLERANCE)
    best: dict[str, int] = {}
    late_at = math.inf if limit is None else started + limit

    def is_late() -> bool:
        return time.perf_counter() >= late_at or (look is not None and look())

    scores = [progress.score for progress in _scored(training, solved, is_late)]
    for at in np.argsort(-np.array(scores), kind="stable"):
        if np.isfinite(scores[at]):
            best.setdefault(made[solved[at] - first][0], solved[at])
    training.release([number for number in numbers if number not in best.values()])
    return {name: best[name] for name in names if name in best}


def _scored(
    training: Training, numbers: Sequence[int], is_late: Callable[[], bool]
) -> list[Progress]:
    """Give what came of some models; by a slow metric only those of the least loss are scored."""
    if training.metric.native:
        return training.progress(numbers)
    own = training.own_scores
    with own.until(lambda: True):
        losses = [progress.loss for progress in training.progress(numbers)]
    by_loss = [numbers[at] for at in np.argsort(losses, kind="stable")]
    training.progress(by_loss[:1])
    with own.until(is_late):
        training.progress(by_loss[1:])
    with own.until(lambda: True):
        return training.progress(numbers)


def _encoding(name: str, n_train_rows: int) -> str:
    """Give the encoding of a linear model; bins are finer where there are rows for them."""
    encoding = LINEAR_MODELS[name][0]
    return "piecewise-fine" if encoding == "piecewise" and n_train_rows >= FINE_ROWS else encoding


def _path(name: str, n_train_rows: int, loss: str, seed: int) -> list[Candidate]:
    _, setting, penalties = LINEAR_MODELS[name]
    encoding = _encoding(name, n_train_rows)
    plain = Candidate((), loss=loss, optimizer="exact", encoding=encoding, seed=seed)
    changes: list[dict[str, Any]] = [{setting: penalty} for penalty in penalties]
    return [replace(plain, **change) for change in changes]
