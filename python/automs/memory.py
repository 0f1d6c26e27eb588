"""A number of bytes and what was taken of it -> whether more may be taken."""

from __future__ import annotations

import math

from automs.errors import MemoryLimitError

__all__ = ["Memory", "network_bytes", "state_bytes"]

#: Bytes of a value in a state that may go on: weights, best weights and two moments, float32.
_STATE_BYTES = 16
#: In one that can only be used: the best weights.
_NETWORK_BYTES = 4
#: Of what the table leaves, encoded views may take so much; kept states and predictions the rest.
_VIEW_SHARE = 0.75
#: Without a limit: what kept networks may take, what states may that may go on, and of the first
#: view a share that each of both may take besides. Later predictions may take as much as both.
_FREE_NETWORKS = 70e6
_FREE_STATES = 110e6
_FREE_SHARE = 0.25
#: And what encoded views may take, with a share of the first: together 300 MB and twice the first.
_FREE_VIEWS = 120e6
_FREE_VIEW_SHARE = 1.5


class Memory:
    """Counts the large blocks of a search against `memory_limit`.

    Parameters
    ----------
    limit : float or None, bytes
        None: every view can be made, and what is kept at once is bounded all the same.
    table_bytes : int, default=0
        What the table takes already.

    Raises
    ------
    MemoryLimitError
        When the table alone takes more.

    Notes
    -----
    Counted are the table, encoded views (for every fold and encoding 4 bytes a row and feature,
    and 6 a row and binned column, whose bins or slots are not kept as features), networks kept
    for the ensemble, and validation predictions. States that may still be promoted may take as much
    as these networks; that comes on top, as does what the interpreter and libraries take. Without a
    limit networks, states and views have fixed shares of twice the first view and 300 MB; views
    beyond it are put away and made again.

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
            raise self._error("the table", table_bytes)
        self._left = left
        self._left_for_views = _VIEW_SHARE * left
        self._first_view = 0

    def take_first_view(self, n_bytes: int) -> None:
        """Take the view that nothing can do without, or raise MemoryLimitError."""
        if n_bytes > self._left:
            raise self._error("the table and one encoded view of it", self._taken + n_bytes)
        self._first_view = max(self._first_view, n_bytes)  # of a copy, that of the original
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
    def network_bytes(self) -> float:
        """What networks that are kept to be used may take."""
        return self._share(_FREE_NETWORKS)

    @property
    def state_bytes(self) -> float:
        """What states that may go on may take, those in training among them."""
        return self._share(_FREE_STATES)

    @property
    def prediction_bytes(self) -> float:
        """What validation predictions may take, after the search."""
        return self._share(_FREE_NETWORKS + _FREE_STATES)

    @property
    def view_bytes(self) -> float:
        """What views that are there at once may take; with a limit `has_room` has bounded them."""
        if self.limit is None:
            return _FREE_VIEWS + _FREE_VIEW_SHARE * self._first_view
        return math.inf

    @property
    def refit_bytes(self) -> float:
        """What views of all rows may take together, after the search; one always may."""
        return min(self.view_bytes, self._left_for_views)

    def _share(self, free: float) -> float:
        if self.limit is None:
            return free + _FREE_SHARE * self._first_view
        return max(self._left, 0.0) / 2.0

    def _error(self, what: str, needed: int) -> MemoryLimitError:
        return MemoryLimitError(
            f"memory_limit must hold {what}: {needed} bytes are needed, {self.limit} are allowed"
        )


def state_bytes(n_values: int) -> int:
    """Give what the state of a candidate that may go on takes, with so many values in all folds."""
    return _STATE_BYTES * n_values


def network_bytes(n_values: int) -> int:
    """Give what the networks of a candidate take that can only be used."""
    return _NETWORK_BYTES * n_values
