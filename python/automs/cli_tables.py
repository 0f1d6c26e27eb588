"""Paths and columns -> pyarrow tables, arrays, and files of predictions and leaderboards."""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

__all__ = [
    "UsageError",
    "check_writable",
    "csv_text",
    "read_file",
    "take_column",
    "take_target",
    "write_leaderboard",
]

_PARQUET = {".parquet", ".pq"}
_N_SHOWN = 20  # column names in a message, at most


class UsageError(Exception):
    """Something about the arguments or files that the user can mend; its text says what."""


def read_file(path: Path) -> Any:
    """Give a CSV or parquet file as a pyarrow table; an empty text is a missing value.

    Raises
    ------
    UsageError
        When there is no such file, or it cannot be read, is empty, or names a column twice.
    """
    try:
        import pyarrow  # noqa: PLC0415
        from pyarrow import csv as arrow_csv  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise UsageError(
            "reading tables needs pyarrow: install the extra with pip install '.[io]'"
        ) from None
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} must hold a table, got an empty file")
    try:
        is_parquet = path.suffix in _PARQUET
        table = parquet.read_table(path) if is_parquet else arrow_csv.read_csv(path)
        names = table.column_names
    except (pyarrow.ArrowException, OSError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{path} could not be read as a table: {reason}") from None
    # What is no text in CSV is in another encoding.
    undecoded = [] if is_parquet else [f.name for f in table.schema if f.type == pyarrow.binary()]
    if undecoded:
        raise UsageError(
            f"{path} must be encoded as UTF-8, got other bytes in column {undecoded[0]!r}"
        )
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise UsageError(f"{path} must name each column once, got {twice[0]!r} twice")
    if table.num_rows == 0:
        raise UsageError(f"{path} must have rows, got none")
    return _empty_texts_missing(table)


def _empty_texts_missing(table: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import compute  # noqa: PLC0415

    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(at)
            empty = compute.equal(column, "")
            if compute.any(empty).as_py():
                mended = compute.if_else(empty, pa.scalar(None, field.type), column)
                table = table.set_column(at, field, mended)
    return table


def check_column(table: Any, name: str, option: str, path: Path) -> None:
    """Raise UsageError, with the nearest name, unless the table has the column."""
    names = table.column_names
    if name in names:
        return
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    more = f" and {len(names) - _N_SHOWN} more" if len(names) > _N_SHOWN else ""
    raise UsageError(
        f"{option} must be a column of {path}, got {name!r}; {hint}"
        f"columns: {', '.join(names[:_N_SHOWN])}{more}"
    )


def take_column(table: Any, name: str, option: str, path: Path) -> tuple[Any, Any]:
    """Give the table without a column, and the column as an array."""
    check_column(table, name, option, path)
    column = table.column(name)
    if hasattr(column.type, "value_type") and hasattr(column.type, "index_type"):
        column = column.cast(column.type.value_type)  # a dictionary's labels
    if str(column.type).startswith("decimal"):
        column = column.cast("float64")
    return table.drop_columns([name]), column.to_numpy(zero_copy_only=False)


def take_target(table: Any, name: str, path: Path) -> tuple[Any, Any]:
    """Give the table without its target, and the target, which must be known in every row."""
    check_column(table, name, "--target", path)
    column = table.column(name)
    n_missing = column.null_count
    rest, values = take_column(table, name, "--target", path)
    if values.dtype.kind == "f":
        n_missing = int(np.isnan(values).sum())
    if n_missing:
        raise UsageError(
            f"the target {name!r} must have a value in every row, {n_missing} of {len(values)} are "
            f"missing in {path}: remove these rows, or fill in their values"
        )
    if values.dtype.kind in "mM":
        raise UsageError(
            f"the target {name!r} must hold numbers, texts or booleans, got {column.type}"
        )
    if rest.num_columns == 0:
        raise UsageError(f"{path} must have columns beside the target {name!r}, got none")
    return rest, values


def check_writable(path: Path, option: str) -> None:
    """Find out before the search, not after it, that its result cannot be written."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise UsageError(f"{option} must be in a folder that exists, got {path}")
    if not os.access(folder, os.W_OK) or path.is_dir():
        raise UsageError(f"{option} must be a file that can be written, got {path}")


def csv_text(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Give rows as CSV; floats in full, so that reading them gives the same bits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([repr(v) if isinstance(v, float) else v for v in row] for row in rows)
    return out.getvalue()


def write_leaderboard(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the rows of a leaderboard as CSV, parquet or JSON, by the suffix of the path."""
    plain = [{name: _plain(value) for name, value in record.items()} for record in records]
    if path.suffix == ".json":
        path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    elif path.suffix in _PARQUET:
        import pyarrow as pa  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415

        parquet.write_table(pa.Table.from_pylist([_big_as_text(row) for row in plain]), path)
    else:
        rows = [["" if value is None else value for value in row.values()] for row in plain]
        path.write_text(csv_text(list(plain[0]), rows), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Give a value that every format has: tuples become texts, what is not finite is missing."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


def _big_as_text(row: Mapping[str, Any]) -> dict[str, Any]:
    """Seeds have 64 bits without a sign, which a column of int64 does not hold."""
    return {name: str(value) if name == "seed" else value for name, value in row.items()}
