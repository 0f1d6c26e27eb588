"""Many tiny candidates as columns -> microseconds of each that are not training.

python bench/bench_overhead.py

The overhead is the wall clock less the threads' share of the time in training, for each candidate.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from automs import train_candidates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parser.parse_args()
    n = arguments.candidates
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 4))
    y = X[:, 0] + X[:, 1] ** 2
    columns = {
        "hidden_layer_sizes": rng.integers(1, 9, n),
        "learning_rate": rng.uniform(1e-3, 1e-2, n),
        "activation": rng.choice(["relu", "tanh"], n),
        "batch_size": 64,
        "epochs": 1,
    }
    for _ in range(5):
        start = time.perf_counter()
        results = train_candidates(
            columns, X, y, validation=0.25, n_jobs=arguments.n_jobs, random_state=0
        )
        wall = time.perf_counter() - start
        assert np.isfinite(results.score).all()
        training = results.seconds.sum() / arguments.n_jobs
        print(
            f"{wall:.2f} s, {training:.2f} s of training, "
            f"{(wall - training) / n * 1e6:.1f} microseconds a candidate besides"
        )


if __name__ == "__main__":
    main()
