"""The command line: tables in, models and predictions out, and what it says when it cannot."""

import csv
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from automs import __version__, load_predictor
from automs.cli import main

LIMIT = ("--time-limit", "1")
COLUMNS = ("length", "width, outer", "flag")


def write_table(path, target, name="price"):
    """Write three columns, one of them boolean, and a target; give X as an array."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2)).round(6)
    flag = X[:, 0] > 0.5
    columns = dict(zip(COLUMNS, (X[:, 0], X[:, 1], flag), strict=True))
    table = pa.table(columns | {name: target(X)})
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    else:
        arrow_csv.write_csv(table, path)
    return np.column_stack([X, flag])


def price(X):
    return (3.0 + X[:, 0] - 2.0 * X[:, 1]).round(6)


def colour(X):
    return np.where(X[:, 0] > 0.3, "red", np.where(X[:, 1] > 0, "green, dark", "blue"))


def read_csv(path_or_text):
    is_path = hasattr(path_or_text, "read_text")
    text = path_or_text.read_text(encoding="utf-8") if is_path else path_or_text
    return list(csv.reader(text.splitlines()))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A folder with a table and a model of a regression, and of a classification into texts."""
    folder = tmp_path_factory.mktemp("cli")
    write_table(folder / "price.csv", price)
    write_table(folder / "colour.parquet", colour, "colour")
    for table, target in (("price.csv", "price"), ("colour.parquet", "colour")):
        arguments = [str(folder / table), "--target", target, "--out", str(folder / target)]
        assert main(["fit", *arguments, *LIMIT]) == 0
    return folder


def test_fit_prints_the_leaderboard_and_where_the_model_is(tmp_path, capsys):
    write_table(tmp_path / "t.csv", price)
    model = tmp_path / "m.automs"
    settings = ["--metric", "mae", "--strategy", "random", "--seed", "3", *LIMIT]
    arguments = [str(tmp_path / "t.csv"), "--target", "price", "--out", str(model)]
    assert main(["fit", *arguments, *settings]) == 0
    out = capsys.readouterr().out
    for words in ("rows, best first", "score: mae", "used: ", "baseline", f"saved to {model}"):
        assert words in out
    predictor = load_predictor(model)
    assert predictor.task == "regression"
    assert predictor.metadata["metric"] == "mae"


def test_a_regression_from_csv_predicts_what_its_predictor_does(fitted, capsys):
    X = write_table(fitted / "price.csv", price)
    out = fitted / "predictions.csv"
    assert main(["predict", str(fitted / "price"), str(fitted / "price.csv"), "--out",
                 str(out)]) == 0  # fmt: skip
    assert capsys.readouterr().out == ""
    rows = read_csv(out)
    assert rows[0] == ["prediction"]
    predictor = load_predictor(fitted / "price")
    np.testing.assert_array_equal([float(r[0]) for r in rows[1:]], predictor.predict(X))
    # The target is linear, and so is one of the candidates: a search may not miss that.
    assert np.sqrt(np.mean((predictor.predict(X) - price(X)) ** 2)) < 0.2
    assert predictor.feature_names_in_.tolist() == list(COLUMNS)


def test_text_classes_from_parquet_come_back_as_text(fitted, capsys):
    X = write_table(fitted / "colour.parquet", colour, "colour")
    assert main(["predict", str(fitted / "colour"), str(fitted / "colour.parquet")]) == 0
    rows = read_csv(capsys.readouterr().out)
    predictor = load_predictor(fitted / "colour")
    assert [row[0] for row in rows[1:]] == predictor.predict(X).tolist()
    assert np.mean(predictor.predict(X) == colour(X)) > 0.8


def test_probabilities_have_a_column_a_class_and_sum_to_one(fitted, capsys):
    X = write_table(fitted / "colour.parquet", colour, "colour")
    arguments = [str(fitted / "colour"), str(fitted / "colour.parquet"), "--proba"]
    assert main(["predict", *arguments]) == 0
    rows = read_csv(capsys.readouterr().out)
    assert rows[0] == ["blue", "green, dark", "red"]
    values = np.array(rows[1:], dtype=float)
    np.testing.assert_array_equal(values, load_predictor(fitted / "colour").predict_proba(X))
    # Doubles written in full; a softmax's sum is 1 but for some ulps of a float32.
    np.testing.assert_allclose(values.sum(axis=1), 1.0, rtol=1e-6)


def test_columns_are_taken_by_name_and_others_are_ignored(fitted, capsys):
    X = write_table(fitted / "price.csv", price)
    columns = {n: X[:, i] for i, n in enumerate(COLUMNS)}
    shuffled = {"comment": ["x"] * len(X)} | dict(reversed(columns.items()))
    arrow_csv.write_csv(pa.table(shuffled), fitted / "shuffled.csv")
    assert main(["predict", str(fitted / "price"), str(fitted / "shuffled.csv")]) == 0
    rows = read_csv(capsys.readouterr().out)
    expected = load_predictor(fitted / "price").predict(X)
    np.testing.assert_array_equal([float(r[0]) for r in rows[1:]], expected)


def test_empty_fields_are_missing_values(fitted, capsys):
    path = fitted / "holes.csv"
    path.write_text('length,"width, outer",flag\n,0.5,true\n1.0,,\n', encoding="utf-8")
    assert main(["predict", str(fitted / "price"), str(path)]) == 0
    rows = read_csv(capsys.readouterr().out)
    X = [[np.nan, 0.5, 1.0], [1.0, np.nan, np.nan]]
    expected = load_predictor(fitted / "price").predict(X)
    np.testing.assert_array_equal([float(r[0]) for r in rows[1:]], expected)


@pytest.mark.parametrize(
    ("values", "task", "expected"),
    [
        (lambda X: (X[:, 0] > 0).astype(int), "auto", "binary"),
        (lambda X: X[:, 0] > 0, "auto", "binary"),
        (lambda X: np.arange(len(X)), "auto", "regression"),
        (lambda X: pa.array(X[:, 0]).cast(pa.decimal128(9, 6)), "auto", "regression"),
        (lambda X: (X[:, 0] > 0).astype(int), "regression", "regression"),
        (lambda X: (X[:, 0] > 0).astype(float), "classification", "binary"),
    ],
)
def test_the_task_follows_from_the_target_unless_it_is_given(tmp_path, values, task, expected):
    write_table(tmp_path / "t.parquet", values)
    arguments = ["--target", "price", "--task", task, "--time-limit", "0.3"]
    model = tmp_path / "m"
    assert main(["fit", str(tmp_path / "t.parquet"), *arguments, "--out", str(model)]) == 0
    assert load_predictor(model).task == expected


def failure(arguments, capsys):
    """Run a command that must fail before it does anything, with one line about it; give that."""
    assert main([str(argument) for argument in arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"automs {arguments[0]}: ")
    return err


def test_a_missing_file_is_named(fitted, tmp_path, capsys):
    gone, table = tmp_path / "gone.csv", fitted / "price.csv"
    assert str(gone) in failure(["fit", gone, "--target", "price"], capsys)
    assert str(gone) in failure(["predict", fitted / "price", gone], capsys)
    assert str(gone) in failure(["predict", gone, table], capsys)


def test_a_missing_target_column_is_named_beside_those_there(fitted, capsys):
    message = failure(["fit", fitted / "price.csv", "--target", "cost"], capsys)
    assert "--target" in message
    assert "'cost'" in message
    assert "length" in message


def test_a_column_that_the_model_needs_is_named(fitted, tmp_path, capsys):
    path = tmp_path / "narrow.csv"
    path.write_text("length,flag\n1.0,true\n", encoding="utf-8")
    assert "'width, outer'" in failure(["predict", fitted / "price", path], capsys)


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_a_damaged_model_file_is_named(fitted, tmp_path, capsys, damage):
    data = (fitted / "price").read_bytes()
    at = len(data) // 2
    damaged = {
        "cut": data[:at],
        "flipped": data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
        "foreign": b"PK\x03\x04" + bytes(200),
        "empty": b"",
    }[damage]
    (tmp_path / "bad").write_bytes(damaged)
    message = failure(["predict", tmp_path / "bad", fitted / "price.csv"], capsys)
    assert str(tmp_path / "bad") in message


def test_a_table_that_is_none_is_named(fitted, tmp_path, capsys):
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"no parquet at all")
    assert str(bad) in failure(["predict", fitted / "price", bad], capsys)
    assert str(bad) in failure(["fit", bad, "--target", "price"], capsys)
    assert str(tmp_path) in failure(["fit", tmp_path, "--target", "price"], capsys)


@pytest.mark.parametrize("header", ["length", "längd"])
def test_a_table_in_another_encoding_is_named(tmp_path, capsys, header):
    path = tmp_path / "latin.csv"
    path.write_text(f"{header},price\nå,1\nö,2\n", encoding="latin-1")
    message = failure(["fit", path, "--target", "price"], capsys)
    assert "latin.csv" in message
    assert "utf-8" in message.lower()


def test_a_text_where_the_model_takes_numbers_is_named(fitted, tmp_path, capsys):
    path = tmp_path / "text.csv"
    path.write_text('length,"width, outer",flag\n1.0,wide,true\n', encoding="utf-8")
    assert "width, outer" in failure(["predict", fitted / "price", path], capsys)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--time-limit", "-1", ["time_limit", "-1"]),
        ("--time-limit", "nan", ["time_limit", "nan"]),
        ("--metric", "speed", ["metric", "'speed'"]),
        ("--strategy", "luck", ["strategy", "'luck'"]),
        ("--seed", "-4", ["random_state", "-4"]),
    ],
)
def test_a_bad_setting_is_named_with_what_came(fitted, capsys, option, value, words):
    arguments = ["fit", fitted / "price.csv", "--target", "price", f"{option}={value}"]
    message = failure(arguments, capsys)
    assert not [word for word in words if word not in message]


def test_a_regression_has_no_probabilities(fitted, capsys):
    message = failure(["predict", fitted / "price", fitted / "price.csv", "--proba"], capsys)
    assert "classifier" in message


def test_a_model_that_cannot_be_written_is_an_error_before_the_search(fitted, tmp_path, capsys):
    out = tmp_path / "no such folder" / "model"
    arguments = ["fit", fitted / "price.csv", "--target", "price", "--out", out]
    assert "no such folder" in failure([*arguments, "--time-limit", "0.3"], capsys)


@pytest.mark.parametrize(
    "arguments",
    [[], ["train"], ["fit"], ["fit", "t.csv"], ["predict", "m"], ["demo", "--time-limit", "soon"]],
    ids=" ".join,
)
def test_bad_usage_exits_with_two_and_says_how(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: automs" in capsys.readouterr().err


def test_the_version_and_the_help_exit_with_zero(capsys):
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as ended:
            main([option])
        assert ended.value.code == 0
    out = capsys.readouterr().out
    assert f"automs {__version__}" in out
    assert all(command in out for command in ("demo", "fit", "predict"))


def test_the_package_runs_as_a_program():
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-m", "automs", "--version"], env=os.environ | {"PYTHONPATH": paths},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == f"automs {__version__}\n"
