"""A candidate and the size of its training data -> its nominal cost, a clock-free time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from automs.candidates import Candidate

__all__ = ["nominal_cost"]

# Floating-point operations, or what takes as long: per unit and row (activation, its derivative,
# dropout, reading and writing), per parameter and step (Adam), and per layer and step (calls).
FLOPS_PER_UNIT = 40.0
FLOPS_PER_WAVE = 24.0  # and row: a cosine, its derivative
FLOPS_PER_UPDATE = 12.0
FLOPS_PER_LAYER_STEP = 4_000.0
FLOPS_PER_FACTOR = 6.0  # and member, weight of the first layer and tile
# Piecewise and one-hot columns by table, in dense features of a row: per row, and per bin or slot
# and step. The engine goes by the same (cpp/core/binned_layout.hpp), and by the rows of its tiles.
FEATURES_PER_VALUE = 4.2
FEATURES_PER_BIN_STEP = 5.0
FEATURES_PER_SLOT_VALUE = 3.6
FEATURES_PER_SLOT_STEP = 1.0
TILE_ROWS = 128


def nominal_cost(  # noqa: PLR0913  # the candidate, and the sizes that its cost depends on
    candidate: Candidate,
    n_rows: int,
    n_features: int,
    n_outputs: int,
    epochs: int | None = None,
    embedding_rows: Sequence[int] = (),
    *,
    bins: Sequence[int] = (),
    slots: Sequence[int] = (),
    n_periodic: int = 0,
) -> float:
    """Give the nominal cost of training one candidate once, in operations.

    Use it to compare candidates, and to turn a time into a number of candidates once the speed
    of a machine has been measured; it reads no clock.

    Parameters
    ----------
    candidate : Candidate
    n_rows : int
        Training rows.
    n_features, n_outputs : int
        Encoded features and logits.
    epochs : int, optional
        Epochs trained; by default all of the candidate's. 0 costs nothing.
    embedding_rows : sequence of int, default=()
        Rows of each embedded column's table; the closed form has no tables, and takes none.
    bins, slots : sequence of int, default=()
        Bins of each piecewise column, and slots of each one-hot column of 5 and more, whose
        features are among `n_features`. The closed form takes all features alike.
    n_periodic : int, default=0
        Features that a periodic embedding would take.

    Returns
    -------
    float
        ``epochs * (rows * (6 * weights - 2 * first + 40 * units) + steps * (12 * parameters +
        4000 * layers))`` with ``steps = ceil(rows / batch_size)``. A weight takes 2 operations
        each for the forward pass, its gradient, and the gradient of its layer's input, which the
        encoded features (``first`` weights of the first layer) do not need; those that tables
        give do, as do those of a periodic embedding, and the values of both are parameters. A
        cosine of that, with its slope, takes 24 operations, and its part in each output 4. Each
        member takes what a network does for a row and its layers' calls, and 6 operations a tile
        of 128 rows for each weight of the first layer; what members share is updated once. All
        bins and slots together count in ``weights`` and ``first`` as ``4.2 * piecewise columns +
        3.6 * one-hot columns + (5 * bins + slots) / min(batch_size, 128)`` features, where that is
        less. For the closed form, which has no epochs: ``rows * d**2 + d**3`` with
        ``d = features + 1``.

    Notes
    -----
    That small batches use a processor less well enters through the cost of steps alone.

    Examples
    --------
    >>> small, large = Candidate(16, epochs=10), Candidate((256, 256), epochs=10)
    >>> nominal_cost(small, 1000, 20, 1) < nominal_cost(large, 1000, 20, 1)
    True
    """
    epochs = candidate.epochs if epochs is None else epochs
    if candidate.optimizer == "exact":
        width = n_features + 1.0
        return (n_rows * width**2 + width**3) if epochs > 0 else 0.0
    shapes = candidate.layer_shapes(n_features, n_outputs, embedding_rows, n_periodic)
    saved = _saved_features(candidate.batch_size, bins, slots) * shapes[0][1]
    weights = sum(n_in * n_out for n_in, n_out in shapes) - saved
    units = sum(n_out for _, n_out in shapes)
    first = n_features * shapes[0][1] - saved
    parameters = candidate.n_trained(n_features, n_outputs, embedding_rows, n_periodic)
    n_members = candidate.n_members
    steps = math.ceil(n_rows / candidate.batch_size)
    per_epoch = n_members * n_rows * (6.0 * weights - 2.0 * first + FLOPS_PER_UNIT * units)
    if periodic := candidate.periodic_shapes(n_periodic):
        waves, mixed = (math.prod(shape) for shape in periodic[:2])
        per_epoch += n_rows * (FLOPS_PER_WAVE * waves + 4.0 * mixed)
    calls = FLOPS_PER_LAYER_STEP * len(shapes) * n_members
    if n_members > 1:
        tiles = math.ceil(candidate.batch_size / TILE_ROWS)
        calls += FLOPS_PER_FACTOR * n_members * tiles * math.prod(shapes[0])
    return epochs * (per_epoch + steps * (FLOPS_PER_UPDATE * parameters + calls))


def _saved_features(batch_size: int, bins: Sequence[int], slots: Sequence[int]) -> float:
    """Features of a row by which bins and slots cost less than as features."""
    n_bins, n_slots = sum(bins), sum(slots)
    by_value = FEATURES_PER_VALUE * len(bins) + FEATURES_PER_SLOT_VALUE * len(slots)
    by_step = FEATURES_PER_BIN_STEP * n_bins + FEATURES_PER_SLOT_STEP * n_slots
    by_table = by_value + by_step / min(batch_size, TILE_ROWS)
    return max(0.0, n_bins + n_slots - by_table)
