"""A table, a target and settings -> a search that has ended, and what packs its models."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from automs._version import version
from automs.audience import Audience
from automs.baseline_runs import collect_baselines, start_baselines
from automs.baselines import BaselineResult
from automs.board_rows import mean_score
from automs.budgets import narrowed
from automs.candidates import Candidate
from automs.clock import Clock
from automs.decision import Decision, Predictions, make_decision
from automs.finish import Ensemble
from automs.fit_settings import FitSettings
from automs.kept_members import kept_members
from automs.kept_models import Networks
from automs.memory import Memory
from automs.packing import build_predictor
from automs.predictor import Predictor
from automs.progress import told_in_terminal
from automs.refitting import refit_seconds
from automs.rehearsal import FinishTime, rehearse
from automs.search import Search
from automs.splits import Split
from automs.strategies.base import Problem
from automs.table import Table
from automs.target import Target
from automs.training import Training
from automs.workshop import Workshop

__all__ = ["Searched", "run_search"]

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
class Searched:
    """A search that has ended.

    Attributes
    ----------
    search : Search
    finish : FinishTime
        What packing was found to take.
    workshop : Workshop
        What packs and weighs models.
    results : list of BaselineResult
    """

    search: Search
    finish: FinishTime
    workshop: Workshop
    results: list[BaselineResult]

    def packing_seconds(self, n_models: int, n_trials: int) -> float:
        """Give the time that packing so many candidates and listing so many trials takes."""
        of_one = len(kept_members(self.search.most_members, self.search.training.n_folds))
        return self.finish.seconds(of_one * n_models, n_trials)


def run_search(
    table: Table,
    target: Target,
    splits: Sequence[Split],
    sample_weight: Values | None,
    settings: FitSettings,
    clock: Clock,
) -> Searched:
    """Search, with baselines beside it where they are asked for, until what follows is due."""
    training = _make_training(table, target, splits, sample_weight, settings, clock)
    baselines = start_baselines(training, table, settings, clock)
    try:
        search, finish, workshop = _search(training, table, settings, clock)
        searched = Searched(search, finish, workshop, [])
        packing = searched.packing_seconds(settings.ensemble_size, search.n_candidates)
        # A second Ctrl-C is the caller's; after the first one, what follows takes the short way.
        return replace(searched, results=collect_baselines(baselines, clock.keeping(packing)))
    finally:
        if baselines is not None:
            baselines.close()


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
        logger.info("memory_limit or time_limit allows %d of %d folds", n_folds, len(splits))
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

    def reserve(search: Search) -> float:
        of_one = len(kept_members(search.most_members, training.n_folds))
        packing = finish.seconds(of_one * settings.ensemble_size, search.n_candidates)
        share = _FINISH_SHARE * limit
        if training.n_folds == 1:
            share += _seconds_to_refit(search, settings.ensemble_size, _REFIT_SHARE * limit - share)
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


def _seconds_to_refit(search: Search, ensemble_size: int, at_most: float) -> float:
    """Give what to keep for training the best again: nothing, if that is too short for the best."""
    members = search.seconds_of_best(ensemble_size)
    if not members:
        return at_most
    if refit_seconds(search.training, members[:1]) > at_most:
        return 0.0
    return min(refit_seconds(search.training, members), at_most)


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
