"""A table, a target and folds -> encoded views of them in the engine, made when first asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import numpy.typing as npt

from automs._core import Encoder, TrainJobs
from automs.candidates import Candidate, resolve_loss
from automs.encoding import fit_encoder
from automs.memory import Memory
from automs.splits import Split
from automs.target import Target

__all__ = ["FoldRows", "View", "Views"]

#: Training rows that an encoder is learned from, at most, evenly spaced: quantiles, means and
#: deviations of so many are as good, and a table of any size is read in a bounded time.
_MAX_LEARNED = 100_000

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FoldRows:
    """What is encoded: values (n_rows, n_columns), the target, weights (n_rows), and the folds."""

    values: Values
    target: Target
    sample_weight: Values | None
    splits: list[Split]


@dataclass(frozen=True, slots=True)
class View:
    """A fold in one encoding: its number in the engine and what was learned from its rows."""

    number: int
    encoder: Encoder
    X: npt.NDArray[np.float32]
    output_centre: Values
    output_scale: Values


class Views:
    """Makes and keeps views, one for each fold, encoding and scale of the target.

    Parameters
    ----------
    rows : FoldRows
    jobs : TrainJobs
        The engine that they are added to.
    memory : Memory
        What they are counted against.
    n_threads : int

    Attributes
    ----------
    seconds : float
        What making one took, at most.
    """

    def __init__(self, rows: FoldRows, jobs: TrainJobs, memory: Memory, n_threads: int) -> None:
        self.seconds = 0.0
        self._rows = rows
        self._jobs = jobs
        self._memory = memory
        self._n_threads = n_threads
        self._views: dict[tuple[int, str, bool], View] = {}
        self._refused: set[str] = set()

    def view(self, fold: int, candidate: Candidate) -> View:
        """Give a fold's encoded table and target as this candidate sees them."""
        poisson = resolve_loss(candidate.loss, self._rows.target.task) == "poisson"
        key = (fold, candidate.encoding, poisson)
        if key not in self._views:
            self._views[key] = self._make(*key)
        return self._views[key]

    def n_affordable_folds(self, seconds: float) -> int:
        """Make the first view; give how many folds memory and so much time allow, at least 1."""
        n_bytes = self.view(0, Candidate(encoding="standard")).X.nbytes
        wanted = len(self._rows.splits) - 1
        in_time = max(seconds, 0.0) / max(self.seconds, 1e-9)
        return 1 + min(self._memory.n_more(n_bytes, wanted), int(min(in_time, wanted)))

    def affordable(self, candidate: Candidate, seconds: float) -> Candidate:
        """Give a candidate whose views are there, or can be made in the memory and time left.

        That is the candidate itself, or else with the encoding of the view that was made first.
        """
        made = list(dict.fromkeys(encoding for _, encoding, _ in self._views))
        if not made or candidate.encoding in made:
            return candidate
        n_folds = len(self._rows.splits)
        if candidate.encoding not in self._refused and n_folds * self.seconds <= seconds:
            learned = self._fit_encoder(0, candidate.encoding)
            if self._memory.has_room(n_folds * self._n_bytes(learned)):
                return candidate
            self._refused.add(candidate.encoding)
        return replace(candidate, encoding=made[0])

    def _make(self, fold: int, encoding: str, poisson: bool) -> View:
        started = perf_counter()
        twin = self._views.get((fold, encoding, not poisson))
        rows, split = self._rows, self._rows.splits[fold]
        encoder, X = (twin.encoder, twin.X) if twin else self._encode(fold, encoding)
        centre, scale = self._output_scale(split.train_rows, poisson)
        number = self._jobs.add_view(
            rows.target.task,
            rows.target.n_logits,
            X,
            rows.target.values,
            rows.sample_weight,
            split.train_rows,
            split.validation_rows,
            centre,
            scale,
        )
        self.seconds = max(self.seconds, perf_counter() - started)
        return View(number, encoder, X, centre, scale)

    def _encode(self, fold: int, encoding: str) -> tuple[Encoder, npt.NDArray[np.float32]]:
        encoder = self._fit_encoder(fold, encoding)
        take = self._memory.take_view if self._views else self._memory.take_first_view
        take(self._n_bytes(encoder))
        return encoder, encoder.encode(self._rows.values, self._n_threads)

    def _fit_encoder(self, fold: int, encoding: str) -> Encoder:
        train_rows = self._rows.splits[fold].train_rows
        if len(train_rows) > _MAX_LEARNED:
            spaced = np.linspace(0, len(train_rows) - 1, _MAX_LEARNED).astype(np.int64)
            train_rows = train_rows[spaced]
        return fit_encoder(self._rows.values, train_rows, encoding)

    def _n_bytes(self, encoder: Encoder) -> int:
        return 4 * len(self._rows.values) * encoder.n_features

    def _output_scale(self, rows: npt.NDArray[np.int32], poisson: bool) -> tuple[Values, Values]:
        """Mean and deviation of each target; for counts 0 and the mean; for classes 0 and 1."""
        target, sample_weight = self._rows.target, self._rows.sample_weight
        if target.classes is not None:
            return np.zeros(target.n_logits), np.ones(target.n_logits)
        y = target.values[rows]
        weights = None if sample_weight is None else sample_weight[rows]
        if weights is not None and not weights.any():
            weights = None
        # In units of about the largest magnitude, so that no square is too large or too small; a
        # power of two changes no bit of what follows.
        unit = np.ldexp(1.0, np.frexp(np.abs(y).max(axis=0))[1])
        y = y / unit
        mean = np.average(y, axis=0, weights=weights)
        if poisson:
            return np.zeros(target.n_logits), np.where(mean > 0, mean, 1.0) * unit
        deviation = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weights))
        constant = (y.max(axis=0) == y.min(axis=0)) | (deviation == 0)
        return mean * unit, np.where(constant, 1.0, deviation * unit)
