"""A strategy's name -> the strategy: past scores -> next candidates."""

from __future__ import annotations

import copy

from automs.strategies.base import Posterior, Problem, Request, Result, Strategy
from automs.strategies.gibbs import GibbsStrategy
from automs.strategies.halving import HalvingStrategy
from automs.strategies.random import RandomStrategy

__all__ = [
    "STRATEGIES",
    "GibbsStrategy",
    "HalvingStrategy",
    "Posterior",
    "Problem",
    "RandomStrategy",
    "Request",
    "Result",
    "Strategy",
    "make_strategy",
]

#: Names that `make_strategy` knows.
STRATEGIES: dict[str, type[Strategy]] = {
    "halving": HalvingStrategy,
    "random": RandomStrategy,
    "gibbs": GibbsStrategy,
}


def make_strategy(strategy: str | Strategy) -> Strategy:
    """Give the strategy of a name, or a copy of the strategy.

    Parameters
    ----------
    strategy : {"halving", "random", "gibbs"} or Strategy
        Of a strategy object a copy is given, so that a search does not change it.

    Returns
    -------
    Strategy

    Raises
    ------
    ValueError
        When the name is unknown.
    TypeError
        When it is neither a name nor a strategy.

    Examples
    --------
    >>> type(make_strategy("halving")).__name__
    'HalvingStrategy'
    """
    if isinstance(strategy, Strategy):
        return copy.deepcopy(strategy)
    if not isinstance(strategy, str):
        raise TypeError(f"strategy must be a name or a Strategy object, got {strategy!r}")
    if strategy not in STRATEGIES:
        raise ValueError(f"strategy must be one of {', '.join(STRATEGIES)}, got {strategy!r}")
    return STRATEGIES[strategy]()
