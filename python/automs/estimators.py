"""X and y -> `AutoRegressor` and `AutoClassifier`: searched, compared and chosen models."""

from __future__ import annotations

from typing import Any

from sklearn.base import RegressorMixin

from automs._auto_estimator import AutoEstimator
from automs.classifier import AutoClassifier
from automs.search_space import SearchSpace

__all__ = ["AutoClassifier", "AutoRegressor"]


class AutoRegressor(RegressorMixin, AutoEstimator):  # type: ignore[misc]
    """Search for the best small networks that predict numbers from a table.

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
        What chooses; higher is better: "rmse", "mse", "mae", "r2", "pinball", "poisson_deviance"
        (errors are negated), any scorer's name of scikit-learn that fits, or a function
        ``metric(y_true, y_pred) -> float``. "auto" goes with the loss.
    loss : {"auto", "squared", "absolute", "huber", "quantile", "poisson", "squared_log"}, \
default="auto"
        What training minimises; "auto" is squared. One that the search space names goes first.
        "squared_log" is the squared error of logarithms, for `Candidate` says which. Where y is
        skewed to the right, a search in the default space tries, beside "auto", "squared",
        "absolute" or "huber", candidates with "poisson" (y >= 0) and "squared_log".
    strategy : {"halving", "random", "gibbs"} or Strategy, default="halving"
        Which candidates are tried, and which of them go on.
    search_space : SearchSpace, optional
        What may vary; None for a default that depends on the number of rows.
    validation : "auto", "time", float, int, splitter or (X_val, y_val), default="auto"
        "auto": 5 folds below 10,000 rows, drawn three times over below 300, else 20 % of the rows
        held out, at most 20,000. "time": the last 20 % held out, at most 20,000, for tables in
        order of time. Or a share, a number of folds, a splitter of scikit-learn, or rows of their
        own, which nothing is trained on.
    ensemble_size : "auto" or int >= 1, default="auto"
        Steps of the greedy ensemble selection, 12 for "auto"; 1 chooses a single candidate.
    baselines : "auto", None or sequence of str, default="auto"
        scikit-learn's models on the same rows, "auto" for all: "constant", "linear",
        "hist_gradient_boosting", "random_forest", "mlp"; in a fifth of the time limit, on fewer
        rows or with fewer trees where that is too short, as the leaderboard says.
    memory_limit : int, optional, bytes
        For the table, as it is read, and what is made of it: encoded views (for each fold,
        encoding and row 4 bytes a feature; all bins of a piecewise column, or slots of a one-hot
        one from 5 on, take 6), kept networks, predictions. Where they would take more, fewer
        encodings, folds and networks are used; where not even one view fits, it is an error. None
        keeps views, networks and states to resume from within 300 MB and twice the first view:
        views beyond that are made again when needed, candidates start again when promoted.
    latency_limit : float, optional, microseconds
        What predicting one row may take, from Python on one thread, by the model that is chosen:
        see Notes. Measured on this machine; without a time limit nominal.
    size_limit : int, optional, bytes
        What the file of the model that is chosen may take.
    n_jobs : int or None, default=None
        Threads. None: every core that this process may use (affinity mask, container quota,
        ``OMP_NUM_THREADS``).
    random_state : int, RandomState or None, default=None
        Fixes every draw.
    verbose : int, default=0
        0 shows nothing; 1 a live line, in a terminal or notebook; 2 logs each step of the search
        too.
    callbacks : callable or list of callable, optional
        Each is called in the thread that fits with a `TrialReport` for every candidate that has
        ended, and with a `SearchReport` about ten times a second. One that returns True ends the
        search: what follows it is done as usual. What one raises ends `fit` and passes through.
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
    selected_ : str
        The model's own name there; `select` changes it.
    trials_ : list of Trial
        The constant and the linear models, then the `n_trials_` candidates.
    strategy_ : Strategy
        As it was at the end of the search: a copy of the one given.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Only where X has column names.

    Notes
    -----
    With folds, the model averages the networks of all folds of its members. After a hold-out its
    members are trained again on all rows where the time allows, and what is left of it goes to
    further seeds of them, unless a limit on latency or size is set. Each network's predictions keep
    within the range of the target in its training rows, unless that costs more than 0.5 % of the
    validation score, as it does where the target goes on beyond it.

    Candidates whose network alone would break `latency_limit` or `size_limit` are trained with
    narrower layers. Where the best ensemble breaks one, two models are compared by their validation
    score: an ensemble chosen greedily within the limits, of one network for each member, and a
    network distilled from the best ensemble; the better one is used, and `select` gives the other.
    An error says so where not even a linear model is within them. The nominal latency, of 50
    operations and 160 bytes of weights in a nanosecond, is that of `automs.budgets`; in `fit`
    without a time limit it stands on the leaderboard too where a limit is set.

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
        latency_limit: float | None = None,
        size_limit: int | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        callbacks: Any = None,
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
        self.latency_limit = latency_limit
        self.size_limit = size_limit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose
        self.callbacks = callbacks
        self.quantile = quantile

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _quantile(self) -> float:
        return self.quantile
