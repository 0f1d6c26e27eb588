"""A table, y and an explicit ``(X_val, y_val)`` -> all rows in one, the validation rows last."""

from __future__ import annotations

from typing import Any

import numpy as np

from automs.table import Table, read_table
from automs.target import unmasked

__all__ = ["append_validation_rows", "is_validation_pair"]


def is_validation_pair(validation: Any) -> bool:
    """Tell whether a `validation` argument is a pair ``(X_val, y_val)``."""
    return isinstance(validation, tuple) and len(validation) == 2


def append_validation_rows(
    table: Table, y: Any, sample_weight: Any, validation: tuple[Any, Any]
) -> tuple[Table, Any, Any]:
    """Append the rows of a pair to those of a search.

    Parameters
    ----------
    table : Table
    y : array-like of shape (n_rows,) or (n_rows, n_targets)
    sample_weight : array-like of shape (n_rows,), number or None
    validation : (X_val, y_val)
        A table with the columns of the first, and as many targets.

    Returns
    -------
    table : Table
    y : ndarray
    sample_weight : ndarray or None
        1 for validation rows, where weights were given.

    Raises
    ------
    TypeError
        When a column of the pair cannot be read as what it is in the table.
    ValueError
        When the columns or the numbers of rows do not fit.
    """
    added = read_table(
        validation[0], columns=table.columns, expected_names=table.names, name="validation[0]"
    )
    if added.values.shape[1] != table.values.shape[1]:
        raise ValueError(
            f"validation[0] must have {table.values.shape[1]} columns as X has, "
            f"got {added.values.shape[1]}"
        )
    targets, more = unmasked(y), unmasked(validation[1])
    if len(more) != len(added.values) or more.shape[1:] != targets.shape[1:]:
        raise ValueError(
            f"validation[1] must have a value for each of {len(added.values)} rows, of the shape "
            f"that y has ({targets.shape}), got shape {more.shape}"
        )
    if sample_weight is not None:
        own = np.broadcast_to(unmasked(sample_weight), (len(table.values),))
        sample_weight = np.concatenate([own, np.ones(len(added.values))])
    values = np.vstack([table.values[:], added.values[:]])
    whole = Table(values, table.columns, table.names)
    return whole, np.concatenate([targets, more]), sample_weight
