"""Parts of an encoder and raw rows -> features and embedded codes, one value after the other."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

NO_SLOT = 0xFFFFFFFF
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(parts, values):
    """Give (features, float64 (n_rows, n_features); codes, int32 (n_rows, n_embedded))."""
    dense = [
        [f for p in parts if p["kind"] != "embedded" for f in features(p, row)] for row in values
    ]
    codes = [[code(p, row) for p in parts if p["kind"] == "embedded"] for row in values]
    n_rows = len(values)
    return (
        np.array(dense, dtype=np.float64).reshape(n_rows, -1),
        np.array(codes, dtype=np.int32).reshape(n_rows, -1),
    )


def features(part, row):
    """Give the features of one part for one row."""
    x = float(row[part["column"]])
    return FEATURES[part["kind"]](part, x)


def code(part, row):
    """Give the row of the embedding table."""
    return int(part["rows"][place(float(row[part["column"]]), len(part["rows"]) - 2)])


def place(x, n_codes):
    """Give the place of a code in a list of all codes, then missing, then unknown."""
    if math.isnan(x):
        return n_codes
    return int(x) if x in range(n_codes) else n_codes + 1


def scaled(part, x):
    if math.isnan(x) or part["scale"] == 0.0:
        return [0.0]
    z = min(max((x - part["centre"]) * part["scale"], -1e9), 1e9)
    return [z / math.sqrt(1.0 + (z / 3.0) ** 2)] if part["clip"] else [z]


def indicator(_part, x):
    return [1.0 if math.isnan(x) else 0.0]


def piecewise(part, x):
    knots = [float(k) for k in part["knots"]]
    if math.isnan(x):
        return [0.0] * (len(knots) - 1)
    shares = [(x - k) / (after - k) for k, after in pairwise(knots)]
    return [2.0 * min(max(share, 0.0), 1.0) - 1.0 for share in shares]


def interpolated(part, x):
    return [0.0 if math.isnan(x) else float(np.interp(x, part["knots"], part["values"]))]


def one_hot(part, x):
    slot = part["slots"][place(x, len(part["slots"]) - 2)]
    assert slot == NO_SLOT or slot < part["n_slots"]
    return [1.0 if at == slot else 0.0 for at in range(part["n_slots"])]


def ordinal(part, x):
    return [float(part["values"][place(x, len(part["values"]) - 2)])]


def calendar(part, x):
    if math.isnan(x):
        return [0.0, 0.0]
    angle = 2.0 * math.pi * CYCLES[part["cycle"]](EPOCH + timedelta(seconds=x))
    return [math.sin(angle), math.cos(angle)]


def share_of_year(date):
    start = datetime(date.year, 1, 1, tzinfo=UTC)
    return (date - start) / (datetime(date.year + 1, 1, 1, tzinfo=UTC) - start)


def share_of_day(date):
    return (date - date.replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(days=1)


FEATURES = {
    "scaled": scaled,
    "indicator": indicator,
    "piecewise": piecewise,
    "interpolated": interpolated,
    "one_hot": one_hot,
    "ordinal": ordinal,
    "calendar": calendar,
}
CYCLES = {
    "year": share_of_year,
    "week": lambda date: (date.weekday() + share_of_day(date)) / 7.0,
    "day": share_of_day,
}
