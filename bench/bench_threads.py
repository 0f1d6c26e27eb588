"""Training with one thread and with all -> how much faster: a rung of mixed networks, one wide one.

python bench/bench_threads.py

Times are the least of several runs, the two kinds of run in turn; what two threads could give is
the ratio of the machine's peaks of the same run. On a machine where others work the figures say
nothing: a thread that waits for its core holds up the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from automs import Candidate, train_candidates
from automs._core import cpu_level
from automs._threads import effective_n_threads
from training_work import Peak, machine_lines

N_ROUNDS = 5


def mixed(n: int) -> list[Candidate]:
    """One to three layers of 8 to 256 units, 1 to 10 epochs, batches of 32 to 256: log-uniform."""
    rng = np.random.default_rng(0)
    return [
        Candidate(
            tuple(round(8 * 32 ** rng.uniform()) for _ in range(rng.integers(1, 4))),
            epochs=round(10 ** rng.uniform()),
            batch_size=round(32 * 8 ** rng.uniform()),
            seed=number,
        )
        for number in range(n)
    ]


def ratio(train: Callable[[int], object], n_threads: int) -> float:
    """How many times longer one thread takes than `n_threads`."""
    alone, together = np.inf, np.inf
    for _ in range(N_ROUNDS):
        alone = min(alone, seconds(train, 1))
        together = min(together, seconds(train, n_threads))
    return alone / together


def seconds(train: Callable[[int], object], n_threads: int) -> float:
    start = time.perf_counter()
    train(n_threads)
    return time.perf_counter() - start


def main() -> None:
    n_threads = effective_n_threads(None)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(10_000, 32))
    y = X[:, 0] + X[:, 1] ** 2
    candidates = mixed(64)
    found = ratio(lambda n: train_candidates(candidates, X, y, n_jobs=n, validation=0.2), n_threads)
    peak_of = Peak(cpu_level)
    allowed = median([peak_of(n_threads) / peak_of(1) for _ in range(N_ROUNDS)])
    print(
        f"64 mixed networks, {n_threads} threads: {found:.2f} x one, {found / allowed:.2f} of the "
        f"{allowed:.2f} x that the peak of multiply-adds allows"
    )
    for units, batch_size in ((64, 128), (128, 128), (256, 256), (512, 256), (1024, 256)):
        candidate = Candidate((units, units), batch_size=batch_size, epochs=1, seed=0)
        results = [train_candidates([candidate], X, y, n_jobs=n)[0] for n in (1, n_threads)]
        for one, all_threads in zip(results[0].weights[0], results[1].weights[0], strict=True):
            np.testing.assert_array_equal(one, all_threads)
        found = ratio(lambda n, c=candidate: train_candidates([c], X, y, n_jobs=n), n_threads)
        print(f"one network of 2 x {units} units, batch {batch_size}: {found:.2f} x one thread")
    print("\n".join(machine_lines(cpu_level)))


if __name__ == "__main__":
    main()
