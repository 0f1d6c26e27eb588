"""Request and columns -> peers that search until a budget ends: FLAML, and a loop over an MLP."""

from __future__ import annotations

import time
from typing import Any, Self

from accuracy_peers import dense_columns
from accuracy_systems import METRICS, Request

SHARE_OF_BUDGET = 0.9  # the networks in the making when it is spent still have to end
VALIDATION_SHARE = 0.2


def flaml(request: Request, _: Any) -> Any:
    return Flaml(request)


def searched_mlp(request: Request, _: Any) -> Any:
    return SearchedMLP(request)


class Flaml:
    """FLAML takes the budget in `fit`, so it is kept until then."""

    def __init__(self, request: Request) -> None:
        from flaml import AutoML

        self.request, self.model = request, AutoML()

    def fit(self, X: Any, y: Any) -> Self:
        regression = self.request.task == "regression"
        self.model.fit(
            X,
            y,
            task="regression" if regression else "classification",
            metric="rmse" if regression else METRICS[self.request.task],
            time_budget=self.request.budget,
            n_jobs=self.request.n_jobs,
            seed=self.request.seed,
            verbose=0,
        )
        return self

    def predict(self, X: Any) -> Any:
        return self.model.predict(X)

    def predict_proba(self, X: Any) -> Any:
        return self.model.predict_proba(X)


class SearchedMLP:
    """Random settings of scikit-learn's MLP, the best on held-out rows, until the budget ends."""

    def __init__(self, request: Request) -> None:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        self.request = request
        self.regression = request.task == "regression"
        self.network = MLPRegressor if self.regression else MLPClassifier
        self.columns = dense_columns()

    def fit(self, X: Any, y: Any) -> Self:
        import numpy as np
        from joblib import Parallel, delayed
        from sklearn.model_selection import train_test_split

        start = time.perf_counter()
        rng = np.random.default_rng(self.request.seed)
        self.mean, self.scale = (y.mean(), y.std()) if self.regression else (0, 1)
        target = (y - self.mean) / self.scale if self.regression else y
        parts = train_test_split(
            self.columns.fit_transform(X),
            target,
            test_size=VALIDATION_SHARE,
            random_state=self.request.seed,
            stratify=None if self.regression else target,
        )
        best_loss = np.inf
        self.best: Any = None
        while (
            self.best is None or time.perf_counter() - start < SHARE_OF_BUDGET * self.request.budget
        ):
            draws = [self._draw(rng, len(parts[0])) for _ in range(self.request.n_jobs)]
            for loss, model in Parallel(self.request.n_jobs)(
                delayed(self._train)(settings, parts) for settings in draws
            ):
                if self.best is None or loss < best_loss:
                    best_loss, self.best = loss, model
        return self

    def predict(self, X: Any) -> Any:
        return self.best.predict(self.columns.transform(X)) * self.scale + self.mean

    def predict_proba(self, X: Any) -> Any:
        return self.best.predict_proba(self.columns.transform(X))

    def _draw(self, rng: Any, n_rows: int) -> dict[str, Any]:
        return {
            "hidden_layer_sizes": (int(2 ** rng.uniform(4, 9)),) * int(rng.integers(1, 4)),
            "alpha": 10 ** rng.uniform(-6, -1),
            "learning_rate_init": 10 ** rng.uniform(-4, -2),
            "batch_size": min(int(rng.choice([32, 64, 128, 256])), n_rows),
        }

    def _train(self, settings: dict[str, Any], parts: list[Any]) -> tuple[float, Any]:
        from sklearn.metrics import log_loss, mean_squared_error

        X_train, X_val, y_train, y_val = parts
        model = self.network(
            early_stopping=True, max_iter=200, random_state=self.request.seed, **settings
        ).fit(X_train, y_train)
        if self.regression:
            return mean_squared_error(y_val, model.predict(X_val)), model
        return log_loss(y_val, model.predict_proba(X_val), labels=model.classes_), model
