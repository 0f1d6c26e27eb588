"""Task and number of training rows -> the networks whose settings papers recommend, as candidates.

RealMLP and RealMLP-TD-S: Holzmüller, Grinsztajn, Steinwart, "Better by default: strong pre-tuned
MLPs and boosted trees on tabular data", NeurIPS 2024, arXiv 2407.04491, section 3.
"""

from __future__ import annotations

from typing import Any

from automs.candidates import Candidate

__all__ = ["realmlp_td", "realmlp_td_s"]

_BATCH_SIZE = 256


def realmlp_td(task: str, n_rows: int, **settings: Any) -> Candidate:
    """Give RealMLP with its tuned defaults (TD), strong without any search.

    Parameters
    ----------
    task : {"regression", "binary", "multiclass"}
    n_rows : int
        Training rows, >= 1: no mini-batch is larger.
    **settings
        Settings of `Candidate` that differ from the recipe. A classifier that is scored by log
        loss or ROC AUC is better off with ``label_smoothing=0.0``.

    Returns
    -------
    Candidate
        Without a seed.

    Raises
    ------
    ValueError, TypeError
        When the task is another word, or an argument breaks its rule.

    Notes
    -----
    Weight decay leaves the scaling layer and the parametric activations alone, and predictions
    are not bounded by the training targets.

    Examples
    --------
    >>> realmlp_td("binary", 5_000).learning_rate
    0.04
    """
    recipe = _shared(task, n_rows) | {
        "numeric_embedding": "pbld",
        "parametric_activation": True,
        "weight_init": "std",
        "bias_init": "he+5",
        "learning_rate": 0.2 if task == "regression" else 0.04,
        "optimizer": "adamw",
        "weight_decay": 0.02,
        "weight_decay_schedule": "flat_cos",
        "dropout": 0.15,
        "dropout_schedule": "flat_cos",
    }
    return Candidate(**(recipe | settings))


def realmlp_td_s(task: str, n_rows: int, **settings: Any) -> Candidate:
    """Give RealMLP's simple form (TD-S), which trains faster than `realmlp_td`.

    Parameters
    ----------
    task : {"regression", "binary", "multiclass"}
    n_rows : int
        Training rows, >= 1: no mini-batch is larger.
    **settings
        Settings of `Candidate` that differ from the recipe.

    Returns
    -------
    Candidate
        Without a seed.

    Raises
    ------
    ValueError, TypeError
        When the task is another word, or an argument breaks its rule.

    Examples
    --------
    >>> realmlp_td_s("regression", 100, epochs=32).batch_size
    100
    """
    recipe = _shared(task, n_rows) | {
        "bias_init": "normal",
        "zero_output_layer": True,
        "embedding_size": 0,
        "learning_rate": 0.07 if task == "regression" else 0.04,
    }
    return Candidate(**(recipe | settings))


def _shared(task: str, n_rows: int) -> dict[str, Any]:
    """Give what both forms have in common."""
    tasks = ("regression", "binary", "multiclass")
    if task not in tasks:
        raise ValueError(f"task must be one of {', '.join(tasks)}, got {task!r}")
    is_regression = task == "regression"
    return {
        "hidden_layer_sizes": (256, 256, 256),
        "activation": "mish" if is_regression else "selu",
        "encoding": "robust",
        "scaling_layer": True,
        "scaling_lr_factor": 6.0,
        "activation_lr_factor": 0.1,
        "parametrization": "ntp",
        "bias_lr_factor": 0.1,
        "beta2": 0.95,
        "learning_rate_schedule": "coslog4",
        "label_smoothing": 0.0 if is_regression else 0.1,
        "batch_size": min(_BATCH_SIZE, n_rows),
        "epochs": 256,
    }
