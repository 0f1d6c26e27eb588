"""Scores of candidates that were trained to their end -> whether more search still helps."""

from __future__ import annotations

import math

__all__ = ["EarlyEnd"]

#: The last half of at least so many candidates, and of at least so many of them that were trained
#: to their end, has not improved the best score: then more of them are not worth their time.
#: A bracket of halving may hold hundreds, of which a few are trained so far.
_LEAST_CANDIDATES = 400
_LEAST_FINISHED = 100


class EarlyEnd:
    """Follows a search and says when it may as well end.

    Examples
    --------
    >>> end = EarlyEnd()
    >>> for n_candidates in range(1, 500):
    ...     end.note(1.0, n_candidates)
    >>> end.is_due
    True
    """

    def __init__(self) -> None:
        self._best = -math.inf
        self._n_candidates = self._n_finished = 0
        self._n_until_best = self._n_finished_until_best = 0

    def note(self, score: float, n_candidates: int) -> None:
        """Hear of one more that was trained to its end, when there were so many in all."""
        self._n_candidates = n_candidates
        self._n_finished += 1
        if score > self._best:
            self._best = score
            self._n_until_best, self._n_finished_until_best = n_candidates, self._n_finished

    @property
    def is_due(self) -> bool:
        """Whether nothing better came for long."""
        candidates = max(_LEAST_CANDIDATES, 2 * self._n_until_best)
        finished = max(_LEAST_FINISHED, 2 * self._n_finished_until_best)
        return self._n_candidates >= candidates and self._n_finished >= finished
