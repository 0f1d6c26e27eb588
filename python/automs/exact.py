"""Linear candidates of a `Training` -> their weights in closed form, all penalties at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.encoded_rows import EncodedRows
from automs.linear import LinearPath, elastic_net_path, logistic_path, ridge_path
from automs.training import Training
from automs.views import View

__all__ = ["L1_PENALTIES", "PENALTIES", "train_exact"]

#: Penalties of the default path, for encoded features, whose scale is about 1.
PENALTIES = tuple(float(penalty) for penalty in np.logspace(-6, 1, 8))
#: And of the default path of sparse models.
L1_PENALTIES = tuple(float(penalty) for penalty in np.logspace(-4, -0.5, 8))

_MAX_ITERATIONS = 300
#: Operations a second that a decomposition, which cannot be interrupted, is trusted with.
_RIDGE_RATE = 1e9

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Limits:
    """How long it may take, and whether what was cut is left out."""

    time_limit: float | None
    look: Callable[[], bool] | None
    whole: bool


@dataclass(frozen=True, slots=True)
class _Path:
    """What a fold solves: candidates that differ in their penalties, and how long that may take."""

    candidates: Sequence[int]
    penalties: Sequence[float]
    l1_penalties: Sequence[float]
    limits: _Limits


def train_exact(
    training: Training,
    candidates: Sequence[int],
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
    *,
    whole: bool = False,
) -> list[int]:
    """Solve linear candidates that differ in nothing but their penalties and encoding.

    Parameters
    ----------
    training : Training
    candidates : sequence of int
        Numbers of candidates with optimizer "exact" and one loss. Those of one encoding, all with
        or all without an l1_penalty, are a path, whose penalties are solved together.
    time_limit : float, optional, seconds
        For all of it. Penalties that a descent did not reach are left out; a ridge regression whose
        decomposition would take longer is. Sparse models have what the others leave.
    look : callable, optional
        Called every few milliseconds; stops when it returns True, as the time limit does.
    whole : bool, default=False
        Leave out what a descent was cut at, too, for use where nothing scores them.

    Returns
    -------
    list of int
        The candidates that were solved on every fold, and now have weights and scores.

    Notes
    -----
    A candidate minimises L + l2_penalty / 2 * |W|^2 + l1_penalty * sum_j |W_j| s_j, where L is the
    weighted mean loss over the training rows and s_j the deviation of feature j there. For the
    squared loss without l1_penalty that is ridge regression with alpha = l2_penalty times the sum
    of the weights, in units of the encoded target.
    """
    _check_weights(training)
    start = time.perf_counter()
    sparse = [number for number in candidates if training.candidates[number].l1_penalty > 0]
    dense = [number for number in candidates if training.candidates[number].l1_penalty == 0]
    solved = _train_paths(training, dense, _Limits(time_limit, look, whole))
    if time_limit is not None:
        time_limit = max(time_limit - (time.perf_counter() - start), 0.0)
    return solved + _train_paths(training, sparse, _Limits(time_limit, look, whole))


def _train_paths(training: Training, candidates: Sequence[int], limits: _Limits) -> list[int]:
    """Solve the path of each encoding on each fold; give the candidates that were solved."""
    start = time.perf_counter()
    by_encoding: dict[str, list[int]] = {}
    for number in candidates:
        by_encoding.setdefault(training.candidates[number].encoding, []).append(number)
    if limits.time_limit is not None:  # of which each round of folds gets its part
        rounds = max(math.ceil(training.n_folds * len(by_encoding) / training.n_threads), 1)
        limits = replace(limits, time_limit=limits.time_limit / rounds)
    paths = [
        _Path(
            numbers,
            [training.candidates[n].l2_penalty for n in numbers],
            [training.candidates[n].l1_penalty for n in numbers],
            limits,
        )
        for numbers in by_encoding.values()
    ]
    for path in paths:  # views are made one at a time
        for fold in training.folds:
            training.view(fold, training.candidates[path.candidates[0]])
    jobs = [(path, fold) for path in paths for fold in training.folds]
    with ThreadPoolExecutor(max_workers=training.n_threads) as pool:
        done = list(pool.map(lambda job: _solve(training, job[1], job[0]), jobs))
    seconds = (time.perf_counter() - start) / max(len(candidates), 1)
    solved = []
    for at, path in enumerate(paths):
        folds = done[at * training.n_folds : (at + 1) * training.n_folds]
        for number, fold_weights in zip(path.candidates, zip(*folds, strict=True), strict=True):
            if all(weights is not None for weights in fold_weights):
                training.set_weights(number, [w for w in fold_weights if w is not None], seconds)
                solved.append(number)
    return solved


def _check_weights(training: Training) -> None:
    for fold in training.folds:
        weights = training.train_weights(fold)
        if weights is not None and not weights.any():
            raise ValueError(
                f"sample_weight must not be zero for all training rows of a fold, got so in fold "
                f"{fold} of {training.n_folds}: give other weights, or other folds by validation"
            )


def _ridge_operations(n_rows: int, n_features: int) -> float:
    """Of the smaller of both Gram matrices, and of its decomposition."""
    small, large = sorted((n_rows, n_features))
    return 2.0 * large * small**2 + 10.0 * small**3


def _solve(training: Training, fold: int, path: _Path) -> list[Weights | None]:
    if training.target.classes is None and not any(path.l1_penalties):
        return _solve_ridge(training, fold, path)
    return _solve_by_descent(training, fold, path)


def _solve_ridge(training: Training, fold: int, path: _Path) -> list[Weights | None]:
    view = training.view(fold, training.candidates[path.candidates[0]])
    rows = training.splits[fold].train_rows
    nothing: list[Weights | None] = [None] * len(path.penalties)
    operations = _ridge_operations(len(rows), view.encoder.n_features)
    if path.limits.time_limit is not None and operations > _RIDGE_RATE * path.limits.time_limit:
        return nothing
    y = view.target_scale.encode(training.target.values[rows])
    weights = training.train_weights(fold)
    total = float(len(rows)) if weights is None else float(weights.sum())
    coef, intercept = ridge_path(
        _encoded(view, rows),
        y,
        np.array([penalty * total for penalty in path.penalties]),
        weights,
        time_limit=path.limits.time_limit,
        look=path.limits.look,
    )
    return [_stack(c, b) for c, b in zip(coef, intercept, strict=True)] or nothing


def _solve_by_descent(training: Training, fold: int, path: _Path) -> list[Weights | None]:
    solved = _descend(training, fold, path)
    if path.limits.whole and solved.stopped:
        return [None] * len(path.penalties)
    return [
        _stack(solved.coef[i], solved.intercept[i]) if solved.n_iterations[i] > 0 else None
        for i in range(len(path.penalties))
    ]


def _descend(training: Training, fold: int, path: _Path) -> LinearPath:
    view = training.view(fold, training.candidates[path.candidates[0]])
    rows = training.splits[fold].train_rows
    X = _encoded(view, rows)
    weights = training.train_weights(fold)
    limits: Any = {
        "max_iterations": _MAX_ITERATIONS,
        "time_limit": path.limits.time_limit,
        "look": path.limits.look,
    }
    if training.target.classes is None:
        y = view.target_scale.encode(training.target.values[rows])
        return elastic_net_path(X, y, path.penalties, path.l1_penalties, weights, **limits)
    classes = training.target.values[rows, 0].astype(np.int32)
    return logistic_path(
        X,
        classes,
        training.target.n_outputs,
        path.penalties,
        weights,
        l1_penalties=path.l1_penalties,
        **limits,
    )


def _encoded(view: View, rows: npt.NDArray[np.int32]) -> EncodedRows:
    """Give the training rows of a view, without a copy."""
    columns = view.encoder.piecewise if view.bins is not None else ()
    return EncodedRows(view.X, rows, view.bins, view.fractions, columns)


def _stack(coef: npt.NDArray[np.float64], intercept: npt.NDArray[np.float64]) -> Weights | None:
    """W (n_features, n_logits) with b below it, as the engine takes it; None beyond float32."""
    with np.errstate(over="ignore"):
        stacked = np.vstack([coef, intercept[np.newaxis]]).astype(np.float32)
    return stacked if np.isfinite(stacked).all() else None
