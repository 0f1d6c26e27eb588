"""Nothing -> `FitSettings`: what a fit is asked for, checked and resolved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from automs.audience import Callback
from automs.budgets import Limits
from automs.candidates import Candidate
from automs.scoring import Metric
from automs.search_space import SearchSpace
from automs.strategies.base import Strategy

__all__ = ["FitSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """What a fit is asked for, checked and resolved."""

    strategy: Strategy
    search_space: SearchSpace
    first_candidates: Sequence[Candidate] = ()
    metric: Metric
    max_trials: int | None
    ensemble_size: int
    baselines: tuple[str, ...]
    n_threads: int
    seed: int
    memory_limit: float | None = None
    limits: Limits = field(default_factory=Limits)
    refit: bool = True  # on all rows after a hold-out
    verbose: int = 0
    callbacks: Sequence[Callback] = ()
    class_weight: npt.NDArray[np.float64] | None = None  # a factor for each class, in training
