"""Scores against scikit-learn's, the metric registry, and where a score is undefined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from automs.scoring import resolve_metric, score_predictions

# Sums of at most a few hundred terms in another order: some ulps.
TOLERANCE = 1e-11


def regression_sample(seed, n_rows, n_outputs):
    rng = np.random.default_rng(seed)
    y = rng.poisson(2.0, (n_rows, n_outputs)).astype(float)
    predictions = rng.uniform(0.1, 4.0, (n_rows, n_outputs))
    return predictions, y, rng.uniform(0.0, 2.0, n_rows)


def class_sample(seed, n_rows, n_classes, levels=6):
    """Probabilities of few levels, so that ties abound; every class occurs."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, levels, (n_rows, n_classes)).astype(float)
    classes = rng.integers(0, n_classes, n_rows)
    classes[:n_classes] = np.arange(n_classes)
    weights = rng.integers(0, 4, n_rows) / 2.0
    weights[:n_classes] = 1.0
    return raw / raw.sum(axis=1, keepdims=True), classes, weights


def sklearn_regression(name, y, predictions, weights):
    if name == "rmse":
        return -sk.root_mean_squared_error(y, predictions, sample_weight=weights)
    if name == "mse":
        return -sk.mean_squared_error(y, predictions, sample_weight=weights)
    if name == "mae":
        return -sk.mean_absolute_error(y, predictions, sample_weight=weights)
    if name == "pinball":
        return -sk.mean_pinball_loss(y, predictions, sample_weight=weights, alpha=0.2)
    if name == "r2":
        return sk.r2_score(y, predictions, sample_weight=weights)
    deviances = [
        sk.mean_poisson_deviance(y[:, j], predictions[:, j], sample_weight=weights)
        for j in range(y.shape[1])
    ]
    return -np.mean(deviances)


def sklearn_classification(name, y, probabilities, weights):
    n_classes = probabilities.shape[1]
    guesses = probabilities.argmax(axis=1)
    if name == "log_loss":
        # The probabilities' first argument changed its name in scikit-learn 1.9.
        return -sk.log_loss(y, probabilities, sample_weight=weights, labels=range(n_classes))
    if name == "roc_auc":
        scores = probabilities[:, 1] if n_classes == 2 else probabilities
        return sk.roc_auc_score(y, scores, sample_weight=weights, multi_class="ovr")
    if name == "accuracy":
        return sk.accuracy_score(y, guesses, sample_weight=weights)
    if name == "balanced_accuracy":
        return sk.balanced_accuracy_score(y, guesses, sample_weight=weights)
    average = "binary" if n_classes == 2 else "macro"
    return sk.f1_score(y, guesses, sample_weight=weights, average=average, zero_division=0.0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", ["rmse", "mse", "mae", "r2", "pinball", "poisson_deviance"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(2, 200))
def test_regression_score_equals_scikit_learn(name, n_outputs, weighted, seed, n_rows):
    predictions, y, weights = regression_sample(seed, n_rows, n_outputs)
    weights = weights if weighted else None
    ours = score_predictions(resolve_metric(name, "regression"), predictions, y, weights, 0.2)
    if name == "r2" and (np.ptp(y, axis=0) == 0).any():
        return  # scikit-learn's mean of a constant may be rounded, and its R2 then is no number
    expected = sklearn_regression(name, y, predictions, weights)
    assert ours == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(4, 900))
def test_classification_score_equals_scikit_learn(name, n_classes, weighted, seed, n_rows):
    probabilities, classes, weights = class_sample(seed, n_rows, n_classes)
    weights = weights if weighted else None
    task = "binary" if n_classes == 2 else "multiclass"
    y = classes.astype(float)
    ours = score_predictions(resolve_metric(name, task), probabilities, y, weights)
    expected = sklearn_classification(name, classes, probabilities, weights)
    assert ours == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("scale", [1e-300, 1e-8, 1.0])
def test_roc_auc_equals_scikit_learn_for_values_of_any_size(scale):
    rng = np.random.default_rng(3)
    column = rng.normal(size=5000) * scale
    y = (rng.random(5000) < 0.3).astype(float)
    ours = score_predictions(
        resolve_metric("roc_auc", "binary"), np.column_stack([-column, column]), y
    )
    assert ours == pytest.approx(sk.roc_auc_score(y, column), rel=TOLERANCE)


def test_log_loss_clips_certain_probabilities_as_scikit_learn_does():
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    y = np.array([1.0, 1.0, 0.0])
    ours = score_predictions(resolve_metric("log_loss", "binary"), probabilities, y)
    assert ours == pytest.approx(-sk.log_loss(y, probabilities), rel=TOLERANCE)


def test_roc_auc_leaves_out_absent_classes():
    probabilities, classes, _ = class_sample(1, 60, 4)
    keep = classes != 3
    ours = score_predictions(
        resolve_metric("roc_auc", "multiclass"), probabilities[keep], classes[keep].astype(float)
    )
    areas = [sk.roc_auc_score(classes[keep] == j, probabilities[keep, j]) for j in range(3)]
    assert ours == pytest.approx(np.mean(areas), rel=TOLERANCE)


@pytest.mark.parametrize("name", ["log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"])
def test_undefined_scores_are_nan(name):
    probabilities, classes, weights = class_sample(2, 30, 2)
    metric = resolve_metric(name, "binary")
    y = classes.astype(float)
    assert np.isnan(score_predictions(metric, probabilities, y, np.zeros_like(weights)))
    assert np.isnan(score_predictions(metric, probabilities[:0], y[:0]))
    probabilities[3, 1] = np.nan
    assert np.isnan(score_predictions(metric, probabilities, y))


def test_roc_auc_of_one_class_is_nan():
    probabilities, classes, _ = class_sample(2, 30, 2)
    metric = resolve_metric("roc_auc", "binary")
    assert np.isnan(score_predictions(metric, probabilities, np.ones(len(classes))))


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        ("auto", "rmse"),
        ("squared", "rmse"),
        ("absolute", "mae"),
        ("huber", "mae"),
        ("quantile", "pinball"),
        ("poisson", "poisson_deviance"),
        ("squared_log", "mae"),
    ],
)
def test_auto_goes_with_the_loss(loss, name):
    assert resolve_metric("auto", "regression", loss).name == name
    for task in ("binary", "multiclass"):
        metric = resolve_metric("auto", task)
        assert metric.name == "log_loss"
        assert metric.needs_probabilities
        assert metric.is_classification


@pytest.mark.parametrize(
    ("alias", "task", "name"),
    [
        ("neg_root_mean_squared_error", "regression", "rmse"),
        ("neg_mean_squared_error", "regression", "mse"),
        ("neg_mean_absolute_error", "regression", "mae"),
        ("neg_mean_poisson_deviance", "regression", "poisson_deviance"),
        ("neg_log_loss", "binary", "log_loss"),
        ("roc_auc_ovr", "multiclass", "roc_auc"),
        ("f1_macro", "multiclass", "f1"),
    ],
)
def test_scorer_names_are_aliases(alias, task, name):
    assert alias in sk.get_scorer_names()
    assert resolve_metric(alias, task).name == name


@pytest.mark.parametrize(
    ("metric", "task"),
    [("rmse", "binary"), ("roc_auc", "regression"), ("f1_samples", "binary"), ("r3", "regression")],
)
def test_a_metric_of_another_task_is_refused_by_name(metric, task):
    with pytest.raises(ValueError, match=f"metric must be one of auto, .* {task} .*'{metric}'"):
        resolve_metric(metric, task)


@pytest.mark.parametrize("metric", [3, None, sk.make_scorer(sk.r2_score)])
def test_what_is_no_metric_is_refused(metric):
    with pytest.raises(TypeError, match=r"metric must be a name or a function of \(y_true, y_pred"):
        resolve_metric(metric, "regression")
    with pytest.raises(ValueError, match="task must be one of"):
        resolve_metric("rmse", "clustering")


def test_a_function_gets_labels_in_their_original_form():
    labels = np.array(["no", "yes"])

    def share_of_yes(y_true, y_pred):
        assert list(y_true) == ["yes", "no", "yes"]
        return float((y_pred == "yes").mean())

    metric = resolve_metric(share_of_yes, "binary", decode=lambda classes: labels[classes])
    assert (metric.name, metric.native) == ("share_of_yes", False)
    probabilities = np.array([[0.2, 0.8], [0.5, 0.5], [0.4, 0.6]])
    assert score_predictions(metric, probabilities, np.array([1.0, 0.0, 1.0])) == 2 / 3


def test_a_function_gets_values_of_one_output_as_a_vector():
    metric = resolve_metric(lambda y_true, y_pred: -np.abs(y_true - y_pred).max(), "regression")
    assert not metric.is_classification
    metric.function.__name__ = "accuracy"
    named_alike = resolve_metric(metric.function, "regression")
    assert not named_alike.is_classification
    assert score_predictions(metric, np.array([[1.0], [4.0]]), np.array([1.0, 2.0])) == -2.0
    two = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert score_predictions(metric, two, two + 0.5) == -0.5
    assert np.isnan(score_predictions(metric, two * np.nan, two))


@pytest.mark.parametrize(
    ("predictions", "y", "weights", "message"),
    [
        (np.ones((3, 2)), np.ones(3), None, "y must hold class indices|as many columns"),
        (np.ones((3, 1)), np.ones(2), None, "y must have length 3, got 2"),
        (np.ones((3, 1)), np.ones(3), np.ones(4), "weights must have length 3, got 4"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(predictions, y, weights, message):
    with pytest.raises(ValueError, match=message):
        score_predictions(resolve_metric("rmse", "regression"), predictions, y, weights)
