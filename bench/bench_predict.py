"""Microseconds a prediction: one row, and 1 to 1,000,000 rows, against what else is installed.

python bench/bench_predict.py --columns 32 --hidden 64 64

One network with its scaling, the same weights everywhere: automs, scikit-learn (StandardScaler and
MLPRegressor), ONNX Runtime and PyTorch; and LightGBM with 100 trees, whose predictions are others.
Every system's values are compared with automs before anything is timed. A time is the median of
several runs; the runs of the systems take turns, so that a busy machine disturbs all alike.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from automs._core import Encoder, write_model
from automs.predictor import Predictor

Call = Callable[[npt.NDArray[Any]], Any]
RUNS = 7


def fit_pipeline(X: npt.NDArray[Any], hidden: tuple[int, ...]) -> Pipeline:
    """Give a pipeline of few steps of training: weights of the usual size."""
    y = np.sin(X[:, 0]) + X[:, 1]
    network = MLPRegressor(hidden_layer_sizes=hidden, max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(StandardScaler(), network).fit(X[:5000], y[:5000])


def to_automs(pipeline: Pipeline) -> Predictor:
    scaler, network = pipeline[0], pipeline[1]
    n_columns = scaler.n_features_in_
    parts = [
        {"kind": "scaled", "column": at, "clip": False, "centre": mean, "scale": 1.0 / scale}
        for at, (mean, scale) in enumerate(zip(scaler.mean_, scaler.scale_, strict=True))
    ]
    sizes = [n_columns, *network.hidden_layer_sizes, 1]
    packed = {
        "encoder": 0, "weight": 1.0, "layer_sizes": sizes, "activation": "relu", "residual": False,
        "link": "identity", "weights": [w.astype(np.float32) for w in network.coefs_],
        "biases": [b.astype(np.float32) for b in network.intercepts_],
        "output_centre": np.zeros(1), "output_scale": np.ones(1),
    }  # fmt: skip
    model = {
        "task": "regression", "n_columns": n_columns, "column_names": None,
        "encoders": [Encoder(n_columns, parts)], "networks": [packed], "metadata": "{}",
    }  # fmt: skip
    return Predictor(write_model(model))


def onnx_call(pipeline: Pipeline) -> Call:
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    scaler, network = pipeline[0], pipeline[1]
    constants = {"mean": scaler.mean_, "scale": 1.0 / scaler.scale_}
    nodes = [
        helper.make_node("Sub", ["X", "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "scale"], ["h0"]),
    ]
    last = len(network.coefs_)
    for at, (W, b) in enumerate(zip(network.coefs_, network.intercepts_, strict=True), start=1):
        constants |= {f"W{at}": W, f"b{at}": b}
        out = "y" if at == last else f"z{at}"
        nodes.append(helper.make_node("Gemm", [f"h{at - 1}", f"W{at}", f"b{at}"], [out]))
        if at < last:
            nodes.append(helper.make_node("Relu", [out], [f"h{at}"]))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["n", scaler.n_features_in_])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return lambda X: session.run(None, {"X": X})[0]


def torch_call(pipeline: Pipeline) -> Call:
    import torch

    scaler, network = pipeline[0], pipeline[1]
    mean, scale = (torch.tensor(v, dtype=torch.float32) for v in (scaler.mean_, scaler.scale_))
    layers: list[Any] = []
    for W, b in zip(network.coefs_, network.intercepts_, strict=True):
        layer = torch.nn.Linear(*W.shape)
        layer.weight.data = torch.tensor(W.T, dtype=torch.float32)
        layer.bias.data = torch.tensor(b, dtype=torch.float32)
        layers += [layer, torch.nn.ReLU()]
    module = torch.nn.Sequential(*layers[:-1])

    def call(X: npt.NDArray[Any]) -> Any:
        with torch.inference_mode():
            return module((torch.from_numpy(X) - mean) / scale).numpy()

    return call


def lightgbm_call(X: npt.NDArray[Any]) -> Call:
    import lightgbm

    data = lightgbm.Dataset(X[:5000], X[:5000, 0] + X[:5000, 1])
    booster = lightgbm.train({"verbose": -1, "objective": "regression"}, data, 100)
    return booster.predict


def systems(X: npt.NDArray[Any], hidden: tuple[int, ...]) -> Iterator[tuple[str, Call]]:
    """Give the systems that are installed, automs first; the networks' values must agree."""
    pipeline = fit_pipeline(X, hidden)
    calls: dict[str, Call] = {"automs": to_automs(pipeline).predict}
    calls["scikit-learn"] = pipeline.predict
    for name, module, make in (
        ("ONNX Runtime", "onnxruntime", onnx_call),
        ("PyTorch", "torch", torch_call),
    ):
        if importlib.util.find_spec(module):
            calls[name] = make(pipeline)
    expected = calls["automs"](X[:1000])
    for name, call in calls.items():
        values = np.asarray(call(X[:1000])).ravel()
        np.testing.assert_allclose(values, expected, rtol=1e-3, atol=1e-4, err_msg=name)
    yield from calls.items()
    if importlib.util.find_spec("lightgbm"):
        yield "LightGBM", lightgbm_call(X)


def time_call(call: Callable[[], Any], seconds: float) -> float:
    """Give microseconds a call, over at least one call and about `seconds`."""
    start = time.perf_counter()
    n = 0
    while n == 0 or time.perf_counter() - start < seconds:
        call()
        n += 1
    return (time.perf_counter() - start) / n * 1e6


def time_one(call: Callable[[Any], Any], items: list[Any], n: int = 2000) -> str:
    """Give microseconds a call: the best, p50 and p99 of blocks of 100 different items."""
    times = []
    for block in range(n // 10):
        chosen = items[block * 100 % len(items) :][:100]
        start = time.perf_counter_ns()
        for item in chosen:
            call(item)
        times.append((time.perf_counter_ns() - start) / len(chosen) / 1e3)
    times.sort()
    best, p50, p99 = (times[int(share * (len(times) - 1))] for share in (0.0, 0.5, 0.99))
    return f"best {best:.3f}, p50 {p50:.3f}, p99 {p99:.3f}"


def report_one_row(X: npt.NDArray[Any], pipeline: Pipeline) -> None:
    predictor = to_automs(pipeline)
    for dtype in (np.float32, np.float64):
        rows = list(X[:1000].astype(dtype))
        tables = [row[None] for row in rows]
        assert [predictor.predict_one(row) for row in rows[:50]] == [
            predictor.predict(table)[0] for table in tables[:50]
        ]
        name = np.dtype(dtype).name
        print(f"predict_one, {name}: {time_one(predictor.predict_one, rows)} us")
        print(f"predict of (1, {X.shape[1]}), {name}: {time_one(predictor.predict, tables)} us")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 64])
    parser.add_argument("--rows", type=int, default=1_000_000, help="the most rows of one call")
    arguments = parser.parse_args()
    n_most = max(arguments.rows, 6000)
    X = np.random.default_rng(0).normal(size=(n_most, arguments.columns)).astype(np.float32)
    hidden = tuple(arguments.hidden)
    report_one_row(X, fit_pipeline(X, hidden))
    calls = dict(systems(X, hidden))
    print(f"\n{'rows':>9}" + "".join(f"{name:>15}" for name in calls) + "   microseconds a call")
    n = 1
    while n <= arguments.rows:
        rows = X[:n].copy()
        times: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(RUNS):
            for name, call in calls.items():
                times[name].append(time_call(lambda c=call, r=rows: c(r), 0.02))
        print(f"{n:>9}" + "".join(f"{statistics.median(times[name]):>15.2f}" for name in calls))
        n *= 10


if __name__ == "__main__":
    main()
