"""Public arguments of the estimators -> checked, plain values."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from automs.seeds import keyed_rng

__all__ = [
    "check_memory_limit",
    "check_verbose",
    "resolve_limit",
    "resolve_seed",
    "resolve_time_limit",
    "resolve_whole",
]

DEFAULT_TIME_LIMIT = 60.0


def resolve_time_limit(time_limit: Any, max_trials: Any) -> float | None:
    """Give the seconds of wall clock that ``fit`` may take, None for no limit.

    Raises
    ------
    TypeError, ValueError
        When `time_limit` is no positive number, "auto" or None, or nothing at all would end the
        search.
    """
    if isinstance(time_limit, str):
        if time_limit != "auto":
            raise ValueError(f"time_limit must be 'auto', None or a number, got {time_limit!r}")
        return None if max_trials is not None else DEFAULT_TIME_LIMIT
    if time_limit is None:
        if max_trials is None:
            raise ValueError("time_limit must be a number where max_trials is None, got None")
        return None
    if isinstance(time_limit, bool) or not isinstance(time_limit, numbers.Real):
        raise TypeError(f"time_limit must be 'auto', None or a number, got {time_limit!r}")
    if not 0 < float(time_limit) < float("inf"):
        raise ValueError(f"time_limit must be > 0 seconds and finite, got {time_limit!r}")
    return float(time_limit)


def resolve_seed(random_state: Any) -> int:
    """Give the seed of all draws for an int, RandomState, Generator or None (new each time)."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, bool) or not isinstance(random_state, numbers.Integral):
        raise TypeError(f"random_state must be an int, RandomState or None, got {random_state!r}")
    if random_state < 0:
        raise ValueError(f"random_state must be >= 0, got {random_state!r}")
    return int(keyed_rng(int(random_state)).integers(2**63))


def resolve_whole(name: str, value: Any) -> int:
    """Give an integer >= 1, or raise TypeError or ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be >= 1, got {value!r}")
    return int(value)


def check_memory_limit(memory_limit: Any) -> None:
    """Raise TypeError or ValueError unless it is None or a number of bytes > 0."""
    resolve_limit("memory_limit", memory_limit, "bytes")


def resolve_limit(name: str, limit: Any, unit: str) -> float:
    """Give a limit > 0 as a float, infinite for None; TypeError or ValueError for what is none."""
    if limit is None:
        return math.inf
    if isinstance(limit, bool) or not isinstance(limit, numbers.Real):
        raise TypeError(f"{name} must be None or a number of {unit}, got {limit!r}")
    if not float(limit) > 0:
        raise ValueError(f"{name} must be > 0 {unit}, got {limit!r}")
    return float(limit)


def check_verbose(verbose: Any) -> None:
    """Raise TypeError unless it is an integer or a bool."""
    if not isinstance(verbose, numbers.Integral):
        raise TypeError(f"verbose must be an integer, got {verbose!r}")
