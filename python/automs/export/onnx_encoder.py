"""The parts of an encoder -> nodes that turn raw rows (double) into features and embedded codes."""

from __future__ import annotations

import numpy as np

from automs.export.model import Part
from automs.export.onnx_nodes import Nodes

__all__ = ["add_encoder"]

_SECONDS_OF_DAY = 86400.0
_MOST_SECONDS = 1e14  # beyond them a number is no date
_LARGEST_FEATURE = 1e9


def add_encoder(nodes: Nodes, rows: str, parts: list[Part]) -> tuple[list[str], list[str]]:
    """Add an encoder to a graph.

    Parameters
    ----------
    nodes : Nodes
    rows : str
        The raw rows, float64 of shape (n_rows, n_columns).
    parts : list of dict
        The scaled ones first.

    Returns
    -------
    features : list of str
        Blocks of float32 of shape (n_rows, some), in the order of the features.
    codes : list of str
        int64 of shape (n_rows,), for each embedded part.
    """
    scaled = [part for part in parts if part["kind"] == "scaled"]
    features = [_scaled(nodes, rows, scaled)] if scaled else []
    codes = []
    for part in parts[len(scaled) :]:
        x = nodes.add("Gather", rows, np.array([part["column"]]), axis=1)
        if part["kind"] == "embedded":
            codes.append(_looked_up(nodes, x, part["rows"].astype(np.int64)))
        else:
            features.append(_FEATURES[part["kind"]](nodes, x, part))
    return features, codes


def _scaled(nodes: Nodes, rows: str, parts: list[Part]) -> str:
    x = nodes.add("Gather", rows, np.array([part["column"] for part in parts]), axis=1)
    centred = nodes.add("Sub", x, np.array([part["centre"] for part in parts]))
    z = nodes.add("Mul", centred, np.array([part["scale"] for part in parts]))
    z = nodes.add("Clip", z, np.array(-_LARGEST_FEATURE), np.array(_LARGEST_FEATURE))
    if any(part["clip"] for part in parts):
        # Clipped: z / sqrt(1 + (z / 3)^2). Otherwise z times 0 takes the place of z / 3.
        share = nodes.add(
            "Mul", z, np.array([1.0 / 3.0 if part["clip"] else 0.0 for part in parts])
        )
        root = nodes.add("Sqrt", nodes.add("Add", nodes.add("Mul", share, share), np.array(1.0)))
        z = nodes.add("Div", z, root)
    return _known(nodes, x, z)


def _known(nodes: Nodes, x: str, features: str) -> str:
    """Give float32 features, 0 where x is missing."""
    missing = nodes.add("IsNaN", x)
    return nodes.cast(nodes.add("Where", missing, np.array(0.0), features), np.float32)


def _indicator(nodes: Nodes, x: str, _part: Part) -> str:
    return nodes.cast(nodes.add("IsNaN", x), np.float32)


def _shares(nodes: Nodes, x: str, part: Part) -> str:
    """Give how far x is through each interval between knots, from 0 to 1."""
    knots = part["knots"]
    share = nodes.add("Div", nodes.add("Sub", x, knots[:-1]), np.diff(knots))
    return nodes.add("Clip", share, np.array(0.0), np.array(1.0))


def _piecewise(nodes: Nodes, x: str, part: Part) -> str:
    doubled = nodes.add("Mul", _shares(nodes, x, part), np.array(2.0))
    return _known(nodes, x, nodes.add("Sub", doubled, np.array(1.0)))


def _interpolated(nodes: Nodes, x: str, part: Part) -> str:
    steps = np.diff(part["values"])[:, np.newaxis]
    risen = nodes.add("MatMul", _shares(nodes, x, part), steps)
    return _known(nodes, x, nodes.add("Add", risen, np.array(part["values"][0])))


def _looked_up(nodes: Nodes, x: str, table: np.ndarray) -> str:
    """Give the table's entry of each code, of "missing" or of "unknown", shape (n_rows,)."""
    n_codes = len(table) - 2
    is_code = nodes.add("GreaterOrEqual", x, np.array(0.0))
    is_code = nodes.add("And", is_code, nodes.add("Less", x, np.array(float(n_codes))))
    is_code = nodes.add("And", is_code, nodes.add("Equal", x, nodes.add("Floor", x)))
    place = nodes.add("Where", is_code, x, np.array(n_codes + 1.0))
    place = nodes.add("Where", nodes.add("IsNaN", x), np.array(float(n_codes)), place)
    place = nodes.add("Reshape", nodes.cast(place, np.int64), np.array([-1]))
    return nodes.add("Gather", table, place)


def _one_hot(nodes: Nodes, x: str, part: Part) -> str:
    slot = _looked_up(nodes, x, part["slots"].astype(np.int64))
    slot = nodes.add("Reshape", slot, np.array([-1, 1]))
    return nodes.cast(nodes.add("Equal", slot, np.arange(part["n_slots"])), np.float32)


def _ordinal(nodes: Nodes, x: str, part: Part) -> str:
    value = _looked_up(nodes, x, part["values"].astype(np.float32))
    return nodes.add("Reshape", value, np.array([-1, 1]))


def _calendar(nodes: Nodes, x: str, part: Part) -> str:
    is_date = nodes.add("LessOrEqual", nodes.add("Abs", x), np.array(_MOST_SECONDS))
    seconds = nodes.add("Where", is_date, x, np.array(0.0))
    day = nodes.add("Floor", nodes.add("Div", seconds, np.array(_SECONDS_OF_DAY)))
    whole = nodes.add("Mul", day, np.array(_SECONDS_OF_DAY))
    rest = nodes.add("Div", nodes.add("Sub", seconds, whole), np.array(_SECONDS_OF_DAY))
    share = _SHARES[part["cycle"]](nodes, day, rest)
    angle = nodes.add("Mul", share, np.array(2.0 * np.pi))
    waves = nodes.add("Concat", nodes.add("Sin", angle), nodes.add("Cos", angle), axis=1)
    return nodes.cast(nodes.add("Where", is_date, waves, np.array(0.0)), np.float32)


def _share_of_day(_nodes: Nodes, _day: str, rest: str) -> str:
    return rest


def _share_of_week(nodes: Nodes, day: str, rest: str) -> str:
    since_monday = nodes.add("Add", day, np.array(3.0))  # 1970-01-01 was a Thursday
    weeks = nodes.add("Floor", nodes.add("Div", since_monday, np.array(7.0)))
    day_of_week = nodes.add("Sub", since_monday, nodes.add("Mul", weeks, np.array(7.0)))
    return nodes.add("Div", nodes.add("Add", day_of_week, rest), np.array(7.0))


def _share_of_year(nodes: Nodes, day: str, rest: str) -> str:
    """Give the share by floors of doubles alone, which are exact here."""
    since_0000 = nodes.add("Add", day, np.array(719528.0))  # days from the year 0 to 1970
    cycles = nodes.add("Floor", nodes.add("Div", since_0000, np.array(146097.0)))  # of 400 years
    day_of_cycle = nodes.add("Sub", since_0000, nodes.add("Mul", cycles, np.array(146097.0)))
    # This year or, as no year is longer than 366 days, the one before.
    guess = nodes.add("Floor", nodes.add("Div", day_of_cycle, np.array(366.0)))
    after = _days_before(nodes, nodes.add("Add", guess, np.array(1.0)))
    is_over = nodes.cast(nodes.add("LessOrEqual", after, day_of_cycle), np.float64)
    year = nodes.add("Add", guess, is_over)
    start = _days_before(nodes, year)
    length = nodes.add("Sub", _days_before(nodes, nodes.add("Add", year, np.array(1.0))), start)
    day_of_year = nodes.add("Sub", day_of_cycle, start)
    return nodes.add("Div", nodes.add("Add", day_of_year, rest), length)


def _days_before(nodes: Nodes, year: str) -> str:
    """Give the days before a year of a cycle of 400 whose first is a leap year."""

    def count(after: float, period: float) -> str:
        later = nodes.add("Add", year, np.array(after))
        return nodes.add("Floor", nodes.add("Div", later, np.array(period)))

    days = nodes.add("Mul", year, np.array(365.0))
    days = nodes.add("Add", days, count(3.0, 4.0))
    days = nodes.add("Sub", days, count(99.0, 100.0))
    is_later = nodes.cast(nodes.add("Greater", year, np.array(0.0)), np.float64)
    return nodes.add("Add", days, is_later)


_SHARES = {"year": _share_of_year, "week": _share_of_week, "day": _share_of_day}
_FEATURES = {
    "indicator": _indicator,
    "piecewise": _piecewise,
    "interpolated": _interpolated,
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "calendar": _calendar,
}
