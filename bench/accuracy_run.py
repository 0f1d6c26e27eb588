"""Systems x data sets x seeds -> rows appended to a file, each from a process of its own."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from accuracy_machine import record
from accuracy_predictions import About
from accuracy_protocol import DataSet, read_index
from accuracy_rows import Row, append, resume
from accuracy_systems import MODELS_TRAINED, Request, missing, shown_name

CHILD = Path(__file__).with_name("accuracy_child.py")
FIGURES = ("error", "accuracy", "fit_s", "predict_s")
# These choose kernels of OpenBLAS for another CPU than the one at hand, at the peers' expense.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
LOOK_INTERVAL = 0.2  # seconds between two looks at whether a child is to be ended


@dataclass(frozen=True)
class Plan:
    """What to run; `only` and `seeds` are empty for all of them.

    With `predictions`, a folder, what has none there is run again. Of several fits at once each has
    cores of its own, as far as there are enough.
    """

    folder: Path
    out: Path
    systems: tuple[str, ...]
    budget: float
    n_jobs: int = 2
    strategy: str | None = None
    only: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    retry: bool = False
    predictions: Path | None = None
    at_once: int = 1


def seconds_to_kill(budget: float, system: str) -> float:
    """Far more than what keeps to a limit can need, or trains one model."""
    return (3.0 * budget + 60.0) * MODELS_TRAINED.get(system, 1)


def run(plan: Plan) -> None:
    """Run what the file lacks; print a line for each row that is added."""
    if reasons := [reason for system in plan.systems if (reason := missing(system))]:
        raise SystemExit("\n".join(reasons))
    datasets = _chosen(plan)
    done = {row.key for row in resume(plan.out) if not _again(row, plan)}
    record(plan.out)
    left = [(row, system) for row, system in _jobs(plan, datasets) if row.key not in done]
    for row in _measured(left, plan):
        append(plan.out, row)
        print(
            f"{row.system} {row.dataset} {row.seed}: error {row.error:.4f}, "
            f"fit {row.fit_s:.1f} s {row.note}",
            flush=True,
        )


def _again(row: Row, plan: Plan) -> bool:
    if row.failed or plan.predictions is None:
        return plan.retry and row.failed
    about = About(row.dataset, row.task, row.seed, row.system, row.budget)
    return not about.path(plan.predictions).exists()


def _chosen(plan: Plan) -> list[DataSet]:
    datasets = read_index(plan.folder)
    if unknown := set(plan.only) - {dataset.name for dataset in datasets}:
        raise SystemExit(f"--only: the index has no {', '.join(sorted(unknown))}")
    return [dataset for dataset in datasets if not plan.only or dataset.name in plan.only]


def _jobs(plan: Plan, datasets: list[DataSet]) -> Iterator[tuple[Row, str]]:
    """Rows to be filled in, and their systems."""
    for system in plan.systems:
        shown = shown_name(system, plan.strategy)
        for dataset in datasets:
            about = (dataset.name, dataset.task, dataset.n_rows, dataset.n_columns)
            for seed in plan.seeds or dataset.seeds:
                yield Row(*about, seed, shown, plan.budget), system


def _measured(jobs: list[tuple[Row, str]], plan: Plan) -> Iterator[Row]:
    """Rows as they are finished; whatever stops this ends the processes under way."""
    stop = threading.Event()
    free: queue.SimpleQueue[set[int]] = queue.SimpleQueue()
    for cores in shares_of_cores(plan.at_once):
        free.put(cores)

    def measure(row: Row, system: str) -> Row:
        cores = free.get()
        try:
            return _measure(row, system, plan, Surroundings(cores, stop))
        finally:
            free.put(cores)

    with ThreadPoolExecutor(plan.at_once) as pool:
        try:
            for done in as_completed([pool.submit(measure, *job) for job in jobs]):
                yield done.result()
        except BaseException:  # Ctrl-C and SIGTERM reach this thread alone
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def shares_of_cores(n: int) -> list[set[int]]:
    """Cores for each of n processes at a time; empty, for all, where there are too few of them."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if n == 1 or len(cores) < n:
        return [set() for _ in range(n)]
    each = len(cores) // n
    return [set(cores[i * each : (i + 1) * each]) for i in range(n)]


def _measure(row: Row, system: str, plan: Plan, surroundings: Surroundings) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        request = Request(row.task, plan.budget, plan.n_jobs, row.seed, plan.strategy)
        job = {
            "folder": str(plan.folder),
            "dataset": row.dataset,
            "system": system,
            "shown": row.system,
            "request": asdict(request),
            "answer": str(answer),
            "predictions": str(plan.predictions) if plan.predictions else "",
        }
        command = [sys.executable, str(CHILD), json.dumps(job)]
        note = run_child(command, seconds_to_kill(row.budget, system), surroundings)
        outcome: dict[str, Any] = json.loads(answer.read_text()) if answer.exists() else {}
    figures = {name: float(outcome.get(name, math.nan)) for name in FIGURES}
    return Row(**(asdict(row) | figures | {"note": outcome.get("note", note)}))


@dataclass(frozen=True)
class Surroundings:
    """Cores that a child may use, all if empty, and what ends it early."""

    cores: set[int] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)


def run_child(command: list[str], seconds: float, surroundings: Surroundings | None = None) -> str:
    """Run to the end, or kill it and all that it started; say what went wrong, or nothing."""
    surroundings = surroundings or Surroundings()
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    with subprocess.Popen(command, env=environment, start_new_session=True) as child:
        try:
            if surroundings.cores:  # before it has started any thread
                os.sched_setaffinity(child.pid, surroundings.cores)
            code = _wait(child, seconds, surroundings.stop)
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
        if code is None:
            os.killpg(child.pid, signal.SIGKILL)
            return f"killed: no end after {seconds:g} s"
    if code < 0:
        return f"ended by signal {-code}"
    return f"ended with code {code}" if code else ""


def _wait(child: subprocess.Popen[bytes], seconds: float, stop: threading.Event) -> int | None:
    """Give the exit code; None where the time is up or it is to stop."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stop.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(min(left, LOOK_INTERVAL))
    return None
