"""Baselines: scikit-learn's own predictions, from a process that always ends."""

import time

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from automs.baselines import BASELINES, BaselineProcess, resolve_baselines

N_ROWS = 90
FOLDS = [
    (np.flatnonzero(np.arange(N_ROWS) % 3 != k).astype(np.int32),
     np.flatnonzero(np.arange(N_ROWS) % 3 == k).astype(np.int32))
    for k in range(2)
]  # fmt: skip


def sample(n_targets=1, n_classes=0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 4))
    y = X[:, :n_targets] + 0.2 * rng.normal(size=(N_ROWS, n_targets))
    if n_classes:
        y = np.clip(np.round(y + 1.0), 0.0, n_classes - 1.0)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X, y, rng.uniform(0.5, 2.0, N_ROWS)


def sklearn_predictions(models, X, y, weights, n_classes):
    """Fit each model in this process: its predictions, one array a fold."""
    target = y[:, 0] if y.shape[1] == 1 else y
    predictions = []
    for model in models:
        step = model.__class__.__name__.lower()
        parts = []
        for train, held_out in FOLDS:
            imputer = SimpleImputer(add_indicator=True, keep_empty_features=True)
            pipeline = make_pipeline(imputer, StandardScaler(), model)
            row_weights = None if weights is None else weights[train]
            pipeline.fit(X[train], target[train], **{f"{step}__sample_weight": row_weights})
            predict = pipeline.predict_proba if n_classes else pipeline.predict
            parts.append(predict(X[held_out]).reshape(len(held_out), -1))
        predictions.append(parts)
    return predictions


@pytest.mark.parametrize(
    ("n_targets", "n_classes", "models"),
    [
        (2, 0, [DummyRegressor(), RidgeCV(alphas=np.logspace(-3, 3, 13))]),
        (1, 3, [DummyClassifier(strategy="prior"), LogisticRegression(max_iter=1000)]),
    ],
    ids=["two targets", "classes"],
)
def test_predictions_are_those_of_the_same_models_in_this_process(n_targets, n_classes, models):
    X, y, weights = sample(n_targets, n_classes)
    if n_classes:  # the last class is not among the training rows of the first fold
        y[FOLDS[0][0]] = np.minimum(y[FOLDS[0][0]], 1.0)
    process = BaselineProcess(BASELINES, X, y, FOLDS, n_classes, weights)
    results = process.finish(60.0)
    assert process._process.poll() is not None
    assert [r.name for r in results] == [type(m).__name__ for m in models]
    expected = sklearn_predictions(models, X, y, weights, n_classes)
    for result, parts in zip(results, expected, strict=True):
        assert result.reason == ""
        assert result.fit_time > 0.0
        assert result.predict_time > 0.0
        for got, wanted in zip(result.predictions, parts, strict=True):
            # The child has one thread for its matrix products, which may sum in another order.
            n_seen = wanted.shape[1]
            np.testing.assert_allclose(got[:, :n_seen], wanted, rtol=1e-9, atol=1e-9)
            np.testing.assert_array_equal(got[:, n_seen:], 0.0)
    assert [p.shape for p in results[0].predictions] == [(30, n_classes or n_targets)] * 2


def test_a_baseline_that_fails_is_a_result_with_its_reason_and_holds_up_no_other():
    X, _, _ = sample()
    one_class = np.zeros((N_ROWS, 1))
    results = BaselineProcess(BASELINES, X, one_class, FOLDS, 2).finish(60.0)
    assert [r.name for r in results] == ["DummyClassifier", "LogisticRegression"]
    assert results[0].predictions is not None
    assert results[1].predictions is None
    assert results[1].reason.startswith("ValueError: ")
    assert "class" in results[1].reason


def test_at_its_deadline_the_process_is_ended_and_the_rest_reported_as_late():
    X, y, _ = sample()
    start = time.perf_counter()
    process = BaselineProcess(BASELINES, X, y, FOLDS, 0)
    results = process.finish(0.0)
    assert [r.name for r in results] == [names[0] for names in BASELINES.values()]
    assert all(r.predictions is None for r in results)
    assert {r.reason for r in results} == {"not finished at its deadline"}
    assert process._process.poll() is not None
    assert not process._exchange.is_alive()
    # It does not even come to import scikit-learn; this bound is for a machine under load.
    assert time.perf_counter() - start < 5.0


def test_a_process_that_dies_is_reported_without_waiting_for_the_deadline():
    X, y, _ = sample()
    process = BaselineProcess(["linear"], X, y, FOLDS, 0)
    process._process.kill()
    start = time.perf_counter()
    (result,) = process.finish(60.0)
    assert time.perf_counter() - start < 10.0
    assert result.predictions is None
    assert result.reason == "its process failed"


def test_closing_twice_or_after_the_end_is_harmless_and_leaves_no_process():
    X, y, _ = sample()
    process = BaselineProcess(["constant"], X, y, FOLDS, 0)
    process.close()
    process.close()
    assert process._process.poll() is not None
    assert all(stream.closed for stream in (process._process.stdin, process._process.stdout))
    assert process.finish(1.0)[0].predictions is None


def test_more_rows_than_a_pipe_holds_do_not_block_a_close():
    X = np.zeros((400_000, 4))
    process = BaselineProcess(["linear"], X, X[:, :1], FOLDS, 0)
    start = time.perf_counter()
    process.close()
    assert time.perf_counter() - start < 5.0
    assert process._process.poll() is not None


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        (None, ()),
        (False, ()),
        ([], ()),
        ("auto", tuple(BASELINES)),
        ("linear", ("linear",)),
        (("linear", "constant", "linear"), tuple(BASELINES)),
    ],
)
def test_names_of_baselines_resolve_cheapest_first(baselines, expected):
    assert resolve_baselines(baselines) == expected


@pytest.mark.parametrize("baselines", ["forest", ["linear", "forest"]])
def test_an_unknown_baseline_is_named_beside_the_known_ones(baselines):
    with pytest.raises(ValueError, match=r"baselines must be .*constant, linear, got 'forest'"):
        resolve_baselines(baselines)


@pytest.mark.parametrize("baselines", [3, True])
def test_baselines_of_another_type_are_a_type_error(baselines):
    with pytest.raises(TypeError, match=f"baselines must be .* got {baselines}"):
        resolve_baselines(baselines)
