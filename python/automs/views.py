"""A table, a target and folds -> encoded views of them in the engine, made when first asked for."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import Encoder, TrainJobs
from automs.candidates import Candidate
from automs.encoding import are_same, encode_values, fit_encoder
from automs.memory import Memory
from automs.setting_rules import SCALED_ENCODINGS
from automs.splits import Split
from automs.table import ColumnKind, Table
from automs.target import Target
from automs.target_scale import ScaleKind, TargetScale, fit_target_scale, kind_of_scale

__all__ = ["Features", "FoldRows", "View", "Views"]

Values = npt.NDArray[np.float64]
_Logs = tuple[npt.NDArray[np.float32], Values, Values, Values]
#: Fold, encoding, whether categories are embedded, the target's scale.
_Key = tuple[int, str, bool, ScaleKind]


@dataclass(frozen=True, slots=True)
class FoldRows:
    """What is encoded: the table, the target, weights (n_rows), the folds; factors of classes."""

    table: Table
    target: Target
    sample_weight: Values | None
    splits: list[Split]
    class_weight: Values | None = None

    def weights(self, fold: int | None) -> Values | None:
        """Give the weights of all rows: where a fold trains, times those of their classes.

        None for `fold` is a fold that trains on every row.
        """
        if self.class_weight is None:
            return self.sample_weight
        n_rows = len(self.target.values)
        weights = np.ones(n_rows) if self.sample_weight is None else self.sample_weight.copy()
        rows = np.arange(n_rows) if fold is None else self.splits[fold].train_rows
        weights[rows] *= self.class_weight[self.target.values[rows, 0].astype(np.int64)]
        return weights


@dataclass(frozen=True, slots=True)
class Features:
    """What an encoder makes of all rows of a table.

    X (n_rows, n_dense) holds the dense features, `codes` (n_rows, n_embedded) the rows of
    embedded categories in their tables. Of piecewise columns, and of one-hot ones of 5 slots and
    more, there are `bins` and `fractions` (n_rows, n_binned) instead of their features.
    """

    X: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    bins: npt.NDArray[np.uint16] | None = None
    fractions: npt.NDArray[np.float32] | None = None

    def of_engine(self) -> tuple[Any, ...]:
        """Give them as the engine takes them: without codes where nothing is embedded."""
        return self.X, self.codes if self.codes.shape[1] else None, self.bins, self.fractions


@dataclass(frozen=True, slots=True)
class View:
    """A fold in one encoding: its number in the engine and what was learned from its rows."""

    number: int
    encoder: Encoder
    target_scale: TargetScale
    n_bytes: int
    """What the encoded table takes."""

    @property
    def embedding_rows(self) -> list[int]:
        """The rows of each embedded column's table."""
        return self.encoder.embedding_rows


class Views:
    """Makes and keeps views, one for each fold, encoding and scale of the target.

    Their features are put away, the longest unused first, where all would take more than
    `Memory.view_bytes`, and made again, to the same bits, when they are asked for.

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
        self._views: dict[_Key, View] = {}
        self._made: list[View] = []  # by their numbers
        self._features: dict[Encoder, Features] = {}  # those that are there, the last used last
        self._encoders: dict[tuple[int, str, bool], Encoder] = {}
        self._refused: set[tuple[str, bool]] = set()
        kinds = {column.kind for column in rows.table.columns}
        self._has_categories = ColumnKind.CATEGORICAL in kinds

    def view(self, fold: int, candidate: Candidate) -> View:
        """Give a fold's encoded table and target as this candidate sees them."""
        kind = kind_of_scale(candidate.loss, self._rows.target.task)
        key = (fold, candidate.encoding, self._embeds(candidate), kind)
        if key not in self._views:
            self._views[key] = self._make(key)
        return self._views[key]

    def features(self, view: View) -> Features:
        """Give what a view's rows are encoded to; threads may ask for what is held."""
        if view.encoder not in self._features:
            self.hold([view])
        return self._features[view.encoder]

    def hold(self, views: Iterable[View]) -> None:
        """Have the features of these views there, all at once."""
        encoders = dict.fromkeys(view.encoder for view in views)
        for encoder in encoders:
            if encoder in self._features:
                self._features[encoder] = self._features.pop(encoder)
        for encoder in encoders:
            if encoder not in self._features:
                self._bring_back(encoder, encoders)

    def seconds_for(self, views: Iterable[View]) -> float:
        """Give what making the features of these views takes that are away."""
        return self.seconds * len({v.encoder for v in views} - self._features.keys())

    def make_room(self, n_bytes: float, beside: Container[Encoder] = ()) -> None:
        """Put features away until so many bytes more are within the bound, or all are away."""
        room = self._memory.view_bytes - n_bytes
        taken = sum(map(self._n_bytes, self._features))
        for encoder in list(self._features):
            if taken <= room:
                return
            if encoder not in beside:
                taken -= self._n_bytes(encoder)
                self._put_away(encoder)

    def in_parts(self, views: Iterable[View]) -> list[list[View]]:
        """Part views so that the features of a part may be there at once; one always may.

        Those whose features are there come first.
        """
        groups: dict[Encoder, list[View]] = {}
        for view in sorted(views, key=lambda view: view.encoder not in self._features):
            groups.setdefault(view.encoder, []).append(view)
        parts: list[list[View]] = []
        left = -math.inf
        for group in groups.values():
            left -= group[0].n_bytes
            if left < 0.0:
                parts.append([])
                left = self._memory.view_bytes - group[0].n_bytes
            parts[-1] += group
        return parts

    def numbered(self, number: int) -> View:
        """Give a view by its number in the engine."""
        return self._made[number]

    def encoder(self, fold: int, candidate: Candidate) -> Encoder:
        """Give the encoder of a fold as this candidate uses it, without a view of all rows."""
        return self._encoder(fold, candidate.encoding, self._embeds(candidate))

    def n_affordable_folds(self, seconds: float) -> int:
        """Make the first view; give how many folds memory and so much time allow, at least 1."""
        n_bytes = self.view(0, Candidate((), optimizer="exact", encoding="standard")).n_bytes
        wanted = len(self._rows.splits) - 1
        in_time = max(seconds, 0.0) / max(self.seconds, 1e-9)
        return 1 + min(self._memory.n_more(n_bytes, wanted), int(min(in_time, wanted)))

    def affordable(self, candidate: Candidate, seconds: float) -> Candidate:
        """Give a candidate whose views are there, or can be made in the memory and time left.

        That is the candidate itself, or else with the encoding of the view that was made first,
        and with embeddings as there.
        """
        wanted = (candidate.encoding, self._embeds(candidate))
        made = [(key[1], key[2]) for key in self._views]
        if not made or wanted in made:
            return candidate
        n_folds = len(self._rows.splits)
        if wanted not in self._refused and n_folds * self.seconds <= seconds:
            encoder = self.encoder(0, candidate)
            if any(view.encoder is encoder for view in self._views.values()):
                return candidate
            if self._memory.has_room(n_folds * self._n_bytes(encoder)):
                return candidate
            self._refused.add(wanted)
        encoding, embed = made[0]
        size = candidate.embedding_size if embed or not wanted[1] else 0
        numbers = candidate.numeric_embedding if encoding in SCALED_ENCODINGS else "none"
        return replace(candidate, encoding=encoding, embedding_size=size, numeric_embedding=numbers)

    def _make(self, key: _Key) -> View:
        started = perf_counter()
        fold, encoding, embed, kind = key
        rows, split = self._rows, self._rows.splits[fold]
        encoder = self._encoder(fold, encoding, embed)
        if encoder not in self._features:
            self._bring_back(encoder, ())
        X, codes, bins, fractions = self._features[encoder].of_engine()
        scale = fit_target_scale(rows.target, split.train_rows, rows.sample_weight, kind)
        number = self._jobs.add_view(
            rows.target.task,
            rows.target.n_logits,
            X,
            rows.target.values,
            rows.weights(fold),
            split.train_rows,
            split.validation_rows,
            scale.centre,
            scale.scale,
            codes,
            encoder.embedding_rows,
            bins,
            fractions,
            () if bins is None else encoder.binned,
            encoder.n_scaled,
            _logs(scale, rows.target.values),
        )
        self.seconds = max(self.seconds, perf_counter() - started)
        self._made.append(View(number, encoder, scale, self._n_bytes(encoder)))
        return self._made[number]

    def _bring_back(self, encoder: Encoder, beside: Container[Encoder]) -> None:
        """Encode all rows, for the views that there are and others to come."""
        views = [view for view in self._made if view.encoder is encoder]
        n_bytes = self._n_bytes(encoder)
        if not views:
            take = self._memory.take_view if self._made else self._memory.take_first_view
            take(n_bytes)
        self.make_room(n_bytes, beside)
        values, compact = self._rows.table.values, bool(encoder.binned)
        features = Features(*encode_values(encoder, values, self._n_threads, compact=compact))
        for view in views:
            self._jobs.bring_back(view.number, *features.of_engine())
        self._features[encoder] = features  # last: an interruption leaves them away

    def _put_away(self, encoder: Encoder) -> None:
        del self._features[encoder]
        for view in self._made:
            if view.encoder is encoder:
                self._jobs.put_away(view.number)

    def _encoder(self, fold: int, encoding: str, embed: bool) -> Encoder:
        """Give an encoder of a fold; those that make the same features are one."""
        key = (fold, encoding, embed)
        if key not in self._encoders:
            rows = self._rows.splits[fold].train_rows
            made = fit_encoder(self._rows.table, rows, encoding, embed=embed)
            others = [other for (of, _, _), other in self._encoders.items() if of == fold]
            self._encoders[key] = next((e for e in others if are_same(e, made)), made)
        return self._encoders[key]

    def _embeds(self, candidate: Candidate) -> bool:
        """Whether categories may be embedded; a closed form knows one-hot only."""
        embeds = candidate.embedding_size > 0 and candidate.optimizer != "exact"
        return self._has_categories and embeds

    def _n_bytes(self, encoder: Encoder) -> int:
        n_bytes = 4 * (encoder.n_features + encoder.n_embedded)
        # Two bytes for a bin and four for a fraction.
        n_bytes += sum(6 - 4 * n_bins for _, n_bins, _ in encoder.binned)
        return n_bytes * len(self._rows.table.values)


def _logs(scale: TargetScale, y: Values) -> _Logs | None:
    """Give what the engine wants of a target's logarithms; None for another scale."""
    if scale.log_deviation is None or scale.low is None or scale.high is None:
        return None
    return scale.encode(y).astype(np.float32), scale.log_deviation, scale.low, scale.high
