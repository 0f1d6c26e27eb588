"""X or a row of any kind, a core model -> predictions, by reading with care."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import Predictor as CorePredictor
from automs._rows import RowReader
from automs._threads import effective_n_threads

__all__ = ["CarefulCalls"]

Values = npt.NDArray[np.float64]


class CarefulCalls:
    """What the functions in C++ fall back on; knows nothing of the predictor that holds them.

    Parameters
    ----------
    model : _core.Predictor
    names : sequence of str, optional
        The columns' names.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,), or None
        The labels; None for a regression.
    labels : list, or None
        The same as Python objects.
    """

    def __init__(self, model: CorePredictor, names: Sequence[str] | None) -> None:
        self._model = model
        self._reader = RowReader(model.columns, names)
        classes = model.classes
        self.classes: npt.NDArray[Any] | None = None if classes is None else np.asarray(classes)
        self.labels: list[Any] | None = None if self.classes is None else self.classes.tolist()
        self._one_value = self.labels is None and model.n_outputs == 1

    def one(self, row: Any) -> Any:
        """Predict one row, as `Predictor.predict_one` says."""
        plain = self._reader.row(row)
        try:
            return self._plain(plain)
        except TypeError:  # not mere numbers: read with care, or refused by the column's name
            return self._plain(self._reader.numbers(plain))

    def rows(self, X: Any, n_jobs: int | None = None) -> Values:
        """Predict values of shape (n_rows,) for a regression of one target, else (n_rows, n)."""
        n_threads = effective_n_threads(n_jobs)
        values: Values = self._model.predict_rows(self._reader.table(X), n_threads)
        return values[:, 0] if self._one_value else values

    def into(self, X: Any, out: Values, n_jobs: int | None = None) -> None:
        """Predict the same values into `out`."""
        if not isinstance(out, np.ndarray) or out.dtype != np.float64:
            kind = f"one of {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
            raise TypeError(f"out must be an ndarray of float64, got {kind}")
        values = self.rows(X, n_jobs)
        if out.shape != values.shape:
            raise ValueError(f"out must be of shape {values.shape}, got {out.shape}")
        out[...] = values

    def _plain(self, row: Any) -> Any:
        if self._one_value:
            return self._model.predict_value(row)
        if self.labels is not None:
            return self.labels[self._model.predict_class(row)]
        return self._model.predict_one(row)
