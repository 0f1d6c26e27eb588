"""Trained trials -> the model: an ensemble of the best, its honest score, its networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automs.averaging import average_trials
from automs.candidates import Candidate
from automs.clock import Clock
from automs.exact import train_exact
from automs.first_models import set_constant
from automs.leaderboard import TrialState
from automs.outcomes import FoldNetwork, JobState
from automs.search import Trial
from automs.seeds import derive_seed
from automs.selection import select_ensemble
from automs.splits import Split
from automs.strategies.base import Posterior
from automs.table import Table
from automs.training import Training

__all__ = ["Ensemble", "choose_ensemble", "refit", "refit_seconds"]

logger = logging.getLogger("automs")

#: Trials, best first, that an ensemble is chosen from.
N_FINALISTS = 40
#: A training on all rows may take so much longer than its time on fewer tells.
_REFIT_MARGIN = 1.2
#: How often each is scored at least: alone, in a first step of the greedy selection, and in one
#: of each half; and predicted once, which was measured together.
_SCORINGS = 4

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A weighted mean of trials.

    Attributes
    ----------
    members : list of Trial
        Best first by weight; one alone is no ensemble but the chosen trial.
    weights : list of float
        Of the members, sum 1.
    fold_scores : ndarray of float64, shape (n_folds,)
        Of predictions for rows that did not choose the members.
    fit_time : float, seconds
        Training time of all members.
    """

    members: list[Trial]
    weights: list[float]
    fold_scores: Values
    fit_time: float


def choose_ensemble(  # noqa: PLR0913  # what is chosen from, and limits
    training: Training,
    trials: Sequence[Trial],
    size: int,
    clock: Clock,
    *,
    seed: int,
    posterior: Posterior | None = None,
    share: Callable[[Sequence[Trial]], float] | None = None,
) -> Ensemble:
    """Choose the members of the model from usable trials, by their validation predictions.

    Parameters
    ----------
    training : Training
    trials : sequence of Trial
        Usable ones, at least one.
    size : int
        Steps of the greedy selection; 1 takes the best single trial.
    clock : Clock
    seed : int
        Of the halves for the honest score.
    posterior : Posterior, optional
        Weights by number in the training: the model is the mean by these then, of at most `size`
        members.
    share : callable, optional
        The share of a budget that some trials take together; members are chosen within it, where
        it is greedily. Each trial given must be within it alone.

    Returns
    -------
    Ensemble
    """
    # A trial that trained to its end beats one that was cut, whose score is not final.
    ordered = sorted(
        trials, key=lambda t: (t.state is TrialState.PRUNED, -t.progress.score, t.number)
    )
    best = ordered[0]
    alone = Ensemble([best], [1.0], best.progress.fold_scores, best.progress.seconds)
    finalists = ordered[:N_FINALISTS]  # what was not promoted may still help in company
    if size == 1 or len(finalists) < 2 or clock.remaining() <= 0.0:
        return alone
    finalists = finalists[: _n_affordable(training, best, clock)]
    if len(finalists) < 2:
        return alone
    if posterior is not None:
        averaged = average_trials(training, trials, posterior, size, seed)
        if averaged is not None:
            members, shares, predictions = averaged
            fold_scores = _fold_scores(training, members[0], predictions)
            seconds = sum(trial.progress.seconds for trial in members)
            return Ensemble(members, shares, fold_scores, seconds)
    by_fold = training.validation_predictions([t.number for t in finalists])
    rows = np.concatenate([split.validation_rows for split in training.splits])
    weights = training.sample_weight
    chosen = select_ensemble(
        [np.concatenate(folds) for folds in by_fold],
        training.target.values[rows],
        training.metric,
        sample_weight=None if weights is None else weights[rows],
        max_size=size,
        n_threads=training.n_threads,
        seed=seed,
        quantile=best.candidate.quantile,
        groups=training.validation_groups(),
        deadline=clock.time_left(),
        look=clock.look,
        share=None if share is None else lambda some: share([finalists[i] for i in some]),
    )
    kept = sorted(np.flatnonzero(chosen.weights > 0.0), key=lambda i: (-chosen.weights[i], i))
    if len(kept) < 2:
        return alone
    fold_scores = _fold_scores(training, best, chosen.predictions)
    # The selection compares pooled rows; the leaderboard, and so this, means over folds.
    if not np.nanmean(fold_scores) > best.progress.score:
        return alone
    members = [finalists[i] for i in kept]
    return Ensemble(
        members,
        [float(chosen.weights[i]) for i in kept],
        fold_scores,
        sum(t.progress.seconds for t in members),
    )


def _n_affordable(training: Training, best: Trial, clock: Clock) -> int:
    """Give how many trials there is time and memory to compare the predictions of."""
    started = time.perf_counter()
    predictions = training.validation_predictions([best.number])[0]
    training.fold_scores(best.number, predictions)
    seconds = time.perf_counter() - started
    # Predictions are held once, and half of them are copied while the halves choose.
    n_bytes = 2 * sum(fold.nbytes for fold in predictions)
    limits = (
        clock.remaining() / (_SCORINGS * max(seconds, 1e-6)),
        training.memory.state_bytes / max(n_bytes, 1),
    )
    return int(min(*limits, N_FINALISTS))


def _fold_scores(training: Training, like: Trial, predictions: Values) -> Values:
    """Score predictions for the validation rows of all folds, as those of a trial are."""
    ends = np.cumsum([split.validation_rows.size for split in training.splits])[:-1]
    return training.fold_scores(like.number, np.split(predictions, ends))


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
        Networks of the model, at most, with further seeds.

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
        counts[number] += 1
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
            train_exact(again, [position], clock.time_left(), clock.look)
        elif trial.solver == "constant":
            set_constant(again, position)
        progress = again.progress([position])[0]
        if progress.epoch >= epoch and progress.state is not JobState.DIVERGED:
            done.setdefault(trial.number, []).extend(again.networks(position))
    return done
