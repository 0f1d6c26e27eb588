"""A model of one plain network -> a fitted scikit-learn pipeline that predicts the same."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.export.model import Model, Network, Part

__all__ = ["sklearn_pipeline"]

Doubles = npt.NDArray[np.float64]

_LARGEST_LOGIT = 88.0  # of the link exp
_ACTIVATIONS = {"identity": "identity", "relu": "relu", "tanh": "tanh", "sigmoid": "logistic"}


def sklearn_pipeline(model: Model) -> Any:
    """Make a pipeline of StandardScaler and MLPRegressor or MLPClassifier.

    Parameters
    ----------
    model : Model

    Returns
    -------
    sklearn.pipeline.Pipeline or sklearn.compose.TransformedTargetRegressor
        The latter around a pipeline where the model bounds its predictions, or gives them as an
        exponential. Fitted. Classes are sorted, as scikit-learn wants them, and rows must not
        lack a value.

    Raises
    ------
    ValueError
        When the model holds something that the pipeline cannot; the message says what.
    """
    reason = _obstacle(model)
    if reason is not None:
        raise ValueError(f"to_sklearn needs a model that scikit-learn can hold, but {reason}")
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    (network,) = model.networks
    parts = model.encoders[network.encoder]
    scaler = _scaler(model, parts)
    coefs = [weights.astype(np.float64) for weights in network.weights]
    intercepts = [bias.astype(np.float64) for bias in network.biases]
    coefs[0] = _by_column(coefs[0], parts, model.n_columns)
    if model.task == "regression":
        if network.link == "identity":
            scale = network.weight * network.output_scale
            coefs[-1] = coefs[-1] * scale
            intercepts[-1] = intercepts[-1] * scale + network.weight * network.output_centre
        net = _regressor(network, model.n_outputs)
    else:
        coefs[-1], intercepts[-1] = _by_class(model, coefs[-1], intercepts[-1])
        net = _classifier(network, model)
    net.coefs_, net.intercepts_ = coefs, intercepts
    net.n_layers_ = len(coefs) + 1
    net.n_features_in_ = model.n_columns
    pipeline = Pipeline([("scaler", scaler), ("network", net)])
    steps = _target_steps(network)
    return _on_a_scale(pipeline, network, steps) if steps else pipeline


def _target_steps(network: Network) -> list[tuple[str, Any]]:
    """Give what stands between targets and what the pipeline predicts, first what is undone last.

    They are functions of NumPy alone, so that a pickled pipeline needs nothing else.
    """
    from sklearn.preprocessing import FunctionTransformer  # noqa: PLC0415

    def step(forth: Any, back: Any) -> Any:
        return FunctionTransformer(forth, back, check_inverse=False)

    steps = []
    if network.output_low is not None:
        assert network.output_high is not None
        low, high = network.weight * network.output_low, network.weight * network.output_high
        keep = partial(np.clip, a_min=np.minimum(low, high), a_max=np.maximum(low, high))
        steps.append(("bounds", step(None, keep)))
    if network.link == "exp":
        centre, scale = (
            network.weight * network.output_centre,
            network.weight * network.output_scale,
        )
        steps += [
            ("centre", step(partial(np.add, -centre), partial(np.add, centre))),
            ("scale", step(partial(np.multiply, 1.0 / scale), partial(np.multiply, scale))),
            ("logarithm", step(np.log, np.exp)),
            ("limit", step(None, partial(np.minimum, _LARGEST_LOGIT))),
        ]
    return steps


def _on_a_scale(pipeline: Any, network: Network, steps: list[tuple[str, Any]]) -> Any:
    """Give a regressor that brings what a pipeline predicts back through the steps."""
    from sklearn.compose import TransformedTargetRegressor  # noqa: PLC0415
    from sklearn.pipeline import Pipeline  # noqa: PLC0415

    transformer = Pipeline(steps)
    model = TransformedTargetRegressor(pipeline, transformer=transformer, check_inverse=False)
    model.regressor_ = pipeline
    some = network.weight * (network.output_centre + network.output_scale)  # of logarithm 0
    model.transformer_ = transformer.fit(some.reshape(1, -1))
    model._training_dim = 1 if network.n_logits == 1 else 2
    return model


def _obstacle(model: Model) -> str | None:
    """Say what in a model the pipeline cannot hold; None where it can hold all of it."""
    if len(model.networks) != 1:
        return f"this one is an ensemble of {len(model.networks)} networks"
    (network,) = model.networks
    parts = model.encoders[network.encoder]
    if any(network.adds_input(i) for i in range(len(network.weights))):
        return "its network has residual layers"
    if network.periodic is not None:
        return "its network has a periodic embedding of numbers"
    if network.blends:
        return "its network has parametric activations"
    is_deep = len(network.weights) > 1
    if is_deep and network.activation not in _ACTIVATIONS:
        return f"MLPs there have no activation {network.activation!r}"
    return _obstacle_of_outputs(model, network) or _obstacle_of_parts(parts)


def _obstacle_of_outputs(model: Model, network: Network) -> str | None:
    if model.label_factors is not None:
        return "it weighs probabilities where it chooses labels"
    if model.classes is None:
        is_known = network.link in {"identity", "exp"}
        return None if is_known else f"MLPRegressor has no link {network.link!r}"
    if abs(network.weight - 1.0) > 1e-9:
        return f"its network has the weight {network.weight!r}, not 1"
    if model.class_kind == "float64" and any(label % 1 != 0 for label in model.classes):
        return "scikit-learn takes no classes that are fractions"
    return None


def _obstacle_of_parts(parts: list[Part]) -> str | None:
    for part in parts:
        if part["kind"] != "scaled":
            return f"its encoder has a part of the kind {part['kind']!r} (column {part['column']})"
        if part["clip"]:
            return f"its encoder clips the column {part['column']}"
    columns = [part["column"] for part in parts]
    twice = next((column for column in columns if columns.count(column) > 1), None)
    return None if twice is None else f"its encoder reads the column {twice} twice"


def _scaler(model: Model, parts: list[Part]) -> Any:
    """Give a StandardScaler; a column that counts for nothing is left as it is."""
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    scaler = StandardScaler()
    scaler.mean_, scaler.scale_ = np.zeros(model.n_columns), np.ones(model.n_columns)
    for part in parts:
        if part["scale"] != 0.0:
            scaler.mean_[part["column"]] = part["centre"]
            scaler.scale_[part["column"]] = 1.0 / part["scale"]
    scaler.var_ = scaler.scale_**2
    scaler.n_samples_seen_ = 1
    scaler.n_features_in_ = model.n_columns
    if model.column_names is not None:
        scaler.feature_names_in_ = np.array(model.column_names, dtype=object)
    return scaler


def _by_column(weights: Doubles, parts: list[Part], n_columns: int) -> Doubles:
    """Bring the first layer's rows from the order of the parts into that of the columns."""
    ordered = np.zeros((n_columns, weights.shape[1]))
    for row, part in zip(weights, parts, strict=True):
        if part["scale"] != 0.0:
            ordered[part["column"]] = row
    return ordered


def _by_class(model: Model, weights: Doubles, bias: Doubles) -> tuple[Doubles, Doubles]:
    """Bring the outputs into the order of the sorted classes; one output where they are two."""
    assert model.classes is not None
    if model.task == "binary":  # the logit of the second class; that of the first is 0
        weights = np.hstack([np.zeros_like(weights), weights])
        bias = np.concatenate([np.zeros_like(bias), bias])
    order = np.argsort(np.asarray(model.classes))
    weights, bias = weights[:, order], bias[order]
    if len(order) > 2:
        return weights, bias
    return weights[:, 1:] - weights[:, :1], bias[1:] - bias[:1]


def _settings(network: Network) -> dict[str, Any]:
    return {
        "hidden_layer_sizes": tuple(len(bias) for bias in network.biases[:-1]),
        "activation": _ACTIVATIONS.get(network.activation, "identity"),
    }


def _regressor(network: Network, n_outputs: int) -> Any:
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    net = MLPRegressor(**_settings(network))
    net.n_outputs_, net.out_activation_ = n_outputs, "identity"
    return net


def _classifier(network: Network, model: Model) -> Any:
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415
    from sklearn.preprocessing import LabelBinarizer  # noqa: PLC0415

    net = MLPClassifier(**_settings(network))
    net._label_binarizer = LabelBinarizer().fit(np.asarray(model.classes))
    net.classes_ = net._label_binarizer.classes_
    is_binary = model.n_outputs == 2
    net.n_outputs_ = 1 if is_binary else model.n_outputs
    net.out_activation_ = "logistic" if is_binary else "softmax"
    return net
