"""How the best network was trained, and limits -> candidates that learn from an ensemble."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from automs.candidates import Candidate
from automs.seeds import derive_seed

__all__ = ["pupils"]

#: Widths of a pupil's layers, the widest that fits being taken, for each number of layers.
_WIDTHS = (256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 4)
_DEPTHS = (2, 1)
_PURPOSE = 0xD157


def pupils(
    recipe: Candidate, fits: Callable[[Candidate], bool], task: str, seed: int
) -> list[Candidate]:
    """Give the candidates that learn from an ensemble, each as wide as the limits allow.

    Parameters
    ----------
    recipe : Candidate
        How the best network was trained; without dropout and label smoothing here, as a teacher's
        predictions have no noise.
    fits : callable
        Whether a candidate is within the limits.
    task : str
        Counts are learned by their own loss, all else by squared errors.
    seed : int

    Returns
    -------
    list of Candidate
        Of two hidden layers and of one; a linear one where neither fits, and none where not even
        that does.

    Examples
    --------
    >>> small = lambda c: sum(c.hidden_layer_sizes) <= 100
    >>> [c.hidden_layer_sizes for c in pupils(Candidate(), small, "regression", seed=0)]
    [(48, 48), (96,)]
    """
    counts = task == "regression" and recipe.loss == "poisson"
    optimizer = "adam" if recipe.optimizer == "exact" else recipe.optimizer
    base = replace(
        recipe, loss="poisson" if counts else "squared", optimizer=optimizer, dropout=0.0,
        label_smoothing=0.0, patience=None, residual=False, numeric_embedding="none",
        parametric_activation=False, n_members=1,
    )  # fmt: skip
    shapes = [[(width,) * depth for width in _WIDTHS] for depth in _DEPTHS]
    found = []
    for sizes in shapes:
        wide = (replace(base, hidden_layer_sizes=s) for s in sizes)
        widest = next((c for c in wide if fits(c)), None)
        if widest is not None:
            found.append(widest)
    if not found:
        linear = replace(base, hidden_layer_sizes=(), encoding="standard", embedding_size=0)
        found = [linear] if fits(linear) else []
    return [
        replace(c, seed=derive_seed(derive_seed(seed, _PURPOSE), i)) for i, c in enumerate(found)
    ]
