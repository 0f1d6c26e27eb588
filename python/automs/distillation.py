"""An ensemble and pupils' settings -> one network that predicts as the ensemble does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.clock import Clock
from automs.finish import Ensemble
from automs.outcomes import FoldNetwork, JobState
from automs.packing import build_predictor
from automs.scoring import resolve_metric
from automs.splits import Split
from automs.table import Table
from automs.target import Target
from automs.training import Training

__all__ = ["Distilled", "distill"]

#: Probabilities are bounded to this before their logarithms are learned: beyond it they hardly
#: change a score, and squared differences of logarithms would be about nothing else.
_LEAST_PROBABILITY = 1e-3
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distilled:
    """A network that learned from an ensemble.

    Attributes
    ----------
    candidate : Candidate
    network : FoldNetwork
        Trained on all rows.
    fold_scores : ndarray of float64, shape (n_folds,)
        Of the folds' pupils, on rows that neither they nor their teachers were trained on.
    predictions : list of ndarray of shape (n_validation_rows, n_outputs)
        Theirs for these rows, fold by fold.
    seconds : float
        Training time.
    epochs : int
    """

    candidate: Candidate
    network: FoldNetwork
    fold_scores: Values
    predictions: list[Values]
    seconds: float
    epochs: int


@dataclass(frozen=True, slots=True)
class _Class:
    """A training of pupils on a teacher's predictions, and how far they came."""

    training: Training
    errors: Values  # (n_pupils,), inf for those that are of no use
    epochs: list[int]  # (n_pupils,), the best ones
    seconds: float


def distill(
    training: Training,
    table: Table,
    teacher: Ensemble,
    candidates: Sequence[Candidate],
    clock: Clock,
) -> Distilled | None:
    """Train one network on what an ensemble predicts for the training rows.

    Parameters
    ----------
    training : Training
        With the members' weights.
    table : Table
    teacher : Ensemble
    candidates : sequence of Candidate
        Pupils; the one nearest to the teachers on rows that trained neither is taken.
    clock : Clock

    Returns
    -------
    Distilled or None
        None where there is no pupil, or not the time or memory for it.

    Notes
    -----
    For its score, a pupil of each fold learns from the teacher's networks of that fold alone, on
    that fold's training rows, and is scored on its validation rows, whose true values neither has
    seen; the network that is given learns from the whole teacher on all rows, for as many epochs
    as were best. The teacher's weights in the ensemble are the one thing that validation rows had
    a part in.

    Regressions learn predicted values. Classes are learned as the logarithms of the predicted
    probabilities, centred (for two classes their difference), by squared error: what a teacher
    says has no noise, so the minimum is the teacher itself, and unlike labels a logarithm tells
    apart the classes that the teacher holds for unlikely.

    References
    ----------
    C. Bucilă, R. Caruana, A. Niculescu-Mizil, "Model compression", 2006. J. Ba, R. Caruana, "Do
    deep nets really need to be deep?", 2014, arXiv 1312.6184, section 2.2: squared error on logits.
    """
    school = _School(training, table, clock)
    if not candidates or not school.has_room(candidates):
        return None
    classes = []
    for fold, split in enumerate(training.splits):
        share = 1.0 / (training.n_folds + 1 - fold)
        taught = school.teach(school.wisdom(teacher, [fold]), split, candidates, share)
        if taught is None:
            return None
        classes.append(taught)
    best = int(np.argmin(np.mean([taught.errors for taught in classes], axis=0)))
    if not all(np.isfinite(taught.errors[best]) for taught in classes):
        return None
    examined = school.examine([taught.training.networks(best)[0] for taught in classes])
    scores = training.fold_scores(0, examined)
    rows = np.arange(len(table.values), dtype=np.int32)
    epochs = max(taught.epochs[best] for taught in classes)
    wisdom = school.wisdom(teacher, training.folds)
    last = school.teach(wisdom, Split(rows, rows[:0]), [candidates[best]], 1.0, epochs)
    if last is None or last.epochs[0] < epochs:
        return None
    network = school.as_model(last.training.networks(0)[0])
    seconds = last.seconds + sum(taught.seconds for taught in classes)
    return Distilled(candidates[best], network, scores, examined, seconds, epochs)


class _School:
    """Asks teachers and trains pupils, on the rows of one table, as long as its clock allows."""

    def __init__(self, training: Training, table: Table, clock: Clock) -> None:
        self._training = training
        self._table = table
        self._clock = clock

    def has_room(self, candidates: Sequence[Candidate]) -> bool:
        """Whether memory has room for the views of pupils, which are made fold by fold."""
        n_values = {}
        for candidate in candidates:
            n_features, tables, bins, slots, _ = self._training.feature_counts(candidate)
            n_dense = n_features - sum(bins) - sum(slots)
            # A binned column takes a bin and a fraction, whatever the number of its bins.
            own = n_dense + 2 * (len(bins) + len(slots)) + len(tables)
            n_values[candidate.encoding, candidate.embedding_size > 0] = own
        return self._training.memory.has_room(4 * len(self._table.values) * sum(n_values.values()))

    def wisdom(self, teacher: Ensemble, folds: Sequence[int]) -> Values:
        """Give what pupils learn of a teacher's networks of some folds, (n_rows, n_logits)."""
        members = []
        for trial, weight in zip(teacher.members, teacher.weights, strict=True):
            bounded = self._training.metric.has_domain
            networks = [
                replace(network, bounded=bounded or network.bounded)
                for network in self._training.networks(trial.number, folds)
            ]
            members.append((weight, networks))
        predicted = self._predicted(members, slice(None))
        if self._training.target.classes is None:
            return predicted
        logs = np.log(np.clip(predicted, _LEAST_PROBABILITY, 1.0))
        if self._training.target.n_logits == 1:
            return np.ascontiguousarray(logs[:, 1:] - logs[:, :1])
        return np.ascontiguousarray(logs - logs.mean(axis=1, keepdims=True))

    def teach(
        self,
        wisdom: Values,
        split: Split,
        candidates: Sequence[Candidate],
        share: float,
        epochs: int | None = None,
    ) -> _Class | None:
        """Train pupils on one split, in a share of the time that is left.

        Their best epoch is that nearest to the teacher on the validation rows; given `epochs`, it
        is the last of those.
        """
        left = self._clock.time_left()
        if left == 0.0:
            return None
        if any(candidate.loss == "poisson" for candidate in candidates):
            wisdom = np.maximum(wisdom, 0.0)  # a teacher of another loss may say less
        training = Training(
            self._table,
            Target("regression", wisdom, None, squeeze=False),
            [split],
            resolve_metric("rmse", "regression"),
            sample_weight=self._training.sample_weight,
            n_threads=self._training.n_threads,
        )
        training.add(candidates)
        numbers = range(len(candidates))
        until = [candidate.epochs if epochs is None else epochs for candidate in candidates]
        limit = None if left is None else share * left
        training.run(numbers, until, limit, self._clock.look)
        progress = training.progress(numbers)
        usable = [each.epoch > 0 and each.state is not JobState.DIVERGED for each in progress]
        if not any(usable):
            return None
        errors = [
            -each.score if fine and split.validation_rows.size else 0.0 if fine else np.inf
            for each, fine in zip(progress, usable, strict=True)
        ]
        return _Class(
            training,
            np.array(errors),
            [
                max(each.best_epochs) if split.validation_rows.size else each.epoch
                for each in progress
            ],
            sum(each.seconds for each in progress),
        )

    def examine(self, networks: Sequence[FoldNetwork]) -> list[Values]:
        """Give what each fold's pupil predicts for its validation rows."""
        predictions = []
        for fold, (split, network) in enumerate(zip(self._training.splits, networks, strict=True)):
            pupil = [self.as_model(network, self._training.target_range(fold))]
            predictions.append(self._predicted([(1.0, pupil)], split.validation_rows))
        return predictions

    def _predicted(self, members: Any, rows: Any) -> Values:
        training, table = self._training, self._table
        model = build_predictor(members, training.target, None, table.columns, {})
        many = model.predict if training.target.classes is None else model.predict_proba
        predicted: Values = many(table.values[rows], n_jobs=training.n_threads)
        return predicted.reshape(len(predicted), -1)

    def as_model(
        self, network: FoldNetwork, allowed: tuple[Values, Values] | None = None
    ) -> FoldNetwork:
        """Give a pupil's network with the outputs of the task: logarithms become probabilities.

        Values that a metric needs within its domain keep within `allowed`, by default the range
        of all rows.
        """
        target = self._training.target
        if target.classes is None:
            whole = (target.values.min(axis=0), target.values.max(axis=0))
            bounded = self._training.metric.has_domain
            return replace(network, target_range=allowed or whole, bounded=bounded)
        weights, biases = list(network.weights), list(network.biases)
        weights[-1] = (weights[-1] * network.output_scale).astype(np.float32)
        biases[-1] = (biases[-1] * network.output_scale + network.output_centre).astype(np.float32)
        return replace(
            network, weights=weights, biases=biases, output_centre=np.zeros(target.n_logits),
            output_scale=np.ones(target.n_logits),
            link="sigmoid" if target.n_logits == 1 else "softmax",
        )  # fmt: skip
