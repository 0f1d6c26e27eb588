"""A table, a target and settings -> the searched model, its leaderboard and its trials."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from automs._version import version
from automs.baselines import BaselineProblem, BaselineProcess, BaselineResult
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
from automs.finish import Ensemble, build_predictor, choose_ensemble, refit
from automs.leaderboard import LeaderboardRow, sort_rows
from automs.outcomes import FoldNetwork
from automs.predictor import Predictor
from automs.progress import live_line
from automs.scoring import Metric
from automs.search import Search, Trial
from automs.search_space import SearchSpace
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
_MIN_RESERVE = 0.04  # seconds
#: Share of the time limit that baselines may take, in a process of their own.
_BASELINE_SHARE = 0.2

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """What `fit_search` is asked for, checked and resolved."""

    strategy: Strategy
    search_space: SearchSpace
    metric: Metric
    max_trials: int | None
    ensemble_size: int
    baselines: tuple[str, ...]
    n_threads: int
    seed: int
    refit: bool = True  # on all rows after a hold-out
    verbose: int = 0


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """What a search came to: the model, the ordered rows, all trials, members and weights."""

    predictor: Predictor
    rows: list[LeaderboardRow]
    trials: list[Trial]
    n_candidates: int
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
    training = Training(
        table.values,
        target,
        splits,
        settings.metric,
        sample_weight=sample_weight,
        n_threads=settings.n_threads,
    )
    baselines = _start_baselines(table, target, splits, sample_weight, settings, clock)
    try:
        search = _search(training, table, settings, clock)
        # A second Ctrl-C is the caller's; after the first one, what follows takes the short way.
        results = _collect(baselines, search.interrupted)
    finally:
        if baselines is not None:
            baselines.close()
    trials = search.trials()
    usable = [t for t in trials if t.usable]
    if not usable:
        raise _nothing_usable(len(trials), search, clock)
    short = search.interrupted or clock.remaining() <= 0.0
    size = 1 if short else settings.ensemble_size
    ensemble = choose_ensemble(training, usable, size, clock, seed=settings.seed)
    networks = {t.number: training.networks(t.number) for t in ensemble.members}
    if len(splits) == 1 and settings.refit and not short:
        networks |= refit(training, table.values, ensemble, clock)
    predictor = _pack(ensemble, networks, table, target, settings)
    rows = [trial_row(t, training) for t in trials]
    rows = with_latencies(rows, ensemble, networks, table, training)
    if len(ensemble.members) > 1:
        rows.append(ensemble_row(ensemble, predictor, table, rows))
    rows += [baseline_row(result, training) for result in results]
    ordered = sort_rows(rows)
    _speak(search, clock, compare_with_baselines(training, ensemble, results, settings.seed))
    weights = {t.name: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
    return FittedSearch(predictor, ordered, trials, search.n_candidates, weights)


def _nothing_usable(n_trials: int, search: Search, clock: Clock) -> BaseException:
    if search.interrupted:
        return KeyboardInterrupt("interrupted before there was any model")
    return ValueError(
        f"no candidate of {n_trials} could be used: each diverged, or time_limit ({clock.limit} "
        "s) ended before its first epoch; give a longer time_limit, a search_space with lower "
        "learning rates, or a metric that is defined on every fold"
    )


def _search(training: Training, table: Table, settings: FitSettings, clock: Clock) -> Search:
    split = training.splits[0]
    problem = Problem(
        search_space=settings.search_space,
        seed=settings.seed,
        n_rows=split.train_rows.size,
        n_features=training.view(0, Candidate()).X.shape[1],
        n_outputs=training.target.n_logits,
        n_folds=training.n_folds,
        max_trials=settings.max_trials,
    )
    share = _REFIT_SHARE if training.n_folds == 1 else _FINISH_SHARE
    reserve = 0.0 if clock.limit is None else max(share * clock.limit, _MIN_RESERVE)
    with live_line(settings.verbose, settings.metric.name) as report:
        search = Search(training, settings.strategy, problem, clock, reserve=reserve, report=report)
        search.run()
    return search


def _start_baselines(
    table: Table,
    target: Target,
    splits: Sequence[Split],
    sample_weight: Values | None,
    settings: FitSettings,
    clock: Clock,
) -> BaselineProcess | None:
    if not settings.baselines:
        return None
    parameters = settings.search_space.parameters
    loss, quantile = parameters.get("loss"), parameters.get("quantile")
    problem = BaselineProblem(
        values=table.values,
        y=target.values,
        folds=[(split.train_rows, split.validation_rows) for split in splits],
        n_classes=0 if target.classes is None else len(target.classes),
        sample_weight=sample_weight,
        loss=loss if isinstance(loss, str) else "auto",
        quantile=quantile if isinstance(quantile, float) else 0.5,
        seed=settings.seed,
    )
    limit = None if clock.limit is None else _BASELINE_SHARE * clock.limit
    return BaselineProcess(settings.baselines, problem, limit)


def _collect(baselines: BaselineProcess | None, interrupted: bool) -> list[BaselineResult]:
    """Wait for the baselines; under a time limit their own deadline ends them."""
    if baselines is None:
        return []
    try:
        return baselines.finish(0.0 if interrupted else None)
    except KeyboardInterrupt:
        return baselines.finish(0.0)


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
    return build_predictor(members, target, table.names, table.values.shape[1], notes)


def _speak(search: Search, clock: Clock, ahead: Comparison | None) -> None:
    """Say what the caller should know: an interruption, or a baseline in front."""
    if search.interrupted:
        warnings.warn(
            f"the search was interrupted after {clock.elapsed():.1f} s: this is the best so far",
            SearchWarning,
            stacklevel=4,
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
