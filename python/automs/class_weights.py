"""`class_weight`, a target and weights of rows -> a factor for each class, in training alone."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.target import Target

__all__ = ["resolve_class_weight"]

Values = npt.NDArray[np.float64]


def resolve_class_weight(
    class_weight: Any, target: Target, sample_weight: Values | None, n_rows: int | None = None
) -> Values | None:
    """Give what the weights of each class's rows are multiplied by in training.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        "balanced" gives every class the same total weight; a dict maps labels to weights >= 0, and
        labels that it lacks to 1.
    target : Target
    sample_weight : ndarray of float64, shape (n_rows,), or None
        What "balanced" balances.
    n_rows : int, optional
        Rows, from the first on, that are trained on; None: all of them.

    Returns
    -------
    ndarray of float64, shape (n_classes,), or None
        In the order of ``target.classes``; None where nothing is to be multiplied.

    Raises
    ------
    ValueError, TypeError
        When `class_weight` is something else, or has a label that y lacks.

    Examples
    --------
    >>> from automs.target import read_target
    >>> target = read_target(["no", "yes", "no", "no"], 4, classification=True)
    >>> resolve_class_weight("balanced", target, None)
    array([0.66666667, 2.        ])
    >>> resolve_class_weight({"yes": 5}, target, None)
    array([1., 5.])
    """
    if class_weight is None or target.classes is None:
        return None
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(f"class_weight must be 'balanced' or a dict, got {class_weight!r}")
        own = None if sample_weight is None else sample_weight[:n_rows]
        return _balanced(target, own, n_rows)
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight must be None, 'balanced' or a dict, got {class_weight!r}")
    return _by_label(class_weight, target.classes.tolist())


def _balanced(target: Target, own: Values | None, n_rows: int | None) -> Values:
    codes = target.values[:n_rows, 0].astype(np.int64)
    totals = np.bincount(codes, weights=own, minlength=target.n_outputs).astype(np.float64)
    present = totals > 0
    mean = totals.sum() / present.sum()
    factors: Values = np.divide(mean, totals, out=np.ones_like(totals), where=present)
    return factors


def _by_label(class_weight: dict[Any, Any], labels: list[Any]) -> Values:
    unknown = [label for label in class_weight if label not in labels]
    if unknown:
        shown = ", ".join(repr(label) for label in labels[:10])
        more = ", ..." if len(labels) > 10 else ""
        raise ValueError(f"class_weight must name classes of y ({shown}{more}), got {unknown[0]!r}")
    for weight in class_weight.values():
        if isinstance(weight, bool) or not isinstance(weight, numbers.Real):
            raise TypeError(f"class_weight must map labels to numbers, got {weight!r}")
    factors = np.array([float(class_weight.get(label, 1.0)) for label in labels])
    if not (np.isfinite(factors).all() and (factors >= 0).all() and factors.any()):
        raise ValueError(f"class_weight must hold weights >= 0, not all 0, got {class_weight}")
    return factors
