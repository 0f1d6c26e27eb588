"""A leaderboard and what the model is made of -> a text that compares them."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["summary_text"]

_N_CANDIDATES = 8  # that are shown, with all members of the model, ensembles and baselines
_WIDTH = 1000  # more than any table needs: a narrower one would cut names short
_COLUMNS = {
    "rank": "rank",
    "name": "name",
    "kind": "kind",
    "score_val": "score",
    "score_val_std": "noise",
    "fit_time": "fit s",
    "latency_us": "us a row",
    "n_parameters": "parameters",
    "n_bytes": "bytes",
    "state": "state",
}


def summary_text(
    records: Sequence[Mapping[str, Any]],
    members: Mapping[str, float],
    metric: str,
    notes: Mapping[str, Any] | None = None,
    classes: Sequence[Any] = (),
) -> str:
    """Give the comparison as a table in text, and a line that says what is used.

    Parameters
    ----------
    records : sequence of mapping
        Rows of a leaderboard, best first.
    members : mapping of str to float
        Weights of the candidates in the model, by name.
    metric : str
        The score's name.
    notes : mapping, optional
        What a model's metadata says of the temperature and the factors of labels.
    classes : sequence, optional
        The labels.

    Returns
    -------
    str
        The best candidates, members of the model, ensembles and every baseline: score (higher is
        better), its noise (standard deviation over folds), time, latency and size.

    Examples
    --------
    >>> rows = [{"rank": 1, "name": "net-0001", "kind": "candidate", "score_val": -0.5}]
    >>> print(summary_text(rows, {"net-0001": 1.0}, "rmse").splitlines()[-1].strip())
    used: net-0001
    """
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    shown = [
        record
        for at, record in enumerate(records)
        if at < _N_CANDIDATES or record["kind"] != "candidate" or record["name"] in members
    ]
    title = f"{len(shown)} of {len(records)} rows, best first; score: {metric}, higher is better"
    table = Table(title=title, title_justify="left")
    for name, heading in _COLUMNS.items():
        table.add_column(
            heading, justify="left" if name in {"name", "kind"} else "right", no_wrap=True
        )
    for record in shown:
        table.add_row(*(_cell(record.get(name)) for name in _COLUMNS))
    out = io.StringIO()
    Console(file=out, width=_WIDTH, color_system=None, markup=False).print(table)
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    used = next((record["name"] for record in records if record.get("used")), None)
    return "\n".join([*lines, _used(members, used), *_decided(notes or {}, classes)])


def _used(members: Mapping[str, float], name: str | None) -> str:
    if len(members) == 1:
        return f"used: {name or next(iter(members))}"
    shares = ", ".join(f"{name} {100 * weight:.0f} %" for name, weight in members.items())
    return f"used: an ensemble of {len(members)} candidates ({shares})"


def _decided(notes: Mapping[str, Any], classes: Sequence[Any]) -> list[str]:
    """Give a line for each of a temperature and factors of labels, where the model has them."""
    lines = []
    if "temperature" in notes:
        before, after = notes["temperature_scores"]
        lines.append(
            f"probabilities: logits divided by {notes['temperature']:.3g}"
            f" (score {before:.4g} -> {after:.4g})"
        )
    if "label_factors" in notes:
        factors, (before, after) = notes["label_factors"], notes["label_scores"]
        said = f"label {classes[1]!r} from a probability of {factors[0] / sum(factors):.3g} on"
        if len(factors) > 2:
            each = [f"{f:.3g} ({c!r})" for c, f in zip(classes, factors, strict=True)]
            said = f"labels by probability times {', '.join(each)}"
        lines.append(f"{said} (score {before:.4g} -> {after:.4g})")
    return lines


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return f"{value:.0f}" if value.is_integer() and abs(value) > 100 else f"{value:.4g}"
    return "" if value is None else str(value)
