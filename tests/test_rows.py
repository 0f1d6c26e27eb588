"""Rows of every kind of column, from every kind of table, to the numbers that a model takes."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from automs._rows import RowReader
from automs.table import read_table

NAN = float("nan")
NAMES = ["size", "colour", "grade", "day"]
COLUMNS = [
    {"kind": "numeric", "categories": []},
    {"kind": "categorical", "categories": ["red", "größe", "True"]},
    {"kind": "categorical", "categories": ["1", "2.5", "3"]},
    {"kind": "date", "categories": []},
]
NOON = datetime.datetime(2024, 2, 29, 12)
NOON_SECONDS = 1709208000.0
CET = datetime.timezone(datetime.timedelta(hours=1))
TABLE = {
    "size": [1.5, None, -2.0, 4.0],
    "colour": ["größe", "red", None, "other"],
    "grade": [3.0, 1.0, 2.5, None],
    "day": [NOON, None, datetime.datetime(1969, 12, 31, 23, 59, 59), NOON],
}
EXPECTED = np.array(
    [
        [1.5, 1.0, 2.0, NOON_SECONDS],
        [NAN, 0.0, 0.0, NAN],
        [-2.0, NAN, 1.0, -1.0],
        [4.0, -1.0, NAN, NOON_SECONDS],
    ]
)
READER = RowReader(COLUMNS, NAMES)


def rows_of(table: dict[str, list[Any]]) -> list[list[Any]]:
    return [list(row) for row in zip(*table.values(), strict=True)]


def check(X: Any, expected: Any = EXPECTED, reader: RowReader = READER) -> None:
    rows = reader.table(X)
    assert rows.dtype == np.float64
    assert rows.flags.c_contiguous
    np.testing.assert_array_equal(rows, expected)


def test_lists_and_object_arrays() -> None:
    rows = rows_of(TABLE)
    check(rows)
    check([tuple(row) for row in rows])
    objects = np.array(rows, dtype=object)
    check(objects)
    check(np.asfortranarray(objects))
    check(np.ma.MaskedArray(objects, np.array(objects == None)))  # noqa: E711


def test_single_rows() -> None:
    for row, expected in zip(rows_of(TABLE), EXPECTED, strict=True):
        by_name = {"more": 1, **dict(reversed(list(zip(NAMES, row, strict=True))))}
        for same in (row, tuple(row), np.array(row, dtype=object), by_name):
            np.testing.assert_array_equal(READER.row(same), expected)


def test_arrays_of_floats_hold_the_numbers_already() -> None:
    assert READER.table(EXPECTED) is EXPECTED
    narrow = np.ascontiguousarray(EXPECTED, dtype=np.float32)
    assert READER.table(narrow) is narrow
    check(np.asfortranarray(EXPECTED))
    assert READER.row(EXPECTED[0]).base is EXPECTED


def test_arrays_of_texts_and_integers_hold_labels() -> None:
    labels = RowReader([COLUMNS[2], COLUMNS[2]])
    check(np.array([["3", "1"], ["2.5", "4"]]), [[2.0, 0.0], [1.0, -1.0]], labels)
    check(np.array([[3, 1], [2, 4]]), [[2.0, 0.0], [-1.0, -1.0]], labels)
    check([[3.0, 1.0], [2.5, 4.0]], [[2.0, 0.0], [1.0, -1.0]], labels)


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE)
    check(frame)
    check(frame[["day", "grade", "colour", "size"]].assign(more="text"))
    check(frame.assign(colour=frame["colour"].astype("category")))
    check(frame.assign(colour=frame["colour"].astype("string")))
    check(frame.assign(grade=frame["grade"].astype("category")))
    check(
        frame.assign(grade=frame["grade"].astype("Float64"), size=frame["size"].astype("Float64"))
    )
    check(frame.assign(day=frame["day"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")))
    check(frame.assign(day=frame["day"].astype("datetime64[s]")))
    check(frame.assign(day=frame["day"].astype(object)))
    row = frame.astype(object).iloc[0]
    np.testing.assert_array_equal(READER.row(row[::-1]), EXPECTED[0])
    unordered = pandas.Categorical(["größe", "red", None, "other"], ["other", "red", "größe"])
    check(frame.assign(colour=unordered))


def test_polars() -> None:
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(TABLE)
    check(frame)
    check(frame.select("grade", "day", "size", "colour", more=1))
    polars.Series(["elsewhere", "größe"], dtype=polars.Categorical)
    check(frame.with_columns(polars.col("colour").cast(polars.Categorical)))
    check(frame.with_columns(polars.col("colour").cast(polars.Enum(["red", "other", "größe"]))))
    check(frame.with_columns(polars.col("day").dt.replace_time_zone("UTC")))
    tokyo = polars.col("day").dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    check(frame.with_columns(tokyo))
    check(frame.with_columns(polars.col("size").cast(polars.Decimal(10, 2))))
    empty = polars.DataFrame({"c": [None, None]}, schema={"c": polars.Categorical})
    check(empty, [[NAN], [NAN]], RowReader([COLUMNS[1]], ["c"]))


def test_pyarrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(TABLE)
    check(table)
    check(table.select(["day", "colour", "size", "grade"]))
    colours = table["colour"].dictionary_encode()
    check(table.set_column(1, "colour", colours))
    chunks = pyarrow.chunked_array(
        [pyarrow.array(part).dictionary_encode() for part in (["größe"], ["red", None, "other"])]
    )
    check(table.set_column(1, "colour", chunks))
    check(table.set_column(2, "grade", table["grade"].dictionary_encode()))
    check(table.set_column(0, "size", table["size"].dictionary_encode()))
    zoned = table["day"].cast(pyarrow.timestamp("ms", tz="Asia/Tokyo"))
    check(table.set_column(3, "day", zoned))
    check(table.to_batches()[0])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (NOON, NOON_SECONDS),
        (NOON.replace(tzinfo=CET), NOON_SECONDS - 3600),
        (datetime.date(2024, 2, 29), NOON_SECONDS - 43200),
        (datetime.date(1, 1, 1), -62135596800.0),
        ("2024-02-29T12:00", NOON_SECONDS),
        ("2024-02-29 12:00:00+01:00", NOON_SECONDS - 3600),
        ("2024-02-29", NOON_SECONDS - 43200),
        ("2024-02-29T12:00:00.25Z", NOON_SECONDS + 0.25),
        (np.datetime64("2024-02-29T12", "h"), NOON_SECONDS),
        (np.datetime64("1969-12-31T23:59:59.5"), -0.5),
        (NOON_SECONDS, NOON_SECONDS),
        (np.int64(5), 5.0),
        (np.datetime64("NaT"), NAN),
        (None, NAN),
    ],
    ids=str,
)
def test_dates(value: Any, expected: float) -> None:
    reader = RowReader([COLUMNS[3]])
    np.testing.assert_array_equal(reader.row([value]), [expected])
    check([[value]], [[expected]], reader)


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s", "m", "h", "D"])
def test_datetimes_of_every_unit(unit: str) -> None:
    array = np.array(["2024-02-29", "NaT"], dtype=f"datetime64[{unit}]")[:, None]
    check(array, [[NOON_SECONDS - 43200], [NAN]], RowReader([COLUMNS[3]]))
    masked = np.ma.MaskedArray(array, [[True], [False]])
    check(masked, [[NAN], [NAN]], RowReader([COLUMNS[3]]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, 1.0),
        (Decimal("2.5"), 2.5),
        (np.float32(0.5), 0.5),
        (2**70, 2.0**70),
        (datetime.timedelta(minutes=2), 120.0),
        (np.timedelta64(1500, "ms"), 1.5),
        (datetime.time(0, 1, 0, 500_000), 60.5),
        (Decimal("NaN"), NAN),
    ],
    ids=str,
)
def test_numbers(value: Any, expected: float) -> None:
    np.testing.assert_array_equal(READER.row([value, None, None, None])[0], expected)
    check([[value, None, None, None]], [[expected, NAN, NAN, NAN]])


def test_durations_and_missing_values_of_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    for missing in (pandas.NA, pandas.NaT, None, NAN, np.float32("nan")):
        check([[missing] * 4], [[NAN] * 4])
        np.testing.assert_array_equal(READER.row([missing] * 4), [NAN] * 4)
    frame = pandas.DataFrame({"t": pandas.to_timedelta([90, None], unit="s")})
    check(frame, [[90.0], [NAN]], RowReader([COLUMNS[0]], ["t"]))


@pytest.mark.parametrize(
    ("column", "value", "error", "message"),
    [
        (0, "1.5", TypeError, "column 'size' must hold numbers or booleans, got str '1.5'"),
        (0, b"1", TypeError, "column 'size' must hold numbers"),
        (0, 1j, TypeError, "column 'size' must hold numbers"),
        (0, NOON, TypeError, "column 'size' must hold numbers"),
        (0, np.datetime64("2024-01-01"), TypeError, "column 'size' must hold numbers"),
        (0, [1.0], TypeError, "column 'size' must hold numbers"),
        (0, 10**400, ValueError, "column 'size' must hold numbers in the range of a float"),
        (3, "yesterday", ValueError, "column 'day' must hold dates in ISO form, got 'yesterday'"),
        (3, True, TypeError, "column 'day' must hold dates, got bool"),
        (3, Decimal(1), TypeError, "column 'day' must hold dates"),
    ],
    ids=str,
)
def test_values_that_do_not_suit_are_refused_by_column(
    column: int, value: Any, error: type[Exception], message: str
) -> None:
    row: list[Any] = [None] * 4
    row[column] = value
    with pytest.raises(error, match=f"^{message}"):
        READER.row(row)
    cells = np.empty((1, 4), dtype=object)
    cells[0, column] = value
    with pytest.raises(error, match=f"^X {message}"):
        READER.table(cells)


def test_wrong_shapes_and_missing_columns_are_named() -> None:
    with pytest.raises(ValueError, match=r"4 columns \(features\), got 3"):
        READER.table([[1, "red", 3]])
    with pytest.raises(ValueError, match="4 columns, got 2"):
        READER.row([1, "red"])
    with pytest.raises(ValueError, match="1-D"):
        READER.row(np.array([[1, "red", 3, None]], dtype=object))
    for row in (None, 5, "text"):
        with pytest.raises(TypeError, match="row must be a sequence, an array or a dict"):
            READER.row(row)
    with pytest.raises(ValueError, match="row lacks the columns 'colour', 'grade', 'day'"):
        READER.row({"size": 1.0})
    with pytest.raises(ValueError, match=r"inhomogeneous|of shape"):
        READER.table([[1, "red"], [1]])


def test_a_label_is_read_by_its_text_whatever_its_type() -> None:
    grade, colour = RowReader([COLUMNS[2]]), RowReader([COLUMNS[1]])
    for label in ("3", 3, 3.0, np.float32(3), np.int8(3), Decimal("3.0"), np.str_("3")):
        assert grade.row([label]) == [2.0]
        check([[label]], [[2.0]], grade)
    for label in (True, np.True_, "True"):
        assert colour.row([label]) == [2.0]
    for label in (1, float("inf"), -0.0, b"red", ("red",), 10**400):
        assert colour.row([label]) == [-1.0]


def test_tables_of_fit_and_of_prediction_are_read_alike() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(TABLE).assign(grade=pandas.Categorical(TABLE["grade"]))
    table = read_table(frame)
    columns = [
        {"kind": column.kind.name.lower(), "categories": list(column.categories)}
        for column in table.columns
    ]
    check(frame, table.values, RowReader(columns, table.names))
