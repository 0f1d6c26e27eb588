"""Baselines beside the model: who is ahead, by how much noise, and what `fit` says of it."""

import logging
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor, BaselineWarning, SearchSpace
from automs.baseline_problem import BaselineResult
from automs.comparison import compare_with_baselines
from automs.scoring import resolve_metric, score_predictions
from automs.splits import Split

RMSE = resolve_metric("rmse", "regression")


class Stub:
    """A training of which only validation rows and the members' predictions are asked."""

    def __init__(self, y, members, n_folds=1, metric=RMSE, weights=None):
        rows = np.arange(len(y), dtype=np.int32)
        self.parts = np.array_split(rows, n_folds)
        self.splits = [Split(np.setdiff1d(rows, part), part) for part in self.parts]
        self.target = SimpleNamespace(values=y.reshape(-1, 1))
        self.metric, self.sample_weight, self.members = metric, weights, members
        self.candidates = [SimpleNamespace(quantile=0.5)]

    def cut(self, predictions):
        return [predictions[part].reshape(len(part), -1) for part in self.parts]

    def validation_predictions(self, numbers):
        return [self.cut(self.members[n]) for n in numbers]

    def fold_scores(self, _candidate, predictions):
        return np.array([
            score_predictions(self.metric, p, self.target.values[part],
                              None if self.sample_weight is None else self.sample_weight[part])
            for p, part in zip(predictions, self.parts, strict=True)
        ])  # fmt: skip

    def ensemble(self):
        n = len(self.members)
        mean = sum(self.members) / n
        trials = [SimpleNamespace(number=i) for i in range(n)]
        scores = self.fold_scores(0, self.cut(mean))
        return SimpleNamespace(members=trials, weights=[1.0 / n] * n, fold_scores=scores)

    def compare(self, *baselines, seed=0):
        results = [BaselineResult(f"b{i}", self.cut(p)) for i, p in enumerate(baselines)]
        return compare_with_baselines(self, self.ensemble(), results, seed)


def noisy(n_rows, *deviations, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_rows)
    return y, [y + d * rng.normal(size=n_rows) for d in deviations]


@pytest.mark.parametrize("n_folds", [1, 5])
def test_a_baseline_far_ahead_is_beyond_the_noise_and_the_best_one_is_named(n_folds):
    y, (ours, far, farther) = noisy(400, 1.0, 0.6, 0.2)
    found = Stub(y, [ours], n_folds).compare(far, farther)
    assert found.name == "b1"
    assert found.beyond_noise
    assert found.baseline_score == pytest.approx(-0.2, rel=0.2)
    assert found.model_score == pytest.approx(-1.0, rel=0.2)


@pytest.mark.parametrize("n_folds", [1, 5])
def test_a_model_that_is_ahead_or_equal_is_no_news(n_folds):
    y, (ours, behind) = noisy(400, 0.5, 1.0)
    assert Stub(y, [ours], n_folds).compare(behind, ours) is None
    assert Stub(y, [ours], n_folds).compare() is None


def test_a_hairs_breadth_is_within_the_noise():
    """Both are as good: in half of the draws one is ahead, and seldom by two standard errors."""
    n_ahead, n_beyond, n_far = 0, 0, 0
    for seed in range(60):
        y, (ours, theirs) = noisy(300, 1.0, 1.0, seed=seed)
        found = Stub(y, [ours]).compare(theirs)
        if found is not None:
            n_ahead += 1
            n_beyond += found.beyond_noise
            n_far += found.baseline_score - found.model_score > 2.5 * found.noise
    assert n_ahead > 15
    assert 0 < n_beyond < n_ahead
    assert n_far <= 3


def test_the_noise_of_a_hold_out_is_that_of_the_mean_whatever_the_rows_drawn_from():
    """For the mean squared error the standard error has a formula to compare with."""
    metric = resolve_metric("mse", "regression")
    for n_rows in (1_000, 10_000):  # all rows, and a part of them
        y, (ours, theirs) = noisy(n_rows, 1.0, 0.98)
        found = Stub(y, [ours], metric=metric).compare(theirs)
        differences = (theirs - y) ** 2 - (ours - y) ** 2
        expected = differences.std(ddof=1) / math.sqrt(n_rows)
        assert found.noise == pytest.approx(expected, rel=0.2)  # 200 draws: 5 % and the rows' own


def test_the_noise_of_folds_is_the_standard_error_of_their_differences():
    y, (ours, theirs) = noisy(500, 1.0, 0.8)
    stub = Stub(y, [ours], 5)
    found = stub.compare(theirs)
    differences = stub.fold_scores(0, stub.cut(theirs)) - stub.fold_scores(0, stub.cut(ours))
    assert found.noise == pytest.approx(differences.std(ddof=1) / math.sqrt(5), rel=1e-12)


def test_the_seed_fixes_the_noise_and_the_ensemble_is_its_members_mean():
    y, (one, two, theirs) = noisy(200, 1.0, 1.0, 0.1)
    weights = np.random.default_rng(1).uniform(0.5, 2.0, 200)
    stub = Stub(y, [one, two], weights=weights)
    assert stub.compare(theirs) == stub.compare(theirs)
    assert stub.compare(theirs).noise != stub.compare(theirs, seed=1).noise
    alone = Stub(y, [(one + two) / 2], weights=weights)
    assert stub.compare(theirs).noise == pytest.approx(alone.compare(theirs).noise, rel=1e-9)


def test_a_function_that_fails_for_some_rows_is_a_metric_too():
    def moody(y_true, y_pred):
        if len(np.unique(y_true)) < len(y_true):  # as every resample is
            raise ValueError("each row once, please")
        return -float(np.mean(np.abs(y_true - y_pred)))

    y, (ours, theirs) = noisy(50, 1.0, 0.1)
    found = Stub(y, [ours], metric=resolve_metric(moody, "regression")).compare(theirs)
    assert math.isnan(found.noise)
    assert not found.beyond_noise


def test_baselines_without_predictions_or_scores_do_not_count():
    y, (ours,) = noisy(50, 1.0)
    stub = Stub(y, [ours])
    missing = [BaselineResult("a", None), BaselineResult("b", [np.full((50, 1), np.nan)])]
    assert compare_with_baselines(stub, stub.ensemble(), missing, 0) is None
    assert Stub(y[:1], [ours[:1]]).compare(y[:1]).noise != 0.0, "one row tells of no noise"


HOPELESS = SearchSpace({"hidden_layer_sizes": (2,), "optimizer": "sgd", "learning_rate": 1e-9,
                        "epochs": 1})  # fmt: skip


@pytest.mark.parametrize("validation", [3, 0.3])
def test_fit_warns_where_a_baseline_wins_by_more_than_noise(validation):
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(300, 2))
    y = np.where(X[:, 0] * X[:, 1] > 0, 1.0, -1.0)  # nothing that is linear
    model = AutoRegressor(
        max_trials=1, search_space=HOPELESS, baselines=["hist_gradient_boosting"],
        validation=validation, random_state=0,
    )  # fmt: skip
    with pytest.warns(BaselineWarning, match=r"HistGradientBoostingRegressor .* noise") as caught:
        model.fit(X, y)
    assert [w.filename for w in caught if w.category is BaselineWarning] == [__file__]
    assert model.leaderboard_["kind"][0] == "baseline"


def test_within_the_noise_fit_says_it_to_the_log_alone(caplog):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(200, 3))
    y = (X[:, 0] + rng.normal(size=200) > 0).astype(int)
    n_said = 0
    for seed in range(4):
        with warnings.catch_warnings(), caplog.at_level(logging.INFO, logger="automs"):
            warnings.simplefilter("error")
            caplog.clear()
            AutoClassifier(
                max_trials=1, search_space=HOPELESS, baselines=["linear"], random_state=seed,
                validation=3, ensemble_size=1,
            ).fit(X, y)  # fmt: skip
        n_said += "the baseline LogisticRegression" in caplog.text
    assert n_said > 0, "two linear models, of which either may be ahead by a hair"
