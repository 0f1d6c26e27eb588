"""RealMLP by this engine and by pytabkit: error and training time on the same rows.

python bench/bench_realmlp.py --data FOLDER --tables diabetes,boston,abalone,spambase,credit_g

Each table is split by seed as in `accuracy.py`, a fifth for testing and a fifth of the rest for
choosing the epoch; both systems have the same training, validation and test rows, all of
RealMLP-TD's settings (256 epochs, batches of 256, three layers of 256 units, no label smoothing)
and as many threads. Tables must have no missing numbers, which pytabkit refuses; it is no
dependency: python -m pip install pytabkit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from accuracy_protocol import class_error, load, read_index, regression_error, split
from automs import train_candidates
from automs._core import cpu_level
from automs.recipes import realmlp_td
from training_work import machine_lines

Values = npt.NDArray[np.float64]
Fit = Callable[[Any, Any, tuple[Any, Any], str, int, int], Any]
METRICS = {"regression": "rmse", "binary": "log_loss", "multiclass": "log_loss"}


class Rows:
    """A splitter with one split: so many first rows for training, the rest for validation."""

    def __init__(self, n_train: int) -> None:
        self.n_train = n_train

    def split(self, X: Any, _y: Any = None, _groups: Any = None) -> Any:
        yield np.arange(self.n_train), np.arange(self.n_train, len(X))


def ours(X: Any, y: Any, chosen_by: tuple[Any, Any], task: str, seed: int, n_jobs: int) -> Any:
    import pandas as pd

    loss = "squared" if task == "regression" else "cross_entropy"
    candidate = realmlp_td(task, len(X), loss=loss, label_smoothing=0.0, seed=seed)
    together = pd.concat([X, chosen_by[0]], ignore_index=True)
    return train_candidates(
        [candidate],
        together,
        np.concatenate([y, chosen_by[1]]),
        validation=Rows(len(X)),
        metric=METRICS[task],
        n_jobs=n_jobs,
        random_state=seed,
    )[0].predictor()


def pytabkit(X: Any, y: Any, chosen_by: tuple[Any, Any], task: str, seed: int, n_jobs: int) -> Any:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    settings = {"device": "cpu", "n_threads": n_jobs, "random_state": seed, "verbosity": 0}
    if task == "regression":
        model = RealMLP_TD_Regressor(**settings)
    else:
        model = RealMLP_TD_Classifier(use_ls=False, val_metric_name="cross_entropy", **settings)
    model.fit(X, y, *chosen_by)
    return model


def measure(fit: Fit, data: Path, name: str, task: str, seed: int, n_jobs: int) -> list[float]:
    """Error on test rows, and seconds of training."""
    X, y = load(data, name, task)
    rest, X_test, y_rest, y_test = split(X, y, task, seed)
    X_train, X_val, y_train, y_val = train_test_split(
        rest,
        y_rest,
        test_size=0.2,
        random_state=seed,
        stratify=None if task == "regression" else y_rest,
    )
    start = time.perf_counter()
    model = fit(X_train, y_train, (X_val, y_val), task, seed, n_jobs)
    seconds = time.perf_counter() - start
    if task == "regression":
        return [regression_error(y_test, np.asarray(model.predict(X_test)).ravel())[0], seconds]
    return [class_error(y_test, np.asarray(model.predict_proba(X_test)), task)[0], seconds]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", required=True, help="names, with commas between")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--n-jobs", type=int, default=1)
    arguments = parser.parse_args()
    tasks = {table.name: table.task for table in read_index(arguments.data)}
    print("| data set | automs: error (deviation) | pytabkit: error (deviation) | time ratio |")
    print("|---|---:|---:|---:|")
    ratios = []
    for name in arguments.tables.split(","):
        runs = np.array(
            [
                [measure(fit, arguments.data, name, tasks[name], seed, arguments.n_jobs)
                 for fit in (ours, pytabkit)]
                for seed in range(arguments.seeds)
            ]
        )  # fmt: skip
        means, deviations = runs[:, :, 0].mean(axis=0), runs[:, :, 0].std(axis=0)
        ratio = float(np.median(runs[:, 1, 1] / runs[:, 0, 1]))
        ratios.append(ratio)
        cells = [f"{m:.4f} ({d:.4f})" for m, d in zip(means, deviations, strict=True)]
        print(f"| {name} | {cells[0]} | {cells[1]} | {ratio:.1f} |", flush=True)
    print(f"\nTime of pytabkit / ours: {np.exp(np.mean(np.log(ratios))):.1f} in geometric mean")
    print("\n".join(machine_lines(cpu_level)))


if __name__ == "__main__":
    main()
