"""Interrupted, forked, killed and nested fits: none hangs, none leaves a process or a file.

python bench/drill.py [--runs 50] [--seed 0]

Prints a table, a row for each kind of run; exits with 1 where anything went wrong. Needs Linux.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

MARK = "AUTOMS_DRILL"  # an environment variable that every process of a run inherits
TIMEOUT = 60.0  # seconds, after which a run counts as hung
SETTLE = 10.0  # seconds that a process has to go after its parent went

PRELUDE = """
import os, signal, sys, warnings
import numpy as np
from automs import AutoRegressor, SearchWarning
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.normal(size=(400, 6))
y = X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=400)
def fit(time_limit=1.0, **settings):
    return AutoRegressor(time_limit=time_limit, random_state=0, **settings).fit(X, y)
"""
BODIES = {
    "interrupted": """
print("ready", flush=True)
assert len(fit(time_limit=50.0).predict(X)) == 400
""",
    "interrupted twice": """
print("ready", flush=True)
try:
    fit(time_limit=50.0)
except KeyboardInterrupt:
    sys.exit(0)
""",
    "killed": """
print("ready", flush=True)
fit(time_limit=50.0)
""",
    "forked": """
fit()
child = os.fork()
if child == 0:
    fit()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
""",
    "in workers": """
from joblib import Parallel, delayed
def one(seed):
    return AutoRegressor(time_limit=1.0, random_state=seed).fit(X, y).n_trials_
assert len(Parallel(n_jobs=2)(delayed(one)(seed) for seed in range(2))) == 2
fit()
""",
}


@dataclass
class Outcome:
    """What went wrong in the runs of one kind."""

    runs: int = 0
    hung: int = 0
    failed: int = 0
    processes: int = 0
    files: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.hung or self.failed or self.processes or self.files)


def processes_of(mark: str) -> list[int]:
    """Give the ids of all processes that carry the mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"{MARK}={mark}".encode() in environment:
                found.append(int(folder.name))
    return found


def end(process_ids: list[int]) -> None:
    for process_id in process_ids:
        try:
            os.kill(process_id, signal.SIGKILL)
        except ProcessLookupError:
            continue


def send_signals(kind: str, process: subprocess.Popen[str], delay: float) -> None:
    """Wait until a run begins its fit, then some time, then interrupt or kill it."""
    if kind not in {"interrupted", "interrupted twice", "killed"}:
        return
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGKILL if kind == "killed" else signal.SIGINT)
    if kind == "interrupted twice":
        time.sleep(0.002)
        process.send_signal(signal.SIGINT)


def run(kind: str, mark: str, delay: float, outcome: Outcome) -> None:
    outcome.runs += 1
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        paths = os.pathsep.join(path for path in sys.path if path)
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + BODIES[kind]],
            env=os.environ | {MARK: mark, "TMPDIR": folder, "PYTHONPATH": paths},
            cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        send_signals(kind, process, delay)
        try:
            code = process.wait(TIMEOUT)
            outcome.failed += code != (-signal.SIGKILL if kind == "killed" else 0)
        except subprocess.TimeoutExpired:
            outcome.hung += 1
            process.kill()
            process.wait()
        outcome.seconds.append(time.perf_counter() - started)
        deadline = time.perf_counter() + SETTLE
        while processes_of(mark) and time.perf_counter() < deadline:
            time.sleep(0.05)
        left = processes_of(mark)
        outcome.processes += len(left)
        end(left)
        outcome.files += len(list(Path(folder).iterdir()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    outcomes = {kind: Outcome() for kind in BODIES}
    kinds = [list(BODIES)[i % len(BODIES)] for i in range(arguments.runs)]
    for i, kind in enumerate(kinds):
        run(kind, f"{os.getpid()}-{i}", float(rng.uniform(0.0, 2.0)), outcomes[kind])
    print(f"{'kind':18s} {'runs':>5s} {'hung':>5s} {'failed':>7s} {'processes left':>15s} "
          f"{'files left':>11s} {'median s':>9s}")  # fmt: skip
    for kind, o in outcomes.items():
        median = np.median(o.seconds) if o.seconds else float("nan")
        print(f"{kind:18s} {o.runs:5d} {o.hung:5d} {o.failed:7d} {o.processes:15d} "
              f"{o.files:11d} {median:9.2f}")  # fmt: skip
    counts = Counter(o.is_clean for o in outcomes.values())
    return 0 if counts[False] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
