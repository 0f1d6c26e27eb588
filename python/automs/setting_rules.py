"""Nothing -> the rule of each of a candidate's settings; a loss and a task -> the loss meant."""

from __future__ import annotations

from typing import Any

from automs._rules import Flag, OneOf, Real, Rule, Sizes, Whole

__all__ = [
    "ACTIVATIONS",
    "BIAS_INITS",
    "LOSSES",
    "NUMERIC_EMBEDDINGS",
    "OPTIMIZERS",
    "PARAMETRIZATIONS",
    "REGRESSION_LOSSES",
    "RULES",
    "SCALED_ENCODINGS",
    "SCHEDULES",
    "WEIGHT_INITS",
    "allowed_losses",
    "check_together",
    "resolve_loss",
]

# In these, the position is the code that the engine knows.
ACTIVATIONS = (
    "identity", "relu", "leaky_relu", "tanh", "sigmoid", "selu", "elu", "gelu", "silu", "mish",
)  # fmt: skip
LOSSES = (
    "squared", "absolute", "huber", "quantile", "poisson", "squared_log", "cross_entropy",
)  # fmt: skip
REGRESSION_LOSSES = LOSSES[:-1]
OPTIMIZERS = ("sgd", "adam", "adamw")
NUMERIC_EMBEDDINGS = ("none", "pbld")
#: Those whose numbers a periodic embedding may take.
SCALED_ENCODINGS = ("robust", "standard")
SCHEDULES = ("constant", "cosine", "coslog4", "flat_cos")
PARAMETRIZATIONS = ("standard", "ntp")
WEIGHT_INITS = ("normal", "std")
BIAS_INITS = ("zeros", "normal", "he+5")

_SHARE = Real(0, 1, low_included=True)  # [0, 1)
_NOT_NEGATIVE = Real(0, low_included=True)
_POSITIVE = Real(0)

RULES: dict[str, Rule] = {
    "hidden_layer_sizes": Sizes(max_length=64, size=Whole(1, 65_536)),
    "activation": OneOf(ACTIVATIONS),
    "embedding_size": Whole(0, high=1024),
    "numeric_embedding": OneOf(NUMERIC_EMBEDDINGS),
    "n_frequencies": Whole(1, high=1024),
    "periodic_embedding_size": Whole(2, high=64),
    "frequency_scale": _POSITIVE,
    "residual": Flag(),
    "scaling_layer": Flag(),
    "n_members": Whole(1, high=64),
    "parametric_activation": Flag(),
    "parametrization": OneOf(PARAMETRIZATIONS),
    "weight_init": OneOf(WEIGHT_INITS),
    "bias_init": OneOf(BIAS_INITS),
    "zero_output_layer": Flag(),
    "encoding": OneOf(("standard", "robust", "piecewise", "piecewise-fine", "quantile")),
    "loss": OneOf(("auto", *LOSSES)),
    "huber_delta": _POSITIVE,
    "quantile": Real(0, 1),
    "optimizer": OneOf((*OPTIMIZERS, "exact")),
    "learning_rate": _POSITIVE,
    "learning_rate_schedule": OneOf(SCHEDULES),
    "bias_lr_factor": _POSITIVE,
    "scaling_lr_factor": _POSITIVE,
    "activation_lr_factor": _POSITIVE,
    "momentum": _SHARE,
    "nesterov": Flag(),
    "beta1": _SHARE,
    "beta2": _SHARE,
    "epsilon": _POSITIVE,
    "batch_size": Whole(1),
    "epochs": Whole(1),
    "patience": Whole(1, optional=True),
    "weight_decay": _NOT_NEGATIVE,
    "weight_decay_schedule": OneOf(SCHEDULES),
    "l2_penalty": _NOT_NEGATIVE,
    "l1_penalty": _NOT_NEGATIVE,
    "dropout": _SHARE,
    "dropout_schedule": OneOf(SCHEDULES),
    "label_smoothing": _SHARE,
    "seed": Whole(0, high=2**64 - 1, optional=True),
}


def check_together(candidate: Any) -> None:
    """Raise ValueError where two settings, each good alone, contradict each other."""
    c = candidate
    if c.weight_decay > 0 and c.optimizer not in {"adamw", "sgd"}:
        raise ValueError(
            f"weight_decay must be 0 with optimizer {c.optimizer!r}, got {c.weight_decay}: use "
            "optimizer='adamw', or l2_penalty"
        )
    embeds = c.numeric_embedding != "none"
    if embeds and c.encoding not in SCALED_ENCODINGS:
        raise ValueError(
            f"numeric_embedding {c.numeric_embedding!r} must have encoding 'robust' or "
            f"'standard', got {c.encoding!r}"
        )
    if c.n_members > 1 and not c.hidden_layer_sizes:
        raise ValueError(f"n_members must be 1 without hidden layers, got {c.n_members}")
    if c.optimizer != "exact":
        if c.l1_penalty > 0:
            raise ValueError(
                f"l1_penalty must be 0 with optimizer {c.optimizer!r}, got {c.l1_penalty}: use "
                "optimizer='exact' for a linear model, or l2_penalty"
            )
        return
    if c.hidden_layer_sizes:
        raise ValueError(
            f"optimizer 'exact' must have hidden_layer_sizes=(), got {c.hidden_layer_sizes}"
        )
    if c.scaling_layer:
        raise ValueError("optimizer 'exact' must have scaling_layer=False, got True")
    if c.loss not in {"auto", "squared", "squared_log", "cross_entropy"}:
        raise ValueError(
            "optimizer 'exact' must have loss squared, squared_log or cross_entropy, got "
            f"{c.loss!r}"
        )
    if embeds:
        raise ValueError(
            f"optimizer 'exact' must have numeric_embedding 'none', got {c.numeric_embedding!r}"
        )


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
