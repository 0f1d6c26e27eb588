"""Searches that start with the list chosen without their table, beside those of the default list.

Rows are those of `accuracy.py`, of the systems `automs` and `automs_built`, without baselines.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from accuracy_machine import record
from accuracy_protocol import DataSet, class_error, load, read_index, regression_error, split
from accuracy_rows import Row, append, resume
from accuracy_systems import METRICS
from portfolio_pool import pool

OURS = {"automs": False, "automs_built": True}


@contextmanager
def starting_with(names: Sequence[str]) -> Iterator[None]:
    """Searches in here try these candidates of the pool first."""
    from automs.portfolio import suits_rows

    def first_candidates(task: str, n_train_rows: int, **settings: Any) -> list[Any]:
        candidates = pool(task, n_train_rows)
        own = [replace(candidates[name], seed=None, **settings) for name in names]
        return [candidate for candidate in own if suits_rows(candidate, n_train_rows)]

    with mock.patch("automs._auto_estimator.first_candidates", first_candidates):
        yield


def search(
    folder: Path,
    lists: Mapping[str, Sequence[str]],
    path: Path,
    budget: float,
    seeds: Sequence[int],
) -> None:
    """Run what the file lacks, the two systems in turn, on one thread."""
    done = {row.key for row in resume(path)}
    record(path)
    for seed in seeds:
        for dataset in read_index(folder):
            if dataset.name not in lists:
                continue
            X, y = load(folder, dataset.name, dataset.task)
            parts = split(X, y, dataset.task, seed)
            for system, is_built in OURS.items():
                row = Row(
                    dataset.name, dataset.task, dataset.n_rows, dataset.n_columns, seed, system,
                    budget,
                )  # fmt: skip
                if row.key not in done:
                    names = lists[dataset.name] if is_built else None
                    row = replace(row, **fitted(dataset, parts, names, budget, seed))
                    append(path, row)
                    print(f"{system} {dataset.name} {seed}: error {row.error:.4f}", flush=True)


def fitted(
    dataset: DataSet, parts: Sequence[Any], names: Sequence[str] | None, budget: float, seed: int
) -> dict[str, float]:
    """Error, accuracy and times of one search; None for the default list."""
    import numpy as np

    from automs import AutoClassifier, AutoRegressor

    X_train, X_test, y_train, y_test = parts
    is_regression = dataset.task == "regression"
    model = (AutoRegressor if is_regression else AutoClassifier)(
        metric=METRICS[dataset.task],
        time_limit=budget,
        baselines=None,
        n_jobs=1,
        random_state=seed,
    )
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if names is None:
            model.fit(X_train, y_train)
        else:
            with starting_with(names):
                model.fit(X_train, y_train)
    fit_s = time.perf_counter() - start
    start = time.perf_counter()
    if is_regression:
        predicted = np.asarray(model.predict(X_test), float).ravel()
        error, accuracy = regression_error(y_test, predicted)
    else:
        error, accuracy = class_error(y_test, model.predict_proba(X_test), dataset.task)
    predict_s = time.perf_counter() - start
    return {"error": error, "accuracy": accuracy, "fit_s": fit_s, "predict_s": predict_s}
