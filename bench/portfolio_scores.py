"""Folder of tables, pool of candidates -> a CSV of errors, one line a (table, candidate).

Errors are lower for better, as in `accuracy_protocol`. Each table is cut down to at most
`MOST_ROWS` rows for training and validation; `error_test` is that of the very network whose
`error_val` stands beside it, on rows that nothing was fitted or chosen by.
"""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from accuracy_protocol import DataSet, class_error, load, regression_error
from accuracy_systems import METRICS
from portfolio_pool import pool

MOST_ROWS = 4_000
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.25
#: Below so many rows there are folds instead of a hold-out.
SMALL = 1_000
N_FOLDS = 5
SEED = 0


@dataclass(frozen=True)
class Score:
    """What came of one candidate on one table."""

    table: str
    task: str
    n_train: int
    candidate: str
    error_val: float
    error_test: float
    seconds: float


COLUMNS = tuple(field.name for field in fields(Score))


def read_scores(path: Path) -> list[Score]:
    with path.open(newline="") as file:
        return [
            Score(
                line["table"],
                line["task"],
                int(line["n_train"]),
                line["candidate"],
                *(float(line[name]) for name in COLUMNS[4:]),
            )
            for line in csv.DictReader(file)
        ]


def append_scores(path: Path, scores: Sequence[Score]) -> None:
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(COLUMNS)
        writer.writerows(
            [f"{cell:.5g}" if isinstance(cell, float) else cell for cell in asdict(s).values()]
            for s in scores
        )


def measure(folder: Path, datasets: Sequence[DataSet], path: Path, n_jobs: int) -> None:
    """Train what the file lacks, table by table; each is written when it is done."""
    done = {(s.table, s.candidate) for s in read_scores(path)} if path.exists() else set()
    for dataset in datasets:
        scores = measure_table(folder, dataset, done, n_jobs)
        append_scores(path, scores)
        seconds = sum(s.seconds for s in scores)
        print(f"{dataset.name}: {len(scores)} candidates, {seconds:.1f} s", flush=True)


def split_rows(X: Any, y: Any, task: str) -> tuple[Any, Any, Any, Any]:
    """X, y of training and validation, then those of the test: all other rows, at most as many."""
    from sklearn.model_selection import train_test_split

    stratify = None if task == "regression" else y
    n_used = min(MOST_ROWS, round(len(y) * (1.0 - TEST_SHARE)))
    n_test = min(len(y) - n_used, MOST_ROWS)
    X_used, X_test, y_used, y_test = train_test_split(
        X, y, train_size=n_used, test_size=n_test, random_state=SEED, stratify=stratify
    )
    return X_used, y_used, X_test, y_test


def measure_table(
    folder: Path, dataset: DataSet, done: set[tuple[str, str]], n_jobs: int
) -> list[Score]:
    from automs import train_candidates

    task = dataset.task
    X, y, X_test, y_test = split_rows(*load(folder, dataset.name, task), task)
    n_train = round(len(y) * (1.0 - (1.0 / N_FOLDS if len(y) < SMALL else VALIDATION_SHARE)))
    candidates = {
        name: candidate
        for name, candidate in pool(task, n_train).items()
        if (dataset.name, name) not in done
    }
    if not candidates:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trained = train_candidates(
            columns(candidates, task),
            X,
            y,
            validation=N_FOLDS if len(y) < SMALL else VALIDATION_SHARE,
            metric=METRICS[task],
            n_jobs=n_jobs,
            random_state=SEED,
        )
    return [
        Score(
            dataset.name,
            task,
            n_train,
            name,
            validation_error(float(trained.score[at]), task, y),
            test_error(trained, at, X_test, y_test, task),
            float(trained.seconds[at]),
        )
        for at, name in enumerate(candidates)
    ]


def columns(candidates: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Their settings as columns, from which training times come back."""
    import numpy as np

    settings = [c.settings() for c in candidates.values()]
    depth = max(len(s["hidden_layer_sizes"]) for s in settings)
    table = {name: [s[name] for s in settings] for name in settings[0]}
    table["hidden_layer_sizes"] = [
        [*sizes, *[0] * (depth - len(sizes))] for sizes in table["hidden_layer_sizes"]
    ]
    table["loss"] = ["squared" if task == "regression" else "cross_entropy"] * len(settings)
    return {
        name: np.array(values) if any(v != values[0] for v in values) else values[0]
        for name, values in table.items()
    }


def validation_error(score: float, task: str, y: Any) -> float:
    """Errors of scores: RMSE / standard deviation, 1 - ROC AUC, log loss."""
    if not math.isfinite(score):
        return math.inf
    if task == "regression":
        return -score / float(y.std())
    return 1.0 - score if task == "binary" else -score


def test_error(trained: Any, at: int, X: Any, y: Any, task: str) -> float:
    if not math.isfinite(trained.score[at]):
        return math.inf
    predictor = trained[at].predictor()
    if task == "regression":
        return regression_error(y, predictor.predict(X))[0]
    return class_error(y, predictor.predict_proba(X), task)[0]
