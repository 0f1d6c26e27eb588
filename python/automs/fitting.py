"""A search that has ended -> the model of it, its leaderboard and its trials."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

from automs.board_rows import baseline_row, trial_row
from automs.clock import Clock
from automs.comparison import Comparison, compare_with_baselines
from automs.errors import BaselineWarning, SearchWarning
from automs.finish import Ensemble, choose_ensemble
from automs.fit_settings import FitSettings
from automs.keeping import Made, keep_models, name_of
from automs.kept_members import model_networks
from automs.kept_models import KeptModels, Networks
from automs.leaderboard import LeaderboardRow, sort_rows
from automs.refitting import most_networks, refit
from automs.search import Trial
from automs.searched import Searched
from automs.strategies.base import Posterior, Strategy
from automs.within_limits import choose_within
from automs.workshop import Workshop

__all__ = ["FittedSearch", "choose_model"]

logger = logging.getLogger("automs")


@dataclass(frozen=True, slots=True)
class FittedSearch:
    """What a search came to: models, ordered rows, all trials, and the strategy."""

    kept: KeptModels
    rows: list[LeaderboardRow]
    trials: list[Trial]
    n_candidates: int
    strategy: Strategy


def choose_model(searched: Searched, settings: FitSettings, clock: Clock) -> FittedSearch:
    """Choose, compare and pack what a search has found.

    Raises
    ------
    ValueError
        When no candidate could be used: every one diverged or was cut before its first epoch.
    """
    search, workshop, results = searched.search, searched.workshop, searched.results
    training = search.training
    trials = search.trials()
    usable = [t for t in trials if t.usable]
    if not usable:
        raise _nothing_usable(len(trials), clock)
    size = settings.ensemble_size if clock.remaining() > 0.0 else 1
    packing = searched.packing_seconds(size, len(trials))
    ensemble = choose_ensemble(
        training,
        usable,
        size,
        clock.keeping(packing),
        seed=settings.seed,
        posterior=search.posterior(),
    )
    packing = searched.packing_seconds(most_networks(size), len(trials))
    made = _make(workshop, ensemble, usable, settings, clock.keeping(packing), search.posterior())
    rows = [trial_row(t, training) for t in trials]
    packing = searched.packing_seconds(1, len(trials))
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
