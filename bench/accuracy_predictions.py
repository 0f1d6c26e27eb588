"""What a system predicted for the test rows of a split <-> one compressed file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from accuracy_protocol import LEAST_PROBABILITY

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class About:
    """Which predictions a file has, and the error that their system was found to have."""

    dataset: str
    task: str
    seed: int
    system: str
    budget: float
    error: float = float("nan")

    def path(self, folder: Path) -> Path:
        return folder / f"{self.dataset}-{self.seed}-{self.system}-{self.budget:g}s.npz"


@dataclass(frozen=True)
class Rows:
    """Test rows as errors need them: targets or codes of classes, and a number for each row.

    For regression `values` are predictions; for two classes log odds, which order the rows; for
    more classes the log loss of each row.
    """

    task: str
    y: Vector
    values: Vector


def write(folder: Path, about: About, y: Any, predicted: Any) -> None:
    """Write targets and predictions, or codes and probabilities, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = about.path(folder)
    unfinished = path.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            about=np.array(json.dumps(asdict(about))),
            y_test=np.asarray(y, np.float32 if about.task == "regression" else np.int32),
            predicted=np.asarray(predicted, np.float32),
        )
    unfinished.replace(path)


def find(folder: Path) -> dict[Path, About]:
    """The files of a folder, without their rows."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            found[path] = About(**json.loads(str(file["about"])))
    return found


def read(path: Path, about: About) -> Rows:
    with np.load(path) as file:
        y = file["y_test"].astype(np.float64)
        predicted = file["predicted"].astype(np.float64)
    if about.task == "regression":
        return Rows(about.task, y, predicted)
    if about.task == "binary":
        return Rows(about.task, y, log_odds(predicted))
    return Rows(about.task, y, row_losses(y, predicted))


def log_odds(probabilities: Vector) -> Vector:
    """Order of the rows by both columns: near 1 float32 has too few digits, near 0 it has not."""
    tiny = np.finfo(np.float32).tiny
    no, yes = np.maximum(probabilities, tiny).T
    return np.log(yes) - np.log(no)


def row_losses(y: Vector, probabilities: Vector) -> Vector:
    """Each row's part of the log loss, with probabilities as the protocol wants them."""
    p = np.clip(probabilities, LEAST_PROBABILITY, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y.astype(int)])


def same_rows(rows: Sequence[Rows]) -> bool:
    """Whether all are of the same test rows in the same order, as far as targets tell."""
    return all(np.array_equal(other.y, rows[0].y) for other in rows[1:])
