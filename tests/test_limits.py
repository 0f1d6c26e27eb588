"""The time limit: what follows the search is measured, and no phase takes what is not left."""

import numpy as np
import pytest

import automs.finish
import automs.views
from automs.clock import Clock
from automs.finish import choose_ensemble, refit
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


def choose(search, clock, reserve=0.0):
    usable = [trial for trial in search.trials() if trial.usable]
    return choose_ensemble(search.training, usable, 12, clock, seed=0, reserve=reserve)


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
    n_usable = sum(trial.usable and trial.state != "PRUNED" for trial in searched.trials())
    assert compared == [n_usable]
    for left, reserve in [(0.0, 0.0), (10.0, 11.0), (1e-9, 0.0)]:
        assert len(choose(searched, SetClock(left), reserve).members) == 1
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


def test_what_is_reserved_after_a_refit_is_left(searched):
    ensemble = choose(searched, SetClock(0.0))
    table = read_table(np.zeros((160, 5)))
    for reserve, n_refitted in [(0.0, 1), (2e5, 0)]:
        done = refit(searched.training, table, ensemble, SetClock(1e5), reserve)
        assert len(done) == n_refitted
