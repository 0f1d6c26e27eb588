"""A fitted estimator's kept models -> the one that predicts, chosen without training again."""

from __future__ import annotations

from typing import Any, Self

from automs.arguments import resolve_limit
from automs.budgets import Limits
from automs.kept_models import KeptModels
from automs.leaderboard import mark_used
from automs.predictor import Predictor

__all__ = ["Selectable", "resolve_limits"]


def resolve_limits(latency_limit: Any, size_limit: Any) -> Limits:
    """Give the limits that two arguments set; TypeError or ValueError for what sets none.

    Examples
    --------
    >>> resolve_limits(None, 1000)
    Limits(latency_us=inf, n_bytes=1000.0)
    """
    return Limits(
        resolve_limit("latency_limit", latency_limit, "microseconds"),
        resolve_limit("size_limit", size_limit, "bytes"),
    )


class Selectable:
    """What lets an estimator use another model of the same fit."""

    predictor_: Predictor
    leaderboard_: Any
    ensemble_weights_: dict[str, float]
    selected_: str
    _kept: KeptModels

    def select(
        self,
        name: str | None = None,
        *,
        latency_limit: float | None = None,
        size_limit: int | None = None,
    ) -> Self:
        """Use another model of this fit, without training again.

        Parameters
        ----------
        name : str, optional
            A name on the leaderboard: "ensemble", "distilled", "net-0007", ... Kept are what `fit`
            chose, the best ensemble, what was made to be within limits, the members, and up to 8
            candidates that no other beats in score, latency and size at once; all in all at most
            4 times the bytes of the model that `fit` chose, or 1 MiB, beside it.
        latency_limit : float, optional, microseconds
            By the leaderboard's `latency_us`.
        size_limit : int, optional, bytes

        Returns
        -------
        self
            With the named model, where that is within the limits; without a name, the one with the
            best score within them; without either, the one that `fit` chose.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError, TypeError
            When no kept model has the name or is within the limits, or a limit is none.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from automs import AutoRegressor
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = AutoRegressor(max_trials=2, baselines=None, random_state=0).fit(X, y)
        >>> model.select("linear").selected_, model.select().selected_ == "linear"
        ('linear', False)
        """
        from sklearn.utils.validation import check_is_fitted  # noqa: PLC0415

        check_is_fitted(self, "leaderboard_")
        limits = resolve_limits(latency_limit, size_limit)
        if name is not None:
            model = self._kept.named(name)
            if not limits.hold(model.cost):
                raise ValueError(f"{name} is not within the limits: {limits.said(model.cost)}")
        elif limits.are_set:
            model = self._kept.best_within(limits)
        else:
            model = self._kept.named(self._kept.chosen)
        self.predictor_ = model.predictor
        self.ensemble_weights_ = dict(model.weights)
        self.selected_ = model.name
        self.leaderboard_ = mark_used(self.leaderboard_, model.name)
        return self
