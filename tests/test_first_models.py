"""Models in closed form: linear and additive ones are in every default search."""

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor, Candidate, SearchSpace
from automs.exact import train_exact
from automs.first_models import train_linear
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


def test_the_best_penalty_of_each_encoding_is_kept():
    training = make_training()
    best = train_linear(training, "squared", 0, None, None, ENCODINGS)
    assert set(best) == set(ENCODINGS)
    progress = training.progress(range(len(training.candidates)))
    for encoding, number in best.items():
        rivals = [
            p.score
            for c, p in zip(training.candidates, progress, strict=True)
            if c.encoding == encoding
        ]
        assert training.candidates[number].encoding == encoding
        assert progress[number].score == max(rivals)
    assert train_linear(training, "absolute", 0, None, None, ENCODINGS) == {}
    assert train_linear(training, "squared", 0, None, None, ()) == {}
