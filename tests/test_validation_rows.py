"""Validation rows of their own: read as the first table's columns, appended after its rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from automs.table import read_table
from automs.validation_rows import append_validation_rows, is_validation_pair

NAN = float("nan")
TABLE = read_table(
    pd.DataFrame({"c": ["b", "a", None], "n": [1.0, 2.0, 3.0], "d": pd.to_datetime(["2024"] * 3)})
)
Y = np.array([1.0, 2.0, 3.0])


def appended(X, y=(4.0, 5.0), sample_weight=None):
    return append_validation_rows(TABLE, Y, sample_weight, (X, list(y)))


def test_rows_of_every_kind_are_read_as_the_columns_of_the_first_table():
    X = pl.DataFrame(
        {"n": [7, None], "more": ["?", "?"], "d": ["1970-01-02", None], "c": ["new", "a"]}
    )
    table, y, sample_weight = appended(X)
    assert table.columns == TABLE.columns
    assert table.names == TABLE.names
    assert table.values.flags.c_contiguous
    np.testing.assert_array_equal(table.values[:3], TABLE.values)
    np.testing.assert_array_equal(table.values[3:], [[-1, 7, 86400], [0, NAN, NAN]])
    np.testing.assert_array_equal(y, [1, 2, 3, 4, 5])
    assert sample_weight is None


def test_columns_without_names_go_by_position_and_weights_become_one():
    table, _, sample_weight = appended([["b", 7, None], [None, 8, None]], sample_weight=[2, 3, 4])
    np.testing.assert_array_equal(table.values[3:], [[1, 7, NAN], [NAN, 8, NAN]])
    np.testing.assert_array_equal(sample_weight, [2, 3, 4, 1, 1])
    np.testing.assert_array_equal(appended([["b", 7, None]], [0], 0.5)[2], [0.5, 0.5, 0.5, 1])


def test_what_does_not_fit_is_an_error_that_says_so():
    good = [["b", 7, None], ["b", 8, None]]
    with pytest.raises(TypeError, match=r"validation\[0\] column 1 was numeric .* got 'x'"):
        appended([["b", "x", None], ["b", 8, None]])
    with pytest.raises(ValueError, match=r"validation\[0\] must have 3 columns as X has, got 2"):
        appended([["b", 7], ["b", 8]])
    with pytest.raises(ValueError, match="seen in fit; missing: 'd'"):
        appended(pd.DataFrame({"c": ["a"], "n": [1]}), [1.0])
    with pytest.raises(ValueError, match=r"validation\[1\] must have a value for each of 2 rows"):
        appended(good, [1.0])
    with pytest.raises(ValueError, match="shape"):
        append_validation_rows(TABLE, Y, None, (good, np.ones((2, 1))))


def test_masked_values_are_missing_ones():
    rows = [["b", 7, None], ["b", 8, None]]
    masked = np.ma.masked_equal([4.0, 5.0], 5.0)
    _, y, weights = append_validation_rows(
        TABLE, np.ma.masked_equal(Y, 2.0), np.ma.masked_equal(Y, 3.0), (rows, masked)
    )
    assert y.tolist() == [1.0, None, 3.0, 4.0, None]
    assert weights.tolist() == [1.0, 2.0, None, 1.0, 1.0]


def test_a_pair_is_a_tuple_of_two():
    assert is_validation_pair((1, 2))
    assert not any(map(is_validation_pair, ([1, 2], (1,), 0.2, "auto", None)))
