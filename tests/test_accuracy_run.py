"""The benchmark of accuracy: data as its protocol wants them, errors, and runs that go on."""

import importlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

pd = pytest.importorskip("pandas", reason="the protocol reads tables with pandas")
pytest.importorskip("pyarrow", reason="the tables are parquet files")
BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "accuracy.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    protocol = importlib.import_module("accuracy_protocol")
    rows_of = importlib.import_module("accuracy_rows")
    runs = importlib.import_module("accuracy_run")
    systems = importlib.import_module("accuracy_systems")
    machine = importlib.import_module("accuracy_machine")
    kept = importlib.import_module("accuracy_predictions")


@pytest.fixture
def folder(tmp_path):
    """`line` is easy; `lost` stands in the index alone."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a b": rng.normal(size=60), "c": rng.choice(["x", "y"], 60)})
    table["target"] = table["a b"] * 2.0 + (table["c"] == "x")
    table.to_parquet(tmp_path / "line.parquet")
    lines = ["name,task,n_rows,n_features", "line,regression,60,2", "lost,binary,5000,4"]
    (tmp_path / "index.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_index_caps_rows_and_gives_small_sets_three_seeds(folder):
    with (folder / "index.csv").open("a") as file:
        file.write("large,binary,500000,9\n")
    datasets = {dataset.name: dataset for dataset in protocol.read_index(folder)}
    assert list(datasets["line"].seeds) == [0, 1, 2]
    assert list(datasets["lost"].seeds) == [0]
    assert datasets["large"].n_rows == protocol.MOST_ROWS


def test_columns_become_numbers_or_categories_under_tidy_names(tmp_path):
    ordered = pd.Categorical(["lo", "hi", None, "lo"], categories=["lo", "mid", "hi"], ordered=True)
    table = pd.DataFrame({"a (b)": ordered, "a_b": [True, False, True, True], "d": [1, 2, 3, 4]})
    table.assign(target=["p", "q", "p", "q"]).to_parquet(tmp_path / "t.parquet")
    X, y = protocol.load(tmp_path, "t", "binary")
    assert list(X.columns) == ["a_b__0", "a_b", "d"]
    assert list(X["a_b__0"].cat.categories) == ["hi", "lo"]
    assert not X["a_b__0"].cat.ordered
    assert X["a_b__0"].isna().tolist() == [False, False, True, False]
    assert X["a_b"].dtype == "int64"
    assert y.tolist() == [0, 1, 0, 1]


def test_splits_are_stratified_and_differ_by_seed():
    X, y = np.arange(100)[:, None], np.repeat([0, 1], [80, 20])
    _, first, _, y_test = protocol.split(X, y, "binary", 0)
    _, second, _, _ = protocol.split(X, y, "binary", 1)
    assert np.bincount(y_test).tolist() == [16, 4]
    assert first.tolist() != second.tolist()


def test_regression_error_is_relative_to_the_spread_of_the_target():
    y = np.array([1.0, 3.0, 5.0])
    assert protocol.regression_error(y, np.full(3, 3.0)) == (1.0, 0.0)
    assert protocol.regression_error(y, y) == (0.0, 1.0)


def test_class_errors_survive_probabilities_of_zero():
    y = np.array([0, 1, 2, 2])
    sure = np.eye(3)[[0, 1, 2, 0]]
    error, accuracy = protocol.class_error(y, sure, "multiclass")
    assert error == pytest.approx(-math.log(protocol.LEAST_PROBABILITY) / 4, rel=1e-4)
    assert accuracy == 0.75
    halves = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    assert protocol.class_error(np.array([0, 1, 1, 0]), halves, "binary") == (0.0, 0.75)


def test_a_run_notes_failures_goes_on_and_resumes(folder, capsys):
    out = folder / "results.csv"
    plan = runs.Plan(folder, out, ("ridge",), budget=5.0, n_jobs=1, seeds=(1,))
    runs.run(plan)
    found = {row.dataset: row for row in rows_of.read_rows(out)}
    assert found["line"].error < 0.1
    assert found["line"].fit_s > 0
    assert found["line"].key == ("line", 1, "ridge", 5.0)
    assert "FileNotFoundError" in found["lost"].note
    assert math.isnan(found["lost"].error)
    written = out.read_bytes()
    runs.run(plan)
    assert out.read_bytes() == written
    assert len(capsys.readouterr().out.splitlines()) == 2
    facts = json.loads(machine.facts_path(out).read_text())
    assert len(facts) == 1
    assert facts[0]["NumPy"] == np.__version__


def test_predictions_are_kept_and_made_again_where_they_are_absent(folder):
    out, predictions = folder / "results.csv", folder / "predictions"
    plan = runs.Plan(
        folder, out, ("ridge",), budget=5.0, n_jobs=1, only=("line",), seeds=(0, 1), at_once=2,
        predictions=predictions,
    )  # fmt: skip
    runs.run(plan)
    errors = {row.seed: row.error for row in rows_of.read_rows(out)}
    files = {about.seed: (path, about) for path, about in kept.find(predictions).items()}
    assert sorted(errors) == sorted(files) == [0, 1]
    for seed, (path, about) in files.items():
        rows = kept.read(path, about)
        assert (about.system, len(rows.y)) == ("ridge", 12)
        assert about.error == pytest.approx(errors[seed], rel=1e-5)
        # The table's target is right to seven digits, and its error is about a thousandth.
        assert protocol.regression_error(rows.y, rows.values)[0] == pytest.approx(
            errors[seed], rel=1e-3
        )
    written = out.read_bytes()
    runs.run(plan)
    assert out.read_bytes() == written
    files[1][0].unlink()
    runs.run(plan)
    assert len(out.read_text().splitlines()) == 4
    assert files[1][0].exists()


def test_several_fits_at_once_share_the_cores(monkeypatch):
    monkeypatch.setattr(runs.os, "sched_getaffinity", lambda _: {4, 5, 6, 7, 9}, raising=False)
    assert runs.shares_of_cores(1) == [set()]
    assert runs.shares_of_cores(2) == [{4, 5}, {6, 7}]
    assert runs.shares_of_cores(6) == [set()] * 6


def test_a_stop_ends_the_children_that_run():
    surroundings = runs.Surroundings()
    surroundings.stop.set()
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert runs.run_child(command, 600, surroundings).startswith("killed")


def test_a_child_that_hangs_or_dies_is_a_noted_failure():
    def note(code, seconds):
        return runs.run_child([sys.executable, "-c", code], seconds)

    assert note("import time; time.sleep(600)", 0.5) == "killed: no end after 0.5 s"
    assert note("import os; os.kill(os.getpid(), 9)", 600) == "ended by signal 9"
    assert note("raise SystemExit(3)", 600) == "ended with code 3"
    assert note("", 600) == ""


def test_unknown_systems_and_data_sets_stop_a_run_before_it_starts(folder):
    out = folder / "results.csv"
    with pytest.raises(SystemExit, match="unknown system 'forest'"):
        runs.run(runs.Plan(folder, out, ("ridge", "forest"), budget=1.0))
    with pytest.raises(SystemExit, match="the index has no moon"):
        runs.run(runs.Plan(folder, out, ("ridge",), budget=1.0, only=("moon",)))
    assert not out.exists()


def test_an_absent_library_is_named_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "lgbm needs lightgbm: python -m pip install" in systems.missing("lgbm")
    assert systems.missing("automs_one") == systems.missing("hgb") == ""


@pytest.mark.parametrize("name", sorted(systems.VARIANTS))
def test_every_variant_is_an_estimator_with_the_metric_of_its_task(name):
    for task, metric in systems.METRICS.items():
        request = systems.Request(task, 7.0, 2, 5, None)
        parameters = systems.build(name, request, None).get_params()
        assert (parameters["metric"], parameters["time_limit"]) == (metric, 7.0)
        assert (parameters["n_jobs"], parameters["random_state"]) == (2, 5)
        assert systems.VARIANTS[name].items() <= parameters.items()


def test_a_strategy_of_its_own_belongs_to_the_name():
    request = systems.Request("binary", 7.0, 2, 5, "random")
    assert systems.build("automs", request, None).strategy == "random"
    assert systems.shown_name("automs", "random") == "automs_random"
    assert systems.shown_name("automs", None) == "automs"
    assert systems.shown_name("hgb", "random") == "hgb"
