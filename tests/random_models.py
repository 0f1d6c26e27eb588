"""A seed -> the dict of a random, valid model for `write_model`, and raw rows for it."""

from itertools import pairwise

import numpy as np

from automs._core import Encoder

ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu", "mish",
)  # fmt: skip
OTHER_PARTS = (
    "indicator", "piecewise", "interpolated", "one_hot", "ordinal", "calendar", "embedded",
)  # fmt: skip
CYCLES = ("year", "week", "day")
NO_SLOT = 0xFFFFFFFF
#: What a text must survive: quotes, escapes, ends of comments, trigraphs, UTF-8, digits after it.
TEXTS = ('"', "back\\", "*/ /*", "what??/", "café", "new\nline", "1", "", "%d")
CLASSES = {
    "int64": lambda n: [7 * i - 3 for i in range(n)],
    "float64": lambda n: [i + 0.5 for i in range(n)],
    "string": lambda n: [f"class é {i}" for i in range(n)],
    "bool": lambda n: [False, True][:n],
}


def a_model(seed, task="regression", n_outputs=1, activation=None, link="identity"):
    """Give a model whose parts are of every kind at least once; `n_outputs` counts classes too."""
    rng = np.random.default_rng(seed)
    columns = [a_column(rng, kind) for kind in ("numeric", "categorical", "date")]
    columns += [a_column(rng) for _ in range(rng.integers(4))]
    encoders = [an_encoder(rng, columns, i == 0) for i in range(1 + rng.integers(2))]
    link = {"binary": "sigmoid", "multiclass": "softmax"}.get(task, link)
    n_logits = 1 if task == "binary" else n_outputs
    networks = []
    for encoder in [0, *rng.integers(len(encoders), size=rng.integers(3))]:
        chosen = activation or ACTIVATIONS[rng.integers(len(ACTIVATIONS))]
        network = a_network(rng, encoders[encoder], n_logits, chosen)
        networks.append({**network, "encoder": int(encoder), "link": link})
        if task == "regression":
            networks[-1]["output_centre"] = rng.normal(size=n_logits)
            networks[-1]["output_scale"] = rng.uniform(0.5, 2.0, size=n_logits)
    shares = rng.dirichlet(np.ones(len(networks)))
    for network, share in zip(networks, shares, strict=True):
        network["weight"] = float(share)
    model = {"task": task, "n_columns": len(columns), "columns": columns, "encoders": encoders}
    model |= {"networks": networks, "metadata": "{}"}
    if seed % 2:
        model["column_names"] = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(len(columns))]
    if task != "regression":
        kind = tuple(CLASSES)[seed // 3 % len(CLASSES)]
        n_classes = 2 if task == "binary" else n_outputs
        kind = kind if kind != "bool" or n_classes == 2 else "string"
        model |= {"class_kind": kind, "classes": CLASSES[kind](n_classes)}
    return model


def a_column(rng, kind=None):
    kind = kind or ("numeric", "categorical", "date")[rng.integers(3)]
    n_categories = int(rng.integers(1, len(TEXTS) + 1)) if kind == "categorical" else 0
    return {"kind": kind, "ordered": n_categories > 4, "categories": list(TEXTS[:n_categories])}


def a_part(rng, columns, kind, column):
    unit = 1e9 if columns[column]["kind"] == "date" else 1.0
    n_codes = len(columns[column]["categories"])
    if columns[column]["kind"] != "categorical":
        n_codes = int(rng.integers(5))
    knots = unit * (rng.normal() + np.cumsum(rng.uniform(0.01, 1.0, size=rng.integers(2, 9))))
    n_places = int(rng.integers(1, n_codes + 3))
    places = rng.integers(n_places, size=n_codes + 2).astype(np.uint32)
    slots = np.where(rng.random(n_codes + 2) < 0.25, NO_SLOT, places).astype(np.uint32)
    fields = {
        "scaled": {"clip": bool(rng.integers(2)), "centre": unit * rng.normal(),
                   "scale": rng.uniform(0.3, 2.0) / unit if rng.integers(5) else 0.0},
        "indicator": {},
        "piecewise": {"knots": knots},
        "interpolated": {"knots": knots, "values": rng.normal(size=len(knots))},
        "one_hot": {"n_slots": n_places, "slots": slots},
        "ordinal": {"values": rng.normal(size=n_codes + 2)},
        "calendar": {"cycle": CYCLES[rng.integers(3)]},
        "embedded": {"n_rows": n_places, "rows": places},
    }  # fmt: skip
    return {"kind": kind, "column": column, **fields[kind]}


def an_encoder(rng, columns, every_kind):
    """Scaled parts, often none of them, then others; all kinds where `every_kind`."""
    n = len(columns)
    n_scaled = max(int(rng.integers(-2, 2 * n)), int(every_kind))
    parts = [a_part(rng, columns, "scaled", int(rng.integers(n))) for _ in range(n_scaled)]
    kinds = [*OTHER_PARTS] if every_kind else []
    kinds += rng.choice(OTHER_PARTS, size=1 + rng.integers(5)).tolist()
    parts += [a_part(rng, columns, kind, int(rng.integers(n))) for kind in kinds]
    if every_kind:
        parts += [{"kind": "calendar", "column": 2, "cycle": cycle} for cycle in CYCLES]
        parts += [a_part(rng, columns, kind, 1) for kind in ("one_hot", "ordinal", "embedded")]
    return Encoder(n, parts)


def a_periodic(rng, n):
    """Give the arrays of a periodic embedding of n scaled features."""
    n_frequencies, n_outputs = int(rng.integers(1, 18)), int(rng.integers(1, 8))
    arrays = {
        "frequencies": rng.normal(0.0, 0.3, size=(n_frequencies, n)),
        "weights": rng.normal(0.0, 0.3, size=(n_frequencies, n_outputs, n)),
        "phases": rng.uniform(-np.pi, np.pi, size=(n_frequencies, n)),
        "biases": rng.normal(0.0, 0.3, size=(n_outputs, n)),
    }
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def a_network(rng, encoder, n_logits, activation):
    embeddings = [rng.normal(size=(n, rng.integers(1, 5))) for n in encoder.embedding_rows]
    periodic = a_periodic(rng, encoder.n_scaled) if encoder.n_scaled and rng.integers(2) else None
    n_inputs = encoder.n_features + sum(table.shape[1] for table in embeddings)
    n_inputs += 0 if periodic is None else periodic["biases"].size
    width = int(rng.integers(1, 40))
    hidden = [width if rng.integers(3) else width + 3 for _ in range(rng.integers(4))]
    sizes = [n_inputs, *hidden, n_logits]
    weights = [rng.normal(size=(n, m)) / np.sqrt(n) for n, m in pairwise(sizes)]
    blends = [rng.normal(size=n) for n in hidden] if rng.integers(2) else []
    return {
        "layer_sizes": sizes,
        "activation": activation,
        "residual": bool(rng.integers(2)),
        "periodic": periodic,
        "embeddings": [table.astype(np.float32) for table in embeddings],
        "weights": [array.astype(np.float32) for array in weights],
        "blends": [array.astype(np.float32) for array in blends],
        "biases": [rng.normal(0.0, 0.3, size=n).astype(np.float32) for n in sizes[1:]],
        "output_centre": np.zeros(n_logits),
        "output_scale": np.ones(n_logits),
    }


def some_rows(model, n_rows, seed=0):
    """Give float64 rows (n_rows, n_columns) with missing, unknown and far values."""
    rng = np.random.default_rng(seed)
    X = np.empty((n_rows, model["n_columns"]))
    for j, column in enumerate(model["columns"]):
        if column["kind"] == "numeric":
            X[:, j] = rng.normal(size=n_rows) * rng.choice([1.0, 1.0, 1e3, 1e12], size=n_rows)
            X[:, j] = np.where(rng.random(n_rows) < 0.3, np.round(X[:, j]), X[:, j])
        elif column["kind"] == "categorical":
            X[:, j] = rng.integers(-2, len(column["categories"]) + 2, size=n_rows)
            X[:, j] += rng.choice([0.0, 0.5], p=[0.9, 0.1], size=n_rows)
        else:
            X[:, j] = rng.uniform(-3e9, 6e9, size=n_rows) * rng.choice([1, 1e4, 1e6], size=n_rows)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X


def tolerance(model, X, predictions):
    """Give the error that is allowed: 1e-5 of outputs and features, both of them at least 1."""
    features = [encoder.encode(X)[0] for encoder in model["encoders"]]
    largest = np.abs(np.hstack(features)).max(axis=1, initial=1.0)
    return 1e-5 * np.maximum(np.abs(predictions), 1.0) * largest[:, np.newaxis]


def with_decision(model, seed):
    """Give the model with factors of its labels, or with bounds that some values reach."""
    rng = np.random.default_rng(seed)
    if model["task"] != "regression":
        return {**model, "label_factors": np.exp(rng.uniform(-2, 2, size=len(model["classes"])))}
    networks = []
    for network in model["networks"]:
        centre = np.asarray(network["output_centre"])
        low, high = (rng.uniform(0.1, 0.6, size=centre.shape) for _ in range(2))
        networks.append({**network, "output_low": centre - low, "output_high": centre + high})
    return {**model, "networks": networks}
