"""A baseline's name, a problem, a fold and a plan -> scikit-learn's predictions for the fold."""

from __future__ import annotations

import inspect
import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from automs.baseline_cost import MAX_CATEGORIES, Plan
from automs.baseline_problem import BaselineProblem
from automs.seeds import derive_seed, keyed_rng

__all__ = ["FoldPredictions", "fit_and_predict", "import_models", "model_note"]

#: Categories that a histogram has bins for; one is kept for the rarest together.
_MAX_BINS = 255
#: Losses that scikit-learn's linear models, forests and networks do not have, or not at this speed.
_NOT_OFFERED = {"absolute", "huber", "quantile", "squared_log"}

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class FoldPredictions:
    """Predictions (n_validation_rows, n_outputs), seconds of fitting and of predicting."""

    values: Values
    fit_time: float
    predict_time: float


def import_models() -> None:
    """Import what `fit_and_predict` uses, so that no baseline's time holds the seconds of that."""
    from sklearn import (  # noqa: F401, PLC0415
        compose,
        dummy,
        ensemble,
        impute,
        linear_model,
        multioutput,
        neural_network,
        pipeline,
    )


def fit_and_predict(name: str, problem: BaselineProblem, fold: int, plan: Plan) -> FoldPredictions:
    """Train one baseline on a fold's training rows and predict its validation rows.

    Raises
    ------
    Exception
        Whatever scikit-learn raises.
    """
    train_rows, validation_rows = problem.folds[fold]
    train_rows = _chosen_rows(problem, train_rows, plan.n_rows, fold)
    start = time.perf_counter()
    target = problem.y[train_rows] if problem.y.shape[1] > 1 else problem.y[train_rows, 0]
    encoder = _make_encoder(name, problem)
    model = _make_model(name, problem, plan, target)
    weights = None if problem.sample_weight is None else problem.sample_weight[train_rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = encoder.fit_transform(problem.values[train_rows])
        model.fit(features, target, **_weights_for(model, weights))
        fitted = time.perf_counter()
        features = encoder.transform(problem.values[validation_rows])
        values = _predict(model, features, problem.n_classes)
    return FoldPredictions(values, fitted - start, time.perf_counter() - fitted)


def _chosen_rows(problem: BaselineProblem, rows: Rows, n_rows: int, fold: int) -> Rows:
    """Give at most so many of the rows: for classes evenly of each, and at least one."""
    if len(rows) <= n_rows:
        return rows
    shuffled = keyed_rng(derive_seed(problem.seed, fold)).permutation(rows)
    if not problem.n_classes:
        return np.sort(shuffled[:n_rows])
    ordered = shuffled[np.argsort(problem.y[shuffled, 0], kind="stable")]
    at = ((np.arange(n_rows) + 0.5) * (len(rows) / n_rows)).astype(np.int64)
    first_of_class = np.unique(problem.y[ordered, 0], return_index=True)[1]
    return np.sort(ordered[np.union1d(at, first_of_class)])


def _weights_for(model: Any, weights: Values | None) -> dict[str, Values]:
    """Give the argument for a model's ``fit``, nothing where it takes no weights."""
    from sklearn.utils.validation import has_fit_parameter  # noqa: PLC0415

    inner = getattr(model, "regressor", model)
    takes = weights is not None and has_fit_parameter(inner, "sample_weight")
    return {"sample_weight": weights} if takes and weights is not None else {}


def _predict(model: Any, features: Any, n_classes: int) -> Values:
    n_rows = len(features)
    if n_classes == 0:
        return np.asarray(model.predict(features), dtype=np.float64).reshape(n_rows, -1)
    probabilities = np.zeros((n_rows, n_classes))
    # A class that is not among the training rows has probability 0.
    probabilities[:, model.classes_.astype(np.int64)] = model.predict_proba(features)
    return probabilities


class _NoColumns:
    """What a constant reads of a table: nothing."""

    def fit_transform(self, values: Values) -> Values:
        return self.transform(values)

    def transform(self, values: Values) -> Values:
        return np.zeros((len(values), 1))


class _PooledCategories:
    """Codes of categories as histograms take them: few enough, and NaN for unknown ones."""

    def __init__(self, n_categories: list[int]) -> None:
        self._n_categories = n_categories
        self._kept: dict[int, npt.NDArray[np.bool_]] = {}
        self._empty: npt.NDArray[np.intp] | None = None

    def fit_transform(self, values: Values) -> Values:
        for column, n in enumerate(self._n_categories):
            if n > _MAX_BINS:
                known = values[:, column] >= 0  # False for NaN
                counts = np.bincount(values[known, column].astype(np.int64), minlength=n)
                kept = np.zeros(len(counts), dtype=bool)
                kept[np.argsort(-counts, kind="stable")[: _MAX_BINS - 1]] = True
                self._kept[column] = kept
        values = self.transform(values)
        # scikit-learn finds no bins for a column without any value: it becomes a constant.
        self._empty = np.flatnonzero(np.isnan(values).all(axis=0))
        values[:, self._empty] = 0.0
        return values

    def transform(self, values: Values) -> Values:
        values = values.copy()
        for column, n in enumerate(self._n_categories):
            codes = values[:, column]
            if n:
                codes[codes < 0] = np.nan
            if column in self._kept:
                kept = self._kept[column]
                known = np.flatnonzero(codes >= 0)
                whole = np.minimum(codes[known].astype(np.int64), len(kept) - 1)
                codes[known[~kept[whole]]] = len(kept)
        if self._empty is not None:
            values[:, self._empty] = 0.0
        return values


def _make_encoder(name: str, problem: BaselineProblem) -> Any:
    n_categories = problem.n_categories()
    if name == "constant":
        return _NoColumns()
    if name == "hist_gradient_boosting":
        return _PooledCategories(n_categories)
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415

    # Scaled for a forest too: it narrows to float32, which dates would not survive as they are.
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    one_hot = OneHotEncoder(
        max_categories=MAX_CATEGORIES, handle_unknown="infrequent_if_exist", sparse_output=False
    )
    return ColumnTransformer(
        [
            ("numbers", numbers, [at for at, n in enumerate(n_categories) if not n]),
            ("categories", one_hot, [at for at, n in enumerate(n_categories) if n]),
        ],
        sparse_threshold=0.0,
    )


def _make_model(name: str, problem: BaselineProblem, plan: Plan, target: Values) -> Any:
    seed = derive_seed(problem.seed) % 2**31
    if problem.n_classes:
        return _make_classifier(name, problem, plan, target, seed)
    model = _make_regressor(name, problem, plan, seed)
    one_target = name == "hist_gradient_boosting" or (name, problem.loss) == ("linear", "poisson")
    if one_target and problem.y.shape[1] > 1:
        from sklearn.multioutput import MultiOutputRegressor  # noqa: PLC0415

        return MultiOutputRegressor(model)
    return model


def _make_classifier(
    name: str, problem: BaselineProblem, plan: Plan, target: Values, seed: int
) -> Any:
    from sklearn import dummy, ensemble, linear_model, neural_network  # noqa: PLC0415

    if name == "constant":
        return dummy.DummyClassifier(strategy="prior")
    if name == "linear":
        return linear_model.LogisticRegression(max_iter=1000)
    if name == "random_forest":
        return ensemble.RandomForestClassifier(plan.size, random_state=seed)
    # Rows for early stopping are drawn evenly of each class, which needs enough of them.
    counts = np.unique(target, return_counts=True)[1]
    may_stop = len(target) >= 200 and counts.min() >= 2 and 0.1 * len(target) >= len(counts)
    if name == "mlp":
        return neural_network.MLPClassifier(
            max_iter=plan.size, early_stopping=bool(may_stop), random_state=seed
        )
    return ensemble.HistGradientBoostingClassifier(
        max_iter=plan.size,
        early_stopping="auto" if may_stop else False,
        categorical_features=_categorical(problem),
        random_state=seed,
    )


def _make_regressor(name: str, problem: BaselineProblem, plan: Plan, seed: int) -> Any:
    from sklearn import dummy, ensemble, linear_model  # noqa: PLC0415

    loss, quantile = problem.loss, problem.quantile
    if name == "constant":
        strategy = {"absolute": "median", "quantile": "quantile"}.get(loss, "mean")
        return dummy.DummyRegressor(
            strategy=strategy, quantile=quantile if loss == "quantile" else None
        )
    if name == "linear":
        if loss == "poisson":
            return linear_model.PoissonRegressor(alpha=1e-3, max_iter=1000)
        return linear_model.RidgeCV(alphas=np.logspace(-3, 3, 13))
    if name == "random_forest":
        criterion = "poisson" if loss == "poisson" else "squared_error"
        return ensemble.RandomForestRegressor(plan.size, criterion=criterion, random_state=seed)
    if name == "mlp":
        return _make_mlp_regressor(problem, plan, seed)
    losses = {"absolute": "absolute_error", "huber": "absolute_error"}
    return ensemble.HistGradientBoostingRegressor(
        loss=losses.get(loss, loss if loss in {"poisson", "quantile"} else "squared_error"),
        quantile=quantile if loss == "quantile" else None,
        max_iter=plan.size,
        categorical_features=_categorical(problem),
        random_state=seed,
    )


def _make_mlp_regressor(problem: BaselineProblem, plan: Plan, seed: int) -> Any:
    from sklearn.compose import TransformedTargetRegressor  # noqa: PLC0415
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    n_rows = min(plan.n_rows, *(len(train) for train, _ in problem.folds))
    model = MLPRegressor(max_iter=plan.size, early_stopping=n_rows >= 200, random_state=seed)
    if problem.loss == "poisson" and _mlp_takes("loss"):
        return model.set_params(loss="poisson")
    return TransformedTargetRegressor(model, transformer=StandardScaler())


def _mlp_takes(argument: str) -> bool:
    """Whether this release of scikit-learn has it, in the constructor or in ``fit``."""
    from sklearn.neural_network import MLPRegressor  # noqa: PLC0415

    places = (MLPRegressor, MLPRegressor.fit)
    return any(argument in inspect.signature(place).parameters for place in places)


def _categorical(problem: BaselineProblem) -> list[bool] | None:
    categorical = [n > 0 for n in problem.n_categories()]
    return categorical if any(categorical) else None


def model_note(name: str, problem: BaselineProblem) -> str:
    """Say what a baseline cannot do that was asked for: the loss, the weights of rows."""
    loss = problem.loss
    squared = name in {"linear", "random_forest", "mlp"} and loss in _NOT_OFFERED
    squared = squared or (name == "hist_gradient_boosting" and loss == "squared_log")
    if name == "mlp":
        squared = squared or (loss == "poisson" and not _mlp_takes("loss"))
    notes = ["squared loss"] if squared and not problem.n_classes else []
    if name == "mlp" and problem.sample_weight is not None and not _mlp_takes("sample_weight"):
        notes.append("without weights of rows")
    return ", ".join(notes)
