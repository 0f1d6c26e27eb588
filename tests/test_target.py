"""Reading y and sample weights."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from automs.target import TargetShapeWarning, read_target, read_weights


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        (np.array(["b", "a", "b"], dtype=object), ["a", "b"]),
        (np.array(["b", "a", "b"], dtype=np.dtypes.StringDType()), ["a", "b"]),
        (pd.Series(["b", "a", "b"]), ["a", "b"]),
        (pd.Series(pd.Categorical(["b", "a", "b"], categories=["z", "b", "a"])), ["a", "b"]),
        (pl.Series(["b", "a", "b"]), ["a", "b"]),
        (pl.Series(["b", "a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pa.chunked_array([["b", "a"], ["b"]]), ["a", "b"]),
        ([7, -1, 7], [-1, 7]),
        ([2.0, 1.0, 2.0], [1.0, 2.0]),
        ([True, False, True], [False, True]),
        (pd.Series([7, -1, 7], dtype="Int64"), [-1, 7]),
        (np.array([7, -1, 7], dtype=object), [-1, 7]),
        (np.array([7, -1, 7], dtype=np.int8), [-1, 7]),
        (np.ma.masked_equal([7, -1, 7], 0), [-1, 7]),
    ],
)
def test_classes_become_indices_and_come_back(y, classes):
    target = read_target(y, 3, classification=True)
    assert target.task == "binary"
    assert target.classes.tolist() == classes
    assert target.values.tolist() == [[1.0], [0.0], [1.0]]
    assert target.values.dtype == np.float64
    assert target.squeeze
    assert (target.n_outputs, target.n_logits) == (2, 1)
    assert target.decode(np.array([0, 1])).tolist() == classes


def test_classes_keep_their_type():
    assert read_target(np.array([1, 2], np.int8), 2, classification=True).classes.dtype == np.int8
    assert read_target([True, False], 2, classification=True).classes.dtype == bool
    assert read_target(["a", "b"], 2, classification=True).classes.dtype.kind == "U"


def test_three_classes_are_multiclass():
    target = read_target(list("cab"), 3, classification=True)
    assert target.task == "multiclass"
    assert (target.n_outputs, target.n_logits) == (3, 3)


def test_regression_takes_one_or_several_targets():
    one = read_target([1, 2, 3], 3, classification=False)
    assert one.task == "regression"
    assert one.values.shape == (3, 1)
    assert one.squeeze
    assert one.classes is None
    two = read_target(pd.DataFrame({"a": [1.5, 2], "b": [3, 4]}), 2, classification=False)
    assert two.values.tolist() == [[1.5, 3], [2, 4]]
    assert not two.squeeze
    assert (two.n_outputs, two.n_logits) == (2, 2)
    assert two.values.flags.c_contiguous
    nullable = read_target(pd.Series([1, 2], dtype="Int64"), 2, classification=False)
    assert nullable.values.tolist() == [[1.0], [2.0]]
    with pytest.raises(ValueError, match="decode needs classes"):
        one.decode(np.array([0]))


@pytest.mark.parametrize("classification", [True, False])
def test_a_column_vector_is_taken_as_one_column_with_a_warning(classification):
    with pytest.warns(TargetShapeWarning, match="column-vector y was passed when a 1d array"):
        target = read_target(np.array([[1], [2]]), 2, classification=classification)
    assert target.squeeze
    assert target.values.shape == (2, 1)


@pytest.mark.parametrize("classification", [True, False])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([1, 2], r"inconsistent numbers of samples: \[3, 2\]"),
        (np.ones((3, 1, 1)), "y should be a 1d array"),
        (1.0, "y should be a 1d array"),
        ([1.0, np.nan, np.nan], "Input y contains NaN, first at row 1"),
        ([1.0, 2.0, np.inf], r"Input y contains infinity .* dtype\('float64'\), first at row 2"),
        ([1, None, 2], "Input y contains NaN"),
        (pd.Series([1, pd.NA, 2], dtype="Int64"), "Input y contains NaN.*row 1"),
        (np.ma.masked_equal([1, 2, 3], 2), "Input y contains NaN.*row 1"),
        ([1j, 2, 3], "Complex data not supported"),
        ([[1, 2], [3], [4]], "as many values in every row"),
    ],
)
def test_bad_targets_are_value_errors(y, message, classification):
    with pytest.raises(ValueError, match=message):
        read_target(y, 3, classification=classification)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1], "at least 2 classes, got one class only"),
        (["a", None, "b"], "Input y contains NaN .*row 1"),
        ([0.5, 1.0, 2.0], "Unknown label type: continuous.* got 0.5 at row 0"),
        (np.ones((3, 2)), "one column of classes, got 2 columns"),
        (np.array(["a", 1, 2], dtype=object), "mixture"),
        (np.array([{}, {}, {}], dtype=object), "Unknown label type"),
        (np.array([0, 1, 2**63], dtype=np.uint64), "classes, got 9223372036854775808"),
    ],
)
def test_bad_classes_are_value_errors(y, message):
    with pytest.raises(ValueError, match=message):
        read_target(y, 3, classification=True)


@pytest.mark.parametrize(
    "y",
    [
        [Decimal("1.5"), Decimal(-2), Decimal(2**70)],
        [1.5, Fraction(-2), 2**70],
        pd.Series([1.5, np.int8(-2), np.float64(2**70)], dtype=object),
        pa.array([Decimal("1.50"), Decimal(-2), Decimal(2**70)], pa.decimal128(38, 2)),
    ],
)
def test_numbers_of_every_type_are_targets_and_weights(y):
    values = read_target(y, 3, classification=False).values
    assert values.tolist() == [[1.5], [-2.0], [2.0**70]]
    assert read_weights([Decimal("1.5"), Fraction(2)], 2).tolist() == [0.375, 0.5]
    with pytest.raises(ValueError, match="in the range of a float"):
        read_target([10**400, 1], 2, classification=False)


def test_other_types_are_type_errors():
    days = np.array(["2020-01-01", "2020-01-02"], dtype="M8[D]")
    with pytest.raises(TypeError, match="strings, whole numbers or booleans"):
        read_target(days, 2, classification=True)
    with pytest.raises(TypeError, match="y must hold numbers"):
        read_target(days, 2, classification=False)
    with pytest.raises(TypeError, match="y must hold numbers"):
        read_target(["a", "b"], 2, classification=False)
    with pytest.raises(TypeError, match=r"y must hold numbers, got list \[1\]"):
        read_target(pd.Series([[1], [2]]), 2, classification=False)
    with pytest.raises(TypeError, match="sparse"):
        read_target(sparse.csr_matrix((2, 1)), 2, classification=False)


def test_the_poisson_loss_asks_for_counts():
    assert read_target([0, 2.5], 2, classification=False, loss="poisson").values.tolist() == [
        [0.0],
        [2.5],
    ]
    with pytest.raises(ValueError, match="y must be >= 0 for loss 'poisson', got less at row 1"):
        read_target([0, -1], 2, classification=False, loss="poisson")


def test_weights_are_read_as_float64():
    assert read_weights(None, 3) is None
    assert read_weights(2, 3).tolist() == [0.5, 0.5, 0.5], "in units of a power of two"
    assert read_weights([3, 0, 1e39], 3).max() <= 1
    assert read_weights(pd.Series([1, 0, 1]), 3).dtype == np.float64


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], r"sample_weight.shape == \(2,\), expected \(3,\)!"),
        (np.ones((3, 1)), r"sample_weight.shape == \(3, 1\)"),
        ([1, -1, 1], "sample_weight must be >= 0, got -1.0 at row 1"),
        ([1, np.nan, 1], "Input sample_weight contains NaN, first at row 1"),
        ([1, np.inf, 1], "Input sample_weight contains infinity"),
        (np.ma.masked_equal([1, 2, 3], 3), "Input sample_weight contains NaN, first at row 2"),
        ([0, 0, 0], "sample_weight must not be zero for all rows"),
        (0, "zero"),
    ],
)
def test_bad_weights_are_value_errors(weights, message):
    with pytest.raises(ValueError, match=message):
        read_weights(weights, 3)
