"""Cached predictions, their score and what members take -> greedy weights within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["is_better", "select_greedily"]

Floats = NDArray[np.float64]
#: Of a set of members, by their numbers: the share of the budget that they take, 1 being all.
Share = Callable[[Sequence[int]], float]
Selection = tuple[Floats, float, int]

# As in the compiled selection: relative, above rounding, below what a metric can tell.
_TIE_TOLERANCE = 1e-9


def select_greedily(
    members: Sequence[Floats],
    score: Callable[[Floats], float],
    max_size: int,
    is_late: Callable[[], bool],
    share: Share | None = None,
) -> Selection:
    """Add members one after the other, with replacement, while the budget holds.

    Parameters
    ----------
    members : sequence of ndarray of shape (n_rows, n_columns), float64
        Their predictions.
    score : callable
        Predictions -> their score, higher is better, NaN where it is undefined.
    max_size : int
        Additions at most.
    is_late : callable
        Ends the additions when it returns True, but for the first one.
    share : callable, optional
        The share of the budget that a set of members takes; a member in it already takes nothing
        more. None: all there are may be taken.

    Returns
    -------
    weights, score, n_steps : ndarray of shape (n_members,), float, int
        Of the first best step; weights of 0 and NaN where no member has a score, or none fits.

    Notes
    -----
    Within a budget this is done twice: once each step takes the best score, which may spend all on
    one large member; once the most score gained for the share of the budget that it takes, which
    may pass over the large one. The better of both is the result.

    References
    ----------
    Leskovec et al., "Cost-effective outbreak detection in networks" (2007), section 3.2: where
    gains diminish, the better of both greedy rules is within a constant factor of the best choice.

    Examples
    --------
    >>> members = [np.array([[1.0]]), np.array([[3.0]]), np.array([[2.0]])]
    >>> select_greedily(members, lambda p: -abs(2.0 - p[0, 0]), 4, lambda: False)[0]
    array([0., 0., 1.])
    >>> share = lambda chosen: 2.0 if 2 in chosen else 0.4 * len(chosen)
    >>> select_greedily(members, lambda p: -abs(2.0 - p[0, 0]), 4, lambda: False, share)[0]
    array([0.5, 0.5, 0. ])
    """
    best = _add_members(members, score, max_size, is_late, share, by_share=False)
    if share is not None:
        frugal = _add_members(members, score, max_size, is_late, share, by_share=True)
        if frugal[2] > 0 and is_better(frugal[1], best[1]):
            best = frugal
    return best


def _add_members(  # the members, how they are scored, limits, and the rule
    members: Sequence[Floats],
    score: Callable[[Floats], float],
    max_size: int,
    is_late: Callable[[], bool],
    share: Share | None,
    *,
    by_share: bool,
) -> Selection:
    counts = np.zeros(len(members), dtype=np.int64)
    total = np.zeros_like(members[0])
    best_weights, best_score, n_steps = np.zeros(len(members)), float("nan"), 0
    last = float("nan")
    for step in range(1, max_size + 1):
        if n_steps > 0 and is_late():
            break
        before, shares = _shares(counts, share)
        scores = np.array(
            [
                score((total + member) / step) if taken <= 1.0 else np.nan
                for member, taken in zip(members, shares, strict=True)
            ]
        )
        if np.isnan(scores).all():
            break
        worth = _worth(scores, shares - before, last, max_size) if by_share else scores
        top = np.nanmax(worth)
        tied = np.flatnonzero(
            [not np.isnan(value) and not is_better(top, value) for value in worth]
        )
        used = tied[counts[tied] > 0]
        chosen = int(used[0] if used.size else tied[0])
        counts[chosen] += 1
        total += members[chosen]
        last = float(scores[chosen])
        if n_steps == 0 or is_better(last, best_score):
            best_weights, best_score, n_steps = counts / step, last, step
    return best_weights, best_score, n_steps


def _shares(counts: NDArray[np.int64], share: Share | None) -> tuple[float, Floats]:
    """Give what is taken of the budget, and what would be with each member added."""
    if share is None:
        return 0.0, np.zeros(len(counts))
    chosen = [int(member) for member in np.flatnonzero(counts)]
    now = share(chosen) if chosen else 0.0
    after = [
        now if count else share([*chosen, member]) for member, count in enumerate(counts.tolist())
    ]
    return now, np.array(after)


def _worth(scores: Floats, taken: Floats, last: float, max_size: int) -> Floats:
    """Give what is gained for the share that each addition takes; a step itself takes one too."""
    finite = scores[np.isfinite(scores)]
    if not finite.size:
        return scores
    before = float(finite.min()) if np.isnan(last) else last
    gains = scores - before
    cost = np.maximum(taken, 1.0 / max_size)
    # A loss is none the better for taking more of the budget.
    worth: Floats = np.where(gains > 0.0, gains / cost, gains)
    return worth


def is_better(score: float, than: float) -> bool:
    """Return whether a score is higher by more than a tie."""
    return bool(score > than + _TIE_TOLERANCE * abs(than) or (np.isinf(than) and score > than))
