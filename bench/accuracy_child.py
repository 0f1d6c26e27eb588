"""One job as JSON on the command line -> its outcome as JSON in a file, from a fresh process.

Started by `accuracy_run`, so that a crash, a leak or a warm cache of one fit touches no other.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any

from accuracy_predictions import About, write
from accuracy_protocol import class_error, load, regression_error, split
from accuracy_systems import Request, build


def measure(job: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Fill in what is known so far: a failure of `predict` keeps the time of `fit`."""
    import numpy as np

    request = Request(**job["request"])
    X, y = load(Path(job["folder"]), job["dataset"], request.task)
    X_train, X_test, y_train, y_test = split(X, y, request.task, request.seed)
    model = build(job["system"], request, X_train)
    start = time.perf_counter()
    model.fit(X_train, y_train)
    outcome["fit_s"] = time.perf_counter() - start
    start = time.perf_counter()
    if request.task == "regression":
        predicted = np.asarray(model.predict(X_test), float).ravel()
        outcome["predict_s"] = time.perf_counter() - start
        outcome["error"], outcome["accuracy"] = regression_error(y_test, predicted)
    else:
        predicted = np.asarray(model.predict_proba(X_test), float)
        outcome["predict_s"] = time.perf_counter() - start
        outcome["error"], outcome["accuracy"] = class_error(y_test, predicted, request.task)
    if job["predictions"]:
        about = (job["dataset"], request.task, request.seed, job["shown"], request.budget)
        write(Path(job["predictions"]), About(*about, outcome["error"]), y_test, predicted)


def main() -> None:
    warnings.filterwarnings("ignore")
    job = json.loads(sys.argv[1])
    outcome: dict[str, Any] = {}
    try:
        measure(job, outcome)
    except Exception as error:  # of any library; the run goes on with a noted failure
        traceback.print_exc()
        outcome["note"] = f"{type(error).__name__}: {error}"
    Path(job["answer"]).write_text(json.dumps(outcome))


if __name__ == "__main__":
    main()
