"""Every scorer of scikit-learn that fits a prediction has its twin here, weights included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from automs.label_metrics import LABEL_SCORES, confusion_matrix
from automs.scoring import resolve_metric, score_predictions

# Sums of at most a few hundred terms in another order: some ulps.
TOLERANCE = 1e-10
CLUSTERINGS = {
    "adjusted_mutual_info_score", "adjusted_rand_score", "completeness_score",
    "fowlkes_mallows_score", "homogeneity_score", "mutual_info_score",
    "normalized_mutual_info_score", "rand_score", "v_measure_score",
}  # fmt: skip
OF_SEVERAL_LABELS = {"f1_samples", "jaccard_samples", "precision_samples", "recall_samples"}
OF_TWO_CLASSES = {"positive_likelihood_ratio", "neg_negative_likelihood_ratio"}
REGRESSIONS = {
    "explained_variance", "r2", "d2_absolute_error_score", "neg_max_error",
    "neg_mean_absolute_error", "neg_mean_absolute_percentage_error", "neg_mean_gamma_deviance",
    "neg_mean_poisson_deviance", "neg_mean_squared_error", "neg_mean_squared_log_error",
    "neg_median_absolute_error", "neg_root_mean_squared_error", "neg_root_mean_squared_log_error",
}  # fmt: skip
NAMES = set(sk.get_scorer_names())
CLASSIFICATIONS = sorted(NAMES - CLUSTERINGS - OF_SEVERAL_LABELS - REGRESSIONS)
MULTICLASS = sorted(set(CLASSIFICATIONS) - OF_TWO_CLASSES)


def labelled(seed, n_rows, n_classes):
    """Probabilities of few levels, so that ties abound; every class occurs."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(1, 6, (n_rows, n_classes)).astype(float)
    y = rng.integers(0, n_classes, n_rows)
    y[: 2 * n_classes] = np.tile(np.arange(n_classes), 2)
    raw[n_classes : 2 * n_classes] = 1.0 + 8.0 * np.eye(n_classes)  # each is predicted too
    weights = rng.integers(0, 4, n_rows) / 2.0
    weights[: 2 * n_classes] = 1.0
    return raw / raw.sum(axis=1, keepdims=True), y, weights


def by_scikit_learn(name, y, probabilities, weights):
    """The scorer's own function and arguments; those of two classes take them as they are."""
    scorer = sk.get_scorer(name)
    arguments = dict(scorer._kwargs)
    n_classes = probabilities.shape[1]
    if scorer._response_method == "predict":
        predicted = probabilities.argmax(axis=1)
        if n_classes > 2 and arguments.get("average") in ("binary",):
            arguments["average"] = "macro"
        if "average" in arguments:
            arguments["zero_division"] = 0.0
            arguments.pop("pos_label", None)
    else:
        predicted = probabilities[:, 1] if n_classes == 2 else probabilities
        if name == "roc_auc" and n_classes > 2:
            arguments["multi_class"] = "ovr"
        if name == "average_precision" and n_classes > 2:
            y = np.eye(n_classes)[y]
    if not (n_classes > 2 and "ovo" in name):  # which scikit-learn has no weights for
        arguments["sample_weight"] = weights
    if name in OF_TWO_CLASSES:  # whose function takes labels alone
        ratios = sk.class_likelihood_ratios(y, predicted, **arguments)
        return ratios[0] if name.startswith("positive") else -ratios[1]
    return scorer._sign * scorer._score_func(y, predicted, **arguments)


def test_every_scorer_is_known_or_has_no_sense_for_a_prediction():
    assert NAMES >= REGRESSIONS | CLUSTERINGS | OF_SEVERAL_LABELS | OF_TWO_CLASSES
    for name in REGRESSIONS:
        resolve_metric(name, "regression")
    for name in set(CLASSIFICATIONS) - {"top_k_accuracy"}:  # which is 1 for two classes
        resolve_metric(name, "binary")
    for name in MULTICLASS:
        resolve_metric(name, "multiclass")


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("name", sorted(CLUSTERINGS | OF_SEVERAL_LABELS))
def test_a_score_of_something_else_is_refused_with_all_that_is_possible(name, task):
    with pytest.raises(ValueError, match=f"metric must be one of auto, .*, got '{name}'") as error:
        resolve_metric(name, task)
    possible = str(error.value).partition("one of ")[2].partition(" for a ")[0].split(", ")
    assert len(possible) > 12
    for other in possible:
        resolve_metric(other, task)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:.*likelihood_ratio.*ill-defined")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", CLASSIFICATIONS)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(8, 300))
def test_scores_of_classes_equal_scikit_learns(name, n_classes, weighted, seed, n_rows):
    if (name in OF_TWO_CLASSES and n_classes > 2) or (name == "top_k_accuracy" and n_classes == 2):
        return
    probabilities, y, weights = labelled(seed, n_rows, n_classes)
    weights = weights if weighted and not ("ovo" in name and n_classes > 2) else None
    metric = resolve_metric(name, "binary" if n_classes == 2 else "multiclass")
    ours = score_predictions(metric, probabilities, y.astype(float), weights)
    expected = by_scikit_learn(name, y, probabilities, weights)
    assert ours == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE, nan_ok=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("name", sorted(REGRESSIONS))
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_rows=st.integers(2, 200))
def test_scores_of_values_equal_scikit_learns(name, n_outputs, weighted, seed, n_rows):
    rng = np.random.default_rng(seed)
    y = rng.gamma(2.0, 2.0, (n_rows, n_outputs))
    predictions = rng.uniform(0.1, 4.0, (n_rows, n_outputs))
    scorer = sk.get_scorer(name)
    arguments = {}
    weights = rng.integers(1, 4, n_rows) / 2.0 if weighted and name != "neg_max_error" else None
    if weights is not None:
        arguments["sample_weight"] = weights
    expected = np.mean(
        [scorer._score_func(y[:, j], predictions[:, j], **arguments) for j in range(n_outputs)]
    )
    metric = resolve_metric(name, "regression")
    ours = score_predictions(metric, predictions, y, weights)
    assert ours == pytest.approx(scorer._sign * expected, rel=TOLERANCE, abs=TOLERANCE)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.85])
def test_explained_pinball_loss_equals_scikit_learns(quantile):
    rng = np.random.default_rng(3)
    y, predictions = rng.normal(size=(2, 101))
    metric = resolve_metric("d2_pinball_score", "regression")
    ours = score_predictions(metric, predictions, y, None, quantile)
    assert ours == pytest.approx(sk.d2_pinball_score(y, predictions, alpha=quantile))


def test_pairs_of_classes_are_weighted_by_their_rows():
    probabilities, y, _ = labelled(5, 90, 3)
    counts = np.random.default_rng(5).integers(1, 4, len(y))
    twice = np.repeat(np.arange(len(y)), counts)
    for name in ("roc_auc_ovo", "roc_auc_ovo_weighted", "neg_max_error"):
        task = "regression" if name == "neg_max_error" else "multiclass"
        metric = resolve_metric(name, task)
        values = probabilities[:, :1] if task == "regression" else probabilities
        once = score_predictions(metric, values, y.astype(float), counts.astype(float))
        again = score_predictions(metric, values[twice], y[twice].astype(float))
        assert once == pytest.approx(again, rel=TOLERANCE)


@pytest.mark.parametrize("name", sorted(LABEL_SCORES))
def test_many_confusions_are_scored_as_each_alone(name):
    rng = np.random.default_rng(0)
    n_classes = 2 if name in OF_TWO_CLASSES else 3
    y, guesses = rng.integers(0, n_classes, (2, 5, 40))
    matrices = np.array(
        [confusion_matrix(a, b, None, n_classes) for a, b in zip(y, guesses, strict=True)]
    )
    together = LABEL_SCORES[name](matrices)
    alone = [float(LABEL_SCORES[name](matrix)) for matrix in matrices]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("name", ["average_precision", "matthews_corrcoef", "d2_log_loss_score"])
def test_scores_without_rows_or_numbers_are_nan(name):
    probabilities, y, weights = labelled(2, 30, 2)
    metric = resolve_metric(name, "binary")
    assert np.isnan(score_predictions(metric, probabilities[:0], y[:0].astype(float)))
    assert np.isnan(score_predictions(metric, probabilities, y.astype(float), 0.0 * weights))
    probabilities[3, 1] = np.nan
    assert np.isnan(score_predictions(metric, probabilities, y.astype(float)))


@pytest.mark.parametrize(
    ("name", "y", "prediction"),
    [
        ("neg_mean_squared_log_error", -1.0, 1.0),
        ("neg_root_mean_squared_log_error", 1.0, -2.0),
        ("neg_mean_gamma_deviance", 0.0, 1.0),
        ("neg_mean_gamma_deviance", 1.0, -0.1),
    ],
)
def test_a_value_outside_the_domain_has_no_score(name, y, prediction):
    metric = resolve_metric(name, "regression")
    assert np.isnan(score_predictions(metric, np.array([1.0, prediction]), np.array([1.0, y])))
