"""Which candidates a search had better try first, by what a pool of them did on a folder of tables.

python bench/build_portfolio.py measure --data FOLDER --out scores.csv [--jobs 1]
python bench/build_portfolio.py choose scores.csv
python bench/build_portfolio.py report scores.csv [--markdown report.md]
python bench/build_portfolio.py search scores.csv --data FOLDER --out searches.csv [--budget 8]

`measure` and `search` go on where they stopped; the other two train nothing. What `search` wrote is
compared by `python bench/accuracy.py report searches.csv --ours automs_built`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from accuracy import numbers
from accuracy_protocol import read_index
from portfolio_choice import collect, leave_one_out, lists_by_kind
from portfolio_evidence import evidence
from portfolio_pool import pool, record_pool
from portfolio_scores import Score, measure, read_scores
from portfolio_search import search


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = top.add_subparsers(dest="command", required=True)
    run = commands.add_parser("measure", help="train the pool on every table that the file lacks")
    run.add_argument("--data", type=Path, required=True, help="index.csv and NAME.parquet")
    run.add_argument("--out", type=Path, required=True, help="CSV of errors")
    run.add_argument("--jobs", type=int, default=1, help="threads")
    for name, text in (
        ("choose", "print the lists from all tables, and from all but each one"),
        ("report", "compare lists on the tables that they were chosen without"),
        ("search", "search with the lists of those tables, and with the default one"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("scores", type=Path)
        if name == "report":
            command.add_argument("--markdown", type=Path, help="write it there, too")
    command.add_argument("--data", type=Path, required=True, help="index.csv and NAME.parquet")
    command.add_argument("--out", type=Path, required=True, help="CSV, as of bench/accuracy.py")
    command.add_argument("--budget", type=float, default=8.0, metavar="SECONDS")
    command.add_argument("--seeds", type=numbers, default=(0,))
    return top


def left_out(scores: list[Score]) -> dict[str, set[str]]:
    """By table the candidates that a search does not try first on so few rows."""
    from automs.portfolio import suits_rows

    sizes = {score.table: (score.task, score.n_train) for score in scores}
    return {
        table: {name for name, c in pool(task, n_train).items() if not suits_rows(c, n_train)}
        for table, (task, n_train) in sizes.items()
    }


def main() -> None:
    arguments = parser().parse_args()
    if arguments.command == "measure":
        datasets = sorted(read_index(arguments.data), key=lambda dataset: dataset.n_rows)
        record_pool(arguments.out)
        measure(arguments.data, datasets, arguments.out, arguments.jobs)
        return
    record_pool(arguments.scores)
    scores = read_scores(arguments.scores)
    if arguments.command == "choose":
        collected = collect(scores)
        for kind, names in lists_by_kind(collected).items():
            print(f"{kind}: {' '.join(names)}")
        for table, names in leave_one_out(collected).items():
            print(f"without {table}: {' '.join(names)}")
        return
    if arguments.command == "search":
        lists = leave_one_out(collect(scores))
        search(arguments.data, lists, arguments.out, arguments.budget, arguments.seeds)
        return
    text = evidence(collect(scores), left_out(scores))
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()
