"""Metrics that the engine does not know: each candidate is scored once, and not beyond the time."""

import numpy as np
import pytest

from automs import AutoRegressor, SearchSpace
from automs.exact import train_exact
from automs.first_models import add_constant, train_linear
from automs.own_scores import OwnScores
from automs.scoring import resolve_metric
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

RNG = np.random.default_rng(3)
X = RNG.uniform(-2.0, 2.0, (120, 3))
Y = np.abs(X[:, 0]) + 0.1 * X[:, 1]


class Counted:
    """A metric of one's own that counts its calls."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, y_true, y_pred):
        self.n_calls += 1
        return -float(np.mean(np.abs(y_true - y_pred)))


def test_scores_are_kept_by_best_epochs_and_unknown_ones_wait_for_time():
    asked = []

    def score(number):
        asked.append(number)
        return np.array([float(number), 1.0])

    scores = OwnScores()
    assert scores.of(1, (3, 4), score).tolist() == [1.0, 1.0]
    assert scores.of(1, (3, 4), score).tolist() == [1.0, 1.0]
    scores.of(1, (3, 5), score)
    assert asked == [1, 1]
    with scores.until(lambda: True):
        assert np.isnan(scores.of(2, (1, 1), score)).all()
        assert scores.of(1, (3, 5), score).tolist() == [1.0, 1.0]
        assert scores.of(1, (3, 6), score).tolist() == [1.0, 1.0]  # of an earlier epoch
    assert asked == [1, 1]
    assert scores.of(2, (1, 1), score).tolist() == [2.0, 1.0]


@pytest.mark.parametrize("limit", [None, 0.0])
def test_without_time_the_linear_model_of_the_least_loss_is_scored_alone(limit, monkeypatch):
    metric = Counted()
    target = read_target(Y, len(Y), classification=False)
    training = Training(
        read_table(X), target, make_splits(3, len(Y), None, seed=0),
        resolve_metric(metric, "regression", "squared", None),
    )  # fmt: skip
    training.progress([add_constant(training, "squared", 0.5)])
    metric.n_calls = 0
    if limit is not None:  # solved all the same, as if the time had been for that

        def without_limit(training, numbers, _, look, **options):
            return train_exact(training, numbers, None, look, **options)

        monkeypatch.setattr("automs.first_models.train_exact", without_limit)
    best = train_linear(training, "squared", 0, limit, names=("linear",))
    n_penalties = len(training.candidates) - 1
    own = training.own_scores
    with own.until(lambda: True):
        progress = training.progress(range(1, n_penalties + 1))
    assert np.isfinite(progress[best["linear"] - 1].score)
    if limit is not None:
        assert best["linear"] - 1 == np.argmin([each.loss for each in progress])
    expected = 3 * (n_penalties if limit is None else 1)
    assert metric.n_calls == expected


def test_what_the_time_limit_cuts_is_scored_all_the_same():
    metric = Counted()
    space = SearchSpace({"hidden_layer_sizes": (16,), "epochs": 100_000})
    settings = {"search_space": space, "baselines": None, "random_state": 0, "metric": metric}
    model = AutoRegressor(time_limit=1.5, **settings).fit(X, Y)
    nets = [trial for trial in model.trials_ if trial.solver == "gradient"]
    assert any(trial.state == "TIMED_OUT" for trial in nets)
    assert any(trial.usable for trial in nets)
    assert any(name.startswith("net") for name in model.ensemble_weights_)


def test_a_search_ends_in_time_with_a_model_that_was_scored():
    metric = Counted()
    space = SearchSpace({"hidden_layer_sizes": (4,), "epochs": 3})
    settings = {"search_space": space, "baselines": None, "random_state": 0, "metric": metric}
    model = AutoRegressor(time_limit=0.01, **settings).fit(X, Y)
    assert 0 < metric.n_calls < 200
    assert np.isfinite(model.leaderboard_["score_val"].iloc[0])
