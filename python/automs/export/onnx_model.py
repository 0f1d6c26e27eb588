"""A model -> an ONNX model of the whole pipeline, from raw rows to predictions and labels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from automs.export.model import Model, Network, Periodic
from automs.export.onnx_encoder import add_encoder
from automs.export.onnx_nodes import Nodes, require_onnx

__all__ = ["IR_VERSION", "OPSET", "onnx_model"]

OPSET = 17
IR_VERSION = 8  # of files with this opset, so that runtimes of its time read them

_LARGEST_EXPONENT = 88.0


def onnx_model(model: Model) -> Any:
    """Make the ONNX model of a model.

    Parameters
    ----------
    model : Model

    Returns
    -------
    onnx.ModelProto
        It has passed `onnx.checker`. Input ``rows``, float64 (n_rows, n_columns); outputs
        ``predictions``, float64 (n_rows, n_outputs), and for a classifier ``labels`` (n_rows,).

    Raises
    ------
    ImportError
        When the package onnx is not installed.
    """
    onnx = require_onnx()
    helper, double = onnx.helper, onnx.TensorProto.DOUBLE
    nodes = Nodes(onnx)
    _add_pipeline(nodes, model)
    outputs = [helper.make_tensor_value_info("predictions", double, ["n_rows", model.n_outputs])]
    if model.classes is not None:
        code = _class_codes(onnx)[model.class_kind]
        outputs.append(helper.make_tensor_value_info("labels", code, ["n_rows"]))
    rows = helper.make_tensor_value_info("rows", double, ["n_rows", model.n_columns])
    graph = helper.make_graph(nodes.nodes, "automs", [rows], outputs, nodes.constants)
    proto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
        producer_name="automs", doc_string=_DESCRIPTION,
    )  # fmt: skip
    columns = model.columns
    if model.column_names is not None:
        named = zip(model.column_names, columns, strict=True)
        columns = [{"name": name, **column} for name, column in named]
    helper.set_model_props(proto, {"columns": json.dumps(columns), "metadata": model.metadata})
    onnx.checker.check_model(proto, full_check=True)
    return proto


_DESCRIPTION = (
    "rows holds raw values: numbers, codes of categories (places in the lists of the property "
    "'columns'; any other number means unknown), seconds since 1970-01-01T00:00 UTC; NaN means "
    "missing."
)


def _class_codes(onnx: Any) -> dict[str | None, int]:
    types = onnx.TensorProto
    return {
        "int64": types.INT64,
        "float64": types.DOUBLE,
        "bool": types.BOOL,
        "string": types.STRING,
    }


def _add_pipeline(nodes: Nodes, model: Model) -> None:
    encoded = [add_encoder(nodes, "rows", parts) for parts in model.encoders]
    total = None
    for network in model.networks:
        features, codes = encoded[network.encoder]
        values = _add_network(nodes, network, features, codes)
        weighted = nodes.add("Mul", values, np.array(network.weight))
        total = weighted if total is None else nodes.add("Add", total, weighted)
    assert total is not None  # a model has a network at least
    if model.task == "binary":
        first = nodes.add("Sub", np.array(1.0), total)
        total = nodes.add("Concat", first, total, axis=1)
    nodes.rename(total, "predictions")
    if model.classes is not None:
        factors = model.label_factors
        weighed = total if factors is None else nodes.add("Mul", total, factors)
        places = nodes.add("ArgMax", weighed, axis=1, keepdims=0)
        dtype = object if model.class_kind == "string" else None
        nodes.rename(nodes.add("Gather", np.array(model.classes, dtype), places), "labels")


def _add_network(nodes: Nodes, network: Network, features: list[str], codes: list[str]) -> str:
    waves = [] if network.periodic is None else [_periodic(nodes, network.periodic, features[0])]
    vectors = [
        nodes.add("Gather", table, code)
        for table, code in zip(network.embeddings, codes, strict=True)
    ]
    h = nodes.add("Concat", *features, *waves, *vectors, axis=1)
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        z = nodes.add("Add", nodes.add("MatMul", h, weights), bias)
        if i + 1 < len(network.weights):
            f = _activated(nodes, network.activation, z)
            if network.blends:
                bend = nodes.add("Mul", nodes.add("Sub", f, z), network.blends[i])
                f = nodes.add("Add", z, bend)
            z = f
        h = nodes.add("Add", z, h) if network.adds_input(i) else z
    values = _linked(nodes, network.link, nodes.cast(h, np.float64))
    scaled = nodes.add("Mul", values, network.output_scale)
    values = nodes.add("Add", scaled, network.output_centre)
    if network.output_low is None or network.output_high is None:
        return values
    return nodes.add("Min", nodes.add("Max", values, network.output_low), network.output_high)


def _periodic(nodes: Nodes, periodic: Periodic, x: str) -> str:
    """Add a periodic embedding of the scaled features x: (n_rows, outputs times features)."""
    n_outputs = len(periodic.biases)
    one = nodes.add("Unsqueeze", x, np.array([1]))  # (n_rows, 1, n_scaled)
    turns = nodes.add("Mul", one, periodic.frequencies * np.float32(2.0 * np.pi))
    cosines = nodes.add("Cos", nodes.add("Add", turns, periodic.phases))
    outputs = []
    for output in range(n_outputs):
        weighted = nodes.add("Mul", cosines, periodic.weights[:, output])
        total = nodes.add("ReduceSum", weighted, np.array([1]), keepdims=0)
        outputs.append(nodes.add("Add", total, periodic.biases[output]))
    return nodes.add("Concat", *outputs, axis=1)


def _activated(nodes: Nodes, activation: str, z: str) -> str:
    match activation:
        case "identity":
            return z
        case "leaky_relu":
            return nodes.add("LeakyRelu", z, alpha=0.01)
        case "gelu":
            error = nodes.add("Erf", nodes.add("Mul", z, np.float32(np.sqrt(0.5))))
            probability = nodes.add(
                "Mul", nodes.add("Add", error, np.float32(1.0)), np.float32(0.5)
            )
            return nodes.add("Mul", z, probability)
        case "silu":
            return nodes.add("Mul", z, nodes.add("Sigmoid", z))
        case "mish":
            return nodes.add("Mul", z, nodes.add("Tanh", nodes.add("Softplus", z)))
        case _:
            return nodes.add(_OPERATORS[activation], z)


_OPERATORS = {
    "relu": "Relu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "selu": "Selu",
    "elu": "Elu",
}


def _linked(nodes: Nodes, link: str, logits: str) -> str:
    match link:
        case "identity":
            return logits
        case "exp":
            return nodes.add("Exp", nodes.add("Min", logits, np.array(_LARGEST_EXPONENT)))
        case "sigmoid":
            return nodes.add("Sigmoid", logits)
        case _:
            return nodes.add("Softmax", logits, axis=1)
