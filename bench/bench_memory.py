"""Sizes of tables and searches -> predicted and measured peak memory of training, in MB.

python bench/bench_memory.py

Each case has a fresh process, which trains every candidate for one epoch of two, so that all states
may still be promoted and are kept: the most that a rung of a search holds. Linux only. Predicted:

- views: 4 bytes for each row and feature of each fold (a table of float64 is not copied);
- arenas: for each thread weights, gradient, two moments and a tile's activations of the largest
  network, 4 bytes a value, and predictions and targets of the validation rows, 8 bytes a value;
- states: 16 bytes for each parameter of each candidate and fold (weights, best weights, moments),
  without padding, and about 1,000 for its settings, curves and results.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

from automs import Candidate, train_candidates

TILE_ROWS = 128
N_THREADS = 2
#: Rows, features, candidates, units of each of two hidden layers.
CASES = (
    (2_000, 10, 2_000, 16),
    (20_000, 50, 200, 64),
    (200_000, 50, 50, 128),
    (500_000, 100, 10, 64),
    (5_000, 50, 20, 512),
)


def status_bytes(field: str) -> int:
    """Give a line of this process' status, such as its memory now (VmRSS) or at most (VmHWM)."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    assert found, f"no {field} in /proc/self/status"
    return 1024 * int(found[1])


def predicted_bytes(
    n_rows: int, n_features: int, n_candidates: int, units: int
) -> dict[str, float]:
    candidate = Candidate((units, units))
    n_parameters = candidate.n_parameters(n_features, 1)
    activations = TILE_ROWS * (2 * n_features + 8 * units)
    n_validation = n_rows // 4
    return {
        "views": 4 * n_rows * n_features,
        "arenas": N_THREADS * (4 * (4 * n_parameters + activations) + 16 * n_validation),
        "states": (16 * n_parameters + 1000) * n_candidates,
    }


def measured_bytes(n_rows: int, n_features: int, n_candidates: int, units: int) -> int:
    """Peak memory of one call beyond what the process had before."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    y = X[:, 0] + rng.normal(size=n_rows)
    columns = {
        "hidden_layer_sizes": (units, units),
        "learning_rate": np.full(n_candidates, 1e-3),
        "batch_size": 256,
        "epochs": 2,
    }
    settings = {"epochs": 1, "validation": 0.25, "n_jobs": N_THREADS}
    small = columns | {"learning_rate": np.full(2, 1e-3), "hidden_layer_sizes": (2,)}
    train_candidates(small, X[:100], y[:100], **settings)  # libraries and threads
    before = status_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    results = train_candidates(columns, X, y, **settings)
    assert (results.epoch == 1).all()
    return status_bytes("VmHWM") - before


def main() -> None:
    if len(sys.argv) > 1:
        print(measured_bytes(*map(int, sys.argv[1:])))
        return
    print("  rows features candidates units |  views arenas states | predicted measured  ratio")
    for case in CASES:
        parts = {name: n / 1e6 for name, n in predicted_bytes(*case).items()}
        child = [sys.executable, __file__, *map(str, case)]
        measured = int(subprocess.run(child, check=True, stdout=subprocess.PIPE).stdout) / 1e6
        predicted = sum(parts.values())
        print(
            f"{case[0]:6d} {case[1]:8d} {case[2]:10d} {case[3]:5d} | "
            + " ".join(f"{size:6.1f}" for size in parts.values())
            + f" | {predicted:9.1f} {measured:8.1f} {measured / predicted:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
