"""By how much `fit` passes its time limit, over tables and limits.

python bench/bench_limits.py --data FOLDER [--markdown limits.md]

Tables are handed over whole, as they are in FOLDER (`index.csv` and NAME.parquet), categories and
missing cells included; a limit that is short for one makes `fit` leave rows out. A fit passes where
it ends at most 50 ms or 1 % of the limit too late, whichever is more. After its limits each table
is fitted with one of a millisecond: what that takes is the least that a model takes, and a shorter
limit cannot be kept.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from accuracy import names, positive, show
from accuracy_protocol import DataSet, read_index
from accuracy_report import Section

LIMITS = (0.5, 1.0, 2.0, 5.0)
NO_TIME = 1e-3
LEAST_ALLOWED = 0.05  # seconds
SHARE_ALLOWED = 0.01
QUANTILE = 99
COLUMNS = ("table", "rows", "limit s", "took s", "overrun s", "/ allowed", "trials", "model")


@dataclass(frozen=True)
class Fit:
    """One fit, its limit and what it took in seconds; without trials and model where it failed."""

    table: str
    n_rows: int
    limit: float
    took: float
    n_trials: int | None = None
    model: str = "-"

    @property
    def overrun(self) -> float:
        return self.took - self.limit

    @property
    def by_allowed(self) -> float:
        """Above 1 the fit came too late."""
        return self.overrun / max(LEAST_ALLOWED, SHARE_ALLOWED * self.limit)

    @property
    def failed(self) -> bool:
        return self.n_trials is None

    @property
    def passed(self) -> bool:
        return self.by_allowed <= 1 and not self.failed

    @property
    def line(self) -> tuple[str, ...]:
        return (
            self.table,
            str(self.n_rows),
            f"{self.limit:g}",
            f"{self.took:.3f}",
            f"{self.overrun:+.3f}",
            f"{self.by_allowed:+.2f}",
            "failed" if self.failed else str(self.n_trials),
            self.model,
        )


def fitted(dataset: DataSet, X: Any, y: Any, limit: float) -> Fit:
    from automs import AutoClassifier, AutoRegressor

    estimator = AutoRegressor if dataset.task == "regression" else AutoClassifier
    model = estimator(time_limit=limit, random_state=0)
    start = time.perf_counter()
    try:
        model.fit(X, y)
    except Exception as error:  # a fit that fails has a time, too
        took = time.perf_counter() - start
        return Fit(dataset.name, len(X), limit, took, model=f"{type(error).__name__}: {error}")
    took = time.perf_counter() - start
    return Fit(dataset.name, len(X), limit, took, model.n_trials_, model.selected_)


def fit_all(folder: Path, limits: Sequence[float], only: Sequence[str]) -> list[Fit]:
    """Fit every table under every limit and, last, under none to speak of; print each fit."""
    found = []
    for dataset in read_index(folder):
        if only and dataset.name not in only:
            continue
        X = pd.read_parquet(folder / f"{dataset.name}.parquet")
        y = X.pop("target")
        for limit in (*limits, NO_TIME):
            found.append(fitted(dataset, X, y, limit))
            print("  ".join(found[-1].line), flush=True)
    return found


def sections(found: Sequence[Fit]) -> list[Section]:
    limited = [fit for fit in found if fit.limit > NO_TIME]
    least = [(f.table, str(f.n_rows), f"{f.took:.3f}") for f in found if f.limit <= NO_TIME]
    load = os.getloadavg()[0]
    machine = f"{len(os.sched_getaffinity(0))} cores, all of them used; load average {load:.1f}."
    remark = f"What a fit took under a limit of {NO_TIME * 1000:g} ms."
    return [
        summary_section(limited),
        Section("Too late or failed", COLUMNS, [f.line for f in limited if not f.passed]),
        Section("The least time", ("table", "rows", "took s"), least, (remark,)),
        Section("Fits", COLUMNS, [fit.line for fit in limited], (machine,)),
    ]


def summary_section(found: Sequence[Fit]) -> Section:
    """Over all fits, and by limit."""
    groups = {"all": list(found)}
    for limit in sorted({fit.limit for fit in found}):
        groups[f"{limit:g} s"] = [fit for fit in found if fit.limit == limit]
    columns = ("limit", "fits", "passed", "failed", "median overrun s", f"{QUANTILE}th percentile")
    remark = (
        f"Allowed: {LEAST_ALLOWED * 1000:g} ms or {SHARE_ALLOWED:.0%} of the limit, whichever is "
        "more. A fit that failed, whenever it did, has not passed."
    )
    return Section(
        "Overruns",
        (*columns, "worst", f"{QUANTILE}th of overrun / allowed"),
        [(name, *summary(group)) for name, group in groups.items()],
        (remark,),
    )


def summary(group: Sequence[Fit]) -> tuple[str, ...]:
    overruns = [fit.overrun for fit in group]
    return (
        str(len(group)),
        str(sum(fit.passed for fit in group)),
        str(sum(fit.failed for fit in group)),
        f"{np.median(overruns):+.3f}",
        f"{high_quantile(overruns):+.3f}",
        f"{max(overruns):+.3f}",
        f"{high_quantile([fit.by_allowed for fit in group]):+.2f}",
    )


def high_quantile(values: Sequence[float]) -> float:
    """Give the least of the values that so many in a hundred do not exceed: none in between."""
    return float(np.percentile(values, QUANTILE, method="inverted_cdf"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="index.csv and NAME.parquet")
    parser.add_argument("--limits", type=positive, nargs="+", default=LIMITS, metavar="SECONDS")
    parser.add_argument("--only", type=names, default=(), help="names of tables")
    parser.add_argument("--markdown", type=Path, help="write the tables there, too")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # of baselines that are ahead, which is not the question
    found = fit_all(arguments.data, arguments.limits, arguments.only)
    if not found:
        raise SystemExit(f"{arguments.data}: no tables chosen")
    show("Time limits", sections(found), arguments.markdown)


if __name__ == "__main__":
    main()
