"""A table, a target and settings -> the searched model, its leaderboard and its trials."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from automs._version import version
from automs.audience import Audience
from automs.baseline_runs import collect_baselines, start_baselines
from automs.board_rows import (
    baseline_row,
    ensemble_row,
    mean_score,
    trial_row,
    with_latencies,
)
from automs.candidates import Candidate
from automs.clock import Clock
from automs.comparison import Comparison, compare_with_baselines
from automs.errors import BaselineWarning, SearchWarning
from automs.finish import Ensemble, choose_ensemble, refit, refit_seconds
from automs.fit_settings import FitSettings
from automs.leaderboard import LeaderboardRow, sort_rows
from automs.memory import Memory
from automs.outcomes import FoldNetwork
from automs.packing import build_predictor
from automs.predictor import Predictor
from automs.progress import told_in_terminal
from automs.rehearsal import FinishTime, rehearse
from automs.search import Search, Trial
from automs.splits import Split
from automs.strategies.base import Problem, Strategy
from automs.table import Table
from automs.target import Target
from automs.training import Training

__all__ = ["FitSettings", "FittedSearch", "fit_search"]

logger = logging.getLogger("automs")

#: Shares of the time limit for what follows the search: with folds the choice of an ensemble,
#: after a hold-out also training its members again on all rows.
_FINISH_SHARE = 0.05
_REFIT_SHARE = 0.25
_MIN_RESERVE = 0.02  # seconds
#: Share of the time left that encoded views of further folds may take, by what the first took.
_VIEWS_SHARE = 0.25
#: What packing takes is measured, but never more than this share of the limit is kept for it.
_MAX_FINISH_SHARE = 0.25
#: Networks for each step of the selection, at most, where time is left after a hold-out.
_NETWORKS_FOR_EACH = 2

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """What a search came to: model, ordered rows, all trials, the strategy, members' weights."""

    predictor: Predictor
    rows: list[LeaderboardRow]
    trials: list[Trial]
    n_candidates: int
    strategy: Strategy
    ensemble_weights: dict[str, float] = field(default_factory=dict)


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
    splits = training.splits
    baselines = start_baselines(training, table, settings, clock)
    try:
        search, finish = _search(training, table, settings, clock)
        # A second Ctrl-C is the caller's; after the first one, what follows takes the short way.
        packing = finish.seconds(training.n_folds * settings.ensemble_size, search.n_candidates)
        results = collect_baselines(baselines, clock.keeping(packing))
    finally:
        if baselines is not None:
            baselines.close()
    trials = search.trials()
    usable = [t for t in trials if t.usable]
    if not usable:
        raise _nothing_usable(len(trials), clock)
    short = clock.remaining() <= 0.0
    size = 1 if short else settings.ensemble_size
    packing = finish.seconds(size * training.n_folds, len(trials))
    ensemble = choose_ensemble(
        training,
        usable,
        size,
        clock.keeping(packing),
        seed=settings.seed,
        posterior=search.posterior(),
    )
    networks = {t.number: training.networks(t.number) for t in ensemble.members}
    if len(splits) == 1 and settings.refit and not short:
        n_networks = _NETWORKS_FOR_EACH * size if size > 1 else 1
        packing = finish.seconds(n_networks, len(trials))
        networks |= refit(training, table, ensemble, clock.keeping(packing), n_networks)
    predictor = _pack(ensemble, networks, table, target, settings)
    rows = [trial_row(t, training) for t in trials]
    rows = with_latencies(rows, ensemble, networks, table, training)
    if len(ensemble.members) > 1:
        rows.append(ensemble_row(ensemble, predictor, table, rows))
    rows += [baseline_row(result, training) for result in results]
    ordered = sort_rows(rows)
    _speak(clock, compare_with_baselines(training, ensemble, results, settings.seed))
    weights = {t.name: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
    strategy = search.strategy
    strategy.problem = replace(strategy.problem, features_of=None)  # which holds the whole table
    return FittedSearch(predictor, ordered, trials, search.n_candidates, strategy, weights)


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
) -> tuple[Search, FinishTime]:
    """Search; give it with the time that packing was found to take."""
    split = training.splits[0]
    problem = Problem(
        search_space=settings.search_space,
        seed=settings.seed,
        n_rows=split.train_rows.size,
        n_features=training.feature_counts(Candidate(encoding="standard"))[0],
        features_of=training.feature_counts,
        n_outputs=training.target.n_logits,
        n_folds=training.n_folds,
        max_trials=settings.max_trials,
        first_candidates=settings.first_candidates,
    )
    limit = 0.0 if clock.limit is None else clock.limit
    finish = FinishTime(0.0, 0.0)

    def reserve(n_trials: int) -> float:
        packing = finish.seconds(training.n_folds * settings.ensemble_size, n_trials)
        share = _FINISH_SHARE * limit
        if training.n_folds == 1:
            members = search.seconds_of_best(settings.ensemble_size)
            wanted = refit_seconds(training, members) if members else limit
            share = min(share + wanted, _REFIT_SHARE * limit)
        return max(share, _MIN_RESERVE) + min(packing, _MAX_FINISH_SHARE * limit)

    with told_in_terminal(settings.verbose, settings.metric.name) as shown:
        audience = Audience([*settings.callbacks, *shown])
        search = Search(
            training, settings.strategy, problem, clock, reserve=reserve, audience=audience
        )
        search.train_constant()
        if limit:
            finish = rehearse(search, table)
        search.run()
    return search, finish


def _pack(
    ensemble: Ensemble,
    networks: dict[int, list[FoldNetwork]],
    table: Table,
    target: Target,
    settings: FitSettings,
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
    }
    return build_predictor(members, target, table.names, table.columns, notes)


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
