"""Cached predictions of many candidates -> weights of one averaged ensemble, honestly scored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automs._core import greedy_ensemble
from automs.affordable import Share, select_greedily
from automs.halves import cut_halves
from automs.scoring import Metric, score_predictions

__all__ = ["EnsembleSelection", "select_ensemble"]

#: Rows that the shared row is dealt out to, at most: of more rows it is no part that matters.
_MOST_SHARED_ROWS = 50_000
#: Values of them, at most: a row of many classes is that many rows of as many columns.
_MOST_SHARED_VALUES = 200_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EnsembleSelection:
    """A weighted mean of members.

    Attributes
    ----------
    weights : ndarray of shape (n_members,), float64
        Sum 1; 0 for members that were not chosen.
    score : float
        On rows that did not choose the weights (cross-fitted); a single member's own score where
        one member is all there is.
    score_optimistic : float
        On the rows that chose the weights.
    n_steps : int
        Additions behind the weights.
    predictions : ndarray of shape (n_rows, n_columns), float64
        What `score` is the score of: for each row, the mean by weights that the row had no part
        in; the member's own predictions where one member is all there is.
    """

    weights: Floats
    score: float
    score_optimistic: float
    n_steps: int
    predictions: Floats


@dataclass(frozen=True)
class _Rows:
    """The rows that are scored, and how."""

    metric: Metric
    y: Floats  # (n_rows, n_targets)
    weights: Floats | None  # (n_rows)
    quantile: float
    groups: NDArray[np.integer] | None = None  # (n_rows); None: each row for itself

    def take(self, rows: NDArray[np.intp]) -> _Rows:
        """Return some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        return _Rows(self.metric, self.y[rows], weights, self.quantile)

    def with_shared_row(self, members: list[Floats]) -> tuple[list[Floats], _Rows]:
        """Return members and rows with one row more, shared among the classes and the rows.

        Without it a member that is right on the few rows there are could not be too certain: the
        score would take a probability of 1 - 1e-12 for better than one of 0.99.
        """
        n_classes = members[0].shape[1]
        n_shared = n_classes * len(self.y)
        if not (self.metric.reads_sizes and 0 < n_shared <= _MOST_SHARED_ROWS):
            return members, self
        own = np.ones(len(self.y)) if self.weights is None else self.weights
        some = np.flatnonzero(own > 0.0)[:: -(-n_shared * n_classes // _MOST_SHARED_VALUES)]
        dealt = own[some]
        classes = np.repeat(np.arange(n_classes, dtype=np.float64), len(dealt))
        share = np.tile(dealt / max(dealt.sum(), np.finfo(float).tiny), n_classes) / n_classes
        rows = _Rows(
            self.metric,
            np.concatenate([self.y, classes[:, None]]),
            np.concatenate([own, own.mean() * share]),
            self.quantile,
        )
        return [np.concatenate([m, *[m[some]] * n_classes]) for m in members], rows

    def score(self, predictions: Floats) -> float:
        """Return the score of predictions for these rows."""
        return score_predictions(self.metric, predictions, self.y, self.weights, self.quantile)


@dataclass(frozen=True)
class _Limits:
    """How long one greedy selection may get, in additions and seconds."""

    max_size: int
    n_threads: int
    seconds: float | None
    look: Callable[[], bool] | None
    share: Share | None = None

    def lateness(self) -> Callable[[], bool]:
        """Give a function that says whether to stop, counting from now."""
        stop_at = None if self.seconds is None else time.perf_counter() + self.seconds

        def is_late() -> bool:
            late = stop_at is not None and time.perf_counter() >= stop_at
            return late or (self.look is not None and self.look())

        return is_late


def select_ensemble(  # noqa: PLR0913  the rows, how they are scored, and limits
    predictions: list[Floats],
    y: Floats,
    metric: Metric,
    *,
    sample_weight: Floats | None = None,
    quantile: float = 0.5,
    groups: NDArray[np.integer] | None = None,
    max_size: int = 40,
    n_threads: int = 1,
    seed: int = 0,
    deadline: float | None = None,
    look: Callable[[], bool] | None = None,
    share: Share | None = None,
) -> EnsembleSelection:
    """Choose a weighted mean of members by greedy forward selection, and score it honestly.

    Each step adds, with replacement, the member that makes the score of the mean of all additions
    highest; the first best step gives the weights. Where the score reads how large probabilities
    are, one row more is shared among the classes, as Laplace's rule has it. For the honest score
    the rows are cut into two random halves (in each class, for classification): the members chosen
    on one half predict the other, and the predictions of both halves are scored together. It may
    be below the best member's own score, which that member was chosen by. Where all rows are of
    one group, there are no halves and the best member alone is the result.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_columns), float64
        One array for each member, as `score_predictions` takes them.
    y : ndarray of shape (n_rows,) or (n_rows, n_outputs), float64
        True values, or class indices as floats.
    metric : Metric
        What is maximised. A Python function is called max_size * n_members times, twice over.
    sample_weight : ndarray of shape (n_rows,), float64, optional
        Weights >= 0.
    quantile : float, default=0.5
        In (0, 1); read by pinball alone.
    groups : ndarray of shape (n_rows,), int, optional
        Rows of one group are never in both halves: groups of rows that belong together, or the
        numbers of rows where one may be there more than once.
    max_size : int, default=40
        Additions at most, at least 1; a member may be added many times.
    n_threads : int, default=1
        Never changes the result.
    seed : int, default=0
        Cuts the halves.
    deadline : float, optional, seconds
        Time that is left, a third for each of the three selections. A selection that is cut short
        keeps the additions it has, of which there is always one.
    look : callable, optional
        Called every few milliseconds; cuts short when it returns True, as the deadline does.
    share : callable, optional
        The share of a budget that members of these numbers take; only those within it are chosen.
        Each member must be so alone.

    Returns
    -------
    EnsembleSelection

    Raises
    ------
    ValueError
        If there are no members, `max_size` or `n_threads` is below 1, or shapes do not fit.

    Notes
    -----
    Cost: max_size * n_members * n_rows * n_columns additions and as many scores, twice over (the
    halves count for one), and a copy of half of the predictions at a time.

    References
    ----------
    Caruana, Niculescu-Mizil, Crew and Ksikes, "Ensemble selection from libraries of models" (2004).

    Examples
    --------
    >>> import numpy as np
    >>> from automs.scoring import resolve_metric
    >>> y = np.arange(8.0)
    >>> members = [y[:, None] + 1.0, y[:, None] - 1.0]
    >>> select_ensemble(members, y, resolve_metric("rmse", "regression")).weights
    array([0.5, 0.5])
    """
    if not predictions:
        raise ValueError("predictions must hold >= 1 member, got 0")
    members = [np.ascontiguousarray(member, dtype=np.float64) for member in predictions]
    targets = np.ascontiguousarray(y, dtype=np.float64)
    targets = targets.reshape(-1, 1) if targets.ndim == 1 else targets
    weights = None
    if sample_weight is not None:
        weights = np.ascontiguousarray(sample_weight, dtype=np.float64)
    rows = _Rows(metric, targets, weights, quantile, groups)
    seconds = None if deadline is None else deadline / 3.0
    limits = _Limits(max_size, n_threads, seconds, look, share)

    member_weights, n_steps = _select(members, rows, limits)
    one_group = rows.groups is not None and not rows.groups.any()
    if one_group or not member_weights.any():
        return _single(_best_member(members, rows), members, rows)
    if np.count_nonzero(member_weights) < 2:
        return _single(int(np.argmax(member_weights)), members, rows)
    crossed = _cross_fitted(members, rows, limits, seed)
    score = rows.score(crossed)
    if np.isnan(score):  # as where one half has a single class: nothing speaks for the weights
        return _single(_best_member(members, rows), members, rows)
    score_optimistic = rows.score(_mean(member_weights, members))
    return EnsembleSelection(member_weights, score, score_optimistic, n_steps, crossed)


def _best_member(members: list[Floats], rows: _Rows) -> int:
    """Return the number of the best member; where no score is defined, the first without NaN."""
    scores = np.array([rows.score(member) for member in members])
    if np.isnan(scores).all():
        return int(np.argmax([not np.isnan(member).any() for member in members]))
    return int(np.nanargmax(scores))


def _single(best: int, members: list[Floats], rows: _Rows) -> EnsembleSelection:
    """Return one member alone."""
    weights = np.zeros(len(members))
    weights[best] = 1.0
    score = rows.score(members[best])
    return EnsembleSelection(weights, score, score, 1, members[best])


def _cross_fitted(members: list[Floats], rows: _Rows, limits: _Limits, seed: int) -> Floats:
    """Return predictions for each row by weights that were chosen on the other half."""
    first, second = cut_halves(rows.y, rows.metric, seed, rows.groups)
    crossed = np.full_like(members[0], np.nan)
    for chosen_on, used_on in ((first, second), (second, first)):
        weights, _ = _select(
            [member[chosen_on] for member in members], rows.take(chosen_on), limits
        )
        if weights.any():
            crossed[used_on] = _mean(weights, [member[used_on] for member in members])
    return crossed


def _mean(weights: Floats, members: list[Floats]) -> Floats:
    """Return the weighted mean of members, of which those without a weight may hold NaN."""
    pairs = zip(weights, members, strict=True)
    return np.asarray(sum(weight * member for weight, member in pairs if weight > 0.0))


def _select(members: list[Floats], rows: _Rows, limits: _Limits) -> tuple[Floats, int]:
    """Return greedy weights and the number of additions."""
    members, rows = rows.with_shared_row(members)
    if rows.metric.native and limits.share is None:
        weights, _, n_steps = greedy_ensemble(
            members,
            rows.y,
            rows.weights,
            rows.metric.name,
            limits.max_size,
            limits.n_threads,
            rows.quantile,
            limits.seconds,
            limits.look,
        )
    else:
        weights, _, n_steps = select_greedily(
            members, rows.score, limits.max_size, limits.lateness(), limits.share
        )
    return weights, n_steps
