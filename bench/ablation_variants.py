"""Request -> automs with one part switched off or swapped, for `ablation.py`.

Where the package has a setting for it, that is what `accuracy_systems.VARIANTS` has. Candidates are
changed by a strategy, which is told of another problem. What neither reaches, the linear models,
or a number, is what is replaced in the package while `fit` runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Self
from unittest import mock

from accuracy_systems import Request, automs_model

FULL = "automs"
#: Variant -> what it is, in the order of the report.
WHAT = {
    "automs_again": "the same with another seed: what chance alone does",
    "automs_trivial": "schedule: one epoch of many candidates, then the best three to the end",
    "automs_random": "strategy: random search",
    "automs_gibbs": "strategy: Gibbs sampling",
    "automs_no_first": "no first candidates: the search starts with draws",
    "automs_no_recipes": "neither RealMLP among the first candidates nor what the space has of it",
    "automs_no_members": "no networks that share a trunk among the first candidates",
    "automs_plain": "numbers robustly scaled and clipped, no other encoding",
    "automs_coarse": "no piecewise encoding with finer bins for tables of many rows",
    "automs_no_linear": "no linear or additive models in the race",
    "automs_no_sparse": "no sparse ones among them",
    "automs_one": "a single candidate instead of an ensemble",
    "automs_holdout": "a fifth of the rows held out instead of folds",
    "automs_no_baselines": "no scikit-learn models beside the search",
}
#: Far from the seeds of splits, which searches share.
_OTHER_SEED = 1_000


class Replaced:
    """A model whose `fit` runs with a function of the package replaced."""

    def __init__(self, model: Any, replacing: Callable[[], AbstractContextManager[Any]]) -> None:
        self.model, self.replacing = model, replacing

    def fit(self, X: Any, y: Any) -> Self:
        with self.replacing():
            self.model.fit(X, y)
        return self

    def predict(self, X: Any) -> Any:
        return self.model.predict(X)

    def predict_proba(self, X: Any) -> Any:
        return self.model.predict_proba(X)


def linear_models(*kept: str) -> AbstractContextManager[Any]:
    """Searches in here have these linear models only."""
    from automs.first_models import affordable_models

    def chosen(training: Any, wanted: Iterable[str], seconds: float) -> list[str]:
        return affordable_models(training, [name for name in wanted if name in kept], seconds)

    return mock.patch("automs.search.affordable_models", chosen)


def another_seed(request: Request, _: Any) -> Any:
    return automs_model({"random_state": request.seed + _OTHER_SEED}, request)


def trivial_scheduler(request: Request, _: Any) -> Any:
    from ablation_strategies import OneEpochThenBest

    return automs_model({"strategy": OneEpochThenBest()}, request)


def no_first_candidates(request: Request, _: Any) -> Any:
    from ablation_strategies import ChangedHalving, without_first_candidates

    return automs_model({"strategy": ChangedHalving(without_first_candidates)}, request)


def no_recipes(request: Request, _: Any) -> Any:
    from ablation_strategies import ChangedHalving, without_recipes

    return automs_model({"strategy": ChangedHalving(without_recipes)}, request)


def no_members(request: Request, _: Any) -> Any:
    from ablation_strategies import ChangedHalving, without_members

    return automs_model({"strategy": ChangedHalving(without_members)}, request)


def plain_encoding(request: Request, _: Any) -> Any:
    from ablation_strategies import ChangedHalving, plainly_encoded

    model = automs_model({"strategy": ChangedHalving(plainly_encoded)}, request)
    return Replaced(model, lambda: linear_models("linear", "sparse-linear"))


def coarse_bins(request: Request, _: Any) -> Any:
    @contextmanager
    def coarse() -> Iterator[None]:
        with ExitStack() as stack:
            for module in ("portfolio", "prior", "first_models"):
                stack.enter_context(mock.patch(f"automs.{module}.FINE_ROWS", math.inf))
            yield

    return Replaced(automs_model({}, request), coarse)


def no_linear_models(request: Request, _: Any) -> Any:
    return Replaced(automs_model({}, request), linear_models)


def no_sparse_models(request: Request, _: Any) -> Any:
    return Replaced(automs_model({}, request), lambda: linear_models("linear", "additive"))
