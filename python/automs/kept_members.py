"""A candidate's members and folds -> the networks of it that a model has."""

from __future__ import annotations

from automs.outcomes import FoldNetwork
from automs.training import Training

__all__ = ["kept_members", "model_networks"]

#: Of each fold, at least. Five folds of two networks are about as good as five of all eight: on
#: four tables the error was 0.7 % higher, with one of each fold 1.8 %.
_LEAST_OF_FOLD = 2


def kept_members(n_members: int, n_folds: int) -> list[tuple[int, int]]:
    """Give folds and members whose networks a model of all folds averages.

    There are about as many as members, but at least two of each fold where there are two; folds
    take turns.

    Examples
    --------
    >>> kept_members(n_members=4, n_folds=3)
    [(0, 0), (0, 1), (1, 2), (1, 3), (2, 0), (2, 1)]
    >>> kept_members(n_members=1, n_folds=3)
    [(0, 0), (1, 0), (2, 0)]
    """
    n_of_fold = min(max(-(-n_members // n_folds), _LEAST_OF_FOLD), n_members)
    places = range(n_folds * n_of_fold)
    return [(place // n_of_fold, place % n_members) for place in places]


def model_networks(training: Training, candidate: int) -> list[FoldNetwork]:
    """Give the networks of a trained candidate that a model has."""
    pairs = kept_members(training.candidates[candidate].n_members, training.n_folds)
    return [training.network(candidate, fold, member) for fold, member in pairs]
