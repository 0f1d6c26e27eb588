"""How accurate automs is within a time limit, beside other libraries, on a folder of tables.

python bench/accuracy.py run --data FOLDER --budget 60 --out results.csv [--systems automs,hgb]
python bench/accuracy.py report results.csv [--peers peers.csv] [--markdown table.md]
python bench/accuracy.py compare PREDICTIONS [--against flaml,lgbm] [--markdown table.md]
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import accuracy_compare
from accuracy_machine import recorded
from accuracy_report import Section, as_markdown, as_text, compare, sections
from accuracy_rows import read_rows
from accuracy_run import Plan, run
from accuracy_systems import MADE, VARIANTS


def names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in names(text))


def positive(text: str) -> float:
    if not 0 < float(text) < float("inf"):
        raise argparse.ArgumentTypeError(f"must be > 0 and finite, got {text}")
    return float(text)


def at_least_one(text: str) -> int:
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be >= 1, got {text}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="fit and test systems, and add their rows to a file")
    run.add_argument("--data", type=Path, required=True, help="index.csv and NAME.parquet")
    run.add_argument("--out", type=Path, required=True, help="CSV; what it has is not run again")
    run.add_argument("--budget", type=positive, default=60.0, metavar="SECONDS")
    run.add_argument(
        "--systems", type=names, default=("automs",), help=", ".join([*VARIANTS, *MADE])
    )
    run.add_argument("--only", type=names, default=(), help="names of data sets")
    run.add_argument("--seeds", type=numbers, default=(), help="instead of the protocol's")
    run.add_argument(
        "--jobs", type=at_least_one, default=2, help="threads, for systems that take a number"
    )
    run.add_argument("--strategy", help="of automs; the rows are named automs_STRATEGY")
    run.add_argument("--retry", action="store_true", help="run again what failed")
    run.add_argument("--predictions", type=Path, metavar="FOLDER", help="keep them, for compare")
    run.add_argument(
        "--at-once", type=at_least_one, default=1, help="fits at a time, each on its own cores"
    )
    report = commands.add_parser("report", help="compare the systems of a file")
    report.add_argument("results", type=Path)
    report.add_argument("--peers", type=Path, help="another file, of peers")
    against = commands.add_parser("compare", help="say which differences are more than noise")
    against.add_argument("predictions", type=Path, help="folder that run --predictions wrote")
    for command in (report, against):
        command.add_argument("--ours", default="automs", help="what the rest is compared to")
        command.add_argument("--against", type=names, default=(), help="these peers alone")
        command.add_argument("--budget", type=positive, help="where there are several")
        command.add_argument("--markdown", type=Path, help="write the same there")
    return top


def report(arguments: argparse.Namespace) -> None:
    rows = read_rows(arguments.peers) if arguments.peers else []
    rows += read_rows(arguments.results)
    comparison = compare(rows, arguments.ours, arguments.against, arguments.budget)
    show("Accuracy", sections(comparison, recorded(arguments.results)), arguments.markdown)


def compare_predictions(arguments: argparse.Namespace) -> None:
    chosen = (arguments.ours, arguments.against, arguments.budget)
    found = accuracy_compare.sections(arguments.predictions, *chosen)
    show("Accuracy and its noise", found, arguments.markdown)


def show(title: str, found: list[Section], markdown: Path | None) -> None:
    """Print sections, and write them to a file, too, if there is any."""
    print("\n".join(map(as_text, found)))
    if markdown:
        markdown.write_text("\n".join([f"# {title}\n", *map(as_markdown, found)]))


def main() -> None:
    arguments = parser().parse_args()
    if arguments.command == "report":
        report(arguments)
        return
    if arguments.command == "compare":
        compare_predictions(arguments)
        return
    # As Ctrl-C does: the process of the fit at hand ends with this one.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    run(
        Plan(
            folder=arguments.data,
            out=arguments.out,
            systems=arguments.systems,
            budget=arguments.budget,
            n_jobs=arguments.jobs,
            strategy=arguments.strategy,
            only=arguments.only,
            seeds=arguments.seeds,
            retry=arguments.retry,
            predictions=arguments.predictions,
            at_once=arguments.at_once,
        )
    )


if __name__ == "__main__":
    main()
