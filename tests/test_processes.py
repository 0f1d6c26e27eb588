"""Forks, workers, threads and other libraries' OpenMP: no hang, the same bits, no more threads."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV

from automs import AutoRegressor
from automs._threads import effective_n_threads

TIMEOUT = 120.0  # seconds, after which a process counts as hung
SETTINGS = {"max_trials": 3, "baselines": None, "random_state": 0, "validation": 2}


@pytest.fixture
def model(quick_space):
    return AutoRegressor(search_space=quick_space, **SETTINGS)


def fitted_bytes(model, X, y):
    return model.fit(X, y).predictor_.to_bytes()


FORKED = """
import multiprocessing, os, sys
import numpy as np
from automs import AutoRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(80, 3))
y = X[:, 0] + 0.1 * rng.normal(size=80)

def fit():
    model = AutoRegressor(max_trials=2, random_state=0, baselines=("constant",), n_jobs=2)
    return model.fit(X, y).predictor_.to_bytes()

before = fit()
receive, send = multiprocessing.Pipe(duplex=False)
child = os.fork()
if child == 0:
    send.send_bytes(fit())
    os._exit(0)
assert receive.recv_bytes() == before
_, status = os.waitpid(child, 0)
assert status == 0, status
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert [task.get(60) for task in [pool.apply_async(fit) for _ in range(2)]] == [before] * 2
assert fit() == before
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_processes_fit_after_their_parent_did_to_the_same_bits():
    paths = os.pathsep.join(path for path in sys.path if path)
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED], env=os.environ | {"PYTHONPATH": paths},
        check=True, timeout=TIMEOUT,
    )  # fmt: skip


def test_workers_fit_to_the_same_bits(model, regression_table):
    expected = fitted_bytes(model, *regression_table)
    found = Parallel(n_jobs=2, backend="loky", timeout=TIMEOUT)(
        delayed(fitted_bytes)(model, *regression_table) for _ in range(2)
    )
    assert found == [expected] * 2


@pytest.mark.parametrize("inner", [1, 3])
def test_a_worker_takes_as_many_threads_as_it_was_given(monkeypatch, inner):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with parallel_config(backend="loky", inner_max_num_threads=inner):
        counts = Parallel(n_jobs=2, timeout=TIMEOUT)(
            delayed(effective_n_threads)() for _ in range(2)
        )
    assert set(counts) == {min(inner, effective_n_threads())}


def test_two_workers_share_the_cores_by_default(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    counts = Parallel(n_jobs=2, backend="loky", timeout=TIMEOUT)(
        delayed(effective_n_threads)() for _ in range(2)
    )
    assert sum(counts) <= max(effective_n_threads(), 2)


def test_a_grid_search_in_workers_finds_what_one_process_finds(model, regression_table):
    grids = [
        GridSearchCV(model, {"ensemble_size": [1, 3]}, cv=2, n_jobs=n_jobs).fit(*regression_table)
        for n_jobs in (1, 2)
    ]
    one, two = (grid.cv_results_["mean_test_score"] for grid in grids)
    np.testing.assert_array_equal(one, two)


def test_other_librarys_threads_before_and_after_change_nothing(model, regression_table):
    X, y = regression_table
    trees = HistGradientBoostingRegressor(max_iter=3, random_state=0)
    alone = trees.fit(X, y).predict(X)
    first = fitted_bytes(model, X, y)
    np.testing.assert_array_equal(trees.fit(X, y).predict(X), alone)
    assert fitted_bytes(model, X, y) == first


def test_threads_fit_side_by_side_to_the_same_bits(model, regression_table):
    expected = fitted_bytes(model, *regression_table)
    found = []

    def fit():
        own = AutoRegressor(**model.get_params(deep=False))
        found.append(fitted_bytes(own, *regression_table))

    threads = [threading.Thread(target=fit, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert found == [expected] * 3
