"""With the rest of scikit-learn and with other libraries' objects: pipelines, searches, pickles."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from automs import AutoClassifier, AutoRegressor

NAMES = ["e", "d", "c", "b", "a"]


@pytest.fixture(params=[AutoRegressor, AutoClassifier], ids=["regressor", "classifier"])
def kind(request):
    return request.param


@pytest.fixture
def table(kind, request):
    return request.getfixturevalue(
        "regression_table" if kind is AutoRegressor else "multiclass_table"
    )


@pytest.fixture
def model(kind, quick_space):
    return kind(
        max_trials=3, baselines=None, random_state=0, search_space=quick_space, validation=2
    )


def test_a_pickle_and_a_joblib_dump_predict_the_same_bits(model, table, tmp_path):
    X, y = table
    model.fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
        assert copy.leaderboard_.equals(model.leaderboard_)
        assert copy.summary() == model.summary()
        assert copy.fit(X, y).predictor_.to_bytes() == model.predictor_.to_bytes()


def test_an_unfitted_one_is_pickled_with_its_settings(model):
    copy = pickle.loads(pickle.dumps(model))
    assert repr(copy) == repr(model)


def test_a_pipeline_takes_it_as_its_last_step(model, table):
    X, y = table
    pipeline = make_pipeline(StandardScaler(), model).fit(X, y)
    assert pipeline.predict(X).shape == (160,)
    assert pipeline.score(X, y) > 0.3


def test_a_transformer_that_gives_pandas_gives_it_names(model, table):
    X, y = table
    frame = pd.DataFrame(X, columns=NAMES)
    scaler = make_column_transformer((MinMaxScaler(), ["a", "c"]), remainder="passthrough")
    pipeline = make_pipeline(scaler.set_output(transform="pandas"), model).fit(frame, y)
    fitted = pipeline[-1]
    assert fitted.feature_names_in_.dtype == object
    assert fitted.feature_names_in_.tolist() == list(pipeline[0].get_feature_names_out())
    np.testing.assert_array_equal(pipeline.predict(frame), pipeline.predict(frame[sorted(NAMES)]))


def test_cross_validation_clones_it(model, table):
    scores = cross_val_score(model, *table, cv=3)
    assert (scores > 0.3).all()
    assert not hasattr(model, "predictor_")
    method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    assert len(cross_val_predict(model, *table, cv=2, method=method)) == 160


def test_a_grid_search_goes_over_the_size_of_the_ensemble(model, table):
    grid = GridSearchCV(model, {"ensemble_size": [1, 4]}, cv=2).fit(*table)
    assert grid.best_params_["ensemble_size"] in {1, 4}
    assert len(grid.best_estimator_.ensemble_weights_) <= grid.best_params_["ensemble_size"]
    assert grid.predict(table[0]).shape == (160,)


def test_permutation_importance_finds_the_column_that_matters(model, table):
    X, y = table
    found = permutation_importance(model.fit(X, y), X, y, n_repeats=2, random_state=0)
    assert found.importances_mean.argmax() in {0, 1, 3}
    assert found.importances_mean.max() > 0.05


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("order", ["C", "F"])
def test_read_only_arrays_of_any_order_are_learned_from(model, table, order):
    X, y = table
    expected = clone(model).fit(X, y).predictor_.to_bytes()
    frozen = [read_only(np.asarray(X, order=order)), read_only(y), read_only(np.ones(len(y)))]
    before = [array.tobytes() for array in frozen]
    weighted = model.fit(*frozen)
    assert [array.tobytes() for array in frozen] == before
    weighted.predict(frozen[0])
    assert clone(model).fit(*frozen[:2]).predictor_.to_bytes() == expected


@pytest.fixture
def _routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


class Noted:
    """Makes estimators that note the weights and groups of each of their fits."""

    def __init__(self, monkeypatch, kind):
        self.fits = []
        real = kind._fit_by

        def noting(estimator, clock, X, y, sample_weight, groups):
            self.fits.append((X, sample_weight, groups))
            return real(estimator, clock, X, y, sample_weight, groups)

        monkeypatch.setattr(kind, "_fit_by", noting)


@pytest.fixture
def noted(monkeypatch, kind):
    return Noted(monkeypatch, kind)


@pytest.mark.usefixtures("_routing")
@pytest.mark.parametrize("through", ["pipeline", "grid", "cross_validate"])
def test_weights_and_groups_are_routed(model, table, noted, through):
    X, y = table
    weights, groups = np.linspace(1.0, 2.0, len(y)), np.arange(len(y)) // 4
    model.set_fit_request(sample_weight=True, groups=True)
    model.set_score_request(sample_weight=False)
    if through == "pipeline":
        make_pipeline(MinMaxScaler(), model).fit(X, y, sample_weight=weights, groups=groups)
    elif through == "grid":
        grid = GridSearchCV(model, {"ensemble_size": [1]}, cv=GroupKFold(2), refit=False)
        grid.fit(X, y, sample_weight=weights, groups=groups)
    else:
        params = {"sample_weight": weights, "groups": groups}
        cross_validate(model, X, y, cv=GroupKFold(2), params=params, error_score="raise")
    assert len(noted.fits) == (1 if through == "pipeline" else 2)
    for given, own_weights, own_groups in noted.fits:
        assert len(own_weights) == len(own_groups) == len(given)
        at = np.searchsorted(weights, own_weights)
        np.testing.assert_array_equal(groups[at], own_groups)
        if through != "pipeline":
            np.testing.assert_array_equal(X[at], given)


@pytest.mark.usefixtures("_routing")
def test_weights_that_were_not_asked_for_are_refused(model, table):
    X, y = table
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="sample_weight"):
        make_pipeline(MinMaxScaler(), model).fit(X, y, sample_weight=np.ones(len(y)))
