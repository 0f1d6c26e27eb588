"""A seed and numbers -> further seeds, and generators keyed by them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["derive_seed", "derive_seeds", "keyed_rng", "pick"]

_MASK = 0xFFFF_FFFF_FFFF_FFFF
_GOLDEN = 0x9E37_79B9_7F4A_7C15


def _mix(word: Any) -> Any:
    """Take one step of splitmix64 (add the golden ratio, then finalise) of an int or of uint64s."""
    word = (word + _GOLDEN) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
    return word ^ (word >> 31)


def derive_seed(seed: int, *numbers: int) -> int:
    """Give a new seed for the purpose that `numbers` stand for.

    Parameters
    ----------
    seed : int
        The seed to start from; taken modulo 2**64.
    *numbers : int
        Whole numbers, such as a purpose and a candidate's number; their order matters.

    Returns
    -------
    int
        At least 0 and below 2**64; equal arguments give equal seeds, on every machine.

    Notes
    -----
    ``s = mix(seed)``, then ``s = mix(s ^ n)`` for each number, where ``mix`` is one step of
    splitmix64. For one number and a fixed seed the map is one to one: no two candidates share a
    seed.

    References
    ----------
    G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

    Examples
    --------
    >>> derive_seed(0)
    16294208416658607535
    """
    state: int = _mix(int(seed) & _MASK)
    for number in numbers:
        state = _mix(state ^ (int(number) & _MASK))
    return state


def derive_seeds(seed: int, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Give ``derive_seed(seed, n)`` for each n of an array of uint64, as uint64."""
    start = np.uint64(_mix(int(seed) & _MASK))
    seeds: npt.NDArray[np.uint64] = _mix(start ^ np.asarray(numbers, dtype=np.uint64))
    return seeds


def keyed_rng(seed: int, number: int = 0) -> np.random.Generator:
    """Give a generator whose stream is fixed by (seed, number), both modulo 2**64, alone."""
    key = np.array([int(seed) & _MASK, int(number) & _MASK], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def pick(weights: tuple[float, ...], rng: np.random.Generator) -> int:
    """One index, drawn with a probability proportional to its weight."""
    left = rng.random() * math.fsum(weights)
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return max(index for index, weight in enumerate(weights) if weight > 0)
