"""Models as ONNX: the checker takes them, and ONNX Runtime predicts what the predictor does."""

import json
import sys

import numpy as np
import pytest
from random_models import ACTIVATIONS, a_model, some_rows, tolerance

from automs._core import Encoder, write_model
from automs.export.onnx_model import IR_VERSION, OPSET
from automs.predictor import Predictor

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

CASES = [
    ("regression", 1, "identity"),
    ("binary", 1, None),
    ("multiclass", 3, None),
    ("regression", 3, "exp"),
    ("regression", 1, "sigmoid"),
    ("multiclass", 2, None),
]


def run(predictor, path, X):
    predictor.export_onnx(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return dict(
        zip([o.name for o in session.get_outputs()], session.run(None, {"rows": X}), strict=True)
    )


@pytest.mark.parametrize("seed", range(20))
def test_onnx_runtime_equals_the_predictor(tmp_path, seed):
    task, n_outputs, link = CASES[seed % len(CASES)]
    model = a_model(100 + seed, task, n_outputs, ACTIVATIONS[seed % 10], link)
    X = some_rows(model, 500, seed)
    predictor = Predictor(write_model(model))
    outputs = run(predictor, tmp_path / "model.onnx", X)
    is_regression = task == "regression"
    wanted = predictor.predict(X) if is_regression else predictor.predict_proba(X)
    wanted = wanted.reshape(len(X), -1)
    assert outputs["predictions"].dtype == np.float64
    assert np.all(np.abs(outputs["predictions"] - wanted) <= tolerance(model, X, wanted))
    assert list(outputs) == ["predictions"] if is_regression else ["predictions", "labels"]
    if not is_regression:
        ordered = np.sort(wanted, axis=1)
        is_clear = ordered[:, -1] - ordered[:, -2] > 1e-3
        np.testing.assert_array_equal(outputs["labels"][is_clear], predictor.predict(X)[is_clear])


@pytest.mark.parametrize("cycle", ["year", "week", "day"])
def test_a_calendar_is_right_at_the_edges_of_days_and_years(tmp_path, cycle):
    years = np.arange("1600", "2402", dtype="datetime64[Y]").astype("datetime64[s]")
    starts = np.concatenate([years, years + np.timedelta64(59 * 86400, "s")]).astype(np.float64)
    seconds = np.concatenate([starts - 1.0, starts, starts + 0.5, [1e14, -1e14, 2e14, np.nan]])
    part = {"kind": "calendar", "column": 0, "cycle": cycle}
    model = {
        "task": "regression", "n_columns": 1, "encoders": [Encoder(1, [part])], "metadata": "{}",
        "networks": [{
            "encoder": 0, "weight": 1.0, "layer_sizes": [2, 2], "activation": "identity",
            "residual": False, "link": "identity", "weights": [np.eye(2)], "biases": [np.zeros(2)],
            "output_centre": np.zeros(2), "output_scale": np.ones(2),
        }],
    }  # fmt: skip
    predictor = Predictor(write_model(model))
    X = seconds[:, np.newaxis]
    found = run(predictor, tmp_path / "model.onnx", X)["predictions"]
    np.testing.assert_allclose(found, predictor.predict(X), rtol=0, atol=1e-7)
    assert np.all(found[-2:] == 0.0)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows_are_taken(tmp_path, n_rows):
    model = a_model(3, "multiclass", 3)
    outputs = run(Predictor(write_model(model)), tmp_path / "model.onnx", some_rows(model, n_rows))
    assert outputs["predictions"].shape == (n_rows, 3)
    assert outputs["labels"].shape == (n_rows,)


def test_of_equal_probabilities_the_first_has_the_label(tmp_path):
    model = a_model(3, "multiclass", 3)
    for network in model["networks"]:
        network["weights"][-1] = np.zeros_like(network["weights"][-1])
        network["biases"][-1] = np.zeros(3)
    predictor, X = Predictor(write_model(model)), some_rows(model, 5)
    labels = run(predictor, tmp_path / "model.onnx", X)["labels"]
    np.testing.assert_array_equal(labels, predictor.predict(X))


def test_the_file_says_what_its_columns_are(tmp_path):
    model = a_model(1, "binary")
    Predictor(write_model(model)).export_onnx(tmp_path / "model.onnx")
    proto = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(proto, full_check=True)
    assert [(o.domain, o.version) for o in proto.opset_import] == [("", OPSET)]
    assert proto.ir_version == IR_VERSION
    properties = {p.key: p.value for p in proto.metadata_props}
    columns = json.loads(properties["columns"])
    assert [column.pop("name") for column in columns] == model["column_names"]
    assert columns == model["columns"]


def test_without_the_package_the_error_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"install the extra .*\[onnx\]"):
        Predictor(write_model(a_model(0))).export_onnx(tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
