"""Trained trials -> the model: an ensemble of the best, its honest score, its networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automs.averaging import average_trials
from automs.clock import Clock
from automs.exact import train_exact
from automs.first_models import set_constant
from automs.leaderboard import TrialState
from automs.outcomes import FoldNetwork, JobState
from automs.search import Trial
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


def refit_seconds(training: Training, members: Sequence[float]) -> float:
    """Give what training members of so many seconds again takes, side by side on all threads."""
    growth = 1.0 + training.splits[0].validation_rows.size / training.splits[0].train_rows.size
    return _REFIT_MARGIN * growth * max(sum(members) / training.n_threads, *members)


def refit(
    training: Training, table: Table, ensemble: Ensemble, clock: Clock
) -> dict[int, list[FoldNetwork]]:
    """Train members again on all rows, each to the epoch that validation chose, as time allows.

    Members of the greatest weight come first; those whose time is not left keep the network of
    the hold-out.

    Returns
    -------
    dict of int to list of FoldNetwork
        By the member's number, for those that were trained again.
    """
    n_rows = len(table.values)
    all_rows = np.arange(n_rows, dtype=np.int32)
    no_rows = np.empty(0, dtype=np.int32)
    again = Training(
        table,
        training.target,
        [Split(all_rows, no_rows)],
        training.metric,
        sample_weight=training.sample_weight,
        class_weight=training.class_weight,
        n_threads=training.n_threads,
        memory=training.memory,
    )
    growth = n_rows / training.splits[0].train_rows.size
    encodings = len({trial.candidate.encoding for trial in ensemble.members})
    encoding_seconds = _REFIT_MARGIN * growth * encodings * training.views.seconds
    if not training.memory.has_room(
        encodings * training.view(0, ensemble.members[0].candidate).n_bytes
    ):
        return {}
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
    planned.sort(key=lambda trial: trial.solver != "gradient")
    nets = [trial for trial in planned if trial.solver == "gradient"]
    again.add([trial.candidate for trial in planned])
    epochs = [max(t.progress.best_epochs) for t in nets]
    again.run(range(len(nets)), epochs, clock.time_left(), clock.look)
    done = {}
    for position, trial in enumerate(planned):
        if trial.solver == "exact":
            train_exact(again, [position], clock.time_left(), clock.look)
        elif trial.solver == "constant":
            set_constant(again, position)
        progress = again.progress([position])[0]
        arrived = progress.epoch >= max(trial.progress.best_epochs)
        if arrived and progress.state is not JobState.DIVERGED:
            done[trial.number] = again.networks(position)
    if len(done) < len(ensemble.members):
        logger.info("%d of %d members trained again on all rows", len(done), len(ensemble.members))
    return done
