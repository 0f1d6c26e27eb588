"""Predictions and the true values -> one score, higher is better; and which metrics there are.

Scores follow scikit-learn's formulas; errors are negated. The names of scikit-learn's scorers are
accepted, those of predictions without a class or value (of clusterings, of several labels) aside.
Scores that the compiled core does not have are computed in NumPy, where a candidate pauses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automs._core import score
from automs.label_metrics import LABEL_SCORES, confusion_matrix
from automs.metric_names import (
    ALIASES,
    ALLOWED,
    HAS_DOMAIN,
    NATIVE,
    NEEDS_PROBABILITIES,
    READS_SIZES,
    TARGET_RULES,
)
from automs.probability_metrics import PROBABILITY_SCORES
from automs.value_metrics import VALUE_SCORES

__all__ = ["Metric", "check_metric_target", "resolve_metric", "score_predictions"]

Floats = NDArray[np.float64]

# The metric that goes with a loss; every other loss goes with rmse, or log_loss for classes.
_AUTO_BY_LOSS = {
    "absolute": "mae",
    "huber": "mae",
    "quantile": "pinball",
    "poisson": "poisson_deviance",
    "squared_log": "mae",  # whose best value is a median, too
}


@dataclass(frozen=True)
class Metric:
    """What a score measures.

    Attributes
    ----------
    name : str
        The metric's own name, or the name of the function.
    native : bool
        True for the metrics of the compiled core, which it computes after every epoch.
    needs_probabilities : bool
        Whether the score reads more of the probabilities than which class is the likeliest.
    function : callable or None
        ``function(y_true, y_pred) -> float``, higher is better; None for metrics with a name.
    decode : callable or None
        Class indices of shape (n_rows,) -> the labels that `function` is given; None for
        regression and for metrics with a name.
    """

    name: str
    native: bool
    needs_probabilities: bool
    function: Callable[[Any, Any], float] | None = None
    decode: Callable[[NDArray[np.int64]], Any] | None = None

    @property
    def is_classification(self) -> bool:
        """Whether y holds class indices and predictions are probabilities."""
        if self.function is not None:
            return self.decode is not None
        return self.reads_labels or self.name in NEEDS_PROBABILITIES

    @property
    def reads_labels(self) -> bool:
        """Whether the score has a name, and reads the predicted classes alone."""
        return self.function is None and self.name in LABEL_SCORES

    @property
    def has_domain(self) -> bool:
        """Whether the score is undefined for values that a network may well give."""
        return self.function is None and self.name in HAS_DOMAIN

    @property
    def reads_sizes(self) -> bool:
        """Whether the score reads how large probabilities are, and not their order alone."""
        return self.function is None and self.name in READS_SIZES


def resolve_metric(
    metric: str | Callable[[Any, Any], float],
    task: str,
    loss: str = "auto",
    decode: Callable[[NDArray[np.int64]], Any] | None = None,
) -> Metric:
    """Return the metric that is meant.

    Parameters
    ----------
    metric : str or callable
        ``"auto"``, one of the names for the task, a scikit-learn scorer's name, or a function
        ``metric(y_true, y_pred) -> float`` of labels or values as the user gave them, higher is
        better.
    task : {"regression", "binary", "multiclass"}
        What is predicted.
    loss : str, default="auto"
        Read for ``"auto"`` alone: squared goes with rmse, absolute, huber and squared_log with
        mae, quantile with pinball, poisson with poisson_deviance; classification with log_loss.
    decode : callable, optional
        Class indices -> labels, for a function as metric of a classification, which otherwise is
        given the class indices.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If the name is none of those for the task, or the task is unknown.
    TypeError
        If `metric` is neither a string nor a function of ``(y_true, y_pred)``.

    Examples
    --------
    >>> resolve_metric("auto", "regression", "absolute").name
    'mae'
    >>> resolve_metric("neg_log_loss", "multiclass").name
    'log_loss'
    """
    if task not in ALLOWED:
        raise ValueError(f"task must be one of {', '.join(ALLOWED)}, got {task!r}")
    if not isinstance(metric, str):
        return _resolve_function(metric, None if task == "regression" else decode or _unchanged)
    name = ALIASES[task].get(metric, metric)
    if name == "auto":
        name = _AUTO_BY_LOSS.get(loss, "rmse") if task == "regression" else "log_loss"
    if name not in ALLOWED[task]:
        allowed = ", ".join(("auto", *ALLOWED[task], *ALIASES[task]))
        raise ValueError(f"metric must be one of {allowed} for a {task} task, got {metric!r}")
    return Metric(name, name in NATIVE, needs_probabilities=name in NEEDS_PROBABILITIES)


def check_metric_target(metric: Metric, y: Floats) -> None:
    """Raise ValueError where no prediction has a score, as some true value is outside its domain.

    Examples
    --------
    >>> check_metric_target(resolve_metric("poisson_deviance", "regression"), np.array([0.0, 2.5]))
    """
    relation, bound = TARGET_RULES.get(metric.name, (">=", -np.inf))
    outside = y < bound if relation == ">=" else y <= bound
    if metric.function is None and outside.any():
        raise ValueError(
            f"y must be {relation} {bound:g} for metric {metric.name!r}, got {y[outside][0]:g}"
        )


def _unchanged(classes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class indices themselves."""
    return classes


def _resolve_function(
    function: Callable[[Any, Any], float],
    decode: Callable[[NDArray[np.int64]], Any] | None,
) -> Metric:
    """Return a Python function as metric."""
    # A scikit-learn scorer object takes (estimator, X, y), which is not known here.
    if not callable(function) or hasattr(function, "_score_func"):
        raise TypeError(
            "metric must be a name or a function of (y_true, y_pred), "
            f"got {type(function).__name__}"
        )
    name = getattr(function, "__name__", type(function).__name__)
    return Metric(name, native=False, needs_probabilities=False, function=function, decode=decode)


def score_predictions(
    metric: Metric,
    predictions: Floats,
    y: Floats,
    sample_weight: Floats | None = None,
    quantile: float = 0.5,
) -> float:
    """Return the score of predictions, higher is better.

    Parameters
    ----------
    metric : Metric
        From `resolve_metric`.
    predictions : ndarray of shape (n_rows, n_outputs) or (n_rows, n_classes), float64
        Values in the target's units, or probabilities of the classes (two for binary), any
        numbers >= 0 for metrics that read labels: the class of the largest is the label.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), float64
        The true values, or the class indices as floats.
    sample_weight : ndarray of shape (n_rows,), float64, optional
        Weights >= 0. A Python function is not given them.
    quantile : float, default=0.5
        In (0, 1); read by pinball and d2_pinball_score.

    Returns
    -------
    float
        NaN where the score is undefined: no rows, weights that sum to 0, a NaN prediction, a ROC
        AUC with one class only in y, a Poisson deviance with y < 0. A multiclass ROC AUC is the
        one-versus-rest mean over the classes that y has.

    Raises
    ------
    ValueError
        If the shapes or class indices do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> rmse = resolve_metric("rmse", "regression")
    >>> score_predictions(rmse, np.array([[1.0], [3.0]]), np.array([1.0, 1.0])) == -(2**0.5)
    True
    """
    predictions = _as_matrix(predictions)
    y = _as_matrix(y)
    if metric.function is not None:
        return _score_by_function(metric.function, metric.decode, predictions, y)
    weights = None
    if sample_weight is not None:
        weights = np.ascontiguousarray(sample_weight, dtype=np.float64)
    if metric.native:
        return float(score(metric.name, predictions, y, weights, quantile))
    return _score_by_name(metric.name, predictions, y, weights, quantile)


def _score_by_name(
    name: str, predictions: Floats, y: Floats, weights: Floats | None, quantile: float
) -> float:
    """Compute a metric that the core does not have."""
    if name in VALUE_SCORES and predictions.shape != y.shape:
        raise ValueError(
            f"predictions must have the shape of y, got {predictions.shape} and {y.shape}"
        )
    own = np.ones(len(y)) if weights is None else weights
    if len(own) != len(y) or len(predictions) != len(y):
        raise ValueError(
            f"predictions, y and weights must have as many rows, got {len(predictions)}, {len(y)} "
            f"and {len(own)}"
        )
    if not own.sum() > 0.0 or np.isnan(predictions).any():
        return float("nan")
    if name in VALUE_SCORES:
        outputs = zip(predictions.T, y.T, strict=True)
        return float(np.mean([VALUE_SCORES[name](p, t, own, quantile) for p, t in outputs]))
    classes = y[:, 0].astype(np.int64)
    if name in PROBABILITY_SCORES:
        return float(PROBABILITY_SCORES[name](predictions, classes, own))
    n_classes = predictions.shape[1]
    confusion = confusion_matrix(classes, predictions.argmax(axis=1), own, n_classes)
    return float(LABEL_SCORES[name](confusion))


def _as_matrix(values: Floats) -> Floats:
    """Return values as a C-contiguous float64 matrix; copies only where they are not."""
    matrix = np.ascontiguousarray(values, dtype=np.float64)
    return matrix.reshape(-1, 1) if matrix.ndim == 1 else matrix


def _score_by_function(
    function: Callable[[Any, Any], float],
    decode: Callable[[NDArray[np.int64]], Any] | None,
    predictions: Floats,
    y: Floats,
) -> float:
    """Call a Python metric with labels or values in the form that the user gave them."""
    if len(y) == 0 or np.isnan(predictions).any():
        return float("nan")
    if decode is not None:
        true_classes = y[:, 0].astype(np.int64)
        return float(function(decode(true_classes), decode(predictions.argmax(axis=1))))
    if y.shape[1] == 1:
        y, predictions = y[:, 0], predictions[:, 0]
    return float(function(y, predictions))
