"""`Candidate`s -> columns (arrays), the form in which the engine takes many of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.candidates import Candidate
from automs.setting_rules import (
    ACTIVATIONS,
    BIAS_INITS,
    LOSSES,
    NUMERIC_EMBEDDINGS,
    OPTIMIZERS,
    PARAMETRIZATIONS,
    SCHEDULES,
    WEIGHT_INITS,
    resolve_loss,
)

__all__ = ["as_network", "to_columns"]

_CODES = {
    "activation": ACTIVATIONS,
    "numeric_embedding": NUMERIC_EMBEDDINGS,
    "optimizer": OPTIMIZERS,
    "learning_rate_schedule": SCHEDULES,
    "weight_decay_schedule": SCHEDULES,
    "dropout_schedule": SCHEDULES,
    "parametrization": PARAMETRIZATIONS,
    "weight_init": WEIGHT_INITS,
    "bias_init": BIAS_INITS,
}
_REALS = (
    "learning_rate", "momentum", "beta1", "beta2", "epsilon", "weight_decay", "l2_penalty",
    "dropout", "label_smoothing", "huber_delta", "quantile", "bias_lr_factor",
    "scaling_lr_factor", "activation_lr_factor", "frequency_scale",
)  # fmt: skip
_WHOLES = (
    "batch_size", "epochs", "embedding_size", "n_frequencies", "periodic_embedding_size",
    "n_members",
)  # fmt: skip
_FLAGS = (
    "residual", "nesterov", "scaling_layer", "parametric_activation", "zero_output_layer",
)  # fmt: skip


def as_network(c: Candidate) -> Candidate:
    """Give what the engine holds the weights of a closed form as; other candidates as they are."""
    return replace(c, optimizer="adam", l1_penalty=0.0) if c.optimizer == "exact" else c


def to_columns(
    candidates: Sequence[Candidate], seeds: npt.ArrayLike, task: str | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Give the columns of some candidates for the engine.

    Parameters
    ----------
    candidates : sequence of Candidate
        n of them, none with optimizer "exact".
    seeds : array-like of uint64, shape (n,)
        The seeds to train with (a candidate's own `seed` may be None, and is not read).
    task : {"regression", "binary", "multiclass"}, optional
        Settles loss "auto"; without it "auto" is an error.

    Returns
    -------
    dict of str to ndarray
        ``hidden_sizes`` int32, all layers one after the other, and ``hidden_offsets`` int64
        (n + 1): candidate i has ``hidden_sizes[hidden_offsets[i]:hidden_offsets[i + 1]]``.
        Of shape (n,) each: a word's code int32; whole numbers int32, ``patience`` being 0 for
        none; flags uint8; ``seed`` uint64; other settings float64.

    Raises
    ------
    ValueError
        When a candidate is "exact", a loss is "auto" without a task or does not fit the task, or
        there are not as many seeds as candidates.

    Examples
    --------
    >>> to_columns([Candidate(32), Candidate(())], [1, 2], task="binary")["hidden_offsets"]
    array([0, 1, 1])
    """
    seed_column = np.ascontiguousarray(seeds, dtype=np.uint64)
    if seed_column.shape != (len(candidates),):
        raise ValueError(
            f"seeds must be one per candidate, shape ({len(candidates)},), got {seed_column.shape}"
        )
    if any(candidate.optimizer == "exact" for candidate in candidates):
        raise ValueError("candidates must not have optimizer 'exact': it has no steps to train")
    offsets = np.zeros(len(candidates) + 1, dtype=np.int64)
    np.cumsum([len(candidate.hidden_layer_sizes) for candidate in candidates], out=offsets[1:])
    sizes = [size for candidate in candidates for size in candidate.hidden_layer_sizes]
    columns: dict[str, npt.NDArray[Any]] = {
        "hidden_sizes": np.array(sizes, dtype=np.int32),
        "hidden_offsets": offsets,
        "loss": np.array([_loss_code(candidate, task) for candidate in candidates], np.int32),
        "patience": np.array([candidate.patience or 0 for candidate in candidates], np.int32),
        "seed": seed_column,
    }
    for name, words in _CODES.items():
        codes = {word: code for code, word in enumerate(words)}
        columns[name] = np.array([codes[getattr(c, name)] for c in candidates], np.int32)
    for names, dtype in ((_REALS, np.float64), (_WHOLES, np.int32), (_FLAGS, np.uint8)):
        for name in names:
            columns[name] = np.array([getattr(c, name) for c in candidates], dtype)
    return columns


def _loss_code(candidate: Candidate, task: str | None) -> int:
    loss = candidate.loss if task is None else resolve_loss(candidate.loss, task)
    if loss == "auto":
        raise ValueError("loss must not be 'auto' where no task is given")
    return LOSSES.index(loss)
