"""A search space, a seed and a number -> the `Candidate` that is drawn, or a neighbour of one."""

from __future__ import annotations

import difflib
from typing import Any

from automs.candidates import Candidate
from automs.search_space import SearchSpace
from automs.seeds import derive_seed, keyed_rng
from automs.setting_rules import RULES

__all__ = ["check_search_space", "draw_candidates", "mutate_candidate"]


def check_search_space(space: SearchSpace) -> None:
    """Raise ValueError, naming the nearest setting, when `space` names none of `Candidate`'s."""
    for name in space:
        if name not in RULES:
            near = difflib.get_close_matches(name, RULES, n=1, cutoff=0.0)[0]
            raise ValueError(
                f"search_space must name settings of Candidate, got {name!r}: nearest is {near!r}"
            )


def _candidate_from(values: dict[str, Any], seed: int, number: int) -> Candidate:
    try:
        return Candidate(**{"seed": derive_seed(seed, number), **values})
    except (TypeError, ValueError) as error:
        raise type(error)(f"search_space gave an invalid candidate: {error}") from error


def draw_candidates(
    space: SearchSpace, n_candidates: int, seed: int, first: int = 0
) -> list[Candidate]:
    """Draw candidates number `first`, `first` + 1, ... from a search space.

    Parameters
    ----------
    space : SearchSpace
    n_candidates : int
    seed : int
    first : int, default=0
        Number of the first one.

    Returns
    -------
    list of Candidate
        Candidate number i depends on the space, `seed` and i alone. Each has a seed of its own,
        ``derive_seed(seed, i)``, unless the space sets one.

    Raises
    ------
    ValueError, TypeError
        When the space names what is no setting, or draws values that break a candidate's rules.

    Examples
    --------
    >>> space = SearchSpace({"hidden_layer_sizes": (8,)})
    >>> draw_candidates(space, 5, seed=0)[3] == draw_candidates(space, 1, seed=0, first=3)[0]
    True
    """
    check_search_space(space)
    return [
        _candidate_from(space.sample(keyed_rng(seed, number)), seed, number)
        for number in range(first, first + n_candidates)
    ]


def mutate_candidate(parent: Candidate, space: SearchSpace, seed: int, number: int) -> Candidate:
    """Give a candidate near `parent`, inside `space`, with a new seed.

    It depends on the parent, the space, `seed` and `number` alone; settings that the space does
    not name have their defaults.
    """
    values = space.mutate(parent.settings(), keyed_rng(seed, number))
    return _candidate_from(values, seed, number)
