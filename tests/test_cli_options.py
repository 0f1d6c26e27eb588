"""Options of `automs fit`: columns with a role, validation, limits, files, and helpful messages."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

import automs.cli_commands
import automs.estimators
from automs import load_predictor
from automs.cli import _process_start, main
from automs.cli_tables import csv_text, read_file, write_leaderboard

N_ROWS = 120


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, N_ROWS)).round(6)
    return {
        "a": a, "b": b, "weight": rng.uniform(0.5, 2.0, N_ROWS), "family": np.arange(N_ROWS) // 4,
        "note": [f"row {i}" for i in range(N_ROWS)], "price": (3.0 + a - 2.0 * b).round(6),
    }  # fmt: skip


@pytest.fixture
def path(columns, tmp_path):
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


ROLES = ("--target", "price", "--weights", "weight", "--groups", "family", "--drop", "note")


@pytest.fixture
def made(monkeypatch):
    """Note how the command makes its estimator and what it fits on, without a search."""
    calls = []

    def fit(model, X, y, sample_weight=None, groups=None):
        calls.append((model, X, y, sample_weight, groups))
        raise KeyboardInterrupt

    monkeypatch.setattr(automs.estimators.AutoRegressor, "fit", fit)

    def run(*arguments):
        assert main([str(argument) for argument in arguments]) == 130
        return calls.pop()

    return run


def test_columns_with_a_role_are_taken_out_of_the_table(made, path, columns):
    model, X, y, weights, groups = made("fit", path, *ROLES)
    assert X.column_names == ["a", "b"]
    assert isinstance(X, pa.Table)
    np.testing.assert_array_equal(y, columns["price"])
    np.testing.assert_array_equal(weights, columns["weight"])
    np.testing.assert_array_equal(groups, columns["family"])
    assert model.validation == "auto"


def test_options_become_the_estimators_settings(made, path):
    model, *_ = made(
        "fit", path, "--target", "price", "--strategy", "random", "--metric", "mae", "--loss",
        "absolute", "--validation", "0.3", "--seed", 7, "--max-trials", 9, "--n-jobs", 2,
        "--ensemble-size", 3, "--no-baselines", "--memory-limit", "2GB", "--quiet",
        "--latency-limit", 1.5, "--size-limit", "30k",
    )  # fmt: skip
    wanted = {
        "strategy": "random", "metric": "mae", "loss": "absolute", "validation": 0.3,
        "random_state": 7, "max_trials": 9, "n_jobs": 2, "ensemble_size": 3, "baselines": None,
        "latency_limit": 1.5, "size_limit": 3e4, "memory_limit": 2e9, "verbose": 0,
        "time_limit": None,
    }  # fmt: skip
    assert {name: getattr(model, name) for name in wanted} == wanted


def test_what_is_not_given_is_the_default(made, path):
    model, *_ = made("fit", path, "--target", "price")
    default = automs.estimators.AutoRegressor()
    different = {
        name for name, value in default.get_params().items() if getattr(model, name) != value
    }
    assert different == {"time_limit", "random_state", "verbose"}


@pytest.mark.parametrize(
    ("text", "value"), [("auto", "auto"), ("time", "time"), ("0.25", 0.25), ("4", 4)]
)
def test_validation_is_a_word_a_share_or_folds(made, path, text, value):
    model, *_ = made("fit", path, "--target", "price", "--validation", text)
    assert model.validation == value
    assert type(model.validation) is type(value)


def test_validation_may_be_a_file_with_rows_of_its_own(made, path, columns, tmp_path):
    own = {name: values[:30] for name, values in reversed(columns.items())} | {"more": [1] * 30}
    arrow_csv.write_csv(pa.table(own), tmp_path / "v.csv")
    model, X, *_ = made("fit", path, *ROLES, "--validation", tmp_path / "v.csv")
    X_val, y_val = model.validation
    assert X_val.column_names == X.column_names == ["a", "b"]
    np.testing.assert_allclose(y_val, columns["price"][:30], rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "value"), [("1000", 1e3), ("3k", 3e3), ("500M", 5e8), ("1.5gb", 1.5e9), ("7B", 7.0)]
)
def test_bytes_may_have_a_unit(made, path, text, value):
    assert made("fit", path, "--target", "price", "--memory-limit", text)[0].memory_limit == value


def test_reading_the_table_counts_towards_the_time_limit(made, path, monkeypatch):
    real = automs.cli_commands.read_file
    clock = [100.0]

    def slow(given):
        clock[0] += 7.0
        return real(given)

    monkeypatch.setattr(automs.cli_commands, "read_file", slow)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    model, *_ = made("fit", path, "--target", "price", "--time-limit", "10")
    assert model.time_limit == pytest.approx(10.0 - 7.0 - 0.1, abs=1e-9)
    model, *_ = made("fit", path, "--target", "price", "--time-limit", "5")
    assert model.time_limit == 0.01
    model, *_ = made("fit", path, "--target", "price")
    assert model.time_limit == pytest.approx(60.0 - 7.0 - 0.1, abs=1e-9)


def test_a_process_knows_when_it_started():
    code = (
        "import time; a = time.monotonic(); from automs.cli import _process_start as f; "
        "b = f(); print(a - b)"
    )
    paths = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": paths},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    # Starting an interpreter takes some ms; the kernel counts in ticks of 10 ms.
    assert -0.02 <= float(done.stdout) < 30.0
    assert _process_start() <= time.monotonic()


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_the_leaderboard_is_written_by_its_suffix(path, tmp_path, capsys, suffix):
    out = tmp_path / f"board.{suffix}"
    arguments = ["--max-trials", "2", "--no-baselines", "-q", "--leaderboard", str(out)]
    assert main(["fit", str(path), *ROLES, *arguments]) == 0
    assert capsys.readouterr() == ("", "")
    if suffix == "json":
        rows = json.loads(out.read_text())
    else:
        rows = parquet.read_table(out) if suffix == "parquet" else arrow_csv.read_csv(out)
        rows = rows.to_pylist()
    names = {row["name"] for row in rows}
    assert {"constant", "linear", "net-0000", "net-0001"} <= names
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(isinstance(row["score_val"], float) for row in rows)


def test_settings_and_odd_values_survive_in_every_format(tmp_path):
    record = {"name": 'a, "b"', "score_val": float("nan"), "hidden_layer_sizes": (8, 8),
              "seed": 2**64 - 1, "epochs": None, "residual": True}  # fmt: skip
    for suffix in ("csv", "json", "parquet"):
        write_leaderboard([record, record], tmp_path / f"x.{suffix}")
    row = json.loads((tmp_path / "x.json").read_text())[0]
    assert row == record | {"score_val": None, "hidden_layer_sizes": "(8, 8)"}
    assert parquet.read_table(tmp_path / "x.parquet").to_pylist()[1]["seed"] == str(2**64 - 1)
    assert (tmp_path / "x.csv").read_text().splitlines()[1] == (
        '"a, ""b""",,"(8, 8)",18446744073709551615,,True'
    )


def test_floats_are_written_in_full():
    assert csv_text(["x"], [[0.1 + 0.2]]) == "x\n0.30000000000000004\n"


def test_empty_texts_are_missing(tmp_path):
    (tmp_path / "t.csv").write_text('a,b\nx,1\n"",2\n', encoding="utf-8")
    assert read_file(tmp_path / "t.csv").column("a").to_pylist() == ["x", None]


def failure(capsys, *arguments):
    assert main([str(argument) for argument in arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--target", "prize"], ["--target", "'prize'", "did you mean 'price'?", "family"]),
        (["--target", "price", "--weights", "weigth"], ["--weights", "did you mean 'weight'?"]),
        (["--target", "price", "--groups", "zzz"], ["--groups", "'zzz'", "columns: a, b"]),
        (["--target", "price", "--drop", "notes"], ["--drop", "did you mean 'note'?"]),
        (["--target", "price", "--validation", "gone.csv"], ["--validation", "'gone.csv'"]),
        (["--target", "price", "--memory-limit", "lots"], ["--memory-limit", "'lots'"]),
        (["--target", "price", "--leaderboard", "no/b.csv"], ["--leaderboard", "no/b.csv"]),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(path, capsys, arguments, words):
    message = failure(capsys, "fit", path, *arguments)
    assert not [word for word in words if word not in message]


def test_missing_targets_are_counted(tmp_path, capsys):
    for values, n_missing in [([1.5, None, float("nan"), 2.0], 2), (["x", None, "y", ""], 2)]:
        parquet.write_table(pa.table({"a": [1, 2, 3, 4], "y": values}), tmp_path / "t.parquet")
        message = failure(capsys, "fit", tmp_path / "t.parquet", "--target", "y")
        assert f"{n_missing} of 4 are missing" in message
        assert "remove these rows" in message


def test_a_target_that_is_all_there_is_or_a_date_is_refused(tmp_path, capsys):
    days = pa.array(np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"))
    for columns, words in [
        ({"y": [1, 2]}, "beside the target"),
        ({"a": [1, 2], "y": days}, "date"),
    ]:
        parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
        assert words in failure(capsys, "fit", tmp_path / "t.parquet", "--target", "y")


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "an empty file"), (b"a,y\n", "have rows"), (b"\xff\xfe\x00", "")]
)
def test_a_file_that_is_no_table_is_named(tmp_path, capsys, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    message = failure(capsys, "fit", tmp_path / "t.csv", "--target", "y")
    assert str(tmp_path / "t.csv") in message or "--target" in message
    assert words in message


def test_the_exit_codes_are_in_the_help(capsys):
    for arguments in (["--help"], ["fit", "--help"], ["predict", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "exit codes: 0 done" in " ".join(capsys.readouterr().out.split())


def test_one_ctrl_c_saves_the_best_so_far_and_says_so(path, tmp_path):
    paths = os.pathsep.join(p for p in sys.path if p)
    model = tmp_path / "m.automs"
    process = subprocess.Popen(
        [sys.executable, "-m", "automs", "fit", str(path), *ROLES, "-v", "--no-baselines",
         "--time-limit", "200", "--out", str(model)],
        env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert "candidates trained" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert "automs fit: warning: the search was interrupted" in err
    assert "used: " in out
    assert load_predictor(model).task == "regression"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_texts_and_dates_are_learned_from_and_predicted_for(tmp_path, suffix):
    days = np.datetime64("2024-01-01") + np.arange(N_ROWS)
    colours = [("red", "green", "", "blue")[i % 4] for i in range(N_ROWS)]
    price = np.where(np.array(colours) == "red", 5.0, 1.0) + 0.01 * np.arange(N_ROWS) % 7
    table = pa.table({"day": pa.array(days), "colour": colours, "price": price})
    path, model, out = (tmp_path / name for name in (f"t.{suffix}", "m", "p.csv"))
    (parquet.write_table if suffix == "parquet" else arrow_csv.write_csv)(table, path)
    settings = ["--max-trials", "2", "--no-baselines", "-q", "--out", str(model)]
    assert main(["fit", str(path), "--target", "price", *settings]) == 0
    assert main(["predict", str(model), str(path), "--out", str(out)]) == 0
    predicted = arrow_csv.read_csv(out).column("prediction").to_numpy()
    assert np.corrcoef(predicted, price)[0, 1] > 0.9
    assert load_predictor(model).feature_names_in_.tolist() == ["day", "colour"]
