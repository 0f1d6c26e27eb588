"""The public names -> their modules: automatic model search for tables, at native speed.

Names are imported on first use, so that ``import automs`` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automs._include import get_include
    from automs.candidates import Candidate
    from automs.dimensions import Choice, Float, Int, Layers
    from automs.errors import (
        AutomsWarning,
        BaselineWarning,
        MemoryLimitError,
        ModelFileError,
        SearchWarning,
    )
    from automs.estimators import AutoClassifier, AutoRegressor
    from automs.experiment import train_candidates
    from automs.predictor import Predictor, load_predictor
    from automs.reports import SearchReport, TrialReport
    from automs.search_space import SearchSpace, When
    from automs.strategies import (
        GibbsStrategy,
        HalvingStrategy,
        RandomStrategy,
        Request,
        Strategy,
    )
    from automs.trained import TrainedCandidate, TrainedColumns

_HOMES = {
    "AutoClassifier": "estimators",
    "AutoRegressor": "estimators",
    "AutomsWarning": "errors",
    "BaselineWarning": "errors",
    "Candidate": "candidates",
    "Choice": "dimensions",
    "Float": "dimensions",
    "GibbsStrategy": "strategies",
    "HalvingStrategy": "strategies",
    "Int": "dimensions",
    "Layers": "dimensions",
    "MemoryLimitError": "errors",
    "ModelFileError": "errors",
    "Predictor": "predictor",
    "RandomStrategy": "strategies",
    "Request": "strategies",
    "SearchReport": "reports",
    "SearchSpace": "search_space",
    "SearchWarning": "errors",
    "Strategy": "strategies",
    "TrainedCandidate": "trained",
    "TrainedColumns": "trained",
    "TrialReport": "reports",
    "When": "search_space",
    "get_include": "_include",
    "load_predictor": "predictor",
    "train_candidates": "experiment",
}

__all__ = [
    "AutoClassifier",
    "AutoRegressor",
    "AutomsWarning",
    "BaselineWarning",
    "Candidate",
    "Choice",
    "Float",
    "GibbsStrategy",
    "HalvingStrategy",
    "Int",
    "Layers",
    "MemoryLimitError",
    "ModelFileError",
    "Predictor",
    "RandomStrategy",
    "Request",
    "SearchReport",
    "SearchSpace",
    "SearchWarning",
    "Strategy",
    "TrainedCandidate",
    "TrainedColumns",
    "TrialReport",
    "When",
    "get_include",
    "load_predictor",
    "train_candidates",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = importlib.import_module("automs._version").version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"automs.{_HOMES[name]}"), name)
    else:
        raise AttributeError(f"module 'automs' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
