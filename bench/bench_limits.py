"""By how much `fit` passes its time limit, over tables and limits.

python bench/bench_limits.py --data FOLDER

FOLDER holds parquet files whose last column is `target`; columns that are not numeric are left out.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

from automs import AutoClassifier, AutoRegressor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limits", type=float, nargs="+", default=[0.5, 2.0, 5.0])
    parser.add_argument("--only", nargs="*", help="names of tables")
    arguments = parser.parse_args()
    overruns = []
    for path in sorted(arguments.data.glob("*.parquet")):
        if arguments.only and path.stem not in arguments.only:
            continue
        table = pd.read_parquet(path)
        y = table.pop("target")
        X = table.select_dtypes("number")
        if X.shape[1] == 0:
            continue
        classes = not pd.api.types.is_float_dtype(y)
        estimator = AutoClassifier if classes else AutoRegressor
        for limit in arguments.limits:
            model = estimator(time_limit=limit, random_state=0)
            start = time.perf_counter()
            model.fit(X, y)
            took = time.perf_counter() - start
            overruns.append(took - limit)
            print(
                f"{path.stem:20s} limit {limit:5.1f} s, took {took:7.3f} s, "
                f"{model.n_trials_:5d} trials, {model.predictor_!r}",
                flush=True,
            )
    print(
        f"overrun: median {np.median(overruns):+.3f} s, 99th percentile "
        f"{np.percentile(overruns, 99):+.3f} s, worst {max(overruns):+.3f} s"
    )


if __name__ == "__main__":
    main()
