"""File of results <-> rows: one CSV line a (data set, seed, system), kept whole after a stop."""

from __future__ import annotations

import csv
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path

COLUMNS = (
    "dataset", "task", "n", "d", "seed", "system", "budget", "error", "accuracy", "fit_s",
    "predict_s", "note",
)  # fmt: skip
HEADER = ",".join(COLUMNS)
LONGEST_NOTE = 200
Key = tuple[str, int, str, float]


@dataclass(frozen=True)
class Row:
    """What one system did on one split; an error that is not a number is a failure."""

    dataset: str
    task: str
    n: int
    d: int
    seed: int
    system: str
    budget: float
    error: float = math.nan
    accuracy: float = math.nan
    fit_s: float = math.nan
    predict_s: float = math.nan
    note: str = ""

    @property
    def failed(self) -> bool:
        return not math.isfinite(self.error)

    @property
    def key(self) -> Key:
        return self.dataset, self.seed, self.system, self.budget

    def line(self) -> str:
        """The row as one line, whatever is in the note."""
        cells = [self.dataset, self.task, self.n, self.d, self.seed, self.system, self.budget]
        cells += [f"{self.error:.6g}", f"{self.accuracy:.5g}"]
        cells += [f"{self.fit_s:.3f}", f"{self.predict_s:.4f}"]
        text = io.StringIO()
        note = " ".join(self.note.split())[:LONGEST_NOTE]
        csv.writer(text, lineterminator="\n").writerow([*cells, note])
        return text.getvalue()


def read_rows(path: Path) -> list[Row]:
    """Rows of a file; of two with one key the later one counts."""
    return _unique(_parse(path.read_text(), path))


def resume(path: Path) -> list[Row]:
    """Make the file ready to be appended to, and give the rows that it has.

    What follows the last line break was torn off by a stop in the middle of writing: it goes.
    """
    content = path.read_bytes() if path.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]
    if not whole and HEADER.encode().startswith(content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADER}\n")
        return []
    rows = _unique(_parse(whole.decode(), path))
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    return rows


def _unique(rows: list[Row]) -> list[Row]:
    return list({row.key: row for row in rows}.values())


def _parse(text: str, path: Path) -> list[Row]:
    lines = csv.DictReader(io.StringIO(text))
    if tuple(lines.fieldnames or ()) != COLUMNS:
        raise SystemExit(f"{path} is no file of results: its first line must be {HEADER}")
    return [_row(line, f"{path}, line {lines.line_num}") for line in lines]


def _row(line: dict[str, str], place: str) -> Row:
    if None in line or None in line.values():
        raise SystemExit(f"{place}: must have {len(COLUMNS)} cells")
    texts = {name: line[name] for name in ("dataset", "task", "system", "note")}
    try:
        sizes = {name: int(line[name]) for name in ("n", "d", "seed")}
        numbers = ("budget", "error", "accuracy", "fit_s", "predict_s")
        figures = {name: float(line[name] or "nan") for name in numbers}
    except ValueError as error:
        raise SystemExit(f"{place}: {error}") from error
    return Row(**texts, **sizes, **figures)


def append(path: Path, row: Row) -> None:
    """One write, on the disk before the next job starts."""
    with path.open("a") as file:
        file.write(row.line())
        file.flush()
        os.fsync(file.fileno())
