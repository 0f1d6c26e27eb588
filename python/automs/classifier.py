"""X and y -> `AutoClassifier`: a searched, compared and chosen model that predicts classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin

from automs._auto_estimator import AutoEstimator
from automs.class_weights import resolve_class_weight
from automs.search_space import SearchSpace
from automs.target import Target

__all__ = ["AutoClassifier"]

Weights = npt.NDArray[np.float64]


class AutoClassifier(ClassifierMixin, AutoEstimator):  # type: ignore[misc]
    """Search for the best small networks that predict classes from a table.

    Parameters
    ----------
    time_limit : float > 0, "auto" or None, default="auto", seconds
        Wall clock for the whole of `fit`. "auto" is 60, and None where `max_trials` is given. Where
        it is short for a large table, and `validation` names no rows, some rows are used, as a
        SearchWarning says.
    max_trials : int >= 1, optional
        Candidates to try. Without a time limit no decision reads a clock then, and the result is
        the same to the bit for any `n_jobs`.
    metric : str or callable, default="auto"
        What chooses; higher is better: "log_loss" ("auto"; negated), "roc_auc", "accuracy",
        "balanced_accuracy", "f1" (of the second class; of several the mean), any scorer's name of
        scikit-learn that fits, or a function ``metric(y_true, y_pred) -> float``. Metrics of
        labels set a threshold for `predict`, log loss and Brier score a temperature, where these
        help on validation rows that did not choose them.
    loss : {"auto", "cross_entropy"}, default="auto"
        What training minimises.
    class_weight : None, "balanced" or dict, default=None
        What the weights of a class's rows are multiplied by in training, as in scikit-learn: by
        label (1 where it is missing), or so that all classes weigh the same. Scores do not know it.
    strategy, search_space, validation, ensemble_size, baselines : optional
        As for `AutoRegressor`; folds and the hold-out are stratified.
    memory_limit, latency_limit, size_limit, n_jobs, random_state, verbose, callbacks : optional
        As for `AutoRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    predictor_, leaderboard_, ensemble_weights_, selected_, trials_, n_trials_
        As for `AutoRegressor`, and so are `n_features_in_` and `feature_names_in_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from automs import AutoClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = AutoClassifier(max_trials=4, baselines=None, random_state=0).fit(X, y)
    >>> model.predict_proba(X[:2]).shape
    (2, 3)
    """

    _classification = True

    def __init__(  # noqa: PLR0913  # the public settings, as scikit-learn wants them
        self,
        *,
        time_limit: Any = "auto",
        max_trials: int | None = None,
        metric: Any = "auto",
        loss: str = "auto",
        class_weight: Any = None,
        strategy: Any = "halving",
        search_space: SearchSpace | None = None,
        validation: Any = "auto",
        ensemble_size: Any = "auto",
        baselines: Any = "auto",
        memory_limit: int | None = None,
        latency_limit: float | None = None,
        size_limit: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        callbacks: Any = None,
    ) -> None:
        self.time_limit = time_limit
        self.max_trials = max_trials
        self.metric = metric
        self.loss = loss
        self.class_weight = class_weight
        self.strategy = strategy
        self.search_space = search_space
        self.validation = validation
        self.ensemble_size = ensemble_size
        self.baselines = baselines
        self.memory_limit = memory_limit
        self.latency_limit = latency_limit
        self.size_limit = size_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like or table of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels in the type of y: of the greatest probability times ``predictor_``'s
            `label_factors`, where the metric called for such. Errors as of `predict_proba`.
        """
        probabilities = self.predict_proba(X)
        labels: npt.NDArray[Any] = self.classes_[self.predictor_.label_indices(probabilities)]
        return labels

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array-like or table of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            In the order of `classes_`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            When X has other columns than in `fit`, or infinite values.
        """
        return self._predict_by("predict_proba", X)

    def _class_weight(self, target: Target, weights: Weights | None, n_rows: int) -> Weights | None:
        return resolve_class_weight(self.class_weight, target, weights, n_rows)
