"""A large table's columns, where they are: the same numbers, and the same model."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from automs import AutoClassifier
from automs.encoding import encode_values, fit_encoder
from automs.table import read_table
from automs.table_values import TableValues, narrow

N_ROWS = 500


@pytest.fixture
def store_all(monkeypatch):
    """Let small tables count as large ones."""
    monkeypatch.setattr("automs.table_values._LARGE", 1)


def make_frame(n_rows=N_ROWS):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(n_rows, 3))
    numbers[rng.random(numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
    frame["whole"] = rng.integers(0, 2**50, n_rows)
    frame["small"] = rng.integers(-5, 5, n_rows).astype(np.int8)
    frame["single"] = rng.normal(size=n_rows).astype(np.float32)
    frame["flag"] = rng.random(n_rows) < 0.5
    frame["text"] = rng.choice(list("uvwxyz"), n_rows)
    frame["day"] = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n_rows), "D")
    return frame


FRAMES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "pyarrow": pa.Table.from_pandas,
    "nullable": lambda frame: frame.convert_dtypes(),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_columns_hold_the_numbers_of_the_matrix(kind, store_all):
    frame = FRAMES[kind](make_frame())
    plain, stored = read_table(frame), read_table(frame, in_place=True)
    assert isinstance(stored.values, TableValues)
    assert stored.columns == plain.columns
    assert stored.names == plain.names
    assert stored.values.shape == plain.values.shape
    assert stored.values.nbytes < plain.values.nbytes
    rows = np.array([7, 3, 499])
    for key in (slice(None), slice(10, 20), rows, 5, (rows, 2), (slice(0, 9), 7)):
        assert stored.values[key].dtype == np.float64
        np.testing.assert_array_equal(stored.values[key], plain.values[key])
    np.testing.assert_array_equal(np.asarray(stored.values), plain.values)


def test_what_numpy_can_point_at_is_not_copied(store_all):
    frame = make_frame()
    values = read_table(frame, in_place=True).values
    for at, name in enumerate(("a", "b", "c", "whole", "small", "single")):
        assert np.shares_memory(values._columns[at], frame[name].to_numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint64, bool])
def test_arrays_of_other_types_stay_what_they_are(dtype, store_all):
    X = np.arange(12).reshape(4, 3).astype(dtype)
    values = read_table(X, in_place=True).values
    assert values.nbytes == X.nbytes
    np.testing.assert_array_equal(values[:], X.astype(np.float64))


def test_a_small_table_and_a_float64_array_are_a_matrix(store_all):
    assert isinstance(read_table(np.ones((4, 3)), in_place=True).values, np.ndarray)
    assert isinstance(read_table(np.ones((4, 3), np.float32)).values, np.ndarray)


def test_a_pickle_becomes_a_matrix(store_all):
    values = read_table(make_frame(), in_place=True).values
    back = pickle.loads(pickle.dumps(values, protocol=5))
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, values[:])


def test_an_original_of_other_numbers_is_not_taken():
    values = np.array([1.0, np.nan, 2.0**25])
    assert narrow(np.array([1, 2, 3]), values).dtype == np.float32
    assert narrow(np.array(["a", "b", "c"]), values).dtype == np.float32
    assert narrow(None, values + 1.0).dtype == np.float64


def test_infinite_values_are_errors_that_name_their_columns(store_all):
    frame = make_frame()
    frame.loc[3, "b"] = np.inf
    with pytest.raises(ValueError, match=r"infinity.*column 'b'"):
        read_table(frame, in_place=True)


@pytest.mark.parametrize("encoding", ["standard", "piecewise"])
def test_blocks_are_encoded_as_the_whole(encoding, store_all, monkeypatch):
    monkeypatch.setattr("automs.encoding._BLOCK_BYTES", 64 * 8 * 3)
    plain, stored = (read_table(make_frame(), in_place=p) for p in (False, True))
    rows = np.arange(400, dtype=np.int32)
    one, other = (fit_encoder(table, rows, encoding) for table in (plain, stored))
    assert str(one.parts) == str(other.parts)
    for compact in (False, True):
        whole = encode_values(one, plain.values, 1, compact=compact)
        blocks = encode_values(other, stored.values, 2, compact=compact)
        for expected, got in zip(whole, blocks, strict=True):
            assert got.dtype == expected.dtype
            np.testing.assert_array_equal(got, expected)


def test_a_fit_is_the_same_on_columns_and_on_the_matrix(quick_space, monkeypatch):
    frame = make_frame()
    y = (frame["a"].fillna(0.0) + frame["single"] > 0).to_numpy()
    settings = {"search_space": quick_space, "max_trials": 6, "random_state": 0, "n_jobs": 1}
    settings |= {"baselines": ["constant", "linear"], "validation": 0.3}
    plain = AutoClassifier(**settings).fit(frame, y)
    monkeypatch.setattr("automs.table_values._LARGE", 1)
    stored = AutoClassifier(**settings).fit(frame, y)
    assert stored.predictor_.to_bytes() == plain.predictor_.to_bytes()
    scores = [m.leaderboard_.set_index("name")["score_val"] for m in (plain, stored)]
    pd.testing.assert_series_equal(*scores)
    pair = (frame[:100], y[:100])
    AutoClassifier(**settings | {"validation": pair}).fit(frame, y)
