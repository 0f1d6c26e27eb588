"""Arrays and settings -> the problem that baselines are given, as messages between processes."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "BASELINES",
    "CATEGORICAL",
    "DATE",
    "NUMERIC",
    "BaselineProblem",
    "BaselineResult",
    "baseline_label",
    "receive",
    "send",
]

#: Simplest first: what scikit-learn calls them for a regression and for classes.
BASELINES = {
    "constant": ("DummyRegressor", "DummyClassifier"),
    "linear": ("RidgeCV", "LogisticRegression"),
    "hist_gradient_boosting": ("HistGradientBoostingRegressor", "HistGradientBoostingClassifier"),
    "random_forest": ("RandomForestRegressor", "RandomForestClassifier"),
    "mlp": ("MLPRegressor", "MLPClassifier"),
}

#: Kinds of columns.
NUMERIC, CATEGORICAL, DATE = 0, 1, 2

_SIZE = struct.Struct("<Q")

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BaselineProblem:
    """What every baseline is trained on and predicts.

    Attributes
    ----------
    values : ndarray of float64, shape (n_rows, n_columns); or what is one once it was sent
        NaN is missing; codes of categories (-1: none that is known), dates in seconds.
    y : ndarray of float64, shape (n_rows, n_targets)
        Class indices for classification.
    folds : sequence of (train_rows, validation_rows)
    n_classes : int
        0 for regression.
    sample_weight : ndarray of float64, shape (n_rows,), optional
    columns : sequence of (kind, n_categories, ordered), optional
        A column each, `kind` one of `NUMERIC`, `CATEGORICAL`, `DATE`; None: all are numeric.
    loss : str
        Of the search; each baseline takes the closest that it offers.
    quantile : float
        Read for the quantile loss alone.
    seed : int
    """

    values: Values
    y: Values
    folds: Sequence[tuple[Rows, Rows]]
    n_classes: int = 0
    sample_weight: Values | None = None
    columns: Sequence[tuple[int, int, bool]] | None = None
    loss: str = "auto"
    quantile: float = 0.5
    seed: int = 0

    def n_categories(self) -> list[int]:
        """Give for each column its number of categories, 0 where it holds numbers or dates."""
        if self.columns is None:
            return [0] * self.values.shape[1]
        return [max(n, 1) if kind == CATEGORICAL else 0 for kind, n, _ in self.columns]


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What came of one baseline.

    Attributes
    ----------
    name : str
        Of the model in scikit-learn.
    predictions : list of ndarray (n_validation_rows, n_outputs), or None
        One a fold: values, or class probabilities. None where it was not finished, or failed.
    fit_time, predict_time : float, seconds
        Of all folds.
    reason : str
        Why there are no predictions; or what it was cut down to, to fit into its time.
    late : bool
        Whether its deadline is why.
    """

    name: str
    predictions: list[Values] | None
    fit_time: float = float("nan")
    predict_time: float = float("nan")
    reason: str = ""
    late: bool = False


def baseline_label(name: str, n_classes: int, loss: str = "auto") -> str:
    """Give the name that scikit-learn has for a baseline.

    Examples
    --------
    >>> baseline_label("linear", n_classes=3)
    'LogisticRegression'
    """
    if name == "linear" and loss == "poisson":
        return "PoissonRegressor"
    return BASELINES[name][n_classes > 0]


def send(message: Any, stream: IO[bytes]) -> None:
    """Write a message: the bytes of its arrays go out as they are, without a copy."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    stream.write(_SIZE.pack(len(parts)))
    for part in parts:
        stream.write(_SIZE.pack(part.nbytes))
        stream.write(part)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read a message; its arrays use the memory that they are read into.

    Raises
    ------
    EOFError
        When the stream ends before the message does.
    """
    n_parts = _SIZE.unpack(_read(stream, _SIZE.size))[0]
    head, *buffers = [_read(stream, _SIZE.unpack(_read(stream, _SIZE.size))[0])
                      for _ in range(n_parts)]  # fmt: skip
    return pickle.loads(head, buffers=buffers)


def _read(stream: IO[bytes], n_bytes: int) -> bytearray:
    part = bytearray(n_bytes)
    at, view = 0, memoryview(part)
    while at < n_bytes:
        n_read = stream.readinto(view[at:])  # type: ignore[attr-defined]  # of every binary stream
        if not n_read:
            raise EOFError(f"the stream ended {n_bytes - at} bytes too early")
        at += n_read
    return part
