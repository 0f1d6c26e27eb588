"""Trials, a model that is too slow or large, and limits -> models that are within them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from automs.budgets import Limits
from automs.candidates import Candidate
from automs.clock import Clock
from automs.cost import nominal_cost
from automs.distillation import Distilled, distill
from automs.finish import Ensemble, choose_ensemble
from automs.fit_settings import FitSettings
from automs.kept_models import Contender, Networks
from automs.leaderboard import TrialState
from automs.outcomes import JobState, Progress
from automs.pupils import pupils
from automs.refitting import refit, refit_seconds
from automs.strategies.base import Posterior
from automs.trials import Trial
from automs.workshop import Workshop, alone

__all__ = ["choose_within"]

#: How often an ensemble is chosen anew where packing shows that it takes more than was thought.
_N_CHOICES = 5
#: Of the time left, for each of these.
_CHOICE_SHARE = 0.2
#: Of the time left, for training members again at most; the rest is for pupils.
_AGAIN_SHARE = 0.6
_LEAST_EPOCHS = 5
#: Pupils are within this share of the limits before they are trained: encoders of all rows may
#: have a few numbers more than those of a fold.
_MOST_OF_LIMIT = 0.97

Share = Callable[[Sequence[Trial]], float]


def choose_within(
    workshop: Workshop,
    trials: Sequence[Trial],
    teacher: Ensemble,
    settings: FitSettings,
    clock: Clock,
    posterior: Posterior | None = None,
) -> list[Contender]:
    """Choose an ensemble within the limits, and distil the one that is not.

    Parameters
    ----------
    workshop : Workshop
    trials : sequence of Trial
        Usable ones.
    teacher : Ensemble
        The best there is without limits.
    settings : FitSettings
        With the limits.
    clock : Clock
    posterior : Posterior, optional
        As for `choose_ensemble`.

    Returns
    -------
    list of Contender
        The best first: the ensemble (or single trial) of one network a member, and, where there
        was time for it, the distilled network.

    Raises
    ------
    ValueError
        When nothing is within the limits.

    Notes
    -----
    With folds each member has one network here, not one of each fold: trained again on all rows
    where time allows, else that of the first fold. A trial's score is the mean of its networks'
    own scores, not that of their average, so it holds for one of them too.
    """
    small = _small_ensemble(workshop, trials, settings, clock, posterior)
    wanted = 0.0 if small is None or not settings.refit else _again_seconds(workshop, small)
    wanted = min(wanted, _AGAIN_SHARE * max(clock.remaining(), 0.0))
    pupil = _distilled(workshop, trials, teacher, settings, clock.keeping(wanted))
    contenders = [contender for contender in (small, pupil) if contender is not None]
    if not contenders:
        raise _nothing_fits(workshop, trials, settings.limits)
    contenders.sort(key=lambda c: -np.nan_to_num(c.model.score, nan=-np.inf))
    if contenders[0] is small and settings.refit:
        contenders[0] = _trained_again(workshop, small, settings.limits, clock)
    return contenders


def _small_ensemble(
    workshop: Workshop,
    trials: Sequence[Trial],
    settings: FitSettings,
    clock: Clock,
    posterior: Posterior | None,
) -> Contender | None:
    """Choose greedily within the limits; packing tells whether what was chosen is."""
    limits, slack = settings.limits, 1.0
    for _ in range(_N_CHOICES):

        def share(some: Sequence[Trial], slack: float = slack) -> float:
            return limits.share(workshop.costs.of_candidates([t.candidate for t in some])) / slack

        fitting = [trial for trial in trials if share([trial]) <= 1.0]
        if not fitting:
            break
        left = clock.remaining()
        chosen = choose_ensemble(
            workshop.training,
            fitting,
            1 if left <= 0.0 else settings.ensemble_size,
            clock if math.isinf(left) else clock.keeping((1.0 - _CHOICE_SHARE) * left),
            seed=settings.seed,
            posterior=None if posterior is None else _within(posterior, fitting, share),
            share=share,
        )
        contender = _contender(workshop, chosen)
        if limits.hold(contender.model.cost):
            return contender
        slack *= 0.97 / limits.share(contender.model.cost)
    costs = workshop.costs
    by_cost = sorted(trials, key=lambda t: limits.share(costs.of_candidates([t.candidate])))
    smallest = (_contender(workshop, alone(trial)) for trial in by_cost[:2])
    return next((c for c in smallest if limits.hold(c.model.cost)), None)


def _within(posterior: Posterior, trials: Sequence[Trial], share: Share) -> Posterior:
    """Leave out members of little weight until the others are within the limits."""
    weights: dict[int, float] = {}
    members: list[Trial] = []
    for trial in sorted(trials, key=lambda t: -posterior.weights.get(t.number, 0.0)):
        weight = posterior.weights.get(trial.number, 0.0)
        if weight > 0.0 and share([*members, trial]) <= 1.0:
            members.append(trial)
            weights[trial.number] = weight
    return replace(posterior, weights=weights)


def _contender(workshop: Workshop, chosen: Ensemble, again: Networks | None = None) -> Contender:
    """Pack one network of each member: of those that were trained again, else of the first fold."""
    training = workshop.training
    chosen = replace(chosen, fold_scores=workshop.decide(chosen).fold_scores)
    again = {} if again is None else again
    networks = {
        t.number: again.get(t.number, training.networks(t.number, [0])) for t in chosen.members
    }
    n_members = len(chosen.members)
    name, kind, reason = "small-ensemble", "ensemble", f"weighted mean of {n_members} candidates"
    if training.n_folds > 1:
        rows = "all rows" if len(again) == n_members else "all rows or the first fold's"
        rows = rows if again else "the first fold's rows"
        reason += f", a network each, trained on {rows}"
    if n_members == 1:
        only = chosen.members[0].name
        name, kind, reason = only, "candidate", ""
        if training.n_folds > 1:
            name = "refit" if again else "first-fold"
            reason = f"{only} as one network, trained on {rows}"
    return Contender(workshop.model(name, chosen, networks), chosen, networks, kind, reason)


def _by_fold(workshop: Workshop, small: Contender) -> list[Trial]:
    """Give the members with the seconds that one of their networks took."""
    n_folds = workshop.training.n_folds
    return [
        replace(t, progress=replace(t.progress, seconds=t.progress.seconds / n_folds))
        for t in small.ensemble.members
    ]


def _again_seconds(workshop: Workshop, small: Contender) -> float:
    """Give what training the members again on all rows takes, encoding included."""
    seconds = [trial.progress.seconds for trial in _by_fold(workshop, small)]
    encodings = {trial.candidate.encoding for trial in small.ensemble.members}
    encoding = 2.0 * len(encodings) * workshop.training.views.seconds
    return refit_seconds(workshop.training, seconds) + encoding


def _trained_again(workshop: Workshop, small: Contender, limits: Limits, clock: Clock) -> Contender:
    """Train members again on all rows, as many as time allows."""
    ensemble = replace(small.ensemble, members=_by_fold(workshop, small))
    again = refit(workshop.training, workshop.table, ensemble, clock)
    if not again:
        return small
    contender = _contender(workshop, small.ensemble, again)
    return contender if limits.hold(contender.model.cost) else small


def _distilled(
    workshop: Workshop,
    trials: Sequence[Trial],
    teacher: Ensemble,
    settings: FitSettings,
    clock: Clock,
) -> Contender | None:
    """Distil the teacher into one network within the limits, where there is time for it."""
    if clock.remaining() <= 0.0:
        return None
    recipes = [t for t in trials if t.solver == "gradient" and t.candidate.hidden_layer_sizes]
    best = max(recipes, key=lambda t: t.progress.score, default=None)
    recipe = Candidate(optimizer="adamw") if best is None else best.candidate
    aim = workshop.aim(settings.limits)
    candidates = pupils(
        recipe,
        lambda c: aim.share(workshop.cost_before_training(c)) <= _MOST_OF_LIMIT,
        workshop.training.target.task,
        settings.seed,
    )
    if best is not None:
        candidates = _in_time(workshop, candidates, best, clock)
    made = distill(workshop.training, workshop.table, teacher, candidates, clock)
    if made is None:
        return None
    pupil = _as_trial(made)
    networks = {pupil.number: [made.network]}
    chosen = workshop.examined(pupil, made.predictions)
    chosen = replace(chosen, fold_scores=workshop.decide(chosen).fold_scores)
    model = workshop.model(pupil.name, chosen, networks)
    if not settings.limits.hold(model.cost):
        return None
    reason = f"one network, trained on what {_said(teacher)} predicts"
    return Contender(model, chosen, networks, "distilled", reason)


def _said(teacher: Ensemble) -> str:
    return teacher.members[0].name if len(teacher.members) == 1 else "the ensemble"


def _in_time(
    workshop: Workshop, candidates: Sequence[Candidate], like: Trial, clock: Clock
) -> list[Candidate]:
    """Shorten pupils to what time allows by a trial's time; none where that is next to nothing."""
    left = clock.remaining()
    if math.isinf(left) or not candidates:
        return list(candidates)
    training = workshop.training
    n_folds = training.n_folds
    rate = like.progress.seconds / max(_cost(workshop, like.candidate, like.progress.epoch), 1.0)
    side_by_side = min(training.n_threads, len(candidates))
    cost = sum(_cost(workshop, c, c.epochs) for c in candidates) / side_by_side
    cost += max(_cost(workshop, c, c.epochs) for c in candidates) * 2.0 / n_folds
    share = min(1.0, left / max(rate * cost, 1e-9))
    shorter = [replace(c, epochs=max(int(share * c.epochs), 1)) for c in candidates]
    return [c for c in shorter if c.epochs >= min(_LEAST_EPOCHS, like.candidate.epochs)]


def _cost(workshop: Workshop, candidate: Candidate, epochs: int) -> float:
    """Give the nominal cost of training a candidate on all folds."""
    training = workshop.training
    n_features, tables, bins, slots, n_periodic = training.feature_counts(candidate)
    n_rows, n_logits = training.splits[0].train_rows.size, training.target.n_logits
    once = nominal_cost(
        candidate, n_rows, n_features, n_logits, epochs, tables,
        bins=bins, slots=slots, n_periodic=n_periodic,
    )  # fmt: skip
    return training.n_folds * once


def _as_trial(made: Distilled) -> Trial:
    progress = Progress(
        JobState.COMPLETE, made.epochs, made.fold_scores, math.nan, (made.epochs,), made.seconds
    )
    candidate = made.candidate
    return Trial(-1, "distilled", candidate, progress, TrialState.COMPLETE, "gradient", True)


def _nothing_fits(workshop: Workshop, trials: Sequence[Trial], limits: Limits) -> ValueError:
    smallest = min(
        (_contender(workshop, alone(trial)).model.cost for trial in trials[:2]), key=limits.share
    )
    return ValueError(
        f"no model is within the limits: the smallest takes {limits.said(smallest)}; give a higher "
        "limit, or fewer columns"
    )
