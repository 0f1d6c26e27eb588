"""A copy of a trained candidate -> the state that it begins with, trained again if forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from automs.training import Training

__all__ = ["CopiedStates"]

#: Seconds that are left, if there is a limit.
TimeLeft = Callable[[], float | None]
#: Whether to stop.
Look = Callable[[], bool]


class CopiedStates:
    """Of each copy whose state it began with, and how to come to that state again.

    Parameters
    ----------
    training : Training
    forgotten : sequence of set of int
        As they are at any time, the numbers of candidates whose state, or all but whose network,
        was forgotten.

    Notes
    -----
    A state that is no longer there is trained again, from nothing or from what its candidate began
    with: to the same bits, in a candidate of its own, which `forget_sources` lets go.
    """

    def __init__(self, training: Training, forgotten: Sequence[set[int]]) -> None:
        self._training = training
        self._forgotten = forgotten
        self._origins: dict[int, tuple[int, int]] = {}  # copy -> source and its epoch
        self._new: set[int] = set()  # of these, those that have not begun
        self._again: dict[tuple[int, int], int] = {}  # source and epoch -> trained again

    def record(self, number: int, source: int) -> None:
        """Note that a candidate is a copy of another one as it is now."""
        self._origins[number] = source, self._epoch(source)
        self._new.add(number)

    def is_new(self, number: int) -> bool:
        """Whether a copy has not begun yet."""
        return number in self._new

    def begin(self, number: int, time_left: TimeLeft, look: Look) -> None:
        """Give a copy at epoch 0 the state that it begins with, if there is time for that."""
        self._new.discard(number)
        if number not in self._origins or self._epoch(number) > 0:
            return
        source, epoch = self._origins[number]
        is_there = not any(source in numbers for numbers in self._forgotten)
        if not is_there or self._epoch(source) > epoch:
            source = self._like(source, epoch)
        self.begin(source, time_left, look)
        if self._epoch(source) < epoch:
            self._training.run([source], [epoch], time_left(), look)
        if self._epoch(source) == epoch:
            self._training.import_states(number, self._training.export_states(source))

    def forget_sources(self) -> None:
        """Let go of what was trained again for copies."""
        self._training.release(list(self._again.values()))
        for number in self._again.values():
            self._origins.pop(number, None)
        self._again.clear()

    def _like(self, source: int, epoch: int) -> int:
        """Give a candidate that comes to the bits that this one had at that epoch."""
        if (source, epoch) not in self._again:
            again = self._training.add([self._training.candidates[source]])
            self._again[source, epoch] = again
            if source in self._origins:
                self._origins[again] = self._origins[source]
        return self._again[source, epoch]

    def _epoch(self, number: int) -> int:
        return self._training.progress([number])[0].epoch
