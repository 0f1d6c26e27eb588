"""y, sample weights and the kind of task -> `Target`: values or class indices as float64."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.errors import AutomsWarning

__all__ = ["Target", "TargetShapeWarning", "read_target", "read_weights", "unmasked"]

Values = npt.NDArray[np.float64]

_LARGEST = 1e150  # its square is a double
_END_OF_CLASSES = 2**63  # a model file holds whole numbers as int64


class TargetShapeWarning(AutomsWarning):
    """A column vector y of shape (n_rows, 1) was taken as one of shape (n_rows,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is to be predicted, ready for the engine.

    Attributes
    ----------
    task : {"regression", "binary", "multiclass"}
    values : ndarray of float64, shape (n_rows, n_targets)
        Targets, or in one column the index of each row's class.
    classes : ndarray, shape (n_classes,), or None
        The labels, sorted, in the type that came; None for regression.
    squeeze : bool
        Whether y was one-dimensional, so that predictions are too.
    """

    task: str
    values: Values
    classes: npt.NDArray[Any] | None
    squeeze: bool

    @property
    def n_outputs(self) -> int:
        """Numbers predicted per row: targets, or the probabilities of all classes."""
        return self.values.shape[1] if self.classes is None else len(self.classes)

    @property
    def n_logits(self) -> int:
        """Outputs of a network: as `n_outputs`, but one for two classes."""
        return 1 if self.task == "binary" else self.n_outputs

    def decode(self, indices: npt.NDArray[np.integer[Any]]) -> npt.NDArray[Any]:
        """Give the labels of class indices, in the same shape."""
        if self.classes is None:
            raise ValueError("decode needs classes, and a regression target has none")
        labels: npt.NDArray[Any] = self.classes[indices]
        return labels


def read_target(y: Any, n_rows: int, *, classification: bool, loss: str = "auto") -> Target:
    """Read and check y.

    Parameters
    ----------
    y : array-like, shape (n_rows,) or (n_rows, n_targets)
        For classification one column of strings, whole numbers or booleans.
    n_rows : int
        Rows of X, which y must have too.
    classification : bool
        Whether y holds classes.
    loss : str, default="auto"
        "poisson" asks for y >= 0.

    Returns
    -------
    Target

    Raises
    ------
    ValueError
        When y has another number of rows, missing or infinite values, one class only, continuous
        values as classes, values whose squares are no doubles, classes that are no int64, several
        columns of classes, or negative values for the Poisson loss.
    TypeError
        When y is sparse, or its values are of no supported type.

    Warns
    -----
    TargetShapeWarning
        When y is a column vector.

    Examples
    --------
    >>> target = read_target(["no", "yes", "no"], 3, classification=True)
    >>> target.task, target.values.ravel(), target.classes
    ('binary', array([0., 1., 0.]), array(['no', 'yes'], dtype='<U3'))
    """
    array = _as_array(y, n_rows)
    if array.ndim == 2 and array.shape[1] == 1:
        warnings.warn(
            "A column-vector y was passed when a 1d array was expected: y is taken as "
            "y.ravel(), of shape (n_rows,)",
            TargetShapeWarning,
            stacklevel=2,
        )
        array = array.ravel()
    return _read_classes(array) if classification else _read_numbers(array, loss)


def read_weights(sample_weight: Any, n_rows: int) -> Values | None:
    """Read and check sample weights.

    Parameters
    ----------
    sample_weight : None, float or array-like of shape (n_rows,)
        Weights >= 0, not all zero; one number stands for all rows.
    n_rows : int

    Returns
    -------
    ndarray of float64, shape (n_rows,), or None
        In units of a power of two, as only ratios of weights matter.

    Raises
    ------
    ValueError
        When the shape is another one, or a weight is negative, missing or infinite, or all are 0.

    Examples
    --------
    >>> read_weights([1, 0, 2], 3)
    array([0.25, 0.  , 0.5 ])
    """
    if sample_weight is None:
        return None
    weights = _to_float(unmasked(sample_weight), "sample_weight")
    if weights.ndim == 0:
        weights = np.full(n_rows, float(weights))
    if weights.shape != (n_rows,):
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected ({n_rows},)!")
    _check_finite(weights, "sample_weight")
    if (weights < 0).any():
        at = int(np.argmax(weights < 0))
        raise ValueError(f"sample_weight must be >= 0, got {weights[at]} at row {at}")
    if not weights.any():
        raise ValueError("sample_weight must not be zero for all rows")
    # In units near the largest, so that sums and narrowing keep them; a power of two is exact.
    unit = np.ldexp(1.0, int(np.frexp(weights.max())[1]))
    return np.ascontiguousarray(weights / unit)


def _as_array(y: Any, n_rows: int) -> npt.NDArray[Any]:
    if y is None:
        raise ValueError("fit requires y to be passed, but the target y is None")
    if hasattr(y, "toarray") and hasattr(y, "nnz"):
        raise TypeError("y must be a dense array, got a sparse matrix")
    try:
        array = unmasked(y)
    except ValueError as error:
        raise ValueError(f"y must have as many values in every row: {error}") from None
    if array.ndim not in {1, 2}:
        raise ValueError(
            f"y should be a 1d array of shape (n_rows,), or (n_rows, n_targets), got {array.shape}"
        )
    if array.shape[0] != n_rows:
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: [{n_rows}, "
            f"{array.shape[0]}] in X and y"
        )
    if array.size == 0:
        raise ValueError(f"y must not be empty, got shape {array.shape}")
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: y has dtype {array.dtype}")
    return array


def unmasked(values: Any) -> npt.NDArray[Any]:
    """Give an array in which masked values are missing ones."""
    masked = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    array = np.asarray(values)
    if masked is not None and masked.any():
        array = array.astype(object)
        array[masked] = None
    return array


def _first_row(marks: npt.NDArray[np.bool_]) -> int:
    return int(np.argmax(marks if marks.ndim == 1 else marks.any(axis=1)))


def _check_finite(values: Values, name: str) -> None:
    if np.isnan(values).any():
        raise ValueError(f"Input {name} contains NaN, first at row {_first_row(np.isnan(values))}")
    if np.isinf(values).any():
        at = _first_row(np.isinf(values))
        raise ValueError(
            f"Input {name} contains infinity or a value too large for dtype('float64'), "
            f"first at row {at}"
        )


def _is_missing(value: Any) -> bool:
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return value is None or type(value).__name__ in {"NAType", "NaTType"}


def _to_float(array: npt.NDArray[Any], name: str) -> Values:
    """Numbers and booleans, also as Python objects -> float64; missing ones -> NaN."""
    if array.dtype.kind == "O":
        return np.array([_number(v, name) for v in array.flat]).reshape(array.shape)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold numbers, got dtype {array.dtype}")
    return array.astype(np.float64)


def _number(value: Any, name: str) -> float:
    if _is_missing(value):
        return float("nan")
    if not isinstance(value, Real | Decimal | np.bool_):
        raise TypeError(f"{name} must hold numbers, got {type(value).__name__} {value!r:.80}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must hold numbers in the range of a float") from None


def _read_numbers(array: npt.NDArray[Any], loss: str) -> Target:
    values = _to_float(array, "y")
    _check_finite(values, "y")
    if loss == "poisson" and (values < 0).any():
        raise ValueError(
            f"y must be >= 0 for loss 'poisson', got less at row {_first_row(values < 0)}"
        )
    largest = float(np.abs(values).max())
    if largest > _LARGEST or 0 < largest < 1 / _LARGEST:
        raise ValueError(
            f"y must have its largest magnitude between {1 / _LARGEST:g} and {_LARGEST:g}, as its "
            f"squares are no doubles otherwise, got {largest:g}: use other units"
        )
    columns = np.ascontiguousarray(values.reshape(values.shape[0], -1))
    return Target("regression", columns, None, squeeze=array.ndim == 1)


def _read_classes(array: npt.NDArray[Any]) -> Target:
    if array.ndim == 2:
        raise ValueError(
            f"y must be one column of classes, got {array.shape[1]} columns (shape {array.shape})"
        )
    if array.dtype.kind == "T":  # NumPy's strings of any length
        array = array.astype(object)
    if array.dtype.kind == "O":
        array = _objects_to_labels(array)
    if array.dtype.kind == "f":
        _check_finite(array, "y")
        broken = array != np.round(array)
        if broken.any():
            raise ValueError(
                "Unknown label type: continuous. Classes must be strings, whole numbers or "
                f"booleans, got {array[broken][0]} at row {_first_row(broken)}; is this a "
                "regression?"
            )
    if array.dtype.kind not in "OSUbiuf":
        raise TypeError(f"y must hold strings, whole numbers or booleans, got dtype {array.dtype}")
    if array.dtype.kind == "u" and (array >= _END_OF_CLASSES).any():
        raise ValueError(
            f"y must hold whole numbers below 2**63 as classes, got {array.max()}: make them texts"
        )
    classes, indices = np.unique(array, return_inverse=True)
    if len(classes) < 2:
        only = classes.tolist()[0]
        raise ValueError(f"y must have at least 2 classes, got one class only: {only!r}")
    task = "binary" if len(classes) == 2 else "multiclass"
    values = np.ascontiguousarray(indices.reshape(-1, 1), dtype=np.float64)
    return Target(task, values, classes, squeeze=True)


def _objects_to_labels(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Strings stay objects; numbers and booleans get their own dtype; a mixture is an error."""
    missing = np.fromiter((_is_missing(value) for value in array), bool, len(array))
    if missing.any():
        raise ValueError(f"Input y contains NaN (a missing value), first at row {missing.argmax()}")
    n_strings = sum(isinstance(value, str) for value in array)
    if n_strings == len(array):
        return array
    if n_strings:
        raise ValueError("y must hold either strings or numbers, got a mixture: Unknown label type")
    labels = np.array(array.tolist())
    if labels.ndim != 1 or labels.dtype.kind not in "biuf":
        raise ValueError(f"Unknown label type: y holds values of {type(array[0])}")
    return labels
