"""What exports read from a model file, and the command line that writes them."""

from pathlib import Path

import numpy as np
import pytest
from random_models import a_model

from automs._core import Encoder, write_model
from automs.cli import main
from automs.export.model import read_model
from automs.predictor import Predictor, load_predictor

GOLDEN = Path(__file__).parent / "data" / "models"
TASKS = [("regression", 2, "exp"), ("binary", 1, None), ("multiclass", 4, None)]


def as_dict(model):
    """Give what `read_model` made in the form that `write_model` takes."""
    networks = [
        {
            **vars(network),
            "periodic": None if network.periodic is None else vars(network.periodic),
            "layer_sizes": [len(network.weights[0]), *map(len, network.biases)],
        }
        for network in model.networks
    ]
    encoders = [Encoder(model.n_columns, parts) for parts in model.encoders]
    return {
        **vars(model),
        "n_columns": model.n_columns,
        "encoders": encoders,
        "networks": networks,
    }


@pytest.mark.parametrize("seed", range(24))
def test_a_model_is_read_to_the_byte(seed):
    task, n_outputs, link = TASKS[seed % 3]
    data = write_model(a_model(seed, task, n_outputs, link=link))
    assert write_model(as_dict(read_model(data))) == data


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("name", ["regression", "multiclass"])
def test_files_of_every_version_are_read(version, name):
    data = (GOLDEN / version / f"{name}.model").read_bytes()
    model = as_dict(read_model(data))
    predictor, again = Predictor(data), Predictor(write_model(model))
    X = np.random.default_rng(0).normal(size=(50, model["n_columns"]))
    X[::7] = np.nan
    np.testing.assert_array_equal(predictor.predict(X), again.predict(X))


@pytest.mark.parametrize("form", ["c", "array", "onnx"])
def test_the_command_line_writes_what_the_predictor_does(tmp_path, form):
    if form == "onnx":
        pytest.importorskip("onnx", reason="the extra onnx is not installed")
    model, out, same = (tmp_path / name for name in ("m.automs", "out", "same"))
    model.write_bytes(write_model(a_model(0)))
    predictor = load_predictor(model)
    if form == "onnx":
        predictor.export_onnx(same)
    else:
        {"c": predictor.export_c, "array": predictor.export_array}[form](same, "price")
    name = [] if form == "onnx" else ["--name", "price"]
    assert main(["export", str(model), "--format", form, "--out", str(out), *name]) == 0
    assert out.read_bytes() == same.read_bytes()


def test_the_command_line_says_what_is_wrong(tmp_path, capsys, monkeypatch):
    model = tmp_path / "m.automs"
    model.write_bytes(write_model(a_model(0)))
    command = ["export", str(model), "--format", "c", "--out", str(tmp_path / "x.c")]
    assert main([*command, "--name", "a b"]) == 1
    assert "name must be a C identifier" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "no"), *command[2:]]) == 1
    assert "No such file" in capsys.readouterr().err
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    assert main([*command[:3], "onnx", *command[4:]]) == 1
    assert "needs the package onnx" in capsys.readouterr().err
