"""The portfolio of first candidates: its pool, the greedy choice, and what a table does not see."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from automs import AutoRegressor, Candidate
from automs.portfolio import first_candidates, hand_chosen, suits_rows
from automs.prior import FINE_ROWS

BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "build_portfolio.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    scores_of = importlib.import_module("portfolio_scores")
    choice = importlib.import_module("portfolio_choice")
    found = importlib.import_module("portfolio_evidence")
    pools = importlib.import_module("portfolio_pool")
    searches = importlib.import_module("portfolio_search")
KEPT = BENCH / "results" / "portfolio.csv"


def scores(errors, seconds=None, task="binary"):
    """Tables t0, t1, ... by candidates c0, c1, ...; validation and test errors are the same."""
    return [
        scores_of.Score(
            f"t{table}", task, 900, f"c{at}", error, error, seconds[at] if seconds else 1.0
        )
        for table, line in enumerate(errors)
        for at, error in enumerate(line)
    ]


def test_regret_is_nought_for_the_best_and_one_from_the_median_on():
    errors = np.array([[0.1, 0.2, 0.3, 0.4, np.inf], [1.0, 1.0, 1.0, 1.0, 2.0]])
    expected = [[0.0, 0.5, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
    np.testing.assert_allclose(choice.regrets(errors), expected)


def test_greedy_takes_what_helps_most_and_then_what_complements_it():
    regret = np.array([[0.0, 0.3, 1.0, 0.2], [1.0, 0.3, 0.0, 0.4], [1.0, 0.3, 1.0, 0.2]])
    even = np.ones(4)
    # Means are 0.67, 0.3, 0.67, 0.27; beside candidate 3 the gains are 0.2, 0.1, 0.4, in thirds.
    assert choice.greedy(regret, even) == [3, 2, 0]
    assert choice.greedy(regret, even, length=1) == [3]


def test_greedy_prefers_cheap_candidates_by_gain_for_cost():
    regret = np.array([[0.4, 0.3]])
    assert choice.greedy(regret, np.array([0.1, 10.0]))[0] == 0
    assert choice.greedy(regret, np.array([1.0, 1.0]))[0] == 1


def test_a_table_left_out_has_no_say_in_its_list():
    errors = [[0.1, 0.9, 0.5, 0.8], [0.1, 0.9, 0.5, 0.8], [0.9, 0.1, 0.5, 0.8]]
    lists = choice.leave_one_out(choice.collect(scores(errors)))
    assert lists["t2"] == ["c0"]
    assert lists["t0"] == ["c0", "c1"]
    for own in ([9.0, 8.0, 7.0, 6.0], [1.0, 2.0, 3.0, 4.0]):
        changed = choice.leave_one_out(choice.collect(scores([*errors[:2], own])))
        assert changed["t2"] == lists["t2"]


def test_lists_by_kind_know_the_tables_of_their_kind_alone():
    classes = scores([[0.1, 0.5, 0.9]])
    numbers = [
        scores_of.Score("r", "regression", 900, f"c{at}", error, error, 1.0)
        for at, error in enumerate((0.9, 0.5, 0.1))
    ]
    chosen = choice.lists_by_kind(choice.collect([*classes, *numbers]))
    assert chosen == {"classification": ["c0"], "regression": ["c2"]}


def test_a_choice_may_be_among_some_families_alone():
    lines = choice.collect(scores([[0.3, 0.2, 0.1]])).of_families("c0", "c1")
    assert lines.candidates == ("c0", "c1")
    assert choice.choose(lines) == ["c1"]


def test_a_choice_needs_a_table():
    with pytest.raises(ValueError, match="at least one table"):
        choice.leave_one_out(choice.collect(scores([[0.1, 0.2]])))


def test_a_table_that_was_not_finished_does_not_count():
    lines = scores([[0.1, 0.2], [0.1, 0.2]])
    assert choice.collect(lines[:-1]).tables == ("t0",)


def test_the_best_so_far_is_chosen_by_validation_and_measured_by_the_test():
    validation, test = np.array([[0.3, 0.1, 0.2]]), np.array([[1.0, 3.0, 2.0]])
    contest = found.Contest("", (((0, 2, 1),),))
    measured = [
        found.best_so_far(contest, validation, test, found.by_count(n))[0] for n in (1, 2, 3, 9)
    ]
    assert measured == [1.0, 2.0, 3.0, 3.0]


def test_time_counts_whole_trainings():
    lines = choice.collect(scores([[0.1, 0.2, 0.3]], seconds=[1.0, 2.0, 4.0]))
    counts = [found.by_time(lines, limit)(0, (0, 1, 2)) for limit in (0.1, 0.5, 1.4, 1.6, 4.0)]
    assert counts == [1, 1, 1, 2, 3]


def test_scores_come_back_as_written(tmp_path):
    path, lines = tmp_path / "scores.csv", scores([[0.125, np.inf], [0.25, 0.5]])
    scores_of.append_scores(path, lines[:2])
    scores_of.append_scores(path, lines[2:])
    assert scores_of.read_scores(path) == lines


def test_scores_of_another_pool_are_refused(tmp_path, monkeypatch):
    pools.record_pool(tmp_path / "scores.csv")
    pools.record_pool(tmp_path / "scores.csv")
    monkeypatch.setattr(pools, "SEED", 1)
    with pytest.raises(SystemExit, match="other candidates"):
        pools.record_pool(tmp_path / "scores.csv")


def test_a_search_starts_with_the_list_that_it_is_given():
    X, y = load_diabetes(return_X_y=True)
    names, settings = ["hand10", "draw11", "hand05"], {"baselines": None, "random_state": 0}
    with searches.starting_with(names):
        trained = AutoRegressor(max_trials=3, **settings).fit(X, y).trials_
    nets = [trial.candidate for trial in trained if trial.name.startswith("net")]
    named = pools.pool("regression", 354)
    assert [_unseeded(c) for c in nets[:2]] == [_unseeded(named[name]) for name in names[:2]]
    assert all(_unseeded(c) != _unseeded(named["hand05"]) for c in nets)  # too large here
    later = AutoRegressor(max_trials=1, **settings).fit(X, y).trials_[-1].candidate
    assert (
        later.settings() | {"seed": None}
        == first_candidates("regression", 354, loss="squared")[0].settings()
    )


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_many_rows_give_narrow_networks_finer_bins(task):
    few, many = (first_candidates(task, n) for n in (FINE_ROWS - 1, FINE_ROWS))
    assert any(c.n_members > 1 for c in few), "and these alone have some with members"
    few = [c for c in few if c.n_members == 1]
    assert {c.encoding for c in few} == {"piecewise", "quantile", "robust", "standard"}
    finer = [c for c in many if c.encoding == "piecewise-fine"]
    assert [c.encoding for c in few] == [c.encoding.removesuffix("-fine") for c in many]
    assert len(finer) >= 4
    assert all(max(c.hidden_layer_sizes) <= 128 for c in finer)
    wide = [c for c in many if max(c.hidden_layer_sizes) > 128]
    assert {c.encoding for c in wide} >= {"piecewise"}


@pytest.mark.skipif(not KEPT.exists(), reason="kept results are not beside the tests")
def test_kept_scores_give_lists_of_valid_candidates_for_every_table():
    assert KEPT.with_suffix(".pool.json").read_text() == pools.pool_text()
    lists = choice.leave_one_out(choice.collect(scores_of.read_scores(KEPT)))
    assert len(lists) == 26
    for task in ("regression", "multiclass"):
        assert {name for names in lists.values() for name in names} <= set(pools.pool(task, 3_000))
    assert all(6 <= len(set(names)) == len(names) for names in lists.values())


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_the_pool_has_the_search_s_own_first_candidates_and_as_many_draws_everywhere(task):
    small, large = pools.pool(task, 200), pools.pool(task, 3_000)
    assert list(small) == list(large)
    own = [c for name, c in large.items() if name.startswith("hand")]
    assert [_unseeded(c) for c in own] == hand_chosen(task, 3_000)
    recipes = [_unseeded(c) for name, c in large.items() if name.startswith(("real", "tabm"))]
    by_recipe = first_candidates(task, 3_000)[len(own) :]
    assert len(by_recipe) >= 2
    assert all(candidate in recipes for candidate in by_recipe)
    kept = [c for name, c in small.items() if name.startswith("hand") and suits_rows(c, 200)]
    assert [_unseeded(c) for c in kept] == first_candidates(task, 200)[: len(kept)]


def _unseeded(candidate):
    return Candidate(**(candidate.settings() | {"seed": None, "loss": "auto"}))
