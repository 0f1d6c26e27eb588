"""Candidates, splits, a table and epochs to reach -> trained states, scores, curves and weights."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import TrainJobs
from automs.candidates import Candidate, as_single
from automs.columns import as_network, to_columns
from automs.held_jobs import HeldJobs
from automs.memory import Memory
from automs.outcomes import FoldNetwork, JobState, Progress, ProgressColumns, gather_folds
from automs.own_scores import OwnScores
from automs.scoring import Metric, score_predictions
from automs.setting_columns import SettingColumns
from automs.splits import Split
from automs.table import Table
from automs.target import Target
from automs.target_scale import ScaleKind, kind_of_scale, link_of
from automs.views import FoldRows, View, Views

__all__ = ["Training"]

Values = npt.NDArray[np.float64]


class Training:
    """Trains candidates on the folds of one table, in any order and as far as asked.

    Parameters
    ----------
    table : Table
    target : Target
    splits : sequence of Split
        A fold each; validation rows may be empty.
    metric : Metric
        Chooses each fold's best epoch where the engine knows it; else the loss does. Under
        coslog4 and cosine, without patience, one of the ends of coslog4's cycles is chosen.
    sample_weight : ndarray of float64, shape (n_rows,), optional
    class_weight : ndarray of float64, shape (n_classes,), optional
        Multiplies the weights of training rows; scores do not know it.
    n_threads : int, default=1
    memory : Memory, optional
        What encoded views are counted against; by default one without a limit.

    Notes
    -----
    Encodings are made when the first candidate asks for them, from each fold's training rows. A
    candidate's bits depend on its settings, its seed and the fold alone.
    """

    def __init__(  # noqa: PLR0913  # the rows, how they are scored, and limits
        self,
        table: Table,
        target: Target,
        splits: Sequence[Split],
        metric: Metric,
        *,
        sample_weight: Values | None = None,
        class_weight: Values | None = None,
        n_threads: int = 1,
        memory: Memory | None = None,
    ) -> None:
        self.target = target
        self.splits = list(splits)
        self.metric = metric
        self.sample_weight = sample_weight
        self.class_weight = class_weight
        self.n_threads = n_threads
        self._added: list[Candidate] = []
        self.candidates: Sequence[Candidate] = self._added
        self.memory = Memory(None) if memory is None else memory
        self._jobs = TrainJobs()
        self.own_scores = OwnScores()
        self._rows = FoldRows(table, target, sample_weight, self.splits, class_weight)
        self.views = Views(self._rows, self._jobs, self.memory, n_threads)
        self.held = HeldJobs(self._jobs, self.views)

    @property
    def folds(self) -> range:
        """The numbers of the splits."""
        return range(len(self.splits))

    @property
    def n_folds(self) -> int:
        """The number of splits: jobs of each candidate."""
        return len(self.splits)

    def keep_folds(self, n_folds: int) -> None:
        """Forget all folds but the first ones; before any candidate was added."""
        del self.splits[n_folds:]

    def add(self, candidates: Sequence[Candidate]) -> int:
        """Add candidates, whose seeds must be set, and give the number of the first.

        A candidate with optimizer "exact" is not trained here: its weights are put in with
        `set_weights`.
        """
        first, task = len(self.candidates), self.target.task
        trained = [as_network(candidate) for candidate in candidates]
        seeds = np.array([c.seed for c in candidates], dtype=np.uint64)
        self._jobs.add_candidates(to_columns(trained, seeds, task))
        views = [[self.view(fold, c).number for fold in self.folds] for c in candidates]
        self.held.add(np.array(views, dtype=np.int64).reshape(-1, self.n_folds))
        self._added.extend(candidates)
        return first

    def add_columns(self, columns: SettingColumns) -> None:
        """Add many candidates, in place of any others, without an object for each."""
        if self._added:
            raise ValueError("columns must come before any other candidate")
        n = len(columns)
        self._jobs.add_candidates(columns.engine_columns(self.target.task))
        views = np.empty((n, self.n_folds), dtype=np.int64)
        for numbers in columns.groups():
            one = columns[int(numbers[0])]
            views[numbers] = [self.view(fold, one).number for fold in self.folds]
        self.held.add(views)
        self.candidates = columns

    def train_weights(self, fold: int) -> Values | None:
        """Give the weights of a fold's training rows, in their order."""
        weights = self._rows.weights(fold)
        return None if weights is None else weights[self.splits[fold].train_rows]

    def weights_if_trained(self) -> Values | None:
        """Give each row's weight in a fold that trains on it."""
        return self._rows.weights(None)

    def view(self, fold: int, candidate: Candidate) -> View:
        """Give a fold's encoded table and target as this candidate sees them."""
        return self.views.view(fold, candidate)

    def n_parameters(self, candidate: int) -> int:
        """Give the number of weights, biases and values of tables of one fold's networks."""
        settings = self.candidates[candidate]
        return settings.n_parameters(*self._sizes(settings))

    def n_values(self, candidate: int) -> int:
        """Give how many values of each kind the states of all folds have, with padding."""
        return sum(self._jobs.n_values(int(job)) for job in self.job_numbers([candidate]))

    def _sizes(self, candidate: Candidate) -> tuple[int, int, list[int], int]:
        n_features, tables, _, _, n_periodic = self.feature_counts(candidate)
        return n_features, self.target.n_logits, tables, n_periodic

    def feature_counts(
        self, candidate: Candidate
    ) -> tuple[int, list[int], list[int], list[int], int]:
        """Give the first fold's features, rows of tables, bins, slots and scaled features."""
        encoder = self.views.encoder(0, candidate)
        bins, slots = ([n for _, n, slot in encoder.binned if slot == s] for s in (False, True))
        return encoder.n_features, encoder.embedding_rows, bins, slots, encoder.n_scaled

    def job_numbers(self, candidates: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Give the engine's job numbers of some candidates, fold by fold."""
        return self.held.numbers(candidates)

    def run(
        self,
        candidates: Sequence[int],
        until_epochs: npt.ArrayLike,
        time_limit: float | None = None,
        look: Callable[[], bool] | None = None,
    ) -> None:
        """Train candidates on until their epochs, all folds of all of them over the threads.

        `look` is called every few milliseconds and returns True to stop. A KeyboardInterrupt
        passes through once the threads have joined; whole epochs trained until then are kept.
        """
        metric = self.metric.name if self.metric.native else None
        self.held.run(candidates, until_epochs, self.n_threads, metric, time_limit, look)

    def set_weights(
        self, weights: Mapping[int, Sequence[npt.NDArray[np.float32]]], seconds: float
    ) -> None:
        """Give linear candidates their weights: a fold W (fan_in, fan_out) with b below it.

        Finding those of one took `seconds`, for all folds together.
        """
        metric = self.metric.name if self.metric.native else None
        jobs = self.job_numbers(list(weights))
        of_jobs = list(itertools.chain.from_iterable(weights.values()))
        for part in self.held.parts(jobs):
            for at in part:
                flat = np.ascontiguousarray(of_jobs[at], dtype=np.float32).ravel()
                self._jobs.set_weights(int(jobs[at]), flat, seconds / self.n_folds, metric)

    def progress(self, candidates: Sequence[int]) -> list[Progress]:
        """Give what has come of each of these candidates."""
        columns = self.progress_columns(candidates)
        return [columns[at] for at in range(len(candidates))]

    def progress_columns(self, candidates: Sequence[int]) -> ProgressColumns:
        """Give what has come of these candidates, as columns."""
        summary = self._jobs.summary(self.job_numbers(candidates))
        folds = {name: array.reshape(-1, self.n_folds) for name, array in summary.items()}
        validated = any(split.validation_rows.size for split in self.splits)
        columns = gather_folds(folds, validated=validated)
        if validated and not self.metric.native:
            trained = (folds["best_epoch"] > 0).all(axis=1) & (columns.state != JobState.DIVERGED)
            order = np.argsort(columns.loss, kind="stable")  # where time is short, the best first
            for at in order[trained[order]]:
                number, best_epochs = candidates[int(at)], tuple(folds["best_epoch"][at].tolist())
                columns.fold_scores[at] = self.own_scores.of(number, best_epochs, self._score)
        return columns

    def _score(self, number: int) -> Values:
        return self.fold_scores(number, self.validation_predictions([number])[0])

    def validation_predictions(self, candidates: Sequence[int]) -> list[list[Values]]:
        """Give each candidate's predictions, one array (n_validation_rows, n_outputs) a fold."""
        flat = self.held.validation_predictions(candidates, self.n_threads)
        if self.metric.has_domain:  # where a network's values may not be, bounds have to keep them
            ranges = [self.target_range(fold) for fold in self.folds] * len(candidates)
            flat = [p if r is None else np.clip(p, *r) for p, r in zip(flat, ranges, strict=True)]
        return [flat[i : i + self.n_folds] for i in range(0, len(flat), self.n_folds)]

    def target_range(self, fold: int) -> tuple[Values, Values] | None:
        """Give the least and greatest target of a fold's training rows; None for classes."""
        if self.target.classes is not None:
            return None
        weights, values = self.train_weights(fold), self.target.values
        values = values[self.splits[fold].train_rows]
        if weights is not None and weights.any():
            values = values[weights > 0.0]
        return values.min(axis=0), values.max(axis=0)

    def validation_groups(self) -> npt.NDArray[np.integer[Any]]:
        """Give the group of each fold's validation rows; a row's own number without groups."""
        groups = (split.validation_groups for split in self.splits)
        rows = (split.validation_rows for split in self.splits)
        return np.concatenate([r if g is None else g for r, g in zip(rows, groups, strict=True)])

    def fold_scores(self, candidate: int, predictions: Sequence[Values]) -> Values:
        """Score predictions, one array a fold, on the folds' validation rows."""
        return np.array(
            [self._fold_score(candidate, fold, p) for fold, p in enumerate(predictions)]
        )

    def _fold_score(self, candidate: int, fold: int, predictions: Values) -> float:
        rows = self.splits[fold].validation_rows
        weights = None if self.sample_weight is None else self.sample_weight[rows]
        y, quantile = self.target.values[rows], self.candidates[candidate].quantile
        return score_predictions(self.metric, predictions, y, weights, quantile)

    def curves(self, candidate: int) -> list[dict[str, Values]]:
        """Give for each fold the train loss, validation loss and validation score of each epoch."""
        return [self._jobs.curves(int(job)) for job in self.job_numbers([candidate])]

    def export_states(self, candidate: int) -> list[dict[str, Any]]:
        """Give each fold's state as plain numbers and arrays, the same for every CPU level."""
        return [self._jobs.export_state(int(job)) for job in self.job_numbers([candidate])]

    def import_states(self, candidate: int, states: Sequence[dict[str, Any]]) -> None:
        """Put exported states back, to go on from there to the same bits."""
        for job, state in zip(self.job_numbers([candidate]), states, strict=True):
            self._jobs.import_state(int(job), state)

    def settle(self, candidates: Sequence[int]) -> None:
        """Forget what only training on would need of candidates that will not go on."""
        self._jobs.settle(self.job_numbers(candidates))

    def restart(self, candidates: Sequence[int]) -> None:
        """Put candidates back to where they were before their first epoch."""
        self._jobs.restart(self.job_numbers(candidates))

    def release(self, candidates: Sequence[int]) -> None:
        """Forget the weights of candidates that will neither go on nor be used."""
        self._jobs.release(self.job_numbers(candidates))

    def networks(self, candidate: int, folds: Sequence[int] | None = None) -> list[FoldNetwork]:
        """Give the chosen networks of some folds, by default all: of each fold every member."""
        members = range(self.candidates[candidate].n_members)
        folds = self.folds if folds is None else folds
        return [self.network(candidate, f, m) for f in folds for m in members]

    def network(self, candidate: int, fold: int, member: int) -> FoldNetwork:
        """Give one of them."""
        task, settings = self.target.task, self.candidates[candidate]
        kind = kind_of_scale(settings.loss, task)
        job = int(self.job_numbers([candidate])[fold])
        weights, biases, embeddings, blends = self._jobs.weights(job, member)
        view = self.view(fold, settings)
        scale = view.target_scale
        weights[-1], biases[-1] = scale.absorb(weights[-1]), scale.absorb(biases[-1])
        return FoldNetwork(
            as_single(settings), view.encoder, weights, biases, scale.centre, scale.scale,
            link_of(task, kind), embeddings, blends, self._jobs.periodic(job),
            self.target_range(fold), kind is ScaleKind.LOGS,
        )  # fmt: skip
