"""Net-epochs a second on the grid of ParallelMLPs: 10,000 networks of one hidden layer.

python bench/bench_grid.py

Widths 1 to 100, ten activations, ten repetitions; 10,000 x 10 rows, batches of 32, Adam, 10 epochs.
The grid is that of F. Farias, T. Ludermir, C. Bastos-Filho, "Embarrassingly parallel independent
training of multi-layer perceptrons with heterogeneous architectures", AI 4(1), 2023, whose own
activations differ in part. A sample (--share) is every so manieth network.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

from automs import Candidate, train_candidates
from automs._core import cpu_level
from automs.candidates import ACTIVATIONS
from training_work import Peak, machine_lines, make_rows, needed_flops

WIDTHS = range(1, 101)
REPETITIONS = range(10)
EPOCHS = 10


def grid() -> list[Candidate]:
    return [
        Candidate(
            (width,),
            activation=activation,
            encoding="standard",
            batch_size=32,
            epochs=EPOCHS,
            learning_rate=0.01,
            seed=repetition,
        )
        for repetition in REPETITIONS
        for activation in ACTIVATIONS
        for width in WIDTHS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the grid, 0 to 1")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--n-jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    X, y = make_rows(10_000, 10)
    # 1 / share is made odd, so that a sample has all activations and widths alike.
    step = max(1, round(1 / arguments.share)) | 1
    candidates = grid()[::step]
    flops = sum(needed_flops(c, *X.shape) for c in candidates)
    peak_of = Peak(cpu_level)
    runs = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        results = train_candidates(candidates, X, y, n_jobs=arguments.n_jobs)
        runs.append(time.perf_counter() - start)
    took, n_threads = statistics.median(runs), arguments.n_jobs
    losses = [float(r.curves[0]["train_loss"][-1]) for r in results]
    peak = peak_of(n_threads)
    print(
        f"{len(candidates)} networks of {EPOCHS} epochs in {took:.1f} s with {n_threads} threads: "
        f"{len(candidates) * EPOCHS / took:.0f} net-epochs a second"
    )
    print(
        f"{1e-9 * flops / took:.1f} GFLOP/s of needed work, {1e-9 * flops / took / peak:.2f} of "
        f"the peak of {peak:.0f} GFLOP/s"
    )
    print(f"median training loss {statistics.median(losses):.3f}, lowest {min(losses):.3f}")
    print(*machine_lines(cpu_level), sep="\n")


if __name__ == "__main__":
    main()
