"""Limits on latency and size: what is used is within them, distilled or not, and repeatable."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

import automs.searched
import automs.within_limits
from automs import AutoClassifier, AutoRegressor, GibbsStrategy
from automs.candidates import Candidate
from automs.clock import Clock
from automs.decision import make_decision
from automs.distillation import distill
from automs.finish import Ensemble
from automs.pupils import pupils
from automs.scoring import resolve_metric
from automs.search_space import SearchSpace
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training
from automs.trials import Trial, trial_state

WIDE = SearchSpace(
    {"hidden_layer_sizes": (64, 64), "activation": "relu", "encoding": "standard",
     "learning_rate": 0.01, "batch_size": 32, "epochs": 15}
)  # fmt: skip


@pytest.fixture(params=["regression", "binary", "multiclass"])
def task(request):
    return request.param


@pytest.fixture
def table(task, request):
    return request.getfixturevalue(f"{task}_table")


def fitted(task, table, **settings):
    kind = AutoRegressor if task == "regression" else AutoClassifier
    settings = {
        "max_trials": 5, "validation": 3, "baselines": None, "random_state": 0,
        "search_space": WIDE, "strategy": "random",
    } | settings  # fmt: skip
    return kind(**settings).fit(*table)


def used_row(model):
    board = model.leaderboard_
    (row,) = board[board["used"]].to_dict("records")
    return row


def check_within(model, latency_limit=math.inf, size_limit=math.inf):
    row = used_row(model)
    n_bytes = len(model.predictor_.to_bytes())
    assert row["name"] == model.selected_
    assert row["n_bytes"] == n_bytes <= size_limit
    assert row["latency_us"] <= latency_limit
    assert row["n_parameters"] == model.predictor_.n_parameters
    assert math.isfinite(row["score_val"])


@pytest.mark.parametrize("validation", [3, 0.25], ids=["folds", "holdout"])
@pytest.mark.parametrize(
    "limits",
    [{"size_limit": 12_000}, {"size_limit": 2_500}, {"latency_limit": 0.4},
     {"latency_limit": 0.5, "size_limit": 9_000}],
    ids=["some bytes", "few bytes", "latency", "both"],
)  # fmt: skip
def test_what_is_used_is_within_the_limits(task, table, validation, limits, tmp_path):
    model = fitted(task, table, validation=validation, **limits)
    check_within(model, **limits)
    model.predictor_.save(tmp_path / "model.automs")
    assert (tmp_path / "model.automs").stat().st_size <= limits.get("size_limit", math.inf)
    assert len(model.predict(table[0])) == len(table[1])


@pytest.mark.parametrize("strategy", ["halving", "gibbs", GibbsStrategy(ensemble="posterior")])
def test_every_strategy_keeps_to_the_limits(regression_table, quick_space, strategy):
    model = fitted(
        "regression", regression_table, strategy=strategy, search_space=quick_space, max_trials=12,
        size_limit=3_000,
    )  # fmt: skip
    check_within(model, size_limit=3_000)


def test_first_candidates_and_categories_keep_to_the_limits():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=200), "c": [f"label {i % 25}" for i in range(200)]})
    y = X["x"] + np.arange(200) % 25 / 10.0
    model = fitted("regression", (X, y), search_space=None, max_trials=9, size_limit=6_000)
    check_within(model, size_limit=6_000)


def test_no_candidate_is_trained_that_breaks_a_limit_alone(regression_table):
    model = fitted("regression", regression_table, size_limit=3_000)
    candidates = [trial.candidate for trial in model.trials_[2:]]
    assert all(4 * c.n_parameters(5, 1) < 3_000 for c in candidates)
    assert all(c.hidden_layer_sizes for c in candidates), "narrower, but still networks"
    sizes = {tuple(c.hidden_layer_sizes) for c in candidates}
    assert sizes < {(n, n) for n in range(4, 28, 4)}


def test_limits_that_all_models_hold_change_no_bit(table, task):
    free = fitted(task, table)
    held = fitted(task, table, latency_limit=1e9, size_limit=1e12)
    assert held.predictor_.to_bytes() == free.predictor_.to_bytes()
    assert held.ensemble_weights_ == free.ensemble_weights_


@pytest.mark.parametrize("validation", [3, 0.25], ids=["folds", "holdout"])
def test_the_number_of_threads_changes_no_bit(table, task, validation):
    results = []
    limits = {"latency_limit": 0.8, "size_limit": 850 if task == "multiclass" else 9_000}
    for n_jobs in (1, 2):
        model = fitted(task, table, n_jobs=n_jobs, validation=validation, **limits)
        times = ["fit_time", "pred_time_val"]
        board = model.leaderboard_.drop(columns=times).to_json()
        models = {name: kept.predictor.to_bytes() for name, kept in model._kept.models.items()}
        results.append((board, models, model.selected_))
    assert results[0] == results[1]
    assert validation != 3 or "distilled" in results[0][1]


def test_a_limit_that_nothing_holds_is_an_error_that_names_it(table, task):
    with pytest.raises(ValueError, match=r"takes \d+ bytes, size_limit is 100: give a higher"):
        fitted(task, table, size_limit=100)
    with pytest.raises(ValueError, match=r"takes [\d.]+ us a row, latency_limit is 0.01"):
        fitted(task, table, latency_limit=0.01)
    with pytest.raises(ValueError, match="latency_limit is"):
        fitted(task, table, latency_limit=1e-6, time_limit=30.0)


@pytest.mark.parametrize("name", ["latency_limit", "size_limit"])
@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (-1.0, ValueError), ("1", TypeError), (True, TypeError)]
)
def test_a_limit_is_a_number_above_zero(regression_table, name, value, error):
    with pytest.raises(error, match=name):
        fitted("regression", regression_table, **{name: value})


def test_only_a_linear_model_may_be_left(regression_table):
    free = fitted("regression", regression_table)
    linear = len(free.select("linear").predictor_.to_bytes())
    model = fitted("regression", regression_table, size_limit=linear // 3 + 250)
    assert len(model.predictor_.to_bytes()) <= linear // 3 + 250
    assert all(trial.candidate.hidden_layer_sizes == () for trial in model.trials_)


def test_with_a_time_limit_sizes_hold_and_latencies_are_measured(regression_table):
    model = fitted("regression", regression_table, time_limit=2.0, size_limit=4_000)
    check_within(model, size_limit=4_000)
    model = fitted("regression", regression_table, time_limit=2.0, latency_limit=1e6)
    check_within(model, latency_limit=1e6)


def test_the_leaderboard_shows_the_ensemble_and_why_it_is_not_used(regression_table):
    model = fitted("regression", regression_table, size_limit=9_000)
    rows = model.leaderboard_.set_index("name")
    assert rows.loc["ensemble", "n_bytes"] > 9_000
    assert rows.loc["ensemble", "reason"].endswith("bytes, size_limit is 9000")
    assert rows.loc["distilled", "kind"] == "distilled"
    assert rows.loc["distilled", "n_bytes"] <= 9_000
    assert rows.loc[model.selected_, "score_val"] >= rows.loc["distilled", "score_val"]
    for name in model._kept.models:
        assert rows.loc[name, ["latency_us", "n_bytes", "n_parameters"]].notna().all()


@pytest.fixture
def taught(task, table):
    """A hold-out with a trained teacher, of two networks, and its table."""
    X, y = table
    target = read_target(y, len(y), classification=task != "regression")
    metric = resolve_metric("auto", target.task)
    codes = None if task == "regression" else target.values[:, 0]
    training = Training(read_table(X), target, make_splits(0.25, len(y), codes, 0), metric)
    teachers = [
        Candidate((16,), activation="tanh", encoding="standard", learning_rate=0.01, epochs=n,
                  dropout=0.1, seed=n)
        for n in (20, 30)
    ]  # fmt: skip
    training.add(teachers)
    training.run([0, 1], [20, 30])
    members = [
        Trial(i, f"net-{i:04d}", teachers[i], p, trial_state(p), "gradient", True)
        for i, p in enumerate(training.progress([0, 1]))
    ]
    scores = members[0].progress.fold_scores
    return training, read_table(X), Ensemble(members, [0.5, 0.5], scores, 1.0)


def test_a_pupil_scores_nearly_as_its_teachers_and_better_than_nothing(taught):
    training, table, teacher = taught
    candidates = pupils(
        replace(teacher.members[0].candidate, epochs=150), lambda _: True, training.target.task, 0
    )
    made = distill(training, table, teacher, candidates, Clock(None))
    rows = training.splits[0].validation_rows
    parts = [training.validation_predictions([i])[0][0] for i in (0, 1)]
    (of_teacher,) = training.fold_scores(0, [np.mean(parts, axis=0)])
    train = training.target.values[training.splits[0].train_rows]
    known = np.mean(train, axis=0)
    if training.target.classes is not None:
        known = np.bincount(train[:, 0].astype(int)) / len(train)
    (of_nothing,) = training.fold_scores(0, [np.tile(known, (len(rows), 1))])
    assert made.fold_scores[0] > of_nothing
    assert of_teacher - made.fold_scores[0] < 0.3 * (of_teacher - of_nothing)


def test_true_values_of_validation_rows_have_no_part_in_a_pupil(taught):
    training, table, teacher = taught
    candidates = [Candidate((8,), loss="squared", encoding="standard", epochs=12, seed=5)]
    before = distill(training, table, teacher, candidates, Clock(None))
    rows = training.splits[0].validation_rows
    training.target.values[rows] = training.target.values[rows][::-1].copy()
    after = distill(training, table, teacher, candidates, Clock(None))
    for one, other in zip(before.network.weights, after.network.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert before.epochs == after.epochs
    np.testing.assert_array_equal(before.predictions[0], after.predictions[0])
    assert before.fold_scores[0] != after.fold_scores[0]


def rare_table(seed, n_rows):
    """A class that no model can be sure of, and no linear one can find."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, 3))
    p = 1.0 / (1.0 + np.exp(2.8 - 1.5 * np.abs(X[:, 0]) * np.sign(X[:, 1])))
    return X, np.where(rng.random(n_rows) < p, "yes", "no")


def test_a_pupil_is_decided_on_by_its_own_predictions_for_rows_that_did_not_teach_it(monkeypatch):
    """A pupil that knew its rows by heart would be sure of them, and call for no factors."""
    pupils_made, decided = [], []

    def distilled(*arguments):
        pupils_made.append(distill(*arguments))
        return pupils_made[-1]

    def decide(training, ensemble, seed, clock, predictions=None):
        decision = make_decision(training, ensemble, seed, clock, predictions)
        if predictions is not None:
            decided.append((training, predictions, decision))
        return decision

    monkeypatch.setattr(automs.within_limits, "distill", distilled)
    monkeypatch.setattr(automs.searched, "make_decision", decide)
    model = fitted(
        "binary", rare_table(3, 1200), metric="f1", size_limit=2_500,
        search_space=SearchSpace(
            {"hidden_layer_sizes": (32,), "encoding": "standard", "learning_rate": 0.01,
             "batch_size": 32, "epochs": 15}
        ),
    )  # fmt: skip

    (made,), ((training, (predictions,), decision),) = pupils_made, decided
    assert predictions is made.predictions
    assert [len(p) for p in predictions] == [s.validation_rows.size for s in training.splits]
    predictor = model._kept.models["distilled"].predictor
    np.testing.assert_array_equal(predictor.label_factors, decision.label_factors)
    row = model.leaderboard_.set_index("name").loc["distilled"]
    assert row["score_val"] == pytest.approx(np.mean(decision.fold_scores))
    X, y = rare_table(4, 10_000)
    plain = model.classes_[predictor.predict_proba(X).argmax(axis=1)]
    by_labels = [f1_score(y, labels, pos_label="yes") for labels in (predictor.predict(X), plain)]
    assert by_labels[0] > 1.2 * by_labels[1]
    assert row["score_val"] == pytest.approx(by_labels[0], abs=0.1)


def test_without_time_or_pupils_nothing_is_distilled(taught):
    training, table, teacher = taught
    candidates = [Candidate((8,), loss="squared", epochs=12, seed=5)]
    assert distill(training, table, teacher, [], Clock(None)) is None
    assert distill(training, table, teacher, candidates, Clock(0.0)) is None


def test_a_pupil_that_diverges_is_passed_over(regression_table):
    X, y = regression_table
    target = read_target(y, len(y), classification=False)
    metric = resolve_metric("rmse", "regression")
    training = Training(read_table(X), target, make_splits(2, len(y), None, 0), metric)
    training.add([Candidate((8,), encoding="standard", epochs=5, seed=0)])
    training.run([0], [5])
    (progress,) = training.progress([0])
    trial = Trial(0, "net", training.candidates[0], progress, trial_state(progress), "x", True)
    teacher = Ensemble([trial], [1.0], progress.fold_scores, 1.0)
    good = Candidate((4,), loss="squared", encoding="standard", epochs=5, seed=1)
    wild = replace(good, optimizer="sgd", learning_rate=1e30)
    made = distill(training, read_table(X), teacher, [wild, good], Clock(None))
    assert made.candidate == good
    assert distill(training, read_table(X), teacher, [wild], Clock(None)) is None
