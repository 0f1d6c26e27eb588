"""Encoders of categories and dates, and of any mixture: the naive twin, no leak, known forms."""

import datetime as dt

import naive_encoder
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automs.column_kinds import Column, ColumnKind
from automs.encoding import ENCODINGS, fit_encoder, fit_parts
from automs.table import Table, read_table

NAN = float("nan")
NONE = naive_encoder.NO_SLOT
NUMERIC, CATEGORICAL, DATE = ColumnKind


def rows(n):
    return np.arange(n, dtype=np.int32)


def category_parts(codes, n_categories, train=None, *, ordered=False, embed=True):
    """Give the parts of one categorical column."""
    names = tuple(f"{code:03d}" for code in range(n_categories))
    table = Table(np.reshape(codes, (-1, 1)).astype(float), (Column(CATEGORICAL, names, ordered),))
    return fit_parts(table, rows(train or len(codes)), "robust", embed)


def date_parts(dates):
    table = read_table(pd.DataFrame({"d": dates}))
    return fit_parts(table, rows(len(dates)), "standard"), table.values


def assert_part(part, kind, **fields):
    assert part["kind"] == kind
    assert part["column"] == 0
    for name, value in fields.items():
        np.testing.assert_array_equal(part[name], value, err_msg=name)


@pytest.mark.parametrize(
    ("codes", "n_categories", "n_slots", "slots"),
    [
        ([0, 1, 1], 2, 1, [NONE, 0, NONE, NONE]),
        ([1, NAN, 1], 2, 1, [NONE, NONE, 0, NONE]),
        ([0, 1, NAN], 2, 3, [0, 1, 2, NONE]),
        ([2, 0, 3], 4, 3, [0, NONE, 1, 2, NONE, NONE]),
        (list(range(9)), 9, 9, [*range(9), NONE, NONE]),
        ([*range(8), NAN], 8, 9, [*range(8), 8, NONE]),
    ],
)
@pytest.mark.parametrize("embed", [False, True])
def test_up_to_nine_levels_are_one_hot(codes, n_categories, n_slots, slots, embed):
    [part] = category_parts(codes, n_categories, embed=embed)
    assert_part(part, "one_hot", n_slots=n_slots, slots=slots)


def test_more_levels_are_embedded_and_rare_ones_share_the_row_of_unknown_ones():
    codes = [*range(10), *range(9), 10, 10, NAN]
    [part] = category_parts(codes, 12)
    # 0 to 8 and 10 occur twice; 9 once and 11 never; missing has a row of its own.
    assert_part(part, "embedded", n_rows=12, rows=[*range(9), 10, 9, 10, 11, 10])
    [part] = category_parts(codes[:-1], 12)
    assert_part(part, "embedded", n_rows=11, rows=[*range(9), 10, 9, 10, 10, 10])


def test_levels_that_name_rows_are_no_feature():
    only_placeholder = category_parts(list(range(30)), 30)
    assert_part(only_placeholder[0], "scaled", scale=0.0)
    assert category_parts([*range(30), NAN], 30) == [{"kind": "indicator", "column": 0}]


def test_without_embeddings_the_most_frequent_levels_are_one_hot_and_the_others_pooled():
    codes = [*range(70), *range(6, 70), 69, NAN]
    [part] = category_parts(codes, 71, embed=False)
    slots = [*([64] * 6), *range(64), 64, 65, 64]
    assert_part(part, "one_hot", n_slots=66, slots=slots)
    [part] = category_parts(list(range(64)), 65, embed=False)
    assert_part(part, "one_hot", n_slots=64, slots=[*range(64), NONE, NONE, NONE])


def test_ordered_levels_are_ranks_and_up_to_nine_one_hot_besides():
    ordinal, one_hot = category_parts([0, 2, 2, 0, NAN, 1], 3, 5, ordered=True)
    assert_part(ordinal, "ordinal", values=[-1, 0, 1, 0, 0])  # level 1 is not among training rows
    assert_part(one_hot, "one_hot", n_slots=3)
    codes = np.array([*range(20), NAN])
    ordinal, indicator = category_parts(codes, 20, ordered=True)
    assert indicator["kind"] == "indicator"
    values = ordinal["values"][:20]
    assert values.mean() == pytest.approx(0.0, abs=1e-12)
    assert values.std() == pytest.approx(1.0)
    assert (np.diff(values) > 0).all()
    assert len(category_parts(codes[:-1], 20, ordered=True)) == 1


@pytest.mark.parametrize("ordered", [False, True])
def test_one_level_is_no_feature(ordered):
    for codes in ([1, 1, 1], [NAN, NAN]):
        [part] = category_parts(codes, 3, ordered=ordered)
        assert_part(part, "scaled", scale=0.0)


@pytest.mark.parametrize(
    ("dates", "cycles"),
    [
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 5)], []),
        ([dt.date(2024, 1, 1), dt.date(2024, 2, 5)], ["week"]),
        ([dt.date(2024, 1, 1), dt.date(2025, 2, 5)], ["year", "week"]),
        ([dt.datetime(2024, 1, 1, 3), dt.datetime(2024, 1, 1, 9)], ["day"]),
        ([dt.datetime(2024, 1, 1, 3), dt.datetime(2025, 1, 1, 9)], ["year", "week", "day"]),
        ([dt.datetime(2024, 1, 1, 3), dt.datetime(2024, 1, 4, 3)], []),
    ],
)
def test_dates_have_the_cycles_that_they_can_tell_of(dates, cycles):
    parts, _ = date_parts(dates)
    assert parts[0]["kind"] == "scaled"
    assert parts[0]["clip"]
    assert [part["cycle"] for part in parts[1:]] == cycles
    parts, _ = date_parts([*dates, None])
    assert [part.get("cycle", part["kind"]) for part in parts[1:]] == [*cycles, "indicator"]


def test_one_date_is_no_feature():
    parts, values = date_parts([dt.date(2024, 1, 1)] * 3)
    assert_part(parts[0], "scaled", scale=0.0)
    np.testing.assert_array_equal(
        fit_encoder(read_table(values), rows(3), "robust").encode(values)[0], 0
    )


COLUMN_VALUES = {
    NUMERIC: st.floats(-1e307, 1e307) | st.integers(-3, 3).map(float),
    CATEGORICAL: st.integers(-1, 14).map(float),
    # Whole days and moments, of the years 1700 to 2200.
    DATE: st.integers(-98_000, 84_000).map(lambda d: 86400.0 * d) | st.integers(-(2**32), 2**32),
}


@st.composite
def tables(draw):
    """Draw a table of up to 4 columns of any kind, and its training rows."""
    n_rows = draw(st.integers(2, 40))
    columns, values = [], []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(list(ColumnKind)))
        names = tuple(f"{code:02d}" for code in range(14)) if kind is CATEGORICAL else ()
        columns.append(Column(kind, names, kind is CATEGORICAL and draw(st.booleans())))
        seed = draw(st.integers(0, 2**32 - 1))
        rng = np.random.default_rng(seed)
        pool = draw(st.lists(COLUMN_VALUES[kind] | st.just(NAN), min_size=1, max_size=20))
        values.append(rng.choice(np.array(pool, dtype=np.float64), n_rows))
    table = Table(np.ascontiguousarray(np.stack(values, axis=1)), tuple(columns))
    return table, rows(draw(st.integers(1, n_rows)))


@settings(deadline=None, max_examples=150)
@given(tables(), st.sampled_from(ENCODINGS), st.booleans())
def test_the_encoder_gives_what_its_naive_twin_gives(drawn, encoding, embed):
    table, train_rows = drawn
    encoder = fit_encoder(table, train_rows, encoding, embed)
    parts = fit_parts(table, train_rows, encoding, embed)
    features, codes = encoder.encode(table.values)
    expected, expected_codes = naive_encoder.encode(parts, table.values)
    assert np.isfinite(features).all()
    # Features are float32; a date's angle is exact to about 1e-12.
    np.testing.assert_allclose(features, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(codes, expected_codes)
    again = naive_encoder.encode(encoder.parts, table.values)
    np.testing.assert_array_equal(again[0], expected)
    np.testing.assert_array_equal(again[1], expected_codes)


@settings(deadline=None, max_examples=100)
@given(tables(), st.sampled_from(ENCODINGS), st.booleans())
def test_other_rows_than_those_of_training_teach_the_parts_nothing(drawn, encoding, embed):
    table, train_rows = drawn
    alone = Table(table.values[train_rows], table.columns)
    learned = [fit_parts(t, train_rows, encoding, embed) for t in (table, alone)]
    assert str(learned[0]) == str(learned[1])


def test_a_category_of_validation_rows_alone_is_unknown_to_the_encoder():
    train = ["a", "b", "c"] * 10
    with_leak = read_table(pd.DataFrame({"c": [*train, "leak", "leak"]}))
    assert "leak" in with_leak.columns[0].categories
    encoder = fit_encoder(with_leak, rows(30), "robust")
    unknown = np.array([[-1.0]])
    features = encoder.encode(with_leak.values)[0]
    np.testing.assert_array_equal(features[30:], encoder.encode(np.repeat(unknown, 2, axis=0))[0])
    without = read_table(pd.DataFrame({"c": train}))
    np.testing.assert_array_equal(
        features[:30], fit_encoder(without, rows(30), "robust").encode(without.values)[0]
    )
