"""What a fit has made of a table is let go when it ends, not at some later garbage collection."""

import gc
import weakref

import numpy as np
import pytest

import automs.views
from automs import AutoClassifier, AutoRegressor


@pytest.fixture
def alive(monkeypatch):
    """The encoded views that were made and still live, while nothing is collected."""
    made = weakref.WeakSet()
    init = automs.views.Views.__init__

    def noted(self, *args):
        init(self, *args)
        made.add(self)

    monkeypatch.setattr(automs.views.Views, "__init__", noted)
    gc.collect()
    gc.disable()
    yield made
    gc.enable()


def mean_distance(y_true, y_pred):
    return -float(np.mean(np.abs(y_true - y_pred)))


@pytest.mark.parametrize(
    "settings",
    [
        {"max_trials": 4},
        {"max_trials": 4, "validation": 0.2},
        {"max_trials": 6, "strategy": "gibbs"},
        {"max_trials": 4, "size_limit": 20_000, "validation": 3},
        {"max_trials": 3, "metric": mean_distance},
        {"time_limit": 1.0},
    ],
    ids="-".join,
)
def test_views_go_with_the_fit(regression_table, alive, settings):
    X, y = regression_table
    model = AutoRegressor(random_state=0, baselines=None, **settings)
    model.fit(X, y)
    assert not alive
    assert np.isfinite(model.predict(X)).all()


def test_views_of_classes_go_with_the_fit(regression_table, alive):
    X, y = regression_table
    AutoClassifier(max_trials=4, random_state=0, baselines=None).fit(X, y > np.median(y))
    assert not alive
