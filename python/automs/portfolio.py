"""Task and number of training rows -> the candidates that a search by default tries first."""

from __future__ import annotations

from typing import Any

from automs.candidates import Candidate
from automs.prior import FINE_ROWS, automatic_batch_size, longest_epochs
from automs.recipes import realmlp_td, realmlp_td_s

__all__ = ["first_candidates", "hand_chosen", "suits_rows"]

#: Below so many training rows, networks of more hidden units than these are left to the draws.
_FEW_ROWS = 1_000
_FEW_UNITS = 256
#: Networks of narrower layers than these gain by finer bins, where there are rows enough.
_WIDE = 256

#: Each differs from its neighbours in more than one respect. On tables of some thousand rows the
#: strongly regularised ones are mostly the best.
_PORTFOLIO: tuple[dict[str, Any], ...] = (
    {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "learning_rate": 3e-3},
    {
        "hidden_layer_sizes": (64, 64),
        "encoding": "piecewise",
        "learning_rate": 3e-3,
        "dropout": 0.5,
        "weight_decay": 0.1,
    },
    {"hidden_layer_sizes": (128, 128), "encoding": "robust", "learning_rate": 5e-3},
    {
        "hidden_layer_sizes": (64, 64),
        "encoding": "robust",
        "learning_rate": 5e-3,
        "dropout": 0.5,
        "weight_decay": 0.1,
    },
    {
        "hidden_layer_sizes": (256, 256, 256),
        "encoding": "piecewise",
        "learning_rate": 5e-3,
        "residual": True,
    },
    {
        "hidden_layer_sizes": (256, 256, 256),
        "encoding": "quantile",
        "learning_rate": 3e-3,
        "dropout": 0.15,
    },
    {
        "hidden_layer_sizes": (256, 256),
        "encoding": "piecewise",
        "learning_rate": 3e-3,
        "dropout": 0.3,
        "residual": True,
    },
    {"hidden_layer_sizes": (64, 64), "encoding": "quantile", "learning_rate": 1e-2, "dropout": 0.0},
    {"hidden_layer_sizes": (256,), "encoding": "robust", "learning_rate": 5e-3, "dropout": 0.3},
    {"hidden_layer_sizes": (64, 64, 64), "encoding": "standard", "learning_rate": 1e-2},
    {
        "hidden_layer_sizes": (32,),
        "encoding": "piecewise",
        "learning_rate": 3e-3,
        "dropout": 0.2,
        "weight_decay": 1.0,
    },
    {
        "hidden_layer_sizes": (64,),
        "encoding": "piecewise",
        "learning_rate": 5e-3,
        "dropout": 0.2,
        "weight_decay": 0.0,
        "l2_penalty": 0.01,
    },
)


#: Variants of RealMLP with two layers, which nearly every list takes that bench/build_portfolio.py
#: chooses without one table: bench/results/portfolio.md.
_REALMLP_TD: tuple[dict[str, Any], ...] = (
    {"hidden_layer_sizes": (128, 128)},
    {"hidden_layer_sizes": (128, 128), "dropout": 0.3, "weight_decay": 0.1},
)
_REALMLP_TD_S = {"hidden_layer_sizes": (128, 128), "encoding": "piecewise", "dropout": 0.15}

_SMALL, _LARGE = (64, 64), (128, 128)
_REGULARISED = {"dropout": 0.3, "weight_decay": 0.1}
_TD_4 = ("td", {"hidden_layer_sizes": _LARGE, "n_members": 4})
_TD_8 = ("td", {"hidden_layer_sizes": _LARGE, "n_members": 8})
_TD_S_8 = ("td_s", {"hidden_layer_sizes": _LARGE, "encoding": "piecewise", "n_members": 8})
_OWN_8 = ("own", {"hidden_layer_sizes": _LARGE, "encoding": "piecewise", "n_members": 8})
#: From so many training rows on a network has little to gain by sharing its trunk, and single ones
#: are worth the time more.
_MEMBERS_BELOW = 8_000
#: Networks that share a trunk, by recipe and settings, for each kind of task. Their order is that
#: of the lists which bench/build_portfolio.py makes of such networks alone; whichever table is left
#: out, these hardly differ.
_MEMBERS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "regression": (
        ("own", {"hidden_layer_sizes": _LARGE, "encoding": "piecewise", "n_members": 4}),
        _TD_4,
        (
            "own",
            {
                "hidden_layer_sizes": _SMALL,
                "encoding": "robust",
                "learning_rate": 5e-3,
                "n_members": 8,
                **_REGULARISED,
            },
        ),
        _TD_S_8,
        _TD_8,
        _OWN_8,
        ("own", {"hidden_layer_sizes": (128, 128, 128), "encoding": "quantile", "n_members": 8}),
    ),
    "classification": (
        ("own", {"hidden_layer_sizes": (64,), "encoding": "piecewise", "n_members": 8}),
        _TD_4,
        (
            "own",
            {
                "hidden_layer_sizes": _SMALL,
                "encoding": "piecewise",
                "n_members": 8,
                **_REGULARISED,
            },
        ),
        ("td", {"hidden_layer_sizes": _SMALL, "dropout": 0.3, "n_members": 8}),
        _OWN_8,
        _TD_S_8,
        _TD_8,
    ),
}


def first_candidates(task: str, n_train_rows: int, **settings: Any) -> list[Candidate]:
    """Give the candidates that a search in the default space tries before it draws any.

    Parameters
    ----------
    task : {"regression", "binary", "multiclass"}
    n_train_rows : int
        Rows of one training part, >= 1; decides epochs and batch sizes.
    **settings
        Settings that all of them have, such as the loss.

    Returns
    -------
    list of Candidate
        Without seeds; those too large for the time left have fewer epochs, on many rows, or are
        passed over by the strategy.

    Examples
    --------
    >>> first_candidates("regression", 1_000)[0].encoding
    'piecewise'
    """
    candidates = hand_chosen(task, n_train_rows, **settings)
    candidates += _by_recipe(task, n_train_rows, settings)
    if n_train_rows < _MEMBERS_BELOW:
        candidates += _with_members(task, n_train_rows, settings)
    return [candidate for candidate in candidates if suits_rows(candidate, n_train_rows)]


def hand_chosen(task: str, n_train_rows: int, **settings: Any) -> list[Candidate]:
    """Give those of them that no recipe of a paper is behind, for any number of rows."""
    return [Candidate(**{**_own(task, n_train_rows, own), **settings}) for own in _PORTFOLIO]


def _own(task: str, n_train_rows: int, own: dict[str, Any]) -> dict[str, Any]:
    """Give all settings of a candidate that has these ones of its own."""
    is_finer = n_train_rows >= FINE_ROWS and max(own["hidden_layer_sizes"]) < _WIDE
    if is_finer and own["encoding"] == "piecewise":
        own = {**own, "encoding": "piecewise-fine"}
    return {
        "activation": "mish" if task == "regression" else "silu",
        "optimizer": "adamw",
        "weight_decay": 0.02,
        "beta2": 0.95,
        "dropout": 0.1,
        "learning_rate_schedule": "coslog4",
        **_by_rows(n_train_rows),
        **own,
    }


def _with_members(task: str, n_train_rows: int, settings: dict[str, Any]) -> list[Candidate]:
    recipes = {"td": realmlp_td, "td_s": realmlp_td_s}
    smooth = {**_by_rows(n_train_rows), "label_smoothing": 0.0}
    shared = {"learning_rate": 3e-3, "scaling_lr_factor": 1.0}
    kind = "regression" if task == "regression" else "classification"
    return [
        recipes[recipe](task, n_train_rows, **{**smooth, **changed, **settings})
        if recipe in recipes
        else Candidate(**{**_own(task, n_train_rows, {**shared, **changed}), **settings})
        for recipe, changed in _MEMBERS[kind]
    ]


def _by_recipe(task: str, n_train_rows: int, settings: dict[str, Any]) -> list[Candidate]:
    """Give variants of RealMLP; labels are not smoothed, as probabilities are mostly scored."""
    common = {**_by_rows(n_train_rows), "label_smoothing": 0.0}
    variants = [
        realmlp_td(task, n_train_rows, **{**common, **own, **settings}) for own in _REALMLP_TD
    ]
    if task == "regression":
        own = {**common, **_REALMLP_TD_S, **settings}
        variants.append(realmlp_td_s(task, n_train_rows, **own))
    return variants


def _by_rows(n_train_rows: int) -> dict[str, Any]:
    return {
        "batch_size": automatic_batch_size(n_train_rows),
        "epochs": max(longest_epochs(n_train_rows) // 2, 15),
    }


def suits_rows(candidate: Candidate, n_train_rows: int) -> bool:
    """Whether a first candidate is tried on so few training rows, or left to the draws."""
    return n_train_rows >= _FEW_ROWS or sum(candidate.hidden_layer_sizes) <= _FEW_UNITS
