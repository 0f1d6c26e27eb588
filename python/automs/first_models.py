"""A `Training` -> its first usable models, whatever comes after them: constant and linear."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.exact import PENALTIES, train_exact
from automs.training import Training

__all__ = ["add_constant", "affordable_encodings", "set_constant", "train_linear"]


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


def affordable_encodings(training: Training, encodings: Iterable[str], seconds: float) -> list[str]:
    """Give the encodings whose linear models there is time and memory for.

    Each needs a view of every fold, and a copy of its training rows for each thread.
    """
    n_copies = min(training.n_threads, training.n_folds)
    affordable = []
    for encoding in encodings:
        candidate = Candidate((), optimizer="exact", encoding=encoding)
        if training.views.affordable(candidate, seconds) == candidate:
            views = [training.view(fold, candidate) for fold in training.folds]
            if training.memory.has_room(n_copies * views[0].X.nbytes):
                affordable.append(encoding)
    return affordable


def train_linear(
    training: Training,
    loss: str,
    seed: int,
    limit: float | None,
    look: Callable[[], bool] | None = None,
    encodings: Sequence[str] = ("standard",),
) -> dict[str, int]:
    """Solve a path of penalties in closed form for each encoding, and keep the best of each.

    On piecewise features the model is additive: a piecewise linear function of each column.

    Parameters
    ----------
    training : Training
    loss : str
        There is a closed form for "squared", "squared_log" and "cross_entropy".
    seed : int
    limit : float or None, seconds
    look : callable, optional
        Stops it when it returns True.
    encodings : sequence of str, default=("standard",)

    Returns
    -------
    dict of str to int
        By encoding, the number of the best one in the training, where there is any.
    """
    if loss not in {"auto", "squared", "squared_log", "cross_entropy"} or not encodings:
        return {}
    loss = loss if loss == "squared_log" else "auto"
    candidates = [
        Candidate(
            (), loss=loss, optimizer="exact", encoding=encoding, l2_penalty=penalty, seed=seed
        )
        for encoding in encodings
        for penalty in PENALTIES
    ]
    first = training.add(candidates)
    numbers = range(first, first + len(candidates))
    solved = train_exact(training, numbers, limit, look)
    best: dict[str, int] = {}
    scores = [progress.score for progress in training.progress(solved)]
    for at in np.argsort(-np.array(scores), kind="stable"):
        if np.isfinite(scores[at]):
            best.setdefault(training.candidates[solved[at]].encoding, solved[at])
    training.release([number for number in numbers if number not in best.values()])
    return {encoding: best[encoding] for encoding in encodings if encoding in best}
