"""Dimensions, constants and conditions by name -> `SearchSpace`: what may vary, as data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from automs._rules import check_weights
from automs.dimensions import (
    Choice,
    Float,
    Int,
    Layers,
    draw_from,
    holds,
    mutate_in,
)
from automs.seeds import pick

__all__ = ["Choice", "Float", "Int", "Layers", "SearchSpace", "When", "with_defaults"]


@dataclass(frozen=True, slots=True)
class When:
    """One dimension or constant where another parameter has a certain value, else another.

    Parameters
    ----------
    parameter : str
        The name of another parameter of the same search space.
    equals : object
        The value that decides, or a set of such values.
    then, otherwise : dimension, constant or When
        What to take where `parameter` is (one of) `equals`, and where it is not.

    Examples
    --------
    >>> momentum = When("optimizer", equals="sgd", then=Float(0.5, 0.99), otherwise=0.9)
    """

    parameter: str
    equals: Any
    then: Any
    otherwise: Any

    def branch(self, values: Mapping[str, Any]) -> Any:
        """`then` or `otherwise`, by the value that `parameter` has in `values`."""
        value = values[self.parameter]
        if isinstance(self.equals, set | frozenset):
            return self.then if value in self.equals else self.otherwise
        return self.then if value == self.equals else self.otherwise


def _conditions(what: Any) -> Iterator[str]:
    """Names that `what` depends on, those of nested conditions included."""
    if isinstance(what, When):
        yield what.parameter
        yield from _conditions(what.then)
        yield from _conditions(what.otherwise)


def _active(what: Any, values: Mapping[str, Any]) -> Any:
    """Settle all conditions by `values`: what remains is a dimension or a constant."""
    while isinstance(what, When):
        what = what.branch(values)
    return what


def _drawing_order(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Names as given, each moved behind the names that its conditions read."""
    order: list[str] = []
    left = list(parameters)
    while left:
        ready = [n for n in left if all(read in order for read in _conditions(parameters[n]))]
        if not ready:
            raise ValueError(f"SearchSpace: conditions must not form a cycle, got one in {left}")
        order.append(ready[0])
        left.remove(ready[0])
    return tuple(order)


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    for name, what in parameters.items():
        if not isinstance(name, str):
            raise TypeError(f"SearchSpace: names must be strings, got {name!r}")
        for read in _conditions(what):
            if read not in parameters:
                raise ValueError(
                    f"SearchSpace: the condition of {name!r} reads {read!r}, "
                    "which must be a parameter of the same space"
                )


class SearchSpace:
    """What may vary between candidates, and over which values; immutable.

    Parameters
    ----------
    parameters : dict of str to dimension, `When` or constant
        By name of a `Candidate` setting: a `Float`, `Int`, `Choice` or `Layers`; a `When` where
        it depends on another parameter; any other value is a constant. A setting that is not
        named keeps the default of `Candidate`.

    Raises
    ------
    ValueError
        When a condition reads a name that the space does not have, or conditions form a cycle.
        (Names are compared with those of `Candidate` when candidates are drawn.)

    Notes
    -----
    `SearchSpace.union` gives a weighted mixture of spaces, each with its own parameters.

    Examples
    --------
    >>> space = SearchSpace({
    ...     "hidden_layer_sizes": Layers(depth=Int(1, 3), width=Int(16, 128, log=True)),
    ...     "optimizer": Choice(("adamw", "sgd")),
    ...     "momentum": When("optimizer", equals="sgd", then=Float(0.5, 0.99), otherwise=0.9),
    ... })
    >>> sorted(space.sample(np.random.default_rng(0)))
    ['hidden_layer_sizes', 'momentum', 'optimizer']
    """

    __slots__ = ("_order", "_parameters", "_parts")

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        _check_parameters(parameters)
        self._parameters = dict(parameters)
        self._order = _drawing_order(parameters)
        self._parts: tuple[tuple[float, SearchSpace], ...] = ()

    @classmethod
    def union(cls, parts: Iterable[tuple[float, SearchSpace]]) -> SearchSpace:
        """Give the space that draws from one of several spaces, by weight.

        Parameters
        ----------
        parts : iterable of (float, SearchSpace)
            Weights >= 0, not all zero (they need not sum to 1), and spaces.

        Returns
        -------
        SearchSpace

        Raises
        ------
        ValueError
            When there is no part, or the weights break their rule.

        Examples
        --------
        >>> lean = SearchSpace({"hidden_layer_sizes": (32,)})
        >>> wide = SearchSpace({"hidden_layer_sizes": (256, 256)})
        >>> len(SearchSpace.union([(0.75, lean), (0.25, wide)]).parts)
        2
        """
        space = cls({})
        space._parts = tuple((float(weight), part) for weight, part in parts)
        if not all(isinstance(part, SearchSpace) for _, part in space._parts):
            raise TypeError("SearchSpace.union: parts must be pairs (weight, SearchSpace)")
        check_weights("SearchSpace.union: weights", tuple(weight for weight, _ in space._parts))
        return space

    @property
    def parts(self) -> tuple[tuple[float, SearchSpace], ...]:
        """The weighted parts of a union; of a plain space, the space itself with weight 1."""
        return self._parts or ((1.0, self),)

    @property
    def parameters(self) -> dict[str, Any]:
        """Dimensions and constants by name; of a union, those that all its parts share."""
        if not self._parts:
            return dict(self._parameters)
        first, *others = [part.parameters for _, part in self._parts]
        return {
            name: what
            for name, what in first.items()
            if all(name in other and other[name] == what for other in others)
        }

    def sample(self, rng: np.random.Generator) -> dict[str, Any]:
        """Draw one value for each parameter (of one part, for a union)."""
        if self._parts:
            weights = tuple(weight for weight, _ in self._parts)
            return self._parts[pick(weights, rng)][1].sample(rng)
        values: dict[str, Any] = {}
        for name in self._order:
            values[name] = draw_from(_active(self._parameters[name], values), rng)
        return values

    def contains(self, values: Mapping[str, Any]) -> bool:
        """Whether `sample` could have given these values; other names are not looked at."""
        return self._share_held(values) == 1.0

    def _share_held(self, values: Mapping[str, Any]) -> float:
        """Give the share of the names whose values `sample` could have given; 1 without names."""
        if self._parts:
            return max(part._share_held(values) for _, part in self._parts)
        held = sum(self._holds(name, values) for name in self._order)
        return held / len(self._order) if self._order else 1.0

    def _holds(self, name: str, values: Mapping[str, Any]) -> bool:
        what = self._parameters[name]
        if name not in values or any(read not in values for read in _conditions(what)):
            return False
        return holds(_active(what, values), values[name])

    def mutate(
        self,
        values: Mapping[str, Any],
        rng: np.random.Generator,
        only: Collection[str] | None = None,
    ) -> dict[str, Any]:
        """Give values near `values`, inside the space.

        Numbers take a small step in their range, one choice (or layer shape) is drawn anew, and
        what the space does not contain, or what a changed condition opens, is drawn. With `only`,
        other names keep their values. Of a union, it is the first part that contains the most of
        the values.
        """
        if self._parts:
            drawn = [part for weight, part in self._parts if weight > 0]
            nearest = max(drawn, key=lambda part: part._share_held(values))
            return nearest.mutate(values, rng, only)
        choices = [
            name
            for name in self._order
            if (only is None or name in only)
            and all(read in values for read in _conditions(self._parameters[name]))
            and isinstance(_active(self._parameters[name], values), Choice | Layers)
        ]
        redrawn = choices[int(rng.integers(len(choices)))] if choices else None
        mutated: dict[str, Any] = {}
        for name in self._order:
            if only is not None and name not in only and name in values:
                mutated[name] = values[name]
                continue
            what = _active(self._parameters[name], mutated)
            keep = name in values and name != redrawn
            mutated[name] = mutate_in(what, values[name], rng) if keep else draw_from(what, rng)
        return mutated

    def replace(self, **parameters: Any) -> SearchSpace:
        """Give a copy with these parameters set (in every part of a union)."""
        if self._parts:
            return self.union((weight, part.replace(**parameters)) for weight, part in self._parts)
        return SearchSpace({**self._parameters, **parameters})

    def __getitem__(self, name: str) -> Any:
        """Give what `parameters` has under this name."""
        return self.parameters[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names, for a union those of all parts."""
        names = (name for _, part in self._parts for name in part)
        return iter(dict.fromkeys(names) if self._parts else self._parameters)

    def __len__(self) -> int:
        """Count the names."""
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        """Whether parameters and parts are the same."""
        if not isinstance(other, SearchSpace):
            return NotImplemented
        return self._parameters == other._parameters and self._parts == other._parts

    __hash__ = None  # type: ignore[assignment]  # a mapping of values that need no hash

    def __repr__(self) -> str:
        """Write the space as code, one parameter or part a line."""
        if self._parts:
            lines = [f"({weight:g}, {part!r})," for weight, part in self._parts]
            start, end = "SearchSpace.union([", "])"
        else:
            lines = [f"{name!r}: {what!r}," for name, what in self._parameters.items()]
            start, end = "SearchSpace({", "})"
        inner = "".join(f"    {line}\n" for text in lines for line in text.split("\n"))
        return f"{start}\n{inner}{end}" if inner else f"{start}{end}"


def with_defaults(space: SearchSpace, defaults: dict[str, Any]) -> SearchSpace:
    """Give the space with settings that it, or each part of it, does not name."""
    if len(space.parts) > 1:
        return SearchSpace.union([(w, with_defaults(part, defaults)) for w, part in space.parts])
    return space.replace(**{k: v for k, v in defaults.items() if k not in space.parameters})
