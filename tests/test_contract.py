"""scikit-learn's contract: its common checks, parameters, tags, clones and random states."""

import os

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from automs import AutoClassifier, AutoRegressor
from automs.search_space import SearchSpace

BARE = {"max_trials": 4, "baselines": None, "random_state": 0}

LIMITED = BARE | {
    "max_trials": 2, "validation": 2, "latency_limit": 20.0, "size_limit": 6_000,
    "search_space": SearchSpace({"hidden_layer_sizes": (16,), "epochs": 20, "learning_rate": 0.01}),
}  # fmt: skip

# Weighting and repeating a row are the same for a loss over all rows, not for what draws rows:
# a repeated row falls into several folds (its copies are then trained on and validated on) and
# into several mini-batches, and quantiles of the encoding count rows. scikit-learn's estimators
# that draw mini-batches (SGDClassifier, MLPRegressor) expect to fail here as well.
ROWS_ARE_DRAWN = "folds, mini-batches and quantiles are drawn from rows, and two copies are two"
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": ROWS_ARE_DRAWN,
    "check_sample_weight_equivalence_on_sparse_data": ROWS_ARE_DRAWN,
}


@parametrize_with_checks(
    [AutoRegressor(**BARE), AutoClassifier(**BARE)],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_scikit_learns_common_checks_pass_with_the_default_search_space(estimator, check):
    check(estimator)


@parametrize_with_checks(
    [AutoRegressor(**LIMITED), AutoClassifier(**LIMITED)],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_scikit_learns_common_checks_pass_with_limits(estimator, check):
    check(estimator)


@pytest.fixture(params=[AutoRegressor, AutoClassifier], ids=["regressor", "classifier"])
def kind(request):
    return request.param


@pytest.fixture
def table(kind, request):
    return request.getfixturevalue(
        "regression_table" if kind is AutoRegressor else "multiclass_table"
    )


def quick(kind, space, **settings):
    return kind(**(BARE | {"max_trials": 3, "search_space": space} | settings))


def test_no_common_check_is_skipped_for_want_of_the_array_api():
    assert os.environ["SCIPY_ARRAY_API"] == "1"


def test_tags_say_what_is_taken_and_given(kind):
    tags = get_tags(kind())
    assert tags.input_tags.allow_nan
    assert tags.input_tags.sparse
    assert tags.target_tags.required
    assert is_regressor(kind()) == (kind is AutoRegressor)
    assert is_classifier(kind()) == (kind is AutoClassifier)
    assert tags.target_tags.multi_output == (kind is AutoRegressor)
    assert not tags.non_deterministic


def test_every_parameter_is_keyword_only_kept_as_given_and_set(kind):
    given = {name: object() for name in kind().get_params()}
    model = kind(**given)
    assert all(getattr(model, name) is value for name, value in given.items())
    assert all(model.get_params(deep=False)[name] is value for name, value in given.items())
    model.set_params(n_jobs=3)
    assert model.n_jobs == 3
    with pytest.raises(TypeError):
        kind(1.0)
    with pytest.raises(ValueError, match="Invalid parameter 'time'"):
        model.set_params(time=1)


def test_fit_changes_no_parameter_and_clone_forgets_what_was_learned(kind, table, quick_space):
    model = quick(kind, quick_space)
    before = model.get_params()
    model.fit(*table)
    assert all(model.get_params()[name] is value for name, value in before.items())
    fresh = clone(model)
    assert not [name for name in vars(fresh) if name.endswith("_")]
    assert fresh.fit(*table).predictor_.to_bytes() == model.predictor_.to_bytes()


def test_a_random_state_object_goes_on_and_a_clone_starts_where_it_stood(kind, table, quick_space):
    model = quick(kind, quick_space, random_state=np.random.RandomState(5))
    twin = clone(model)
    first = model.fit(*table).predictor_.to_bytes()
    again = model.fit(*table).predictor_.to_bytes()
    assert first != again
    assert twin.fit(*table).predictor_.to_bytes() == first


def test_a_second_fit_forgets_the_first(kind, table, quick_space):
    X, y = table
    model = quick(kind, quick_space).fit(X[:, :2], y)
    again = model.fit(X, y)
    assert again is model
    assert model.n_features_in_ == 5
    assert model.predictor_.to_bytes() == quick(kind, quick_space).fit(X, y).predictor_.to_bytes()


def test_numbers_of_features_are_counted_and_checked(kind, table, quick_space):
    X, y = table
    model = quick(kind, quick_space).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 4 features, but .* is expecting 5 features"):
        model.predict(X[:, :4])
