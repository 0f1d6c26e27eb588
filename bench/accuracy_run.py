"""Systems x data sets x seeds -> rows appended to a file, each from a process of its own."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from accuracy_machine import record
from accuracy_protocol import DataSet, read_index
from accuracy_rows import Row, append, resume
from accuracy_systems import Request, missing, shown_name

CHILD = Path(__file__).with_name("accuracy_child.py")
FIGURES = ("error", "accuracy", "fit_s", "predict_s")
# These choose kernels of OpenBLAS for another CPU than the one at hand, at the peers' expense.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


@dataclass(frozen=True)
class Plan:
    """What to run; `only` and `seeds` are empty for all of them."""

    folder: Path
    out: Path
    systems: tuple[str, ...]
    budget: float
    n_jobs: int = 2
    strategy: str | None = None
    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    retry: bool = False


def seconds_to_kill(budget: float) -> float:
    return 3.0 * budget + 60.0


def run(plan: Plan) -> None:
    """Run what the file lacks; print a line for each row that is added."""
    if reasons := [reason for system in plan.systems if (reason := missing(system))]:
        raise SystemExit("\n".join(reasons))
    datasets = _chosen(plan)
    done = {row.key for row in resume(plan.out) if not (plan.retry and row.failed)}
    record(plan.out)
    for system, dataset, seed in _jobs(plan, datasets):
        empty = Row(
            dataset.name,
            dataset.task,
            dataset.n_rows,
            dataset.n_columns,
            seed,
            shown_name(system, plan.strategy),
            plan.budget,
        )
        if empty.key not in done:
            row = _measured(empty, system, plan)
            append(plan.out, row)
            print(
                f"{row.system} {row.dataset} {seed}: error {row.error:.4f}, "
                f"fit {row.fit_s:.1f} s {row.note}",
                flush=True,
            )


def _chosen(plan: Plan) -> list[DataSet]:
    datasets = read_index(plan.folder)
    if unknown := set(plan.only) - {dataset.name for dataset in datasets}:
        raise SystemExit(f"--only: the index has no {', '.join(sorted(unknown))}")
    return [dataset for dataset in datasets if not plan.only or dataset.name in plan.only]


def _jobs(plan: Plan, datasets: list[DataSet]) -> Iterator[tuple[str, DataSet, int]]:
    for system in plan.systems:
        for dataset in datasets:
            for seed in plan.seeds or dataset.seeds:
                yield system, dataset, seed


def _measured(row: Row, system: str, plan: Plan) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        request = Request(row.task, plan.budget, plan.n_jobs, row.seed, plan.strategy)
        job = {
            "folder": str(plan.folder),
            "dataset": row.dataset,
            "system": system,
            "request": asdict(request),
            "answer": str(answer),
        }
        note = run_child([sys.executable, str(CHILD), json.dumps(job)], seconds_to_kill(row.budget))
        outcome: dict[str, Any] = json.loads(answer.read_text()) if answer.exists() else {}
    figures = {name: float(outcome.get(name, math.nan)) for name in FIGURES}
    return Row(**(asdict(row) | figures | {"note": outcome.get("note", note)}))


def run_child(command: list[str], seconds: float) -> str:
    """Run to the end, or kill it and all that it started; say what went wrong, or nothing."""
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    with subprocess.Popen(command, env=environment, start_new_session=True) as child:
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return f"killed: no end after {seconds:g} s"
        except BaseException:  # Ctrl-C and SIGTERM reach this process alone: the child must end too
            os.killpg(child.pid, signal.SIGKILL)
            raise
    if code < 0:
        return f"ended by signal {-code}"
    return f"ended with code {code}" if code else ""
