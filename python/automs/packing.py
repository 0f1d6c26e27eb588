"""Networks, weights and the columns of a table -> `Predictor`: the model that is used and saved."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from automs._core import write_model
from automs.outcomes import FoldNetwork
from automs.predictor import Predictor, predictor_from_bytes
from automs.table import Column
from automs.target import Target

__all__ = ["build_predictor", "measured_latency"]

Values = npt.NDArray[np.float64]


def build_predictor(
    members: Sequence[tuple[float, Sequence[FoldNetwork]]],
    target: Target,
    names: Sequence[str] | None,
    columns: Sequence[Column],
    metadata: dict[str, Any],
    label_factors: Values | None = None,
) -> Predictor:
    """Pack networks into the model that is used, saved and embedded.

    Parameters
    ----------
    members : sequence of (weight, networks)
        The networks of one member share its weight equally.
    target : Target
    names : sequence of str or None
        The columns' names.
    columns : sequence of Column
        What each is.
    metadata : dict
        Plain values, kept in the model file.
    label_factors : ndarray of float64, shape (n_classes,), optional
        What multiplies probabilities where a label is chosen.
    """
    encoders: list[Any] = []
    positions: dict[int, int] = {}
    networks = []
    for weight, folds in members:
        for network in folds:
            key = id(network.encoder)
            if key not in positions:
                positions[key] = len(encoders)
                encoders.append(network.encoder)
            networks.append(_network_dict(network, positions[key], weight / len(folds)))
    _bound_all(networks)
    classes = target.classes
    return predictor_from_bytes(
        write_model(
            {
                "task": target.task,
                "n_columns": len(columns),
                "columns": [
                    {
                        "kind": c.kind.name.lower(),
                        "ordered": c.ordered,
                        "categories": list(c.categories),
                    }
                    for c in columns
                ],
                "column_names": None if names is None else list(names),
                "class_kind": None if classes is None else _class_kind(classes),
                "classes": None if classes is None else classes.tolist(),
                "encoders": encoders,
                "networks": networks,
                "metadata": json.dumps(metadata),
                "label_factors": label_factors,
            }
        )
    )


def _class_kind(classes: npt.NDArray[Any]) -> str:
    return {"b": "bool", "i": "int64", "u": "int64", "f": "float64"}.get(
        classes.dtype.kind, "string"
    )


def _network_dict(network: FoldNetwork, encoder: int, weight: float) -> dict[str, Any]:
    sizes = [network.weights[0].shape[0], *(w.shape[1] for w in network.weights)]
    low, high = network.target_range if network.bounded and network.target_range else (None, None)
    return {
        "encoder": encoder,
        "weight": weight,
        "layer_sizes": sizes,
        "activation": network.candidate.activation,
        "residual": network.candidate.residual,
        "link": network.link,
        "weights": network.weights,
        "biases": network.biases,
        "embeddings": network.embeddings,
        "periodic": network.periodic,
        "blends": network.blends,
        "output_centre": network.output_centre,
        "output_scale": network.output_scale,
        "output_low": low,
        "output_high": high,
    }


def _bound_all(networks: list[dict[str, Any]]) -> None:
    """Give all networks bounds where one has any, as files want it: such that do not bind."""
    if all(network["output_low"] is None for network in networks):
        return
    for network in networks:
        if network["output_low"] is None:
            widest = np.full(len(network["output_centre"]), np.finfo(np.float64).max)
            network["output_low"], network["output_high"] = -widest, widest


def measured_latency(predictor: Predictor, row: Values, n_calls: int = 20) -> float:
    """Median seconds of predicting one row, after a first call."""
    predictor.predict_one(row)
    times = []
    for _ in range(n_calls):
        start = time.perf_counter()
        predictor.predict_one(row)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
