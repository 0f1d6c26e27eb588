"""Probabilities for rows that no member was trained on -> factors by which labels are chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automs.halves import cut_halves
from automs.label_metrics import LABEL_SCORES, confusion_matrix
from automs.scoring import Metric

__all__ = ["LabelFactors", "fit_label_factors"]

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]

#: How often the rows are cut into halves, and in how many of these cuts factors must help.
_N_CUTS = 5
_N_BETTER = 4
#: Offsets that are compared for one class, at most; and rounds over all classes.
_N_OFFSETS = 256
_N_ROUNDS = 2
#: The largest offset of a logarithm: a factor of about 150.
_FARTHEST = 5.0
_LEAST = 1e-16
_TIE = 1e-12


@dataclass(frozen=True)
class LabelFactors:
    """What was found.

    Attributes
    ----------
    values : ndarray of shape (n_classes,), float64
        The label is the class of the greatest probability times factor. For two classes they are
        2 t and 2 (1 - t): the second class is chosen from the probability t on.
    crossed : list of ndarray of shape (n_rows, n_classes), float64
        For each cut, the probabilities times the factors of the half that the row is not in.
    score, plain_score : float
        Mean score of these, and the score without factors.
    """

    values: Floats
    crossed: list[Floats]
    score: float
    plain_score: float


def fit_label_factors(
    probabilities: Floats,
    y: Classes,
    metric: Metric,
    *,
    weights: Floats | None = None,
    groups: NDArray[np.integer] | None = None,
    seed: int = 0,
) -> LabelFactors | None:
    """Find factors that make a metric of labels best, where that is of use.

    The rows are cut into random halves five times; each half's factors are found by a search along
    one class after the other, and scored on the other half. They are of use where the rows' score
    is better than without factors in four cuts at least, and in the mean of all. The factors are
    then the median over all halves (of logarithms), which no single row decides.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes), float64
    y : ndarray of shape (n_rows,), int64
        Class indices.
    metric : Metric
        One that reads labels.
    weights : ndarray of shape (n_rows,), float64, optional
    groups : ndarray of int, shape (n_rows,), optional
        Rows of one group are never in both halves.
    seed : int, default=0
        Cuts the halves.

    Returns
    -------
    LabelFactors or None
        None where it would not help.

    Notes
    -----
    Cost: ten searches, each of n_classes sorts of half of the rows.

    Examples
    --------
    >>> from automs.scoring import resolve_metric
    >>> rng = np.random.default_rng(0)
    >>> p = rng.beta(1.0, 9.0, size=2000)
    >>> y = (rng.random(2000) < p).astype(np.int64)
    >>> both = np.column_stack([1.0 - p, p])
    >>> found = fit_label_factors(both, y, resolve_metric("f1", "binary"))
    >>> threshold = found.values[0] / found.values.sum()
    >>> bool(0.1 < threshold < 0.3)
    True
    """
    if groups is not None and not groups.any():
        return None
    n_classes = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities, _LEAST))
    own = np.ones(len(y)) if weights is None else weights

    def score(of: Floats) -> float:
        confusion = confusion_matrix(y, of.argmax(axis=1), own, n_classes)
        return float(LABEL_SCORES[metric.name](confusion))

    crossed, offsets = [], []
    for cut in range(_N_CUTS):
        halves = cut_halves(y[:, None].astype(np.float64), metric, seed + cut, groups)
        shifted = np.empty_like(logs)
        for chosen_on, used_on in (halves, halves[::-1]):
            found = _best_offsets(logs[chosen_on], y[chosen_on], own[chosen_on], metric.name)
            shifted[used_on] = logs[used_on] + found
            offsets.append(found)
        crossed.append(shifted)
    plain = score(logs)
    scores = np.array([score(shifted) for shifted in crossed])
    chosen = np.median(offsets, axis=0)
    is_of_use = (scores > plain).sum() >= _N_BETTER and scores.mean() > plain
    if not is_of_use or not score(logs + chosen) > plain:
        return None
    factors = np.exp(chosen - chosen.max())
    factors *= n_classes / factors.sum()
    return LabelFactors(factors, [np.exp(c) for c in crossed], float(scores.mean()), plain)


def _best_offsets(logs: Floats, y: Classes, weights: Floats, name: str) -> Floats:
    """Give the offset of each class's logarithm that makes the score of these rows best."""
    n_classes = logs.shape[1]
    offsets = np.zeros(n_classes)
    counted = weights > 0.0
    if not counted.any():
        return offsets
    logs, y, weights = logs[counted], y[counted], weights[counted]
    # Of two classes, one offset against the other is all that matters.
    classes = [1] if n_classes == 2 else np.argsort(np.bincount(y, weights, n_classes)).tolist()
    for _ in range(1 if n_classes == 2 else _N_ROUNDS):
        before = offsets.copy()
        for j in classes:
            offsets[j] = _best_offset(logs + offsets, j, y, weights, name) + offsets[j]
        if np.array_equal(before, offsets):
            break
    offsets -= np.median(offsets) if n_classes > 2 else 0.0
    return np.clip(offsets, -_FARTHEST, _FARTHEST)


def _best_offset(logs: Floats, j: int, y: Classes, weights: Floats, name: str) -> float:
    """Give the change of class j's logarithm that is best; of equally good ones the least."""
    n_classes = logs.shape[1]
    others = logs.copy()
    others[:, j] = -np.inf
    rival = others.argmax(axis=1)
    needed = others[np.arange(len(y)), rival] - logs[:, j]  # beyond it the row's label is j
    offsets = _between(needed)
    # A row joins class j at the first offset that is beyond what it needs.
    joins = np.searchsorted(offsets, needed, side="right")
    shape = (len(offsets) + 1, n_classes, n_classes)
    moved = np.zeros(shape)
    np.add.at(moved, (joins, y, rival), -weights)
    np.add.at(moved, (joins, y, np.full(len(y), j)), weights)
    start = confusion_matrix(y, rival, weights, n_classes)
    scores = LABEL_SCORES[name](start + np.cumsum(moved, axis=0)[:-1])
    if np.isnan(scores).all():
        return 0.0
    best = np.flatnonzero(scores >= np.nanmax(scores) - _TIE)
    return float(offsets[best[np.argmin(np.abs(offsets[best]))]])


def _between(needed: Floats) -> Floats:
    """Give 0 and offsets halfway between neighbouring ones, few of them, in order."""
    levels = np.unique(np.clip(needed, -_FARTHEST, _FARTHEST))
    middles = (levels[1:] + levels[:-1]) / 2.0
    if len(middles) > _N_OFFSETS:
        middles = middles[np.linspace(0, len(middles) - 1, _N_OFFSETS).astype(np.intp)]
    return np.unique(np.append(middles, 0.0))
