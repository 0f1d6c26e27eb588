"""Weights of (true class, predicted class) -> the scores that read labels alone.

Each function takes confusion matrices of shape (..., n_classes, n_classes), rows the true classes,
and gives a score, higher is better, for each of them; NaN where there is none. Formulas are
scikit-learn's, with 0 where a ratio has nothing to be a ratio of.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["LABEL_SCORES", "confusion_matrix", "label_names"]

Floats = NDArray[np.float64]
LabelScore = Callable[[Floats], Floats]

_RATIOS = ("precision", "recall", "f1", "jaccard")


def confusion_matrix(
    y: NDArray[np.int64], guesses: NDArray[np.int64], weights: Floats | None, n_classes: int
) -> Floats:
    """Give the weight of each pair of true and predicted class.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), None, 2)
    array([[1., 0.],
           [1., 1.]])
    """
    flat = np.bincount(y * n_classes + guesses, weights, n_classes * n_classes)
    return flat.reshape(n_classes, n_classes).astype(np.float64)


def label_names(n_classes: int) -> tuple[str, ...]:
    """Give the names of `LABEL_SCORES` that are defined for so many classes."""
    return tuple(n for n in LABEL_SCORES if n_classes == 2 or not n.endswith("likelihood_ratio"))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Divide; 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0.0)


def _totals(confusion: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the weights rightly predicted, true, and predicted, of each class."""
    rightly = np.diagonal(confusion, axis1=-2, axis2=-1)
    return rightly, confusion.sum(axis=-1), confusion.sum(axis=-2)


def _by_class(kind: str, rightly: Floats, truly: Floats, predicted: Floats) -> Floats:
    if kind == "precision":
        return _ratio(rightly, predicted)
    if kind == "recall":
        return _ratio(rightly, truly)
    if kind == "f1":
        return _ratio(2.0 * rightly, truly + predicted)
    return _ratio(rightly, truly + predicted - rightly)


def _averaged(kind: str, average: str) -> LabelScore:
    """Give a ratio of each class, averaged; the plain one is of the second of two classes."""

    def score(confusion: Floats) -> Floats:
        rightly, truly, predicted = _totals(confusion)
        if average == "micro":
            sums = [total.sum(axis=-1) for total in (rightly, truly, predicted)]
            return _by_class(kind, *sums)
        by_class = _by_class(kind, rightly, truly, predicted)
        if average == "" and confusion.shape[-1] == 2:
            return by_class[..., 1]
        share = truly if average == "weighted" else (truly + predicted > 0.0).astype(np.float64)
        return _ratio((by_class * share).sum(axis=-1), share.sum(axis=-1))

    return score


def _accuracy(confusion: Floats) -> Floats:
    return _ratio(_totals(confusion)[0].sum(axis=-1), confusion.sum(axis=(-2, -1)))


def _balanced_accuracy(confusion: Floats) -> Floats:
    rightly, truly, _ = _totals(confusion)
    return _ratio(_ratio(rightly, truly).sum(axis=-1), (truly > 0.0).sum(axis=-1) * 1.0)


def _matthews(confusion: Floats) -> Floats:
    """Matthews' correlation of the true and the predicted class; 0 where either is constant."""
    rightly, truly, predicted = _totals(confusion)
    total = truly.sum(axis=-1)
    together = rightly.sum(axis=-1) * total - (truly * predicted).sum(axis=-1)
    alone = [total**2 - (one**2).sum(axis=-1) for one in (truly, predicted)]
    # One class alone leaves a difference of equal squares: nothing but rounding.
    alone = [np.where(one > 1e-14 * total**2, one, 0.0) for one in alone]
    return _ratio(together, np.sqrt(alone[0] * alone[1]))


def _positive_likelihood_ratio(confusion: Floats) -> Floats:
    """Share of positives that are called so, over the share of negatives that are."""
    return _likelihood_ratio(confusion, called=1)


def _negative_likelihood_ratio(confusion: Floats) -> Floats:
    """Share of positives that are called negative, over that of negatives; negated."""
    return -_likelihood_ratio(confusion, called=0)


def _likelihood_ratio(confusion: Floats, called: int) -> Floats:
    truly = confusion.sum(axis=-1)
    above = confusion[..., 1, called] * truly[..., 0]
    below = confusion[..., 0, called] * truly[..., 1]
    ratio: Floats = np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below > 0.0)
    return ratio


#: Names as scikit-learn's scorers have them. The plain ratios are of the second of two classes,
#: and of several classes the mean over those that occur.
LABEL_SCORES: dict[str, LabelScore] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "matthews_corrcoef": _matthews,
    "positive_likelihood_ratio": _positive_likelihood_ratio,
    "neg_negative_likelihood_ratio": _negative_likelihood_ratio,
    **{
        f"{kind}_{average}" if average else kind: _averaged(kind, average)
        for kind in _RATIOS
        for average in ("", "macro", "micro", "weighted")
    },
}
