"""A candidate and a search space -> a copy that can go on from the candidate's own state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from automs.candidates import Candidate
from automs.search_space import SearchSpace
from automs.seeds import keyed_rng

__all__ = ["RECIPE_SETTINGS", "jittered_candidate"]

#: Settings that may change in the middle of a training: network, encoding, optimizer and the
#: numbers of epochs and steps stay.
RECIPE_SETTINGS = (
    "learning_rate",
    "momentum",
    "beta1",
    "beta2",
    "weight_decay",
    "l2_penalty",
    "dropout",
    "label_smoothing",
)


def jittered_candidate(
    parent: Candidate, space: SearchSpace, names: Collection[str], seed: int
) -> Candidate | None:
    """Give a copy of `parent` with some settings moved a little inside `space`, and a new seed.

    Parameters
    ----------
    parent : Candidate
    space : SearchSpace
        Settings that it does not name stay; a seed that it names stays, too.
    names : collection of str
        Of the `RECIPE_SETTINGS` that may change.
    seed : int
        Fixes the step, and is the copy's own.

    Returns
    -------
    Candidate or None
        None where `space` does not hold the parent or the copy, or the copy would be no other.

    Examples
    --------
    >>> from automs.search_space import Float
    >>> space = SearchSpace({"learning_rate": Float(1e-3, 1e-1, log=True), "epochs": 30})
    >>> parent = Candidate((8,), learning_rate=0.01, epochs=30, seed=1)
    >>> child = jittered_candidate(parent, space, ("learning_rate",), seed=2)
    >>> child.hidden_layer_sizes, child.epochs, child.learning_rate == parent.learning_rate
    ((8,), 30, False)
    """
    settings = parent.settings()
    if not space.contains(settings):
        return None
    values = space.mutate(settings, keyed_rng(seed), only=names)
    moved = {name: values[name] for name in names if name in values}
    child = replace(parent, **moved, seed=parent.seed if "seed" in values else seed)
    return child if child != parent and space.contains(child.settings()) else None
