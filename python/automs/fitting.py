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
from automs.baselines import BaselineProcess, BaselineResult
from automs.clock import Clock
from automs.errors import SearchWarning
from automs.finish import Ensemble, build_predictor, choose_ensemble, measured_latency, refit
from automs.leaderboard import LeaderboardRow, TrialState, sort_rows
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
    verbose: int = 0


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """What a search came to: the model, the ordered rows, all trials, members and weights."""

    predictor: Predictor
    rows: list[LeaderboardRow]
    trials: list[Trial]
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
    baselines = _start_baselines(table, target, splits, sample_weight, settings)
    try:
        search = _search(training, table, settings, clock)
        trials = search.trials()
        results = _collect(baselines, clock)
    finally:
        if baselines is not None:
            baselines.close()
    usable = [t for t in trials if t.usable]
    if not usable:
        raise ValueError(
            f"no candidate of {len(trials)} could be used: each diverged, or time_limit "
            f"({clock.limit} s) ended before its first epoch; give a longer time_limit, or a "
            "search_space with lower learning rates, or a metric that is defined on every fold"
        )
    size = 1 if clock.remaining() <= 0.0 else settings.ensemble_size
    ensemble = choose_ensemble(training, usable, size, clock, seed=settings.seed)
    networks = {t.number: training.networks(t.number) for t in ensemble.members}
    if len(splits) == 1:
        networks |= refit(training, table.values, ensemble, clock)
    predictor = _pack(ensemble, networks, table, target, settings)
    rows = [_trial_row(t, training) for t in trials]
    rows = _with_latencies(rows, ensemble, networks, table, target)
    if len(ensemble.members) > 1:
        rows.append(_ensemble_row(ensemble, predictor, table))
    rows += [_baseline_row(result, training) for result in results]
    ordered = sort_rows(rows)
    _speak(ordered, search, clock)
    weights = {t.name: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
    return FittedSearch(predictor, ordered, trials, weights)


def _search(training: Training, table: Table, settings: FitSettings, clock: Clock) -> Search:
    split = training.splits[0]
    problem = Problem(
        search_space=settings.search_space,
        seed=settings.seed,
        n_rows=split.train_rows.size,
        n_features=table.values.shape[1],
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
) -> BaselineProcess | None:
    if not settings.baselines:
        return None
    folds = [(split.train_rows, split.validation_rows) for split in splits]
    n_classes = 0 if target.classes is None else len(target.classes)
    return BaselineProcess(
        settings.baselines, table.values, target.values, folds, n_classes, sample_weight
    )


def _collect(baselines: BaselineProcess | None, clock: Clock) -> list[BaselineResult]:
    """Wait for the baselines to their deadline, which without a time limit is never."""
    if baselines is None:
        return []
    if clock.limit is None:
        return baselines.finish(None)
    left = _BASELINE_SHARE * clock.limit - clock.elapsed()
    return baselines.finish(max(0.0, min(left, clock.remaining(_MIN_RESERVE))))


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
    notes = {
        "automs": version(),
        "metric": settings.metric.name,
        "score_val": _mean_score(ensemble.fold_scores),
        "members": [trial.name for trial in ensemble.members],
        "squeeze": target.squeeze,
    }
    return build_predictor(members, target, table.names, table.values.shape[1], notes)


def _trial_row(trial: Trial, training: Training) -> LeaderboardRow:
    scores = trial.progress.fold_scores
    n_features = training.view(0, trial.candidate).X.shape[1]
    size = trial.candidate.n_parameters(n_features, training.target.n_logits)
    reasons = {
        TrialState.PRUNED: "not promoted",
        TrialState.DIVERGED: "a loss or weight was not finite any more",
        TrialState.TIMED_OUT: "cut by the time limit",
        TrialState.STOPPED: "cut by an interruption",
        TrialState.SKIPPED: "the search ended before its first epoch",
    }
    return LeaderboardRow(
        name=trial.name,
        kind="candidate",
        score_val=trial.progress.score,
        score_val_std=_deviation(scores),
        loss_val=trial.progress.loss,
        fit_time=trial.progress.seconds,
        n_parameters=size * training.n_folds,
        epochs=trial.progress.epoch,
        state=trial.state,
        reason=reasons.get(trial.state, ""),
        settings=trial.candidate.settings(),
    )


def _mean_score(scores: Values) -> float:
    """Give the mean over the folds where the score is defined, NaN where there is none."""
    defined = scores[~np.isnan(scores)]
    return float(np.mean(defined)) if defined.size else math.nan


def _deviation(scores: Values) -> float:
    finite = len(scores) > 1 and bool(np.isfinite(scores).all())
    return float(np.std(scores)) if finite else math.nan


def _with_latencies(
    rows: list[LeaderboardRow],
    ensemble: Ensemble,
    networks: dict[int, list[FoldNetwork]],
    table: Table,
    target: Target,
) -> list[LeaderboardRow]:
    """Measure what one row costs each member of the model on its own."""
    measured = {}
    for trial in ensemble.members:
        nets = networks[trial.number]
        alone = build_predictor([(1.0, nets)], target, None, table.values.shape[1], {})
        measured[trial.name] = (measured_latency(alone, table.values[0]), alone.n_parameters)
    return [_measured(row, *measured[row.name]) if row.name in measured else row for row in rows]


def _measured(row: LeaderboardRow, latency: float, n_parameters: int) -> LeaderboardRow:
    return replace(row, latency_us=1e6 * latency, n_parameters=n_parameters)


def _ensemble_row(ensemble: Ensemble, predictor: Predictor, table: Table) -> LeaderboardRow:
    return LeaderboardRow(
        name="ensemble",
        kind="ensemble",
        score_val=_mean_score(ensemble.fold_scores),
        score_val_std=_deviation(ensemble.fold_scores),
        fit_time=ensemble.fit_time,
        latency_us=1e6 * measured_latency(predictor, table.values[0]),
        n_parameters=predictor.n_parameters,
        epochs=max(trial.progress.epoch for trial in ensemble.members),
        reason=f"weighted mean of {len(ensemble.members)} candidates",
    )


def _baseline_row(result: BaselineResult, training: Training) -> LeaderboardRow:
    if result.predictions is None:
        late = "deadline" in result.reason
        return LeaderboardRow(
            name=result.name,
            kind="baseline",
            state=TrialState.TIMED_OUT if late else TrialState.SKIPPED,
            reason=result.reason,
        )
    scores = training.fold_scores(0, result.predictions)
    return LeaderboardRow(
        name=result.name,
        kind="baseline",
        score_val=_mean_score(scores),
        score_val_std=_deviation(scores),
        fit_time=result.fit_time,
        pred_time_val=result.predict_time,
        reason="scikit-learn",
    )


def _speak(rows: Sequence[LeaderboardRow], search: Search, clock: Clock) -> None:
    """Say what the caller should know: an interruption, or a baseline in front."""
    if search.interrupted:
        warnings.warn(
            f"the search was interrupted after {clock.elapsed():.1f} s: this is the best so far",
            SearchWarning,
            stacklevel=4,
        )
    if rows and rows[0].kind == "baseline":
        logger.warning("the baseline %s has the best validation score", rows[0].name)
