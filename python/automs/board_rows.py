"""Trials, ensembles and baselines -> the rows that the leaderboard orders."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.baseline_problem import BaselineResult
from automs.budgets import Limits
from automs.finish import Ensemble
from automs.kept_members import kept_members
from automs.kept_models import Contender, KeptModel
from automs.leaderboard import LeaderboardRow, TrialState
from automs.predictor import Predictor
from automs.search import Trial
from automs.table import Table
from automs.training import Training

__all__ = [
    "baseline_row",
    "contender_row",
    "ensemble_row",
    "mean_score",
    "trial_row",
    "with_latencies",
]

#: Rows that the time of predicting is measured on.
_TIMED_ROWS = 200

Values = npt.NDArray[np.float64]


def trial_row(trial: Trial, training: Training) -> LeaderboardRow:
    """Give a trial's row; its size counts the networks of all folds."""
    scores = trial.progress.fold_scores
    n_members = trial.candidate.n_members
    size = training.n_parameters(trial.number) // n_members
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
        n_parameters=size * len(kept_members(n_members, training.n_folds)),
        epochs=trial.progress.epoch,
        state=trial.state,
        reason=reasons.get(trial.state, ""),
        settings=trial.candidate.settings(),
    )


def mean_score(scores: Values) -> float:
    """Give the mean over the folds where the score is defined, NaN where there is none."""
    defined = scores[~np.isnan(scores)]
    return float(np.mean(defined)) if defined.size else math.nan


def _deviation(scores: Values) -> float:
    finite = len(scores) > 1 and bool(np.isfinite(scores).all())
    return float(np.std(scores)) if finite else math.nan


def with_latencies(
    rows: list[LeaderboardRow],
    models: Sequence[KeptModel],
    limits: Limits,
    table: Table,
    training: Training,
) -> list[LeaderboardRow]:
    """Fill in the score and cost of each trial that was packed alone."""
    known: dict[str, dict[str, Any]] = {}
    reasons = {row.name: row.reason for row in rows}
    for model in models:
        seconds = _validation_seconds(model.predictor, table, training)
        known[model.name] = weighed(model) | {
            # Each validation row is predicted by the network of its own fold alone.
            "pred_time_val": seconds / model.predictor.n_networks,
            # Of what it predicts, with bounds, temperature and factors.
            "score_val": model.score,
        }
        if not limits.hold(model.cost):
            said = (reasons[model.name], f"not used: {limits.said(model.cost)}")
            known[model.name]["reason"] = "; ".join(filter(None, said))
    return [replace(row, **known.get(row.name, {})) for row in rows]


def weighed(model: KeptModel) -> dict[str, Any]:
    """Give the columns that a packed model's latency and size fill."""
    return {
        "latency_us": model.cost.latency_us,
        "n_parameters": model.predictor.n_parameters,
        "n_bytes": int(model.cost.n_bytes),
    }


def _validation_seconds(predictor: Predictor, table: Table, training: Training) -> float:
    """Seconds of predicting all validation rows on one thread, by the time that some take."""
    sample = table.values[:_TIMED_ROWS]
    start = time.perf_counter()
    predictor.predict(sample)
    seconds = time.perf_counter() - start
    return seconds * sum(s.validation_rows.size for s in training.splits) / len(sample)


def ensemble_row(
    ensemble: Ensemble, model: KeptModel, member_rows: list[LeaderboardRow], reason: str
) -> LeaderboardRow:
    """Give the row of an ensemble of several members, from their own rows."""
    names = {trial.name for trial in ensemble.members}
    return LeaderboardRow(
        name="ensemble",
        kind="ensemble",
        score_val=mean_score(ensemble.fold_scores),
        score_val_std=_deviation(ensemble.fold_scores),
        fit_time=ensemble.fit_time,
        pred_time_val=sum(row.pred_time_val for row in member_rows if row.name in names),
        epochs=max(trial.progress.epoch for trial in ensemble.members),
        reason=f"weighted mean of {len(ensemble.members)} candidates{reason}",
        **weighed(model),
    )


def contender_row(contender: Contender, table: Table, training: Training) -> LeaderboardRow:
    """Give the row of a model that was made to be within the limits."""
    model, ensemble = contender.model, contender.ensemble
    distilled = contender.kind == "distilled"
    return LeaderboardRow(
        name=model.name,
        kind=contender.kind,
        score_val=model.score,
        score_val_std=_deviation(ensemble.fold_scores),
        fit_time=ensemble.fit_time,
        pred_time_val=_validation_seconds(model.predictor, table, training),
        epochs=max(trial.progress.epoch for trial in ensemble.members),
        reason=contender.reason,
        settings=ensemble.members[0].candidate.settings() if distilled else {},
        **weighed(model),
    )


def baseline_row(result: BaselineResult, training: Training) -> LeaderboardRow:
    """Give a baseline's row, scored as all others are."""
    if result.predictions is None:
        return LeaderboardRow(
            name=result.name,
            kind="baseline",
            state=TrialState.TIMED_OUT if result.late else TrialState.SKIPPED,
            reason=result.reason,
        )
    scores = training.fold_scores(0, result.predictions)
    return LeaderboardRow(
        name=result.name,
        kind="baseline",
        score_val=mean_score(scores),
        score_val_std=_deviation(scores),
        fit_time=result.fit_time,
        pred_time_val=result.predict_time,
        reason=f"scikit-learn, {result.reason}" if result.reason else "scikit-learn",
    )
