"""A number of bytes and what was taken of it -> whether more may be taken."""

from __future__ import annotations

import math

from automs.errors import MemoryLimitError

__all__ = ["Memory", "state_bytes"]

#: Bytes of a parameter in a kept state: weights, best weights and two moments, float32.
_STATE_BYTES = 16
#: Of what the table leaves, encoded views may take so much; kept states and predictions the rest.
_VIEW_SHARE = 0.75


class Memory:
    """Counts the large blocks of a search against `memory_limit`.

    Parameters
    ----------
    limit : float or None, bytes
        None: everything fits.
    table_bytes : int, default=0
        What the table takes already.

    Raises
    ------
    MemoryLimitError
        When the table alone takes more.

    Notes
    -----
    Counted are the table, encoded views (for every fold and encoding 4 bytes a row and feature,
    and 6 a row and piecewise column, whose bins are not kept as features), states that are kept
    for the ensemble, and validation predictions. What the interpreter, libraries, and states that
    may still be promoted take comes on top.

    Examples
    --------
    >>> memory = Memory(1000, table_bytes=200)
    >>> memory.has_room(700), memory.has_room(500)
    (False, True)
    """

    def __init__(self, limit: float | None, table_bytes: int = 0) -> None:
        self.limit = limit
        self._taken = table_bytes
        left = math.inf if limit is None else float(limit) - table_bytes
        if left < 0:
            raise self._error("the table as float64", table_bytes)
        self._left = left
        self._left_for_views = _VIEW_SHARE * left

    def take_first_view(self, n_bytes: int) -> None:
        """Take the view that nothing can do without, or raise MemoryLimitError."""
        if n_bytes > self._left:
            raise self._error("the table and one encoded view of it", self._taken + n_bytes)
        self.take_view(n_bytes)

    def take_view(self, n_bytes: int) -> None:
        """Count a view."""
        self._left -= n_bytes
        self._left_for_views -= n_bytes
        self._taken += n_bytes

    def has_room(self, n_bytes: float) -> bool:
        """Whether views of so many bytes more would fit."""
        return n_bytes <= self._left_for_views

    def n_more(self, n_bytes: int, wanted: int) -> int:
        """Give how many views of this size there is room for, at most as many as are wanted."""
        return int(min(wanted, max(self._left_for_views, 0.0) / max(n_bytes, 1)))

    @property
    def state_bytes(self) -> float:
        """What kept states may take, and as much again validation predictions."""
        return max(self._left, 0.0) / 2.0

    def _error(self, what: str, needed: int) -> MemoryLimitError:
        return MemoryLimitError(
            f"memory_limit must hold {what}: {needed} bytes are needed, {self.limit} are allowed"
        )


def state_bytes(n_parameters: int, n_folds: int) -> int:
    """Give what the kept state of a candidate takes, over all folds."""
    return _STATE_BYTES * n_parameters * n_folds
