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
#: Operations a second that are counted on. A matrix of products takes 3.1e10 to 3.8e10 on one core
#: of Zen 5, its decomposition, which cannot be interrupted, 1.7e10.
_PRODUCT_RATE = 3e10
_DECOMPOSITION_RATE = 1e10

Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Limits:
    """How long and how far it may go, and whether what was cut is left out."""

    time_limit: float | None
    look: Callable[[], bool] | None
    whole: bool
    tolerance: float

    def of_next(self, started: float, n_rounds: int) -> _Limits:
        """Give the part of the next of so many rounds, which has what those before it left."""
        if self.time_limit is None:
            return self
        left = max(self.time_limit - (time.perf_counter() - started), 0.0)
        return replace(self, time_limit=left / n_rounds)


@dataclass(frozen=True, slots=True)
class _Path:
    """What a fold solves: candidates that differ in their penalties."""

    candidates: Sequence[int]
    penalties: Sequence[float]
    l1_penalties: Sequence[float]


def train_exact(
    training: Training,
    candidates: Sequence[int],
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
    *,
    whole: bool = False,
    tolerance: float = 1e-6,
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
    tolerance : float, default=1e-6
        Of descents: see `logistic_path`.

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
    solved = _train_paths(training, dense, _Limits(time_limit, look, whole, tolerance))
    if time_limit is not None:
        time_limit = max(time_limit - (time.perf_counter() - start), 0.0)
    return solved + _train_paths(training, sparse, _Limits(time_limit, look, whole, tolerance))


def _train_paths(training: Training, candidates: Sequence[int], limits: _Limits) -> list[int]:
    """Solve the path of each encoding on each fold; give the candidates that were solved."""
    started = time.perf_counter()
    by_encoding: dict[str, list[int]] = {}
    for number in candidates:
        by_encoding.setdefault(training.candidates[number].encoding, []).append(number)
    paths = [
        _Path(
            numbers,
            [training.candidates[n].l2_penalty for n in numbers],
            [training.candidates[n].l1_penalty for n in numbers],
        )
        for numbers in by_encoding.values()
    ]
    solved = _solve_paths(training, paths, limits, started)
    seconds = (time.perf_counter() - started) / max(len(candidates), 1)
    training.set_weights(solved, seconds)
    return list(solved)


def _solve_paths(
    training: Training, paths: Sequence[_Path], limits: _Limits, started: float
) -> dict[int, list[Weights]]:
    """Give the weights of the candidates that were solved on every fold, fold by fold."""
    n_folds, n_threads = training.n_folds, training.n_threads
    todo = [(path, fold) for path in paths for fold in training.folds]
    jobs = training.job_numbers([path.candidates[0] for path in paths])
    end = math.inf if limits.time_limit is None else started + limits.time_limit
    done: dict[int, list[Weights | None]] = {}

    def is_late() -> bool:  # the first is tried whatever the time
        stopped = limits.look is not None and limits.look()
        return bool(done) and (stopped or time.perf_counter() >= end)

    def solve(at: int, n_rounds: int) -> list[Weights | None]:
        path, fold = todo[at]
        return _solve(training, fold, path, limits.of_next(started, n_rounds))

    with ThreadPoolExecutor(max_workers=n_threads) as pool:
        for part in training.held.parts(jobs, is_late):
            n_left = len(todo) - len(done)
            n_rounds = [math.ceil((n_left - at) / n_threads) for at in range(len(part))]
            done |= zip(part.tolist(), pool.map(solve, part.tolist(), n_rounds), strict=True)
    solved: dict[int, list[Weights]] = {}
    for at, path in enumerate(paths):
        of_path = [done.get(at * n_folds + fold, []) for fold in training.folds]
        for number, weights in zip(path.candidates, zip(*of_path, strict=False), strict=False):
            found = [of_fold for of_fold in weights if of_fold is not None]
            if len(found) == n_folds:
                solved[number] = found
    return solved


def _check_weights(training: Training) -> None:
    for fold in training.folds:
        weights = training.train_weights(fold)
        if weights is not None and not weights.any():
            raise ValueError(
                f"sample_weight must not be zero for all training rows of a fold, got so in fold "
                f"{fold} of {training.n_folds}: give other weights, or other folds by validation"
            )


def _ridge_seconds(n_rows: int, n_features: int) -> float:
    """Of the smaller of both Gram matrices, and of its decomposition."""
    small, large = sorted((n_rows, n_features))
    return 2.0 * large * small**2 / _PRODUCT_RATE + 10.0 * small**3 / _DECOMPOSITION_RATE


def _solve(training: Training, fold: int, path: _Path, limits: _Limits) -> list[Weights | None]:
    if training.target.classes is None and not any(path.l1_penalties):
        return _solve_ridge(training, fold, path, limits)
    return _solve_by_descent(training, fold, path, limits)


def _solve_ridge(
    training: Training, fold: int, path: _Path, limits: _Limits
) -> list[Weights | None]:
    view = training.view(fold, training.candidates[path.candidates[0]])
    rows = training.splits[fold].train_rows
    nothing: list[Weights | None] = [None] * len(path.penalties)
    seconds = _ridge_seconds(len(rows), view.encoder.n_features)
    if limits.time_limit is not None and seconds > limits.time_limit:
        return nothing
    y = view.target_scale.encode(training.target.values[rows])
    weights = training.train_weights(fold)
    total = float(len(rows)) if weights is None else float(weights.sum())
    coef, intercept = ridge_path(
        _encoded(training, view, rows),
        y,
        np.array([penalty * total for penalty in path.penalties]),
        weights,
        time_limit=limits.time_limit,
        look=limits.look,
    )
    return [_stack(c, b) for c, b in zip(coef, intercept, strict=True)] or nothing


def _solve_by_descent(
    training: Training, fold: int, path: _Path, limits: _Limits
) -> list[Weights | None]:
    solved = _descend(training, fold, path, limits)
    if limits.whole and solved.stopped:
        return [None] * len(path.penalties)
    return [
        _stack(solved.coef[i], solved.intercept[i]) if solved.n_iterations[i] > 0 else None
        for i in range(len(path.penalties))
    ]


def _descend(training: Training, fold: int, path: _Path, limits: _Limits) -> LinearPath:
    view = training.view(fold, training.candidates[path.candidates[0]])
    rows = training.splits[fold].train_rows
    X = _encoded(training, view, rows)
    weights = training.train_weights(fold)
    options: Any = {
        "max_iterations": _MAX_ITERATIONS,
        "tolerance": limits.tolerance,
        "time_limit": limits.time_limit,
        "look": limits.look,
    }
    if training.target.classes is None:
        y = view.target_scale.encode(training.target.values[rows])
        return elastic_net_path(X, y, path.penalties, path.l1_penalties, weights, **options)
    classes = training.target.values[rows, 0].astype(np.int32)
    return logistic_path(
        X,
        classes,
        training.target.n_outputs,
        path.penalties,
        weights,
        l1_penalties=path.l1_penalties,
        **options,
    )


def _encoded(training: Training, view: View, rows: npt.NDArray[np.int32]) -> EncodedRows:
    """Give the training rows of a view, without a copy."""
    held = training.views.features(view)
    return EncodedRows(held.X, rows, held.bins, held.fractions, view.encoder.binned)


def _stack(coef: npt.NDArray[np.float64], intercept: npt.NDArray[np.float64]) -> Weights | None:
    """W (n_features, n_logits) with b below it, as the engine takes it; None beyond float32."""
    with np.errstate(over="ignore"):
        stacked = np.vstack([coef, intercept[np.newaxis]]).astype(np.float32)
    return stacked if np.isfinite(stacked).all() else None
