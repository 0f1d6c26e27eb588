"""Bytes of a model file -> C99, a C array, ONNX, a scikit-learn pipeline: `Exports`, a mixin."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from automs._files import write_whole

if TYPE_CHECKING:
    from automs.export.model import Model

__all__ = ["Exports"]


class Exports:
    """The exports of a predictor, each of which loads what it needs on first use.

    Examples
    --------
    >>> from pathlib import Path
    >>> from automs import Predictor
    >>> from automs._core import Encoder, write_model
    >>> scaled = {"kind": "scaled", "column": 0, "clip": False, "centre": 0.0, "scale": 1.0}
    >>> line = {"encoder": 0, "weight": 1.0, "layer_sizes": [1, 1], "activation": "identity",
    ...         "residual": False, "link": "identity", "weights": [[[2.0]]], "biases": [[0.5]],
    ...         "output_centre": [0.0], "output_scale": [1.0]}
    >>> predictor = Predictor(write_model({"task": "regression", "n_columns": 1,
    ...     "encoders": [Encoder(1, [scaled])], "networks": [line], "metadata": "{}"}))
    >>> predictor.export_c("line.c", name="line")
    >>> "void line(const double *row, double *out);" in Path("line.c").read_text()
    True
    >>> predictor.to_sklearn().predict([[1.0], [3.0]])
    array([2.5, 6.5])
    """

    to_bytes: Callable[[], bytes]  # what the predictor brings: the content of a model file

    def export_c(self, path: str | os.PathLike[str], name: str = "automs_model") -> None:
        """Write the model as one self-contained C99 file.

        It holds the weights and the function ``void name(const double *row, double *out)``, which
        takes a raw row as arrays of floats have it (see the class), and gives what `predict` does
        for a regression and `predict_proba` for a classification, whose predicted class is what
        ``unsigned long name_label(const double *out)`` gives. Where there are categories,
        ``double name_category_code(unsigned long column, const char *text)`` gives their codes.

        Parameters
        ----------
        path : str or path-like
            Such as ``"model.c"``; a file that was there is replaced.
        name : str, default="automs_model"
            A C identifier.

        Raises
        ------
        ValueError
            When `name` is no C identifier.
        OSError
            When the file cannot be written.

        Notes
        -----
        The code needs ``<math.h>`` alone, takes no memory but the stack, keeps no state, and
        compiles with ``-std=c99 -Wall -Wextra -Werror -pedantic``; link it with ``-lm``. Outputs
        differ from the predictor's by at most 1e-5 times the larger of 1 and the output, and
        times the largest feature where one is beyond 1: that is what float32 holds.
        """
        from automs.export.c99 import c99_source  # noqa: PLC0415

        write_whole(path, c99_source(self._read(), name).encode("ascii"))

    def export_array(self, path: str | os.PathLike[str], name: str = "automs_model") -> None:
        """Write the bytes of the model file as a constant array, a header of C and C++.

        Parameters
        ----------
        path : str or path-like
            Such as ``"model.h"``; a file that was there is replaced.
        name : str, default="automs_model"
            Of the array, a C identifier; ``name_size`` is its size. ``automs::Predictor::load``
            takes both.

        Raises
        ------
        ValueError
            When `name` is no C identifier.
        OSError
            When the file cannot be written.
        """
        from automs.export.c_array import array_header  # noqa: PLC0415

        write_whole(path, array_header(self.to_bytes(), name).encode("ascii"))

    def export_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write the whole pipeline, encoder included, as an ONNX model (opset 17).

        The input ``rows`` is float64 of shape (n_rows, n_columns), as arrays of floats are for
        `predict` (see the class). Outputs: ``predictions``, float64 of shape (n_rows, n_outputs),
        probabilities for a classification, which has ``labels`` of shape (n_rows,) besides.
        The columns with their categories stand in the model's property ``columns``, as JSON.

        Parameters
        ----------
        path : str or path-like
            Such as ``"model.onnx"``; a file that was there is replaced.

        Raises
        ------
        ImportError
            When the package onnx is not installed (the extra ``onnx``).
        OSError
            When the file cannot be written.

        Notes
        -----
        ``onnx.checker`` has passed what is written. Tolerances are those of `export_c`.
        """
        from automs.export.onnx_model import onnx_model  # noqa: PLC0415

        write_whole(path, onnx_model(self._read()).SerializeToString())

    def to_sklearn(self) -> Any:
        """Give a fitted scikit-learn pipeline that predicts the same, where there is one.

        That takes one network without residual layers, of an activation that scikit-learn has
        (identity, relu, tanh, sigmoid), columns that are only centred and scaled (the encoding
        "standard"), no missing value, and predictions that are no exponentials or shares.

        Returns
        -------
        sklearn.pipeline.Pipeline, or sklearn.compose.TransformedTargetRegressor around one
            StandardScaler, then MLPRegressor or MLPClassifier; its classes are sorted. The latter
            keeps predictions within bounds, where the model has such. It computes in float64, and
            takes float64 rows without missing values.

        Raises
        ------
        ValueError
            When the model holds anything else; the message says what.
        """
        from automs.export.sklearn_pipeline import sklearn_pipeline  # noqa: PLC0415

        return sklearn_pipeline(self._read())

    def _read(self) -> Model:
        from automs.export.model import read_model  # noqa: PLC0415

        return read_model(self.to_bytes())
