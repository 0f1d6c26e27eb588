"""AutoRegressor and AutoClassifier: the same bits again, honest rows, labels, time, Ctrl-C."""

import math
import os
import pickle
import signal
import threading
import time

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit
from sklearn.utils.class_weight import compute_sample_weight

from automs import AutoClassifier, AutoRegressor, SearchSpace, SearchWarning, load_predictor
from automs.candidates import LOSSES

TINY = SearchSpace(
    {"hidden_layer_sizes": (8,), "learning_rate": 0.01, "batch_size": 32, "epochs": 15}
)
QUICK = {"max_trials": 3, "baselines": None, "random_state": 0, "search_space": TINY}
NAMES = ["e", "d", "c", "b", "a"]


def quick(kind, **settings):
    return kind(**(QUICK | settings))


@pytest.fixture(params=[AutoRegressor, AutoClassifier], ids=["regressor", "classifier"])
def kind(request):
    return request.param


@pytest.fixture
def table(kind, request):
    return request.getfixturevalue(
        "regression_table" if kind is AutoRegressor else "multiclass_table"
    )


def outcome(model, X):
    """Give all that a fit learned, as bits: the model, predictions, scores, members."""
    proba = model.predict_proba(X) if hasattr(model, "predict_proba") else np.empty(0)
    scores = model.leaderboard_[["name", "state", "epochs", "score_val", "score_val_std"]]
    return (
        model.predictor_.to_bytes(), model.predict(X).tobytes(), proba.tobytes(),
        scores.to_csv(), sorted(model.ensemble_weights_.items()),
    )  # fmt: skip


@pytest.mark.parametrize("validation", [0.25, 3])
@pytest.mark.parametrize("strategy", ["halving", "random", "gibbs"])
def test_a_seed_gives_the_same_bits_again_for_any_number_of_jobs(
    kind, table, quick_space, strategy, validation
):
    settings = {"search_space": quick_space, "strategy": strategy, "validation": validation}
    models = [
        quick(kind, max_trials=12, n_jobs=n_jobs, **settings).fit(*table) for n_jobs in (1, 2, 1, 4)
    ]
    assert len({str(outcome(model, table[0])) for model in models}) == 1
    other = quick(kind, max_trials=12, **settings).set_params(random_state=1).fit(*table)
    assert other.predictor_.to_bytes() != models[0].predictor_.to_bytes()


def test_the_default_search_space_gives_the_same_bits_for_one_and_two_jobs(kind, table):
    models = [quick(kind, search_space=None, n_jobs=n).fit(*table) for n in (1, 2)]
    assert outcome(models[0], table[0]) == outcome(models[1], table[0])


def test_saving_and_pickling_keep_every_bit_of_a_prediction(kind, table, tmp_path):
    X, y = table
    model = quick(kind).fit(X, y)
    model.predictor_.save(tmp_path / "model.automs")
    loaded = load_predictor(tmp_path / "model.automs")
    assert loaded.to_bytes() == model.predictor_.to_bytes()
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert outcome(pickle.loads(pickle.dumps(model)), X) == outcome(model, X)
    assert loaded.metadata["score_val"] == model.leaderboard_["score_val"][0]


def test_a_random_state_object_is_drawn_from_and_numpys_own_is_left_alone(kind, table):
    before = pickle.dumps(np.random.get_state())  # noqa: NPY002  # what must not be touched
    first, again = (
        quick(kind, random_state=np.random.RandomState(3)).fit(*table) for _ in range(2)
    )
    quick(kind, random_state=None).fit(*table)
    assert outcome(first, table[0]) == outcome(again, table[0])
    assert pickle.dumps(np.random.get_state()) == before  # noqa: NPY002


COLUMNS = [
    "rank", "name", "kind", "score_val", "score_val_std", "loss_val", "fit_time", "pred_time_val",
    "latency_us", "n_parameters", "n_bytes", "epochs", "state", "reason", "used",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::automs.BaselineWarning")
def test_the_leaderboard_has_the_candidates_the_ensemble_and_the_baselines(
    regression_table, quick_space
):
    settings = {"search_space": quick_space, "max_trials": 12, "baselines": "auto"}
    model = quick(AutoRegressor, **settings).fit(*regression_table)
    board = model.leaderboard_
    assert list(board.columns[: len(COLUMNS)]) == COLUMNS
    assert list(board["rank"]) == list(range(1, len(board) + 1))
    assert board["name"].is_unique
    assert set(board["kind"]) == {"candidate", "ensemble", "baseline"}
    assert {"RidgeCV", "MLPRegressor", "linear", "ensemble"} <= set(board["name"])
    assert model.n_trials_ == 12
    assert [t.name for t in model.trials_[:3]] == ["constant", "linear", "net-0000"]
    final = board[board["state"] == "COMPLETE"]
    assert final["score_val"].is_monotonic_decreasing
    assert list(final["rank"]) == list(range(1, len(final) + 1)), "those to their end come first"
    assert (board[board["state"] == "PRUNED"]["reason"] == "not promoted").all()


def test_the_leaderboards_settings_are_exactly_those_of_the_candidates(
    multiclass_table, quick_space
):
    settings = {"search_space": quick_space, "strategy": "random", "max_trials": 8}
    model = quick(AutoClassifier, **settings, validation=2).fit(*multiclass_table)
    rows = model.leaderboard_.set_index("name")
    assert "ensemble" in rows.index, "a row without settings must not spoil those of others"
    for trial in model.trials_:
        for name, value in trial.candidate.settings().items():
            shown = rows.loc[trial.name, "max_epochs" if name == "epochs" else name]
            if isinstance(value, int):  # NumPy would compare a seed of 64 bits as a rounded float
                shown = int(shown)
            assert shown == value or (value is None and pd.isna(shown)), (name, value, shown)


def test_an_ensemble_is_a_weighted_mean_and_one_member_none(kind, table, quick_space):
    settings = {"search_space": quick_space, "strategy": "random", "max_trials": 8}
    if kind is AutoRegressor:
        settings["loss"] = "huber"  # without a linear model, which is the best of all there
    several = quick(kind, **settings, validation=2).fit(*table)
    single = quick(kind, **settings, validation=2, ensemble_size=1).fit(*table)
    assert len(several.ensemble_weights_) > 1
    assert sum(several.ensemble_weights_.values()) == pytest.approx(1.0, rel=1e-12)
    assert set(several.ensemble_weights_) <= set(several.leaderboard_["name"])
    assert several.predictor_.n_networks == 2 * len(several.ensemble_weights_)
    assert single.ensemble_weights_ == {single.leaderboard_["name"][0]: 1.0}
    assert single.predictor_.n_networks == 2
    assert "ensemble" not in set(single.leaderboard_["name"])


LABELS = {
    "strings": np.array(["no", "perhaps", "yes"]),
    "objects": np.array(["no", "perhaps", "yes"], dtype=object),
    "ints": np.array([-7, 0, 2**53 + 1]),
    "bytes": np.array([3, 4, 250], dtype=np.uint8),
    "floats": np.array([-1.0, 0.0, 1e9]),
    "bools": np.array([False, True]),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
def test_labels_come_back_in_the_type_that_they_had(multiclass_table, labels, tmp_path):
    X, codes = multiclass_table
    y = labels[np.minimum(codes, len(labels) - 1)]
    model = quick(AutoClassifier).fit(X, y)
    np.testing.assert_array_equal(model.classes_, labels)
    predicted = model.predict(X)
    assert type(predicted[0]) is type(y[0])
    assert np.mean(predicted == y) > 0.6
    proba = model.predict_proba(X)
    assert proba.shape == (len(X), len(labels))
    # The probabilities of float32 networks sum to 1 but for their rounding.
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(predicted, model.classes_[proba.argmax(axis=1)])
    model.predictor_.save(tmp_path / "m")
    np.testing.assert_array_equal(load_predictor(tmp_path / "m").predict(X), predicted)


def test_several_targets_come_back_as_columns(regression_table):
    X, y = regression_table
    Y = np.column_stack([y, -1000.0 * y])
    model = quick(AutoRegressor).fit(X, Y)
    assert model.predict(X).shape == Y.shape
    assert model.score(X, Y) > 0.5


@pytest.mark.parametrize("labels", [["a", "b", "c"], [0, 1, 2]], ids=["str", "int"])
def test_class_weights_multiply_weights_in_training_and_not_in_scores(multiclass_table, labels):
    X, codes = multiclass_table
    y = np.array(labels)[np.where(np.arange(len(codes)) % 4 > 0, 0, codes)]
    own = np.random.default_rng(0).uniform(0.5, 2.0, len(y))
    apart = {"validation": (X[::5], y[::5])}  # whose rows weigh the same
    for sample_weight in (None, own):
        weights = compute_sample_weight("balanced", y)
        as_dict = {label: float(weights[y == label][0]) for label in labels}
        by_rows = quick(AutoClassifier, **apart).fit(
            X, y, sample_weight=weights if sample_weight is None else own * weights
        )
        model = quick(AutoClassifier, class_weight=as_dict, **apart).fit(X, y, sample_weight)
        assert outcome(model, X) == outcome(by_rows, X)
    balanced = quick(AutoClassifier, class_weight="balanced", **apart).fit(X, y)
    alone = quick(AutoClassifier, class_weight=as_dict, **apart).fit(X, y)
    assert outcome(balanced, X) == outcome(alone, X)


def test_rows_without_weight_do_not_count(regression_table):
    X, y = regression_table
    weights = np.where(np.arange(len(y)) % 4 == 0, 0.0, 1.0)
    models = [
        quick(AutoRegressor, validation=2).fit(X, np.where(weights == 0, wrong, y), weights)
        for wrong in (0.0, 1e5)
    ]
    assert outcome(models[0], X) == outcome(models[1], X)


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_columns_of_a_data_frame_are_known_by_name(regression_table, library):
    X, y = regression_table
    frame = library.DataFrame(dict(zip(NAMES, X.T, strict=True)))
    model = quick(AutoRegressor).fit(frame, y)
    assert model.feature_names_in_.tolist() == NAMES
    expected = quick(AutoRegressor).fit(X, y).predict(X)
    np.testing.assert_array_equal(model.predict(frame), expected)
    mended = frame[sorted(NAMES)].assign(z=0) if library is pd else frame[sorted(NAMES)]
    np.testing.assert_array_equal(model.predict(mended), expected)
    with pytest.raises(ValueError, match=r"X must have the columns .* missing: 'd'"):
        model.predict(frame[["a", "b", "c", "e"]])


def test_missing_values_are_learned_from_and_predicted_for(kind, table):
    X, y = table[0].copy(), table[1]
    X[:, 2] = np.nan
    X[::2, 1] = np.nan
    model = quick(kind).fit(X, y)
    assert model.score(np.full_like(X, np.nan), y) < model.score(X, y)


@pytest.mark.parametrize("loss", LOSSES[:-1])
def test_every_loss_learns_and_chooses_its_metric(regression_table, loss):
    X, y = regression_table
    y = np.abs(y)
    model = quick(AutoRegressor, loss=loss, quantile=0.8, max_trials=4).fit(X, y)
    metric = {"squared": "rmse", "quantile": "pinball", "poisson": "poisson_deviance"}
    assert model.predictor_.metadata["metric"] == metric.get(loss, "mae")
    predicted = model.predict(X)
    if loss == "poisson":
        assert (predicted > 0).all()
    if loss == "quantile":  # so few rows and epochs come near to 0.8 only
        assert 0.6 < np.mean(y <= predicted) < 0.95
    else:
        assert np.corrcoef(predicted, y)[0, 1] > 0.5


@pytest.mark.parametrize(
    ("kind", "metric", "name"),
    [
        (AutoRegressor, "r2", "r2"),
        (AutoRegressor, "neg_mean_absolute_error", "mae"),
        (AutoClassifier, "roc_auc", "roc_auc"),
        (AutoClassifier, "neg_log_loss", "log_loss"),
        (AutoClassifier, "balanced_accuracy", "balanced_accuracy"),
    ],
    indirect=["kind"],
)
def test_a_metric_goes_by_its_name_or_scikit_learns(kind, table, metric, name):
    assert quick(kind, metric=metric).fit(*table).predictor_.metadata["metric"] == name


def seen_by_metric(validation, groups=None):
    """Fit on 40 rows whose target is their number; give the rows that each call scored."""
    seen = []

    def metric(y_true, y_pred):
        seen.append(frozenset(y_true.astype(int).tolist()))
        return -float(np.abs(y_true - y_pred).mean())

    X = np.random.default_rng(0).normal(size=(40, 2))
    model = quick(AutoRegressor, validation=validation, metric=metric, ensemble_size=1)
    model.fit(X, np.arange(40.0), groups=groups)
    assert model.predictor_.metadata["metric"] == "metric"
    return set(seen)


def test_validation_takes_folds_a_share_or_a_splitter():
    assert sorted(len(rows) for rows in seen_by_metric(4)) == [10] * 4
    assert frozenset.union(*seen_by_metric("auto")) == frozenset(range(40))
    assert {len(rows) for rows in seen_by_metric(0.3)} == {12}
    halves = {frozenset(range(20)), frozenset(range(20, 40))}
    assert seen_by_metric(KFold(2)) == halves
    assert {len(r) for r in seen_by_metric(ShuffleSplit(1, test_size=7, random_state=0))} == {7}


@pytest.mark.parametrize("validation", ["auto", 2, 0.3, GroupKFold(2)], ids=str)
def test_rows_of_one_group_stay_together(validation):
    groups = np.arange(40) // 4
    for rows in seen_by_metric(validation, groups):
        assert {row // 4 for row in rows} == {row // 4 for row in rows if row % 4 == 0}
        assert len(rows) % 4 == 0


DIVERGING = {"search_space": TINY.replace(optimizer="sgd", learning_rate=1e30)}


def test_where_all_networks_diverge_the_linear_model_stands(kind, table):
    model = quick(kind, **DIVERGING).fit(*table)
    nets = model.leaderboard_[model.leaderboard_["name"].str.startswith("net")]
    assert len(nets) == 3
    assert (nets["state"] == "DIVERGED").all()
    assert "linear" in model.ensemble_weights_
    assert model.score(*table) > 0.3


def test_where_nothing_else_is_usable_the_constant_stands(regression_table):
    X, y = regression_table
    model = quick(AutoRegressor, loss="absolute", **DIVERGING).fit(X, y)
    assert model.ensemble_weights_ == {"constant": 1.0}
    assert np.ptp(model.predict(X)) == 0.0


@pytest.mark.parametrize("unit", [2.0**-100, 2.0**100])
def test_the_unit_of_the_target_changes_the_unit_of_predictions_alone(regression_table, unit):
    X, y = regression_table
    plain, scaled = (quick(AutoRegressor).fit(X, y * factor) for factor in (1.0, unit))
    # A power of two changes exponents alone.
    np.testing.assert_array_equal(scaled.predict(X), plain.predict(X) * unit)


@pytest.mark.parametrize("n_rows", [2, 3])
def test_two_or_three_rows_are_enough(kind, n_rows):
    y = np.arange(n_rows) if kind is AutoClassifier else np.arange(n_rows) / 2.0
    model = quick(kind).fit(np.arange(n_rows * 2.0).reshape(n_rows, 2), y)
    assert model.predict([[0.0, 1.0]]).shape == (1,)


@pytest.mark.filterwarnings("ignore::automs.BaselineWarning")
def test_a_time_limit_is_kept(kind, table):
    start = time.perf_counter()
    kind(time_limit=1.0, random_state=0).fit(*table)
    # The bound is loose, for the time that a machine under load takes to wake a thread.
    assert time.perf_counter() - start < 1.5


def test_baselines_that_come_too_late_are_rows_with_names_of_their_own(kind, table):
    board = kind(time_limit=0.1, random_state=0).fit(*table).leaderboard_
    assert list(board[board["kind"] == "baseline"]["state"]) == ["SKIPPED"] * 5
    assert board["name"].is_unique


def test_a_time_limit_is_used(kind, table):
    start = time.perf_counter()
    model = kind(time_limit=1.0, random_state=0, baselines=None).fit(*table)
    # A search ends before its time only when 600 finished trials have found nothing better.
    assert time.perf_counter() - start > 0.7 or model.n_trials_ > 600


def test_a_limit_that_is_over_at_once_gives_a_usable_model(kind, table):
    model = kind(time_limit=1e-9, random_state=0, baselines=None).fit(*table)
    assert np.isfinite(model.leaderboard_["score_val"][0])
    assert len(model.predict(table[0])) == len(table[0])


def test_ctrl_c_ends_the_search_with_the_best_so_far(kind, table):
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    start = time.perf_counter()
    timer.start()
    # Long trainings: of short ones the last may just have ended, and none would be cut.
    long = SearchSpace({"hidden_layer_sizes": (256, 256), "epochs": 10_000})
    model = kind(
        time_limit=30.0, search_space=long, strategy="random", baselines=None, random_state=0
    )
    with pytest.warns(SearchWarning, match=r"interrupted after \d"):
        model.fit(*table)
    assert 0.4 < time.perf_counter() - start < 10.0
    # What was cut in its first epoch counts as not tried; on a slow machine no network had begun.
    board = model.leaderboard_
    begun = board["name"].str.startswith("net").any()
    assert {"STOPPED", "SKIPPED"} & set(board["state"]) or not begun
    assert math.isfinite(model.leaderboard_["score_val"][0])
    assert len(model.predict(table[0])) == len(table[0])


def test_parameters_are_stored_untouched_and_cloned(kind):
    space = TINY.replace(epochs=3)
    model = kind(time_limit=5, n_jobs=2, validation=0.1, search_space=space)
    assert model.get_params()["search_space"] is space
    assert clone(model).get_params(deep=False).keys() == model.get_params(deep=False).keys()
    assert clone(model).validation == 0.1
    assert f"{kind.__name__}(" in repr(model)
    assert "validation=0.1" in repr(model)


def test_before_fit_there_is_nothing_to_predict_with(kind):
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} instance is not fitted yet"):
        kind().predict([[1.0]])
