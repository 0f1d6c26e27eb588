"""Trained trials -> an ensemble of the best, and its honest score."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from automs.averaging import average_trials
from automs.clock import Clock
from automs.leaderboard import TrialState
from automs.search import Trial
from automs.selection import select_ensemble
from automs.strategies.base import Posterior
from automs.training import Training

__all__ = ["Ensemble", "choose_ensemble"]

logger = logging.getLogger("automs")

#: Trials, best first, that an ensemble is chosen from.
N_FINALISTS = 40
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
    # Of single trials the best by its own score may be the one that is most certain.
    by_score = size == 1 and not training.metric.reads_sizes
    if by_score or len(finalists) < 2 or clock.remaining() <= 0.0:
        return alone
    finalists = finalists[: _n_affordable(training, finalists, clock)]
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
    members = [finalists[i] for i in kept]
    if len(members) == 1:
        only = members[0].progress
        return Ensemble(members, [1.0], only.fold_scores, only.seconds)
    fold_scores = _fold_scores(training, best, chosen.predictions)
    return Ensemble(
        members,
        [float(chosen.weights[i]) for i in kept],
        fold_scores,
        sum(t.progress.seconds for t in members),
    )


def _n_affordable(training: Training, trials: Sequence[Trial], clock: Clock) -> int:
    """Give how many trials, best first, there is time and memory to compare predictions of."""
    best = trials[0]
    training.held.hold([best.number])
    started = time.perf_counter()
    predictions = training.validation_predictions([best.number])[0]
    training.fold_scores(best.number, predictions)
    seconds = time.perf_counter() - started
    encoding = training.held.seconds_for([trial.number for trial in trials])
    # Predictions are held once, and half of them are copied while the halves choose.
    n_bytes = 2 * sum(fold.nbytes for fold in predictions)
    limits = (
        clock.remaining(encoding) / (_SCORINGS * max(seconds, 1e-6)),
        training.memory.prediction_bytes / max(n_bytes, 1),
    )
    return int(min(*limits, N_FINALISTS))


def _fold_scores(training: Training, like: Trial, predictions: Values) -> Values:
    """Score predictions for the validation rows of all folds, as those of a trial are."""
    ends = np.cumsum([split.validation_rows.size for split in training.splits])[:-1]
    return training.fold_scores(like.number, np.split(predictions, ends))
