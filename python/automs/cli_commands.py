"""Parsed arguments -> what `automs demo`, `fit` and `predict` do, and their exit codes."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from automs.cli_tables import (
    UsageError,
    check_writable,
    csv_text,
    read_file,
    take_column,
    take_target,
    write_leaderboard,
)

__all__ = ["demo", "fit", "predict"]

#: Of the time limit of the process, for writing the model and ending it.
_EXIT_SECONDS = 0.1
_MAX_CLASSES = 20  # whole numbers of more different values are a regression

_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def demo(arguments: argparse.Namespace) -> int:
    """Search on handwritten digits that scikit-learn ships."""
    from sklearn.datasets import load_digits  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    from automs.classifier import AutoClassifier  # noqa: PLC0415

    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.25, random_state=0, stratify=y
    )
    _print(f"digits: {len(X_train)} rows to search on, {len(X_test)} held out, 10 classes\n")
    model = AutoClassifier(time_limit=arguments.time_limit, random_state=0, verbose=1)
    model.fit(X_train, y_train)
    _print(model.summary() + "\n")
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    linear.fit(X_train, y_train)
    row = X_test[0]
    _print(
        f"\nheld-out accuracy: automs {model.score(X_test, y_test):.4f}, "
        f"scikit-learn's LogisticRegression {linear.score(X_test, y_test):.4f}\n"
        f"predict_one(row) = {model.predictor_.predict_one(row)}, truth {y_test[0]}\n"
    )
    return 0


def fit(arguments: argparse.Namespace) -> int:
    """Search on a table; save, print and write what was asked for."""
    from automs.estimators import AutoClassifier, AutoRegressor  # noqa: PLC0415

    for option in ("out", "leaderboard"):
        path = getattr(arguments, option)
        if path is not None:
            check_writable(path, f"--{option}")
    X, y, fit_settings = _read_training(arguments)
    kind = AutoClassifier if _is_classification(arguments.task, y) else AutoRegressor
    model = kind(**_settings(arguments, X.column_names))
    model.set_params(time_limit=_time_left(arguments))
    model.fit(X, y, **fit_settings)
    if arguments.out is not None:
        model.predictor_.save(arguments.out)
    if arguments.leaderboard is not None:
        board = model.leaderboard_
        records = board if isinstance(board, list) else board.to_dict("records")
        write_leaderboard(records, arguments.leaderboard)
    if not arguments.quiet:
        _print(model.summary() + "\n")
        if arguments.out is not None:
            _print(f"\nsaved to {arguments.out}: {model.predictor_!r}\n")
    return 0


def _read_training(arguments: argparse.Namespace) -> tuple[Any, Any, dict[str, Any]]:
    """Give X as a table, y, and the other arguments of an estimator's ``fit``."""
    path = arguments.table
    X, y = take_target(read_file(path), arguments.target, path)
    settings = {}
    for option, name in (("--weights", "sample_weight"), ("--groups", "groups")):
        column = getattr(arguments, option[2:])
        if column is not None:
            X, settings[name] = take_column(X, column, option, path)
    for column in arguments.drop:
        X, _ = take_column(X, column, "--drop", path)
    if X.num_columns == 0:
        raise UsageError(f"{path} must have columns left to learn from, got none")
    return X, y, settings


def _settings(arguments: argparse.Namespace, names: Sequence[str]) -> dict[str, Any]:
    """Give the settings of the estimator, but for its time limit."""
    return {
        "max_trials": arguments.max_trials,
        "metric": arguments.metric,
        "loss": arguments.loss,
        "strategy": arguments.strategy,
        "validation": _validation(arguments, names),
        "ensemble_size": _number_or_word(arguments.ensemble_size),
        "baselines": "auto" if arguments.baselines else None,
        "memory_limit": _bytes(arguments.memory_limit, "--memory-limit"),
        "latency_limit": arguments.latency_limit,
        "size_limit": _bytes(arguments.size_limit, "--size-limit"),
        "n_jobs": arguments.n_jobs,
        "random_state": arguments.seed,
        "verbose": 0 if arguments.quiet else 1 + arguments.verbose,
    }


def _validation(arguments: argparse.Namespace, names: Sequence[str]) -> Any:
    """Read ``auto``, ``time``, a share, a number of folds, or the path of a table."""
    given = _number_or_word(arguments.validation)
    if not isinstance(given, str) or given in {"auto", "time"}:
        return given
    path = Path(given)
    if not path.is_file():
        raise UsageError(
            "--validation must be auto, time, a share below 1, a number of folds or a file of "
            f"validation rows, got {given!r}"
        )
    X, y = take_target(read_file(path), arguments.target, path)
    missing = [name for name in names if name not in X.column_names]
    if missing:
        raise UsageError(f"{path} lacks the column {missing[0]!r}, which {arguments.table} has")
    return X.select(list(names)), y


def _number_or_word(text: str) -> Any:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _bytes(text: str | None, option: str) -> float | None:
    """Read a number of bytes, such as 500M or 2GB."""
    if text is None:
        return None
    number, unit = text.lower().removesuffix("b"), 1.0
    if number and number[-1] in _UNITS:
        number, unit = number[:-1], _UNITS[number[-1]]
    try:
        return unit * float(number)
    except ValueError:
        raise UsageError(f"{option} must be bytes, such as 2GB, got {text!r}") from None


def _time_left(arguments: argparse.Namespace) -> Any:
    """Give what is left of the limit for the whole process, to the search."""
    limit = arguments.time_limit
    if limit is None:
        if arguments.max_trials is not None:
            return None
        limit = 60.0
    if not 0.0 < limit < math.inf:
        return limit  # for the estimator to refuse
    passed = time.monotonic() - arguments.started
    return max(limit - passed - min(_EXIT_SECONDS, 0.1 * limit), 0.01)


def predict(arguments: argparse.Namespace) -> int:
    """Predict the rows of a table, to a CSV file or standard output."""
    from automs.predictor import load_predictor  # noqa: PLC0415

    if arguments.out is not None:
        check_writable(arguments.out, "--out")
    predictor = load_predictor(arguments.model)
    table = read_file(arguments.table)
    if predictor.feature_names_in_ is not None:
        missing = [n for n in predictor.feature_names_in_ if n not in table.column_names]
        if missing:
            raise UsageError(
                f"{arguments.table} lacks the column {missing[0]!r}, which the model needs"
            )
    values = predictor.predict_proba(table) if arguments.proba else predictor.predict(table)
    if arguments.proba:
        header = [str(label) for label in predictor.classes_.tolist()]  # type: ignore[union-attr]
    elif values.ndim == 2:
        header = [f"prediction_{i}" for i in range(values.shape[1])]
    else:
        header = ["prediction"]
    text = csv_text(header, values.reshape(len(values), -1).tolist())
    if arguments.out is None:
        _print(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
    return 0


def _is_classification(task: str, y: Any) -> bool:
    """Text, booleans, and whole numbers of few different values are classes."""
    if task != "auto":
        return task == "classification"
    if y.dtype.kind in "OUSb":
        return True
    return y.dtype.kind in "iu" and len(np.unique(y)) <= _MAX_CLASSES


def _print(text: str) -> None:
    sys.stdout.write(text)
