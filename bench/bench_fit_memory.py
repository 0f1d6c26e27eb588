"""Folder of data sets -> peak memory of `fit` on each, beside the bound that it is to keep, in MB.

python bench/bench_fit_memory.py FOLDER [NAME ...] [--time-limit 10] [--max-trials N] [--n-jobs 2]

The folder is that of `accuracy_protocol.py`; without names all of its tables are fitted, whole.
Each has a fresh process, whose memory is read once NumPy, scikit-learn, pandas and pyarrow are
imported and the table is loaded ("before"), and then at its most during `fit` ("peak", the highest
resident size; baselines have a process of their own, which does not count). Linux only.

The bound, beyond what there was before, is twice the float32 matrix and 300 MB. The matrix takes 4
bytes for each row and each feature of the widest encoding that a candidate of this fit was trained
on, one-hot slots and piecewise bins being features, although views hold these in 6 bytes a column.
"standard" is the same of the encoding that has one feature a number: the least that there is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from accuracy_protocol import read_index
from bench_memory import status_bytes

FREE_BYTES = 300e6


def matrix_bytes(model: Any, table: Any) -> tuple[int, int]:
    """4 bytes for each row and feature, of the standard and of the widest encoding in use."""
    import numpy as np

    from automs.encoding import fit_encoder

    rows = np.arange(len(table.values), dtype=np.int32)
    used = {("standard", False)} | {
        (c.encoding, c.embedding_size > 0 and c.optimizer != "exact")
        for c in (trial.candidate for trial in model.trials_)
    }
    widths = {
        (encoding, embed): fit_encoder(table, rows, encoding, embed=embed).n_features
        for encoding, embed in used
    }
    return 4 * len(rows) * widths["standard", False], 4 * len(rows) * max(widths.values())


def measure(path: Path, task: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Fit one table in this process."""
    import pandas as pd
    import pyarrow
    import sklearn.ensemble  # noqa: F401

    from automs import AutoClassifier, AutoRegressor
    from automs.table import read_table

    X = pd.read_parquet(path)
    y = X.pop("target")
    model = (AutoRegressor if task == "regression" else AutoClassifier)(**settings)
    pyarrow.default_memory_pool().release_unused()  # what reading the file has left
    before = status_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    model.fit(X, y)
    peak = status_bytes("VmHWM")
    standard, widest = matrix_bytes(model, read_table(X))
    return {
        "rows": len(X),
        "columns": X.shape[1],
        "networks": model.n_trials_,
        "before": before,
        "peak": peak,
        "standard": standard,
        "widest": widest,
    }


def line(name: str, found: dict[str, Any]) -> str:
    taken = (found["peak"] - found["before"]) / 1e6
    bound = 2 * found["widest"] / 1e6 + FREE_BYTES / 1e6
    sizes = [found[key] / 1e6 for key in ("before", "peak", "standard", "widest")]
    return (
        f"{name:20s} {found['rows']:7d} {found['columns']:7d} {found['networks']:8d} | "
        f"{sizes[0]:6.0f} {sizes[1]:6.0f} {taken:6.0f} | {sizes[2]:8.1f} {sizes[3]:6.1f} | "
        f"{bound:6.0f} {'kept' if taken <= bound else 'NOT KEPT'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--time-limit", type=float)
    parser.add_argument("--max-trials", type=int)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    limit = 10.0 if given.time_limit is None and given.max_trials is None else given.time_limit
    settings = {"time_limit": limit, "max_trials": given.max_trials, "n_jobs": given.n_jobs}
    settings |= {"random_state": 0}
    if given.child:
        path = given.folder / f"{given.names[0]}.parquet"
        print(json.dumps(measure(path, given.child, settings)))
        return
    print(settings)
    print(
        f"{'table':20s}    rows columns networks | before   peak  taken | standard widest |  bound"
    )
    for data in read_index(given.folder):
        if given.names and data.name not in given.names:
            continue
        child = [sys.executable, __file__, str(given.folder), data.name, "--child", data.task]
        for key in ("time_limit", "max_trials", "n_jobs"):
            if settings[key] is not None:
                child += [f"--{key.replace('_', '-')}", str(settings[key])]
        done = subprocess.run(child, check=True, stdout=subprocess.PIPE, text=True)
        print(line(data.name, json.loads(done.stdout)), flush=True)


if __name__ == "__main__":
    main()
