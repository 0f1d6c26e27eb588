"""A limit that is short for a large table: some of its rows, drawn once, and a warning."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import KFold

import automs.affordable_rows as module
from automs import AutoClassifier, AutoRegressor
from automs.affordable_rows import affordable_rows
from automs.errors import SearchWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 3))
Y = X[:, 0] + 0.1 * RNG.normal(size=600)


def test_all_rows_where_there_is_time_or_no_limit():
    assert affordable_rows((10**9, 10), None, None, None, seed=0) is None
    assert affordable_rows((module._LEAST_ROWS, 1000), None, None, 1e-3, seed=0) is None
    assert affordable_rows((500_000, 10), None, None, 60.0, seed=0) is None


@pytest.mark.parametrize("seed", [0, 7])
def test_rows_are_different_ascending_and_fixed_by_the_seed(seed):
    rows = affordable_rows((300_000, 4), None, None, 0.5, seed)
    assert len(rows) == 0.5 * module._VALUES_A_SECOND / 4
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0
    assert rows[-1] < 300_000
    np.testing.assert_array_equal(rows, affordable_rows((300_000, 4), None, None, 0.5, seed))
    assert not np.array_equal(rows, affordable_rows((300_000, 4), None, None, 0.5, seed + 1))
    assert abs(rows.mean() - 150_000) < 3_000  # all parts of the table: 10 standard errors


@pytest.mark.parametrize("n_rare", [1, 15, 20, 21, 40])
def test_rare_classes_keep_rows(n_rare):
    classes = np.zeros(1_000_000, dtype=np.int64)
    classes[np.arange(n_rare) * 20_000 + 7] = 1
    rows = affordable_rows((1_000_000, 50), classes, None, 0.3, seed=0)
    assert min(n_rare, 20) <= classes[rows].sum() <= n_rare
    assert len(rows) <= module._LEAST_ROWS + 40


def test_rows_without_weight_come_last():
    weights = np.zeros(300_000)
    weights[::3_000] = 1.0
    rows = affordable_rows((300_000, 50), None, weights, 0.1, seed=0)
    assert set(range(0, 300_000, 3_000)) <= set(rows)
    assert len(rows) == module._LEAST_ROWS


@pytest.fixture
def short_limit(monkeypatch):
    """The limit of the fits below has time for 200 rows."""
    monkeypatch.setattr(module, "_LEAST_ROWS", 200)
    monkeypatch.setattr(module, "_VALUES_A_SECOND", 10)


@pytest.mark.parametrize("kind", [AutoRegressor, AutoClassifier])
def test_a_fit_within_a_short_limit_says_how_many_rows_it_used(short_limit, kind):
    y = Y if kind is AutoRegressor else np.where(Y > 0, "high", "low")
    groups = np.repeat(np.arange(120), 5)
    model = kind(time_limit=20.0, max_trials=2, baselines=None, random_state=0)
    with pytest.warns(SearchWarning, match="is short for a table of 600 rows: 200 of them") as said:
        model.fit(X, y, sample_weight=np.linspace(0.5, 2.0, 600), groups=groups)
    assert said[0].filename == __file__
    assert model.score(X, y) > 0.8


def test_a_splitter_and_a_pair_have_the_rows_that_they_name(short_limit):
    for validation in (KFold(3), (X[:50], Y[:50])):
        model = AutoRegressor(
            time_limit=20.0, max_trials=2, baselines=None, random_state=0, validation=validation
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", SearchWarning)
            model.fit(X, Y)


@pytest.mark.parametrize("n_groups", [599, 601])
def test_groups_of_another_length_are_refused_all_the_same(short_limit, n_groups):
    model = AutoRegressor(time_limit=20.0, max_trials=2, baselines=None, random_state=0)
    with pytest.raises(ValueError, match=r"groups must be of shape \(600,\)"):
        model.fit(X, Y, groups=np.arange(n_groups))
