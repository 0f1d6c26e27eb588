"""A matrix, its targets and a list of penalties -> linear models for all of them, in double.

The sums and decompositions run in the compiled core, in double, with the GIL released; a float32
matrix is read as it is, without a copy in double.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automs._core import elastic_net_path as _solve_elastic_net
from automs._core import logistic_path as _solve_logistic
from automs._core import ridge_path as _solve_ridge
from automs.encoded_rows import EncodedRows, as_rows

__all__ = ["LinearPath", "elastic_net_path", "logistic_path", "ridge_path"]

Floats = NDArray[np.float64]


def ridge_path(
    X: ArrayLike | EncodedRows,
    y: ArrayLike,
    alphas: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
) -> tuple[Floats, Floats]:
    """Fit ridge regression for a whole list of penalties from one decomposition.

    Minimises ``sum_i weight_i |y_i - x_i coef - intercept|^2 + alpha |coef|^2`` for each alpha, as
    scikit-learn's ``Ridge`` does; the intercept is not penalised.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns), float32 or float64; or EncodedRows
        Finite values. Columns should be of like scale: see Notes.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Finite values.
    alphas : array-like of shape (n_alphas,)
        Penalties >= 0; 0 gives the least-squares solution of least norm.
    sample_weight : array-like of shape (n_rows,), optional
        Weights >= 0, not all 0.
    time_limit : float, optional, seconds
        Looked at in every block of rows, but not in the decomposition.
    look : callable, optional
        Called every 20 ms there, and stops when it returns True.

    Returns
    -------
    coef : ndarray of shape (n_alphas, n_columns, n_outputs), float64
        After a stop n_alphas is 0, here and below.
    intercept : ndarray of shape (n_alphas, n_outputs), float64

    Raises
    ------
    ValueError
        If shapes do not fit, or X, y, alphas or weights hold what they must not.

    Notes
    -----
    Cost: ``n_rows * n_columns * min(n_rows, n_columns)`` for the matrix that is decomposed and the
    cube of the smaller side for its decomposition, whatever the number of alphas. That matrix is
    X'X (or X X'), so columns whose scales differ by more than about 1e6 lose their digits there:
    standardise them first. One thread; deterministic.

    Examples
    --------
    >>> coef, intercept = ridge_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], [0.0])
    >>> float(coef[0, 0, 0].round(9)), float(intercept[0, 0].round(9))
    (2.0, 1.0)
    """
    targets = np.ascontiguousarray(y, dtype=np.float64)
    if targets.ndim == 1:
        targets = targets.reshape(-1, 1)
    matrix, rows = as_rows(X)
    return _solve_ridge(
        matrix,
        targets,
        _as_list(alphas, "alphas"),
        _as_weights(sample_weight),
        time_limit,
        look,
        **rows,
    )


@dataclass(frozen=True)
class LinearPath:
    """Linear models, one for each penalty.

    Attributes
    ----------
    coef : ndarray of shape (n_penalties, n_columns, n_outputs), float64
        `n_outputs` is that of the targets; of classes 1 for two (the logit of class 1), else the
        number of classes.
    intercept : ndarray of shape (n_penalties, n_outputs), float64
    converged : ndarray of shape (n_penalties,), bool
        Whether the gradient reached its tolerance.
    n_iterations : ndarray of shape (n_penalties,), int32
        At least 1, but 0 for penalties that a time limit left without a step of their own.
    stopped : bool
        Whether the time limit or the look ended the path.
    """

    coef: Floats
    intercept: Floats
    converged: NDArray[np.bool_]
    n_iterations: NDArray[np.int32]
    stopped: bool


def logistic_path(  # noqa: PLR0913  what is fitted, and the limits on how long
    X: ArrayLike | EncodedRows,
    classes: ArrayLike,
    n_classes: int,
    penalties: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    l1_penalties: ArrayLike | None = None,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
) -> LinearPath:
    """Fit logistic regression for a whole list of penalties, each started at a stronger one.

    Minimises the weighted mean cross-entropy plus ``penalty / 2 * |coef|^2`` plus ``l1_penalty *
    sum |coef * standard deviation of the column|`` by L-BFGS; the intercepts are not penalised.
    scikit-learn's ``LogisticRegression(C=C)`` is ``penalty = 1 / (C * sum of weights)``, and for
    standardised columns ``LogisticRegression(C=C, penalty="l1")`` is ``l1_penalty`` of so much.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns), float32 or float64; or EncodedRows
        Finite values; columns may differ in scale.
    classes : array-like of shape (n_rows,), int
        Class indices in [0, n_classes).
    n_classes : int
        At least 2. A class without rows is allowed.
    penalties : array-like of shape (n_penalties,)
        Penalties >= 0, in any order. With 0, separable classes have no minimum: the coefficients
        grow until the gradient is below its tolerance or `max_iterations` is reached.
    sample_weight : array-like of shape (n_rows,), optional
        Weights >= 0, not all 0.
    l1_penalties : array-like of shape (n_penalties,), optional
        As many, >= 0; None for zeros.
    max_iterations : int, default=1000
        For each penalty.
    tolerance : float > 0, default=1e-6
        Of the gradient, where a model has converged: see Notes.
    time_limit : float, optional, seconds
        For the whole path, looked at in every block of rows; penalties that are not reached hold
        the solution of the last one.
    look : callable, optional
        Called every 20 ms, and ends the path when it returns True, as the time limit does.

    Returns
    -------
    LinearPath

    Raises
    ------
    ValueError
        If shapes do not fit, or an argument holds what it must not.

    Notes
    -----
    The tolerance is on the largest derivative of the mean cross-entropy plus penalty with respect
    to the coefficients of standardised columns and the intercepts. One thread; deterministic
    without a time limit.

    References
    ----------
    Nocedal and Wright, "Numerical optimization" (2006), algorithm 7.5; with absolute values Andrew
    and Gao, "Scalable training of L1-regularized log-linear models" (2007).

    Examples
    --------
    >>> path = logistic_path([[-1.0], [0.0], [0.0], [1.0]], [0, 0, 1, 1], 2, [0.1])
    >>> bool(path.converged[0]), abs(float(path.intercept[0, 0])) < 1e-6
    (True, True)
    """
    indices = np.asarray(classes)
    if indices.dtype.kind not in "iu":
        raise TypeError(f"classes must hold integers, got dtype {indices.dtype}")
    matrix, rows = as_rows(X)
    return LinearPath(
        *_solve_logistic(
            matrix,
            np.ascontiguousarray(indices, dtype=np.int32),
            n_classes,
            _as_list(penalties, "penalties"),
            _as_list([] if l1_penalties is None else l1_penalties, "l1_penalties"),
            _as_weights(sample_weight),
            max_iterations,
            tolerance,
            time_limit,
            look,
            **rows,
        )
    )


def elastic_net_path(  # noqa: PLR0913  what is fitted, and the limits on how long
    X: ArrayLike | EncodedRows,
    y: ArrayLike,
    penalties: ArrayLike,
    l1_penalties: ArrayLike,
    sample_weight: ArrayLike | None = None,
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    look: Callable[[], bool] | None = None,
) -> LinearPath:
    """Fit the elastic net for a whole list of penalties, each started at a stronger one.

    Minimises half the weighted mean squared error plus ``penalty / 2 * |coef|^2`` plus
    ``l1_penalty * sum |coef * standard deviation of the column|``; the intercepts are not
    penalised. For standardised columns that is scikit-learn's ``Lasso(alpha=l1_penalty)`` where
    the penalty is 0.

    Parameters
    ----------
    X : array-like of shape (n_rows, n_columns), float32 or float64; or EncodedRows
        Finite values; columns may differ in scale.
    y : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Finite values, of a scale near 1, as the tolerance is absolute.
    penalties, l1_penalties : array-like of shape (n_penalties,)
        Penalties >= 0, in any order.
    sample_weight, max_iterations, tolerance, time_limit, look
        As of `logistic_path`.

    Returns
    -------
    LinearPath

    Raises
    ------
    ValueError
        If shapes do not fit, or an argument holds what it must not.

    References
    ----------
    Zou and Hastie, "Regularization and variable selection via the elastic net" (2005); Andrew and
    Gao (2007), as of `logistic_path`.

    Examples
    --------
    >>> path = elastic_net_path([[-1.0], [1.0]], [-2.0, 2.0], [0.0], [0.5])
    >>> round(float(path.coef[0, 0, 0]), 6)
    1.5
    """
    targets = np.ascontiguousarray(y, dtype=np.float64)
    matrix, rows = as_rows(X)
    return LinearPath(
        *_solve_elastic_net(
            matrix,
            targets.reshape(-1, 1) if targets.ndim == 1 else targets,
            _as_list(penalties, "penalties"),
            _as_list(l1_penalties, "l1_penalties"),
            _as_weights(sample_weight),
            max_iterations,
            tolerance,
            time_limit,
            look,
            **rows,
        )
    )


def _as_list(values: ArrayLike, name: str) -> Floats:
    """Return values as a float64 array of one dimension."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    if np.ndim(values) != 1:
        raise ValueError(f"{name} must have 1 dimension, got {np.ndim(values)}")
    return array


def _as_weights(sample_weight: ArrayLike | None) -> Floats | None:
    """Return weights as a contiguous float64 array, or None."""
    if sample_weight is None:
        return None
    return np.ascontiguousarray(sample_weight, dtype=np.float64)
