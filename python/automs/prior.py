"""Task and number of training rows -> the default search space."""

from __future__ import annotations

from typing import Any

from automs.search_space import Choice, Float, Int, Layers, SearchSpace

__all__ = ["FINE_ROWS", "automatic_batch_size", "default_search_space", "longest_epochs"]

TASKS = ("regression", "binary", "multiclass")

#: From so many training rows on, finer bins are tried. With fewer they fit noise: with 64 bins
#: instead of 16, errors of four networks were 1 to 13 % larger on four tables of 2,500 to 5,500
#: rows, and 1.6 % smaller in the mean, up to 7 %, on eleven of 9,000 rows and more.
FINE_ROWS = 8_000

#: Largest number of training rows -> batch size there; beyond the last: 512.
_BATCH_SIZES = ((1_024, 64), (8_192, 128), (30_000, 256))

#: Largest number of training rows -> epochs of the longest runs; beyond the last: 15. Multiples
#: of 15, so that the ends of coslog4's cycles (1/15, 3/15, 7/15) are ends of epochs.
_EPOCHS = ((2_000, 240), (10_000, 120), (50_000, 60), (1_000_000, 30))


def _first_covering(table: tuple[tuple[int, int], ...], n_rows: int, beyond: int) -> int:
    return next((value for limit, value in table if n_rows <= limit), beyond)


def automatic_batch_size(n_train_rows: int) -> int:
    """Give the mini-batch size for a table of this many training rows, 64 to 512."""
    return _first_covering(_BATCH_SIZES, n_train_rows, 512)


def longest_epochs(n_train_rows: int) -> int:
    """Give the epochs of the longest runs on a table of this many training rows, 15 to 240."""
    return _first_covering(_EPOCHS, n_train_rows, 15)


def default_search_space(task: str, n_train_rows: int) -> SearchSpace:
    """Give the search space that is used when none is given.

    Parameters
    ----------
    task : {"regression", "binary", "multiclass"}
        What is predicted; decides which activations are drawn most.
    n_train_rows : int
        Rows of one training part, >= 1; decides epochs and batch sizes.

    Returns
    -------
    SearchSpace
        A quarter networks after RealMLP-TD. Of the others a quarter lean networks (1 to 3 layers
        of 16 to 128 units), a quarter networks after RealMLP-TD-S (2 or 3 layers of 64, 128 or 256
        units), and half networks on piecewise linear features, fine ones for half of these from
        8,000 rows on. All under AdamW.

    Raises
    ------
    ValueError
        When `task` is unknown or `n_train_rows` < 1.

    Notes
    -----
    Half of the tasks in published tunings want no weight decay, and 40 % no dropout: both zeros
    have a weight of their own. With piecewise linear features the published optimum is a layer
    shallower. Learning rates of all but the last part are lower than RealMLP's, whose
    parametrisation divides by the square root of a layer's inputs. That part's ranges are those
    that its authors tune it over by now ("tabarena" in pytabkit 1.7), with narrower layers,
    frequencies up to 10 instead of 50 and weight decay up to 0.1 instead of 0.05. Labels are not
    smoothed: probabilities are scored.

    References
    ----------
    D. Holzmüller, L. Grinsztajn, I. Steinwart, "Better by default: strong pre-tuned MLPs and
    boosted trees on tabular data", NeurIPS 2024. Y. Gorishniy, I. Rubachev, A. Babenko, "On
    embeddings for numerical features in tabular deep learning", NeurIPS 2022.

    Examples
    --------
    >>> [weight for weight, _ in default_search_space("regression", 1_000).parts]
    [0.1875, 0.1875, 0.375, 0.25]
    """
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    if n_train_rows < 1:
        raise ValueError(f"n_train_rows must be >= 1, got {n_train_rows}")
    batch_size = automatic_batch_size(n_train_rows)
    epochs = longest_epochs(n_train_rows)
    common = {
        "optimizer": "adamw",
        "epochs": Choice(tuple(dict.fromkeys(max(epochs // n, 15) for n in (4, 2, 1)))),
    }
    free = {
        "activation": Choice(
            ("relu", "silu", "mish", "selu"),
            weights=(0.25, 0.25, 0.3, 0.2) if task == "regression" else (0.25, 0.25, 0.2, 0.3),
        ),
        "weight_decay": Choice((0.0, Float(1e-3, 1e-1, log=True)), weights=(0.4, 0.6)),
    }
    raw = {
        "encoding": Choice(("robust", "standard", "quantile"), weights=(0.5, 0.2, 0.3)),
    }
    lean = {
        "hidden_layer_sizes": Layers(depth=Int(1, 3), width=Int(16, 128, log=True)),
        "learning_rate": Float(1e-3, 2e-2, log=True),
        "learning_rate_schedule": Choice(("coslog4", "cosine")),
        "dropout": Choice((0.0, Float(0.05, 0.5)), weights=(0.6, 0.4)),
        "batch_size": Choice((batch_size // 2, batch_size)),
    }
    wide = {
        "hidden_layer_sizes": Layers(depth=Choice((2, 3)), width=Choice((64, 128, 256))),
        "residual": Choice((False, True), weights=(0.6, 0.4)),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "learning_rate_schedule": "coslog4",
        "beta2": 0.95,
        "dropout": Choice((0.0, Float(0.05, 0.5)), weights=(0.4, 0.6)),
        "batch_size": batch_size,
    }
    has_fine = n_train_rows >= FINE_ROWS
    piecewise = {
        **wide,
        "encoding": Choice(("piecewise", "piecewise-fine")) if has_fine else "piecewise",
        "hidden_layer_sizes": Layers(depth=Choice((1, 2, 3)), width=Choice((64, 128, 256))),
    }
    return SearchSpace.union(
        [
            (3 / 16, SearchSpace({**lean, **raw, **free, **common})),
            (3 / 16, SearchSpace({**wide, **raw, **free, **common})),
            (3 / 8, SearchSpace({**piecewise, **free, **common})),
            (1 / 4, SearchSpace({**_realmlp(task), "batch_size": batch_size, **common})),
        ]
    )


def _realmlp(task: str) -> dict[str, Any]:
    """Give what networks after RealMLP-TD share, and the ranges of what they differ in."""
    is_regression = task == "regression"
    return {
        "hidden_layer_sizes": Layers(depth=Choice((2, 3)), width=Choice((64, 128, 256))),
        "activation": "mish" if is_regression else Choice(("selu", "mish")),
        "parametric_activation": True,
        "activation_lr_factor": 0.1,
        "encoding": "robust",
        "numeric_embedding": "pbld",
        "frequency_scale": Float(1e-2, 10.0, log=True),
        "scaling_layer": True,
        "scaling_lr_factor": Float(2.0, 10.0, log=True),
        "parametrization": "ntp",
        "weight_init": "std",
        "bias_init": "he+5",
        "bias_lr_factor": 0.1,
        "learning_rate": Float(2e-2, 3e-1, log=True)
        if is_regression
        else Float(1e-2, 1e-1, log=True),
        "learning_rate_schedule": "coslog4",
        "beta2": 0.95,
        "weight_decay": Float(1e-3, 1e-1, log=True),
        "weight_decay_schedule": "flat_cos",
        "dropout": Float(0.0, 0.5),
        "dropout_schedule": "flat_cos",
    }
