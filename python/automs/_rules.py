"""A setting's name and value -> the checked value as a plain Python type, or an error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Flag", "OneOf", "Real", "Rule", "Sizes", "Whole", "check_weights"]


@dataclass(frozen=True, slots=True)
class Real:
    """A finite real number between two ends, each included or not."""

    low: float = -math.inf
    high: float = math.inf
    low_included: bool = False
    high_included: bool = False

    def check(self, name: str, value: Any) -> float:
        """Give `value` as a float; TypeError for another type, ValueError outside the range."""
        if type(value) is not float:
            if isinstance(value, bool | np.bool_) or not isinstance(
                value, int | float | np.integer | np.floating
            ):
                raise TypeError(f"{name} must be a real number, got {value!r}")
            value = float(value)
        above = value > self.low or (self.low_included and value == self.low)
        below = value < self.high or (self.high_included and value == self.high)
        if not (above and below and math.isfinite(value)):
            raise ValueError(f"{name} must be {self}, got {value!r}")
        return float(value)

    def __str__(self) -> str:
        ends = []
        if self.low > -math.inf:
            ends.append(f"{'>=' if self.low_included else '>'} {self.low:g}")
        if self.high < math.inf:
            ends.append(f"{'<=' if self.high_included else '<'} {self.high:g}")
        return " and ".join(ends or ["finite"])


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two ends, both included; None too where the setting is optional."""

    low: int
    high: int = 2**31 - 1
    optional: bool = False

    def check(self, name: str, value: Any) -> int | None:
        """Give `value` as an int; TypeError for another type, ValueError outside the range."""
        if value is None and self.optional:
            return None
        if type(value) is not int:
            if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
                kind = "a whole number" + (" or None" if self.optional else "")
                raise TypeError(f"{name} must be {kind}, got {value!r}")
            value = int(value)
        if value < self.low:
            raise ValueError(f"{name} must be >= {self.low}, got {value}")
        if value > self.high:
            raise ValueError(f"{name} must be <= {self.high}, got {value}")
        return int(value)


@dataclass(frozen=True, slots=True)
class Flag:
    """True or False."""

    def check(self, name: str, value: Any) -> bool:
        """Give `value` as a bool; TypeError for another type."""
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name} must be True or False, got {value!r}")
        return bool(value)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words."""

    options: tuple[str, ...]

    def check(self, name: str, value: Any) -> str:
        """Give `value` as a str; TypeError for another type, ValueError for another word."""
        if not isinstance(value, str):
            raise TypeError(f"{name} must be one of {', '.join(self.options)}, got {value!r}")
        if value not in self.options:
            raise ValueError(f"{name} must be one of {', '.join(self.options)}, got {value!r}")
        return str(value)


@dataclass(frozen=True, slots=True)
class Sizes:
    """A tuple of whole numbers; one number stands for a tuple of one."""

    max_length: int
    size: Whole

    def check(self, name: str, value: Any) -> tuple[int, ...]:
        """Give `value` as a tuple of ints; TypeError for another type, ValueError for a size."""
        if isinstance(value, int | np.integer) and not isinstance(value, bool):
            value = (value,)
        try:
            if isinstance(value, str | bytes | dict | set):
                raise TypeError
            sizes = tuple(value)
        except TypeError:
            raise TypeError(
                f"{name} must be a whole number or a sequence of them, got {value!r}"
            ) from None
        if len(sizes) > self.max_length:
            raise ValueError(
                f"{name} must have at most {self.max_length} entries, got {len(sizes)}"
            )
        checked = (self.size.check(f"{name}[{at}]", size) for at, size in enumerate(sizes))
        return tuple(size for size in checked if size is not None)


def check_weights(name: str, weights: tuple[float, ...]) -> None:
    """Raise ValueError unless all weights are finite and >= 0, and one is positive."""
    if not (all(math.isfinite(w) and w >= 0 for w in weights) and any(weights)):
        raise ValueError(f"{name} must be finite, >= 0 and not all zero, got {weights}")


Rule = Real | Whole | Flag | OneOf | Sizes
