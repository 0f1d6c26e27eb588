"""Nothing -> the rule of each of a candidate's settings; a loss and a task -> the loss meant."""

from __future__ import annotations

from automs._rules import Flag, OneOf, Real, Rule, Sizes, Whole

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "REGRESSION_LOSSES",
    "RULES",
    "SCHEDULES",
    "allowed_losses",
    "resolve_loss",
]

# In these four, the position is the code that the engine knows.
ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu", "mish",
)  # fmt: skip
LOSSES = ("squared", "absolute", "huber", "quantile", "poisson", "cross_entropy")
REGRESSION_LOSSES = LOSSES[:-1]
OPTIMIZERS = ("sgd", "adam", "adamw")
SCHEDULES = ("constant", "cosine", "coslog4", "flat_cos")

_SHARE = Real(0, 1, low_included=True)  # [0, 1)
_NOT_NEGATIVE = Real(0, low_included=True)
_POSITIVE = Real(0)

RULES: dict[str, Rule] = {
    "hidden_layer_sizes": Sizes(max_length=64, size=Whole(1, 65_536)),
    "activation": OneOf(ACTIVATIONS),
    "embedding_size": Whole(0, high=1024),
    "residual": Flag(),
    "encoding": OneOf(("standard", "robust", "piecewise", "quantile")),
    "loss": OneOf(("auto", *LOSSES)),
    "huber_delta": _POSITIVE,
    "quantile": Real(0, 1),
    "optimizer": OneOf((*OPTIMIZERS, "exact")),
    "learning_rate": _POSITIVE,
    "learning_rate_schedule": OneOf(SCHEDULES),
    "momentum": _SHARE,
    "nesterov": Flag(),
    "beta1": _SHARE,
    "beta2": _SHARE,
    "epsilon": _POSITIVE,
    "batch_size": Whole(1),
    "epochs": Whole(1),
    "patience": Whole(1, optional=True),
    "weight_decay": _NOT_NEGATIVE,
    "l2_penalty": _NOT_NEGATIVE,
    "dropout": _SHARE,
    "label_smoothing": _SHARE,
    "seed": Whole(0, high=2**64 - 1, optional=True),
}


def allowed_losses(task: str) -> str:
    """Give the losses of a task, for messages."""
    return ", ".join(("auto", *REGRESSION_LOSSES) if task == "regression" else ("auto", LOSSES[-1]))


def resolve_loss(loss: str, task: str) -> str:
    """Give the loss that `loss` means for a task.

    Parameters
    ----------
    loss : str
        A candidate's loss, "auto" included.
    task : {"regression", "binary", "multiclass"}

    Returns
    -------
    str
        Never "auto".

    Raises
    ------
    ValueError
        When the loss does not fit the task.

    Examples
    --------
    >>> resolve_loss("auto", "binary")
    'cross_entropy'
    """
    if loss == "auto":
        return "squared" if task == "regression" else "cross_entropy"
    if loss not in (REGRESSION_LOSSES if task == "regression" else ("cross_entropy",)):
        raise ValueError(f"loss must be one of {allowed_losses(task)} for {task}, got {loss!r}")
    return loss
