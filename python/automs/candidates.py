"""Settings -> `Candidate`: one network and how it is trained, with the sizes of its arrays."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

from automs.seeds import derive_seed
from automs.setting_rules import (
    ACTIVATIONS,
    LOSSES,
    OPTIMIZERS,
    REGRESSION_LOSSES,
    RULES,
    SCHEDULES,
    allowed_losses,
    check_together,
    resolve_loss,
)

__all__ = [
    "ACTIVATIONS",
    "LOSSES",
    "OPTIMIZERS",
    "REGRESSION_LOSSES",
    "SCHEDULES",
    "Candidate",
    "allowed_losses",
    "as_single",
    "derive_seed",
    "resolve_loss",
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One network's architecture, recipe and seed; immutable, all but the first by keyword.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64)
        Units of each hidden layer, 1 to 65536, at most 64 layers; ``()`` is a linear model.
    activation : str, default="relu"
        identity, relu, leaky_relu, tanh, sigmoid, selu, elu, gelu, silu or mish.
    embedding_size : int, 0 to 1024, default=8
        Numbers learned for each category of an embedded column, at most its table's rows; 0: no
        embeddings, categories are one-hot.
    numeric_embedding : {"none", "pbld"}, default="none"
        "pbld": each scaled number x becomes x and W cos(2 pi f x + p) + b, with frequencies f and
        W, p and b of its own, learned at a tenth of the learning rate; needs encoding "robust" or
        "standard".
    n_frequencies : int, 1 to 1024, default=16
        Of each number, with "pbld".
    periodic_embedding_size : int, 2 to 64, default=4
        Numbers that x becomes with "pbld", x itself among them.
    frequency_scale : float > 0, default=0.1
        Deviation of the first frequencies, with "pbld".
    residual : bool, default=False
        Hidden layers as wide as the one before add their input to their output.
    scaling_layer : bool, default=False
        Each input of the first layer, embedded ones too, is multiplied by a trained factor that
        starts at 1; the model that is saved has the factors in its weights.
    n_members : int, 1 to 64, default=1
        Networks that share tables and hidden layers, each with a scaling layer, whose factors start
        at 1 or -1, and a last layer of its own: TabM in its mini form, see Notes.
    parametric_activation : bool, default=False
        A hidden unit gives ``x + (f(x) - x) * a``, f being `activation`, a trained and 1 at first.
    parametrization : {"standard", "ntp"}, default="standard"
        "ntp" (neural tangent): a layer gives ``x W / sqrt(fan_in) + b``, W starting at N(0, 1).
    weight_init : {"normal", "std"}, default="normal"
        "std" scales each unit's for a standard deviation of 1 on training rows.
    bias_init : {"zeros", "normal", "he+5"}, default="zeros"
        0; N(0, 1); minus a random convex combination of the unit's values on five training rows.
        A classifier's output bias has the log odds of the classes besides.
    zero_output_layer : bool, default=False
        Weights of the last layer, and what `bias_init` gives its bias, start at 0 instead.
    encoding : {"robust", "standard", "piecewise", "piecewise-fine", "quantile"}, default="robust"
        Of numbers: by median, interquartile range and a smooth clip; by mean and deviation; as
        robust with up to 16 bins between quantiles, or up to 64; by normal scores of the rank.
    loss : str, default="auto"
        squared, absolute, huber, quantile, poisson, squared_log or cross_entropy; auto is squared
        for regression, else cross_entropy. "squared_log" is the squared error of ``log(y - c)``,
        with c = 0 where all training targets are above 0, else so far below the least one as that
        is below their mean; predictions, about medians, keep within the training targets.
    huber_delta : float > 0, default=1.0, units of the encoded target
        Where the Huber loss turns from square to straight.
    quantile : float in (0, 1), default=0.5
        What the quantile loss asks for.
    optimizer : {"adam", "adamw", "sgd", "exact"}, default="adam"
        "exact" is the closed form, for linear models with loss squared, squared_log or
        cross_entropy.
    learning_rate : float > 0, default=1e-3
        The highest one of the schedule.
    learning_rate_schedule : {"constant", "cosine", "coslog4", "flat_cos"}, default="constant"
        Step number to learning rate; coslog4 has four cycles, ending at 1/15, 3/15, 7/15, 1;
        flat_cos is constant for half of the steps, then a cosine down to 0.
    bias_lr_factor, scaling_lr_factor, activation_lr_factor : float > 0, default=1.0, 6.0, 0.1
        Learning rates of biases, the scaling layer and parametric activations, by that of the
        weights.
    momentum : float in [0, 1), default=0.9
        Of sgd only, as is `nesterov` (bool, default=True).
    beta1, beta2 : float in [0, 1), default=0.9, 0.999
        Decay of adam's and adamw's moments; `epsilon` (default=1e-8) keeps them from dividing
        by 0.
    batch_size : int >= 1, default=32, rows
        Rows of one step.
    epochs : int >= 1, default=10
        Passes over the training rows.
    patience : int >= 1, optional, epochs
        Epochs without a better validation score before training stops; None: never.
    weight_decay : float >= 0, default=0.0
        Decoupled shrinkage per step of weights and embeddings alone; needs adamw or sgd.
    weight_decay_schedule, dropout_schedule : str, default="constant"
        As `learning_rate_schedule`, for the factor of `weight_decay` and of `dropout`.
    l2_penalty : float >= 0, default=0.0
        Added to the loss: half of it times the sum of squared weights.
    l1_penalty : float >= 0, default=0.0
        Of "exact" only: added to the loss, times the sum of the sizes of the weights of
        standardised features, many of which become 0.
    dropout, label_smoothing : float in [0, 1), default=0.0
        Probability of zeroing a hidden unit; share of each label spread over all classes.
    seed : int in [0, 2**64), optional
        Fixes initial weights, row order and dropout; None: derived by whoever trains.

    Raises
    ------
    TypeError
        When a setting has the wrong type.
    ValueError
        When a setting breaks its rule, or two settings contradict each other.

    Notes
    -----
    Members learn from the same mini-batches; their loss is the mean of their losses, and the
    candidate predicts the mean of their predictions, by which its best epoch is chosen. In a model
    each of them is a network of its own; of several folds, a search's model has two of each.

    References
    ----------
    Y. Gorishniy, A. Kotelnikov, A. Babenko, "TabM: advancing tabular deep learning with
    parameter-efficient ensembling", 2024, arXiv 2410.24210.

    Examples
    --------
    >>> Candidate((32, 16), learning_rate=0.01).n_parameters(n_features=10, n_outputs=1)
    897
    """

    hidden_layer_sizes: tuple[int, ...] = (64, 64)
    _: KW_ONLY
    activation: str = "relu"
    embedding_size: int = 8
    numeric_embedding: str = "none"
    n_frequencies: int = 16
    periodic_embedding_size: int = 4
    frequency_scale: float = 0.1
    residual: bool = False
    scaling_layer: bool = False
    n_members: int = 1
    parametric_activation: bool = False
    parametrization: str = "standard"
    weight_init: str = "normal"
    bias_init: str = "zeros"
    zero_output_layer: bool = False
    encoding: str = "robust"
    loss: str = "auto"
    huber_delta: float = 1.0
    quantile: float = 0.5
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    learning_rate_schedule: str = "constant"
    bias_lr_factor: float = 1.0
    scaling_lr_factor: float = 6.0
    activation_lr_factor: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    batch_size: int = 32
    epochs: int = 10
    patience: int | None = None
    weight_decay: float = 0.0
    weight_decay_schedule: str = "constant"
    l2_penalty: float = 0.0
    l1_penalty: float = 0.0
    dropout: float = 0.0
    dropout_schedule: str = "constant"
    label_smoothing: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        """Check every setting by its rule, then those that concern each other."""
        for name, rule in RULES.items():
            object.__setattr__(self, name, rule.check(name, getattr(self, name)))
        check_together(self)

    def settings(self) -> dict[str, Any]:
        """Give all settings by name, in the order of the parameters above."""
        return {name: getattr(self, name) for name in RULES}

    def table_shapes(self, embedding_rows: Sequence[int]) -> list[tuple[int, int]]:
        """Give (rows, numbers a row) of each embedded column's table for their rows."""
        return [(rows, min(self.embedding_size, rows)) for rows in embedding_rows]

    def periodic_shapes(self, n_periodic: int) -> list[tuple[int, ...]]:
        """Give the shapes of the arrays that a periodic embedding of so many numbers learns.

        They are frequencies, weights, phases and biases; empty without the embedding.
        """
        if self.numeric_embedding == "none" or n_periodic == 0:
            return []
        waves, n_outputs = (self.n_frequencies, n_periodic), self.periodic_embedding_size - 1
        return [waves, (self.n_frequencies, n_outputs, n_periodic), waves, (n_outputs, n_periodic)]

    def layer_shapes(
        self,
        n_features: int,
        n_outputs: int,
        embedding_rows: Sequence[int] = (),
        n_periodic: int = 0,
    ) -> list[tuple[int, int]]:
        """Give (units in, units out) of each layer for so many features, logits and table rows.

        The first `n_periodic` features are those that a periodic embedding takes.
        """
        n_in = n_features + sum(size for _, size in self.table_shapes(embedding_rows))
        n_in += sum(math.prod(shape) for shape in self.periodic_shapes(n_periodic)[3:])
        return list(itertools.pairwise((n_in, *self.hidden_layer_sizes, n_outputs)))

    def n_parameters(
        self,
        n_features: int,
        n_outputs: int,
        embedding_rows: Sequence[int] = (),
        n_periodic: int = 0,
    ) -> int:
        """Give the number of the saved networks' values (weights, biases, ...), as `layer_shapes`.

        Members, which are saved as a network each, count as such.
        """
        shapes = self.layer_shapes(n_features, n_outputs, embedding_rows, n_periodic)
        embedded = [*self.table_shapes(embedding_rows), *self.periodic_shapes(n_periodic)]
        blends = sum(self.hidden_layer_sizes) if self.parametric_activation else 0
        layers = sum(n_in * n_out + n_out for n_in, n_out in shapes)
        return self.n_members * (sum(map(math.prod, embedded)) + blends + layers)

    def n_trained(
        self,
        n_features: int,
        n_outputs: int,
        embedding_rows: Sequence[int] = (),
        n_periodic: int = 0,
    ) -> int:
        """Give the number of values that training keeps, what members share counted once.

        But for those of a scaling layer of a single network.
        """
        sizes = n_features, n_outputs, embedding_rows, n_periodic
        one = self.n_parameters(*sizes) // self.n_members
        if self.n_members == 1:
            return one
        (n_in, _), *_, (n_last, n_out) = self.layer_shapes(*sizes)
        own = self.n_members * (n_in + (n_last + 1) * n_out)
        return one - (n_last + 1) * n_out + own


def as_single(candidate: Candidate) -> Candidate:
    """Give a candidate's settings for a network without members."""
    return candidate if candidate.n_members == 1 else replace(candidate, n_members=1)
