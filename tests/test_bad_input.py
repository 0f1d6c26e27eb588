"""Bad input to the estimators: an error that names the argument, the rule and what came."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import GroupKFold

from automs import AutoClassifier, AutoRegressor, SearchSpace

TINY = SearchSpace({"hidden_layer_sizes": (8,), "batch_size": 32, "epochs": 2})
QUICK = {"max_trials": 1, "baselines": None, "random_state": 0, "search_space": TINY}
NAN, INF = float("nan"), float("inf")
N_ROWS = 30
X_OK = np.random.default_rng(0).normal(size=(N_ROWS, 3))
Y_OK = X_OK[:, 0]
LABELS_OK = (Y_OK > 0).astype(int)


def with_value(array, value, *at):
    """Give a copy, of float, with a value put in."""
    changed = np.array(array, dtype=float)
    changed[at] = value
    return changed


def assert_refused(call, error, words):
    """The call raises exactly this error, whose message has all these words."""
    with pytest.raises(error) as raised:
        call()
    assert raised.type is error
    message = str(raised.value)
    assert len(message) < 1000
    assert not [word for word in words if word not in message], message


SETTINGS = [
    ("time_limit", -1, ValueError, ["> 0", "-1"]),
    ("time_limit", 0, ValueError, ["> 0", "0"]),
    ("time_limit", NAN, ValueError, ["> 0", "nan"]),
    ("time_limit", INF, ValueError, ["finite", "inf"]),
    ("time_limit", "soon", ValueError, ["'auto'", "'soon'"]),
    ("time_limit", True, TypeError, ["number", "True"]),
    ("time_limit", [60], TypeError, ["number", "[60]"]),
    ("max_trials", 0, ValueError, [">= 1", "0"]),
    ("max_trials", -5, ValueError, [">= 1", "-5"]),
    ("max_trials", 2.5, TypeError, ["integer", "2.5"]),
    ("max_trials", "many", TypeError, ["integer", "'many'"]),
    ("metric", "speed", ValueError, ["one of", "'speed'"]),
    ("metric", 3, TypeError, ["name or a function", "int"]),
    ("strategy", "luck", ValueError, ["halving, random, gibbs", "'luck'"]),
    ("strategy", 3, TypeError, ["Strategy", "3"]),
    ("search_space", {"epochs": 3}, TypeError, ["SearchSpace", "dict"]),
    ("search_space", SearchSpace({"learning_rat": 1}), ValueError,
     ["'learning_rat'", "'learning_rate'"]),
    ("search_space", SearchSpace({"dropout": 1.5}), ValueError, ["dropout", "1.5"]),
    ("validation", -1, ValueError, ["2", "-1"]),
    ("validation", 31, ValueError, ["rows, 30", "31"]),
    ("validation", 1.0, ValueError, ["(0, 1)", "1.0"]),
    ("validation", "some", ValueError, ["'auto'", "'some'"]),
    ("validation", None, TypeError, ["'auto'", "None"]),
    ("validation", (X_OK, Y_OK, Y_OK), TypeError, ["pair (X_val, y_val)", "got (array("]),
    ("ensemble_size", 0, ValueError, [">= 1", "0"]),
    ("ensemble_size", "big", TypeError, ["integer", "'big'"]),
    ("baselines", "forest", ValueError, ["constant, linear", "'forest'"]),
    ("baselines", ["linear", "forest"], ValueError, ["constant, linear", "'forest'"]),
    ("baselines", 3, TypeError, ["'auto'", "3"]),
    ("memory_limit", -1, ValueError, ["-1"]),
    ("memory_limit", "much", TypeError, ["'much'"]),
    ("n_jobs", 0, ValueError, ["must not be 0"]),
    ("n_jobs", 1.5, TypeError, ["whole number", "1.5"]),
    ("random_state", -1, ValueError, [">= 0", "-1"]),
    ("random_state", "lucky", TypeError, ["int", "'lucky'"]),
    ("verbose", "loud", TypeError, ["'loud'"]),
]  # fmt: skip


@pytest.mark.parametrize("kind", [AutoRegressor, AutoClassifier])
@pytest.mark.parametrize(("name", "value", "error", "words"), SETTINGS)
def test_a_bad_setting_is_refused_by_fit_alone(kind, name, value, error, words):
    model = kind(**QUICK | {name: value})
    y = Y_OK if kind is AutoRegressor else LABELS_OK
    assert_refused(lambda: model.fit(X_OK, y), error, [name, *words])
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize(
    ("kind", "name", "value", "error", "words"),
    [
        (AutoRegressor, "loss", "speed", ValueError, ["squared", "'speed'"]),
        (AutoRegressor, "loss", "cross_entropy", ValueError, ["regression", "'cross_entropy'"]),
        (AutoRegressor, "loss", 3, TypeError, ["squared", "3"]),
        (AutoRegressor, "metric", "accuracy", ValueError, ["rmse", "regression", "'accuracy'"]),
        (AutoRegressor, "quantile", 0.0, ValueError, ["> 0", "0.0"]),
        (AutoRegressor, "quantile", NAN, ValueError, ["> 0", "nan"]),
        (AutoRegressor, "quantile", "half", TypeError, ["number", "'half'"]),
        (AutoClassifier, "metric", "rmse", ValueError, ["log_loss", "binary", "'rmse'"]),
        (AutoClassifier, "class_weight", "fair", ValueError, ["'balanced'", "'fair'"]),
        (AutoClassifier, "class_weight", {0: 1.0, 7: 2.0}, ValueError, ["classes of y", "7"]),
        (AutoClassifier, "class_weight", {0: -1.0}, ValueError, [">= 0", "-1.0"]),
        (AutoClassifier, "class_weight", {0: NAN}, ValueError, [">= 0", "nan"]),
        (AutoClassifier, "class_weight", {0: "much"}, TypeError, ["'much'"]),
        (AutoClassifier, "class_weight", 2.0, TypeError, ["'balanced'", "2.0"]),
    ],
)
def test_a_bad_setting_of_one_estimator_is_refused(kind, name, value, error, words):
    y = Y_OK if kind is AutoRegressor else LABELS_OK
    assert_refused(lambda: kind(**QUICK | {name: value}).fit(X_OK, y), error, [name, *words])


def test_a_search_that_nothing_would_end_is_refused():
    model = AutoRegressor(**QUICK | {"time_limit": None, "max_trials": None})
    assert_refused(lambda: model.fit(X_OK, Y_OK), ValueError, ["time_limit", "max_trials", "None"])


TABLES = [
    (X_OK, with_value(Y_OK, NAN, 4), ValueError, ["y", "NaN", "row 4"]),
    (X_OK, with_value(Y_OK, -INF, 5), ValueError, ["y", "infinity", "row 5"]),
    (X_OK, Y_OK[:-1], ValueError, ["X and y", "30", "29"]),
    (X_OK, None, ValueError, ["y", "None"]),
    (X_OK, Y_OK.reshape(N_ROWS, 1, 1), ValueError, ["y", "(30, 1, 1)"]),
    (X_OK, list("ab" * 15), TypeError, ["y", "numbers"]),
    (X_OK, Y_OK + 1j, ValueError, ["Complex", "y"]),
    (X_OK[:1], Y_OK[:1], ValueError, ["2 rows", "1"]),
    (X_OK[:0], Y_OK[:0], ValueError, ["0 sample", "(0, 3)"]),
    (X_OK[:, :0], Y_OK, ValueError, ["0 feature", "(30, 0)"]),
    (X_OK[:, 0], Y_OK, ValueError, ["2D", "X", "(30,)"]),
    (with_value(X_OK, INF, 3, 1), Y_OK, ValueError, ["X", "infinit", "column 1"]),
    ([[b"a", 1.0]] * N_ROWS, Y_OK, TypeError, ["X column 0", "bytes", "supported", "string"]),
    ([["a", [1.0]]] * N_ROWS, Y_OK, TypeError, ["X column 1", "list", "leave it out"]),
    ([["a", {"b": 1}]] * N_ROWS, Y_OK, TypeError, ["X column 1", "dict"]),
    (pd.DataFrame(X_OK, columns=["a", "b", "a"]), Y_OK, ValueError, ["X", "'a'", "rename"]),
    (None, Y_OK, ValueError, ["X"]),
]


@pytest.mark.parametrize(("X", "y", "error", "words"), TABLES)
def test_a_bad_table_is_refused(X, y, error, words):
    assert_refused(lambda: AutoRegressor(**QUICK).fit(X, y), error, words)


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        (np.ones(N_ROWS, dtype=int), ValueError, ["y", "2 classes", "1"]),
        (["only"] * N_ROWS, ValueError, ["y", "2 classes", "only"]),
        (Y_OK, ValueError, ["continuous", str(Y_OK[0]), "row 0"]),
        (with_value(LABELS_OK, NAN, 4), ValueError, ["y", "NaN", "row 4"]),
        (["a", None] * 15, ValueError, ["y", "missing", "row 1"]),
        (np.array(["a", 1] * 15, dtype=object), ValueError, ["y", "mixture"]),
        (np.column_stack([LABELS_OK, LABELS_OK]), ValueError, ["y", "one column", "2"]),
    ],
)
def test_bad_classes_are_refused(y, error, words):
    assert_refused(lambda: AutoClassifier(**QUICK).fit(X_OK, y), error, words)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(3), ["(3,)", "(30,)"]),
        (with_value(np.ones(N_ROWS), -1.0, 7), [">= 0", "-1.0", "row 7"]),
        (with_value(np.ones(N_ROWS), NAN, 8), ["NaN", "row 8"]),
        (np.zeros(N_ROWS), ["zero"]),
    ],
)
def test_bad_sample_weights_are_refused(weights, words):
    for kind, y in ((AutoRegressor, Y_OK), (AutoClassifier, LABELS_OK)):
        model = kind(**QUICK)
        words = ["sample_weight", *words]
        assert_refused(lambda m=model, t=y: m.fit(X_OK, t, weights), ValueError, words)


def test_weights_that_leave_a_fold_without_any_are_a_clear_error_or_a_model():
    weights = with_value(np.zeros(N_ROWS), 1.0, 0)
    model = AutoRegressor(**QUICK)
    try:
        model.fit(X_OK, Y_OK, weights)
    except ValueError as error:
        assert "sample_weight" in str(error)  # noqa: PT017  # either end is a good one
    else:
        assert np.isfinite(model.predict(X_OK)).all()


def test_a_row_whose_weight_is_beyond_all_others_leaves_a_model():
    weights = with_value(np.ones(N_ROWS), 1e300, 0)  # exact solutions of the others are no floats
    model = AutoRegressor(**QUICK | {"search_space": None}).fit(X_OK, Y_OK, weights)
    assert np.isfinite(model.predict(X_OK)).all()


@pytest.mark.parametrize("unit", [1e300, 1e-200])
def test_a_target_whose_square_is_no_double_is_learned_or_refused(unit):
    try:
        model = AutoRegressor(**QUICK).fit(X_OK, Y_OK * unit)
    except ValueError as error:
        assert "y" in str(error).split()  # noqa: PT017  # either end is a good one
    else:
        assert np.corrcoef(model.predict(X_OK) / unit, Y_OK)[0, 1] > 0.5


def test_bad_groups_are_refused():
    fit = AutoRegressor(**QUICK).fit
    assert_refused(lambda: fit(X_OK, Y_OK, groups=[1, 2]), ValueError, ["groups", "(30,)", "(2,)"])
    one = np.zeros(N_ROWS)
    assert_refused(lambda: fit(X_OK, Y_OK, groups=one), ValueError, ["2 groups", "1"])
    model = AutoRegressor(**QUICK | {"validation": GroupKFold(2)})
    with pytest.raises(ValueError, match="groups"):
        model.fit(X_OK, Y_OK)


def test_negative_counts_are_refused_for_the_poisson_loss():
    model = AutoRegressor(**QUICK, loss="poisson")
    y = with_value(np.abs(Y_OK), -2.0, 6)
    assert_refused(lambda: model.fit(X_OK, y), ValueError, ["y", ">= 0", "poisson", "row 6"])


@pytest.mark.parametrize(
    ("metric", "least", "words"),
    [
        ("neg_mean_poisson_deviance", -2.0, [">= 0", "'poisson_deviance'", "-2"]),
        ("neg_mean_gamma_deviance", 0.0, ["> 0", "'neg_mean_gamma_deviance'", "got 0"]),
        ("neg_mean_squared_log_error", -1.0, ["> -1", "'neg_mean_squared_log_error'", "-1"]),
        ("neg_root_mean_squared_log_error", -1.5, ["> -1", "-1.5"]),
    ],
)
def test_a_target_that_the_metric_is_not_defined_for_is_refused(metric, least, words):
    y = with_value(np.abs(Y_OK) + 0.1, least, 6)
    model = AutoRegressor(**QUICK, metric=metric)
    assert_refused(lambda: model.fit(X_OK, y), ValueError, ["y", *words])
    model.fit(X_OK, np.abs(Y_OK) + 0.1)


def test_a_sparse_table_beyond_the_memory_limit_is_refused_and_one_below_is_not():
    X = sparse.csr_matrix(X_OK)
    model = AutoRegressor(**QUICK, memory_limit=8 * X_OK.size - 1)
    assert_refused(lambda: model.fit(X, Y_OK), ValueError, ["memory_limit", "720", "719"])
    model.set_params(memory_limit=8 * 8 * X_OK.size).fit(X, Y_OK)  # with encoded views


@pytest.mark.parametrize("predict", ["predict", "predict_proba"])
def test_rows_that_do_not_fit_the_model_are_refused(predict):
    model = AutoClassifier(**QUICK).fit(X_OK, LABELS_OK)
    call = getattr(model, predict)
    assert_refused(lambda: call(X_OK[:, :2]), ValueError, ["2 features", "3 features"])
    assert_refused(lambda: call(X_OK[0]), ValueError, ["2D", "(3,)"])
    assert_refused(lambda: call(with_value(X_OK, INF, 0, 2)), ValueError, ["X", "infinit", "2"])
    assert_refused(lambda: call([["a", "b", "c"]]), TypeError, ["X column 0", "numbers", "'a'"])
