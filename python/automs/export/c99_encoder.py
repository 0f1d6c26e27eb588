"""The parts of an encoder -> a C99 function that encodes a raw row, its tables and its helpers."""

from __future__ import annotations

from dataclasses import dataclass, field

from automs.export.c_text import array
from automs.export.model import Part, count_embedded, count_features

__all__ = ["EncoderSource", "encoder_source"]


@dataclass
class EncoderSource:
    """Source with § for the prefix of names, the helpers that it calls, and what it makes."""

    number: int
    n_features: int
    n_codes: int
    text: str = ""
    helpers: set[str] = field(default_factory=set)

    def call(self, helper: str) -> str:
        """Note that a helper is called, and give its name."""
        self.helpers.add(helper)
        return f"§_{helper}"

    def arguments(self, row: str, dense: str, codes: str) -> str:
        """Give those arguments that the function has: it lacks what it would never write."""
        chosen = [(row, 1), (dense, self.n_features), (codes, self.n_codes)]
        return ", ".join(argument for argument, n in chosen if n)


@dataclass(frozen=True)
class _Place:
    """Where a part's results go: features from `dense` on, its code at `code`."""

    key: str
    dense: int
    code: int


def encoder_source(number: int, parts: list[Part]) -> EncoderSource:
    """Write the function ``§_encode_{number}``.

    Parameters
    ----------
    number : int
        Of the encoder.
    parts : list of dict
        The scaled ones first.

    Returns
    -------
    EncoderSource
    """
    source = EncoderSource(number, sum(map(count_features, parts)), count_embedded(parts))
    scaled = [part for part in parts if part["kind"] == "scaled"]
    tables, lines = _scaled(source, scaled) if scaled else ("", "")
    at, code = len(scaled), 0
    for p, part in enumerate(parts[len(scaled) :]):
        table, line = _PARTS[part["kind"]](source, part, _Place(f"{number}_{p}", at, code))
        tables += table
        lines += f"  {line}\n"
        at += count_features(part)
        code += part["kind"] == "embedded"
    arguments = source.arguments("const double *row", "float *dense", "unsigned long *codes")
    source.text = f"{tables}static void §_encode_{number}({arguments}) {{\n{lines}}}\n"
    return source


def _scaled(source: EncoderSource, parts: list[Part]) -> tuple[str, str]:
    e = source.number
    tables = [
        array("unsigned long", f"§_columns_{e}", [part["column"] for part in parts]),
        array("double", f"§_centre_{e}", [part["centre"] for part in parts]),
        array("double", f"§_scale_{e}", [part["scale"] for part in parts]),
        array("unsigned char", f"§_clip_{e}", [int(part["clip"]) for part in parts]),
    ]
    lines = (
        f"  unsigned long i;\n  for (i = 0; i < {len(parts)}; ++i) {{\n"
        f"    dense[i] = {source.call('scaled')}(row[§_columns_{e}[i]], §_centre_{e}[i],\n"
        f"                        §_scale_{e}[i], §_clip_{e}[i]);\n  }}\n"
    )
    return "".join(tables), lines


# Each of these gives the part's tables, and the statement that writes its features or its code.


def _indicator(_source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    x = f"row[{part['column']}]"
    return "", f"dense[{to.dense}] = {x} != {x} ? 1.0f : 0.0f;"


def _piecewise(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    knots, name = part["knots"], f"§_knots_{to.key}"
    call = f"{source.call('piecewise')}(row[{part['column']}], {name}, {len(knots) - 1}"
    return array("double", name, knots), f"{call}, dense + {to.dense});"


def _interpolated(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    knots, values = f"§_knots_{to.key}", f"§_values_{to.key}"
    tables = array("double", knots, part["knots"]) + array("double", values, part["values"])
    call = f"{source.call('interpolated')}(row[{part['column']}], {knots}, {values}"
    return tables, f"dense[{to.dense}] = {call}, {len(part['knots'])});"


def _place_of(source: EncoderSource, part: Part, table: str) -> str:
    return f"{source.call('place')}(row[{part['column']}], {len(part[table]) - 2})"


def _one_hot(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    slot = f"§_slots_{to.key}[{_place_of(source, part, 'slots')}]"
    line = f"{source.call('one_hot')}({slot}, {part['n_slots']}, dense + {to.dense});"
    return array("unsigned long", f"§_slots_{to.key}", part["slots"]), line


def _ordinal(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    value = f"§_values_{to.key}[{_place_of(source, part, 'values')}]"
    table = array("double", f"§_values_{to.key}", part["values"])
    return table, f"dense[{to.dense}] = (float){value};"


def _calendar(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    cycle = ("year", "week", "day").index(part["cycle"])
    return "", f"{source.call('calendar')}(row[{part['column']}], {cycle}, dense + {to.dense});"


def _embedded(source: EncoderSource, part: Part, to: _Place) -> tuple[str, str]:
    row = f"§_rows_{to.key}[{_place_of(source, part, 'rows')}]"
    return array("unsigned long", f"§_rows_{to.key}", part["rows"]), f"codes[{to.code}] = {row};"


_PARTS = {
    "indicator": _indicator,
    "piecewise": _piecewise,
    "interpolated": _interpolated,
    "one_hot": _one_hot,
    "ordinal": _ordinal,
    "calendar": _calendar,
    "embedded": _embedded,
}
