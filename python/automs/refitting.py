"""An ensemble chosen on a hold-out -> its members trained again, on all rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automs.candidates import Candidate
from automs.clock import Clock
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


def most_networks(ensemble_size: int) -> int:
    """Give how many candidates, further seeds among them, an ensemble of so many steps may have."""
    return _NETWORKS_FOR_EACH * ensemble_size if ensemble_size > 1 else 1


def _growth(training: Training) -> float:
    """Give how many times the training rows of the hold-out all rows are."""
    return 1.0 + training.splits[0].validation_rows.size / training.splits[0].train_rows.size


def refit_seconds(training: Training, members: Sequence[float]) -> float:
    """Give what training members of so many seconds again takes, side by side on all threads."""
    return _REFIT_MARGIN * _growth(training) * max(sum(members) / training.n_threads, *members)


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
    """
    again = Training(
        table,
        training.target,
        [Split(np.arange(len(table.values), dtype=np.int32), np.empty(0, dtype=np.int32))],
        training.metric,
        sample_weight=training.sample_weight,
        class_weight=training.class_weight,
        n_threads=training.n_threads,
        memory=training.memory,
    )
    encodings = len({trial.candidate.encoding for trial in ensemble.members})
    if not training.memory.has_room(
        encodings * training.view(0, ensemble.members[0].candidate).n_bytes
    ):
        return {}
    planned = _planned(training, ensemble, encodings, clock)
    done = _train_again(again, [(trial, trial.candidate) for trial in planned], clock)
    if len(done) < len(ensemble.members):
        logger.info("%d of %d members trained again on all rows", len(done), len(ensemble.members))
    left = clock.time_left()
    if left is not None:
        seeds = _further_seeds(again, ensemble, done, left, n_networks)
        for number, networks in _train_again(again, seeds, clock).items():
            done[number] += networks
    return done


def _planned(training: Training, ensemble: Ensemble, n_encodings: int, clock: Clock) -> list[Trial]:
    """Give the members that there is time to train again."""
    growth = _growth(training)
    encoding_seconds = _REFIT_MARGIN * growth * n_encodings * training.views.seconds
    planned: list[Trial] = []
    planned_seconds = 0.0
    for trial in ensemble.members:
        expected = _REFIT_MARGIN * growth * trial.progress.seconds
        # With as many members as threads, members train side by side.
        busy = (planned_seconds + expected) / min(training.n_threads, len(planned) + 1)
        if max(busy, expected) > clock.remaining(encoding_seconds):
            continue
        planned.append(trial)
        planned_seconds += expected
    return planned


def _further_seeds(
    again: Training,
    ensemble: Ensemble,
    done: dict[int, list[FoldNetwork]],
    left: float,
    n_networks: int,
) -> list[tuple[Trial, Candidate]]:
    """Give networks that time is left for, always of the member with the most weight for each."""
    nets = {trial.number: trial for trial in ensemble.members if trial.solver == "gradient"}
    weights = {t.number: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
    seconds = _seconds_by_settings(again)
    counts = {number: len(networks) for number, networks in done.items() if number in nets}
    room = n_networks - len(ensemble.members)
    seeds: list[tuple[Trial, Candidate]] = []
    planned_seconds = 0.0
    while counts and len(seeds) < room:
        number = max(counts, key=lambda n: weights[n] / counts[n])
        candidate = nets[number].candidate
        expected = _REFIT_MARGIN * seconds[candidate]
        busy = (planned_seconds + expected) / min(again.n_threads, len(seeds) + 1)
        if max(busy, expected) > left:
            del counts[number]
            continue
        seed = derive_seed(candidate.seed or 0, counts[number])
        seeds.append((nets[number], replace(candidate, seed=seed)))
        counts[number] += candidate.n_members
        planned_seconds += expected
    return seeds


def _seconds_by_settings(again: Training) -> dict[Candidate, float]:
    progress = again.progress(range(len(again.candidates)))
    return {c: p.seconds for c, p in zip(again.candidates, progress, strict=True)}


def _train_again(
    again: Training, planned: list[tuple[Trial, Candidate]], clock: Clock
) -> dict[int, list[FoldNetwork]]:
    """Train candidates as the trials were; give the networks of those that arrived, by number."""
    planned = sorted(planned, key=lambda pair: pair[0].solver != "gradient")
    first = again.add([candidate for _, candidate in planned])
    positions = range(first, first + len(planned))
    nets = [at for at, (t, _) in zip(positions, planned, strict=True) if t.solver == "gradient"]
    epochs = [max(trial.progress.best_epochs) for trial, _ in planned]
    again.run(nets, epochs[: len(nets)], clock.time_left(), clock.look)
    done: dict[int, list[FoldNetwork]] = {}
    for position, epoch, (trial, _) in zip(positions, epochs, planned, strict=True):
        if trial.solver == "exact":
            train_exact(again, [position], clock.time_left(), clock.look, whole=True)
        elif trial.solver == "constant":
            set_constant(again, position)
        progress = again.progress([position])[0]
        if progress.epoch >= epoch and progress.state is not JobState.DIVERGED:
            done.setdefault(trial.number, []).extend(again.networks(position))
    return done
