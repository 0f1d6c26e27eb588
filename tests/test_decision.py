"""What a fit decides after its search: temperature, labels and bounds, in the model file."""

import numpy as np
import pytest

import automs.searched
from automs import AutoClassifier, AutoRegressor, Choice, Float, SearchSpace, load_predictor
from automs.calibration import tempered
from automs.decision import Decision
from automs.scoring import resolve_metric, score_predictions

QUICK = SearchSpace(
    {
        "hidden_layer_sizes": Choice(((8,), (16,))), "optimizer": "adamw", "epochs": 15,
        "learning_rate": Float(3e-3, 3e-2, log=True), "batch_size": 32,
    }
)  # fmt: skip
# Labels are smoothed so much that probabilities are too shy.
TOO_SHY = SearchSpace(
    {"hidden_layer_sizes": (32,), "epochs": 60, "learning_rate": 0.01, "label_smoothing": 0.4}
)


def rare_table(seed=0, n_rows=1200):
    """A rare class that no model can be sure of."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 4))
    p = 1.0 / (1.0 + np.exp(2.6 - 1.2 * X[:, 0]))
    return X, np.where(rng.random(n_rows) < p, "yes", "no")


def fit(estimator, X, y, **settings):
    quick = {"max_trials": 4, "baselines": None, "random_state": 0, "search_space": QUICK}
    settings = quick | settings
    return estimator(**settings).fit(X, y)


def undecided(monkeypatch):
    monkeypatch.setattr(
        automs.searched, "make_decision", lambda _, ensemble, *__: Decision(ensemble.fold_scores)
    )


def score(metric, model, X, y):
    values = model.predict_proba(X) * (
        1.0 if model.predictor_.label_factors is None else model.predictor_.label_factors
    )
    codes = np.searchsorted(model.classes_, y).astype(float)
    return score_predictions(resolve_metric(metric, "binary"), values, codes)


@pytest.mark.parametrize("metric", ["f1", "matthews_corrcoef", "balanced_accuracy"])
def test_a_metric_of_labels_gets_its_threshold_and_leaves_probabilities(
    metric, monkeypatch, tmp_path
):
    X, y = rare_table()
    model = fit(AutoClassifier, X, y, metric=metric)
    factors = model.predictor_.label_factors
    threshold = factors[0] / factors.sum()
    assert threshold < 0.45
    probabilities = model.predict_proba(X)
    expected = np.where(probabilities[:, 1] > threshold, "yes", "no")
    np.testing.assert_array_equal(model.predict(X), expected)
    assert f"label 'yes' from a probability of {threshold:.3g} on" in model.summary()
    model.predictor_.save(tmp_path / "model")
    loaded = load_predictor(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X), expected)
    assert [loaded.predict_one(row) for row in X[:50]] == expected[:50].tolist()

    undecided(monkeypatch)
    plain = fit(AutoClassifier, X, y, metric=metric)
    np.testing.assert_array_equal(plain.predict_proba(X), probabilities)
    new, truth = rare_table(1, 4000)
    assert score(metric, model, new, truth) > score(metric, plain, new, truth) + 0.02
    # The score tells of rows that did not choose the threshold; 1200 rows have some noise.
    promised = model.predictor_.metadata["score_val"]
    assert promised == pytest.approx(score(metric, model, new, truth), abs=0.1)


def test_metrics_of_ranks_leave_everything_as_it_is():
    X, y = rare_table()
    model = fit(AutoClassifier, X, y, metric="average_precision")
    assert model.predictor_.label_factors is None
    assert not {"temperature", "label_factors"} & set(model.predictor_.metadata)


@pytest.mark.parametrize("labels", [("no", "yes"), ("a", "b", "c")], ids=len)
def test_a_temperature_is_in_the_weights_of_the_model(labels, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    # A rule that no linear model knows.
    noisy = 3.0 * np.abs(X[:, 0]) - 2.0 + 0.5 * rng.normal(size=400)
    codes = np.digitize(noisy, [0.0, 1.0][: len(labels) - 1])
    y = np.array(labels)[codes]
    settings = {
        "search_space": TOO_SHY,
        "max_trials": 1, "validation": (X[200:], y[200:]), "ensemble_size": 1,
        "metric": "neg_brier_score",
    }  # fmt: skip
    model = fit(AutoClassifier, X[:200], y[:200], **settings)
    undecided(monkeypatch)
    plain = fit(AutoClassifier, X[:200], y[:200], **settings)
    notes = model.predictor_.metadata
    assert list(model.ensemble_weights_) == list(plain.ensemble_weights_)
    assert notes["temperature"] < 0.9
    assert "probabilities: logits divided by" in model.summary()
    expected = tempered(plain.predict_proba(X), notes["temperature"])
    # Weights are float32, and so are logits.
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)
    assert plain.predictor_.metadata["score_val"] < notes["score_val"]


def test_predictions_keep_within_the_range_of_the_target():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.tanh(2.0 * X[:, 0]) + 0.1 * rng.normal(size=300)
    model = fit(AutoRegressor, X, y)
    assert model.predictor_.metadata["bounded"]
    far = model.predict(1e3 * X)
    assert far.min() >= y.min()
    assert far.max() <= y.max()


def test_a_trend_goes_on_where_the_last_rows_are_validated():
    X = np.arange(400.0)[:, None]
    y = 2.0 * X[:, 0] + np.random.default_rng(0).normal(size=400)
    model = fit(AutoRegressor, X, y, validation="time", ensemble_size=1)
    assert not model.predictor_.metadata["bounded"]
    assert model.predict([[500.0]])[0] == pytest.approx(1000.0, rel=0.05)


def test_a_metric_of_logarithms_is_searched_for_and_defined_everywhere():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = np.exp(X[:, 0] + 0.2 * rng.normal(size=300)) - 0.04
    model = fit(AutoRegressor, X, np.maximum(y, 0.0), metric="neg_root_mean_squared_log_error")
    assert -0.6 < model.predictor_.metadata["score_val"] < 0.0
    assert model.predict(10.0 * X).min() >= 0.0


@pytest.mark.parametrize("metric", ["f1", "log_loss"])
def test_decisions_are_the_same_for_any_number_of_jobs(metric):
    X, y = rare_table(3, 400)
    first, second = (fit(AutoClassifier, X, y, metric=metric, n_jobs=n) for n in (1, 2))
    assert first.predictor_.to_bytes() == second.predictor_.to_bytes()
