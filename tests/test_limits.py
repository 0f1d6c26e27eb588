"""The time limit: what follows the search is measured, and no phase takes what is not left."""

import gc
import math
import sys

import numpy as np
import pandas as pd
import pytest

import automs.finish
import automs.views
from automs import AutoRegressor
from automs.baseline_runs import collect_baselines
from automs.clock import Clock
from automs.collector import paused_collector
from automs.finish import Ensemble, choose_ensemble
from automs.refitting import refit
from automs.rehearsal import FinishTime
from automs.scoring import resolve_metric
from automs.search import Search
from automs.search_space import SearchSpace
from automs.splits import make_splits
from automs.strategies import make_strategy
from automs.strategies.base import Problem
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

SPACE = SearchSpace(
    {"hidden_layer_sizes": (8,), "learning_rate": 0.01, "batch_size": 32, "epochs": 6,
     "encoding": "standard"}
)  # fmt: skip


class SetClock(Clock):
    """A clock whose remaining time is set by hand."""

    def __init__(self, left):
        super().__init__(1e6)
        self.left = left

    def remaining(self, reserve=0.0):
        return 0.0 if self.look() else self.left - reserve


@pytest.fixture
def searched(regression_table):
    """A search of six candidates on a hold-out, and its training."""
    X, y = regression_table
    target = read_target(y, len(y), classification=False)
    metric = resolve_metric("rmse", "regression", "squared", None)
    training = Training(read_table(X), target, make_splits(0.25, len(y), None, 0, None), metric)
    problem = Problem(
        search_space=SPACE, seed=0, n_rows=120, n_features=5, n_outputs=1, max_trials=6
    )
    search = Search(training, make_strategy("random"), problem, Clock(None))
    search.run()
    return search


def choose(search, clock):
    usable = [trial for trial in search.trials() if trial.usable]
    return choose_ensemble(search.training, usable, 12, clock, seed=0)


def test_a_finish_takes_each_network_twice_and_each_trial_once_with_a_margin():
    time = FinishTime(per_network=1.0, per_trial=0.01)
    assert time.seconds(5, 100) == pytest.approx(1.5 * (2 * 5 + 1), rel=1e-12)


def test_without_time_for_a_comparison_the_best_alone_is_chosen(searched, monkeypatch):
    compared = []
    real = automs.finish.select_ensemble

    def counting(predictions, *args, **kwargs):
        compared.append(len(predictions))
        return real(predictions, *args, **kwargs)

    monkeypatch.setattr(automs.finish, "select_ensemble", counting)
    choose(searched, SetClock(1e5))
    n_usable = sum(trial.usable for trial in searched.trials())
    assert compared == [n_usable]
    for left in (0.0, -1.0, 1e-9):
        assert len(choose(searched, SetClock(left)).members) == 1
    assert compared == [n_usable]


def test_a_slow_metric_has_fewer_members_compared(searched, monkeypatch):
    """Each look at a time says that scoring one member took a second; 12 s are left."""
    ticks = iter(np.arange(0.0, 1e3))
    compared = []
    monkeypatch.setattr(automs.finish.time, "perf_counter", lambda: float(next(ticks)))
    monkeypatch.setattr(
        automs.finish, "select_ensemble", lambda predictions, *_, **__: compared.append(predictions)
    )
    with pytest.raises(AttributeError, match="weights"):
        choose(searched, SetClock(12.0))
    assert [len(predictions) for predictions in compared] == [3]


@pytest.mark.parametrize(("left", "n_refitted"), [(1e5, 1), (50.0, 0), (0.0, 0)])
def test_members_are_refitted_only_where_the_encoding_is_paid_for_too(searched, left, n_refitted):
    searched.training.views.seconds = 100.0
    ensemble = choose(searched, SetClock(0.0))
    table = read_table(np.zeros((160, 5)))
    assert len(refit(searched.training, table, ensemble, SetClock(left))) == n_refitted


@pytest.mark.parametrize(("clock", "n_networks"), [(SetClock(1e5), 7), (Clock(None), 2)])
def test_time_left_after_a_refit_goes_to_further_seeds_of_the_members(searched, clock, n_networks):
    """Each next network is of the member with the most weight for every one that it has."""
    first, second, *_ = (t for t in searched.trials() if t.solver == "gradient")
    ensemble = Ensemble([first, second], [0.7, 0.3], first.progress.fold_scores, 0.0)
    table = read_table(np.random.default_rng(0).normal(size=(160, 5)))
    done = refit(searched.training, table, ensemble, clock, n_networks=7)
    counts = {number: len(networks) for number, networks in done.items()}
    assert counts == (
        {first.number: 5, second.number: 2}
        if n_networks == 7
        else {first.number: 1, second.number: 1}
    )
    for networks in done.values():
        assert len({network.weights[0].tobytes() for network in networks}) == len(networks)


def test_a_clock_that_keeps_time_ends_earlier_and_stops_with_the_other():
    clock = Clock(100.0)
    earlier = clock.keeping(30.0)
    assert earlier.remaining() == pytest.approx(clock.remaining() - 30.0, abs=1.0)
    assert Clock(None).keeping(30.0).time_left() is None
    clock.stop()
    assert earlier.look()
    assert earlier.remaining() == earlier.time_left() == 0.0


@pytest.mark.parametrize("kinds", ["numbers", "categories"])
def test_a_limit_that_has_no_time_for_more_views_keeps_one_fold_and_encoding(
    regression_table, monkeypatch, kinds
):
    """Encoding seems to take an hour: one fold in one encoding is what there is."""
    X, y = regression_table
    if kinds == "categories":
        labels = np.array([f"label {i % 40}" for i in range(len(y))], dtype=object)
        X = pd.DataFrame({"number": X[:, 0], "label": labels})
    monkeypatch.setattr(automs.views, "perf_counter", iter(np.arange(0.0, 1e9, 3600.0)).__next__)
    model = AutoRegressor(
        time_limit=0.5, validation=4, random_state=0, baselines=None, strategy="random"
    ).fit(X, y)
    candidates = [trial.candidate for trial in model.trials_]
    assert {candidate.encoding for candidate in candidates} == {"standard"}
    if kinds == "categories":
        assert all(c.embedding_size == 0 or c.optimizer == "exact" for c in candidates[2:])
    assert {len(trial.progress.fold_scores) for trial in model.trials_} == {1}
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize(("left", "waits"), [(math.inf, 3), (1.0, 3), (0.0, 0), (-1.0, 0)])
def test_baselines_are_waited_for_until_the_end_of_the_clock_at_most(left, waits):
    class Baselines:
        n_waits = 0

        def wait(self, seconds):
            self.n_waits += 1
            return self.n_waits == 3

        def finish(self, timeout):
            assert timeout == 0.0
            return [self.n_waits]

    assert collect_baselines(Baselines(), SetClock(left)) == [waits]


def callers():
    """Names of the functions that the caller was called from."""
    frame = sys._getframe(1)
    while frame is not None:
        yield frame.f_code.co_name
        frame = frame.f_back


@pytest.fixture
def collections():
    """For each collection of garbage, at every other allocation, the functions it stopped."""
    seen, thresholds = [], gc.get_threshold()

    def note(phase, _):
        if phase == "start":
            seen.append(set(callers()))

    gc.callbacks.append(note)
    gc.set_threshold(2, 1, 1)
    yield seen
    gc.set_threshold(*thresholds)
    gc.callbacks.remove(note)


def test_no_collection_of_garbage_stops_what_follows_the_search(regression_table, collections):
    settings = {"search_space": SPACE, "max_trials": 2, "baselines": None, "random_state": 0}
    AutoRegressor(**settings).fit(*regression_table)
    gc.set_threshold(10**6)
    assert any("run_search" in stopped for stopped in collections)
    late = {"choose_model", "make_leaderboard", "select"}
    assert not [stopped for stopped in collections if late & stopped]
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_so_and_an_error_turns_it_on_again():
    with paused_collector():
        with paused_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), paused_collector():
        1 / 0  # noqa: B018  # fails inside the block
    assert gc.isenabled()
