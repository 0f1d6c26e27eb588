"""Candidates as columns: the same bits as a list, no object for each, errors that name a place."""

import numpy as np
import pytest

from automs import Candidate, TrainedCandidate, train_candidates
from automs.candidates import ACTIVATIONS
from automs.columns import to_columns
from automs.setting_columns import SettingColumns

N = 24
RNG = np.random.default_rng(0)
LAYERS = RNG.integers(0, 9, size=(N, 3))
SETTINGS = {
    "hidden_layer_sizes": LAYERS,
    "activation": RNG.choice(ACTIVATIONS, N),
    "learning_rate": RNG.uniform(1e-3, 1e-2, N),
    "optimizer": np.where(RNG.random(N) < 0.5, "adamw", "sgd"),
    "weight_decay": RNG.uniform(0, 0.1, N),
    "encoding": np.where(np.arange(N) % 3 == 0, "standard", "robust"),
    "embedding_size": RNG.integers(0, 3, N),
    "residual": RNG.random(N) < 0.5,
    "loss": np.array(["squared", "auto", "huber"])[np.arange(N) % 3],
    "epochs": RNG.integers(1, 4, N),
    "dropout": 0.1,
}


def as_list(settings, n):
    """Give the same candidates one by one."""
    rows = []
    for i in range(n):
        row = {k: v[i].item() if np.ndim(v) == 1 else v for k, v in settings.items()}
        row["hidden_layer_sizes"] = tuple(int(size) for size in LAYERS[i] if size)
        rows.append(Candidate(**row))
    return rows


def test_columns_are_the_candidates_of_the_list():
    columns = SettingColumns(SETTINGS, seed=3)
    seeds = columns.column("seed")
    assert [c.settings() | {"seed": None} for c in columns] == [
        c.settings() for c in as_list(SETTINGS, N)
    ]
    expected = to_columns(list(columns), seeds, "regression")
    given = columns.engine_columns("regression")
    for name, column in expected.items():
        np.testing.assert_array_equal(given[name], column, err_msg=name)
        assert given[name].dtype == column.dtype, name


def test_columns_train_to_the_bits_of_the_list(regression_table, n_threads):
    settings = {"validation": 3, "random_state": 5}
    listed = train_candidates(as_list(SETTINGS, N), *regression_table, n_jobs=1, **settings)
    results = train_candidates(SETTINGS, *regression_table, n_jobs=n_threads, **settings)
    assert results.state.tolist() == [r.state for r in listed]
    assert results.epoch.tolist() == [r.epoch for r in listed] == SETTINGS["epochs"].tolist()
    np.testing.assert_array_equal(results.score, [r.score for r in listed])
    np.testing.assert_array_equal(results.fold_scores, [r.fold_scores for r in listed])
    assert [r.predictor().to_bytes() for r in results] == [r._model for r in listed]
    assert [r.candidate for r in results[2:4]] == [r.candidate for r in listed[2:4]]
    assert isinstance(results[-1], TrainedCandidate)
    with pytest.raises(IndexError):
        results[N]


def test_a_result_of_columns_goes_on_by_itself(regression_table):
    columns = {"hidden_layer_sizes": np.array([4, 6]), "seed": np.array([1, 2])}
    whole = train_candidates(columns, *regression_table)
    paused = train_candidates(columns, *regression_table, epochs=3)
    assert paused.epoch.tolist() == [3, 3]
    assert np.isnan(paused.score).all()
    ended = train_candidates([paused[1]], *regression_table)[0]
    np.testing.assert_array_equal(ended.weights[0][0], whole[1].weights[0][0])


def test_a_metric_of_ones_own_and_a_loser_are_scored(regression_table):
    columns = {"learning_rate": [0.01, 1e30], "optimizer": "sgd", "hidden_layer_sizes": (4,)}

    def metric(y, predicted):
        return -np.abs(y - predicted).max()

    settings = {"validation": 2, "metric": metric, "random_state": 0}
    results = train_candidates(columns, *regression_table, **settings)
    assert results.state.tolist() == ["COMPLETE", "DIVERGED"]
    listed = [Candidate((4,), optimizer="sgd", learning_rate=rate) for rate in (0.01, 1e30)]
    listed = train_candidates(listed, *regression_table, **settings)
    assert results.score.tolist() == [r.score for r in listed]
    assert results.score[1] == -np.inf


def test_many_candidates_make_no_object_each(regression_table, monkeypatch):
    made = []
    check = Candidate.__post_init__
    monkeypatch.setattr(Candidate, "__post_init__", lambda self: made.append(1) or check(self))
    X, y = regression_table
    rates = np.linspace(1e-3, 1e-2, 3000)
    results = train_candidates(
        {"learning_rate": rates, "hidden_layer_sizes": (), "epochs": 1}, X[:8], y[:8]
    )
    assert len(results) == 3000
    assert len(made) < 10


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"learning_rate": [0.1, -1.0]}, ValueError, ["learning_rate[1]", "-1.0"]),
        ({"learning_rate": [0.1, np.nan]}, ValueError, ["learning_rate[1]", "nan"]),
        ({"learning_rate": ["a", "b"]}, TypeError, ["learning_rate[0]", "real"]),
        ({"epochs": [1.5, 2.0]}, TypeError, ["epochs[0]", "whole"]),
        ({"epochs": np.array([3, 0])}, ValueError, ["epochs[1]", ">= 1", "0"]),
        ({"activation": ["relu", "rely"]}, ValueError, ["activation[1]", "rely"]),
        ({"activation": np.array([1, 2])}, TypeError, ["activation[0]", "1"]),
        ({"residual": np.array([1, 0])}, TypeError, ["residual[0]", "True or False"]),
        ({"hidden_layer_sizes": np.array([[3, 1], [2, -1]])}, ValueError,
         ["hidden_layer_sizes[1, 1]", "-1"]),
        ({"hidden_layer_sizes": np.ones((2, 65), int)}, ValueError, ["64", "65"]),
        ({"hidden_layer_sizes": np.ones((2, 2, 2), int)}, ValueError, ["(2, 2, 2)"]),
        ({"dropout": [0.1, 0.2, 0.3]}, ValueError, ["equally long", "dropout", "3"]),
        ({"weight_decay": [0.0, 0.5]}, ValueError, ["weight_decay", "adamw", "0.5"]),
        ({"optimizer": ["adam", "exact"]}, ValueError, ["exact", "list"]),
        ({"optimizer": "exact", "hidden_layer_sizes": ()}, ValueError, ["exact", "list"]),
        ({"loss": ["squared", "cross_entropy"]}, ValueError, ["loss", "1 of 2"]),
        ({"learning_rate": [], "seed": []}, ValueError, ["at least one"]),
        ({"learning_rate": 0.1, "seed": 3}, ValueError, ["array", "single"]),
        ({"depth": [1, 2]}, ValueError, ["depth", "nearest"]),
    ],
)  # fmt: skip
def test_a_bad_column_is_named_with_its_place(change, error, words, regression_table):
    with pytest.raises(error) as raised:
        train_candidates({"seed": np.array([1, 2])} | change, *regression_table)
    assert not [word for word in words if word not in str(raised.value)], str(raised.value)
