"""A target and a loss -> the further losses that suit its skewness, in candidates and draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.search_space import Choice, SearchSpace
from automs.target import Target

__all__ = ["first_loss", "is_skewed", "linear_losses", "log_losses", "loss_to_draw", "with_twins"]

#: A column is skewed where its third standardised moment is at least this, and its 95th percentile
#: lies so much further from the median than its 5th: a few outliers do not suffice.
_LEAST_SKEWNESS = 0.5
_LEAST_RATIO = 1.25

#: Losses of a location, beside which losses on logarithms may stand.
_OF_LOCATION = ("auto", "squared", "absolute", "huber")
_ON_LOGARITHMS = ("poisson", "squared_log")
#: Share of the draws that keep the loss that was asked for.
_OWN_SHARE = 0.6

Values = npt.NDArray[np.float64]


def is_skewed(y: Values) -> bool:
    """Whether every column (n_rows, n_columns) is clearly skewed to the right.

    Examples
    --------
    >>> is_skewed(np.exp(np.linspace(-2, 2, 50)[:, np.newaxis])), is_skewed(np.eye(50)[:, :1])
    (True, False)
    """
    low, middle, high = np.quantile(y, (0.05, 0.5, 0.95), axis=0)
    deviation = y.std(axis=0)
    if not (deviation > 0.0).all():
        return False
    skewness = np.mean(((y - y.mean(axis=0)) / deviation) ** 3, axis=0)
    far = high - middle > _LEAST_RATIO * (middle - low)
    return bool((far & (skewness >= _LEAST_SKEWNESS)).all())


def log_losses(target: Target, loss: str) -> tuple[str, ...]:
    """Give the losses on a logarithmic scale that are worth a try beside `loss`.

    "poisson" fits the mean through its logarithm, and wants values that are not negative;
    "squared_log" fits the mean of the logarithms, so about the median. Neither is always better
    than a loss on the target's own scale: validation chooses.
    """
    if target.classes is not None or loss not in _OF_LOCATION or not is_skewed(target.values):
        return ()
    return _ON_LOGARITHMS[1:] if (target.values < 0.0).any() else _ON_LOGARITHMS


def loss_to_draw(loss: str, further: Sequence[str]) -> Any:
    """Give what a search space draws the loss from; the loss itself comes first."""
    if not further:
        return loss
    share = (1.0 - _OWN_SHARE) / len(further)
    return Choice((loss, *further), weights=(_OWN_SHARE, *[share] * len(further)))


def first_loss(space: SearchSpace) -> str:
    """Give the loss that all of a space has, but for further ones on logarithms, or "auto"."""
    named = space.parameters.get("loss")
    if isinstance(named, Choice) and set(named.options[1:]) <= set(_ON_LOGARITHMS):
        named = named.options[0]
    return named if isinstance(named, str) else "auto"


def linear_losses(space: SearchSpace) -> dict[str, str]:
    """Give the losses that a space's linear models have, by what their names end in."""
    named = space.parameters.get("loss")
    draws_logs = isinstance(named, Choice) and "squared_log" in named.options[1:]
    return {"": first_loss(space)} | ({"-log": "squared_log"} if draws_logs else {})


def with_twins(candidates: Sequence[Candidate], further: Sequence[str]) -> list[Candidate]:
    """Give the candidates, and twins that differ in their loss.

    Twins are those of every other variant of RealMLP, which is mostly what wins on all scales, and
    of the first variant with members.
    """
    recipes = [candidate for candidate in candidates if candidate.parametrization == "ntp"]
    alone = [recipe for recipe in recipes if recipe.n_members == 1]
    several = [recipe for recipe in recipes if recipe.n_members > 1]
    with_twin = [*alone[::2], *several[:1]]
    twins = [replace(recipe, loss=loss) for recipe in with_twin for loss in further]
    return [*candidates, *twins]
