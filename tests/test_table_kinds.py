"""Columns of every kind: what they are, their categories, and reading them as those of fit."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automs import categories
from automs._rows import RowReader
from automs.column_kinds import Column, ColumnKind
from automs.table import read_table

NAN = float("nan")
NUMERIC, CATEGORICAL, DATE = ColumnKind
PLUS_2 = dt.timezone(dt.timedelta(hours=2))

# Every third value is missing; "never" is missing throughout.
GIVEN = {
    "number": [0.5, 2.0, None, -1.0],
    "truth": [True, False, None, True],
    "text": ["b", "a", None, "b"],
    "day": [dt.date(1970, 1, 2), dt.date(1969, 12, 31), None, dt.date(2024, 2, 29)],
    "when": [dt.datetime(1970, 1, 1, 0, 0, 1, 500000)] * 2 + [None, dt.datetime(2000, 1, 1)],
    "zoned": [dt.datetime(1970, 1, 1, 3, tzinfo=PLUS_2)] * 2 + [None] * 2,
    "lasting": [dt.timedelta(1), dt.timedelta(seconds=-1.5), None, dt.timedelta(0)],
    "time": [dt.time(1, 2, 3, 500000), dt.time(0), None, dt.time(23, 59)],
    "decimal": [Decimal("1.25"), Decimal(-3), None, Decimal("0.00")],
    "never": [None] * 4,
    "same": ["x"] * 4,
}
LEAP_DAY, MILLENNIUM = 1709164800.0, 946684800.0  # `date -u -d 2024-02-29 +%s`, and of 2000-01-01
EXPECTED = {
    "number": (NUMERIC, [0.5, 2.0, NAN, -1.0]),
    "truth": (NUMERIC, [1.0, 0.0, NAN, 1.0]),
    "text": (CATEGORICAL, [1.0, 0.0, NAN, 1.0]),
    "day": (DATE, [86400.0, -86400.0, NAN, LEAP_DAY]),
    "when": (DATE, [1.5, 1.5, NAN, MILLENNIUM]),
    "zoned": (DATE, [3600.0, 3600.0, NAN, NAN]),
    "lasting": (NUMERIC, [86400.0, -1.5, NAN, 0.0]),
    "time": (NUMERIC, [3723.5, 0.0, NAN, 86340.0]),
    "decimal": (NUMERIC, [1.25, -3.0, NAN, 0.0]),
    "never": (NUMERIC, [NAN] * 4),
    "same": (CATEGORICAL, [0.0] * 4),
}
CATEGORIES = {"text": ("a", "b"), "same": ("x",)}


def polars_frame():
    return pl.DataFrame(GIVEN).with_columns(pl.col("text").cast(pl.Categorical))


FRAMES = {
    "pandas": lambda: pd.DataFrame(GIVEN),
    "pandas objects": lambda: pd.DataFrame(GIVEN, dtype=object),
    "pandas categories": lambda: pd.DataFrame(GIVEN).astype({"text": "category"}),
    "pandas nanoseconds": lambda: pd.DataFrame(GIVEN).astype({"when": "M8[ns]"}),
    "pandas pyarrow": lambda: pa.table(GIVEN).to_pandas(types_mapper=pd.ArrowDtype),
    "pandas strings": lambda: pd.DataFrame(GIVEN).astype({"text": "string[python]"}),
    "polars": lambda: pl.DataFrame(GIVEN),
    "polars categories": polars_frame,
    "pyarrow": lambda: pa.table(GIVEN),
    "pyarrow chunks": lambda: pa.concat_tables([pa.table(GIVEN)[:1], pa.table(GIVEN)[1:]]),
    "pyarrow dictionaries": lambda: pa.table(
        GIVEN | {"text": pa.array(GIVEN["text"]).dictionary_encode()}
    ),
}


def only(column, **settings):
    """Read one column: its values and what it is."""
    X = np.empty((len(column), 1), dtype=object)
    X[:, 0] = column
    table = read_table(X, **settings)
    return table.values[:, 0].tolist(), table.columns[0]


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_frame_of_every_kind_reads_the_same_from_every_library(make):
    table = read_table(make())
    assert table.names == tuple(GIVEN)
    assert table.values.flags.c_contiguous
    for at, (name, (kind, values)) in enumerate(EXPECTED.items()):
        np.testing.assert_array_equal(table.values[:, at], values, err_msg=name)
        assert table.columns[at] == Column(kind, CATEGORIES.get(name, ())), name


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_frame_read_as_its_own_columns_is_itself(make):
    table = read_table(make())
    again = read_table(make(), columns=table.columns, expected_names=table.names)
    np.testing.assert_array_equal(again.values, table.values)
    assert again.columns == table.columns


@pytest.mark.parametrize(
    "X",
    [
        [["b", 1], ["a", None], [None, 2]],
        np.array([["b", 1], ["a", NAN], [None, 2]], dtype=object),
        np.array([["b", True], ["a", pd.NA], [pd.NaT, 2.0]], dtype=object),
        np.ma.MaskedArray([["b", 1], ["a", 7], ["c", 2]], [[0, 0], [0, 1], [1, 0]], dtype=object),
    ],
    ids=["list", "objects", "NA", "masked"],
)
def test_arrays_and_lists_of_mixed_columns(X):
    table = read_table(X)
    np.testing.assert_array_equal(table.values, [[1, 1], [0, NAN], [NAN, 2]])
    assert table.columns == (Column(CATEGORICAL, ("a", "b")), Column())


def test_arrays_of_strings_dates_and_durations():
    for dtype in ("U3", np.dtypes.StringDType()):
        table = read_table(np.array([["x", "1"], ["y", "10"]], dtype=dtype))
        assert [column.categories for column in table.columns] == [("x", "y"), ("1", "10")]
    days = read_table(np.array([["1970-01-02"], ["NaT"]], dtype="M8[D]"))
    assert days.columns == (Column(DATE),)
    np.testing.assert_array_equal(days.values, [[86400.0], [NAN]])
    masked = np.ma.MaskedArray(np.array([[1], [2]], dtype="m8[m]"), [[False], [True]])
    np.testing.assert_array_equal(read_table(masked).values, [[60.0], [NAN]])
    moments = [np.datetime64("1970-01-01T00:00:01"), np.datetime64("NaT"), pd.Timestamp(1)]
    np.testing.assert_array_equal(only(moments)[0], [1.0, NAN, 0.0])
    spans = [np.timedelta64(1, "h"), pd.Timedelta(seconds=1.5), NAN]
    np.testing.assert_array_equal(only(spans)[0], [3600.0, 1.5, NAN])


def test_categories_are_known_by_their_texts():
    values, column = only(["x", 3, 3.0, "3", 2.5, True, 1, Decimal("4.0"), "\ud800", NAN])
    assert column.categories == ("1", "2.5", "3", "4", "?", "True", "x")
    np.testing.assert_array_equal(values, [6, 2, 2, 2, 1, 5, 0, 3, 4, NAN])
    numbers = pd.DataFrame({"c": pd.Categorical([10.0, 9.0, None, 10.0])})
    assert read_table(numbers).columns[0].categories == ("10", "9")


def ordered_frames():
    levels, values = ["low", "mid", "high"], ["high", None, "low"]
    ordered = pa.DictionaryArray.from_arrays(
        pa.array([2, None, 0], pa.int8()), levels, ordered=True
    )
    return [
        pd.DataFrame({"c": pd.Categorical(values, categories=levels, ordered=True)}),
        pl.DataFrame({"c": pl.Series(values, dtype=pl.Enum(levels))}),
        pa.table({"c": ordered}),
        pa.table({"c": pa.chunked_array([ordered[:1], ordered[1:]])}),
    ]


@pytest.mark.parametrize("frame", ordered_frames(), ids=["pandas", "polars", "pyarrow", "chunks"])
def test_ordered_categories_keep_their_order_and_their_unused_levels(frame):
    table = read_table(frame)
    assert table.columns == (Column(CATEGORICAL, ("low", "mid", "high"), ordered=True),)
    np.testing.assert_array_equal(table.values[:, 0], [2, NAN, 0])


def test_unused_levels_without_an_order_are_left_out():
    frame = pd.DataFrame({"c": pd.Categorical(["b", "a"], categories=["z", "b", "a"])})
    assert read_table(frame).columns[0].categories == ("a", "b")
    never = pd.DataFrame({"c": pd.Categorical([None, None], categories=["z"], ordered=True)})
    assert read_table(never).columns == (Column(),)


@pytest.mark.parametrize("ordered", [False, True])
def test_of_too_many_categories_the_most_frequent_are_kept(monkeypatch, ordered):
    monkeypatch.setattr(categories, "MAX_CATEGORIES", 3)
    values = ["e", "d", "d", "c", "b", "a", "a"]
    kind = pd.CategoricalDtype(list("edcba"), ordered=ordered)
    table = read_table(pd.DataFrame({"c": pd.Series(values, dtype=kind)}))
    assert table.columns[0].categories == (("d", "b", "a") if ordered else ("a", "b", "d"))
    codes = [-1, 0, 0, -1, 1, 2, 2] if ordered else [-1, 2, 2, -1, 1, 0, 0]
    np.testing.assert_array_equal(table.values[:, 0], codes)


CITIES = Column(CATEGORICAL, ("1", "True", "oslo", "rome"))
AS_CITIES = [
    (pd.DataFrame({"c": ["rome", "paris", None]}), [3, -1, NAN]),
    (pd.DataFrame({"c": pd.Categorical(["rome", "oslo"], ["zug", "rome", "oslo"])}), [3, 2]),
    (pl.DataFrame({"c": [1, 2, None]}), [0, -1, NAN]),
    (pa.table({"c": [1.0, 1.5]}), [0, -1]),
    (pd.DataFrame({"c": [True, False]}), [1, -1]),
    (pd.DataFrame({"c": [True, None, "oslo"]}, dtype=object), [1, NAN, 2]),
    (np.array([[1, 7]]).T, [0, -1]),
    (np.array([[True, False]]).T, [1, -1]),
    (np.array([[True, 1, NAN]], dtype=object).T, [1, 0, NAN]),
    ([["oslo"], [None]], [2, NAN]),
    (np.full((2, 1), NAN), [NAN, NAN]),
    (pd.DataFrame({"c": [None, None]}), [NAN, NAN]),
]


@pytest.mark.parametrize(("X", "codes"), AS_CITIES)
def test_values_are_read_by_the_texts_of_the_categories_of_fit(X, codes):
    table = read_table(X, columns=[CITIES])
    np.testing.assert_array_equal(table.values[:, 0], codes)
    assert table.columns == (CITIES,)


def test_dates_of_fit_may_come_as_texts_and_as_categories():
    texts = ["1970-01-02", " 1970-01-01T03:00+02:00", "1970-01-01 00:00:01.5", "1970-01-01T00:01Z"]
    np.testing.assert_array_equal(
        only([*texts, None], columns=[Column(DATE)])[0], [86400.0, 3600.0, 1.5, 60.0, NAN]
    )
    moments = pd.Categorical([dt.datetime(1970, 1, 2)])
    assert read_table(pd.DataFrame({"d": moments}), columns=[Column(DATE)]).values[0, 0] == 86400.0


def test_numbers_of_fit_may_come_as_categories_of_numbers():
    frame = pd.DataFrame({"n": pd.Categorical([2, None, 1])})
    np.testing.assert_array_equal(read_table(frame, columns=[Column()]).values[:, 0], [2, NAN, 1])


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (Column(), ["1", "x"], "'c' was numeric in fit; it must hold numbers, got '1'"),
        (Column(), [dt.date(2024, 1, 1)], "'c' held numbers in fit; .* got dates"),
        (Column(DATE), ["2024-01-01", "soon"], "'c' held dates in fit; .* got 'soon'"),
        (Column(DATE), [1.0], "'c' held dates in fit; .* got numbers"),
        (CITIES, pd.to_datetime(["2024-01-01"]), "'c' was categorical in fit; .* got dates"),
    ],
)
def test_columns_that_are_no_longer_what_they_were_are_errors_that_name_them(
    column, values, message
):
    with pytest.raises(TypeError, match=f"Z column {message}"):
        read_table(pd.DataFrame({"c": values}), columns=[column], name="Z")


def test_columns_of_fit_go_by_name_or_else_by_position():
    frame = pd.DataFrame({"c": ["x", "y"], "n": [1.0, 2.0]})
    fitted = read_table(frame)
    other = pd.DataFrame({"extra": ["?"], "n": [3], "c": ["y"]})
    again = read_table(other, columns=fitted.columns, expected_names=fitted.names)
    np.testing.assert_array_equal(again.values, [[1.0, 3.0]])
    assert again.names == ("c", "n")
    unnamed = pd.DataFrame([["y", 3]])
    for X in (unnamed, unnamed.to_numpy(), [["y", 3]]):
        table = read_table(X, columns=fitted.columns, expected_names=fitted.names)
        np.testing.assert_array_equal(table.values, [[1.0, 3.0]])
    # The caller compares the number of columns: here they are read for their own sake.
    assert read_table([["y", 3, 4]], columns=fitted.columns).values.shape == (1, 3)


LAST_DAY = 253402214400.0  # `date -u -d 9999-12-31 +%s`
FAR = {  # integers that no float64 is, and days whose microseconds are such
    "id": ([2**60 + 1, None, -(2**62)], [2.0**60, NAN, -(2.0**62)]),
    "count": ([2**63 - 1, 0, 1], [2.0**63, 0.0, 1.0]),
    "until": ([dt.date(9999, 12, 31), None, dt.date(1970, 1, 2)], [LAST_DAY, NAN, 86400.0]),
    "when": ([dt.datetime(9999, 12, 31), None, None], [LAST_DAY, NAN, NAN]),
    "lasting": ([dt.timedelta(3_000_000), None, dt.timedelta(0)], [2.592e11, NAN, 0.0]),
}


@pytest.mark.parametrize("library", ["polars", "pyarrow", "pandas pyarrow", "pandas objects"])
def test_large_integers_are_rounded_and_far_dates_are_read(library):
    make = {
        "polars": pl.DataFrame,
        "pyarrow": pa.table,
        "pandas pyarrow": lambda data: pa.table(data).to_pandas(types_mapper=pd.ArrowDtype),
        "pandas objects": lambda data: pd.DataFrame(data, dtype=object),
    }[library]
    table = read_table(make({name: given for name, (given, _) in FAR.items()}))
    for at, (name, (_, expected)) in enumerate(FAR.items()):
        np.testing.assert_array_equal(table.values[:, at], expected, err_msg=name)


def test_unsigned_and_wide_integers_are_rounded():
    greatest = pa.table({"n": pa.array([2**64 - 1, None], pa.uint64())})
    np.testing.assert_array_equal(read_table(greatest).values[:, 0], [2.0**64, NAN])
    many = pl.DataFrame({"n": pl.Series([2**70] * 5_000_000, dtype=pl.Int128)})
    assert read_table(many, in_place=True).values[0, 0] == 2.0**70


@pytest.mark.parametrize("seconds", [-1.5e-6, 1.5e-6])
def test_what_is_below_a_microsecond_is_cut_as_a_model_cuts_it(seconds):
    ticks = np.array([seconds / 1e-9]).astype("m8[ns]")
    frame = pd.DataFrame({"d": ticks})
    model = RowReader([{"kind": "numeric", "categories": []}], ["d"])
    np.testing.assert_array_equal(read_table(frame).values, model.table(frame))


def test_types_that_numpy_alone_knows_are_read_by_it():
    frame = pd.DataFrame({"s": pd.arrays.SparseArray([0.0, 2.0, NAN])})
    np.testing.assert_array_equal(read_table(frame).values[:, 0], [0.0, 2.0, NAN])
    days = read_table(pa.table({"d": pa.array([dt.date(1970, 1, 2), None], type=pa.date64())}))
    assert days.columns == (Column(DATE),)
    np.testing.assert_array_equal(days.values[:, 0], [86400.0, NAN])


EMPTY = {
    "polars": (
        lambda dtype: pl.DataFrame({"c": pl.Series([None, None], dtype=dtype)}),
        [pl.Null, pl.Categorical, pl.Enum(["a"]), pl.String, pl.Date, pl.Time, pl.Duration,
         pl.Boolean, pl.Decimal, pl.Binary, pl.Object, pl.List(pl.Int8), pl.Struct({"a": pl.Int8})],
    ),
    "pyarrow": (
        lambda dtype: pa.table({"c": pa.array([None, None], type=dtype)}),
        [pa.null(), pa.string(), pa.large_string(), pa.date32(), pa.time64("ns"), pa.duration("s"),
         pa.bool_(), pa.timestamp("ns", "UTC"), pa.decimal128(5, 2), pa.list_(pa.int8()),
         pa.binary(), pa.dictionary(pa.int8(), pa.string())],
    ),
    "pandas": (
        lambda dtype: pd.DataFrame({"c": pd.array([None, None], dtype=dtype)}),
        ["Int64", "boolean", "string", "str", "category", "M8[ns]", "m8[s]", "M8[us, UTC]",
         "object", "Float32", "period[D]"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", EMPTY)
def test_a_column_missing_throughout_is_numeric_whatever_its_type(library):
    make, dtypes = EMPTY[library]
    for dtype in dtypes:
        for columns in (None, [Column(DATE)], [CITIES], [Column()]):
            table = read_table(make(dtype), columns=columns)
            assert np.isnan(table.values).all(), dtype
            assert list(table.columns) == (columns or [Column()]), dtype


VALUES = st.none() | st.floats(allow_infinity=False) | st.text(max_size=3) | st.booleans()


@settings(deadline=None, max_examples=100)
@given(st.lists(VALUES, min_size=1, max_size=12))
def test_any_column_read_as_itself_gives_the_same_values(column):
    values, described = only(column)
    np.testing.assert_array_equal(only(column, columns=[described])[0], values)
    assert list(described.categories) == sorted(set(described.categories))
    frame = pd.DataFrame({"c": pd.Series(column, dtype=object)})
    np.testing.assert_array_equal(read_table(frame).values[:, 0], values)
    strings = [None if value is None else str(value) for value in column]
    tables = [make({"c": strings}) for make in (pd.DataFrame, pl.DataFrame, pa.table)]
    read = [read_table(table) for table in tables]
    assert read[0].columns == read[1].columns == read[2].columns
    np.testing.assert_array_equal(read[0].values, read[1].values)
    np.testing.assert_array_equal(read[0].values, read[2].values)
