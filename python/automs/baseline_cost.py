"""Sizes of a problem and seconds -> how many rows and trees a baseline may take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from automs.baseline_problem import BaselineProblem

__all__ = ["MAX_CATEGORIES", "Plan", "Sizes", "make_plan", "nominal_seconds", "problem_sizes"]

#: One-hot columns of one categorical column, at most; the rarest categories share one.
MAX_CATEGORIES = 30

#: What grows with a baseline's size (trees, iterations, epochs): its name, all of it, the least.
_SIZES = {
    "constant": ("", 1, 1),
    "linear": ("", 1, 1),
    "hist_gradient_boosting": ("iterations", 100, 20),
    "random_forest": ("trees", 100, 10),
    "mlp": ("epochs", 200, 20),
}
#: Fewer training rows than this say nothing about a baseline.
_LEAST_ROWS = 500
#: Numbers in an encoded table (8 bytes each) and bytes of a forest's nodes.
_MOST_CELLS = 50_000_000
_MOST_NODE_BYTES = 1e9


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the cost of a baseline depends on.

    Attributes
    ----------
    n_train, n_validation : int
        Rows of the largest fold.
    n_columns, n_encoded : int
        As given, and after one-hot encoding and indicators of missing values.
    n_outputs : int
        Targets, or classes; 1 for two classes.
    n_folds : int
    classification : bool
    """

    n_train: int
    n_validation: int
    n_columns: int
    n_encoded: int
    n_outputs: int
    n_folds: int
    classification: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a baseline is trained with: rows of a fold at most, and trees, iterations or epochs.

    Attributes
    ----------
    n_rows, size : int
    note : str
        What was left out, such as "on 2,000 of 5,000 rows, 20 of 100 trees"; "" for nothing.
    """

    n_rows: int
    size: int
    note: str = ""


def problem_sizes(problem: BaselineProblem) -> Sizes:
    """Read the sizes off a problem."""
    n_columns = problem.values.shape[1]
    n_encoded = 0
    for column, n in enumerate(problem.n_categories()):
        n_missing = int(np.isnan(problem.values[:, column]).any())  # a category, or an indicator
        n_encoded += min(n + n_missing, MAX_CATEGORIES) if n else 1 + n_missing
    n_classes = problem.n_classes
    return Sizes(
        n_train=max(len(train) for train, _ in problem.folds),
        n_validation=max(len(held_out) for _, held_out in problem.folds),
        n_columns=n_columns,
        n_encoded=n_encoded,
        n_outputs=(1 if n_classes == 2 else n_classes) or problem.y.shape[1],
        n_folds=len(problem.folds),
        classification=n_classes > 0,
    )


def nominal_seconds(name: str, sizes: Sizes, plan: Plan) -> float:
    """Give about the seconds that one core of an ordinary server takes for all folds.

    Notes
    -----
    rows x columns x outputs x size with a factor of each algorithm (times log2 of the rows for
    trees that are grown to their ends, a square of the columns for ridge regression), and what
    each tree or mini-batch costs whatever its rows.
    """
    n, outputs, size = plan.n_rows, sizes.n_outputs, plan.size
    encode = 0.015 + 1e-7 * (n + sizes.n_validation) * sizes.n_encoded
    if name == "constant":
        return sizes.n_folds * 1e-3
    if name == "linear":
        if sizes.classification:
            work = 2.5e-7 * n * sizes.n_encoded * outputs
        else:
            work = 1.5e-9 * n * sizes.n_encoded * min(n, sizes.n_encoded)
        seconds = encode + work
    elif name == "hist_gradient_boosting":
        bins = 0.01 + 2e-7 * (n + sizes.n_validation) * sizes.n_columns
        one_tree = 2e-3 + 2e-5 * sizes.n_columns + 2e-8 * n * sizes.n_columns
        seconds = bins + size * outputs * one_tree
    elif name == "random_forest":
        tried = math.sqrt(sizes.n_encoded) if sizes.classification else sizes.n_encoded
        depth = math.log2(n + 2)
        one_tree = 3e-3 + 5e-8 * n * depth * tried + 1e-8 * sizes.n_validation * depth
        seconds = encode + size * one_tree
    else:
        one_epoch = 2e-3 + 3e-4 * (n / 200 + 1) + 1.3e-7 * n * (sizes.n_encoded + outputs)
        seconds = encode + size * one_epoch
    return sizes.n_folds * seconds


def make_plan(name: str, sizes: Sizes, seconds: float) -> Plan | None:
    """Give the largest plan that takes so many nominal seconds, None where there is none.

    Trees, iterations or epochs go first, down to a fifth or a tenth of scikit-learn's default;
    then rows.

    Examples
    --------
    >>> sizes = Sizes(54_000, 6_000, 10, 20, 1, 1, classification=False)
    >>> make_plan("random_forest", sizes, seconds=5.0).note
    'on 31,000 of 54,000 rows, 10 of 100 trees'
    >>> make_plan("random_forest", sizes, seconds=0.01) is None
    True
    """
    _, full, least = _SIZES[name]
    width = sizes.n_columns if name == "hist_gradient_boosting" else sizes.n_encoded
    n_rows = sizes.n_train
    if name != "constant":
        n_rows = _rounded(min(n_rows, _MOST_CELLS // max(width, 1)), sizes.n_train)
    size = full
    if name == "random_forest":
        node_bytes = 1.3 * n_rows * (64 + 8 * sizes.n_outputs)
        size = max(min(full, int(_MOST_NODE_BYTES / node_bytes)), least)
    needed = nominal_seconds(name, sizes, Plan(n_rows, size))
    if needed > seconds:
        if least < full:
            # What does not grow with the size is part of the cost, too.
            fixed = nominal_seconds(name, sizes, Plan(n_rows, 0))
            size = max(int(size * (seconds - fixed) / (needed - fixed)), least)
        n_rows = _affordable_rows(name, sizes, Plan(n_rows, size), seconds)
    if n_rows < min(_LEAST_ROWS, sizes.n_train):
        return None
    return Plan(n_rows, size, _note(name, sizes, n_rows, size))


def _affordable_rows(name: str, sizes: Sizes, plan: Plan, seconds: float) -> int:
    """Give the rows that the time is enough for, 0 where it is not even for the least."""
    n_rows = plan.n_rows
    while n_rows >= min(_LEAST_ROWS, sizes.n_train):
        needed = nominal_seconds(name, sizes, Plan(n_rows, plan.size))
        if needed <= seconds:
            return n_rows
        # The share that rows have in the cost is not known: approach from above.
        n_rows = _rounded(int(n_rows * max(min(seconds / needed, 0.95), 0.1)), sizes.n_train)
    return 0


def _rounded(n_rows: int, n_all: int) -> int:
    """All rows, or so many rounded down to two digits."""
    if n_rows >= n_all:
        return n_all
    unit: int = 10 ** max(len(str(n_rows)) - 2, 0)
    return n_rows // unit * unit


def _note(name: str, sizes: Sizes, n_rows: int, size: int) -> str:
    unit, full, _ = _SIZES[name]
    parts = []
    if n_rows < sizes.n_train:
        parts.append(f"on {n_rows:,} of {sizes.n_train:,} rows")
    if size < full:
        parts.append(f"{size} of {full} {unit}")
    return ", ".join(parts)
