"""Linear models: plain, additive and sparse ones are in every default search."""

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor, Candidate, SearchSpace
from automs.exact import train_exact
from automs.first_models import LINEAR_MODELS, affordable_models, train_linear
from automs.scoring import resolve_metric
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

ENCODINGS = ("standard", "piecewise")
RNG = np.random.default_rng(3)
X = RNG.uniform(-2.0, 2.0, (120, 3))
BUMP = np.abs(X[:, 0]) + 0.1 * X[:, 1]  # a sum of functions of one column each, not of lines


def make_training(n_threads=1):
    target = read_target(BUMP, len(BUMP), classification=False)
    metric = resolve_metric("rmse", "regression", "squared", None)
    splits = make_splits(3, len(BUMP), None, seed=0)
    return Training(read_table(X), target, splits, metric, n_threads=n_threads)


def fit(kind, y, **settings):
    return kind(max_trials=1, baselines=None, random_state=0, **settings).fit(X, y)


@pytest.mark.parametrize(
    ("kind", "y"), [(AutoRegressor, BUMP), (AutoClassifier, np.where(BUMP > 1, "far", "near"))]
)
def test_where_columns_add_up_the_additive_model_beats_the_linear_one(kind, y):
    scores = {trial.name: trial.progress.score for trial in fit(kind, y).trials_}
    assert list(scores)[:3] == ["constant", "linear", "additive"]
    assert scores["additive"] > scores["linear"] > scores["constant"]


def test_a_space_of_the_callers_own_decides_about_encodings():
    space = SearchSpace({"hidden_layer_sizes": (4,), "encoding": "standard", "epochs": 2})
    model = fit(AutoRegressor, BUMP, search_space=space)
    assert {trial.candidate.encoding for trial in model.trials_} == {"standard"}


@pytest.mark.parametrize("n_threads", [1, 4])
def test_paths_of_two_encodings_together_are_those_of_each_alone(n_threads):
    candidates = [
        Candidate((), optimizer="exact", encoding=encoding, l2_penalty=penalty, seed=0)
        for penalty in (1e-3, 1.0)
        for encoding in ENCODINGS
    ]
    together, alone = make_training(n_threads), make_training()
    for training in (together, alone):
        training.add(candidates)
    assert sorted(train_exact(together, range(4))) == [0, 1, 2, 3]
    for number in range(4):
        train_exact(alone, [number])
        for ours, its in zip(together.networks(number), alone.networks(number), strict=True):
            np.testing.assert_allclose(ours.weights[0], its.weights[0], rtol=1e-5, atol=1e-7)


def test_the_additive_model_has_finer_bins_where_rows_are_many(monkeypatch):
    training = make_training()
    n_rows = training.splits[0].train_rows.size
    for rows, encoding in ((n_rows + 1, "piecewise"), (n_rows, "piecewise-fine")):
        monkeypatch.setattr("automs.first_models.FINE_ROWS", rows)
        best = train_linear(training, "auto", 0, None, names=["additive"])
        assert training.candidates[best["additive"]].encoding == encoding


def test_what_one_path_leaves_of_the_time_the_next_may_take(monkeypatch):
    limits = []
    monkeypatch.setattr(
        "automs.exact._solve",
        lambda *a: limits.append(a[3].time_limit) or [None] * len(a[2].penalties),
    )
    training = make_training()
    train_linear(training, "auto", 0, 60.0, names=["linear", "additive"])
    assert len(limits) == 6  # two encodings of three folds each, one after another
    expected = [60.0 / left for left in (6, 5, 4, 3, 2, 1)]
    np.testing.assert_allclose(limits, expected, rtol=0.05)


def test_the_best_penalty_of_each_model_is_kept():
    training = make_training()
    best = train_linear(training, "squared", 0, None, None, tuple(LINEAR_MODELS))
    assert set(best) == set(LINEAR_MODELS)
    progress = training.progress(range(len(training.candidates)))
    for name, number in best.items():
        encoding, setting, penalties = LINEAR_MODELS[name]
        rivals = [
            p.score
            for c, p in zip(training.candidates, progress, strict=True)
            if c.encoding == encoding and getattr(c, setting) > 0
        ]
        assert len(rivals) == len(penalties)
        assert training.candidates[number].encoding == encoding
        assert progress[number].score == max(rivals)
    assert train_linear(training, "absolute", 0, None, None, tuple(LINEAR_MODELS)) == {}
    assert train_linear(training, "squared", 0, None, None, ()) == {}


def test_sparse_models_are_for_few_rows_a_feature():
    names = tuple(LINEAR_MODELS)
    assert affordable_models(make_training(), names, 10.0) == [
        "linear", "additive", "sparse-additive",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [AutoRegressor, AutoClassifier])
def test_among_many_columns_of_noise_a_sparse_model_is_best(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 80))
    y = X[:, 3] - X[:, 7] + 0.5 * rng.normal(size=150)
    y = y if kind is AutoRegressor else np.where(y > 0, "high", "low")
    model = kind(max_trials=1, baselines=None, random_state=0).fit(X, y)
    scores = {trial.name: trial.progress.score for trial in model.trials_}
    assert scores["sparse-linear"] > max(scores["linear"], scores["additive"], scores["net-0000"])
    assert "sparse-linear" in model.ensemble_weights_
