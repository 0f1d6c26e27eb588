"""Every kind of part of an encoder against a naive twin in NumPy and Python's own calendar."""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automs._core import Encoder

NO_SLOT = 2**32 - 1
# Features are float32 of at most about 10: half an ulp of them is 5e-7.
TOLERANCE = {"rtol": 1e-6, "atol": 1e-6}


def entry(x: float, table: Any) -> Any:
    """Give the entry of a code, of "missing" or of "unknown"."""
    if math.isnan(x):
        return table[-2]
    n_codes = len(table) - 2
    return table[int(x)] if x.is_integer() and 0 <= x < n_codes else table[-1]


def cycle_share(cycle: str, x: float) -> float:
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=x)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    of_day = (moment - midnight) / datetime.timedelta(days=1)
    if cycle == "day":
        return of_day
    if cycle == "week":
        return (moment.weekday() + of_day) / 7
    start = datetime.datetime(moment.year, 1, 1)
    return (moment - start) / (datetime.datetime(moment.year + 1, 1, 1) - start)


def features(part: dict[str, Any], x: float) -> list[float]:
    """Give the features of a part for one value, as FORMAT.md defines them."""
    missing = math.isnan(x)
    given: list[float] = []
    match part["kind"]:
        case "scaled":
            z = 0.0 if missing else (x - part["centre"]) * part["scale"]
            given = [z / math.sqrt(1 + (z / 3) ** 2) if part["clip"] else z]
        case "indicator":
            given = [float(missing)]
        case "piecewise":
            shares = (x - part["knots"][:-1]) / np.diff(part["knots"])
            given = list(np.zeros(len(shares)) if missing else 2 * np.clip(shares, 0, 1) - 1)
        case "interpolated":
            given = [0.0 if missing else float(np.interp(x, part["knots"], part["values"]))]
        case "one_hot":
            given = list(np.arange(part["n_slots"]) == entry(x, part["slots"]))
        case "ordinal":
            given = [entry(x, part["values"])]
        case "calendar":
            angle = 0.0 if missing else 2 * math.pi * cycle_share(part["cycle"], x)
            given = [0.0, 0.0] if missing else [math.sin(angle), math.cos(angle)]
    return given


def encode(parts: list[dict[str, Any]], row: npt.NDArray[np.float64]) -> tuple[Any, Any]:
    dense = [feature for part in parts for feature in features(part, float(row[part["column"]]))]
    codes = [
        entry(float(row[part["column"]]), part["rows"])
        for part in parts
        if part["kind"] == "embedded"
    ]
    return dense, codes


N_COLUMNS = 3
COLUMNS = st.integers(0, N_COLUMNS - 1)
REALS = st.floats(-5, 5, width=32)
KNOTS = st.lists(st.integers(-40, 40), min_size=2, max_size=7, unique=True).map(
    lambda ticks: np.sort(ticks) / 8
)


def entries(values: Any) -> Any:
    return st.lists(values, min_size=2, max_size=7)


def part(kind: str, **fields: Any) -> Any:
    return st.fixed_dictionaries({"kind": st.just(kind), "column": COLUMNS, **fields})


SCALED = part("scaled", clip=st.booleans(), centre=REALS, scale=st.floats(0, 2))
OTHERS = st.one_of(
    part("indicator"),
    part("piecewise", knots=KNOTS),
    part("interpolated", knots=KNOTS).map(
        lambda p: {**p, "values": np.cos(17 * p["knots"] + p["column"])}
    ),
    part("one_hot", slots=entries(st.sampled_from([0, 1, NO_SLOT]))).map(
        lambda p: {**p, "n_slots": 2}
    ),
    part("ordinal", values=entries(REALS)),
    part("calendar", cycle=st.sampled_from(["year", "week", "day"])),
    part("embedded", rows=entries(st.integers(0, 3))).map(lambda p: {**p, "n_rows": 4}),
)
PARTS = st.tuples(st.lists(SCALED, max_size=5), st.lists(OTHERS, min_size=1, max_size=6)).map(
    lambda lists: [*lists[0], *lists[1]]
)
# Codes, and values between and beside them.
CELLS = st.one_of(
    st.just(math.nan),
    st.integers(-2, 8).map(float),
    REALS,
)
MATRICES = st.lists(st.lists(CELLS, min_size=N_COLUMNS, max_size=N_COLUMNS), min_size=1, max_size=4)


@settings(deadline=None, max_examples=300)
@given(PARTS, MATRICES)
def test_any_parts_encode_as_their_twins_do(parts: list[Any], rows: list[list[float]]) -> None:
    encoder = Encoder(N_COLUMNS, parts)
    X = np.array(rows, dtype=np.float64)
    dense, codes = encoder.encode(X)
    assert dense.dtype == np.float32
    assert codes.dtype == np.int32
    assert dense.shape == (len(X), encoder.n_features)
    assert codes.shape == (len(X), encoder.n_embedded)
    for row, row_features, row_codes in zip(X, dense, codes, strict=True):
        expected_features, expected_codes = encode(parts, row)
        np.testing.assert_allclose(row_features, expected_features, **TOLERANCE)
        np.testing.assert_array_equal(row_codes, expected_codes)


@settings(deadline=None, max_examples=300)
@given(st.datetimes(datetime.datetime(2, 1, 1), datetime.datetime(9998, 12, 31)))
def test_cycles_are_those_of_the_calendar(moment: datetime.datetime) -> None:
    x = (moment - datetime.datetime(1970, 1, 1)).total_seconds()
    for cycle in ("year", "week", "day"):
        part = {"kind": "calendar", "column": 0, "cycle": cycle}
        encoded = Encoder(1, [part]).encode(np.array([[x]]))[0][0]
        # Seconds since 1970 are exact to some microseconds; half an ulp of 1 in float32 is 6e-8.
        np.testing.assert_allclose(encoded, features(part, x), rtol=0, atol=1e-7)


def test_the_number_of_threads_changes_no_bit(n_threads: int) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-1, 6, size=(2000, 2)).astype(np.float64)
    X[rng.random(X.shape) < 0.1] = np.nan
    encoder = Encoder(
        2,
        [
            {"kind": "scaled", "column": 1, "clip": True, "centre": 1.0, "scale": 0.3},
            {"kind": "one_hot", "column": 0, "n_slots": 3, "slots": [0, 1, 2, 2, NO_SLOT]},
            {"kind": "embedded", "column": 0, "n_rows": 5, "rows": [0, 1, 2, 3, 4]},
        ],
    )
    for many, one in zip(encoder.encode(X, n_threads), encoder.encode(X), strict=True):
        np.testing.assert_array_equal(many, one)


@pytest.mark.parametrize("X", [np.zeros(3), np.zeros((2, 3)), np.zeros((2, 1, 1))], ids=str)
def test_tables_of_another_shape_are_refused(X: npt.NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="X must"):
        Encoder(1, [{"kind": "indicator", "column": 0}]).encode(X)
