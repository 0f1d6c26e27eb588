"""Folder of data sets -> training and test rows of a seed, and predictions -> their error.

The folder holds `index.csv` (name, task, n_rows, n_features, ...) and NAME.parquet, whose column
`target` is to be predicted. Tasks are regression, binary and multiclass. Errors are lower for
better: RMSE / standard deviation of the test target, 1 - ROC AUC, log loss.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_ROWS = 120_000
SMALL = 2_000  # below, one split says little, so there are several
SEEDS_OF_SMALL = 3
LEAST_PROBABILITY = 1e-7
TEST_SHARE = 0.2


@dataclass(frozen=True)
class DataSet:
    """One line of the index; `n_rows` is the number after the cap."""

    name: str
    task: str
    n_rows: int
    n_columns: int

    @property
    def seeds(self) -> range:
        return range(SEEDS_OF_SMALL if self.n_rows < SMALL else 1)


def read_index(folder: Path) -> list[DataSet]:
    with (folder / "index.csv").open(newline="") as file:
        return [
            DataSet(
                line["name"],
                line["task"],
                min(int(line["n_rows"]), MOST_ROWS),
                int(line["n_features"]),
            )
            for line in csv.DictReader(file)
        ]


def tidy_name(name: Any, position: int) -> str:
    """A name without the characters that some libraries refuse, still unlike its neighbours."""
    tidy = re.sub(r"\W+", "_", str(name))
    return tidy if tidy == str(name) else f"{tidy}_{position}"


def _tidy_column(column: Any) -> Any:
    import pandas as pd

    if isinstance(column.dtype, pd.CategoricalDtype) or not pd.api.types.is_numeric_dtype(column):
        # By way of objects: categories that no row has are gone, and so is their order.
        return column.astype("object").where(column.notna(), None).astype("category")
    return column.astype("int64") if pd.api.types.is_bool_dtype(column) else column


def load(folder: Path, name: str, task: str) -> tuple[Any, Any]:
    """X, a DataFrame of numeric and category columns; y, float64 or codes of the classes."""
    import pandas as pd

    table = pd.read_parquet(folder / f"{name}.parquet")
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0).reset_index(drop=True)
    y = table.pop("target")
    table.columns = [tidy_name(column, i) for i, column in enumerate(table.columns)]
    for column in table.columns:
        table[column] = _tidy_column(table[column])
    if task == "regression":
        return table, y.to_numpy("float64")
    return table, pd.factorize(y.astype(str), sort=True)[0]


def split(X: Any, y: Any, task: str, seed: int) -> list[Any]:
    """X_train, X_test, y_train, y_test."""
    from sklearn.model_selection import train_test_split

    stratify = None if task == "regression" else y
    return train_test_split(X, y, test_size=TEST_SHARE, random_state=seed, stratify=stratify)


def regression_error(y: Any, predicted: Any) -> tuple[float, float]:
    """Error, and R2 in the place of the accuracy."""
    import numpy as np

    error = float(np.sqrt(np.mean(np.square(predicted - y))) / np.std(y))
    return error, 1.0 - error**2


def class_error(y: Any, probabilities: Any, task: str) -> tuple[float, float]:
    """Error and accuracy, after probabilities are kept from zero and add up to one."""
    import numpy as np
    from sklearn.metrics import log_loss, roc_auc_score

    p = np.clip(probabilities, LEAST_PROBABILITY, 1.0)
    p /= p.sum(axis=1, keepdims=True)
    if task == "binary":
        error = 1.0 - roc_auc_score(y, p[:, 1])
    else:
        error = log_loss(y, p, labels=np.arange(p.shape[1]))
    return float(error), float(np.mean(p.argmax(axis=1) == y))
