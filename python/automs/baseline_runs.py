"""A training, its table and settings -> baselines beside the search, and what came of them."""

from __future__ import annotations

import logging

from automs.baselines import BaselineProblem, BaselineProcess, BaselineResult
from automs.clock import Clock
from automs.fit_settings import FitSettings
from automs.skewed_targets import first_loss
from automs.table import Table
from automs.training import Training

__all__ = ["collect_baselines", "start_baselines"]

logger = logging.getLogger("automs")

#: Copies of the table that the process of the baselines holds.
_COPIES = 3
#: Share of the time limit that baselines may take, in a process of their own.
_SHARE = 0.2
_LOOK_INTERVAL = 0.02  # seconds between two looks at the clock while waiting


def start_baselines(
    training: Training, table: Table, settings: FitSettings, clock: Clock
) -> BaselineProcess | None:
    """Start the baselines, where any are asked for and memory has room for their copies."""
    if not settings.baselines:
        return None
    if not training.memory.has_room(_COPIES * table.values.nbytes):
        logger.info("memory_limit has no room for the baselines' copies of the table")
        return None
    parameters, target = settings.search_space.parameters, training.target
    quantile = parameters.get("quantile")
    problem = BaselineProblem(
        values=table.values,
        y=target.values,
        folds=[(split.train_rows, split.validation_rows) for split in training.splits],
        n_classes=0 if target.classes is None else len(target.classes),
        sample_weight=training.weights_if_trained(),
        columns=[(int(c.kind), len(c.categories), c.ordered) for c in table.columns],
        loss=first_loss(settings.search_space),
        quantile=quantile if isinstance(quantile, float) else 0.5,
        seed=settings.seed,
    )
    limit = None if clock.limit is None else _SHARE * clock.limit
    return BaselineProcess(settings.baselines, problem, limit)


def collect_baselines(baselines: BaselineProcess | None, clock: Clock) -> list[BaselineResult]:
    """Wait for the baselines, to their own deadline and the end of the clock at most."""
    if baselines is None:
        return []
    while clock.remaining() > 0.0 and not baselines.wait(_LOOK_INTERVAL):
        pass
    return baselines.finish(0.0)
