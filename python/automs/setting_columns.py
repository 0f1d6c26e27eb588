"""Columns of settings, one value a candidate -> checked columns; a `Candidate` where asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from automs._rules import Flag, OneOf, Real, Rule, Sizes, Whole
from automs.candidates import Candidate, resolve_loss
from automs.seeds import derive_seeds
from automs.setting_rules import LOSSES, RULES

__all__ = ["SettingColumns"]

Column = npt.NDArray[Any]

_DEFAULTS = Candidate().settings()


class SettingColumns(Sequence[Candidate]):
    """Many candidates without an object for each: an array for each setting that varies.

    Parameters
    ----------
    settings : mapping of str to value or array-like
        Settings of `Candidate` by name. A single value holds for all candidates; an array of
        shape (n,) has one for each. `hidden_layer_sizes` is a number or tuple for all, or an array
        of whole numbers: (n,), or (n, n_layers), where 0 is a layer that is not there. What is
        left out has its default. At least one setting must be an array.
    seed : int
        From it and the numbers follow the seeds where none are given, as for a list.

    Raises
    ------
    TypeError, ValueError
        When a setting breaks its rule; the message names the first entry that does.

    Examples
    --------
    >>> columns = SettingColumns({"learning_rate": [0.1, 0.2], "hidden_layer_sizes": (8,)}, seed=0)
    >>> columns[1].learning_rate, len(columns)
    (0.2, 2)
    """

    def __init__(self, settings: Mapping[str, Any], seed: int) -> None:
        _check_names(settings)
        self._values: dict[str, Any] = {
            name: _checked(name, RULES[name], settings[name]) for name in settings
        }
        lengths = {n: len(v) for n, v in self._values.items() if isinstance(v, np.ndarray)}
        if not lengths:
            raise ValueError(
                "candidates must hold an array for at least one setting, got single values only"
            )
        self._n = next(iter(lengths.values()))
        if self._n == 0:
            raise ValueError("columns of candidates must hold at least one, got none")
        if any(length != self._n for length in lengths.values()):
            raise ValueError(f"columns of candidates must be equally long, got {lengths}")
        if self._values.get("seed") is None:
            self._values["seed"] = derive_seeds(seed, np.arange(self._n, dtype=np.uint64))
        self._check_pairs()

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[Candidate]:
        return (self[number] for number in range(self._n))

    @overload
    def __getitem__(self, number: int) -> Candidate: ...
    @overload
    def __getitem__(self, number: slice) -> list[Candidate]: ...
    def __getitem__(self, number: int | slice) -> Candidate | list[Candidate]:
        """Give one candidate, made anew."""
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(self._n))]
        at = range(self._n)[number]
        values = {name: _entry(name, column, at) for name, column in self._values.items()}
        return Candidate(**values)

    def _value(self, name: str) -> Any:
        return self._values.get(name, _DEFAULTS[name])

    def column(self, name: str) -> Column:
        """Give the values of a setting, shape (n,); words are objects."""
        value = self._value(name)
        if not isinstance(value, np.ndarray):
            return np.full(self._n, 0 if value is None else value)
        rule = RULES[name]
        return np.array(rule.options, dtype=object)[value] if isinstance(rule, OneOf) else value

    def words(self, name: str) -> dict[str, npt.NDArray[np.intp]]:
        """Give each word that occurs in a setting with the numbers of its candidates."""
        value = self._value(name)
        if not isinstance(value, np.ndarray):
            return {value: np.arange(self._n)}
        rule = RULES[name]
        assert isinstance(rule, OneOf)
        found = ((word, np.flatnonzero(value == code)) for code, word in enumerate(rule.options))
        return {word: numbers for word, numbers in found if numbers.size}

    def engine_columns(self, task: str) -> dict[str, Column]:
        """Give what `automs.columns.to_columns` gives of a list of the same candidates."""
        columns: dict[str, Column] = {}
        for name, rule in RULES.items():
            value = self._value(name)
            if isinstance(rule, Sizes):
                columns["hidden_sizes"], columns["hidden_offsets"] = self._layers(value)
            elif isinstance(rule, OneOf) and name != "loss":
                codes = value if isinstance(value, np.ndarray) else rule.options.index(value)
                columns[name] = np.full(self._n, codes, dtype=np.int32)
            elif name not in {"loss", "l1_penalty"}:  # no network has the latter
                columns[name] = np.full(self._n, 0 if value is None else value, _dtype(name))
        columns["loss"] = np.empty(self._n, dtype=np.int32)
        for word, numbers in self.words("loss").items():
            columns["loss"][numbers] = LOSSES.index(resolve_loss(word, task))
        return columns

    def groups(self) -> Iterator[npt.NDArray[np.intp]]:
        """Give the numbers of the candidates that see a table alike, group by group."""
        embeds = self.column("embedding_size") > 0
        for by_encoding in self.words("encoding").values():
            for by_loss in self.words("loss").values():
                both = np.intersect1d(by_encoding, by_loss, assume_unique=True)
                for numbers in (both[embeds[both]], both[~embeds[both]]):
                    if numbers.size:
                        yield numbers

    def _layers(self, value: Any) -> tuple[Column, Column]:
        if not isinstance(value, np.ndarray):
            sizes = np.tile(np.array(value, dtype=np.int32), self._n)
            return sizes, np.arange(self._n + 1, dtype=np.int64) * len(value)
        offsets = np.zeros(self._n + 1, dtype=np.int64)
        np.cumsum((value > 0).sum(axis=1), out=offsets[1:])
        return value[value > 0], offsets

    def _check_pairs(self) -> None:
        """Let `Candidate` itself judge settings that concern each other, where one may fail.

        These are the optimizer and its weight decay; of each optimizer the largest stands for all.
        Besides, a periodic embedding and the encoding, of each of which the first stands for all,
        the largest L1 penalty, which no network has, and among those with members the fewest
        layers.
        """
        several = np.flatnonzero(self.column("n_members") > 1)
        if several.size:
            depths = np.diff(self._layers(self._value("hidden_layer_sizes"))[1])
            self[int(several[depths[several].argmin()])]
        self[int(self.column("l1_penalty").argmax())]
        embeds = self.words("numeric_embedding").get("pbld", np.empty(0, dtype=np.intp))
        for numbers in self.words("encoding").values():
            for number in np.intersect1d(embeds, numbers)[:1]:
                self[int(number)]
        decay = self.column("weight_decay")
        for word, numbers in self.words("optimizer").items():
            if word == "exact":
                raise ValueError(
                    "optimizer must not be 'exact' in columns: hand those over as a list"
                )
            self[int(numbers[decay[numbers].argmax()])]


def _check_names(settings: Mapping[str, Any]) -> None:
    for name in settings:
        if name not in RULES:
            near = difflib.get_close_matches(str(name), RULES, n=1, cutoff=0.0)[0]
            raise ValueError(
                f"candidates must name settings of Candidate, got {name!r}: nearest is {near!r}"
            )


def _dtype(name: str) -> type:
    rule = RULES[name]
    if isinstance(rule, Real):
        return np.float64
    if isinstance(rule, Flag):
        return np.uint8
    return np.uint64 if name == "seed" else np.int32


def _checked(name: str, rule: Rule, value: Any) -> Any:
    """Give a column as an array of the engine's type (words as codes), or a value for all."""
    is_column = isinstance(value, np.ndarray) if isinstance(rule, Sizes) else np.ndim(value) > 0
    if not is_column:
        return rule.check(name, value)
    column = np.asarray(value)
    if isinstance(rule, Sizes) and column.ndim == 1:
        column = column[:, np.newaxis]
    n_dimensions = 2 if isinstance(rule, Sizes) else 1
    if column.ndim != n_dimensions:
        raise ValueError(f"{name} must be an array of one value a candidate, got {column.shape}")
    if isinstance(rule, OneOf):
        return _codes(name, rule, column)
    if isinstance(rule, Sizes):
        rule.check(f"the number of layers of {name}", [1] * column.shape[1])
        rule = Whole(0, rule.size.high)  # 0: no layer
    _check_extremes(name, rule, column)
    return np.ascontiguousarray(column, dtype=_dtype(name))


def _check_extremes(name: str, rule: Rule, column: Column) -> None:
    """Check a column's type by its first entry, its range by the least and the largest."""
    flat = column.ravel()
    entries = {0, int(flat.argmin()), int(flat.argmax())} if flat.size else set()
    for at in sorted(entries):
        place = ", ".join(str(i) for i in np.unravel_index(at, column.shape))
        rule.check(f"{name}[{place}]", flat[at])


def _codes(name: str, rule: OneOf, column: Column) -> npt.NDArray[np.int32]:
    codes = np.full(len(column), -1, dtype=np.int32)
    if column.dtype.kind in "UO":
        for code, word in enumerate(rule.options):
            codes[column == word] = code
    for at in np.flatnonzero(codes < 0)[:1]:
        rule.check(f"{name}[{at}]", column[at])
    return codes


def _entry(name: str, column: Any, at: int) -> Any:
    """Give the value of candidate `at`, as `Candidate` takes it."""
    if not isinstance(column, np.ndarray):
        return column
    rule = RULES[name]
    if isinstance(rule, Sizes):
        return tuple(int(size) for size in column[at] if size > 0)
    if isinstance(rule, OneOf):
        return rule.options[column[at]]
    return bool(column[at]) if isinstance(rule, Flag) else column[at]
