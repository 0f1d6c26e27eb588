"""Cached predictions and posterior weights -> their weighted mean, honestly scored."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automs.halves import cut_halves
from automs.scoring import Metric, score_predictions
from automs.strategies.base import Posterior
from automs.training import Training
from automs.trials import Trial

__all__ = ["average_by_posterior", "average_trials", "main_members"]

Floats = NDArray[np.float64]

#: A member with less than this share of the largest weight is left out.
_LEAST_SHARE = 0.01


def main_members(weights: dict[int, float], size: int) -> dict[int, float]:
    """Give the members that carry the mean, greatest weight first.

    Parameters
    ----------
    weights : dict of int to float
        By member, >= 0.
    size : int >= 1
        Members at most.

    Returns
    -------
    dict of int to float
        Those with at least a hundredth of the largest weight; sum 1.

    Examples
    --------
    >>> main_members({7: 0.25, 8: 0.001, 9: 0.75}, size=12)
    {9: 0.75, 7: 0.25}
    """
    ordered = sorted(weights, key=lambda member: (-weights[member], member))[:size]
    kept = [m for m in ordered if weights[m] >= _LEAST_SHARE * weights[ordered[0]]]
    total = sum(weights[member] for member in kept)
    return {member: weights[member] / total for member in kept}


def average_by_posterior(  # noqa: PLR0913  # the members, their rows, how they are scored
    predictions: list[Floats],
    weights: Floats,
    y: Floats,
    metric: Metric,
    inverse_temperature: float,
    *,
    sample_weight: Floats | None = None,
    quantile: float = 0.5,
    seed: int = 0,
    groups: NDArray[np.integer] | None = None,
) -> Floats:
    """Average members by posterior weights that the rows they predict had no part in.

    Posterior weights follow from the losses on all rows. For each of two random halves the
    members' weights are corrected to the losses on that half alone, ``exp(inverse_temperature *
    (score on the half - score on all rows))``, and predict the other half.

    Parameters
    ----------
    predictions : list of ndarray of shape (n_rows, n_columns), float64
        One array for each member, as `score_predictions` takes them.
    weights : ndarray of shape (n_members,), float64
        Posterior weights > 0.
    y : ndarray of shape (n_rows, n_outputs), float64
        True values, or class indices as floats.
    metric : Metric
    inverse_temperature : float
        In units of one over the score.
    sample_weight : ndarray of shape (n_rows,), float64, optional
    quantile : float, default=0.5
        Read by pinball alone.
    seed : int, default=0
        Cuts the halves.
    groups : ndarray of int, shape (n_rows,), optional
        Rows of one group are in the same half.

    Returns
    -------
    ndarray of shape (n_rows, n_columns), float64
        For each row the mean by weights from the losses on the half that the row is not in.

    Examples
    --------
    >>> from automs.scoring import resolve_metric
    >>> y = np.arange(8.0)[:, None]
    >>> rmse = resolve_metric("rmse", "regression")
    >>> mean = average_by_posterior([y + 1.0, y - 1.0], np.array([0.5, 0.5]), y, rmse, 3.0)
    >>> bool(abs(mean - y).max() < 1e-12)
    True
    """

    def scores(rows: NDArray[np.intp] | slice) -> Floats:
        own = None if sample_weight is None else sample_weight[rows]
        return np.array(
            [score_predictions(metric, m[rows], y[rows], own, quantile) for m in predictions]
        )

    on_all = scores(slice(None))
    crossed: Floats = np.empty_like(predictions[0])
    halves = cut_halves(y, metric, seed, groups)
    for chosen_on, used_on in (halves, halves[::-1]):
        shift = inverse_temperature * (scores(chosen_on) - on_all)
        # A score that is not defined on the half says nothing against the weight.
        log_weights = np.log(weights) + np.where(np.isfinite(shift), shift, 0.0)
        half_weights = np.exp(log_weights - log_weights.max())
        half_weights /= half_weights.sum()
        crossed[used_on] = sum(
            weight * member[used_on]
            for weight, member in zip(half_weights, predictions, strict=True)
        )
    return crossed


def average_trials(
    training: Training, trials: Sequence[Trial], posterior: Posterior, size: int, seed: int
) -> tuple[list[Trial], list[float], Floats] | None:
    """Average trials by a strategy's posterior weights, given by number in the training.

    Returns
    -------
    members, weights, predictions : list of Trial, list of float, ndarray, or None
        Greatest weight first, and for the validation rows of all folds what
        `average_by_posterior` gives; None where no trial has weight.
    """
    by_number = {trial.number: trial for trial in trials}
    usable = {n: weight for n, weight in posterior.weights.items() if n in by_number}
    if not any(usable.values()):
        return None
    chosen = main_members(usable, size)
    members = [by_number[number] for number in chosen]
    rows = np.concatenate([split.validation_rows for split in training.splits])
    weights = training.sample_weight
    predictions = average_by_posterior(
        [np.concatenate(folds) for folds in training.validation_predictions(list(chosen))],
        np.array(list(chosen.values())),
        training.target.values[rows],
        training.metric,
        posterior.inverse_temperature,
        sample_weight=None if weights is None else weights[rows],
        quantile=members[0].candidate.quantile,
        seed=seed,
        groups=training.validation_groups(),
    )
    return members, list(chosen.values()), predictions
