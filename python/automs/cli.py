"""Command-line arguments -> demo, fit or predict, by way of the estimators."""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automs._version import version
from automs.cli_export import add_export
from automs.errors import ModelFileError

__all__ = ["main"]

_N_SHOWN = 12  # leaderboard rows that are printed
_COLUMNS = (
    "rank", "name", "kind", "score_val", "score_val_std", "fit_time", "latency_us",
    "n_parameters", "state",
)  # fmt: skip


class _UsageError(Exception):
    """Something about the arguments or files that the user can mend; its text says what."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code: 0 done, 1 bad input, 2 bad usage, 130 Ctrl-C."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except (_UsageError, ModelFileError, ValueError, TypeError, OSError) as error:
        sys.stderr.write(f"automs {arguments.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("automs: interrupted\n")
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="automs", description="Automatic model search for tables, at native speed."
    )
    parser.add_argument("--version", action="version", version=f"automs {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="search on a data set that scikit-learn ships")
    demo.add_argument("--time-limit", type=float, default=15.0, metavar="SECONDS")
    demo.set_defaults(run=_demo)

    fit = commands.add_parser("fit", help="search on a table and save the model")
    fit.add_argument("table", type=Path, help="a CSV or parquet file")
    fit.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    fit.add_argument("--task", choices=("auto", "regression", "classification"), default="auto",
                     help="auto: classes where the target is text, boolean, or has few whole "
                     "numbers")  # fmt: skip
    fit.add_argument("--time-limit", type=float, default=60.0, metavar="SECONDS")
    fit.add_argument("--metric", default="auto")
    fit.add_argument("--strategy", default="halving", help="halving, random or gibbs")
    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--out", type=Path, metavar="FILE", help="where to save the model")
    fit.set_defaults(run=_fit)

    predict = commands.add_parser("predict", help="predict the rows of a table")
    predict.add_argument("model", type=Path)
    predict.add_argument("table", type=Path, help="a CSV or parquet file")
    predict.add_argument("--out", type=Path, metavar="FILE", help="CSV file, default: print")
    predict.add_argument("--proba", action="store_true", help="probabilities instead of classes")
    predict.set_defaults(run=_predict)
    add_export(commands)
    return parser


def _demo(arguments: argparse.Namespace) -> int:
    from sklearn.datasets import load_digits  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    from automs.estimators import AutoClassifier  # noqa: PLC0415

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, random_state=0, stratify=y
    )
    _print(f"digits: {len(X_train)} rows to search on, {len(X_test)} held out, 10 classes\n")
    model = AutoClassifier(time_limit=arguments.time_limit, random_state=0, verbose=1)
    model.fit(X_train, y_train)
    _print_leaderboard(model)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    linear.fit(X_train, y_train)
    row = X_test[0]
    _print(
        f"\nheld-out accuracy: automs {model.score(X_test, y_test):.4f}, "
        f"scikit-learn's LogisticRegression {linear.score(X_test, y_test):.4f}\n"
        f"predict_one(row) = {model.predictor_.predict_one(row)}, truth {y_test[0]}\n"
    )
    return 0


def _fit(arguments: argparse.Namespace) -> int:
    from automs.estimators import AutoClassifier, AutoRegressor  # noqa: PLC0415

    if arguments.out is not None:
        _check_writable(arguments.out)
    table = _read(arguments.table)
    if arguments.target not in table.column_names:
        raise _UsageError(
            f"--target must be a column of {arguments.table}, got {arguments.target!r}; "
            f"columns: {', '.join(table.column_names)}"
        )
    y = table.column(arguments.target).to_numpy(zero_copy_only=False)
    X = table.drop_columns([arguments.target])
    kind = AutoClassifier if _is_classification(arguments.task, y) else AutoRegressor
    model = kind(
        time_limit=arguments.time_limit,
        metric=arguments.metric,
        strategy=arguments.strategy,
        random_state=arguments.seed,
        verbose=1,
    )
    model.fit(X, y)
    _print_leaderboard(model)
    if arguments.out is not None:
        model.predictor_.save(arguments.out)
        _print(f"\nsaved to {arguments.out}: {model.predictor_!r}\n")
    return 0


def _predict(arguments: argparse.Namespace) -> int:
    from automs.predictor import load_predictor  # noqa: PLC0415

    predictor = load_predictor(arguments.model)
    table = _read(arguments.table)
    X = _as_matrix(table, _wanted(predictor, table))
    values = predictor.predict_proba(X) if arguments.proba else predictor.predict(X)
    if arguments.proba:
        header = [str(label) for label in predictor.classes_.tolist()]  # type: ignore[union-attr]
    elif values.ndim == 2:
        header = [f"prediction_{i}" for i in range(values.shape[1])]
    else:
        header = ["prediction"]
    rows = values.reshape(len(values), -1).tolist()
    text = "\n".join(",".join(_field(v) for v in row) for row in [header, *rows]) + "\n"
    if arguments.out is None:
        _print(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
    return 0


def _check_writable(path: Path) -> None:
    """Find out before the search, not after it, that its result cannot be written."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise _UsageError(f"--out must be in a folder that exists, got {path}")
    if not os.access(folder, os.W_OK) or path.is_dir():
        raise _UsageError(f"--out must be a file that can be written, got {path}")


def _as_matrix(table: Any, names: Sequence[str]) -> Any:
    import numpy as np  # noqa: PLC0415

    columns = []
    for name in names:
        values = table.column(name).to_numpy(zero_copy_only=False)
        try:
            columns.append(np.asarray(values, dtype=np.float64))
        except (TypeError, ValueError):
            raise _UsageError(f"the column {name!r} must hold numbers or booleans") from None
    return np.column_stack(columns)


def _wanted(predictor: Any, table: Any) -> list[str]:
    names = predictor.feature_names_in_
    if names is None:
        return list(table.column_names)
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise _UsageError(f"the table lacks the column {missing[0]!r}, which the model needs")
    return list(names)


def _field(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    if any(character in text for character in ',"\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text


def _is_classification(task: str, y: Any) -> bool:
    """Text, booleans, and whole numbers of at most 20 different values are classes."""
    if task != "auto":
        return task == "classification"
    if y.dtype.kind in "OUSb":
        return True
    import numpy as np  # noqa: PLC0415

    return y.dtype.kind in "iu" and len(np.unique(y)) <= 20


def _read(path: Path) -> Any:
    """Give a CSV or parquet file as a pyarrow table."""
    try:
        import pyarrow  # noqa: PLC0415
        from pyarrow import csv, parquet  # noqa: PLC0415
    except ImportError:
        raise _UsageError(
            "reading tables needs pyarrow: install the extra with pip install '.[io]'"
        ) from None
    if not path.is_file():
        raise _UsageError(f"no such file: {path}")
    try:
        is_parquet = path.suffix in {".parquet", ".pq"}
        table = parquet.read_table(path) if is_parquet else csv.read_csv(path)
    except pyarrow.ArrowException as error:
        raise _UsageError(f"{path} could not be read: {error}") from None
    twice = [name for name in table.column_names if table.column_names.count(name) > 1]
    if twice:
        raise _UsageError(f"{path} must name each column once, got {twice[0]!r} twice")
    if table.num_rows == 0:
        raise _UsageError(f"{path} must have rows, got none")
    return table


def _print(text: str) -> None:
    sys.stdout.write(text)


def _print_leaderboard(model: Any) -> None:
    """Print the best rows, and every baseline."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    board = model.leaderboard_
    records = board if isinstance(board, list) else board.to_dict("records")
    shown = [r for i, r in enumerate(records) if i < _N_SHOWN or r["kind"] == "baseline"]
    table = Table(title=f"{len(records)} rows, best first")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column in {"name", "kind"} else "right")
    for record in shown:
        table.add_row(*(_cell(record[column]) for column in _COLUMNS))
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return f"{value:.0f}" if value.is_integer() and abs(value) > 100 else f"{value:.4g}"
    return "" if value is None else str(value)
