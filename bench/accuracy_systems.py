"""Name of a system -> an unfitted model with `fit`, and `predict` or `predict_proba`.

Those of automs are the project's own estimators under other settings; what the rest need beyond
scikit-learn is optional, and asked for by name before a run starts. Default settings throughout.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Settings that differ from `automs`, which has the defaults but for the metric.
VARIANTS: dict[str, dict[str, Any]] = {
    "automs": {},
    "automs_halving": {"strategy": "halving"},
    "automs_random": {"strategy": "random"},
    "automs_gibbs": {"strategy": "gibbs"},
    "automs_one": {"ensemble_size": 1},
    "automs_holdout": {"validation": 0.2},
    "automs_no_baselines": {"baselines": None},
}
# Those that no setting makes, as below: variants of automs with one part switched off.
ABLATIONS = {
    "automs_trivial": ("ablation_variants", "trivial_scheduler", (), ""),
    "automs_no_recipes": ("ablation_variants", "no_recipes", (), ""),
    "automs_plain": ("ablation_variants", "plain_encoding", (), ""),
    "automs_no_first": ("ablation_variants", "no_first_candidates", (), ""),
    "automs_no_members": ("ablation_variants", "no_members", (), ""),
    "automs_coarse": ("ablation_variants", "coarse_bins", (), ""),
    "automs_no_linear": ("ablation_variants", "no_linear_models", (), ""),
    "automs_no_sparse": ("ablation_variants", "no_sparse_models", (), ""),
    "automs_again": ("ablation_variants", "another_seed", (), ""),
}
# system: (module it lives in beside this one, its function, libraries, how to install them)
PEERS = {
    "hgb": ("accuracy_peers", "boosted_trees", (), ""),
    "rf": ("accuracy_peers", "random_forest", (), ""),
    "ridge": ("accuracy_peers", "linear", (), ""),
    "skmlp": ("accuracy_peers_search", "searched_mlp", (), ""),
    "lgbm": ("accuracy_peers", "lightgbm", ("lightgbm",), "'.[bench]'"),
    "flaml": ("accuracy_peers_search", "flaml", ("flaml", "lightgbm"), "'.[bench]'"),
    "realmlp": ("accuracy_peers", "realmlp", ("pytabkit",), "pytabkit"),
    "realmlp_tuned": ("accuracy_peers", "tuned_realmlp", ("pytabkit",), "pytabkit"),
}
MADE = {**ABLATIONS, **PEERS}
# What stops by the clock; of the others the time is shown, but there is no limit to keep.
TIMED = frozenset({*VARIANTS, *ABLATIONS, "skmlp", "flaml"})
# Those that train so many models whatever the budget is, one after another.
MODELS_TRAINED = {"realmlp_tuned": 50}
METRICS = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "auto"}


@dataclass(frozen=True)
class Request:
    """What a system is told: the task, seconds of budget, threads, seed, strategy of automs."""

    task: str
    budget: float
    n_jobs: int
    seed: int
    strategy: str | None = None


def missing(system: str) -> str:
    """Why the system cannot run here, or nothing."""
    if system in VARIANTS:
        return ""
    if system not in MADE:
        return f"unknown system {system!r}; there are {', '.join([*VARIANTS, *MADE])}"
    _, _, libraries, install = MADE[system]
    absent = [name for name in libraries if importlib.util.find_spec(name) is None]
    if absent:
        return f"{system} needs {' and '.join(absent)}: python -m pip install {install}"
    return ""


def shown_name(system: str, strategy: str | None) -> str:
    """The name in the results; a strategy of its own belongs to it."""
    return f"{system}_{strategy}" if strategy and system in VARIANTS else system


def takes_limit(shown: str) -> bool:
    return shown in TIMED or shown.startswith("automs")


def build(system: str, request: Request, X: Any) -> Any:
    """The unfitted model. Some peers look at which columns of X, a DataFrame, are categories."""
    if system in VARIANTS:
        return automs_model(VARIANTS[system], request)
    module, function, _, _ = MADE[system]
    make: Callable[[Request, Any], Any] = getattr(importlib.import_module(module), function)
    return make(request, X)


def automs_model(settings: dict[str, Any], request: Request) -> Any:
    from automs import AutoClassifier, AutoRegressor

    estimator = AutoRegressor if request.task == "regression" else AutoClassifier
    settings = {"metric": METRICS[request.task], **settings}
    if request.strategy:
        settings["strategy"] = request.strategy
    return estimator(
        **{
            "time_limit": request.budget,
            "n_jobs": request.n_jobs,
            "random_state": request.seed,
            **settings,
        }
    )
