"""The ablation: variants that lack one part each, its trivial schedule, and its report."""

import importlib
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
from sklearn.datasets import load_diabetes
from strategy_contract import FULL_COST, Search, StrategyContract, problem

from automs.portfolio import first_candidates
from automs.prior import default_search_space

BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "ablation.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    variants = importlib.import_module("ablation_variants")
    strategies = importlib.import_module("ablation_strategies")
    systems = importlib.import_module("accuracy_systems")
    ablation_report = importlib.import_module("ablation_report")
    report = importlib.import_module("accuracy_report")
    rows_of = importlib.import_module("accuracy_rows")

SPACE = default_search_space("regression", 20_000)
FIRST = first_candidates("regression", 2_000)
WHOLE = problem(search_space=SPACE, first_candidates=FIRST, max_trials=60)


class TestOneEpochThenBest(StrategyContract):
    def make(self):
        return strategies.OneEpochThenBest()

    def test_all_have_one_epoch_and_the_best_three_all(self):
        search = Search(self.make(), problem(max_trials=30), score=lambda c, e: c.learning_rate)
        by_rate = sorted(search.epochs, key=lambda i: -search.strategy.candidates[i].learning_rate)
        done = {i for i, e in search.epochs.items() if e == search.strategy.candidates[i].epochs}
        assert done == set(by_rate[:3])
        assert {search.epochs[i] for i in by_rate[3:]} == {1}

    def test_a_time_limit_is_mostly_for_first_epochs(self):
        search = Search(self.make(), problem(), allowance=40 * FULL_COST)
        assert len(search.epochs) > 200
        assert 3 <= search.n_complete() <= 6


def proposed(change):
    """The candidates that the default search tries after this change of its problem."""
    return Search(strategies.ChangedHalving(change), WHOLE).strategy.candidates


def test_without_first_candidates_there_are_draws_alone():
    candidates = proposed(strategies.without_first_candidates)
    assert len(candidates) == 60
    assert all(SPACE.contains({"loss": "auto", **c.settings()}) for c in candidates)


def test_without_recipes_neither_candidates_nor_space_have_them():
    assert any(c.scaling_layer for c in FIRST)
    changed = strategies.without_recipes(WHOLE)
    assert [weight for weight, _ in changed.search_space.parts] == [3 / 16, 3 / 8]
    candidates = proposed(strategies.without_recipes)
    assert not any(c.scaling_layer for c in candidates)
    drawn = [c for c in candidates[len(FIRST) :] if c.n_members == 1]
    assert drawn
    assert not any(c.beta2 == 0.95 and c.encoding == "robust" for c in drawn)
    with pytest.raises(RuntimeError, match="no recipes where"):
        strategies.without_recipes(changed)


def test_without_members_every_candidate_is_a_single_network():
    assert any(c.n_members > 1 for c in proposed(lambda problem: problem))
    assert all(c.n_members == 1 for c in proposed(strategies.without_members))


def test_plainly_encoded_candidates_are_robustly_scaled_and_differ():
    candidates = proposed(strategies.plainly_encoded)
    assert {(c.encoding, c.numeric_embedding) for c in candidates} == {("robust", "none")}
    unseeded = [replace(c, seed=None) for c in candidates]
    assert len(set(unseeded)) == len(unseeded)
    assert candidates[0].hidden_layer_sizes == FIRST[0].hidden_layer_sizes


def test_every_variant_is_known_and_explained():
    known = {name for name in (*systems.VARIANTS, *systems.ABLATIONS) if name != "automs"}
    assert set(variants.WHAT) == known - {"automs_halving"}
    assert all(systems.missing(name) == "" for name in variants.WHAT)


@pytest.mark.parametrize("name", sorted(systems.ABLATIONS))
def test_every_variant_fits_and_leaves_the_package_as_it_was(name):
    X, y = load_diabetes(return_X_y=True)
    model = systems.build(name, systems.Request("regression", 0.4, 1, 3), X)
    inner = getattr(model, "model", model)
    assert (inner.time_limit, inner.n_jobs) == (0.4, 1)
    # No time for scikit-learn's models: none is imported, and nothing is said of being behind.
    inner.set_params(baselines=None, time_limit=None, max_trials=9)
    model.fit(X[:300], y[:300])
    assert model.predict(X[300:]).shape == (142,)
    names = {trial.name for trial in inner.trials_}
    assert ("additive" in names) == (name not in {"automs_plain", "automs_no_linear"})
    assert ("linear" in names) == (name != "automs_no_linear")
    dense = {"automs_plain", "automs_no_linear", "automs_no_sparse"}
    assert ("sparse-additive" in names) == (name not in dense)
    search = importlib.import_module("automs.search")
    assert search.affordable_models.__module__ == "automs.first_models"


def test_a_function_is_put_back_after_a_failure():
    search = importlib.import_module("automs.search")
    failing = mock.Mock(fit=mock.Mock(side_effect=OSError("none")))
    with pytest.raises(OSError, match="none"):
        variants.Replaced(failing, variants.linear_models).fit(None, None)
    assert search.affordable_models.__module__ == "automs.first_models"


def row(dataset, task, system, error):
    return rows_of.Row(dataset, task, 100, 3, 0, system, 4.0, error, fit_s=3.9)


def test_the_report_has_a_ratio_for_each_part_by_task_and_table():
    errors = {"wine": ("multiclass", 0.2, 0.4), "adult": ("binary", 0.3, 0.15)}
    rows = [row("moon", "binary", "automs", 0.1)]
    for dataset, (task, full, one) in errors.items():
        rows += [row(dataset, task, "automs", full), row(dataset, task, "automs_one", one)]
        rows += [row(dataset, task, "automs_again", full)]
    found = ablation_report.sections(report.compare(rows, "automs"), [])
    worth, tasks, tables = found[:3]
    assert [line[0] for line in worth.lines] == ["automs_again", "automs_one"]
    assert worth.lines[1][2:] == ("1.000", "0.500 to 2.000", "1 / 1 / 0", "2", "0")
    assert tasks.columns == ("variant", "binary, 2 data sets", "multiclass, 1 data sets")
    assert tasks.lines[1] == ("automs_one", "0.500 (0.500 to 0.500)", "2.000 (2.000 to 2.000)")
    assert tables.lines == [
        ("moon", "100", "0.1", "-", "-"),
        ("wine", "100", "0.2", "1.000", "2.000"),
        ("adult", "100", "0.3", "1.000", "0.500"),
    ]
