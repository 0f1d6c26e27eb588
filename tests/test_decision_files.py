"""Factors of labels and bounds of values in model files: read, refused, and the same in exports."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from random_models import ACTIVATIONS, a_model, some_rows, tolerance, with_decision

from automs._core import Encoder, write_model
from automs.errors import ModelFileError
from automs.predictor import Predictor

COMPILER = shutil.which("gcc") or shutil.which("cc")
CASES = [
    ("regression", 1, "identity"),
    ("binary", 1, None),
    ("multiclass", 3, None),
    ("regression", 3, "exp"),
    ("regression", 1, "sigmoid"),
    ("multiclass", 2, None),
]


def both(seed):
    task, n_outputs, link = CASES[seed % len(CASES)]
    plain = a_model(40 + seed, task, n_outputs, ACTIVATIONS[seed % 10], link)
    return plain, with_decision(plain, seed), some_rows(plain, 300, seed)


def outputs_of(model, X):
    predictor = Predictor(write_model(model))
    is_regression = model["task"] == "regression"
    values = predictor.predict(X) if is_regression else predictor.predict_proba(X)
    return predictor, values.reshape(len(X), -1)


@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_for_each_network_and_factors_for_labels_alone(seed):
    plain, decided, X = both(seed)
    predictor, values = outputs_of(decided, X)
    assert predictor.to_bytes() == write_model(decided)
    if plain["task"] != "regression":
        np.testing.assert_array_equal(values, outputs_of(plain, X)[1])
        places = (values * decided["label_factors"]).argmax(axis=1)
        labels = np.array(decided["classes"])[places]
        np.testing.assert_array_equal(predictor.predict(X), labels)
        np.testing.assert_array_equal(predictor.label_indices(values), places)
        np.testing.assert_array_equal(predictor.label_factors, decided["label_factors"])
        assert [predictor.predict_one(row) for row in X] == labels.tolist()
        return
    expected = np.zeros_like(values)
    for network in decided["networks"]:
        alone = {**plain, "networks": [{**network, "weight": 1.0}]}
        for bound in ("output_low", "output_high"):
            alone["networks"][0].pop(bound)
        own = np.clip(outputs_of(alone, X)[1], network["output_low"], network["output_high"])
        expected += network["weight"] * own
    np.testing.assert_allclose(values, expected, rtol=1e-12, atol=1e-12)
    assert predictor.label_factors is None


def test_factors_change_labels():
    changed = []
    for seed in (1, 2, 5, 7, 8, 11):
        plain, decided, X = both(seed)
        without, within = (Predictor(write_model(model)).predict(X) for model in (plain, decided))
        changed.append((without != within).any())
    assert sum(changed) >= len(changed) // 2  # a model may be too sure for its factors


@pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")
@pytest.mark.parametrize("seed", range(6))
def test_c_bounds_values_and_chooses_labels_alike(tmp_path, seed):
    _, decided, X = both(seed)
    predictor, values = outputs_of(decided, X)
    predictor.export_c(tmp_path / "model.c", "model")
    command = [COMPILER, "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared"]
    shared = tmp_path / "model.so"
    subprocess.run([*command, "-fPIC", tmp_path / "model.c", "-o", shared, "-lm"], check=True)
    library = ctypes.CDLL(str(shared))
    found = np.empty_like(values)
    for row, out in zip(X, found, strict=True):
        library.model(ctypes.c_void_p(row.ctypes.data), ctypes.c_void_p(out.ctypes.data))
    assert np.all(np.abs(found - values) <= tolerance(decided, X, values))
    if decided["task"] == "regression":
        return
    library.model_label.restype = ctypes.c_ulong
    places = [library.model_label(ctypes.c_void_p(out.ctypes.data)) for out in values.copy()]
    np.testing.assert_array_equal(places, predictor.label_indices(values))


@pytest.mark.parametrize("seed", range(6))
def test_onnx_bounds_values_and_chooses_labels_alike(tmp_path, seed):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    _, decided, X = both(seed)
    predictor, values = outputs_of(decided, X)
    predictor.export_onnx(tmp_path / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        tmp_path / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {"rows": X})
    assert np.all(np.abs(found[0] - values) <= tolerance(decided, X, values))
    if decided["task"] == "regression":
        return
    weighed = np.sort(values * decided["label_factors"], axis=1)
    is_clear = weighed[:, -1] - weighed[:, -2] > 1e-3
    np.testing.assert_array_equal(found[1][is_clear], predictor.predict(X)[is_clear])


@pytest.mark.parametrize(
    ("seed", "change", "message"),
    [
        (1, {"label_factors": [1.0]}, "label_factors must have one entry for each class, got 1"),
        (1, {"label_factors": [1.0, 0.0]}, "label_factors"),
        (1, {"label_factors": [1.0, np.nan]}, "label_factors"),
        (0, {"label_factors": [1.0]}, "label_factors"),
    ],
)
def test_bad_factors_are_refused(seed, change, message):
    with pytest.raises(ValueError, match=message):
        write_model({**both(seed)[0], **change})


@pytest.mark.parametrize(
    ("seed", "low", "high", "message"),
    [
        (0, [1.0], [0.0], "output_bounds"),
        (0, [-np.inf], [0.0], "output_bounds"),
        (0, [0.0], [0.0, 1.0], "output_low and output_high"),
        (1, [0.0, 0.0], [1.0, 1.0], "output_bounds"),
    ],
)
def test_bad_bounds_are_refused(seed, low, high, message):
    model = both(seed)[0]
    networks = [{**network, "output_low": low, "output_high": high}
                for network in model["networks"]]  # fmt: skip
    with pytest.raises(ValueError, match=message):
        write_model({**model, "networks": networks})


@pytest.mark.parametrize("seed", [0, 1])
def test_every_truncation_and_changed_byte_is_refused(seed):
    data = bytearray(write_model(both(seed)[1]))
    for length in range(len(data) - 200, len(data)):
        with pytest.raises(ModelFileError, match="cut short"):
            Predictor(bytes(data[:length]))
    for at in [*range(24), *range(len(data) - 200, len(data))]:
        data[at] ^= 0x03
        with pytest.raises(ModelFileError):
            Predictor(bytes(data))
        data[at] ^= 0x03
    Predictor(bytes(data))


def test_a_bounded_network_becomes_a_bounded_regressor_of_scikit_learn():
    scaled = {"kind": "scaled", "column": 0, "clip": False, "centre": 0.0, "scale": 1.0}
    line = {
        "encoder": 0, "weight": 1.0, "layer_sizes": [1, 1], "activation": "identity",
        "residual": False, "link": "identity", "weights": [[[2.0]]], "biases": [[0.5]],
        "output_centre": [0.0], "output_scale": [1.0], "output_low": [-3.0], "output_high": [4.0],
    }  # fmt: skip
    model = {"task": "regression", "n_columns": 1, "encoders": [Encoder(1, [scaled])]}
    predictor = Predictor(write_model({**model, "networks": [line], "metadata": "{}"}))
    X = np.array([[-5.0], [0.0], [1.0], [9.0]])
    np.testing.assert_array_equal(predictor.predict(X), [-3.0, 0.5, 2.5, 4.0])
    np.testing.assert_array_equal(predictor.to_sklearn().predict(X), [-3.0, 0.5, 2.5, 4.0])
