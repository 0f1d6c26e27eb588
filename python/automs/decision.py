"""A training and the chosen ensemble -> how its outputs become predictions: `Decision`.

Temperature of probabilities, factors of labels, bounds of values: each is found on validation
rows, by predictions of networks that were not trained on them, and kept only where it helps there.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.calibration import CalibratedRows, fit_temperature
from automs.clock import Clock
from automs.finish import Ensemble
from automs.outcomes import FoldNetwork
from automs.thresholds import fit_label_factors
from automs.training import Training

__all__ = ["Decision", "make_decision"]

logger = logging.getLogger("automs")

#: Steps over a probability that finding a temperature takes, and over its square for factors.
_TEMPERATURE_STEPS = 30
_FACTOR_STEPS = 20
#: What one of them takes at most, in seconds; and the share of the time left that may be spent.
_STEP_SECONDS = 3e-8
_SHARE = 0.5
#: What bounds may cost on validation rows, as a share of the score: less than this is an accident
#: of which rows hold the extremes, and bounds guard against rows unlike any of them.
_PRICE_OF_BOUNDS = 0.005
#: Labels of more classes are left as they are: too few rows would choose each factor, and the cost
#: of a search, which no clock ends, grows with the third power of their number.
_MOST_CLASSES = 30
#: More steps than these are never taken: every k-th row is read then.
_MOST_STEPS = 200_000_000

Values = npt.NDArray[np.float64]
Predictions = list[list[Values]]


@dataclass(frozen=True, slots=True)
class Decision:
    """How an ensemble's outputs become predictions.

    Attributes
    ----------
    fold_scores : ndarray of float64, shape (n_folds,)
        Of predictions by what rows of the other half say.
    temperature : float
        What logits are divided by.
    label_factors : ndarray of float64, shape (n_classes,), or None
        What multiplies probabilities where a label is chosen.
    bounded : bool
        Whether values keep within the range of the target in training.
    notes : dict
        The same as plain values, with scores, for the model file.
    """

    fold_scores: Values
    temperature: float = 1.0
    label_factors: Values | None = None
    bounded: bool = False
    notes: dict[str, Any] = field(default_factory=dict)

    def applied(self, networks: Sequence[FoldNetwork]) -> list[FoldNetwork]:
        """Give networks as the model holds them: logits by temperature, bounds where wanted."""
        return [self._applied(network) for network in networks]

    def _applied(self, network: FoldNetwork) -> FoldNetwork:
        network = replace(network, bounded=self.bounded or network.bounded)
        if self.temperature == 1.0:
            return network
        weights, biases = list(network.weights), list(network.biases)
        weights[-1] = (weights[-1] / self.temperature).astype(np.float32)
        biases[-1] = (biases[-1] / self.temperature).astype(np.float32)
        return replace(network, weights=weights, biases=biases)


def make_decision(
    training: Training,
    ensemble: Ensemble,
    seed: int,
    clock: Clock,
    predictions: Predictions | None = None,
) -> Decision:
    """Find what the metric calls for.

    Metrics that read how large probabilities are call for a temperature, metrics of labels for
    factors, those of values for bounds. The rest, functions among them, is left as it is.

    Parameters
    ----------
    training : Training
        With the members' weights.
    ensemble : Ensemble
    seed : int
        Cuts the rows into halves.
    clock : Clock
        Where half of the time left may be too short, probabilities are left as they are.
    predictions : list of lists of ndarray, optional
        Of members that are no candidates of the training: for each one, and each fold, what a
        network that was trained on neither the fold's validation rows nor their true values
        predicts for them.

    Returns
    -------
    Decision
    """
    metric = training.metric
    plain = Decision(ensemble.fold_scores, bounded=metric.has_domain)
    is_regression = training.target.classes is None
    if not is_regression and not (metric.reads_sizes or metric.reads_labels):
        return plain
    n_rows = sum(split.validation_rows.size for split in training.splits)
    has_time = n_rows > 0 and clock.remaining() > 0.0
    if not has_time or _is_slow(training, ensemble, clock, predictions):
        return plain
    if is_regression:
        return _bound(training, ensemble, predictions)
    n_classes = training.target.n_outputs
    if metric.reads_labels and n_classes > _MOST_CLASSES:
        return plain
    by_row = _TEMPERATURE_STEPS * n_classes * len(ensemble.members)
    if metric.reads_labels:
        by_row = _FACTOR_STEPS * n_classes**2
    steps = min(by_row * n_rows, _MOST_STEPS)
    if _STEP_SECONDS * steps > _SHARE * clock.remaining():
        logger.info("no time to choose how probabilities are read")
        return plain
    every = max(1, -(-by_row * n_rows // _MOST_STEPS))
    decide = _weigh_labels if metric.reads_labels else _temper
    rows = _rows(training, ensemble, every, predictions)
    return decide(training, ensemble, seed, every, rows)


def _scored(ensemble: Ensemble) -> int:
    """Give the candidate by whose settings predictions are scored."""
    return max(ensemble.members[0].number, 0)


def _by_member(training: Training, ensemble: Ensemble, own: Predictions | None) -> Predictions:
    if own is not None:
        return own
    return training.validation_predictions([trial.number for trial in ensemble.members])


def _is_slow(training: Training, ensemble: Ensemble, clock: Clock, own: Predictions | None) -> bool:
    """Whether predicting and scoring validation rows would take too much of the time left."""
    if math.isinf(clock.remaining()):
        return False
    first = replace(ensemble, members=ensemble.members[:1])
    training.held.hold([first.members[0].number])
    started = clock.elapsed()
    training.fold_scores(_scored(first), _by_member(training, first, own)[0])
    expected = (1 + len(ensemble.members)) * (clock.elapsed() - started)
    if own is None:
        expected += training.held.seconds_for([trial.number for trial in ensemble.members])
    return expected > _SHARE * clock.remaining()


def _rows(
    training: Training, ensemble: Ensemble, every: int, own_predictions: Predictions | None
) -> CalibratedRows:
    """Give every k-th validation row of all folds, with what each member predicts."""
    by_member = _by_member(training, ensemble, own_predictions)
    rows = np.concatenate([split.validation_rows for split in training.splits])[::every]
    own = training.sample_weight
    return CalibratedRows(
        [np.concatenate(folds)[::every] for folds in by_member],
        ensemble.weights,
        training.target.values[rows, 0].astype(np.int64),
        None if own is None else own[rows],
        training.validation_groups()[::every],
    )


def _moved_scores(
    training: Training, ensemble: Ensemble, before: Values, after: Sequence[Values], every: int
) -> Values:
    """Move the ensemble's scores by what a decision does to those of all rows.

    The ensemble's own scores are of rows that did not choose its weights, and stay so. Where not
    all rows are there, they stay as they are.
    """
    if every > 1:
        return ensemble.fold_scores
    ends = np.cumsum([split.validation_rows.size for split in training.splits])[:-1]
    first = _scored(ensemble)

    def by_fold(predictions: Values) -> Values:
        return training.fold_scores(first, np.split(predictions, ends))

    return _shifted(
        ensemble.fold_scores, np.mean([by_fold(each) for each in after], axis=0) - by_fold(before)
    )


def _shifted(scores: Values, by: Values) -> Values:
    return scores + np.where(np.isfinite(by), by, 0.0)


def _temper(
    training: Training, ensemble: Ensemble, seed: int, every: int, rows: CalibratedRows
) -> Decision:
    found = fit_temperature(rows, training.metric, seed)
    if found is None:
        return Decision(ensemble.fold_scores)
    notes = {
        "temperature": found.value,
        "temperature_scores": [found.plain_score, found.score],
    }
    fold_scores = _moved_scores(training, ensemble, rows.mean(), [found.crossed], every)
    return Decision(fold_scores, temperature=found.value, notes=notes)


def _weigh_labels(
    training: Training, ensemble: Ensemble, seed: int, every: int, rows: CalibratedRows
) -> Decision:
    found = fit_label_factors(
        rows.mean(),
        rows.y,
        training.metric,
        weights=rows.row_weights,
        groups=rows.groups,
        seed=seed % 2**32,
    )
    if found is None:
        return Decision(ensemble.fold_scores)
    fold_scores = _moved_scores(training, ensemble, rows.mean(), found.crossed, every)
    notes: dict[str, Any] = {
        "label_factors": found.values.tolist(),
        "label_scores": [found.plain_score, found.score],
    }
    return Decision(fold_scores, label_factors=found.values, notes=notes)


def _bound(training: Training, ensemble: Ensemble, own: Predictions | None) -> Decision:
    """Keep values within the target's range, unless scores say that they go beyond it."""
    by_member = _by_member(training, ensemble, own)
    free, held = (
        _fold_scores(training, ensemble, by_member, bounded=bounded) for bounded in (False, True)
    )
    before, after = (_mean(scores) for scores in (free, held))
    bounded = after >= before - _PRICE_OF_BOUNDS * abs(before)
    fold_scores = _shifted(ensemble.fold_scores, held - free if bounded else 0.0 * free)
    return Decision(fold_scores, bounded=bounded, notes={"bounded": bounded})


def _mean(scores: Values) -> float:
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else -np.inf


def _fold_scores(
    training: Training, ensemble: Ensemble, by_member: list[list[Values]], *, bounded: bool
) -> Values:
    """Score the ensemble, each member's values within the range of its training rows or not."""
    means = []
    for fold in training.folds:
        allowed = training.target_range(fold) if bounded else None
        mean = np.zeros_like(by_member[0][fold])
        for weight, folds in zip(ensemble.weights, by_member, strict=True):
            own = folds[fold] if allowed is None else np.clip(folds[fold], *allowed)
            mean += weight * own
        means.append(mean)
    return training.fold_scores(_scored(ensemble), means)
