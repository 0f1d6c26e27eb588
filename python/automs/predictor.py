"""Bytes of a model file -> `Predictor`: predicts raw rows, by the code that embeds in C++."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._careful import CarefulCalls
from automs._core import Predictor as _CorePredictor
from automs._files import write_whole
from automs._labels import LabelChoice
from automs._metadata import parse_metadata
from automs.errors import ModelFileError
from automs.export import Exports

__all__ = ["Predictor", "load_predictor", "predictor_from_bytes"]

Values = npt.NDArray[np.float64]


class Predictor(LabelChoice, Exports):
    """A trained model, of `load_predictor` or an estimator's ``predictor_``; saved and embedded.

    Parameters
    ----------
    data : bytes
        The content of a model file.

    Raises
    ------
    ModelFileError
        When the bytes are damaged, cut short, of an unknown version, or no model file.

    Notes
    -----
    A missing value is NaN (None, NaT, NA among objects). An array of floats is taken as it is: it
    holds codes in categorical columns, which number the model's categories from 0, and seconds
    since 1970 (UTC) in columns of dates. Anything else holds labels and dates themselves; a label
    that the model does not know counts as unknown.

    Predictions are the same to the bit for one row and for many, for any `n_jobs`, and for float32
    input and the same numbers in float64; with other vector instructions the last bits of float32
    may differ. Objects are constant: threads may share one. C-contiguous arrays of floats are not
    copied; many rows are predicted without the GIL.

    Examples
    --------
    >>> from automs._core import Encoder, write_model
    >>> scaled = {"kind": "scaled", "column": 0, "clip": False, "centre": 0.0, "scale": 1.0}
    >>> line = {"encoder": 0, "weight": 1.0, "layer_sizes": [1, 1], "activation": "identity",
    ...         "residual": False, "link": "identity", "weights": [[[2.0]]], "biases": [[0.5]],
    ...         "output_centre": [0.0], "output_scale": [1.0]}
    >>> data = write_model({"task": "regression", "n_columns": 1, "column_names": ["size"],
    ...                     "encoders": [Encoder(1, [scaled])],
    ...                     "networks": [line], "metadata": "{}"})
    >>> predictor = Predictor(data)
    >>> predictor.predict([[1.0], [3.0]])
    array([2.5, 6.5])
    >>> predictor.predict_one([3.0])
    6.5
    """

    def __init__(self, data: bytes) -> None:
        self._model = _CorePredictor(bytes(data))
        self._metadata = parse_metadata(self._model.metadata)
        names = self._model.column_names
        self._names = None if names is None else tuple(names)
        self._careful = CarefulCalls(self._model, self._names)
        self._classes = self._careful.classes
        self._factors = self._model.label_factors
        if type(self) is Predictor:  # methods of a subclass are not to be hidden
            self._go_straight()

    @property
    def task(self) -> str:
        """``"regression"``, ``"binary"`` or ``"multiclass"``."""
        return self._model.task

    @property
    def classes_(self) -> npt.NDArray[Any] | None:
        """Labels of shape (n_classes,), in the order of the probabilities; None for regression."""
        return None if self._classes is None else self._classes.copy()

    @property
    def n_features_in_(self) -> int:
        """The number of raw columns that rows must have."""
        return self._model.n_columns

    @property
    def feature_names_in_(self) -> npt.NDArray[np.object_] | None:
        """Names of the raw columns, shape (n_features_in_,); None where the model knows none."""
        return None if self._names is None else np.array(self._names, dtype=object)

    @property
    def n_outputs(self) -> int:
        """Targets of a regression, or classes."""
        return self._model.n_outputs

    @property
    def n_networks(self) -> int:
        """Networks in the ensemble."""
        return self._model.n_networks

    @property
    def n_parameters(self) -> int:
        """Weights and biases of all networks."""
        return self._model.n_parameters

    @property
    def metadata(self) -> dict[str, Any]:
        """A copy of what the writer noted: metric, score, version and the like."""
        return copy.deepcopy(self._metadata)

    def predict(self, X: Any, n_jobs: int | None = None) -> npt.NDArray[Any]:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            Columns of a data frame are taken by name where the model has names; others are ignored.
            Dates are datetimes or dates, without a zone in UTC, or texts in ISO form.
        n_jobs : int or None, default=None
            The most threads; None or -1 for all cores. Each has about 0.2 ms of work at least: a
            few rows are left to the caller's thread.

        Returns
        -------
        ndarray
            Regression: float64 of shape (n_rows,), or (n_rows, n_outputs) for several targets.
            Classification: the label of each row, shape (n_rows,), as `label_indices` says.

        Raises
        ------
        ValueError
            When X is not two-dimensional, has a wrong number of columns or lacks a named one, or
            holds infinities, or a text in a column of dates is none in ISO form.
        TypeError
            When a column that is not categorical holds something other than numbers, or dates.
        """
        values = self._careful.rows(X, n_jobs)
        if self._classes is None:
            return values
        labels: npt.NDArray[Any] = self._classes[self.label_indices(values)]
        return labels

    def predict_proba(self, X: Any, n_jobs: int | None = None) -> Values:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            As for `predict`.
        n_jobs : int or None, default=None
            As for `predict`.

        Returns
        -------
        ndarray of shape (n_rows, n_classes), float64
            Columns in the order of `classes_`.

        Raises
        ------
        TypeError
            When the model is a regression, or as for `predict`.
        ValueError
            As for `predict`.
        """
        if self._classes is None:
            raise TypeError("predict_proba needs a classifier, this model's task is regression")
        return self._careful.rows(X, n_jobs)

    def predict_into(self, X: Any, out: Values, n_jobs: int | None = None) -> None:
        """Predict each row into an array that is there already.

        Parameters
        ----------
        X : array-like or data frame of shape (n_rows, n_columns)
            As for `predict`.
        out : ndarray of float64
            Shape (n_rows,) for a regression of one target, else (n_rows, n_outputs): values, or
            probabilities.
        n_jobs : int or None, default=None
            As for `predict`.

        Raises
        ------
        TypeError, ValueError
            As for `predict`, and where `out` is no such array; it may then hold anything.
        """
        self._careful.into(X, out, n_jobs)

    def predict_one(self, row: Any) -> Any:
        """Predict one row, with little overhead.

        Parameters
        ----------
        row : sequence or array of shape (n_columns,), or dict by column name
            Of values as `predict` takes them; numbers of a sequence or dict are labels in
            categorical columns, those of an array of floats are codes.

        Returns
        -------
        float, ndarray or label
            Regression: a float, or an array of shape (n_outputs,) for several targets.
            Classification: the label, as a Python int, float, bool or str.

        Raises
        ------
        ValueError
            When the row has a wrong number of columns or lacks a named one, or holds infinities.
        TypeError
            As for `predict`.
        """
        return self._careful.one(row)

    def to_bytes(self) -> bytes:
        """Give the bytes of the model file."""
        return self._model.to_bytes()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file; a file that was there is replaced at once or not at all.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            When the file cannot be written.
        """
        write_whole(path, self.to_bytes())

    def __repr__(self) -> str:
        return (
            f"Predictor(task={self.task!r}, n_columns={self.n_features_in_}, "
            f"n_outputs={self.n_outputs}, n_networks={self.n_networks}, "
            f"n_parameters={self.n_parameters})"
        )

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return predictor_from_bytes, (self.to_bytes(),)

    def _go_straight(self) -> None:
        """Put C++ functions before the methods; what they do not take goes to the careful calls."""
        to = self._careful
        labels = None if to.labels is None else tuple(to.labels)
        one, rows, into = self._model.fast_calls(labels, to.one, to.rows, to.into)
        many = "predict" if labels is None else "predict_proba"
        self.__dict__.update({"predict_one": one, many: rows, "predict_into": into})


def predictor_from_bytes(data: bytes) -> Predictor:
    """Give the predictor of a model file's bytes; pickles name this."""
    return Predictor(data)


def load_predictor(path: str | os.PathLike[str]) -> Predictor:
    """Load a saved model; NumPy is all that this needs.

    Parameters
    ----------
    path : str or path-like
        A file that `Predictor.save` wrote.

    Returns
    -------
    Predictor

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ModelFileError
        When the file is damaged, cut short, of an unknown version, or no model file. An untrusted
        file can do no more than that: it never runs code.

    Examples
    --------
    >>> load_predictor("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'nowhere'
    """
    try:
        return Predictor(Path(path).read_bytes())
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from None
