"""Models as scikit-learn pipelines: equal where there is one, and otherwise the error says why."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from automs._core import Encoder, write_model
from automs.predictor import Predictor

N_COLUMNS = 4
CLASSES = {
    "int64": [3, -1, 2, 0],
    "string": ["no", "yes", "maybe", "a"],
    "float64": [0.0, 1.0, -2.0, 3.0],
    "bool": [True, False],
}


def plain_model(task="regression", n_outputs=1, activation="relu", hidden=(8, 5), **changes):
    """Give a model that a pipeline can hold: columns 2, 0 and 3, of which 3 is constant."""
    rng = np.random.default_rng(5)
    parts = [
        {"kind": "scaled", "column": column, "clip": False, "centre": rng.normal(), "scale": scale}
        for column, scale in ((2, 0.5), (0, 2.0), (3, 0.0))
    ]
    n_logits = 1 if task == "binary" else n_outputs
    sizes = [3, *hidden, n_logits]
    is_regression = task == "regression"
    network = {
        "encoder": 0,
        "weight": 0.7 if is_regression else 1.0,
        "layer_sizes": sizes,
        "activation": activation,
        "residual": False,
        "link": {"regression": "identity", "binary": "sigmoid"}.get(task, "softmax"),
        "weights": [rng.normal(size=shape) for shape in pairwise(sizes)],
        "biases": [rng.normal(size=n) for n in sizes[1:]],
        "output_centre": np.full(n_logits, 3.0 * is_regression),
        "output_scale": np.full(n_logits, 2.0 if is_regression else 1.0),
    }
    network |= changes.pop("network", {})
    model = {"task": task, "n_columns": N_COLUMNS, "encoders": [Encoder(N_COLUMNS, parts)]}
    return {**model, "networks": [network], "metadata": "{}", **changes}


def some_rows():
    return np.random.default_rng(6).normal(size=(300, N_COLUMNS))


@pytest.mark.parametrize("activation", ["identity", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_a_regression_predicts_the_same(activation, n_outputs, hidden):
    predictor = Predictor(write_model(plain_model("regression", n_outputs, activation, hidden)))
    pipeline, X = predictor.to_sklearn(), some_rows()
    wanted = predictor.predict(X)
    assert pipeline.predict(X).shape == wanted.shape
    np.testing.assert_allclose(pipeline.predict(X), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("is_bounded", [False, True])
def test_a_regression_on_logarithms_predicts_the_same(n_outputs, is_bounded):
    bounds = {"output_low": np.full(n_outputs, 7.0), "output_high": np.full(n_outputs, 9.0)}
    network = {"link": "exp"} | (bounds if is_bounded else {})
    predictor = Predictor(write_model(plain_model("regression", n_outputs, network=network)))
    pipeline, X = predictor.to_sklearn(), some_rows()
    wanted = predictor.predict(X)
    for model in (pipeline, pickle.loads(pickle.dumps(pipeline))):
        assert model.predict(X).shape == wanted.shape
        np.testing.assert_allclose(model.predict(X), wanted, rtol=1e-5)
    if is_bounded:
        assert wanted.min() == 0.7 * 7.0
        assert wanted.max() == 0.7 * 9.0
    y = np.abs(X[:, :n_outputs]) + 5.0
    again = clone(pipeline).set_params(regressor__network__tol=1.0).fit(X, y.squeeze())
    assert (again.predict(X) > 0.7 * 3.0).all()  # the centre


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_classification_predicts_the_same(task, kind, n_classes):
    if (n_classes > 2 and (task == "binary" or kind == "bool")) or (task, kind) == (
        "multiclass", "bool",
    ):  # fmt: skip
        return
    model = plain_model(task, n_classes, class_kind=kind, classes=CLASSES[kind][:n_classes])
    predictor = Predictor(write_model(model))
    pipeline, X = predictor.to_sklearn(), some_rows()
    place = [pipeline.classes_.tolist().index(label) for label in predictor.classes_.tolist()]
    probabilities = predictor.predict_proba(X)
    found = pipeline.predict_proba(X)[:, place]
    np.testing.assert_allclose(found, probabilities, rtol=1e-5, atol=1e-5)
    ordered = np.sort(probabilities, axis=1)
    is_clear = ordered[:, -1] - ordered[:, -2] > 1e-3
    np.testing.assert_array_equal(pipeline.predict(X)[is_clear], predictor.predict(X)[is_clear])


def test_frames_are_taken_by_the_names_of_the_model():
    names = ["a", "b", "c", "d"]
    predictor = Predictor(write_model(plain_model(column_names=names)))
    X = pd.DataFrame(some_rows(), columns=names)
    np.testing.assert_allclose(predictor.to_sklearn().predict(X), predictor.predict(X), rtol=1e-4)
    with pytest.raises(ValueError, match="feature names"):
        predictor.to_sklearn().predict(X.rename(columns={"a": "z"}))


def test_the_pipeline_can_be_cloned_and_fitted_anew():
    pipeline = clone(Predictor(write_model(plain_model())).to_sklearn())
    X = some_rows()
    pipeline.set_params(network__max_iter=200, network__tol=1.0, network__hidden_layer_sizes=(4,))
    assert pipeline.fit(X, X[:, 0]).predict(X).shape == (300,)


def part(kind, **fields):
    return Encoder(N_COLUMNS, [{"kind": kind, "column": 1, **fields}])


SCALED = {"kind": "scaled", "column": 1, "clip": False, "centre": 0.0, "scale": 1.0}
TWO = plain_model()["networks"] * 2
OBSTACLES = {
    "no classes that are fractions": {
        "task": "binary", "class_kind": "float64", "classes": [0.0, 0.5],
    },
    "an ensemble of 2 networks": {"networks": TWO},
    "residual layers": {"hidden": (6, 6), "network": {"residual": True}},
    "a periodic embedding of numbers": {
        "network": {
            "layer_sizes": [6, 1], "weights": [np.ones((6, 1))], "biases": [np.zeros(1)],
            "periodic": {
                "frequencies": np.ones((2, 3)), "weights": np.ones((2, 1, 3)),
                "phases": np.zeros((2, 3)), "biases": np.zeros((1, 3)),
            },
        },
    },
    "parametric activations": {"network": {"blends": [np.ones(8), np.ones(5)]}},
    "no activation 'mish'": {"activation": "mish"},
    "no link 'sigmoid'": {"network": {"link": "sigmoid"}},
    r"clips the column 1": {"encoders": [Encoder(N_COLUMNS, [{**SCALED, "clip": True}] * 3)]},
    r"reads the column 1 twice": {"encoders": [Encoder(N_COLUMNS, [SCALED] * 3)]},
    r"the kind 'indicator' \(column 1\)": {
        "encoders": [Encoder(N_COLUMNS, [SCALED, *[{"kind": "indicator", "column": 1}] * 2])]
    },
    "the weight 0.5, not 1": {
        "task": "binary", "class_kind": "int64", "classes": [0, 1], "network": {"weight": 0.5},
    },
}  # fmt: skip


@pytest.mark.parametrize("words", OBSTACLES)
def test_what_the_pipeline_cannot_hold_is_named(words):
    predictor = Predictor(write_model(plain_model(**OBSTACLES[words])))
    with pytest.raises(ValueError, match=f"to_sklearn needs a model .*{words}"):
        predictor.to_sklearn()
