"""X and y -> `AutoRegressor` and `AutoClassifier`: searched, compared and chosen models."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin

from automs._auto_estimator import AutoEstimator
from automs.arguments import resolve_class_weight
from automs.search_space import SearchSpace
from automs.target import Target

__all__ = ["AutoClassifier", "AutoRegressor"]

Weights = npt.NDArray[np.float64]


class AutoRegressor(RegressorMixin, AutoEstimator):  # type: ignore[misc]
    """Search for the best small networks that predict numbers from a table.

    Parameters
    ----------
    time_limit : float > 0, "auto" or None, default="auto", seconds
        Wall clock for the whole of `fit`. "auto" is 60, and None where `max_trials` is given.
    max_trials : int >= 1, optional
        Candidates to try. Without a time limit no decision reads a clock then, and the result is
        the same to the bit for any `n_jobs`.
    metric : str or callable, default="auto"
        What chooses; higher is better: "rmse", "mse", "mae", "r2", "pinball", "poisson_deviance"
        (errors are negated), a scikit-learn scorer's name, or a function
        ``metric(y_true, y_pred) -> float``. "auto" goes with the loss.
    loss : {"auto", "squared", "absolute", "huber", "quantile", "poisson"}, default="auto"
        What training minimises; "auto" is squared. One that the search space names goes first.
    strategy : {"halving", "random", "gibbs"} or Strategy, default="halving"
        Which candidates are tried, and which of them go on.
    search_space : SearchSpace, optional
        What may vary; None for a default that depends on the number of rows.
    validation : "auto", "time", float, int, splitter or (X_val, y_val), default="auto"
        "auto": 5 folds below 10,000 rows, else 20 % of the rows held out, at most 20,000. "time":
        the last 20 % held out, at most 20,000, for tables in order of time. Or a share, a number
        of folds, a splitter of scikit-learn, or rows of their own, which nothing is trained on.
    ensemble_size : "auto" or int >= 1, default="auto"
        Steps of the greedy ensemble selection, 12 for "auto"; 1 chooses a single candidate.
    baselines : "auto", None or sequence of str, default="auto"
        scikit-learn's models on the same rows, "auto" for all: "constant", "linear",
        "hist_gradient_boosting", "random_forest", "mlp"; in a fifth of the time limit, on fewer
        rows or with fewer trees where that is too short, as the leaderboard says.
    memory_limit : int, optional, bytes
        For the table as float64 and what is made of it: encoded views (4 bytes for each row,
        feature, fold and encoding), kept networks, predictions. Where they would take more, fewer
        encodings, folds and networks are used; where not even one view fits, it is an error.
    n_jobs : int or None, default=None
        Threads. None: every core that this process may use (affinity mask, container quota,
        ``OMP_NUM_THREADS``).
    random_state : int, RandomState or None, default=None
        Fixes every draw.
    verbose : int, default=0
        1 shows a live line in a terminal.
    quantile : float in (0, 1), default=0.5
        For loss "quantile" and metric "pinball".

    Attributes
    ----------
    predictor_ : Predictor
        The model; ``predictor_.save(path)`` writes it.
    leaderboard_ : pandas.DataFrame, or list of dict without pandas
        All candidates, the ensemble and the baselines, best first.
    ensemble_weights_ : dict of str to float
        The candidates in the model, by their names on the leaderboard.
    trials_ : list of Trial
        The constant and the linear model, then the `n_trials_` candidates.
    strategy_ : Strategy
        As it was at the end of the search: a copy of the one given.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where X has column names.

    Notes
    -----
    With folds, the model averages the networks of all folds of its members. After a hold-out its
    members are trained again on all rows where the time allows.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from automs import AutoRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AutoRegressor(max_trials=4, baselines=None, random_state=0).fit(X[:300], y[:300])
    >>> model.predict(X[300:]).shape
    (142,)
    """

    _classification = False

    def __init__(  # noqa: PLR0913  # the public settings, as scikit-learn wants them
        self,
        *,
        time_limit: Any = "auto",
        max_trials: int | None = None,
        metric: Any = "auto",
        loss: str = "auto",
        strategy: Any = "halving",
        search_space: SearchSpace | None = None,
        validation: Any = "auto",
        ensemble_size: Any = "auto",
        baselines: Any = "auto",
        memory_limit: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        quantile: float = 0.5,
    ) -> None:
        self.time_limit = time_limit
        self.max_trials = max_trials
        self.metric = metric
        self.loss = loss
        self.strategy = strategy
        self.search_space = search_space
        self.validation = validation
        self.ensemble_size = ensemble_size
        self.baselines = baselines
        self.memory_limit = memory_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.quantile = quantile

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _quantile(self) -> float:
        return self.quantile


class AutoClassifier(ClassifierMixin, AutoEstimator):  # type: ignore[misc]
    """Search for the best small networks that predict classes from a table.

    Parameters
    ----------
    time_limit : float > 0, "auto" or None, default="auto", seconds
        Wall clock for the whole of `fit`. "auto" is 60, and None where `max_trials` is given.
    max_trials : int >= 1, optional
        Candidates to try. Without a time limit no decision reads a clock then, and the result is
        the same to the bit for any `n_jobs`.
    metric : str or callable, default="auto"
        What chooses; higher is better: "log_loss" ("auto"; negated), "roc_auc", "accuracy",
        "balanced_accuracy", "f1", a scikit-learn scorer's name, or a function
        ``metric(y_true, y_pred) -> float``.
    loss : {"auto", "cross_entropy"}, default="auto"
        What training minimises.
    class_weight : None, "balanced" or dict, default=None
        Weights of the classes, multiplied by `sample_weight`, in training and in scores.
    strategy, search_space, validation, ensemble_size, baselines : optional
        As for `AutoRegressor`; folds and the hold-out are stratified.
    memory_limit, n_jobs, random_state, verbose : optional
        As for `AutoRegressor`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    predictor_, leaderboard_, ensemble_weights_, trials_, n_trials_
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
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the class of each row.

        Parameters
        ----------
        X : array-like or table of shape (n_rows, n_columns)

        Returns
        -------
        ndarray of shape (n_rows,)
            Labels in the type of y; errors as of `predict_proba`.
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        labels: npt.NDArray[Any] = self.classes_[best]
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
        values = self._rows(X)
        proba: Weights = self.predictor_.predict_proba(values, n_jobs=self.n_jobs)
        return proba

    def _row_weights(self, sample_weight: Weights | None, target: Target) -> Weights | None:
        return resolve_class_weight(self.class_weight, target, sample_weight)
