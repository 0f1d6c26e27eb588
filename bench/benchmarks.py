"""The engine's and the predictor's usual work under pytest-benchmark, to compare two commits.

python -m pytest bench/benchmarks.py -o pythonpath=bench --benchmark-save=before
python -m pytest bench/benchmarks.py -o pythonpath=bench --benchmark-compare
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automs import AutoRegressor, Predictor, train_candidates
from training_work import Work, make_rows


@pytest.mark.parametrize("hidden", [(16,), (64, 64), (256, 256, 256)], ids=str)
@pytest.mark.parametrize("batch_size", [32, 256])
def test_training_a_network(benchmark: Any, hidden: tuple[int, ...], batch_size: int) -> None:
    X, y = make_rows(5_000, 32)
    work = Work(hidden, batch_size, epochs=2)
    candidates = [work.candidate(seed=seed) for seed in range(4)]
    results = benchmark(train_candidates, candidates, X, y, n_jobs=1)
    assert all(result.epoch == 2 for result in results)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    X, y = make_rows(2_000, 32)
    return train_candidates([Work((64, 64), 128, 2).candidate()], X, y)[0].predictor()


@pytest.mark.parametrize("n_rows", [1, 100, 10_000])
def test_predicting(benchmark: Any, predictor: Predictor, n_rows: int) -> None:
    X = np.ascontiguousarray(make_rows(max(n_rows, 3), 32)[0][:n_rows], dtype=np.float32)
    assert benchmark(predictor.predict, X).shape == (n_rows,)


def test_a_search_of_16_candidates(benchmark: Any) -> None:
    X, y = make_rows(1_000, 8)
    model = AutoRegressor(max_trials=16, time_limit=None, baselines=None, random_state=0, n_jobs=1)
    benchmark.pedantic(model.fit, (X, y), rounds=3)
    assert len(model.leaderboard_) >= 16
