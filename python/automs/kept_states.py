"""Trained candidates -> those whose weights are not worth keeping."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from automs.memory import state_bytes
from automs.outcomes import JobState
from automs.training import Training

__all__ = ["beaten_states"]

#: Weights of so many of the best finished trials are kept for ensembles.
N_KEPT = 60


def beaten_states(training: Training, idle: Sequence[int]) -> list[int]:
    """Give the candidates to release so that the best stay, as many as memory has room for.

    Parameters
    ----------
    training : Training
    idle : sequence of int
        Numbers of candidates that will not be trained on, with weights.

    Returns
    -------
    list of int
        Some of them; none while there is room for many more than are kept.
    """
    sizes = {
        number: state_bytes(training.n_parameters(number), training.n_folds) for number in idle
    }
    room = training.memory.state_bytes
    if len(idle) <= 2 * N_KEPT and sum(sizes.values()) <= room:
        return []
    # Those that trained to their end come first, as only they are final.
    keys = {
        number: (progress.state is not JobState.COMPLETE, -progress.score)
        for number, progress in zip(idle, training.progress(idle), strict=True)
    }
    order = sorted(idle, key=lambda number: keys[number])
    taken = itertools.accumulate(sizes[number] for number in order)
    n_kept = max(sum(total <= room for total in taken), 1)
    return order[min(n_kept, N_KEPT) :]
