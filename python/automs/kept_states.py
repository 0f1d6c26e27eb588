"""Trained candidates -> those whose states are kept, within what memory allows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from automs.copied_states import CopiedStates
from automs.memory import network_bytes, state_bytes
from automs.outcomes import JobState, Progress
from automs.training import Training

__all__ = ["KeptStates"]

#: Weights of so many of the best finished trials are kept for ensembles.
N_KEPT = 60
#: Of what states that may go on may take: those that are trained at once; the others wait.
_PART_SHARE = 0.3


class KeptStates:
    """The states of one search: those that may go on, and networks that may be used.

    Parameters
    ----------
    training : Training

    Attributes
    ----------
    released : set of int
        Numbers of candidates whose weights were forgotten.

    Notes
    -----
    What is forgotten follows from sizes and scores alone. A candidate that is asked for although
    its state was forgotten, or all but its network, starts from nothing, or as the copy that it is,
    and comes to the bits that it would have had.
    """

    def __init__(self, training: Training) -> None:
        self.released: set[int] = set()
        self._training = training
        self._settled: set[int] = set()
        self._copies = CopiedStates(training, (self.released, self._settled))
        self._sizes: dict[int, int] = {}
        self._before: dict[int, tuple[int, list[dict[str, Any]]]] = {}  # epochs and networks

    def parts(self, numbers: Sequence[int]) -> list[list[int]]:
        """Give positions in `numbers`, in order, as parts whose states memory has room for."""
        room = _PART_SHARE * self._training.memory.state_bytes
        parts: list[list[int]] = []
        taken = room
        for at, number in enumerate(numbers):
            size = self._bytes(number, state_bytes)
            if taken + size > room:
                parts.append([])
                taken = 0.0
            parts[-1].append(at)
            taken += size
        return parts

    def begin(
        self,
        numbers: Sequence[int],
        time_left: Callable[[], float | None] = lambda: None,
        look: Callable[[], bool] = lambda: False,
    ) -> list[int]:
        """Give copies their first state, and put those that were forgotten back to their start.

        Gives these, and the new copies; where time ends before, copies are at epoch 0 still.
        """
        forgotten = [n for n in numbers if self._is_forgotten(n)]
        outcomes = zip(forgotten, self._training.progress(forgotten), strict=True)
        open_ones = {n: outcome for n, outcome in outcomes if not _is_finished(outcome)}
        for number, outcome in open_ones.items():
            if number in self._settled:
                self._before[number] = outcome.epoch, self._training.export_states(number)
        self._training.restart(list(open_ones))
        self.released.difference_update(open_ones)
        self._settled.difference_update(open_ones)
        begun = [n for n in numbers if n in open_ones or self._copies.is_new(n)]
        for number in begun:
            self._copies.begin(number, time_left, look)
        self._copies.forget_sources()
        return begun

    def recover(self) -> None:
        """Give those that began again, but did not come as far as they were, their network back."""
        numbers = list(self._before)
        for number, outcome in zip(numbers, self._training.progress(numbers), strict=True):
            epoch, states = self._before.pop(number)
            if outcome.epoch < epoch:
                self._training.import_states(number, states)
                self._settled.add(number)

    def copy(self, number: int, source: int) -> None:
        """Let a candidate begin with the state that another one has now."""
        self._copies.record(number, source)

    def keep(self, numbers: Sequence[int], may_go_on: Callable[[int], bool]) -> None:
        """Keep the states that may go on, of others the networks; forget what is beyond room.

        Parameters
        ----------
        numbers : sequence of int
            Of all candidates.
        may_go_on : callable
            Position in `numbers` -> whether that candidate may be asked for again.
        """
        kept = [at for at, number in enumerate(numbers) if number not in self.released]
        outcomes = self._training.progress([numbers[at] for at in kept])
        idle: dict[int, Progress] = {}
        waiting: dict[int, Progress] = {}
        for at, outcome in zip(kept, outcomes, strict=True):
            number = numbers[at]
            if number in self._settled or _is_finished(outcome) or not may_go_on(at):
                idle[number] = outcome
            elif outcome.epoch > 0:
                waiting[number] = outcome
        idle |= {number: waiting[number] for number in self._crowded_out(waiting)}
        beaten = self._beaten(idle)
        self._training.release(beaten)
        self.released.update(beaten)
        settled = [n for n, p in idle.items() if not _is_finished(p) and n not in self._settled]
        self._training.settle(settled)
        self._settled.update(settled)

    def _is_forgotten(self, number: int) -> bool:
        return number in self.released or number in self._settled

    def _beaten(self, idle: dict[int, Progress]) -> list[int]:
        """Give those of which others are better, none while there is room for many more."""
        room = self._training.memory.network_bytes
        sizes = {number: self._bytes(number, network_bytes) for number in idle}
        if len(idle) <= 2 * N_KEPT and sum(sizes.values()) <= room:
            return []
        # Those that trained to their end come first, as only they are final.
        order = sorted(idle, key=lambda n: (idle[n].state is not JobState.COMPLETE, -idle[n].score))
        return order[min(_n_within(room, [sizes[n] for n in order]), N_KEPT) :]

    def _crowded_out(self, waiting: dict[int, Progress]) -> list[int]:
        room = (1.0 - _PART_SHARE) * self._training.memory.state_bytes
        order = sorted(waiting, key=lambda number: -waiting[number].score)
        return order[_n_within(room, [self._bytes(n, state_bytes) for n in order]) :]

    def _bytes(self, number: int, bytes_of: Callable[[int], int]) -> int:
        if number not in self._sizes:
            self._sizes[number] = self._training.n_values(number)
        return bytes_of(self._sizes[number])


def _is_finished(progress: Progress) -> bool:
    return progress.state in {JobState.COMPLETE, JobState.DIVERGED}


def _n_within(room: float, sizes: Sequence[int]) -> int:
    """Give how many of the first ones fit, at least one."""
    return max(sum(total <= room for total in itertools.accumulate(sizes)), 1)
