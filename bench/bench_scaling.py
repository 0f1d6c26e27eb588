"""Training time and peak memory against rows, features, width, depth, candidates and threads.

python bench/bench_scaling.py --markdown bench/results/scaling.md

Each line changes one thing of the middle: 20,000 x 32 rows, 16 networks of (64, 64), batches of
128, 5 epochs, one thread. Each runs in a process of its own, so that its peak memory is its own;
seconds are those of `train_candidates` alone, the best of several calls. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from automs._core import cpu_level
from training_work import machine_lines


@dataclass(frozen=True)
class Case:
    rows: int = 20_000
    features: int = 32
    width: int = 64
    depth: int = 2
    candidates: int = 16
    threads: int = 1


VARIED = {
    "rows": (5_000, 20_000, 80_000, 320_000),
    "features": (8, 32, 128, 512),
    "width": (4, 8, 16, 32, 64, 128, 256, 512),
    "depth": (0, 1, 2, 4, 8),
    "candidates": (1, 4, 16, 64, 256),
    "threads": tuple(range(1, (os.cpu_count() or 1) + 1)),
}
EPOCHS = 5


def memory_mb(name: str) -> float:
    """Give a line of this process's memory, VmRSS (now) or VmHWM (its peak)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1.024e-3 * next(float(s.split()[1]) for s in lines if s.startswith(name))


def run_here(case: Case, repeats: int) -> dict[str, float]:
    """Train the case in this process."""
    import time

    from automs import Candidate, train_candidates
    from training_work import make_rows, needed_flops

    X, y = make_rows(case.rows, case.features)
    candidates = [
        Candidate(
            (case.width,) * case.depth,
            encoding="standard",
            batch_size=128,
            epochs=EPOCHS,
            seed=seed,
        )
        for seed in range(case.candidates)
    ]
    train_candidates(candidates[:1], X[:256], y[:256], n_jobs=1)  # imports are no part of it
    before = memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        train_candidates(candidates, X, y, n_jobs=case.threads)
        best = min(best, time.perf_counter() - start)
    return {
        "seconds": best,
        "gflops": 1e-9 * sum(needed_flops(c, *X.shape) for c in candidates) / best,
        "table_mb": 4e-6 * X.size,
        "peak_mb": memory_mb("VmHWM") - before,
    }


def run_apart(case: Case, repeats: int) -> dict[str, float]:
    """Train the case in a fresh process."""
    command = [sys.executable, __file__, "--case", json.dumps(asdict(case))]
    command += ["--repeats", str(repeats)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    result: dict[str, float] = json.loads(printed)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path, help="write the table here, too")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case is not None:
        print(json.dumps(run_here(Case(**json.loads(arguments.case)), arguments.repeats)))
        return
    lines = [
        "# Scaling", "",
        "| varied | value | seconds | GFLOP/s | table, float32 MB | memory beyond it, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, values in VARIED.items():
        for value in values:
            r = run_apart(replace(Case(), **{name: value}), arguments.repeats)
            lines.append(
                f"| {name} | {value} | {r['seconds']:.3g} | {r['gflops']:.3g} "
                f"| {r['table_mb']:.3g} | {r['peak_mb']:.3g} |"
            )
            print(lines[-1], flush=True)
    middle = ", ".join(f"{name} {value}" for name, value in asdict(Case()).items())
    lines += [
        "",
        f"Middle: {middle}; {EPOCHS} epochs in batches of 128. Memory is the process's peak less "
        "what it held before the call, rows in float64 among that.",
        "",
        *machine_lines(cpu_level),
    ]
    if arguments.markdown is not None:
        arguments.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
