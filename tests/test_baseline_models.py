"""What is inside a baseline: scikit-learn's models as they are, cut down to fit into their time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from automs import baseline_child
from automs.baseline_child import BaselineRunner
from automs.baseline_cost import Plan, Sizes, make_plan, nominal_seconds, problem_sizes
from automs.baseline_models import FoldPredictions, fit_and_predict
from automs.baseline_problem import BASELINES, CATEGORICAL, DATE, NUMERIC, BaselineProblem
from automs.seeds import derive_seed

N_ROWS = 300
ALL = Plan(N_ROWS, 20)
TRAIN = np.flatnonzero(np.arange(N_ROWS) % 3 > 0).astype(np.int32)
HELD_OUT = np.flatnonzero(np.arange(N_ROWS) % 3 == 0).astype(np.int32)
NAMES = list(BASELINES)


def problem(n_targets=1, n_classes=0, **settings):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 4)) * [1.0, 10.0, 0.1, 1.0]
    y = X[:, :n_targets] + 0.2 * rng.normal(size=(N_ROWS, n_targets))
    if n_classes:
        y = np.clip(np.round(y + 1.0), 0.0, n_classes - 1.0)
    X[rng.random(X.shape) < 0.1] = np.nan
    given = {"values": X, "y": y, "folds": [(TRAIN, HELD_OUT)], "n_classes": n_classes}
    return BaselineProblem(**(given | settings))


def mixed_problem(**settings):
    """A number, a category of few values, a category of very many, and a date."""
    rng = np.random.default_rng(1)
    few, many = rng.integers(-1, 4, N_ROWS), rng.integers(0, 1000, N_ROWS)
    X = np.column_stack(
        [rng.normal(size=N_ROWS), few, many, 1.7e9 + 60.0 * rng.integers(0, 500, N_ROWS)]
    ).astype(float)
    X[rng.random(X.shape) < 0.05] = np.nan
    columns = [(NUMERIC, 0, False), (CATEGORICAL, 4, False), (CATEGORICAL, 1000, True),
               (DATE, 0, False)]  # fmt: skip
    y = np.nan_to_num(X[:, :1]) + np.array([0.0, 3.0, -3.0, 1.0, 0.5])[few].reshape(-1, 1)
    return problem(values=X, y=y, columns=columns, **settings)


@pytest.mark.parametrize(
    ("name", "n_targets", "n_classes", "model"),
    [
        ("constant", 2, 0, DummyRegressor()),
        ("linear", 2, 0, RidgeCV(alphas=np.logspace(-3, 3, 13))),
        ("constant", 1, 3, DummyClassifier(strategy="prior")),
        ("linear", 1, 3, LogisticRegression(max_iter=1000)),
        ("random_forest", 1, 3, RandomForestClassifier(20, random_state=derive_seed(0) % 2**31)),
    ],
)
def test_predictions_are_those_of_the_same_pipeline_by_hand(name, n_targets, n_classes, model):
    weights = np.random.default_rng(3).uniform(0.5, 2.0, N_ROWS)
    given = problem(n_targets, n_classes, sample_weight=weights)
    if n_classes:  # the last class is not among the training rows
        given.y[TRAIN] = np.minimum(given.y[TRAIN], 1.0)
    imputer = SimpleImputer(strategy="median", add_indicator=True)
    pipeline = make_pipeline(imputer, StandardScaler(), model)
    target = given.y[TRAIN] if n_targets > 1 else given.y[TRAIN, 0]
    step = type(model).__name__.lower()
    pipeline.fit(given.values[TRAIN], target, **{f"{step}__sample_weight": weights[TRAIN]})
    predict = pipeline.predict_proba if n_classes else pipeline.predict
    wanted = predict(given.values[HELD_OUT]).reshape(len(HELD_OUT), -1)
    got = fit_and_predict(name, given, 0, ALL).values
    assert got.shape == (len(HELD_OUT), n_classes or n_targets)
    # Sums over columns that lie otherwise in memory go in another order.
    np.testing.assert_allclose(got[:, : wanted.shape[1]], wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(got[:, wanted.shape[1] :], 0.0)


def test_histograms_take_missing_values_and_categories_as_they_are():
    given = mixed_problem()
    got = fit_and_predict("hist_gradient_boosting", given, 0, ALL).values[:, 0]
    X = given.values.copy()
    X[X[:, 1] < 0, 1] = np.nan
    codes = X[TRAIN, 2]
    counts = np.bincount(codes[~np.isnan(codes)].astype(int), minlength=1000)
    kept = np.argsort(-counts, kind="stable")[:254]
    X[~np.isnan(X[:, 2]) & ~np.isin(X[:, 2], kept), 2] = 1000.0
    model = HistGradientBoostingRegressor(
        max_iter=20, categorical_features=[1, 2], random_state=derive_seed(0) % 2**31
    ).fit(X[TRAIN], given.y[TRAIN, 0])
    np.testing.assert_array_equal(got, model.predict(X[HELD_OUT]))


def test_categories_are_one_hot_for_the_linear_model():
    given = mixed_problem()
    got = fit_and_predict("linear", given, 0, ALL).values[:, 0]

    def features(rows):
        return np.hstack([numbers.transform(given.values[rows][:, [0, 3]]),
                          one_hot.transform(given.values[rows][:, [1, 2]])])  # fmt: skip

    imputer = SimpleImputer(strategy="median", add_indicator=True)
    numbers = make_pipeline(imputer, StandardScaler()).fit(given.values[TRAIN][:, [0, 3]])
    one_hot = OneHotEncoder(
        max_categories=30, handle_unknown="infrequent_if_exist", sparse_output=False
    ).fit(given.values[TRAIN][:, [1, 2]])
    model = RidgeCV(alphas=np.logspace(-3, 3, 13)).fit(features(TRAIN), given.y[TRAIN, 0])
    np.testing.assert_allclose(got, model.predict(features(HELD_OUT)), rtol=1e-9)
    assert np.corrcoef(got, given.y[HELD_OUT, 0])[0, 1] > 0.9, "categories say most of y here"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_tables_of_all_kinds_of_columns_are_predicted(name, n_classes):
    given = mixed_problem(n_classes=n_classes)
    if n_classes:
        given.y[:] = np.clip(np.round(given.y), 0, n_classes - 1)
    given.values[:, 0] = np.nan  # a column of missing values alone
    got = fit_and_predict(name, given, 0, ALL).values
    assert np.isfinite(got).all()
    if n_classes:
        np.testing.assert_allclose(got.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("loss", ["poisson", "absolute", "quantile"])
def test_each_loss_is_minimised_as_far_as_there_is_one_for_several_targets_too(name, loss):
    y = np.random.default_rng(2).gamma(1.0, 5.0, size=(N_ROWS, 2))
    given = problem(y=y, loss=loss, quantile=0.9)
    got = fit_and_predict(name, given, 0, ALL).values
    assert got.shape == (len(HELD_OUT), 2)
    below = (y[HELD_OUT] <= got).mean()
    if loss == "poisson":
        assert (got > 0).all()
    elif name in {"constant", "hist_gradient_boosting"}:  # the others have the squared loss alone
        assert abs(below - (0.9 if loss == "quantile" else 0.5)) < 0.15


def test_a_class_of_one_row_holds_up_no_model():
    given = problem(n_classes=3)
    given.y[:] = (np.arange(N_ROWS) % 2).reshape(-1, 1)
    given.y[TRAIN[5]] = 2.0
    for name in NAMES:
        assert fit_and_predict(name, given, 0, ALL).values.shape == (len(HELD_OUT), 3)


def test_fewer_rows_are_those_of_every_class():
    given = problem(n_classes=3)
    given.y[:] = 0.0
    given.y[TRAIN[::2]] = 1.0
    given.y[TRAIN[7]] = 2.0
    got = fit_and_predict("constant", given, 0, Plan(20, 1)).values[0]
    # 19 or 20 rows evenly of each class, and one of the third in any case
    np.testing.assert_allclose(got, [0.48, 0.48, 0.05], atol=0.06)
    assert got[2] > 0


SIZES = Sizes(54_000, 6_000, 10, 20, 1, 5, classification=False)


@given(
    st.sampled_from(NAMES),
    st.floats(1e-3, 1e4),
    st.integers(1, 2_000_000),
    st.integers(1, 5_000),
    st.booleans(),
)
def test_a_plan_takes_at_most_its_seconds_and_its_note_says_all(name, seconds, n, width, classes):
    sizes = Sizes(n, n, width, 2 * width, 3, 2, classes)
    plan = make_plan(name, sizes, seconds)
    if plan is None:
        assert n > 0
        return
    assert nominal_seconds(name, sizes, plan) <= seconds
    assert min(500, n) <= plan.n_rows <= n
    assert (f"on {plan.n_rows:,} of {n:,} rows" in plan.note) == (plan.n_rows < n)
    assert make_plan(name, sizes, 2.0 * seconds) is not None
    if plan.note == "":
        assert make_plan(name, sizes, 2.0 * seconds) == plan


def test_trees_go_first_then_rows_then_the_baseline():
    seconds = nominal_seconds("random_forest", SIZES, Plan(54_000, 100))
    assert make_plan("random_forest", SIZES, 1.01 * seconds) == Plan(54_000, 100)
    half = make_plan("random_forest", SIZES, 0.5 * seconds)
    assert half.n_rows == 54_000
    assert 40 <= half.size <= 50
    assert half.note == f"{half.size} of 100 trees"
    few = make_plan("random_forest", SIZES, 0.03 * seconds)
    assert few.size == 10
    assert 500 <= few.n_rows < 54_000
    assert make_plan("random_forest", SIZES, 0.0001 * seconds) is None


def test_sizes_count_one_hot_columns():
    sizes = problem_sizes(mixed_problem())
    assert (sizes.n_columns, sizes.n_encoded) == (4, 2 + 5 + 30 + 2)
    assert (sizes.n_train, sizes.n_validation, sizes.n_outputs) == (200, 100, 1)


class FakeModels:
    """Stands for `fit_and_predict`: so many times the nominal seconds pass, on a clock of its own.

    `paces` are by name; a name may fail.
    """

    def __init__(self, monkeypatch, paces, sizes, failing=()):
        self.now, self.runs = 0.0, []
        self.paces, self.sizes, self.failing = paces, sizes, failing
        monkeypatch.setattr(baseline_child, "fit_and_predict", self)

    def __call__(self, name, given, fold, plan):
        self.runs.append((name, fold, plan))
        nominal = nominal_seconds(name, self.sizes, plan) / self.sizes.n_folds
        self.now += self.paces.get(name, 1.0) * nominal
        if name in self.failing:
            raise RuntimeError("no such luck")
        return FoldPredictions(np.zeros((1, 1)), 1.0, 0.5)


def large_problem(n_folds=5):
    rows = np.arange(60_000, dtype=np.int32)
    return BaselineProblem(
        values=np.zeros((60_000, 10)), y=np.zeros((60_000, 1)),
        folds=[(rows[6_000:], rows[:6_000])] * n_folds,
    )  # fmt: skip


@pytest.mark.parametrize("n_folds", [1, 5])
@pytest.mark.parametrize("pace", [0.3, 1.0, 30.0])
def test_all_baselines_share_the_time_whatever_the_machines_pace(monkeypatch, pace, n_folds):
    given = large_problem(n_folds)
    models = FakeModels(monkeypatch, dict.fromkeys(NAMES, pace), problem_sizes(given))
    runner = BaselineRunner(NAMES, given, 60.0, lambda: models.now)
    results = dict(runner.run())
    assert models.now <= 60.0
    for name in NAMES:
        result = results[name]
        if result.predictions is not None:
            last = [run for run in models.runs if run[0] == name][-n_folds:]
            assert [fold for _, fold, _ in last] == list(range(n_folds))
            assert len({plan for _, _, plan in last}) == 1, "all folds alike"
            assert result.reason == last[0][2].note
            assert result.fit_time == n_folds
    done = sum(result.predictions is not None for result in results.values())
    assert done == 5 if pace <= 1.0 else done >= 3


def test_a_baseline_that_is_slower_than_its_trial_said_starts_again_smaller(monkeypatch):
    given = large_problem()
    models = FakeModels(monkeypatch, {}, problem_sizes(given))
    original = FakeModels.__call__

    def slow_after_the_trial(self, name, given, fold, plan):
        self.paces[name] = 3.0 if self.runs else 1.0
        return original(self, name, given, fold, plan)

    monkeypatch.setattr(FakeModels, "__call__", slow_after_the_trial)
    ((_, result),) = BaselineRunner(["random_forest"], given, 60.0, lambda: models.now).run()
    plans = [plan for _, _, plan in models.runs]
    assert result.predictions is not None
    assert len(set(plans)) >= 3, "a trial, a start that was too slow, and a smaller one"
    assert plans[-1].n_rows * plans[-1].size < plans[1].n_rows * plans[1].size


def test_one_that_fails_leaves_its_time_to_the_others(monkeypatch):
    given = large_problem()
    models = FakeModels(monkeypatch, {}, problem_sizes(given), failing={"linear"})
    results = dict(BaselineRunner(NAMES, given, 60.0, lambda: models.now).run())
    assert results["linear"].reason == "RuntimeError: no such luck"
    assert sum(r.predictions is not None for r in results.values()) == 4


def test_in_too_short_a_time_the_reason_says_so(monkeypatch):
    given = large_problem()
    models = FakeModels(monkeypatch, {}, problem_sizes(given))
    results = dict(BaselineRunner(NAMES, given, 0.02, lambda: models.now).run())
    assert results["mlp"].reason == "its time is too short even for few rows"
    assert not results["mlp"].late


def test_without_a_limit_no_clock_is_read_and_plans_are_fixed(monkeypatch):
    given = large_problem()
    models = FakeModels(monkeypatch, {}, problem_sizes(given))

    def no_clock():
        raise AssertionError("a decision read the clock")

    dict(BaselineRunner(NAMES, given, None, no_clock).run())
    assert len(models.runs) == 5 * len(NAMES)
    assert {plan.n_rows for name, _, plan in models.runs if name == "linear"} == {54_000}
