"""Predictor: against NumPy, from every kind of input, saved, pickled, and embedded in C++."""

from __future__ import annotations

import itertools
import os
import pickle
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from automs._core import Encoder, write_model
from automs.errors import ModelFileError
from automs.predictor import Predictor, load_predictor

ROOT = Path(__file__).parents[1]
NAMES = ["a", "b", "c", "d"]
CLASSES = {"string": ["no", "yes"], "int64": [3, -1], "bool": [False, True], "float64": [0.5, 1.5]}


def a_network(rng: np.random.Generator, sizes: list[int], link: str) -> dict[str, Any]:
    n_logits = sizes[-1]
    return {
        "encoder": 0,
        "weight": 0.5,
        "layer_sizes": sizes,
        "activation": "tanh",
        "residual": True,
        "link": link,
        "weights": [
            rng.normal(size=shape).astype(np.float32) for shape in itertools.pairwise(sizes)
        ],
        "biases": [rng.normal(size=n).astype(np.float32) for n in sizes[1:]],
        "output_centre": np.zeros(n_logits) if link != "identity" else np.full(n_logits, 7.0),
        "output_scale": np.ones(n_logits) if link != "identity" else np.full(n_logits, 2.0),
    }


def a_model(task: str = "regression", n_outputs: int = 1, **changes: Any) -> dict[str, Any]:
    """Give a model of two networks over four columns, of which "b" and "d" have indicators."""
    rng = np.random.default_rng(7)
    n_logits, link = n_outputs, "identity"
    if task != "regression":
        n_logits, link = (1, "sigmoid") if task == "binary" else (3, "softmax")
        n_classes = 2 if task == "binary" else 3
        changes = {"class_kind": "int64", "classes": list(range(n_classes)), **changes}
    networks = [a_network(rng, sizes, link) for sizes in ([6, 9, 9, n_logits], [6, n_logits])]
    parts: list[dict[str, Any]] = [
        {"kind": "scaled", "column": at, "clip": at < 2, "centre": rng.normal(), "scale": scale}
        for at, scale in enumerate([1.0, 0.0, 3.0, 0.5])
    ]
    encoder = Encoder(4, [*parts, *({"kind": "indicator", "column": at} for at in (1, 3))])
    model = {"task": task, "n_columns": 4, "column_names": NAMES, "encoders": [encoder]}
    return {**model, "networks": networks, "metadata": "{}", **changes}


def some_rows(n_rows: int = 50) -> npt.NDArray[np.float64]:
    """Give rows that float32 holds exactly, with missing values."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(n_rows, 4)).astype(np.float32).astype(np.float64)
    X[rng.random(X.shape) < 0.2] = np.nan
    return X


def encode(encoder: Encoder, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    features = []
    for part in encoder.parts:
        x = X[:, part["column"]]
        if part["kind"] == "indicator":
            features.append(np.isnan(x))
            continue
        z = (x - part["centre"]) * part["scale"]
        z = z / np.sqrt(1 + (z / 3) ** 2) if part["clip"] else z
        features.append(np.where(np.isnan(x), 0.0, z))
    return np.stack(features, axis=1)


def expected_values(model: dict[str, Any], X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    total = 0.0
    for network in model["networks"]:
        h = encode(model["encoders"][0], X)
        n_layers = len(network["weights"])
        for i, (W, b) in enumerate(zip(network["weights"], network["biases"], strict=True)):
            z = h @ W.astype(np.float64) + b
            if i + 1 < n_layers:
                z = np.tanh(z) + (h if i > 0 and W.shape[0] == W.shape[1] else 0.0)
            h = z
        if network["link"] == "sigmoid":
            h = 1 / (1 + np.exp(-h))
        elif network["link"] == "softmax":
            h = np.exp(h) / np.exp(h).sum(axis=1, keepdims=True)
        total = total + network["weight"] * (network["output_centre"] + network["output_scale"] * h)
    return np.hstack([1 - total, total]) if model["task"] == "binary" else total


# float32 sums of at most 9 terms in three layers, against double.
TOLERANCE = {"rtol": 2e-6, "atol": 2e-6}


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_regression_equals_numpy(n_outputs: int) -> None:
    model, X = a_model(n_outputs=n_outputs), some_rows()
    predicted = Predictor(write_model(model)).predict(X)
    assert predicted.dtype == np.float64
    assert predicted.shape == ((50,) if n_outputs == 1 else (50, 3))
    np.testing.assert_allclose(predicted.reshape(50, -1), expected_values(model, X), **TOLERANCE)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_probabilities_equal_numpy(task: str) -> None:
    model, X = a_model(task), some_rows()
    predictor = Predictor(write_model(model))
    probabilities = predictor.predict_proba(X)
    np.testing.assert_allclose(probabilities, expected_values(model, X), **TOLERANCE)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(predictor.predict(X), probabilities.argmax(axis=1))


@pytest.mark.parametrize("kind", CLASSES)
def test_labels_have_the_kind_of_the_classes(kind: str) -> None:
    model = a_model("binary", class_kind=kind, classes=CLASSES[kind])
    predictor = Predictor(write_model(model))
    X = some_rows()
    labels = predictor.predict(X)
    assert labels.dtype == np.asarray(CLASSES[kind]).dtype
    assert set(labels) == set(CLASSES[kind])
    one = predictor.predict_one(X[0])
    assert type(one) is type(CLASSES[kind][0])
    assert one == labels[0]


def test_encoder_equals_numpy() -> None:
    encoder, X = a_model()["encoders"][0], some_rows(1000)
    encoded, codes = encoder.encode(X)
    assert codes.shape == (1000, 0)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, encode(encoder, X), rtol=2e-7, atol=1e-12)
    np.testing.assert_array_equal(encoder.encode(X, 2)[0], encoded)


@pytest.mark.parametrize("n_jobs", [1, 2, 4, None])
def test_thread_count_and_row_count_do_not_change_a_bit(n_jobs: int | None) -> None:
    predictor, X = Predictor(write_model(a_model())), some_rows(2000)
    predicted = predictor.predict(X, n_jobs=n_jobs)
    np.testing.assert_array_equal(predicted, [predictor.predict_one(row) for row in X])
    np.testing.assert_array_equal(predicted[700:900], predictor.predict(X[700:900]))


def test_every_layout_of_numbers_gives_the_same_bits() -> None:
    predictor, X = Predictor(write_model(a_model())), some_rows()
    expected = predictor.predict(X)
    wide = np.zeros((100, 8))
    wide[::2, ::2] = X
    masked = np.ma.MaskedArray(np.nan_to_num(X, nan=9.0), np.isnan(X))
    objects = np.where(np.isnan(X), None, X)
    lists = objects.tolist()
    for same in (np.asfortranarray(X), X.astype(np.float32), wide[::2, ::2], X.tolist(), masked,
                 objects, lists, X.astype(">f8"), X.astype(np.longdouble)):  # fmt: skip
        np.testing.assert_array_equal(predictor.predict(same), expected)
    whole = np.arange(20).reshape(5, 4)
    for dtype in (np.int8, np.uint64, np.float16):
        same = predictor.predict(whole.astype(dtype))
        np.testing.assert_array_equal(same, predictor.predict(whole.astype(float)))
    flags = whole % 2 == 0
    np.testing.assert_array_equal(predictor.predict(flags), predictor.predict(flags.astype(float)))
    assert predictor.predict(np.empty((0, 4))).shape == (0,)


def test_columns_of_data_frames_are_taken_by_name() -> None:
    pandas, polars, pyarrow = map(pytest.importorskip, ("pandas", "polars", "pyarrow"))
    predictor, X = Predictor(write_model(a_model())), some_rows()
    expected = predictor.predict(X)
    columns = {name: np.where(np.isnan(x), None, x) for name, x in zip(NAMES, X.T, strict=True)}
    shuffled = {name: list(columns[name]) for name in ("d", "a", "c", "b")}
    frame = pandas.DataFrame(shuffled)
    for same in (frame, frame.astype(float), frame.astype(float)[NAMES], frame.astype("Float64"),
                 polars.DataFrame(shuffled), pyarrow.table(shuffled)):  # fmt: skip
        np.testing.assert_array_equal(predictor.predict(same), expected)
    frame["more"] = "text"
    np.testing.assert_array_equal(predictor.predict(frame), expected)
    row = frame[NAMES].astype(float).iloc[3]
    assert predictor.predict_one(row[::-1]) == predictor.predict_one(dict(row)) == expected[3]
    with pytest.raises(ValueError, match="lacks the columns 'b'"):
        predictor.predict(frame.drop(columns="b"))
    with pytest.raises(TypeError, match="column 'b'"):
        predictor.predict(frame.assign(b="text"))
    with pytest.raises(ValueError, match="lacks the columns 'd'"):
        predictor.predict_one({"a": 1.0, "b": 2.0, "c": 3.0})
    numbered = pandas.DataFrame(X)
    np.testing.assert_array_equal(predictor.predict(numbered), expected)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((3, 5)), ValueError, "4 columns .* got 5"),
        (np.zeros(4), ValueError, "predict_one takes a single row"),
        (np.full((3, 4), np.inf), ValueError, "infinities.* row 0"),
        (np.full((3, 4), -np.inf, dtype=np.float32), ValueError, "infinities"),
        (np.full((3, 4), "1"), TypeError, "numbers"),
        ([["a", 1, 2, 3]], TypeError, "X column 'a' must hold numbers"),
        ([[1, "b", 2, 3]], TypeError, "X column 'b' must hold numbers"),
        (np.zeros((3, 4), dtype=complex), TypeError, "numbers"),
        (np.zeros((3, 4), dtype="datetime64[s]"), TypeError, "numbers"),
    ],
)
def test_bad_tables_are_refused(X: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Predictor(write_model(a_model())).predict(X)


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ([1.0, 2.0], ValueError, "must have 4 columns, got 2"),
        (np.zeros((1, 4)), ValueError, "1-D"),
        ([1.0, 2.0, 3.0, np.inf], ValueError, "infinities"),
        ([1.0, 2.0, 3.0, "x"], TypeError, "column 'd' must hold numbers or booleans, got str 'x'"),
        (np.array(["1", "2", "3", "4"]), TypeError, "column 'a' must hold numbers"),
    ],
)
def test_bad_rows_are_refused(row: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Predictor(write_model(a_model())).predict_one(row)


def test_infinity_is_named_by_its_first_row_for_any_thread_count() -> None:
    X = some_rows(3000)
    X[[700, 2900], 2] = np.inf
    for n_jobs in (1, 2):
        with pytest.raises(ValueError, match="row 700"):
            Predictor(write_model(a_model())).predict(X, n_jobs=n_jobs)


def test_regression_has_no_probabilities() -> None:
    predictor = Predictor(write_model(a_model()))
    assert predictor.classes_ is None
    with pytest.raises(TypeError, match="classifier"):
        predictor.predict_proba(some_rows())


def test_save_load_and_pickle_keep_bytes_and_predictions(tmp_path: Path) -> None:
    predictor, X = Predictor(write_model(a_model("multiclass"))), some_rows()
    path = tmp_path / "model.automs"
    path.write_bytes(b"an older file")
    predictor.save(path)
    assert [file.name for file in tmp_path.iterdir()] == ["model.automs"]
    pickled = pickle.dumps(predictor)
    assert b"_core" not in pickled
    for same in (load_predictor(path), load_predictor(str(path)), pickle.loads(pickled)):
        assert same.to_bytes() == predictor.to_bytes()
        np.testing.assert_array_equal(same.predict_proba(X), predictor.predict_proba(X))
    assert repr(predictor).startswith("Predictor(task='multiclass', n_columns=4, n_outputs=3")


def test_load_names_the_file_that_is_bad_or_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_predictor(tmp_path / "none")
    (tmp_path / "cut").write_bytes(write_model(a_model())[:-3])
    with pytest.raises(ModelFileError, match="cut: not a valid model file"):
        load_predictor(tmp_path / "cut")


def test_failed_save_leaves_the_old_file_alone(tmp_path: Path) -> None:
    directory = tmp_path / "is_a_directory"
    directory.mkdir()
    with pytest.raises(OSError, match="is_a_directory"):
        Predictor(write_model(a_model())).save(directory)
    assert [file.name for file in tmp_path.iterdir()] == ["is_a_directory"]


def test_threads_may_share_a_predictor() -> None:
    predictor, X = Predictor(write_model(a_model())), some_rows(3000)
    expected = predictor.predict(X)
    results: list[npt.NDArray[np.float64]] = []
    threads = [
        threading.Thread(target=lambda: results.append(predictor.predict(X, n_jobs=2)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, expected)


def test_loading_needs_numpy_alone() -> None:
    code = (
        "import sys, automs.predictor\n"
        "loaded = {'sklearn', 'pandas', 'scipy', 'narwhals', 'rich'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ})


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the consumer program with whatever compiler is there."""
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    sources = ROOT / "cpp" / "predictor"
    if not compiler or not sources.is_dir():
        pytest.skip("no C++ compiler, or no sources")
    program = tmp_path_factory.mktemp("embed") / "program"
    main = ROOT / "tests" / "embed" / "main.cpp"
    flags = ["-std=c++17", "-O1", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, f"-I{sources}", main, "-o", program], check=True)
    return program


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_embedded_program_predicts_the_same(embedded: Path, tmp_path: Path, task: str) -> None:
    predictor, X = Predictor(write_model(a_model(task))), some_rows()
    predictor.save(tmp_path / "model.automs")
    text = "\n".join(" ".join(repr(float(value)) for value in row) for row in X)
    arguments = [embedded, tmp_path / "model.automs"]
    run = subprocess.run(arguments, input=text, capture_output=True, text=True, check=True)
    values = np.array([line.split() for line in run.stdout.splitlines()], dtype=np.float64)
    expected = predictor.predict(X)[:, None] if task == "regression" else predictor.predict_proba(X)
    # Another compiler or other flags may round the last bits of float32 otherwise.
    np.testing.assert_allclose(values, expected, **TOLERANCE)


def test_embedded_program_knows_labels_and_dates(embedded: Path, tmp_path: Path) -> None:
    model = ROOT / "tests" / "data" / "models" / "v2" / "regression.model"
    rows = [
        [0.5, "größe", "2", 951782400.0],
        [None, "red", "3", None],
        [2.0, "unheard-of", "1", -1.0],
        [-1.0, None, "2.0", 1.7e9],
    ]
    text = "\n".join(" ".join("nan" if x is None else str(x) for x in row) for row in rows)
    arguments = [embedded, model]
    run = subprocess.run(arguments, input=text, capture_output=True, encoding="utf-8", check=True)
    values = np.array(run.stdout.split(), dtype=np.float64)
    np.testing.assert_allclose(values, load_predictor(model).predict(rows), **TOLERANCE)


def test_one_row_of_labels_and_dates_gives_the_bits_of_many() -> None:
    pandas = pytest.importorskip("pandas")
    predictor = load_predictor(ROOT / "tests" / "data" / "models" / "v2" / "multiclass.model")
    frame = pandas.DataFrame(
        {
            "day": pandas.to_datetime(["2024-02-29", None, "1969-12-31"]),
            "colour": pandas.Categorical(["größe", None, "other"]),
            "grade": [3, 1, 4],
            "size": [0.5, None, -1.0],
        }
    )
    labels = predictor.predict(frame)
    probabilities = predictor.predict_proba(frame)
    assert len(np.unique(probabilities, axis=0)) == 3
    for at, row in enumerate(frame.to_dict("records")):
        assert predictor.predict_one(row) == labels[at]
        in_order = [row[name] for name in predictor.feature_names_in_]
        np.testing.assert_array_equal(predictor.predict_proba([in_order])[0], probabilities[at])
    same = pickle.loads(pickle.dumps(predictor)).predict_proba(frame)
    np.testing.assert_array_equal(same, probabilities)
    with pytest.raises(TypeError, match="column 'size' must hold numbers"):
        predictor.predict_one(["big", "red", 1, None])


def test_embedded_program_refuses_bad_files(embedded: Path, tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(write_model(a_model())[:100])
    run = subprocess.run([embedded, tmp_path / "cut"], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "cut short" in run.stderr
