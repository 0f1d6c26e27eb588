"""Nothing -> the exception and warning classes of automs."""

from __future__ import annotations

__all__ = [
    "AutomsWarning",
    "BaselineWarning",
    "MemoryLimitError",
    "ModelFileError",
    "SearchWarning",
]


class ModelFileError(ValueError):
    """A model file is damaged, cut short, of an unknown version, or no model file at all."""


class MemoryLimitError(ValueError):
    """What a search cannot do without would take more than `memory_limit`."""


class AutomsWarning(UserWarning):
    """The base of every warning that automs gives."""


class SearchWarning(AutomsWarning):
    """A caller should know of it: a search was interrupted, or had no time for all rows."""


class BaselineWarning(AutomsWarning):
    """A baseline has a better validation score than the model, by more than the noise."""
