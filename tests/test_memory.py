"""memory_limit: what must fit is an error where it does not, the rest is made smaller."""

import math

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor
from automs.candidates import Candidate
from automs.errors import MemoryLimitError
from automs.memory import Memory, network_bytes, state_bytes
from automs.scoring import resolve_metric
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

N_ROWS, N_COLUMNS = 160, 5
TABLE, VIEW = 8 * N_ROWS * N_COLUMNS, 4 * N_ROWS * N_COLUMNS
TWO = ("standard", "robust")


def test_without_a_limit_every_view_can_be_made():
    memory = Memory(None, 10**18)
    memory.take_view(10**18)
    assert memory.has_room(10**18)
    assert memory.n_more(10**18, 7) == 7


@pytest.mark.parametrize("n_bytes", [10**3, 10**9])
def test_without_a_limit_what_is_kept_has_shares_of_the_bound(n_bytes):
    memory = Memory(None)
    memory.take_first_view(n_bytes)
    kept = memory.network_bytes + memory.state_bytes
    assert kept > 0
    assert n_bytes < memory.view_bytes
    assert kept + memory.view_bytes == pytest.approx(2 * n_bytes + 300e6, rel=1e-12)
    assert memory.prediction_bytes <= kept
    assert memory.refit_bytes <= memory.view_bytes


def test_views_take_three_quarters_and_states_half_of_the_rest():
    memory = Memory(1400, table_bytes=400)
    assert memory.n_more(250, 9) == 3
    memory.take_view(750)
    assert not memory.has_room(1)
    assert memory.n_more(1, 9) == 0
    assert memory.state_bytes == 125.0


def test_the_first_view_may_take_all_and_not_more():
    Memory(1400, 400).take_first_view(1000)
    with pytest.raises(MemoryLimitError, match="1401 bytes are needed, 1400 are allowed"):
        Memory(1400, 400).take_first_view(1001)
    with pytest.raises(MemoryLimitError, match=r"the table: 400 .* 399 are allowed"):
        Memory(399, 400)


def test_a_state_counts_four_floats_a_value_and_a_network_one():
    assert state_bytes(30) == 4 * 4 * 30
    assert network_bytes(30) == 4 * 30


def make_training(memory_limit, n_folds=2):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N_ROWS, N_COLUMNS)), rng.normal(size=N_ROWS)
    target = read_target(y, N_ROWS, classification=False)
    splits = make_splits(n_folds, N_ROWS, None, 0, None)
    metric = resolve_metric("rmse", "regression", "squared", None)
    return Training(read_table(X), target, splits, metric, memory=Memory(memory_limit, X.nbytes))


@pytest.mark.parametrize(("n_views", "affordable"), [(1, 1), (2, 2), (3, 3), (9, 4)])
def test_as_many_folds_are_kept_as_views_fit(n_views, affordable):
    training = make_training(TABLE + n_views * VIEW / 0.75 + 10, n_folds=4)
    assert training.views.n_affordable_folds(math.inf) == affordable


def test_without_time_there_is_one_fold():
    training = make_training(None, n_folds=4)
    assert training.views.n_affordable_folds(0.0) == 1
    assert training.views.n_affordable_folds(1e-12) == 1
    assert training.views.n_affordable_folds(1e6) == 4


@pytest.mark.parametrize(
    ("n_views", "seconds", "encoding"),
    [(4, 1e6, "robust"), (3, 1e6, "standard"), (4, 0.0, "standard")],
)
def test_another_encoding_is_used_where_memory_and_time_allow_it(n_views, seconds, encoding):
    training = make_training(TABLE + n_views * VIEW / 0.75 + 10)
    for fold in range(2):
        training.view(fold, Candidate(encoding="standard"))
    wanted = Candidate(encoding="robust", learning_rate=0.5)
    got = training.views.affordable(wanted, seconds)
    assert got.encoding == encoding
    assert got.learning_rate == 0.5
    training.add([Candidate(encoding=got.encoding, seed=0)])
    assert training.views.affordable(got, 0.0) is got


def fit(kind, table, space, memory_limit, **settings):
    settings = {"max_trials": 12, "strategy": "random", "validation": 4} | settings
    return kind(
        search_space=space, baselines=None, random_state=0, memory_limit=memory_limit, **settings
    ).fit(*table)


def encodings(model):
    return {trial.candidate.encoding for trial in model.trials_}


def test_a_search_within_the_limit_is_the_search_without(binary_table, quick_space):
    free, ample = (fit(AutoClassifier, binary_table, quick_space, m) for m in (None, 10**9))
    assert free.predictor_.to_bytes() == ample.predictor_.to_bytes()
    assert encodings(free) == set(TWO)


def test_a_small_limit_gives_fewer_encodings_then_fewer_folds(binary_table, quick_space):
    one_encoding = fit(AutoClassifier, binary_table, quick_space, TABLE + 6 * VIEW)
    assert encodings(one_encoding) == {"standard"}
    assert {len(t.progress.fold_scores) for t in one_encoding.trials_} == {4}
    one_fold = fit(AutoClassifier, binary_table, quick_space, TABLE + VIEW + 100)
    assert {len(t.progress.fold_scores) for t in one_fold.trials_} == {1}
    assert "linear" in {t.name for t in one_fold.trials_}, "its rows are not copied"
    assert one_fold.score(*binary_table) > 0.6


@pytest.mark.parametrize("kind", [AutoClassifier, AutoRegressor])
@pytest.mark.parametrize("memory_limit", [1, TABLE, TABLE + VIEW - 1])
def test_where_one_view_does_not_fit_the_bytes_are_named(
    kind, binary_table, quick_space, memory_limit
):
    needed = TABLE if memory_limit < TABLE else TABLE + VIEW
    words = f"memory_limit must hold .*: {needed} bytes are needed, {memory_limit} are allowed"
    with pytest.raises(MemoryLimitError, match=words):
        fit(kind, binary_table, quick_space, memory_limit)


def test_states_beyond_the_limit_are_dropped_but_for_the_best(binary_table, quick_space):
    space = quick_space.replace(hidden_layer_sizes=(256,), encoding="standard", epochs=2)
    settings = {"strategy": "halving", "validation": 0.25, "ensemble_size": 3}
    free = fit(AutoClassifier, binary_table, space, None, **settings, max_trials=40)
    tight = fit(AutoClassifier, binary_table, space, TABLE + 3 * VIEW, **settings, max_trials=40)
    usable = [sum(trial.usable for trial in model.trials_) for model in (free, tight)]
    assert usable[1] < usable[0]
    assert usable[1] >= 1
    assert len(tight.ensemble_weights_) == 1
    assert tight.score(*binary_table) > 0.6


@pytest.mark.parametrize(
    "settings", [{}, {"n_members": 3}, {"scaling_layer": True, "parametric_activation": True}]
)
def test_the_values_of_a_state_are_all_that_it_holds(settings):
    training = make_training(None)
    training.add([Candidate((40, 24), encoding="standard", epochs=2, seed=0, **settings)])
    training.run([0], [1])
    held = sum(state["weights"].size for state in training.export_states(0))
    assert held <= training.n_values(0) <= 1.5 * held
