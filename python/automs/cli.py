"""Command-line arguments -> demo, fit or predict, by way of the estimators, and an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from automs._version import version
from automs.cli_commands import demo, fit, predict
from automs.cli_export import add_export
from automs.cli_tables import UsageError
from automs.errors import ModelFileError

__all__ = ["main"]

_EXIT_CODES = """
exit codes: 0 done (also after one Ctrl-C while searching: the best so far is saved),
1 bad data or settings, 2 bad usage, 130 interrupted before there was a result
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code: 0 done, 1 bad input, 130 Ctrl-C.

    Without `argv`, the program's arguments are read, and its time limit counts from the start of
    the process. Bad usage raises SystemExit with code 2.
    """
    started = _process_start() if argv is None else time.monotonic()
    parser = _parser()
    arguments = parser.parse_args(argv)
    arguments.started = started
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning(arguments.command)
            code: int = arguments.run(arguments)
    except (UsageError, ModelFileError, ValueError, TypeError, OSError) as error:
        sys.stderr.write(f"automs {arguments.command}: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("automs: interrupted\n")
        return 130
    return code


def _show_warning(command: str) -> Any:
    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        sys.stderr.write(f"automs {command}: warning: {message}\n")

    return show


def _process_start() -> float:
    """Give when this process started, by `time.monotonic`; where that is not told, now."""
    now = time.monotonic()
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        since_boot = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        passed = time.clock_gettime(time.CLOCK_BOOTTIME) - since_boot
    except (OSError, AttributeError, ValueError, IndexError):
        return now
    return now - min(max(passed, 0.0), 60.0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="automs",
        description="Automatic model search for tables, at native speed.",
        epilog=_EXIT_CODES,
    )
    parser.add_argument("--version", action="version", version=f"automs {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    show = commands.add_parser("demo", help="search on a data set that scikit-learn ships")
    show.add_argument("--time-limit", type=float, default=15.0, metavar="SECONDS")
    show.set_defaults(run=demo)

    _add_fit(
        commands.add_parser("fit", help="search on a table and save the model", epilog=_EXIT_CODES)
    )

    to_predict = commands.add_parser(
        "predict", help="predict the rows of a table", epilog=_EXIT_CODES
    )
    to_predict.add_argument("model", type=Path)
    to_predict.add_argument("table", type=Path, help="a CSV or parquet file")
    to_predict.add_argument("--out", type=Path, metavar="FILE", help="CSV file, default: print")
    to_predict.add_argument("--proba", action="store_true", help="probabilities, not classes")
    to_predict.set_defaults(run=predict)

    add_export(commands)
    return parser


def _add_fit(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("table", type=Path, help="a CSV or parquet file")
    add("--target", required=True, metavar="COLUMN", help="the column to predict")
    add("--task", choices=("auto", "regression", "classification"), default="auto",
        help="auto: classes where the target is text, boolean, or few whole numbers")  # fmt: skip
    add("--drop", action="append", default=[], metavar="COLUMN",
        help="leave a column out; may be given again")  # fmt: skip
    add("--weights", metavar="COLUMN", help="weights of the rows, >= 0")
    add("--groups", metavar="COLUMN", help="rows of one group are never on both sides of a split")
    add("--validation", default="auto", metavar="HOW",
        help="auto, a share below 1, a number of folds, time (last rows), or a file")  # fmt: skip

    search = parser.add_argument_group("search")
    add = search.add_argument
    add("--time-limit", type=float, metavar="SECONDS",
        help="for the whole process; default 60, and none with --max-trials")  # fmt: skip
    add("--max-trials", type=int, metavar="N", help="candidates to try")
    add("--strategy", default="halving", help="halving (default), random or gibbs")
    add("--metric", default="auto", help="what chooses: rmse, mae, log_loss, roc_auc, ...")
    add("--loss", default="auto", help="what training minimises: squared, absolute, ...")
    add("--ensemble-size", default="auto", metavar="N", help="1 for a single candidate")
    add("--baselines", action=argparse.BooleanOptionalAction, default=True,
        help="compare with scikit-learn's models")  # fmt: skip
    add("--seed", type=int, default=0)
    add("--n-jobs", type=int, metavar="N", help="threads; default: all cores")
    add("--memory-limit", metavar="BYTES", help="for the table and what is made of it, as 2GB")
    add("--latency-limit", type=float, metavar="MICROSECONDS",
        help="what predicting one row may take with the model")  # fmt: skip
    add("--size-limit", metavar="BYTES", help="what the model's file may take, as 100k")

    results = parser.add_argument_group("results")
    add = results.add_argument
    add("--out", type=Path, metavar="FILE", help="where to save the model")
    add("--leaderboard", type=Path, metavar="FILE", help="CSV, .parquet or .json")
    quiet = results.add_mutually_exclusive_group()
    quiet.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    quiet.add_argument("-v", "--verbose", action="store_true", help="log each step of the search")
    parser.set_defaults(run=fit)
