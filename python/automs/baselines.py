"""The same rows and folds -> scikit-learn's predictions for them, from a child process."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

__all__ = ["BASELINES", "BaselineProcess", "BaselineResult", "resolve_baselines"]

Values = npt.NDArray[np.float64]

#: Cheapest first, the order in which they are trained: what scikit-learn calls them for a
#: regression and for classes.
BASELINES = {
    "constant": ("DummyRegressor", "DummyClassifier"),
    "linear": ("RidgeCV", "LogisticRegression"),
}


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What came of one baseline.

    Attributes
    ----------
    name : str
        Of the model in scikit-learn.
    predictions : list of ndarray (n_validation_rows, n_outputs), or None
        One a fold: values, or class probabilities. None where it was not finished, or failed.
    fit_time, predict_time : float, seconds
        Of all folds.
    reason : str
        Why there are no predictions.
    late : bool
        Whether its deadline is why.
    """

    name: str
    predictions: list[Values] | None
    fit_time: float = float("nan")
    predict_time: float = float("nan")
    reason: str = ""
    late: bool = False


def resolve_baselines(baselines: Any) -> tuple[str, ...]:
    """Give the names of the baselines that a `baselines` argument asks for.

    Parameters
    ----------
    baselines : "auto", None, False, or a sequence of names

    Returns
    -------
    tuple of str

    Raises
    ------
    ValueError
        When a name is unknown.
    """
    if baselines is None or baselines is False:
        return ()
    if isinstance(baselines, str):
        if baselines == "auto":
            return tuple(BASELINES)
        baselines = (baselines,)
    if not isinstance(baselines, Iterable):
        raise TypeError(f"baselines must be 'auto', None or a sequence of names, got {baselines}")
    for name in baselines:
        if name not in BASELINES:
            raise ValueError(
                f"baselines must be 'auto', None or names of {', '.join(BASELINES)}, got {name!r}"
            )
    return tuple(name for name in BASELINES if name in set(baselines))


class BaselineProcess:
    """Trains baselines in a process of its own, which cannot hold up its parent.

    The process is started fresh, so no thread or lock of the parent is in it; results come back
    as they are finished, and at the deadline it is ended.

    Parameters
    ----------
    names : sequence of str
        Of `BASELINES`.
    values : ndarray of float64, shape (n_rows, n_columns)
    y : ndarray of float64, shape (n_rows, n_targets)
        Class indices for classification.
    folds : sequence of (train_rows, validation_rows)
    n_classes : int
        0 for regression.
    sample_weight : ndarray of float64, shape (n_rows,), optional
    """

    def __init__(
        self,
        names: Sequence[str],
        values: Values,
        y: Values,
        folds: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]],
        n_classes: int,
        sample_weight: Values | None = None,
    ) -> None:
        self._names = list(names)
        self._labels = [BASELINES[name][n_classes > 0] for name in names]
        self._results: list[BaselineResult] = []
        self._late = False
        self._deadline: threading.Timer | None = None
        # scikit-learn's own threads would fight with those of the search.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from automs.baselines import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the parent
        )
        problem = (self._names, values, y, list(folds), n_classes, sample_weight)
        self._exchange = threading.Thread(target=self._talk, args=(problem,), daemon=True)
        self._exchange.start()

    def _talk(self, problem: Any) -> None:
        """Send the problem, then take in results until the process ends."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            return
        with contextlib.suppress(OSError, EOFError, pickle.UnpicklingError):
            pickle.dump(problem, stdin, protocol=pickle.HIGHEST_PROTOCOL)
            stdin.close()
            while len(self._results) < len(self._names):
                self._results.append(pickle.load(stdout))

    def end_after(self, seconds: float) -> None:
        """End the process so many seconds from now, whatever it has come to."""
        self._deadline = threading.Timer(max(seconds, 0.0), self._end_late)
        self._deadline.daemon = True
        self._deadline.start()

    def _end_late(self) -> None:
        self._late = True
        self._process.kill()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; True once every result is there or the process has ended."""
        self._exchange.join(seconds)
        return not self._exchange.is_alive()

    def finish(self, timeout: float | None) -> list[BaselineResult]:
        """Wait at most `timeout` seconds (None: to the end), and give a result for every name.

        The process has ended when this returns.
        """
        self._exchange.join(timeout)
        late = self._late or self._exchange.is_alive()
        self.close()
        results = list(self._results)
        reason = "not finished at its deadline" if late else "its process failed"
        for label in self._labels[len(results) :]:
            results.append(BaselineResult(label, None, reason=reason, late=late))
        return results

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._deadline is not None:
            self._deadline.cancel()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._exchange.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def serve() -> None:
    """Take a problem from standard input and write each result to standard output: the child."""
    out = sys.stdout.buffer
    names, values, y, folds, n_classes, sample_weight = pickle.load(sys.stdin.buffer)
    for name in names:
        _send(_run_baseline(name, values, y, folds, n_classes, sample_weight), out)


def _send(result: BaselineResult, out: BinaryIO) -> None:
    pickle.dump(result, out, protocol=pickle.HIGHEST_PROTOCOL)
    out.flush()


def _run_baseline(
    name: str,
    values: Values,
    y: Values,
    folds: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]],
    n_classes: int,
    sample_weight: Values | None,
) -> BaselineResult:
    predictions = []
    fit_time = predict_time = 0.0
    label = BASELINES[name][n_classes > 0]
    try:
        for train_rows, validation_rows in folds:
            model = _make_model(name, n_classes)
            weights = None if sample_weight is None else sample_weight[train_rows]
            target = y[train_rows] if y.shape[1] > 1 else y[train_rows, 0]
            step = model.steps[-1][0]
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(values[train_rows], target, **{f"{step}__sample_weight": weights})
            fit_time += time.perf_counter() - start
            start = time.perf_counter()
            predictions.append(_predict(model, values[validation_rows], n_classes))
            predict_time += time.perf_counter() - start
    except Exception as error:  # whatever fails there is a row of the leaderboard, not a crash here
        return BaselineResult(label, None, reason=f"{type(error).__name__}: {error}")
    return BaselineResult(label, predictions, fit_time, predict_time)


def _predict(model: Any, values: Values, n_classes: int) -> Values:
    if n_classes == 0:
        predicted = np.asarray(model.predict(values), dtype=np.float64)
        return predicted.reshape(len(values), -1)
    probabilities = np.zeros((len(values), n_classes))
    # A class that is not among the training rows has probability 0.
    probabilities[:, model.classes_.astype(np.int64)] = model.predict_proba(values)
    return probabilities


def _make_model(name: str, n_classes: int) -> Any:
    """Give a pipeline whose last step is the baseline."""
    from sklearn.dummy import DummyClassifier, DummyRegressor  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression, RidgeCV  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    if name == "constant":
        model = DummyClassifier(strategy="prior") if n_classes else DummyRegressor()
    elif n_classes:
        model = LogisticRegression(max_iter=1000)
    else:
        model = RidgeCV(alphas=np.logspace(-3, 3, 13))
    imputer = SimpleImputer(add_indicator=True, keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler(), model)
