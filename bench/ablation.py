"""What each part of the search is worth: automs without it beside automs, at equal wall clock.

python bench/ablation.py run --data FOLDER --budget 30 --out bench/results/ablation.csv
python bench/ablation.py report bench/results/ablation.csv --markdown bench/results/ablation.md

`run` goes on where it stopped. With `--at-once 2` each of two fits has half of the cores, for its
threads (`--jobs`) and what it starts beside them.
"""

from __future__ import annotations

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path

from ablation_report import sections
from ablation_variants import FULL, WHAT
from accuracy import at_least_one, names, numbers, positive, show
from accuracy_machine import recorded
from accuracy_protocol import read_index
from accuracy_report import compare
from accuracy_rows import read_rows
from accuracy_run import Plan, run


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="fit and test the variants, and add their rows to a file")
    run.add_argument("--data", type=Path, required=True, help="index.csv and NAME.parquet")
    run.add_argument("--out", type=Path, required=True, help="CSV; what it has is not run again")
    run.add_argument("--budget", type=positive, default=30.0, metavar="SECONDS")
    run.add_argument("--systems", type=names, default=(FULL, *WHAT), help=", ".join([FULL, *WHAT]))
    run.add_argument("--only", type=names, default=(), help="names of data sets")
    run.add_argument("--seeds", type=numbers, default=(), help="instead of the protocol's")
    run.add_argument("--jobs", type=at_least_one, default=1, help="threads of a fit")
    run.add_argument("--at-once", type=at_least_one, default=1, help="fits at a time")
    run.add_argument("--predictions", type=Path, metavar="FOLDER", help="for accuracy.py compare")
    run.add_argument("--retry", action="store_true", help="run again what failed")
    report = commands.add_parser("report", help="compare the variants of a file")
    report.add_argument("results", type=Path)
    report.add_argument("--budget", type=positive, help="where the file has several")
    report.add_argument("--markdown", type=Path, help="write the same there")
    return top


def run_by_table(plan: Plan) -> None:
    """All variants of one table after another: a machine that slows down is slow for all."""
    tables = plan.only or tuple(dataset.name for dataset in read_index(plan.folder))
    for table in tables:
        run(replace(plan, only=(table,)))


def main() -> None:
    arguments = parser().parse_args()
    if arguments.command == "report":
        comparison = compare(read_rows(arguments.results), FULL, budget=arguments.budget)
        found = sections(comparison, recorded(arguments.results))
        show("Ablation", found, arguments.markdown)
        return
    # As Ctrl-C does: the processes of the fits at hand end with this one.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    run_by_table(
        Plan(
            folder=arguments.data,
            out=arguments.out,
            systems=arguments.systems,
            budget=arguments.budget,
            n_jobs=arguments.jobs,
            only=arguments.only,
            seeds=arguments.seeds,
            retry=arguments.retry,
            predictions=arguments.predictions,
            at_once=arguments.at_once,
        )
    )


if __name__ == "__main__":
    main()
