"""1,000 networks in one call, against scikit-learn's MLPRegressor with the same settings.

python bench/bench_training.py --table california_housing.parquet

Candidates have one to three hidden layers of 16 to 128 units (log-uniform), ReLU, Adam, a batch of
128 and 20 epochs. The rival trains a sample of them, one after the other and on all cores side by
side; its time for all is extrapolated from the sample.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

from automs import Candidate, train_candidates

EPOCHS = 20
BATCH_SIZE = 128


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_parquet(path)
    y = table.pop("target").to_numpy(float)
    X = table.to_numpy(float)
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


def draw(n: int, seed: int) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [
        Candidate(
            tuple(round(16 * 8 ** rng.uniform()) for _ in range(rng.integers(1, 4))),
            encoding="standard",
            epochs=EPOCHS,
            batch_size=BATCH_SIZE,
            seed=number,
        )
        for number in range(n)
    ]


def needed_flops(candidate: Candidate, n_rows: int, n_features: int) -> float:
    """6 a weight, row and epoch, less the gradient by the table, which nobody needs."""
    shapes = candidate.layer_shapes(n_features, 1)
    weights = sum(a * b for a, b in shapes)
    return (6.0 * weights - 2.0 * shapes[0][0] * shapes[0][1]) * n_rows * candidate.epochs


def train_rival(candidate: Candidate, X: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    model = MLPRegressor(
        hidden_layer_sizes=candidate.hidden_layer_sizes,
        alpha=0.0,
        batch_size=candidate.batch_size,
        learning_rate_init=candidate.learning_rate,
        max_iter=candidate.epochs,
        tol=0.0,
        n_iter_no_change=candidate.epochs,
        random_state=candidate.seed,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    return time.perf_counter() - start, float(model.loss_)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=1000)
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--n-jobs", type=int, default=None)
    arguments = parser.parse_args()
    X, y = read(arguments.table)
    candidates = draw(arguments.candidates, seed=0)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")

    start = time.perf_counter()
    results = train_candidates(candidates, X, y, n_jobs=arguments.n_jobs)
    ours = time.perf_counter() - start
    flops = sum(needed_flops(c, *X.shape) for c in candidates)
    print(
        f"automs: {len(candidates)} candidates, {EPOCHS} epochs of {len(X)} rows in {ours:.1f} s, "
        f"{flops / ours / 1e9:.0f} GFLOP/s of needed work"
    )

    step = max(1, len(candidates) // arguments.sample)
    sample = range(0, len(candidates), step)[: arguments.sample]
    alone = [train_rival(candidates[i], X, y) for i in sample]
    ratios = [
        results[i].curves[0]["train_loss"][-1] / loss
        for i, (_, loss) in zip(sample, alone, strict=True)
    ]
    print(f"train loss against the rival's, median ratio {np.median(ratios):.2f}")
    assert 0.8 < np.median(ratios) < 1.25, "the two do not train the same thing"
    start = time.perf_counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(
            pool.map(
                train_rival, [candidates[i] for i in sample], [X] * len(sample), [y] * len(sample)
            )
        )
    both = time.perf_counter() - start
    # The sample's own needed work, so that it need not have the mean size.
    share = sum(needed_flops(candidates[i], *X.shape) for i in sample) / flops
    for what, seconds in (
        ("one after the other", sum(t for t, _ in alone)),
        ("a process for each core", both),
    ):
        print(
            f"scikit-learn, {what}: {seconds:.1f} s for {len(sample)}, "
            f"so {seconds / share:.0f} s for all: {seconds / share / ours:.1f} times as long"
        )


if __name__ == "__main__":
    main()
