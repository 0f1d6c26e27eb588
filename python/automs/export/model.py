"""Bytes of a checked model file -> its encoders and networks as arrays, for what is made of them.

The fields are those of ``cpp/predictor/FORMAT.md``. The bytes have passed the checks of `Predictor`
before they come here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Model", "Network", "Part", "Periodic", "count_embedded", "count_features", "read_model"]

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
#: A part of an encoder, with the keys that `automs._core.Encoder` takes.
Part = dict[str, Any]

_HEADER_BYTES = 24
_HAS_LABEL_FACTORS, _HAS_OUTPUT_BOUNDS = 1, 2  # bits of the flags
_TASKS = ("regression", "binary", "multiclass")
_COLUMN_KINDS = ("numeric", "categorical", "date")
_CLASS_KINDS = (None, "int64", "float64", "bool", "string")
_ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu", "mish",
)  # fmt: skip
_LINKS = ("identity", "exp", "sigmoid", "softmax")
_PART_KINDS = (
    "scaled", "indicator", "piecewise", "interpolated", "one_hot", "ordinal", "calendar",
    "embedded",
)  # fmt: skip
_CYCLES = ("year", "week", "day")


@dataclass(frozen=True)
class Periodic:
    """A periodic embedding of the scaled features: arrays as in the file.

    frequencies and phases (n_frequencies, n_scaled), weights (n_frequencies, n_outputs, n_scaled),
    biases (n_outputs, n_scaled).
    """

    frequencies: Floats
    weights: Floats
    phases: Floats
    biases: Floats


@dataclass(frozen=True)
class Network:
    """One network: arrays as in the file, shapes (fan_in, fan_out), (n_rows, size), (n_logits,)."""

    encoder: int
    weight: float
    activation: str
    residual: bool
    link: str
    periodic: Periodic | None
    embeddings: list[Floats]
    weights: list[Floats]
    biases: list[Floats]
    blends: list[Floats]  # of hidden layers with parametric activations, else none
    output_centre: Doubles
    output_scale: Doubles
    output_low: Doubles | None = None
    output_high: Doubles | None = None

    @property
    def n_logits(self) -> int:
        """Numbers that the last layer gives."""
        return len(self.output_centre)

    def adds_input(self, layer: int) -> bool:
        """Whether a layer gives f(z) + x instead of f(z)."""
        is_inner = 0 < layer < len(self.weights) - 1
        return self.residual and is_inner and len(self.weights[layer]) == len(self.biases[layer])


@dataclass(frozen=True)
class Model:
    """The content of a model file; an encoder is the list of its parts."""

    task: str
    n_outputs: int
    column_names: list[str] | None
    columns: list[dict[str, Any]]
    target_names: list[str] | None
    class_kind: str | None
    classes: list[Any] | None
    encoders: list[list[Part]]
    networks: list[Network]
    metadata: str
    label_factors: Doubles | None = None

    @property
    def n_columns(self) -> int:
        """Numbers in a raw row."""
        return len(self.columns)


def count_features(part: Part) -> int:
    """Give the number of dense features that a part makes."""
    match part["kind"]:
        case "piecewise":
            return len(part["knots"]) - 1
        case "one_hot":
            return int(part["n_slots"])
        case "calendar":
            return 2
        case "embedded":
            return 0
        case _:
            return 1


def count_embedded(parts: list[Part]) -> int:
    """Give the number of embedded codes that an encoder makes."""
    return sum(part["kind"] == "embedded" for part in parts)


def read_model(data: bytes) -> Model:
    """Read the bytes of a model file, of any version, that `Predictor` has taken."""
    reader = _Reader(data)
    is_first_version = reader.version == 1
    task = _TASKS[reader.u8()]
    n_columns, n_outputs = reader.u32(), reader.u32()
    names = reader.texts(reader.u32())
    numeric: dict[str, Any] = {"kind": "numeric", "ordered": False, "categories": []}
    columns = [numeric if is_first_version else _read_column(reader) for _ in range(n_columns)]
    target_names = reader.texts(reader.u32())
    class_kind = _CLASS_KINDS[reader.u8()]
    classes = _read_classes(reader, class_kind, reader.u32())
    encoders = [
        _read_first_encoder(reader, n_columns) if is_first_version else _read_encoder(reader)
        for _ in range(reader.u32())
    ]
    networks = [_read_network(reader, encoders) for _ in range(reader.u32())]
    metadata = reader.text()
    factors = reader.array("<f8", n_outputs) if reader.flags & _HAS_LABEL_FACTORS else None
    if reader.flags & _HAS_OUTPUT_BOUNDS:
        networks = [_with_bounds(reader, network) for network in networks]
    return Model(
        task, n_outputs, names or None, columns, target_names or None, class_kind, classes,
        encoders, networks, metadata, factors,
    )  # fmt: skip


class _Reader:
    """Takes one field after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 8
        self.version = self.u32()
        self.flags = self.u32()
        self._at = _HEADER_BYTES

    def _number(self, form: str) -> Any:
        (value,) = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def u8(self) -> int:
        value: int = self._number("<B")
        return value

    def u32(self) -> int:
        value: int = self._number("<I")
        return value

    def f64(self) -> float:
        value: float = self._number("<d")
        return value

    def array(self, dtype: str, *shape: int) -> npt.NDArray[Any]:
        values = np.frombuffer(self._data, dtype, int(np.prod(shape)), self._at)
        self._at += values.nbytes
        return values.astype(values.dtype.newbyteorder("=")).reshape(shape)

    def text(self) -> str:
        size = self.u32()
        self._at += size
        return self._data[self._at - size : self._at].decode("utf-8")

    def texts(self, n: int) -> list[str]:
        return [self.text() for _ in range(n)]


def _read_column(reader: _Reader) -> dict[str, Any]:
    kind, ordered = _COLUMN_KINDS[reader.u8()], bool(reader.u8())
    categories = reader.texts(reader.u32()) if kind == "categorical" else []
    return {"kind": kind, "ordered": ordered, "categories": categories}


def _read_classes(reader: _Reader, kind: str | None, n: int) -> list[Any] | None:
    match kind:
        case None:
            return None
        case "string":
            return reader.texts(n)
        case "bool":
            return [bool(label) for label in reader.array("u1", n)]
        case _:
            labels: list[Any] = reader.array("<i8" if kind == "int64" else "<f8", n).tolist()
            return labels


def _read_encoder(reader: _Reader) -> list[Part]:
    return [_read_part(reader) for _ in range(reader.u32())]


def _read_part(reader: _Reader) -> Part:
    kind, column = _PART_KINDS[reader.u8()], reader.u32()
    part: Part = {"kind": kind, "column": column}
    match kind:
        case "scaled":
            part = _scaled(column, bool(reader.u8()), reader.f64(), reader.f64())
        case "piecewise":
            part["knots"] = reader.array("<f8", reader.u32())
        case "interpolated":
            n_knots = reader.u32()
            part["knots"] = reader.array("<f8", n_knots)
            part["values"] = reader.array("<f8", n_knots)
        case "one_hot":
            part["n_slots"] = reader.u32()
            part["slots"] = reader.array("<u4", reader.u32() + 2)
        case "ordinal":
            part["values"] = reader.array("<f8", reader.u32() + 2)
        case "calendar":
            part["cycle"] = _CYCLES[reader.u8()]
        case "embedded":
            part["n_rows"] = reader.u32()
            part["rows"] = reader.array("<u4", reader.u32() + 2)
    return part


def _scaled(column: int, clip: bool, centre: float, scale: float) -> Part:
    return {"kind": "scaled", "column": column, "clip": clip, "centre": centre, "scale": scale}


def _read_first_encoder(reader: _Reader, n_columns: int) -> list[Part]:
    scaled, indicators = [], []
    for column in range(n_columns):
        reader.u8()
        flags = reader.u8()
        scaled.append(_scaled(column, bool(flags & 1), reader.f64(), reader.f64()))
        if flags & 2:
            indicators.append({"kind": "indicator", "column": column})
    return [*scaled, *indicators]


def _read_network(reader: _Reader, encoders: list[list[Part]]) -> Network:
    encoder, weight = reader.u32(), reader.f64()
    activation, features, link = _ACTIVATIONS[reader.u8()], reader.u8(), _LINKS[reader.u8()]
    is_residual, is_blended = bool(features & 1), bool(features & 2)
    n_scaled = sum(part["kind"] == "scaled" for part in encoders[encoder])
    waves = (reader.u32(), reader.u32() - 1) if features & 4 else None
    n_rows = [part["n_rows"] for part in encoders[encoder] if part["kind"] == "embedded"]
    embedding_sizes = [reader.u32() for _ in n_rows]
    sizes = [reader.u32() for _ in range(reader.u32())]
    periodic = None if waves is None else _read_periodic(reader, *waves, n_scaled)
    embeddings = [
        reader.array("<f4", *shape) for shape in zip(n_rows, embedding_sizes, strict=True)
    ]
    weights, biases, blends = [], [], []
    for fan_in, fan_out in pairwise(sizes):
        weights.append(reader.array("<f4", fan_in, fan_out))
        biases.append(reader.array("<f4", fan_out))
        if is_blended and len(biases) < len(sizes) - 1:
            blends.append(reader.array("<f4", fan_out))
    centre, scale = reader.array("<f8", sizes[-1]), reader.array("<f8", sizes[-1])
    return Network(
        encoder, weight, activation, is_residual, link, periodic, embeddings, weights, biases,
        blends, centre, scale,
    )  # fmt: skip


def _read_periodic(reader: _Reader, n_frequencies: int, n_outputs: int, n: int) -> Periodic:
    return Periodic(
        reader.array("<f4", n_frequencies, n), reader.array("<f4", n_frequencies, n_outputs, n),
        reader.array("<f4", n_frequencies, n), reader.array("<f4", n_outputs, n),
    )  # fmt: skip


def _with_bounds(reader: _Reader, network: Network) -> Network:
    low, high = (reader.array("<f8", network.n_logits) for _ in range(2))
    return replace(network, output_low=low, output_high=high)
