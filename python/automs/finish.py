"""Trained trials -> the model: an ensemble of the best, its honest score, its networks."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import write_model
from automs.clock import Clock
from automs.exact import train_exact
from automs.first_models import set_constant
from automs.leaderboard import TrialState
from automs.outcomes import FoldNetwork, JobState
from automs.predictor import Predictor, predictor_from_bytes
from automs.search import Trial
from automs.selection import select_ensemble
from automs.splits import Split
from automs.target import Target
from automs.training import Training

__all__ = ["Ensemble", "build_predictor", "choose_ensemble", "measured_latency", "refit"]

logger = logging.getLogger("automs")

#: Trials, best first, that an ensemble is chosen from.
N_FINALISTS = 40

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


def choose_ensemble(
    training: Training, trials: Sequence[Trial], size: int, clock: Clock, *, seed: int
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
    finalists = [t for t in ordered[:N_FINALISTS] if t.state is not TrialState.PRUNED]
    if size == 1 or len(finalists) < 2 or clock.remaining() <= 0.0:
        return alone
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
        groups=_validation_groups(training.splits),
        deadline=clock.time_left(),
    )
    kept = sorted(np.flatnonzero(chosen.weights > 0.0), key=lambda i: (-chosen.weights[i], i))
    if len(kept) < 2:
        return alone
    ends = np.cumsum([split.validation_rows.size for split in training.splits])[:-1]
    fold_scores = training.fold_scores(best.number, np.split(chosen.predictions, ends))
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


def _validation_groups(splits: Sequence[Split]) -> npt.NDArray[np.integer[Any]]:
    """Give each validation row's group; the row's own number where there are no groups."""
    groups = [s.validation_rows if s.validation_groups is None else s.validation_groups
              for s in splits]  # fmt: skip
    return np.concatenate(groups)


def refit(
    training: Training, values: Values, ensemble: Ensemble, clock: Clock
) -> dict[int, list[FoldNetwork]]:
    """Train members again on all rows, each to the epoch that validation chose, as time allows.

    Members of the greatest weight come first; those whose time is not left keep the network of
    the hold-out.

    Returns
    -------
    dict of int to list of FoldNetwork
        By the member's number, for those that were trained again.
    """
    all_rows = np.arange(len(values), dtype=np.int32)
    no_rows = np.empty(0, dtype=np.int32)
    again = Training(
        values,
        training.target,
        [Split(all_rows, no_rows)],
        training.metric,
        sample_weight=training.sample_weight,
        n_threads=training.n_threads,
    )
    growth = len(values) / training.splits[0].train_rows.size
    planned: list[Trial] = []
    planned_seconds = 0.0
    for trial in ensemble.members:
        expected = 1.2 * growth * trial.progress.seconds
        # With as many members as threads, members train side by side.
        busy = (planned_seconds + expected) / min(training.n_threads, len(planned) + 1)
        if max(busy, expected) > clock.remaining():
            continue
        planned.append(trial)
        planned_seconds += expected
    planned.sort(key=lambda trial: trial.solver != "gradient")
    nets = [trial for trial in planned if trial.solver == "gradient"]
    again.add([trial.candidate for trial in planned])
    again.run(range(len(nets)), [max(t.progress.best_epochs) for t in nets], clock.time_left())
    done = {}
    for position, trial in enumerate(planned):
        if trial.solver == "exact":
            train_exact(again, [position], clock.time_left())
        elif trial.solver == "constant":
            set_constant(again, position)
        progress = again.progress([position])[0]
        arrived = progress.epoch >= max(trial.progress.best_epochs)
        if arrived and progress.state is not JobState.DIVERGED:
            done[trial.number] = again.networks(position)
    if len(done) < len(ensemble.members):
        logger.info("%d of %d members trained again on all rows", len(done), len(ensemble.members))
    return done


def build_predictor(
    members: Sequence[tuple[float, Sequence[FoldNetwork]]],
    target: Target,
    names: Sequence[str] | None,
    n_columns: int,
    metadata: dict[str, Any],
) -> Predictor:
    """Pack networks into the model that is used, saved and embedded.

    Parameters
    ----------
    members : sequence of (weight, networks)
        The networks of one member share its weight equally.
    target : Target
    names : sequence of str or None
        The columns' names.
    n_columns : int
    metadata : dict
        Plain values, kept in the model file.
    """
    encoders: list[Any] = []
    positions: dict[int, int] = {}
    networks = []
    for weight, folds in members:
        for network in folds:
            key = id(network.encoder)
            if key not in positions:
                positions[key] = len(encoders)
                encoders.append(network.encoder)
            networks.append(_network_dict(network, positions[key], weight / len(folds)))
    classes = target.classes
    return predictor_from_bytes(
        write_model(
            {
                "task": target.task,
                "n_columns": n_columns,
                "column_names": None if names is None else list(names),
                "class_kind": None if classes is None else _class_kind(classes),
                "classes": None if classes is None else classes.tolist(),
                "encoders": encoders,
                "networks": networks,
                "metadata": json.dumps(metadata),
            }
        )
    )


def _class_kind(classes: npt.NDArray[Any]) -> str:
    return {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}.get(
        classes.dtype.kind, "string"
    )


def _network_dict(network: FoldNetwork, encoder: int, weight: float) -> dict[str, Any]:
    sizes = [network.weights[0].shape[0], *(w.shape[1] for w in network.weights)]
    return {
        "encoder": encoder,
        "weight": weight,
        "layer_sizes": sizes,
        "activation": network.candidate.activation,
        "residual": network.candidate.residual,
        "link": network.link,
        "weights": network.weights,
        "biases": network.biases,
        "output_centre": network.output_centre,
        "output_scale": network.output_scale,
    }


def measured_latency(predictor: Predictor, row: Values, n_calls: int = 20) -> float:
    """Median seconds of predicting one row, after a first call."""
    predictor.predict_one(row)
    times = []
    for _ in range(n_calls):
        start = time.perf_counter()
        predictor.predict_one(row)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
