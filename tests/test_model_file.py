"""Model files: what the writer refuses, what damaged bytes do, and old files of every version."""

from __future__ import annotations

import copy
import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automs._core import Encoder, write_model
from automs._core import Predictor as CorePredictor
from automs.errors import ModelFileError
from automs.predictor import Predictor, load_predictor, predictor_from_bytes

HEADER_BYTES = 24
EPOCH = datetime.datetime(1970, 1, 1)
GOLDEN = Path(__file__).parent / "data" / "models"


A_SCALED_PART = {"kind": "scaled", "column": 0, "clip": True, "centre": 0.0, "scale": 1.0}
AN_EMBEDDED_PART = {"kind": "embedded", "column": 1, "n_rows": 3, "rows": [0, 1, 2, 2]}


def a_model() -> dict[str, Any]:
    """Give a small model that uses every field."""
    return {
        "task": "multiclass",
        "n_columns": 2,
        "column_names": ["größe", "b"],
        "class_kind": "string",
        "classes": ["x", "y", "z"],
        "columns": [
            {"kind": "numeric"},
            {"kind": "categorical", "ordered": True, "categories": ["é", "b"]},
        ],
        "encoders": [Encoder(2, [A_SCALED_PART, AN_EMBEDDED_PART])],
        "networks": [
            {
                "encoder": 0,
                "weight": 1.0,
                "layer_sizes": [3, 2, 3],
                "activation": "silu",
                "residual": False,
                "link": "softmax",
                "embeddings": [np.ones((3, 2), np.float32)],
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
    assert predictor.n_parameters == 3 * 2 + 3 * 2 + 2 + 2 * 3 + 3
    assert predictor.metadata == {"metric": "log_loss"}
    assert list(predictor.feature_names_in_) == ["größe", "b"]
    assert list(predictor.classes_) == ["x", "y", "z"]
    assert CorePredictor(data).columns == [
        {"kind": "numeric", "ordered": False, "categories": []},
        {"kind": "categorical", "ordered": True, "categories": ["é", "b"]},
    ]


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


def waves(n_outputs: int = 3, columns: int = 1, **other: Any) -> dict[str, Any]:
    """Give the arrays of a periodic embedding."""
    return {
        "frequencies": np.ones((5, columns)),
        "weights": np.ones((5, n_outputs, columns)),
        "phases": np.ones((5, columns)),
        "biases": np.ones((n_outputs, columns)),
    } | other


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
        (["columns"], [{"kind": "numeric"}], "columns"),
        (["columns"], ["numeric", "numeric"], "columns must be a list of dict"),
        (["columns", 0, "kind"], "text", "kind"),
        (["columns", 0, "ordered"], True, "categorical"),
        (["networks", 0, "periodic"], [1.0], "periodic must be a dict"),
        (["networks", 0, "periodic"], {}, "'frequencies' is missing"),
        (["networks", 0, "periodic"], waves(columns=2), "rows of 1 value"),
        (["networks", 0, "periodic"], waves(n_outputs=0), "1 to 63 rows of biases"),
        (["networks", 0, "periodic"], waves(n_outputs=64), "1 to 63 rows of biases"),
        (["networks", 0, "periodic"], waves(phases=np.zeros((2, 1))), "must have frequencies"),
        (["networks", 0, "periodic"], waves(biases=np.zeros((4, 1))), "must have frequencies"),
        (["networks", 0, "periodic"], waves(), "layer_sizes"),
        (["columns", 0, "categories"], ["a"], "categorical"),
        (["columns", 1, "categories"], ["a", "a"], "categories"),
        (["columns", 1, "categories"], ["a", 1], "categories"),
        (["columns", 1, "categories"], ["a"], "n_codes"),
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
        (["networks", 0, "embeddings"], [], "embeddings"),
        (["networks", 0, "embeddings"], [np.ones((3, 1))], "layer_sizes"),
        (["networks", 0, "embeddings"], [np.ones((2, 2))], "embeddings"),
        (["networks", 0, "embeddings"], [np.ones((3, 0))], "embeddings"),
        (["networks", 0, "embeddings"], [np.ones(6)], "embeddings"),
        (["networks", 0, "embeddings"], [np.full((3, 2), np.nan)], "embeddings"),
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
    ("part", "message"),
    [
        ({"kind": "scaled", "column": 0}, "clip"),
        ({**A_SCALED_PART, "kind": "ranked"}, "kind is unknown, got 'ranked'"),
        ({**A_SCALED_PART, "column": 2}, "column must be below n_columns"),
        ({**A_SCALED_PART, "column": -1}, "column must be an int"),
        ({**A_SCALED_PART, "centre": np.nan}, "centre must be finite"),
        ({"kind": "piecewise", "column": 0, "knots": [1.0, 1.0]}, "knots must be"),
        ({"kind": "piecewise", "column": 0, "knots": [[1.0]]}, "knots must be numeric arrays"),
        ({"kind": "interpolated", "column": 0, "knots": [0, 1], "values": [0]}, "values must be"),
        ({"kind": "one_hot", "column": 0, "n_slots": 1, "slots": [-1, 0]}, "slots must be whole"),
        ({"kind": "one_hot", "column": 0, "n_slots": 1, "slots": [0, 0.5]}, "slots must be whole"),
        ({"kind": "one_hot", "column": 0, "n_slots": 1, "slots": [0, 1]}, "slots must be below"),
        ({"kind": "ordinal", "column": 0, "values": [0]}, "values must be"),
        ({"kind": "calendar", "column": 0, "cycle": "month"}, "cycle is unknown"),
        ({**AN_EMBEDDED_PART, "n_rows": 2}, "rows must be below n_rows"),
        ("scaled", "must be a dict"),
    ],
)
def test_bad_parts_are_refused_by_place_and_name(part: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"parts\[1\]: .*{message}"):
        Encoder(2, [A_SCALED_PART, part])


def test_scaled_parts_come_first() -> None:
    with pytest.raises(ValueError, match=r"parts\[1\]: kind must not be scaled"):
        Encoder(2, [AN_EMBEDDED_PART, A_SCALED_PART])
    with pytest.raises(ValueError, match="parts must not be empty"):
        Encoder(2, [])


def test_encoder_gives_its_parts_back() -> None:
    parts: list[dict[str, Any]] = [
        A_SCALED_PART,
        {"kind": "indicator", "column": 1},
        {"kind": "piecewise", "column": 0, "knots": [0.0, 1.0, 4.0]},
        {"kind": "interpolated", "column": 0, "knots": [0.0, 1.0], "values": [2.0, 1.0]},
        {"kind": "one_hot", "column": 1, "n_slots": 2, "slots": [1, 0, 2**32 - 1]},
        {"kind": "ordinal", "column": 1, "values": [1.0, 2.0]},
        {"kind": "calendar", "column": 0, "cycle": "week"},
        AN_EMBEDDED_PART,
    ]
    encoder = Encoder(2, parts)
    assert (encoder.n_columns, encoder.n_features, encoder.n_embedded) == (2, 10, 1)
    assert encoder.embedding_rows == [3]
    plain = [
        {key: x.tolist() if isinstance(x, np.ndarray) else x for key, x in part.items()}
        for part in encoder.parts
    ]
    assert plain == parts


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("v*/*.model")), ids=lambda path: path.stem)
def test_files_of_every_version_still_give_the_same_predictions(path: Path) -> None:
    predictor = load_predictor(path)
    expected = np.load(path.with_suffix(".npz"))
    values = predictor.predict(expected["X"]) if predictor.task == "regression" else (
        predictor.predict_proba(expected["X"])
    )  # fmt: skip
    # Another CPU level rounds float32 sums differently.
    np.testing.assert_allclose(values, expected["values"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("version", "n_files"), [(1, 2), (2, 4)])
def test_golden_files_are_there(version: int, n_files: int) -> None:
    paths = list(GOLDEN.glob(f"v{version}/*.model"))
    assert len(paths) == n_files
    for path in paths:
        assert path.read_bytes()[8] == version


def test_golden_file_of_version_2_knows_labels_and_dates() -> None:
    predictor = load_predictor(GOLDEN / "v2" / "multiclass.model")
    expected = np.load(GOLDEN / "v2" / "multiclass.npz")
    labels = [["red", "größe", ""], ["1", "2", "3"]]
    rows = [
        [
            row[0],
            None if np.isnan(row[1]) else [*labels[0], "other"][int(row[1])],
            None if np.isnan(row[2]) else [1, 2.0, "3", 4][int(row[2])],
            row[3] if np.isnan(row[3]) else EPOCH + datetime.timedelta(seconds=row[3]),
        ]
        for row in expected["X"]
    ]
    np.testing.assert_array_equal(
        predictor.predict_proba(rows), predictor.predict_proba(expected["X"])
    )
