"""X, y and an estimator's arguments -> its fitted attributes: what both estimators share."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.validation import check_is_fitted

from automs._threads import effective_n_threads
from automs.affordable_rows import affordable_rows, keep_rows
from automs.arguments import (
    check_memory_limit,
    check_verbose,
    resolve_seed,
    resolve_time_limit,
    resolve_whole,
)
from automs.audience import resolve_callbacks
from automs.baselines import resolve_baselines
from automs.candidates import Candidate, allowed_losses, resolve_loss
from automs.clock import Clock
from automs.collector import paused_collector
from automs.draws import check_search_space
from automs.fit_settings import FitSettings
from automs.fitting import choose_model
from automs.interruption import Interruption
from automs.leaderboard import make_leaderboard
from automs.portfolio import first_candidates
from automs.prior import default_search_space
from automs.scoring import check_metric_target, resolve_metric
from automs.search_space import SearchSpace, with_defaults
from automs.searched import run_search
from automs.selectable import Selectable, resolve_limits
from automs.skewed_targets import log_losses, loss_to_draw, with_twins
from automs.splits import Split, make_splits
from automs.strategies import make_strategy
from automs.summary import summary_text
from automs.table import ColumnKind, Table, read_table
from automs.target import Target, TargetShapeWarning, read_target, read_weights
from automs.validation_rows import append_validation_rows, is_validation_pair

__all__ = ["AutoEstimator"]

_AUTO_ENSEMBLE_SIZE = 12
_PLAIN = (np.dtype(np.float64), np.dtype(np.float32))

Weights = npt.NDArray[np.float64]


class AutoEstimator(Selectable, BaseEstimator):  # type: ignore[misc]
    """What both estimators share: the path from arguments to the fitted search."""

    _classification: bool

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search on the rows of X.

        Parameters
        ----------
        X : array-like or table of shape (n_rows, n_columns)
            Numbers, booleans, strings, categories, dates, durations; any may be missing.
        y : array-like of shape (n_rows,), for numbers also (n_rows, n_targets)
            Numbers; or classes: strings, whole numbers or booleans.
        sample_weight : array-like of shape (n_rows,), optional
            Weights >= 0, in training and in scores.
        groups : array-like of shape (n_rows,), optional
            Rows of one group are never on both sides of a split; a splitter decides itself.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            When an argument breaks its rule or has the wrong type, or no candidate could be used.

        Warns
        -----
        BaselineWarning
            When a baseline has a better validation score, by more than the noise.
        """
        clock = Clock(resolve_time_limit(self.time_limit, self.max_trials))
        with Interruption(clock):
            return self._fit_by(clock, X, y, sample_weight, groups)

    def _fit_by(self, clock: Clock, X: Any, y: Any, sample_weight: Any, groups: Any) -> Self:
        check_memory_limit(self.memory_limit)
        resolve_limits(self.latency_limit, self.size_limit)
        check_verbose(self.verbose)
        table = read_table(X, memory_limit=self.memory_limit, in_place=True)
        n_given = table.values.shape[0]
        pair = is_validation_pair(self.validation)
        if pair:
            table, y, sample_weight = append_validation_rows(
                table, y, sample_weight, self.validation
            )
        n_rows = table.values.shape[0]
        target = self._read_target(y, n_rows)
        weights = read_weights(sample_weight, n_rows)
        seed = resolve_seed(self.random_state)
        if pair:
            if groups is not None:
                raise ValueError("groups must be None where validation is a pair (X_val, y_val)")
            rows = np.arange(n_rows, dtype=np.int32)
            splits = [Split(rows[:n_given], rows[n_given:])]
        else:
            codes = target.values[:, 0].astype(np.int64) if self._classification else None
            kept, own = None, None if groups is None else np.asarray(groups)
            is_ours = not hasattr(self.validation, "split") or isinstance(self.validation, str)
            # Splitters know rows by number; groups of another length are refused below.
            if is_ours and (own is None or own.shape == (n_rows,)):
                shape = table.values.shape
                kept = affordable_rows(shape, codes, weights, clock.limit, seed)
            if kept is not None:
                table, target, weights, groups, codes, y = keep_rows(
                    kept, clock.limit or 0.0, table, target, weights, own, codes, np.asarray(y)
                )
                n_given = n_rows = len(kept)
            splits = make_splits(self.validation, n_rows, codes, seed, groups, np.asarray(y))
        settings = replace(
            self._settings(target, splits[0].train_rows.size, seed),
            class_weight=self._class_weight(target, weights, n_given),
        )
        searched = run_search(table, target, splits, weights, settings, clock)
        with paused_collector():
            fitted = choose_model(searched, settings, clock)
            self._keep_input(table, target)
            self.leaderboard_ = make_leaderboard(fitted.rows)
            self._kept = fitted.kept
            self.select()
        self.trials_ = fitted.trials
        self.n_trials_ = fitted.n_candidates
        self.strategy_ = fitted.strategy
        return self

    def _read_target(self, y: Any, n_rows: int) -> Target:
        """Read y; a column vector gets the warning that scikit-learn's users know."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TargetShapeWarning)
            target = read_target(y, n_rows, classification=self._classification, loss=self._loss())
        if target.squeeze and np.asarray(y).ndim == 2:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected: y is taken as "
                "y.ravel(), of shape (n_rows,)",
                DataConversionWarning,
                stacklevel=4,
            )
        return target

    def _loss(self) -> str:
        if not isinstance(self.loss, str):
            task = "multiclass" if self._classification else "regression"
            raise TypeError(f"loss must be one of {allowed_losses(task)}, got {self.loss!r}")
        return str(self.loss)

    def _quantile(self) -> float:
        return 0.5

    def _class_weight(
        self, _target: Target, _weights: Weights | None, _n_rows: int
    ) -> Weights | None:
        return None

    def _settings(self, target: Target, n_train_rows: int, seed: int) -> FitSettings:
        loss = resolve_loss(self._loss(), target.task)
        space, first = self.search_space, list[Candidate]()
        fixed: dict[str, Any] = {"loss": loss, "quantile": self._quantile()}
        if space is None:
            space = default_search_space(target.task, n_train_rows)
            first = first_candidates(target.task, n_train_rows, **fixed)
            further = log_losses(target, loss)
            first = with_twins(first, further)
            fixed["loss"] = loss_to_draw(loss, further)
        elif not isinstance(space, SearchSpace):
            raise TypeError(f"search_space must be a SearchSpace or None, got {type(space)}")
        space = with_defaults(space, fixed)
        check_search_space(space)
        size, max_trials = self.ensemble_size, self.max_trials
        if size == 1:  # of the search's own candidates a single model has no members
            first = [candidate for candidate in first if candidate.n_members == 1]
        decode = None if target.classes is None else target.decode
        metric = resolve_metric(self.metric, target.task, loss, decode)
        check_metric_target(metric, target.values)
        return FitSettings(
            strategy=make_strategy(self.strategy),
            search_space=space,
            first_candidates=first,
            metric=metric,
            max_trials=None if max_trials is None else resolve_whole("max_trials", max_trials),
            ensemble_size=_AUTO_ENSEMBLE_SIZE
            if isinstance(size, str) and size == "auto"
            else resolve_whole("ensemble_size", size),
            baselines=resolve_baselines(self.baselines),
            n_threads=effective_n_threads(self.n_jobs),
            seed=seed,
            memory_limit=self.memory_limit,
            limits=resolve_limits(self.latency_limit, self.size_limit),
            refit=not is_validation_pair(self.validation),
            verbose=self.verbose,
            callbacks=resolve_callbacks(self.callbacks),
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        return tags

    def _keep_input(self, table: Table, target: Target) -> None:
        self._columns = table.columns
        self._numeric = all(column.kind is ColumnKind.NUMERIC for column in table.columns)
        self.n_features_in_ = table.values.shape[1]
        if table.names is not None:
            self.feature_names_in_ = np.array(table.names, dtype=object)
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        if target.classes is not None:
            self.classes_ = target.classes

    def _rows(self, X: Any) -> npt.NDArray[np.float64]:
        check_is_fitted(self, "predictor_")
        names = getattr(self, "feature_names_in_", None)
        values = read_table(X, columns=self._columns, expected_names=names).values[:]
        if values.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {values.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return values

    def summary(self) -> str:
        """Compare the best candidates, the ensemble and the baselines, and say what is used.

        Returns
        -------
        str
            A table in text, to print: score, noise over folds, training time, latency and size.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        """
        check_is_fitted(self, "predictor_")
        board = self.leaderboard_
        records = board if isinstance(board, list) else board.to_dict("records")
        notes = self.predictor_.metadata
        labels = getattr(self, "classes_", np.empty(0)).tolist()
        return summary_text(records, self.ensemble_weights_, notes["metric"], notes, labels)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Predict the target of each row.

        Parameters
        ----------
        X : array-like or table of shape (n_rows, n_columns)
            Columns of a table are taken by name; NaN is a missing value.

        Returns
        -------
        ndarray of shape (n_rows,) or (n_rows, n_targets)
            Values, or labels in the type of y.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            When X has other columns than in `fit`, or infinite values.
        TypeError
            When a column cannot be read as what it was in `fit`.
        """
        return self._predict_by("predict", X)

    def _predict_by(self, method: str, X: Any) -> npt.NDArray[Any]:
        """Call the predictor's method; a plain array of floats goes to it as it is."""
        numeric = self.__dict__.get("_numeric", False)
        if numeric and type(X) is np.ndarray and X.dtype in _PLAIN and X.ndim == 2 and len(X):
            try:
                return self._call(method, X)
            except ValueError:  # what is wrong with X is said below, in an estimator's words
                pass
        return self._call(method, self._rows(X))

    def _call(self, method: str, X: Any) -> npt.NDArray[Any]:
        call = getattr(self.predictor_, method)
        predicted: npt.NDArray[Any] = (
            call(X) if self.n_jobs is None else call(X, n_jobs=self.n_jobs)
        )
        return predicted
