"""Nothing -> the names of metrics by task, and what sets some of them apart."""

from __future__ import annotations

from automs.label_metrics import label_names
from automs.probability_metrics import PROBABILITY_SCORES, probability_names
from automs.value_metrics import VALUE_SCORES

__all__ = [
    "ALIASES",
    "ALLOWED",
    "HAS_DOMAIN",
    "NATIVE",
    "NEEDS_PROBABILITIES",
    "READS_SIZES",
    "TARGET_RULES",
]

_REGRESSION = ("rmse", "mse", "mae", "r2", "pinball", "poisson_deviance")
_CLASSIFICATION = ("log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1")
NATIVE = (*_REGRESSION, *_CLASSIFICATION)
NEEDS_PROBABILITIES = ("log_loss", "roc_auc", *PROBABILITY_SCORES)
# Those that a probability's own value counts for, not its rank among others alone.
READS_SIZES = ("log_loss", "neg_brier_score", "d2_brier_score", "d2_log_loss_score")

HAS_DOMAIN = (
    "neg_mean_gamma_deviance", "neg_mean_squared_log_error", "neg_root_mean_squared_log_error",
)  # fmt: skip

# What every true value must be for a score to be defined.
TARGET_RULES = {
    "poisson_deviance": (">=", 0.0),
    "neg_mean_gamma_deviance": (">", 0.0),
    "neg_mean_squared_log_error": (">", -1.0),
    "neg_root_mean_squared_log_error": (">", -1.0),
}

# scikit-learn's scorer name -> ours, for the tasks where the two mean the same.
_REGRESSION_ALIASES = {
    "neg_root_mean_squared_error": "rmse",
    "neg_mean_squared_error": "mse",
    "neg_mean_absolute_error": "mae",
    "neg_mean_poisson_deviance": "poisson_deviance",
}
_CLASS_ALIASES = {
    "neg_log_loss": "log_loss",
    "roc_auc_ovr": "roc_auc",
    # Of one label a row, a mean over all decisions is the share of right ones.
    "f1_micro": "accuracy",
    "precision_micro": "accuracy",
    "recall_micro": "accuracy",
}
_BINARY_ALIASES = _CLASS_ALIASES | dict.fromkeys(
    ("roc_auc_ovo", "roc_auc_ovo_weighted", "roc_auc_ovr_weighted"), "roc_auc"
)
_MULTICLASS_ALIASES = _CLASS_ALIASES | {"f1_macro": "f1"}


def _allowed(n_classes: int, aliases: dict[str, str]) -> tuple[str, ...]:
    """Give the names for a classification, those of the core first."""
    others = (*probability_names(n_classes), *label_names(n_classes))
    return (*_CLASSIFICATION, *(n for n in others if n not in (*_CLASSIFICATION, *aliases)))


ALLOWED = {
    "regression": (*_REGRESSION, *VALUE_SCORES),
    "binary": _allowed(2, _BINARY_ALIASES),
    "multiclass": _allowed(3, _MULTICLASS_ALIASES),
}
ALIASES = {
    "regression": _REGRESSION_ALIASES,
    "binary": _BINARY_ALIASES,
    "multiclass": _MULTICLASS_ALIASES,
}
