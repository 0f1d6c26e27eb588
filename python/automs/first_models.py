"""A `Training` -> its first usable models, whatever comes after them: constant and linear."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.exact import PENALTIES, train_exact
from automs.training import Training

__all__ = ["add_constant", "set_constant", "train_linear"]


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
    training.set_weights(number, weights, time.perf_counter() - start)


def _constant_weights(training: Training, fold: int, number: int) -> npt.NDArray[np.float32]:
    """Zero weights, and below them the bias: encoded targets have mean 0, or 1 for counts."""
    target = training.target
    view = training.view(fold, training.candidates[number])
    weights = np.zeros((view.X.shape[1] + 1, target.n_logits), dtype=np.float32)
    if target.classes is not None:
        rows = training.splits[fold].train_rows
        codes = target.values[rows, 0].astype(np.int64)
        own = training.train_weights(fold)
        counts = np.bincount(codes, weights=own, minlength=target.n_outputs)
        # A class without training rows in this fold has a small share, not none.
        logits = np.log(counts / counts.sum() + 1e-6)
        weights[-1] = logits[1] - logits[0] if target.n_logits == 1 else logits
    return weights


def train_linear(
    training: Training,
    loss: str,
    seed: int,
    limit: float | None,
    look: Callable[[], bool] | None = None,
) -> int | None:
    """Solve a path of penalties in closed form, and keep the best of them.

    Parameters
    ----------
    training : Training
    loss : str
        There is a closed form for "squared" and "cross_entropy".
    seed : int
    limit : float or None, seconds
    look : callable, optional
        Stops it when it returns True.

    Returns
    -------
    int or None
        The number of the best one in the training; None where there is none.
    """
    if loss not in {"auto", "squared", "cross_entropy"}:
        return None
    path = [
        Candidate((), optimizer="exact", encoding="standard", l2_penalty=penalty, seed=seed)
        for penalty in PENALTIES
    ]
    first = training.add(path)
    numbers = range(first, first + len(path))
    solved = train_exact(training, numbers, limit, look)
    scores = [progress.score for progress in training.progress(solved)]
    if not np.isfinite(scores).any():
        return None
    best = solved[int(np.argmax(scores))]
    training.release([number for number in numbers if number != best])
    return best
