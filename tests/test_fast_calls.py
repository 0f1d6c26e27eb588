"""Float arrays on the straight way into C++: the bits and errors of the careful way."""

from __future__ import annotations

import copy
import gc
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from automs import AutoClassifier, AutoRegressor
from automs._careful import CarefulCalls
from automs._core import Encoder, write_model
from automs.predictor import Predictor

N_COLUMNS = 5
N_INPUTS, WIDTH = N_COLUMNS, 19


def a_predictor(n_outputs: int = 1, task: str = "regression") -> Predictor:
    rng = np.random.default_rng(n_outputs)
    parts = [
        {"kind": "scaled", "column": at, "clip": at % 2 == 0, "centre": 0.1 * at, "scale": 0.7}
        for at in range(N_COLUMNS)
    ]
    network = {
        "encoder": 0, "weight": 1.0, "layer_sizes": [N_INPUTS, WIDTH, WIDTH, n_outputs],
        "activation": "silu", "residual": True,
        "link": "identity" if task == "regression" else "softmax",
        "weights": [rng.normal(size=shape).astype(np.float32) for shape in
                    ((N_INPUTS, WIDTH), (WIDTH, WIDTH), (WIDTH, n_outputs))],
        "biases": [rng.normal(size=n).astype(np.float32) for n in (WIDTH, WIDTH, n_outputs)],
        "output_centre": np.zeros(n_outputs), "output_scale": np.ones(n_outputs),
    }  # fmt: skip
    model: dict[str, Any] = {
        "task": task, "n_columns": N_COLUMNS, "column_names": None,
        "encoders": [Encoder(N_COLUMNS, parts)], "networks": [network], "metadata": "{}",
    }  # fmt: skip
    if task != "regression":
        model |= {"class_kind": "string", "classes": [f"class {k}" for k in range(n_outputs)]}
    return Predictor(write_model(model))


def some_rows(n_rows: int, dtype: type = np.float64) -> npt.NDArray[Any]:
    X = np.random.default_rng(n_rows).normal(size=(n_rows, N_COLUMNS)).astype(np.float32)
    X[::3, 1] = np.nan
    return X.astype(dtype)


def careful(predictor: Predictor) -> CarefulCalls:
    return predictor._careful


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_values_have_the_bits_of_the_careful_way(n_outputs: int, dtype: type) -> None:
    predictor = a_predictor(n_outputs)
    for n_rows in (0, *range(1, 71)):
        X = some_rows(n_rows, dtype)
        expected = careful(predictor).rows(X)
        predicted = predictor.predict(X)
        assert predicted.shape == expected.shape
        assert predicted.dtype == np.float64
        np.testing.assert_array_equal(predicted, expected)
        for row, value in zip(X, expected, strict=True):
            one = predictor.predict_one(row)
            assert type(one) is (float if n_outputs == 1 else np.ndarray)
            np.testing.assert_array_equal(one, value)
            np.testing.assert_array_equal(careful(predictor).one(row), value)


def test_classes_have_labels_and_probabilities() -> None:
    predictor, X = a_predictor(4, "multiclass"), some_rows(30)
    probabilities = predictor.predict_proba(X)
    np.testing.assert_array_equal(probabilities, careful(predictor).rows(X))
    assert len(set(probabilities.argmax(axis=1))) > 1
    labels = predictor.predict(X)
    assert labels.tolist() == [predictor.predict_one(row) for row in X]
    assert labels.tolist() == [f"class {k}" for k in probabilities.argmax(axis=1)]


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_predict_into_fills_the_array(n_outputs: int) -> None:
    predictor, X = a_predictor(n_outputs), some_rows(9)
    expected = predictor.predict(X)
    wide = np.zeros((*expected.shape, 2))
    for out in (np.empty_like(expected), wide[..., 0], np.asfortranarray(np.zeros_like(expected))):
        assert predictor.predict_into(X, out) is None
        np.testing.assert_array_equal(out, expected)
    predictor.predict_into(X.tolist(), out=(again := np.empty_like(expected)), n_jobs=1)
    np.testing.assert_array_equal(again, expected)


def test_predict_into_may_write_over_the_rows_themselves() -> None:
    predictor = a_predictor(N_COLUMNS)
    X = some_rows(8)
    expected = predictor.predict(X)
    predictor.predict_into(X, X)
    np.testing.assert_array_equal(X, expected)


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        (np.empty(8), ValueError, r"out must be of shape \(9,\), got \(8,\)"),
        (np.empty((9, 1)), ValueError, "out must be of shape"),
        (np.empty(9, np.float32), TypeError, "out must be an ndarray of float64"),
        ([0.0] * 9, TypeError, "out must be an ndarray of float64, got list"),
    ],
)
def test_predict_into_refuses_another_array(out: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        a_predictor().predict_into(some_rows(9), out)


def test_predict_into_refuses_an_array_that_is_read_only() -> None:
    out = np.zeros(9)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        a_predictor().predict_into(some_rows(9), out)
    assert not out.any()


def test_odd_arrays_take_the_careful_way() -> None:
    predictor, X = a_predictor(), some_rows(12)
    expected = predictor.predict(X)
    unaligned = np.frombuffer(b"x" + X.tobytes(), np.uint8)[1:].view(np.float64).reshape(X.shape)
    masked = np.ma.MaskedArray(np.nan_to_num(X, nan=3.0), np.isnan(X))
    np.testing.assert_array_equal(predictor.predict(masked), expected)
    for same in (X[::-1][::-1], np.asfortranarray(X), X.astype(">f8"), unaligned):
        np.testing.assert_array_equal(predictor.predict(same), expected)
        assert [predictor.predict_one(row) for row in same] == expected.tolist()
    with pytest.raises(ValueError, match=r"5 columns .* got 4"):
        predictor.predict(X[:, :4].copy())
    with pytest.raises(ValueError, match="must have 5 columns, got 4"):
        predictor.predict_one(X[0, :4].copy())
    with pytest.raises(TypeError, match="argument"):
        predictor.predict()  # type: ignore[call-arg]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("at", [0, 17, N_COLUMNS * 9 - 1])
def test_infinity_is_refused_wherever_it_stands(dtype: type, at: int) -> None:
    predictor, X = a_predictor(), some_rows(9, dtype)
    X.flat[at] = -np.inf
    row = at // N_COLUMNS
    with pytest.raises(ValueError, match=f"infinities .* row {row}"):
        predictor.predict(X)
    with pytest.raises(ValueError, match="infinities"):
        predictor.predict_one(X[row])
    with pytest.raises(ValueError, match=f"infinities .* row {row}"):
        predictor.predict_into(X, np.empty(9))


def test_many_rows_have_the_same_bits_with_any_threads() -> None:
    predictor, X = a_predictor(), some_rows(40000)
    expected = predictor.predict(X, n_jobs=1)
    for n_jobs in (None, 2, 3, -1):
        np.testing.assert_array_equal(predictor.predict(X, n_jobs=n_jobs), expected)
    with pytest.raises(ValueError, match="n_jobs"):
        predictor.predict(X[:1], n_jobs=0)


def test_a_subclass_may_override_and_a_copy_is_whole() -> None:
    class Doubled(Predictor):
        def predict_one(self, row: Any) -> Any:
            return 2 * super().predict_one(row)

    plain, X = a_predictor(), some_rows(2)
    doubled = Doubled(plain.to_bytes())
    assert doubled.predict_one(X[0]) == 2 * plain.predict_one(X[0])
    np.testing.assert_array_equal(doubled.predict(X), plain.predict(X))
    np.testing.assert_array_equal(copy.deepcopy(plain).predict(X), plain.predict(X))


def test_a_predictor_is_freed_without_the_collector() -> None:
    predictor = a_predictor()
    gone = weakref.ref(predictor)
    one = predictor.predict_one
    gc.disable()
    try:
        del predictor
        assert gone() is None
    finally:
        gc.enable()
    assert np.isfinite(one(some_rows(1)[0]))  # the function keeps what it needs


@pytest.mark.parametrize("estimator", [AutoRegressor, AutoClassifier])
def test_estimators_take_arrays_of_floats_as_they_are(estimator: Any) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = X[:, 0] if estimator is AutoRegressor else np.where(X[:, 0] > 0, "a", "b")
    model = estimator(max_trials=1, baselines=None, random_state=0, n_jobs=1).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict(X.tolist()))
    if estimator is AutoClassifier:
        np.testing.assert_array_equal(model.predict_proba(X), model.predict_proba(X.tolist()))
    for bad, message in (
        (X[:, :2], "X has 2 features, but Auto.* is expecting 3 features"),
        (X[:0], "Found array with 0 sample"),
        (X[0], "Expected 2D array, got 1D array"),
        (np.full((2, 3), np.inf), "infinit"),
    ):
        with pytest.raises(ValueError, match=message):
            model.predict(bad)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_middling_number_of_rows_is_predicted_alike(dtype: type) -> None:
    predictor, X = a_predictor(), some_rows(12000, dtype)  # without the GIL, by one thread
    expected, out = careful(predictor).rows(X, 1), np.empty(12000)
    np.testing.assert_array_equal(predictor.predict(X), expected)
    predictor.predict_into(X, out)
    np.testing.assert_array_equal(out, expected)
    X[7000, 2] = np.inf
    with pytest.raises(ValueError, match=r"infinities .* row 7000"):
        predictor.predict(X)


_THREADS_OF_A_PROCESS = """
import os, numpy as np
from automs.predictor import Predictor
predictor = Predictor(bytes.fromhex("{data}"))
X = np.zeros((300_000, predictor.n_features_in_))
def n_threads(): return len(os.listdir("/proc/self/task"))
before = n_threads()
for n_rows in (1, 100, 1000): predictor.predict(X[:n_rows], n_jobs=4)
few = n_threads()
predictor.predict(X, n_jobs=1)
alone = n_threads()
predictor.predict(X, n_jobs=4)
print(few - before, alone - few, n_threads() - alone)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads in /proc")
def test_threads_are_started_for_many_rows_alone() -> None:
    script = _THREADS_OF_A_PROCESS.format(data=a_predictor().to_bytes().hex())
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.stdout.split() == ["0", "0", "3"], run.stderr
