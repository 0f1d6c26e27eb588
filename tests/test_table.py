"""Reading tables: shapes, types, missing values, names."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from automs.table import read_table

NAN = float("nan")
EXPECTED = np.array([[1.0, 1.0, 0.5], [NAN, 0.0, NAN], [3.0, NAN, -2.0]])
COLUMNS = {"i": [1, None, 3], "b": [True, False, None], "f": [0.5, None, -2.0]}


def pandas_nullable():
    types = {"i": "Int64", "b": "boolean", "f": "Float32"}
    return pd.DataFrame({k: pd.array(v, dtype=types[k]) for k, v in COLUMNS.items()})


FRAMES = {
    "pandas": lambda: pd.DataFrame(COLUMNS),  # b is a column of objects
    "pandas nullable": pandas_nullable,
    "pandas pyarrow": lambda: pa.table(COLUMNS).to_pandas(types_mapper=pd.ArrowDtype),
    "pandas NA objects": lambda: pandas_nullable().astype(object),
    "polars": lambda: pl.DataFrame(COLUMNS),
    "pyarrow": lambda: pa.table(COLUMNS),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_kind_of_frame_reads_the_same(make):
    table = read_table(make())
    np.testing.assert_array_equal(table.values, EXPECTED)
    assert table.names == ("i", "b", "f")
    assert table.values.dtype == np.float64
    assert table.values.flags.c_contiguous


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_expected_names_mend_the_order_and_ignore_other_columns(make):
    table = read_table(make(), expected_names=("f", "i"))
    np.testing.assert_array_equal(table.values, EXPECTED[:, [2, 0]])
    assert table.names == ("f", "i")
    with pytest.raises(ValueError, match="seen in fit; missing: 'a', 'z'"):
        read_table(make(), expected_names=("a", "i", "z"))


@pytest.mark.parametrize(
    "X",
    [
        [[1, 1, 0.5], [None, 0, None], [3, None, -2]],
        np.array([[1, True, 0.5], [NAN, False, None], [3, None, -2.0]], dtype=object),
        np.asfortranarray(EXPECTED),
        EXPECTED.astype(np.float32),
        np.vstack([EXPECTED, EXPECTED])[:3],
        np.ma.masked_invalid(EXPECTED),
        sparse.csr_matrix(EXPECTED),
        sparse.coo_array(EXPECTED),
    ],
    ids=["list", "objects", "fortran", "float32", "slice", "masked", "csr", "coo"],
)
def test_arrays_lists_and_sparse_matrices_read_the_same(X):
    table = read_table(X)
    np.testing.assert_array_equal(table.values, EXPECTED)
    assert table.names is None
    assert table.values.flags.c_contiguous


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint64, np.float16, np.float64])
def test_numeric_dtypes_become_float64(dtype):
    values = read_table(np.array([[0, 1], [1, 0]], dtype=dtype)).values
    assert values.dtype == np.float64
    assert values.tolist() == [[0, 1], [1, 0]]


def test_float64_arrays_are_not_copied():
    X = np.ones((4, 3))
    assert np.shares_memory(read_table(X).values, X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.ones(3), "Expected 2D array, got 1D array.*Reshape your data"),
        (3.0, "got scalar array.*Reshape your data"),
        (pd.Series([1.0]), "Reshape your data"),
        (np.ones((2, 2, 2)), r"must be of shape \(n_rows, n_columns\), got \(2, 2, 2\)"),
        (np.ones((0, 3)), r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required."),
        (np.ones((3, 0)), r"0 feature\(s\) \(shape=\(3, 0\)\) while a minimum of 1 is required."),
        (pd.DataFrame({"a": []}), r"0 sample\(s\)"),
        (np.ones((2, 2), complex), "Complex data not supported"),
        (np.array([[1j, None]], dtype=object), "Complex data not supported"),
        ([[1, 2], [3]], "X must have as many values in every row"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "each column name once"),
    ],
)
def test_wrong_shapes_are_value_errors(X, message):
    with pytest.raises(ValueError, match=message):
        read_table(X)


BAD = [
    (pa.table({"l": [[1], [2]]}), "X column 'l' has dtype list<.*supported are numeric, boolean"),
    (pl.DataFrame({"l": [[1], [2]]}), "column 'l' has dtype List.*or leave it out"),
    (pl.DataFrame({"s": [{"a": 1}]}), "column 's' has dtype Struct"),
    (pa.table({"b": [b"x"]}), "column 'b' has dtype binary"),
    (pd.DataFrame({"b": [b"x", "y"]}), "column 'b' has dtype object, holding bytes"),
    (pd.DataFrame({"p": pd.period_range("2024", periods=2, freq="M")}), "'p' has dtype period"),
    (pd.DataFrame({"i": pd.interval_range(0, 2)}), "'i' has dtype interval"),
    (pd.DataFrame({"o": ["x", [1]]}), "column 'o' has dtype object, holding list and str"),
    (
        pd.DataFrame({"o": [1, [1]]}),
        "column 'o' has dtype object, holding int and list; .*sequence",
    ),
    (pd.DataFrame({"o": [1, datetime.date(2024, 1, 1)]}, dtype=object), "holding date and int"),
    (pd.DataFrame({"o": [datetime.time(1), datetime.timedelta(1)]}), "holding time and timedelta"),
    (np.array([[b"a"]]), r"X column 0 has dtype \|S1"),
    (np.array([[1, {}]], dtype=object), "X column 1 .*argument must be .* string.* number"),
    (pl.LazyFrame({"a": [1]}), "X must be .* table in memory, got .*LazyFrame"),
]


@pytest.mark.parametrize(("X", "message"), BAD)
def test_other_types_are_type_errors_that_name_the_column(X, message):
    with pytest.raises(TypeError, match=message):
        read_table(X)


def test_complex_objects_and_numbers_beyond_float64_are_value_errors():
    with pytest.raises(ValueError, match="Complex data not supported: X column 'c'"):
        read_table(pd.DataFrame({"c": [1j, "x"]}, dtype=object))
    with pytest.raises(ValueError, match="X column 0 holds a number beyond float64"):
        read_table([[10**400], [None]])


def test_a_text_is_no_table():
    with pytest.raises(ValueError, match="Reshape your data"):
        read_table("abc")


def test_a_name_twice_is_an_error_that_names_it_and_says_what_to_do():
    message = "each column name once, got 'b' more than once: rename or drop"
    with pytest.raises(ValueError, match=message):
        read_table(pd.DataFrame([[1, 2, 3]], columns=["b", "a", "b"]))
    with pytest.raises(ValueError, match=message):
        read_table(pa.table([[1], [2]], names=["b", "b"]))


def test_infinite_values_are_errors_that_name_their_columns():
    with pytest.raises(ValueError, match=r"infinite values \(infinity\), got some in column 1$"):
        read_table([[1, np.inf], [2, 3]])
    frame = pd.DataFrame({f"c{i}": [-np.inf] for i in range(8)})
    with pytest.raises(ValueError, match=r"Z must.*'c0', 'c1', 'c2', 'c3', 'c4' and 3 more"):
        read_table(frame, name="Z")


def test_names_that_are_no_strings_are_no_names():
    assert read_table(pd.DataFrame([[1.0, 2.0]])).names is None
    assert read_table(pd.DataFrame([[1.0, 2.0]], columns=["a", 1])).names is None
    assert read_table([[1.0, 2.0]], expected_names=("a", "b")).names is None


def test_a_sparse_matrix_over_the_memory_limit_is_an_error_in_bytes():
    X = sparse.csr_matrix((1_000_000, 1_000_000))
    with pytest.raises(ValueError, match="needs 8000000000000 bytes, memory_limit is 1000"):
        read_table(X, memory_limit=1000)


def test_a_large_integer_survives_as_a_double():
    assert read_table(pd.DataFrame({"id": [2**53 - 1]})).values[0, 0] == 2**53 - 1
