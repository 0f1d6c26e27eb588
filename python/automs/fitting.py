"""A table, a target and settings -> the searched model, its leaderboard and its trials."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automs._version import version
from automs.audience import Audience
from automs.baseline_runs import collect_baselines, start_baselines
from automs.board_rows import baseline_row, mean_score, trial_row
from automs.budgets import narrowed
from automs.candidates import Candidate
from automs.clock import Clock
from automs.comparison import Comparison, compare_with_baselines
from automs.decision import Decision, Predictions, make_decision
from automs.errors import BaselineWarning, SearchWarning
from automs.finish import Ensemble, choose_ensemble
from automs.fit_settings import FitSettings
from automs.keeping import Made, keep_models, name_of
from automs.kept_members import kept_members, model_networks
from automs.kept_models import KeptModels, Networks
from automs.leaderboard import LeaderboardRow, sort_rows
from automs.memory import Memory
from automs.packing import build_predictor
from automs.predictor import Predictor
from automs.progress import told_in_terminal
from automs.refitting import most_networks, refit, refit_seconds
from automs.rehearsal import FinishTime, rehearse
from automs.search import Search, Trial
from automs.splits import Split
from automs.strategies.base import Posterior, Problem, Strategy
from automs.table import Table
from automs.target import Target
from automs.training import Training
from automs.within_limits import choose_within
from automs.workshop import Workshop

__all__ = ["FitSettings", "FittedSearch", "fit_search"]

logger = logging.getLogger("automs")

#: Shares of the time limit for what follows the search: with folds the choice of an ensemble,
#: after a hold-out also training its members again on all rows.
_FINISH_SHARE = 0.05
_REFIT_SHARE = 0.25
_MIN_RESERVE = 0.02  # seconds
#: The same with a limit on latency or size, for a choice within it and what is trained for that.
_LIMITS_SHARE = 0.3
#: Share of the time left that encoded views of further folds may take, by what the first took.
_VIEWS_SHARE = 0.25
#: What packing takes is measured, but never more than this share of the limit is kept for it.
_MAX_FINISH_SHARE = 0.25

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """What a search came to: models, ordered rows, all trials, and the strategy."""

    kept: KeptModels
    rows: list[LeaderboardRow]
    trials: list[Trial]
    n_candidates: int
    strategy: Strategy


def fit_search(
    table: Table,
    target: Target,
    splits: Sequence[Split],
    sample_weight: Values | None,
    settings: FitSettings,
    clock: Clock,
) -> FittedSearch:
    """Search, choose, compare and pack: the whole of ``fit`` after its arguments were read.

    Raises
    ------
    ValueError
        When no candidate could be used: every one diverged or was cut before its first epoch.
    """
    training = _make_training(table, target, splits, sample_weight, settings, clock)
    baselines = start_baselines(training, table, settings, clock)
    try:
        search, finish, workshop = _search(training, table, settings, clock)
        # A second Ctrl-C is the caller's; after the first one, what follows takes the short way.
        of_one = len(kept_members(search.most_members, training.n_folds))
        packing = finish.seconds(of_one * settings.ensemble_size, search.n_candidates)
        results = collect_baselines(baselines, clock.keeping(packing))
    finally:
        if baselines is not None:
            baselines.close()
    trials = search.trials()
    usable = [t for t in trials if t.usable]
    if not usable:
        raise _nothing_usable(len(trials), clock)
    size = settings.ensemble_size if clock.remaining() > 0.0 else 1
    packing = finish.seconds(size * of_one, len(trials))
    ensemble = choose_ensemble(
        training,
        usable,
        size,
        clock.keeping(packing),
        seed=settings.seed,
        posterior=search.posterior(),
    )
    packing = finish.seconds(most_networks(size) * of_one, len(trials))
    made = _make(workshop, ensemble, usable, settings, clock.keeping(packing), search.posterior())
    rows = [trial_row(t, training) for t in trials]
    packing = finish.seconds(of_one, len(trials))
    kept, rows = keep_models(workshop, made, usable, rows, settings.limits, clock.keeping(packing))
    rows += [baseline_row(result, training) for result in results]
    ordered = sort_rows(rows)
    judged = replace(ensemble, fold_scores=made.used_ensemble.fold_scores)
    _speak(clock, compare_with_baselines(training, judged, results, settings.seed))
    search.strategy.problem = search.strategy.problem.without_table()
    return FittedSearch(kept, ordered, trials, search.n_candidates, search.strategy)


def _make(
    workshop: Workshop,
    ensemble: Ensemble,
    usable: Sequence[Trial],
    settings: FitSettings,
    clock: Clock,
    posterior: Posterior | None,
) -> Made:
    """Give the ensemble as the model, trained again where it may be, or what is within limits."""
    training, limits = workshop.training, settings.limits
    name = name_of(ensemble)
    ensemble = replace(ensemble, fold_scores=workshop.decide(ensemble).fold_scores)
    networks: Networks = {t.number: model_networks(training, t.number) for t in ensemble.members}
    model = workshop.model(name, ensemble, networks)
    if not limits.hold(model.cost):
        contenders = choose_within(workshop, usable, ensemble, settings, clock, posterior)
        return Made(ensemble, networks, model, contenders)
    if training.n_folds == 1 and settings.refit and clock.remaining() > 0.0:
        # A temperature is that of single networks: the mean of several would be too unsure.
        single = limits.are_set or workshop.decide(ensemble).temperature != 1.0
        n_networks = 0 if single else most_networks(settings.ensemble_size)
        again = {**networks, **refit(training, workshop.table, ensemble, clock, n_networks)}
        trained_again = workshop.model(name, ensemble, again)
        if limits.hold(trained_again.cost):  # encoders of all rows may be a little larger
            return Made(ensemble, again, trained_again, [])
    return Made(ensemble, networks, model, [])


def _nothing_usable(n_trials: int, clock: Clock) -> BaseException:
    if clock.look():
        return KeyboardInterrupt("interrupted before there was any model")
    return ValueError(
        f"no candidate of {n_trials} could be used: each diverged, or time_limit ({clock.limit} "
        "s) ended before its first epoch; give a longer time_limit, a search_space with lower "
        "learning rates, or a metric that is defined on every fold"
    )


def _make_training(
    table: Table,
    target: Target,
    splits: Sequence[Split],
    sample_weight: Values | None,
    settings: FitSettings,
    clock: Clock,
) -> Training:
    """Give a training on the folds whose views the limits on memory and time have room for."""
    training = Training(
        table,
        target,
        splits,
        settings.metric,
        sample_weight=sample_weight,
        class_weight=settings.class_weight,
        n_threads=settings.n_threads,
        memory=Memory(settings.memory_limit, table.values.nbytes),
    )
    n_folds = training.views.n_affordable_folds(_VIEWS_SHARE * clock.remaining())
    if n_folds < len(splits):
        logger.info("memory_limit and time_limit allow %d of %d folds", n_folds, len(splits))
        training.keep_folds(n_folds)
    return training


def _search(
    training: Training, table: Table, settings: FitSettings, clock: Clock
) -> tuple[Search, FinishTime, Workshop]:
    """Search; give it with the time that packing was found to take, and what packs."""
    problem = Problem(
        search_space=settings.search_space,
        seed=settings.seed,
        n_rows=training.splits[0].train_rows.size,
        n_features=training.feature_counts(Candidate(encoding="standard"))[0],
        features_of=training.feature_counts,
        n_outputs=training.target.n_logits,
        n_folds=training.n_folds,
        max_trials=settings.max_trials,
        first_candidates=settings.first_candidates,
    )
    limit, finish = clock.limit or 0.0, FinishTime(0.0, 0.0)

    def reserve(n_trials: int) -> float:
        of_one = len(kept_members(search.most_members, training.n_folds))
        packing = finish.seconds(of_one * settings.ensemble_size, n_trials)
        share = _FINISH_SHARE * limit
        if training.n_folds == 1:
            members = search.seconds_of_best(settings.ensemble_size)
            wanted = refit_seconds(training, members) if members else limit
            share = min(share + wanted, _REFIT_SHARE * limit)
        if settings.limits.are_set:
            share = max(share, _LIMITS_SHARE * limit)
        return max(share, _MIN_RESERVE) + min(packing, _MAX_FINISH_SHARE * limit)

    with told_in_terminal(settings.verbose, settings.metric.name) as shown:
        audience = Audience([*settings.callbacks, *shown])
        search = Search(
            training, settings.strategy, problem, clock, reserve=reserve, audience=audience
        )
        search.train_constant()
        workshop = _open_workshop(search, table, settings, clock)
        if limit:
            finish = rehearse(search, table)
        search.run()
    return search, finish, workshop


def _open_workshop(search: Search, table: Table, settings: FitSettings, clock: Clock) -> Workshop:
    """Give what packs and weighs models; candidates beyond the limits are narrowed from now on."""
    limits, training = settings.limits, search.training

    def pack(ensemble: Ensemble, networks: Networks, decision: Decision) -> Predictor:
        return _pack(ensemble, networks, table, training.target, settings, decision)

    def decide(ensemble: Ensemble, predictions: Predictions | None = None) -> Decision:
        left = clock.keeping(_FINISH_SHARE / 2.0 * (clock.limit or 0.0))  # for packing
        return make_decision(training, ensemble, settings.seed, left, predictions)

    nominal = limits.are_set and clock.limit is None
    workshop = Workshop(training, table, pack, decide, search.trials()[0], nominal=nominal)
    if limits.are_set:
        workshop.check(limits)
        aim = workshop.aim(limits)

        def fits(candidate: Candidate) -> bool:
            return aim.hold(workshop.costs.of_candidates([candidate]))

        search.problem = replace(search.problem, within_limits=lambda c: narrowed(c, fits))
    return workshop


def _pack(
    ensemble: Ensemble,
    networks: Networks,
    table: Table,
    target: Target,
    settings: FitSettings,
    decision: Decision,
) -> Predictor:
    members = [
        (weight, networks[trial.number])
        for trial, weight in zip(ensemble.members, ensemble.weights, strict=True)
    ]
    score = mean_score(ensemble.fold_scores)
    notes = {
        "automs": version(),
        "metric": settings.metric.name,
        "score_val": score if math.isfinite(score) else None,
        "members": [trial.name for trial in ensemble.members],
        **decision.notes,
    }
    factors = decision.label_factors
    return build_predictor(members, target, table.names, table.columns, notes, factors)


def _speak(clock: Clock, ahead: Comparison | None) -> None:
    """Say what the caller should know: an interruption, or a baseline in front."""
    if clock.look():
        warnings.warn(
            f"the search was interrupted after {clock.elapsed():.1f} s: this is the best so far",
            SearchWarning,
            stacklevel=5,
        )
    if ahead is None:
        return
    said = (
        f"the baseline {ahead.name} has a validation score of {ahead.baseline_score:.6g}, the "
        f"model one of {ahead.model_score:.6g} (higher is better; noise of the difference: "
        f"{ahead.noise:.2g})"
    )
    if ahead.beyond_noise:
        warnings.warn(said, BaselineWarning, stacklevel=5)
    else:
        logger.info("%s", said)
