"""GFLOP/s of training small networks, beside scikit-learn, PyTorch and JAX on the same rows.

python bench/bench_peers.py --markdown bench/results/engine.md

10,000 x 32 rows, squared loss, ReLU, Adam, 10 epochs; GFLOP/s of needed work: 6 a weight, row and
epoch, less the gradient by the table. Each figure is the median of several runs; systems take
turns, and the peak of multiply-adds is measured between them. Our column trains several networks
in one call, as a search does, encoding and all included; JAX trains 32 equal networks under vmap
on all cores, and beside it stand ours of 32 that all differ in shape, on all cores too. Where a
peer is not installed its column is empty. Before anything is timed, all have to have learned.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from automs import Candidate, train_candidates
from automs._core import cpu_level
from training_peers import JAX_NETWORKS, jax_trainer, sklearn_trainer, torch_trainer
from training_work import Peak, Work, machine_lines, make_rows, needed_flops

Values = npt.NDArray[np.float64]

HIDDEN = ((16,), (64,), (64, 64), (128, 128), (256, 256, 256))
BATCH_SIZES = (32, 256)
#: A call of ours trains so many networks that this is what they need: a search has thousands.
FLOPS_A_CALL = 1e11
#: Every system must leave at most this share of the target's variance; they start from other
#: weights, so their losses are not alike.
MOST_LOSS = 0.2


def equal_candidates(work: Work, X: Values) -> list[Candidate]:
    n = max(1, round(FLOPS_A_CALL / work.flops(X)))
    return [work.candidate(seed=seed) for seed in range(n)]


def different_candidates(work: Work) -> list[Candidate]:
    """Give as many networks as JAX has, no two alike, of the same mean width."""
    middle = (JAX_NETWORKS - 1) / 2
    candidates = []
    for i in range(JAX_NETWORKS):
        offset = round((i - middle) * min(work.hidden) / (2 * JAX_NETWORKS))
        depth_offsets = [offset if at % 2 == i % 2 else -offset for at in range(len(work.hidden))]
        hidden = tuple(w + d for w, d in zip(work.hidden, depth_offsets, strict=True))
        candidates.append(work.candidate(hidden, seed=i))
    return candidates


def our_speed(candidates: list[Candidate], X: Values, y: Values, n_jobs: int) -> float:
    flops = sum(needed_flops(c, *X.shape) for c in candidates)
    start = time.perf_counter()
    train_candidates(candidates, X, y, n_jobs=n_jobs)
    return 1e-9 * flops / (time.perf_counter() - start)


def speed(train: Callable[[], float], flops: float) -> float:
    start = time.perf_counter()
    train()
    return 1e-9 * flops / (time.perf_counter() - start)


def check(work: Work, X: Values, y: Values, trainers: dict[str, Callable[[], float]]) -> None:
    """Refuse systems that do not learn; each has compiled afterwards."""
    result = train_candidates([work.candidate()], X, y, n_jobs=1)[0]
    losses = {"automs": float(np.mean((result.predictor().predict(X) - y) ** 2))}
    losses |= {name: train() for name, train in trainers.items()}
    for name, loss in losses.items():
        if not loss < MOST_LOSS * np.var(y):
            raise AssertionError(f"{name}, {work}: its loss is {loss:.3g}")


def measure(work: Work, X: Values, y: Values, repeats: int) -> dict[str, float]:
    """Median GFLOP/s of every system that is installed."""
    made = {
        "scikit-learn": sklearn_trainer(work, X, y),
        "PyTorch": torch_trainer(work, X, y),
        "JAX, all cores": jax_trainer(work, X, y),
    }
    trainers = {name: train for name, train in made.items() if train is not None}
    check(work, X, y, trainers)
    equal, different = equal_candidates(work, X), different_candidates(work)
    flops = work.flops(X)
    runs: dict[str, list[float]] = {}
    for _ in range(repeats):
        runs.setdefault("automs", []).append(our_speed(equal, X, y, 1))
        for name, train in trainers.items():
            factor = JAX_NETWORKS if name.startswith("JAX") else 1
            runs.setdefault(name, []).append(speed(train, factor * flops))
        n_jobs = os.cpu_count() or 1
        runs.setdefault("automs, all cores", []).append(our_speed(different, X, y, n_jobs))
    return {name: statistics.median(values) for name, values in runs.items()}


def geometric_mean(values: list[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


COLUMNS = ("scikit-learn", "PyTorch", "automs", "JAX, all cores", "automs, all cores")


def table_lines(rows: list[tuple[Work, dict[str, float], float]]) -> list[str]:
    heading = ["hidden layers, batch", *COLUMNS, "share of the peak"]
    lines = ["| " + " | ".join(heading) + " |", "|---|" + "---:|" * (len(heading) - 1)]
    for work, speeds, peak in rows:
        cells = [f"{speeds[name]:.3g}" if name in speeds else "-" for name in COLUMNS]
        share = f"{speeds['automs'] / peak:.2f}"
        lines.append(f"| {work.hidden}, {work.batch_size} | " + " | ".join([*cells, share]) + " |")
    return lines


def ratio_lines(rows: list[tuple[Work, dict[str, float], float]]) -> list[str]:
    lines = []
    for ours, peer in (
        ("automs", "scikit-learn"),
        ("automs", "PyTorch"),
        ("automs, all cores", "JAX, all cores"),
    ):
        ratios = [s[ours] / s[peer] for _, s, _ in rows if peer in s]
        if ratios:
            mean, least = geometric_mean(ratios), min(ratios)
            lines.append(f"- {ours} / {peer}: {mean:.1f} in geometric mean, {least:.1f} at least")
    for name, chosen in (
        ("widths of 64 and more", [s["automs"] / p for w, s, p in rows if min(w.hidden) >= 64]),
        ("width 16", [s["automs"] / p for w, s, p in rows if max(w.hidden) < 64]),
    ):
        if chosen:
            lines.append(f"- share of the peak, {name}: {geometric_mean(chosen):.2f}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--features", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--widest", type=int, default=256, help="leave out wider networks")
    parser.add_argument("--markdown", type=Path, help="write the table here, too")
    arguments = parser.parse_args()
    X, y = make_rows(arguments.rows, arguments.features)
    peak_of = Peak(cpu_level)
    rows, peaks = [], [peak_of(1)]
    for hidden in HIDDEN:
        if max(hidden) > arguments.widest:
            continue
        for batch_size in BATCH_SIZES:
            work = Work(hidden, batch_size, arguments.epochs)
            speeds = measure(work, X, y, arguments.repeats)
            peaks.append(peak_of(1))
            rows.append((work, speeds, max(peaks[-2:])))
            print(work.hidden, batch_size, {k: round(v, 1) for k, v in speeds.items()}, flush=True)
    n_cores = os.cpu_count() or 1
    lines = [
        "# Training speed", "", *table_lines(rows), "", *ratio_lines(rows),
        f"- peak of multiply-adds: {statistics.median(peaks):.0f} GFLOP/s with one thread, "
        f"{peak_of(n_cores):.0f} with {n_cores}", "",
        f"GFLOP/s of needed work, medians of {arguments.repeats} runs; "
        f"{arguments.rows} x {arguments.features} rows, {arguments.epochs} epochs, one thread "
        "unless it says all cores.", "", *machine_lines(cpu_level),
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.markdown is not None:
        arguments.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
