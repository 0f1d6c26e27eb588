"""Public arguments of the estimators -> checked, plain values."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.seeds import keyed_rng
from automs.target import Target

__all__ = [
    "check_memory_limit",
    "check_verbose",
    "resolve_class_weight",
    "resolve_limit",
    "resolve_seed",
    "resolve_time_limit",
    "resolve_whole",
]

DEFAULT_TIME_LIMIT = 60.0

Values = npt.NDArray[np.float64]


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


def resolve_class_weight(
    class_weight: Any, target: Target, sample_weight: Values | None
) -> Values | None:
    """Give each row's weight: that of its class times its own.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        "balanced" gives every class the same total; a dict maps labels to weights >= 0, and
        labels that it lacks to 1.
    target : Target
    sample_weight : ndarray of float64, shape (n_rows,), or None

    Raises
    ------
    ValueError, TypeError
        When `class_weight` is something else, or has a label that y lacks.
    """
    if class_weight is None or target.classes is None:
        return sample_weight
    codes = target.values[:, 0].astype(np.int64)
    own = np.ones(len(codes)) if sample_weight is None else sample_weight
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be 'balanced' or a dict, got {class_weight!r}")
        totals = np.bincount(codes, weights=own, minlength=len(target.classes))
        by_class = own.sum() / (len(totals) * np.where(totals > 0, totals, 1.0))
    elif isinstance(class_weight, dict):
        labels = target.classes.tolist()
        unknown = [label for label in class_weight if label not in labels]
        if unknown:
            raise ValueError(f"class_weight must name classes of y, got {unknown[0]!r}")
        for weight in class_weight.values():
            if isinstance(weight, bool) or not isinstance(weight, numbers.Real):
                raise TypeError(f"class_weight must map labels to numbers, got {weight!r}")
        by_class = np.array([float(class_weight.get(label, 1.0)) for label in labels])
        if not (np.isfinite(by_class).all() and (by_class >= 0).all() and by_class.any()):
            raise ValueError(f"class_weight must hold weights >= 0, not all 0, got {class_weight}")
    else:
        raise TypeError(f"class_weight must be None, 'balanced' or a dict, got {class_weight!r}")
    return np.ascontiguousarray(own * by_class[codes])
