"""The model's and the baselines' predictions -> whether one is ahead, by more than noise."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automs.baseline_problem import BaselineResult
from automs.board_rows import mean_score
from automs.finish import Ensemble
from automs.part_scores import n_disjoint
from automs.scoring import score_predictions
from automs.seeds import derive_seed, keyed_rng
from automs.training import Training

__all__ = ["Comparison", "compare_with_baselines"]

#: Rows that a bootstrap draws from, and how often it draws; seldom for a metric in Python, which
#: may take long.
_BOOTSTRAP_ROWS = 2_000
_N_RESAMPLES = 200
_N_RESAMPLES_BY_FUNCTION = 20
_PURPOSE = 0xBA5E

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The best baseline beside the model: scores (higher is better) and noise of the difference.

    Attributes
    ----------
    name : str
        Of the baseline.
    baseline_score, model_score : float
    noise : float
        Standard error of the difference; NaN where there is nothing to tell it from.
    """

    name: str
    baseline_score: float
    model_score: float
    noise: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the baseline is ahead by more than the noise."""
        return self.baseline_score - self.model_score > self.noise


def compare_with_baselines(
    training: Training, ensemble: Ensemble, results: Sequence[BaselineResult], seed: int
) -> Comparison | None:
    """Compare the model with the best baseline; None where none is ahead of it.

    Parameters
    ----------
    training : Training
        With the members' weights.
    ensemble : Ensemble
    results : sequence of BaselineResult
    seed : int
        Of the bootstrap.

    Notes
    -----
    The noise is a standard error of paired differences: with folds, of the differences fold by
    fold (deviation over the root of their number); after a hold-out, the deviation of the
    difference over 200 draws with replacement of at most 2,000 validation rows, times the root of
    their share in all of them.
    """
    best: tuple[float, BaselineResult, Values] | None = None
    for result in results:
        if result.predictions is None:
            continue
        scores = training.fold_scores(0, result.predictions)
        score = mean_score(scores)
        if math.isfinite(score) and (best is None or score > best[0]):
            best = (score, result, scores)
    model_score = mean_score(ensemble.fold_scores)
    if best is None or not best[0] > model_score:
        return None
    score, result, scores = best
    if len(scores) > 1:
        disjoint = slice(n_disjoint(training.splits))  # folds drawn again tell nothing new of it
        noise = _fold_noise((scores - ensemble.fold_scores)[disjoint])
    else:
        noise = _bootstrap_noise(training, ensemble, result, seed)
    return Comparison(result.name, score, model_score, noise)


def _fold_noise(differences: Values) -> float:
    finite = differences[np.isfinite(differences)]
    if finite.size < 2:
        return math.nan
    return float(np.std(finite, ddof=1) / math.sqrt(finite.size))


def _bootstrap_noise(
    training: Training, ensemble: Ensemble, result: BaselineResult, seed: int
) -> float:
    all_rows = training.splits[0].validation_rows
    if result.predictions is None or len(all_rows) < 2:
        return math.nan
    rng = keyed_rng(derive_seed(seed, _PURPOSE))
    at = np.sort(rng.permutation(len(all_rows))[:_BOOTSTRAP_ROWS])
    members = training.validation_predictions([trial.number for trial in ensemble.members])
    ours = np.zeros_like(members[0][0][at])
    for weight, folds in zip(ensemble.weights, members, strict=True):
        ours += weight * folds[0][at]
    theirs = result.predictions[0][at]
    n_resamples = _N_RESAMPLES if training.metric.native else _N_RESAMPLES_BY_FUNCTION
    differences = np.full(n_resamples, np.nan)
    for number in range(n_resamples):
        drawn = rng.integers(at.size, size=at.size)
        rows = all_rows[at[drawn]]
        # A function may not know what to do with rows of one class: that draw tells nothing.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores = [_score(training, p[drawn], rows) for p in (theirs, ours)]
            differences[number] = scores[0] - scores[1]
    finite = differences[np.isfinite(differences)]
    if finite.size < 2:
        return math.nan
    return float(np.std(finite, ddof=1) * math.sqrt(at.size / len(all_rows)))


def _score(training: Training, predictions: Values, rows: npt.NDArray[np.int32]) -> float:
    weights = None if training.sample_weight is None else training.sample_weight[rows]
    quantile = training.candidates[0].quantile
    y = training.target.values[rows]
    return score_predictions(training.metric, predictions, y, weights, quantile)
