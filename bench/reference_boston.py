"""The reference example: Boston housing, the same ridge twice, then a search of 20 s.

python bench/reference_boston.py --csv boston.csv

The data set is kept for this comparison only: scikit-learn removed it for ethical reasons, as one
of its columns is built on the share of Black residents. Use another one for anything else.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

from automs import AutoRegressor
from automs.linear import ridge_path


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    values = np.array(rows[1:], dtype=np.float64)
    return values[:, :-1], values[:, -1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, required=True, help="13 features, then MEDV")
    parser.add_argument("--time-limit", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    X, y = read(arguments.csv)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)

    theirs = mean_squared_error(y_test, Ridge(alpha=1.0).fit(X_train, y_train).predict(X_test))
    coef, intercept = ridge_path(X_train, y_train, [1.0])
    ours = mean_squared_error(y_test, X_test @ coef[0, :, 0] + intercept[0, 0])
    print(f"ridge, alpha 1: scikit-learn {theirs:.4f}, automs {ours:.4f}")
    assert abs(theirs - ours) < 5e-5, "the two ridge regressions differ"

    start = time.perf_counter()
    model = AutoRegressor(time_limit=arguments.time_limit, random_state=arguments.seed)
    model.fit(X_train, y_train)
    took = time.perf_counter() - start
    mse = mean_squared_error(y_test, model.predict(X_test))
    print(
        f"search of {arguments.time_limit:g} s: test MSE {mse:.3f} "
        f"({mse / theirs:.2f} of the ridge), {model.n_trials_} candidates, fit took {took:.3f} s"
    )
    print(model.predictor_)


if __name__ == "__main__":
    main()
