"""Ends of a range, or options -> a dimension: what one setting of a candidate may be."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from automs._rules import check_weights
from automs.seeds import pick

__all__ = ["Choice", "Dimension", "Float", "Int", "Layers"]

#: Standard deviation of a mutation's step, as a share of the (logarithmic) range.
MUTATION_STEP = 0.15


class Dimension(ABC):
    """What one setting may be: something to draw from, and to take small steps in."""

    __slots__ = ()

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one value with `rng`."""

    @abstractmethod
    def contains(self, value: Any) -> bool:
        """Whether `sample` could have given `value`."""

    @abstractmethod
    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        """Give a value near `value` (which must be contained) that the dimension contains."""


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _is_int(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (_is_int(value) or isinstance(value, float | np.floating)) and math.isfinite(value)


def draw_from(what: Any, rng: np.random.Generator) -> Any:
    """Draw from a dimension; a plain value is itself."""
    return what.sample(rng) if isinstance(what, Dimension) else what


def holds(what: Any, value: Any) -> bool:
    """Whether a dimension contains `value`, or a plain value is `value`."""
    if isinstance(what, Dimension):
        return what.contains(value)
    return isinstance(what, bool) == isinstance(value, bool) and bool(what == value)


def mutate_in(what: Any, value: Any, rng: np.random.Generator) -> Any:
    """Take a step from `value` in a dimension, or draw anew where it does not contain `value`."""
    if isinstance(what, Dimension):
        return what.mutate(value, rng) if what.contains(value) else what.sample(rng)
    return what


def _nudged(value: float, within: Float | Int, rng: np.random.Generator) -> float:
    """`value` moved by a normal step, reflected at the ends of the range."""
    low, high, log = within.low, within.high, within.log
    start, end, at = (math.log(v) if log else v for v in (low, high, value))
    share = (at - start) / (end - start) + MUTATION_STEP * rng.standard_normal()
    share = abs(share) % 2.0
    moved = start + min(share, 2.0 - share) * (end - start)
    return min(max(math.exp(moved) if log else moved, low), high)


@dataclass(frozen=True, slots=True)
class Float(Dimension):
    """A real number in [low, high], drawn evenly, or evenly in its logarithm.

    Parameters
    ----------
    low, high : float
        Ends of the range, both included; ``low < high``.
    log : bool, default=False
        Draw evenly in the logarithm; needs ``low > 0``.

    Raises
    ------
    ValueError
        When the range breaks one of these rules.

    Examples
    --------
    >>> Float(1e-3, 1e-1, log=True).contains(0.01)
    True
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        """Check the range."""
        for name in ("low", "high"):
            value = getattr(self, name)
            _require(_is_number(value), f"Float: {name} must be a finite number, got {value!r}")
            object.__setattr__(self, name, float(value))
        _require(self.low < self.high, f"Float: low must be < high, got {self.low}, {self.high}")
        _require(not self.log or self.low > 0, f"Float: log needs low > 0, got {self.low}")

    def sample(self, rng: np.random.Generator) -> float:
        """Draw one value with `rng`."""
        if not self.log:
            return float(rng.uniform(self.low, self.high))
        drawn = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)

    def contains(self, value: Any) -> bool:
        """Whether `value` is a number in [low, high]."""
        return _is_number(value) and self.low <= value <= self.high

    def mutate(self, value: Any, rng: np.random.Generator) -> float:
        """Take a small step from `value`, inside the range."""
        return _nudged(float(value), self, rng)


@dataclass(frozen=True, slots=True)
class Int(Dimension):
    """A whole number low, low + step, ... up to high, drawn evenly, or evenly in its logarithm.

    Parameters
    ----------
    low, high : int
        Ends of the range, both included; ``low < high``.
    log : bool, default=False
        Draw evenly in the logarithm; needs ``low >= 1`` and ``step == 1``.
    step : int, default=1
        Distance between neighbouring values.

    Raises
    ------
    ValueError
        When the range breaks one of these rules.

    Examples
    --------
    >>> [v for v in range(10) if Int(2, 8, step=3).contains(v)]
    [2, 5, 8]
    """

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        """Check the range."""
        for name in ("low", "high", "step"):
            value = getattr(self, name)
            _require(_is_int(value), f"Int: {name} must be a whole number, got {value!r}")
            object.__setattr__(self, name, int(value))
        _require(self.low < self.high, f"Int: low must be < high, got {self.low}, {self.high}")
        _require(self.step >= 1, f"Int: step must be >= 1, got {self.step}")
        _require(not self.log or self.low >= 1, f"Int: log needs low >= 1, got {self.low}")
        _require(not self.log or self.step == 1, f"Int: log needs step 1, got {self.step}")

    def sample(self, rng: np.random.Generator) -> int:
        """Draw one value with `rng`."""
        if not self.log:
            return self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1))
        drawn = math.exp(rng.uniform(math.log(self.low - 0.5), math.log(self.high + 0.5)))
        return min(max(round(drawn), self.low), self.high)

    def contains(self, value: Any) -> bool:
        """Whether `value` is one of the whole numbers of the range."""
        inside = _is_int(value) and self.low <= value <= self.high
        return bool(inside and (value - self.low) % self.step == 0)

    def mutate(self, value: Any, rng: np.random.Generator) -> int:
        """Take a small step from `value`, inside the range."""
        moved = _nudged(float(value), self, rng)
        n_steps = min(round((moved - self.low) / self.step), (self.high - self.low) // self.step)
        return self.low + self.step * n_steps


@dataclass(frozen=True, slots=True)
class Choice(Dimension):
    """One of several options; an option that is a dimension is drawn from in its turn.

    Parameters
    ----------
    options : sequence
        At least one value of any type, or dimension.
    weights : sequence of float, optional
        One weight >= 0 per option, not all zero; by default all are equal.

    Raises
    ------
    ValueError
        When the arguments break one of these rules.

    Examples
    --------
    >>> decay = Choice((0.0, Float(1e-3, 1e-1, log=True)), weights=(0.4, 0.6))
    >>> decay.contains(0.0), decay.contains(0.01), decay.contains(0.5)
    (True, True, False)
    """

    options: tuple[Any, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        """Check options and weights."""
        _require(not isinstance(self.options, str), "Choice: options must be a sequence, got a str")
        object.__setattr__(self, "options", tuple(self.options))
        _require(len(self.options) > 0, "Choice: options must not be empty")
        if self.weights is not None:
            object.__setattr__(self, "weights", tuple(float(w) for w in self.weights))
            n_options, n_weights = len(self.options), len(self.weights)
            _require(
                n_weights == n_options,
                f"Choice: weights must be one per option ({n_options}), got {n_weights}",
            )
            check_weights("Choice: weights", self.weights)

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one value with `rng`."""
        weights = self.weights or (1.0,) * len(self.options)
        return draw_from(self.options[pick(weights, rng)], rng)

    def contains(self, value: Any) -> bool:
        """Whether some option is or contains `value`."""
        return any(holds(option, value) for option in self.options)

    def mutate(self, value: Any, rng: np.random.Generator) -> Any:
        """Take a small step inside the option that holds `value`; a plain option stays."""
        return mutate_in(next(o for o in self.options if holds(o, value)), value, rng)


@dataclass(frozen=True, slots=True)
class Layers(Dimension):
    """Hidden layer sizes as depth times width.

    Parameters
    ----------
    depth, width : int, Int or Choice
        Number of hidden layers (0 is a linear model), and units of the first one.
    shape : {"constant", "funnel"}, default="constant"
        All layers alike, or each half as wide as the one before it.

    Raises
    ------
    ValueError
        When `shape` is unknown.

    Examples
    --------
    >>> Layers(depth=3, width=64, shape="funnel").sample(np.random.default_rng(0))
    (64, 32, 16)
    """

    depth: int | Int | Choice
    width: int | Int | Choice
    shape: str = "constant"

    def __post_init__(self) -> None:
        """Check the shape."""
        _require(
            self.shape in {"constant", "funnel"},
            f"Layers: shape must be 'constant' or 'funnel', got {self.shape!r}",
        )

    def _sizes(self, depth: int, width: int) -> tuple[int, ...]:
        return tuple(
            max(width >> layer, 1) if self.shape == "funnel" else width for layer in range(depth)
        )

    def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
        """Draw one tuple of sizes with `rng`."""
        return self._sizes(draw_from(self.depth, rng), draw_from(self.width, rng))

    def contains(self, value: Any) -> bool:
        """Whether `value` is a tuple of sizes of this depth, width and shape."""
        if not isinstance(value, tuple) or not holds(self.depth, len(value)):
            return False
        if not value:
            return True
        return holds(self.width, value[0]) and value == self._sizes(len(value), value[0])

    def mutate(self, value: Any, rng: np.random.Generator) -> tuple[int, ...]:
        """Take a small step in width; the depth stays."""
        return self._sizes(len(value), mutate_in(self.width, value[0], rng)) if value else ()
