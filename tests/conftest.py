"""Fixtures that several test modules share: seeds, thread counts, small tables, a quick space."""

import numpy as np
import pytest

from automs.search_space import Choice, Float, SearchSpace

N_ROWS = 160

pytest.register_assert_rewrite("strategy_contract")


@pytest.fixture(params=[0, 1], ids=lambda seed: f"seed{seed}")
def seed(request):
    return request.param


@pytest.fixture(params=[1, 2, 4], ids=lambda n: f"{n}threads")
def n_threads(request):
    return request.param


def _columns(seed):
    """Five columns of unlike scale; the last one is mostly zero."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, 5)) * [1.0, 10.0, 0.1, 1.0, 1.0] + [0.0, 100.0, 0.0, -3.0, 0.0]
    X[:, 4] = np.where(rng.random(N_ROWS) < 0.8, 0.0, X[:, 4])
    return X, rng


@pytest.fixture
def regression_table():
    """X (160, 5) with missing values in two columns, y (160,): a little more than linear."""
    X, rng = _columns(10)
    y = 5.0 + 2.0 * X[:, 0] + 0.3 * X[:, 1] + X[:, 3] ** 2 + 0.1 * rng.normal(size=N_ROWS)
    X[rng.random(N_ROWS) < 0.1, 0] = np.nan
    X[rng.random(N_ROWS) < 0.2, 3] = np.nan
    return X, y


@pytest.fixture
def binary_table():
    """X (160, 5), y (160,) of 0 and 1, some of them noise."""
    X, rng = _columns(11)
    return X, (X[:, 0] + 0.1 * (X[:, 1] - 100.0) + 0.5 * rng.normal(size=N_ROWS) > 0).astype(int)


@pytest.fixture
def multiclass_table():
    """X (160, 5), y (160,) of 0, 1 and 2."""
    X, rng = _columns(12)
    return X, np.digitize(X[:, 0] + 0.3 * rng.normal(size=N_ROWS), [-0.5, 0.5])


@pytest.fixture
def quick_space():
    """Networks that train in milliseconds; 15 epochs, so that every rung is an epoch of its own."""
    return SearchSpace(
        {
            "hidden_layer_sizes": Choice(((8,), (16,), (8, 8))),
            "activation": Choice(("relu", "tanh", "silu")),
            "encoding": Choice(("robust", "standard")),
            "optimizer": "adamw",
            "learning_rate": Float(3e-3, 3e-2, log=True),
            "dropout": Choice((0.0, 0.2)),
            "epochs": 15,
            "batch_size": 32,
        }
    )
