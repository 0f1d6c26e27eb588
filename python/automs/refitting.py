"""An ensemble chosen on a hold-out -> its members trained again, on all rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from automs.candidates import Candidate
from automs.clock import Clock
from automs.encoding import Encoder
from automs.exact import train_exact
from automs.finish import Ensemble
from automs.first_models import set_constant
from automs.outcomes import FoldNetwork, JobState
from automs.search import Trial
from automs.seeds import derive_seed
from automs.splits import Split
from automs.table import Table
from automs.training import Training

__all__ = ["most_networks", "refit", "refit_seconds"]

logger = logging.getLogger("automs")

#: A training on all rows may take so much longer than its time on fewer tells.
_REFIT_MARGIN = 1.2
#: Networks for each step of the selection, at most, where time is left after a hold-out.
_NETWORKS_FOR_EACH = 2


@dataclass(frozen=True, slots=True)
class _Planned:
    """A network to train as a trial was, and the seconds that it is expected to take."""

    trial: Trial
    candidate: Candidate
    seconds: float


#: Networks by their encoder in the hold-out.
_Round = dict[Encoder, list[_Planned]]


def most_networks(ensemble_size: int) -> int:
    """Give how many candidates, further seeds among them, an ensemble of so many steps may have."""
    return _NETWORKS_FOR_EACH * ensemble_size if ensemble_size > 1 else 1


def _growth(training: Training) -> float:
    """Give how many times the training rows of the hold-out all rows are."""
    return 1.0 + training.splits[0].validation_rows.size / training.splits[0].train_rows.size


def _side_by_side(seconds: Sequence[float], n_threads: int) -> float:
    return max(sum(seconds) / n_threads, *seconds)


def refit_seconds(training: Training, members: Sequence[float]) -> float:
    """Give what training members of so many seconds again takes, side by side on all threads."""
    return _REFIT_MARGIN * _growth(training) * _side_by_side(members, training.n_threads)


def refit(
    training: Training, table: Table, ensemble: Ensemble, clock: Clock, n_networks: int = 0
) -> dict[int, list[FoldNetwork]]:
    """Train members again on all rows, each to the epoch that validation chose, as time allows.

    Members of the greatest weight come first; those whose time is not left keep the network of
    the hold-out. Under a time limit what is left then goes to further seeds of them, whose
    networks are averaged.

    Parameters
    ----------
    training : Training
        With one fold.
    table : Table
    ensemble : Ensemble
    clock : Clock
    n_networks : int, default=0
        Candidates of the model, at most, with further seeds; of each there are all members.

    Returns
    -------
    dict of int to list of FoldNetwork
        By the member's number, for those that were trained again.

    Notes
    -----
    Members train in rounds, each of as many encodings as `Memory.refit_bytes` has room for, whose
    views take the place of those of the search, and are let go after the round.
    """
    rounds = _Rounds(training, table, clock)
    done = rounds.train(_members(rounds, ensemble))
    if len(done) < len(ensemble.members):
        logger.info("%d of %d members trained again on all rows", len(done), len(ensemble.members))
    if clock.time_left() is not None:
        for number, networks in rounds.train(_seeds(rounds, ensemble, done, n_networks)).items():
            done[number] += networks
    return done


def _members(rounds: _Rounds, ensemble: Ensemble) -> list[_Planned]:
    """Give the members that there is time and memory to train again."""
    growth = _growth(rounds.training)
    planned: list[_Planned] = []
    for trial in ensemble.members:
        expected = _REFIT_MARGIN * growth * trial.progress.seconds
        wanted = [*planned, _Planned(trial, trial.candidate, expected)]
        if rounds.allow(wanted):
            planned = wanted
    return planned


def _seeds(
    rounds: _Rounds, ensemble: Ensemble, done: dict[int, list[FoldNetwork]], n_networks: int
) -> list[_Planned]:
    """Give networks that time is left for, always of the member with the most weight for each."""
    nets = {trial.number: trial for trial in ensemble.members if trial.solver == "gradient"}
    weights = {t.number: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
    counts = {number: len(networks) for number, networks in done.items() if number in nets}
    room = n_networks - len(ensemble.members)
    planned: list[_Planned] = []
    while counts and len(planned) < room:
        number = max(counts, key=lambda n: weights[n] / counts[n])
        candidate = nets[number].candidate
        seed = derive_seed(candidate.seed or 0, counts[number])
        expected = _REFIT_MARGIN * rounds.seconds[candidate]
        wanted = [*planned, _Planned(nets[number], replace(candidate, seed=seed), expected)]
        if not rounds.allow(wanted):
            del counts[number]
            continue
        planned = wanted
        counts[number] += candidate.n_members
    return planned


class _Rounds:
    """Trains networks on all rows, those of some encodings at a time.

    Attributes
    ----------
    training : Training
        Of the hold-out.
    seconds : dict of Candidate to float
        What those took that were trained.
    """

    def __init__(self, training: Training, table: Table, clock: Clock) -> None:
        self.training = training
        self.seconds: dict[Candidate, float] = {}
        self._table = table
        self._clock = clock
        self._again: Training | None = None
        self._encoded: set[Encoder] = set()  # what `_again` has views of

    def allow(self, planned: Sequence[_Planned]) -> bool:
        """Whether there is memory for each round of these, and time for all of them."""
        rounds = self._part(planned)
        if not all(self.training.memory.has_room(self._n_bytes(of)) for of in rounds):
            return False
        n_views = sum(len(of) for of in rounds if not of.keys() <= self._encoded)
        # Those of the hold-out may have to be made again, for what is told of the model.
        n_views += len(set().union(*rounds))
        encoding = n_views * _REFIT_MARGIN * _growth(self.training) * self.training.views.seconds
        expected = ([each.seconds for group in of.values() for each in group] for of in rounds)
        training = sum(_side_by_side(seconds, self.training.n_threads) for seconds in expected)
        return training <= self._clock.remaining(encoding)

    def train(self, planned: Sequence[_Planned]) -> dict[int, list[FoldNetwork]]:
        """Give the networks of those that arrived at their epochs, by the trial's number."""
        done: dict[int, list[FoldNetwork]] = {}
        for of in self._part(planned):
            if self._clock.remaining() <= 0.0:
                break
            if self._again is None or not of.keys() <= self._encoded:
                self._again = None  # its views go before others come
                self.training.views.make_room(self._n_bytes(of))
                self._again, self._encoded = self._on_all_rows(), set(of)
            self._train(self._again, [each for group in of.values() for each in group], done)
        return done

    def _part(self, planned: Sequence[_Planned]) -> list[_Round]:
        """Part networks by their encodings, as many in a round as there is room for.

        What is encoded comes first.
        """
        groups: _Round = {}
        for each in planned:
            encoder = self.training.views.encoder(0, each.candidate)
            groups.setdefault(encoder, []).append(each)
        rounds: list[_Round] = []
        for encoder in sorted(groups, key=lambda encoder: encoder not in self._encoded):
            group = groups[encoder]
            if not rounds or not self._is_room({**rounds[-1], encoder: group}):
                rounds.append({})
            rounds[-1][encoder] = group
        return rounds

    def _is_room(self, of: _Round) -> bool:
        return self._n_bytes(of) <= self.training.memory.refit_bytes

    def _n_bytes(self, of: _Round) -> int:
        """Give what the views of a round take."""
        return sum(self.training.view(0, group[0].candidate).n_bytes for group in of.values())

    def _on_all_rows(self) -> Training:
        rows = np.arange(len(self._table.values), dtype=np.int32)
        of = self.training
        return Training(
            self._table,
            of.target,
            [Split(rows, np.empty(0, dtype=np.int32))],
            of.metric,
            sample_weight=of.sample_weight,
            class_weight=of.class_weight,
            n_threads=of.n_threads,
            memory=copy(of.memory),  # what is taken of it goes with the views
        )

    def _train(
        self, again: Training, planned: Sequence[_Planned], done: dict[int, list[FoldNetwork]]
    ) -> None:
        """Train a round; add what arrived."""
        clock = self._clock
        planned = sorted(planned, key=lambda each: each.trial.solver != "gradient")
        epochs = [max(each.trial.progress.best_epochs) for each in planned]
        first = again.add([each.candidate for each in planned])
        n_nets = sum(each.trial.solver == "gradient" for each in planned)
        again.run(range(first, first + n_nets), epochs[:n_nets], clock.time_left(), clock.look)
        for number, (epoch, each) in enumerate(zip(epochs, planned, strict=True), first):
            if each.trial.solver == "exact":
                train_exact(again, [number], clock.time_left(), clock.look, whole=True)
            elif each.trial.solver == "constant":
                set_constant(again, number)
            progress = again.progress([number])[0]
            self.seconds[each.candidate] = progress.seconds
            if progress.epoch >= epoch and progress.state is not JobState.DIVERGED:
                done.setdefault(each.trial.number, []).extend(again.networks(number))
