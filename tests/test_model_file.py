"""Model files: what the writer refuses, what damaged bytes do, and old files of every version."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automs._core import Encoder, write_model
from automs.errors import ModelFileError
from automs.predictor import Predictor, load_predictor, predictor_from_bytes

HEADER_BYTES = 24
GOLDEN = Path(__file__).parent / "data" / "models"


def a_model() -> dict[str, Any]:
    """Give a small model that uses every field."""
    return {
        "task": "multiclass",
        "n_columns": 2,
        "column_names": ["größe", "b"],
        "class_kind": "string",
        "classes": ["x", "y", "z"],
        "encoders": [Encoder([0.0, 1.0], [1.0, 2.0], [True, False], [False, True])],
        "networks": [
            {
                "encoder": 0,
                "weight": 1.0,
                "layer_sizes": [3, 2, 3],
                "activation": "silu",
                "residual": False,
                "link": "softmax",
                "weights": [np.full((3, 2), 0.5, np.float32), np.eye(2, 3, dtype=np.float32)],
                "biases": [np.zeros(2, np.float32), np.ones(3, np.float32)],
                "output_centre": np.zeros(3),
                "output_scale": np.ones(3),
            }
        ],
        "metadata": '{"metric": "log_loss"}',
    }


def test_written_bytes_load_and_come_back_unchanged() -> None:
    data = write_model(a_model())
    predictor = Predictor(data)
    assert predictor.to_bytes() == data
    assert predictor.task == "multiclass"
    assert predictor.n_parameters == 3 * 2 + 2 + 2 * 3 + 3
    assert predictor.metadata == {"metric": "log_loss"}
    assert list(predictor.feature_names_in_) == ["größe", "b"]
    assert list(predictor.classes_) == ["x", "y", "z"]


def test_equal_models_give_equal_bytes() -> None:
    assert write_model(a_model()) == write_model(a_model())


def test_every_truncation_is_refused() -> None:
    data = write_model(a_model())
    for length in range(len(data)):
        with pytest.raises(ModelFileError, match="cut short"):
            predictor_from_bytes(data[:length])


def test_every_changed_byte_is_refused() -> None:
    data = bytearray(write_model(a_model()))
    for at in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            data[at] ^= mask
            with pytest.raises(ModelFileError):
                predictor_from_bytes(bytes(data))
            data[at] ^= mask
    predictor_from_bytes(bytes(data))


def test_bytes_after_the_end_are_refused() -> None:
    with pytest.raises(ModelFileError):
        predictor_from_bytes(write_model(a_model()) + b"\0")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04\x95", bytes(1000)])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ModelFileError, match="not a valid model file"):
        predictor_from_bytes(data)


def test_message_names_field_and_byte() -> None:
    data = bytearray(write_model(a_model()))
    data[HEADER_BYTES] ^= 1
    with pytest.raises(ModelFileError, match=r"checksum does not match.*byte \d+"):
        predictor_from_bytes(bytes(data))


def test_newer_version_is_named() -> None:
    data = bytearray(write_model(a_model()))
    data[8] = 99
    with pytest.raises(ModelFileError, match="version"):
        predictor_from_bytes(bytes(data))


@pytest.mark.parametrize("metadata", ["no json", "[1]", '"text"', "[" * 100_000])
def test_metadata_that_is_no_object_is_refused(metadata: str) -> None:
    with pytest.raises(ModelFileError, match="metadata"):
        predictor_from_bytes(write_model({**a_model(), "metadata": metadata}))


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """Give `a_model` with the item at `path` replaced."""
    model = a_model()
    encoders = model.pop("encoders")  # cannot be copied
    model = copy.deepcopy(model)
    model["encoders"] = encoders
    item: Any = model
    for key in path[:-1]:
        item = item[key]
    item[path[-1]] = value
    return model


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["task"], "ranking", "task"),
        (["task"], 3, "task must be a str"),
        (["n_columns"], 3, "n_columns"),
        (["n_columns"], -1, "n_columns"),
        (["column_names"], ["a"], "column_names"),
        (["column_names"], ["a", 1], "column_names"),
        (["column_names"], ["a", "\ud800"], "column_names"),
        (["class_kind"], "date", "class_kind"),
        (["class_kind"], None, "class_kind"),
        (["classes"], ["x", "y"], "classes"),
        (["encoders"], [], "encoder"),
        (["encoders"], [1], "encoders"),
        (["networks"], [], "networks"),
        (["networks", 0, "encoder"], 1, "encoder"),
        (["networks", 0, "weight"], np.nan, "weight"),
        (["networks", 0, "weight"], -1.0, "weight"),
        (["networks", 0, "layer_sizes"], [3], "layer_sizes"),
        (["networks", 0, "layer_sizes"], [3, 3, 3], "weights"),
        (["networks", 0, "activation"], "swish", "activation"),
        (["networks", 0, "activation"], 10, "activation"),
        (["networks", 0, "link"], "sigmoid", "link"),
        (["networks", 0, "link"], "logit", "link"),
        (["networks", 0, "weights", 0], np.ones((2, 3)), "fan_in"),
        (["networks", 0, "weights", 0], np.full((3, 2), np.inf), "weights"),
        (["networks", 0, "weights", 0], "text", "weights"),
        (["networks", 0, "biases", 0], np.ones(3), "bias"),
        (["networks", 0, "output_centre"], np.ones(3), "output_centre"),
        (["networks", 0, "output_scale"], np.ones(2), "output_scale"),
        (["metadata"], None, "metadata"),
    ],
)
def test_bad_models_are_refused(path: list[Any], value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_model(changed(path, value))


@pytest.mark.parametrize("key", ["task", "n_columns", "encoders", "networks", "metadata"])
def test_missing_key_is_named(key: str) -> None:
    model = a_model()
    del model[key]
    with pytest.raises(ValueError, match=f"'{key}' is missing"):
        write_model(model)


@pytest.mark.parametrize(
    "tables",
    [
        ([], [], [], []),
        ([0.0], [1.0, 1.0], [True], [True]),
        ([np.nan], [1.0], [True], [True]),
        ([0.0], [np.inf], [True], [True]),
        ([[0.0]], [1.0], [True], [True]),
    ],
)
def test_bad_encoder_tables_are_refused(tables: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="centre"):
        Encoder(*tables)


def test_encoder_gives_its_tables_back() -> None:
    encoder = Encoder([1.0, 2.0], [0.5, 0.0], [True, False], [False, True])
    assert (encoder.n_columns, encoder.n_features) == (2, 3)
    np.testing.assert_array_equal(encoder.centre, [1.0, 2.0])
    np.testing.assert_array_equal(encoder.scale, [0.5, 0.0])
    np.testing.assert_array_equal(encoder.clip, [True, False])
    np.testing.assert_array_equal(encoder.indicator, [False, True])


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*/*.model")), ids=lambda path: path.stem)
def test_files_of_every_version_still_give_the_same_predictions(path: Path) -> None:
    predictor = load_predictor(path)
    expected = np.load(path.with_suffix(".npz"))
    values = predictor.predict(expected["X"]) if predictor.task == "regression" else (
        predictor.predict_proba(expected["X"])
    )  # fmt: skip
    # Another CPU level rounds float32 sums differently.
    np.testing.assert_allclose(values, expected["values"], rtol=1e-5, atol=1e-6)


def test_golden_files_of_version_1_are_there() -> None:
    assert len(list(GOLDEN.glob("v1/*.model"))) == 2
