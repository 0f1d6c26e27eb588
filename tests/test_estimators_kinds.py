"""Estimators on columns of any kind: learned from, predicted by name, unseen values included."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pytest

from automs import AutoClassifier, AutoRegressor, SearchSpace

N_ROWS = 120
TINY = SearchSpace({"hidden_layer_sizes": (8,), "batch_size": 32, "epochs": 20})
QUICK = {"max_trials": 3, "baselines": None, "random_state": 0, "search_space": TINY}


@pytest.fixture(scope="module")
def frame():
    """120 rows whose `town` and `day` say all about y, with missing values in every column."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "town": rng.choice(["rome", "oslo", "bern", None], N_ROWS),
            "day": [
                dt.datetime(2020, 1, 1) + dt.timedelta(int(d)) for d in rng.integers(0, 900, N_ROWS)
            ],
            "size": pd.Categorical(
                rng.choice(["s", "m", "l"], N_ROWS), ["s", "m", "l"], ordered=True
            ),
            "noise": rng.normal(size=N_ROWS),
        }
    )
    y = 3.0 * (frame["town"] == "rome") - 2.0 * (frame["size"] == "s")
    frame.loc[::7, ["day", "noise"]] = None
    return frame, y.to_numpy()


def test_a_regression_learns_from_categories_and_takes_columns_by_name(frame):
    X, y = frame
    model = AutoRegressor(**QUICK).fit(X, y)
    assert model.score(X, y) > 0.8
    predicted = model.predict(X)
    shuffled = pl.from_pandas(X).select("noise", pl.lit(1).alias("extra"), "size", "day", "town")
    np.testing.assert_array_equal(model.predict(shuffled), predicted)
    np.testing.assert_array_equal(model.predict(X.astype(object)), predicted)
    unseen = X.head(3).assign(town=["paris", 7, None], day="2021-05-05", size="xxl", noise=np.nan)
    assert np.isfinite(model.predict(unseen)).all()
    with pytest.raises(TypeError, match="X column 'noise' was numeric in fit"):
        model.predict(X.assign(noise="loud"))


def test_a_classification_takes_validation_rows_of_their_own(frame):
    X, y = frame
    labels = np.where(y > 0, "high", "low")
    unseen = X["town"].where(np.arange(N_ROWS) < N_ROWS - 3, "paris")
    pair = (X.assign(town=unseen).tail(20), labels[-20:])
    model = AutoClassifier(**QUICK | {"validation": pair}).fit(X[:100], labels[:100])
    assert np.isin(model.predict(X), ["high", "low"]).all()
    assert (model.predict(X[:100]) == labels[:100]).mean() > 0.8
