"""Models of one fit -> those worth keeping, of which one is used and another may be chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from automs.budgets import Cost, Limits
from automs.finish import Ensemble
from automs.outcomes import FoldNetwork
from automs.predictor import Predictor

__all__ = ["MAX_KEPT", "Contender", "KeptModel", "KeptModels", "Networks", "front"]

Networks = Mapping[int, Sequence[FoldNetwork]]

#: Candidates that are kept beside the model, its members and what else was made of them; and bytes
#: of all of these together, in files of the model that is used, or at least so many.
MAX_KEPT = 8
_MAX_FILES = 4
_MIN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model that can be used.

    Attributes
    ----------
    name : str
        As on the leaderboard.
    predictor : Predictor
    weights : dict of str to float
        Of the candidates in it, by name.
    score : float
        On validation rows, higher is better.
    cost : Cost
        Microseconds a row, and bytes of the file.
    """

    name: str
    predictor: Predictor
    weights: dict[str, float]
    score: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class Contender:
    """A model that may be used.

    Attributes
    ----------
    model : KeptModel
    ensemble : Ensemble
        What is in it; of a distilled one, itself.
    networks : mapping of int to sequence of FoldNetwork
        By the member's number.
    kind, reason : str
        For the leaderboard.
    """

    model: KeptModel
    ensemble: Ensemble
    networks: Networks
    kind: str
    reason: str


class KeptModels:
    """The models of one fit that can be used without training again.

    Parameters
    ----------
    chosen : KeptModel
        What fit chose.
    others : sequence of KeptModel
        The most wanted first; those that would take too much memory are not kept.

    Attributes
    ----------
    models : dict of str to KeptModel
        By name, best score first.
    chosen : str
        What fit chose.
    """

    def __init__(self, chosen: KeptModel, others: Sequence[KeptModel] = ()) -> None:
        room = max(_MAX_FILES * chosen.cost.n_bytes, _MIN_BYTES)
        kept = {chosen.name: chosen}
        for model in others:
            if model.name not in kept and model.cost.n_bytes <= room:
                kept[model.name] = model
                room -= model.cost.n_bytes
        self.chosen = chosen.name
        self.models = {m.name: m for m in sorted(kept.values(), key=_best_first)}

    def named(self, name: str) -> KeptModel:
        """Give the model of a name on the leaderboard.

        Raises
        ------
        ValueError
            When it is not kept.
        """
        if name not in self.models:
            kept = ", ".join(self.models)
            raise ValueError(f"name must be that of a model that was kept ({kept}), got {name!r}")
        return self.models[name]

    def best_within(self, limits: Limits) -> KeptModel:
        """Give the model with the best score within limits.

        Raises
        ------
        ValueError
            When there is none.
        """
        within = [model for model in self.models.values() if limits.hold(model.cost)]
        if within:
            return within[0]
        nearest = min(self.models.values(), key=lambda model: limits.share(model.cost))
        raise ValueError(
            f"no kept model is within the limits; the nearest, {nearest.name}, takes "
            f"{limits.said(nearest.cost)}: give a higher limit, or fit with this one"
        )


def front(scored: Sequence[tuple[float, Cost]]) -> list[int]:
    """Give which models no other beats in score, latency and size at once, best score first.

    Of more than `MAX_KEPT` the best and the cheapest are among those given, and others between
    them, evenly spaced in order of score.

    Examples
    --------
    >>> front([(0.5, Cost(1.0, 10.0)), (0.9, Cost(3.0, 30.0)), (0.4, Cost(2.0, 20.0))])
    [1, 0]
    """
    order = sorted(
        (i for i, (score, _) in enumerate(scored) if math.isfinite(score)),
        key=lambda i: (-scored[i][0], scored[i][1].latency_us, scored[i][1].n_bytes, i),
    )
    undominated: list[int] = []
    for i in order:
        cost = scored[i][1]
        if not any(_no_dearer(scored[j][1], cost) for j in undominated):
            undominated.append(i)
    if len(undominated) <= MAX_KEPT:
        return undominated
    step = (len(undominated) - 1) / (MAX_KEPT - 1)
    return [undominated[round(step * i)] for i in range(MAX_KEPT)]


def _no_dearer(one: Cost, other: Cost) -> bool:
    return one.latency_us <= other.latency_us and one.n_bytes <= other.n_bytes


def _best_first(model: KeptModel) -> tuple[float, float, str]:
    score = model.score if math.isfinite(model.score) else -math.inf
    return (-score, model.cost.n_bytes, model.name)
