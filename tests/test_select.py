"""Another model of the same fit: chosen by name or limits, without training again, and back."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from automs import AutoClassifier, AutoRegressor, load_predictor


@pytest.fixture(params=["regression", "binary"])
def fitted(request, quick_space):
    X, y = request.getfixturevalue("regression_table")
    kind = AutoRegressor if request.param == "regression" else AutoClassifier
    y = y if request.param == "regression" else y > np.median(y)
    model = kind(
        max_trials=8, validation=3, baselines=None, random_state=0, search_space=quick_space,
        size_limit=8_000,
    )  # fmt: skip
    return model.fit(X, y), X


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def test_each_kept_model_predicts_as_itself_and_back_again(fitted, tmp_path):
    model, X = fitted
    chosen, before = model.selected_, outputs(model, X)
    others = list(model.leaderboard_.dropna(subset="n_bytes")["name"])
    assert len(others) >= 3
    assert {"linear", chosen} < set(others)
    seen = {}
    for name in others:
        assert model.select(name) is model
        model.predictor_.save(tmp_path / "model.automs")
        loaded = load_predictor(tmp_path / "model.automs")
        many = loaded.predict if loaded.classes_ is None else loaded.predict_proba
        seen[name] = outputs(model, X)
        np.testing.assert_array_equal(seen[name], many(X))
        rows = model.leaderboard_
        (row,) = rows[rows["used"]].to_dict("records")
        assert row["name"] == model.selected_ == name
        assert row["n_bytes"] == (tmp_path / "model.automs").stat().st_size
        assert row["n_parameters"] == model.predictor_.n_parameters
        assert sum(line.startswith("used: ") for line in model.summary().splitlines()) == 1
        assert sum(model.ensemble_weights_.values()) == pytest.approx(1.0, rel=1e-12)
    assert len({values.tobytes() for values in seen.values()}) >= len(others) - 1
    np.testing.assert_array_equal(seen[chosen], before)
    np.testing.assert_array_equal(outputs(model.select(), X), before)
    assert model.selected_ == chosen


def test_a_trial_alone_has_the_score_that_its_predictions_have(regression_table, quick_space):
    X, y = regression_table
    model = AutoRegressor(
        max_trials=6, validation=(X[120:], y[120:]), baselines=None, random_state=0,
        search_space=quick_space,
    ).fit(X[:120], y[:120])  # fmt: skip
    scores = model.leaderboard_.set_index("name")["score_val"]
    names = [n for n in model._kept.models if n != "ensemble"]  # whose weights those rows chose
    assert len(names) >= 2
    for name in names:
        errors = model.select(name).predict(X[120:]) - y[120:]
        assert -np.sqrt(np.mean(errors**2)) == pytest.approx(scores[name], rel=1e-5)


def test_limits_choose_the_best_score_within_them(fitted):
    model, _ = fitted
    board = model.leaderboard_.dropna(subset="n_bytes")
    for limit in sorted(board["n_bytes"]):
        model.select(size_limit=limit)
        within = board[board["n_bytes"] <= limit]
        best = within["score_val"].max()
        assert model.selected_ in set(within[within["score_val"] == best]["name"])
        assert len(model.predictor_.to_bytes()) <= limit
    for limit in sorted(board["latency_us"]):
        name = model.select(latency_limit=limit).selected_
        assert board.set_index("name").loc[name, "latency_us"] <= limit


def test_a_model_survives_pickling_with_those_beside_it(fitted):
    model, X = fitted
    model.select("linear")
    for copied in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert copied.selected_ == "linear"
        np.testing.assert_array_equal(outputs(copied, X), outputs(model, X))
        for name in model._kept.models:
            ours, theirs = (outputs(m.select(name), X) for m in (model, copied))
            np.testing.assert_array_equal(ours, theirs)
        model.select("linear")


def test_a_clone_and_a_second_fit_know_nothing_of_a_choice(fitted, regression_table):
    model, X = fitted
    first = model.selected_
    model.select("linear")
    assert not [name for name in vars(clone(model)) if name.endswith("_") or name == "_kept"]
    y = regression_table[1] if isinstance(model, AutoRegressor) else model.predict(X)
    again = model.fit(X, y)
    assert again.selected_ == again._kept.chosen
    assert isinstance(model, AutoClassifier) or again.selected_ == first


def test_what_cannot_be_chosen_is_an_error_and_changes_nothing(fitted):
    model, X = fitted
    chosen, before = model.selected_, outputs(model, X)
    with pytest.raises(ValueError, match=r"name must be that of a model that was kept \(.*linear"):
        model.select("net-9999")
    with pytest.raises(ValueError, match=r"linear is not within the limits: .* size_limit is 10"):
        model.select("linear", size_limit=10)
    with pytest.raises(ValueError, match=r"no kept model .* size_limit is 10: give a higher limit"):
        model.select(size_limit=10)
    with pytest.raises(TypeError, match="latency_limit must be None or a number of microseconds"):
        model.select(latency_limit="fast")
    assert model.selected_ == chosen
    np.testing.assert_array_equal(outputs(model, X), before)
    with pytest.raises(NotFittedError):
        clone(model).select()


def test_without_pandas_the_list_shows_what_is_used(fitted, monkeypatch):
    model, _ = fitted
    model.leaderboard_ = model.leaderboard_.to_dict("records")
    model.select("linear")
    assert [record["name"] for record in model.leaderboard_ if record["used"]] == ["linear"]
    assert "used: linear" in model.summary()
