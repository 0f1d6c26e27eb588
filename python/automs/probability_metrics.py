"""Probabilities, class indices and weights -> the scores that read probabilities.

Each function takes probabilities of shape (n_rows, n_classes), class indices (n_rows,) and
weights (n_rows,), and gives a score, higher is better; NaN where there is none. Formulas are
scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from automs._core import score

__all__ = ["PROBABILITY_SCORES", "probability_names"]

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]
ProbabilityScore = Callable[[Floats, Classes, Floats], float]

_TOP = 2  # classes that may hold the true one, as scikit-learn's scorer has it


def probability_names(n_classes: int) -> tuple[str, ...]:
    """Give the names of `PROBABILITY_SCORES` that tell something for so many classes."""
    of_several = ("top_k_accuracy", "roc_auc_ovo", "roc_auc_ovo_weighted", "roc_auc_ovr_weighted")
    return tuple(n for n in PROBABILITY_SCORES if n_classes > 2 or n not in of_several)


def _squares(probabilities: Floats, y: Classes, weights: Floats) -> float:
    """Weighted mean of the squared distance from the true class, over all classes."""
    by_row = (probabilities**2).sum(axis=1) + 1.0 - 2.0 * probabilities[np.arange(len(y)), y]
    return float(np.average(by_row, weights=weights))


def _log_loss(probabilities: Floats, y: Classes, weights: Floats) -> float:
    return -score("log_loss", probabilities, y[:, None].astype(np.float64), weights)


def _shares(probabilities: Floats, y: Classes, weights: Floats) -> Floats:
    """Give every row the shares of the classes in y."""
    totals = np.bincount(y, weights, probabilities.shape[1])
    return np.ascontiguousarray(np.broadcast_to(totals / totals.sum(), probabilities.shape))


def _brier(probabilities: Floats, y: Classes, weights: Floats) -> float:
    squares = _squares(probabilities, y, weights)
    return -squares / 2.0 if probabilities.shape[1] == 2 else -squares


def _explained(loss: ProbabilityScore) -> ProbabilityScore:
    """Give 1 - loss / (loss of the classes' shares in y)."""

    def explained(probabilities: Floats, y: Classes, weights: Floats) -> float:
        of_shares = loss(_shares(probabilities, y, weights), y, weights)
        if len(y) < 2 or not of_shares > 1e-14:
            return float("nan")
        return 1.0 - loss(probabilities, y, weights) / of_shares

    return explained


def _area(positives: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> float:
    """Give the area under the ROC curve of one column."""
    both = np.ascontiguousarray(np.column_stack([-positives, positives]))
    truth = is_positive[:, None].astype(np.float64)
    return score("roc_auc", both, truth, np.ascontiguousarray(weights))


def _precision_area(positives: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> float:
    """Give the mean precision over steps of recall, ties taken together."""
    order = np.argsort(-positives, kind="stable")
    ordered = positives[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(order) - 1)
    rightly = np.cumsum(weights[order] * is_positive[order])[ends]
    called = np.cumsum(weights[order])[ends]
    if not rightly[-1] > 0.0:
        return float("nan")
    precision = np.divide(rightly, called, out=np.zeros_like(called), where=called > 0.0)
    return float((np.diff(rightly, prepend=0.0) * precision).sum() / rightly[-1])


def _average_precision(probabilities: Floats, y: Classes, weights: Floats) -> float:
    if probabilities.shape[1] == 2:
        return _precision_area(probabilities[:, 1], y == 1, weights)
    present = np.flatnonzero(np.bincount(y, weights))
    return float(np.mean([_precision_area(probabilities[:, j], y == j, weights) for j in present]))


def _area_against_rest(probabilities: Floats, y: Classes, weights: Floats) -> float:
    """One class against the rest, weighted by the classes' shares."""
    totals = np.bincount(y, weights, probabilities.shape[1])
    present = np.flatnonzero((totals > 0.0) & (totals < totals.sum()))
    if not present.size:
        return float("nan")
    areas = [_area(probabilities[:, j], y == j, weights) for j in present]
    return float(np.average(areas, weights=totals[present]))


def _area_of_pairs(by_shares: bool) -> ProbabilityScore:
    """Each class against each other one, both ways, evenly or by the pairs' shares."""

    def areas_of(probabilities: Floats, y: Classes, weights: Floats) -> Iterator[tuple[float, ...]]:
        for a, b in combinations(np.flatnonzero(np.bincount(y, weights)), 2):
            rows = np.flatnonzero((y == a) | (y == b))
            own = weights[rows]
            area = sum(_area(probabilities[rows, j], y[rows] == j, own) for j in (a, b)) / 2.0
            yield area, float(own.sum()) if by_shares else 1.0

    def score_pairs(probabilities: Floats, y: Classes, weights: Floats) -> float:
        areas = np.array(list(areas_of(probabilities, y, weights)))
        return float(np.average(areas[:, 0], weights=areas[:, 1])) if areas.size else float("nan")

    return score_pairs


def _top_accuracy(probabilities: Floats, y: Classes, weights: Floats) -> float:
    # Of equal probabilities the later class comes first, as in scikit-learn.
    top = np.argsort(probabilities, axis=1, kind="stable")[:, -_TOP:]
    return float(np.average((top == y[:, None]).any(axis=1), weights=weights))


PROBABILITY_SCORES: dict[str, ProbabilityScore] = {
    "neg_brier_score": _brier,
    "d2_brier_score": _explained(_squares),
    "d2_log_loss_score": _explained(_log_loss),
    "average_precision": _average_precision,
    "roc_auc_ovr_weighted": _area_against_rest,
    "roc_auc_ovo": _area_of_pairs(by_shares=False),
    "roc_auc_ovo_weighted": _area_of_pairs(by_shares=True),
    "top_k_accuracy": _top_accuracy,
}
