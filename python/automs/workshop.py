"""A training and its table -> models packed, weighed and kept, whichever way they were chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from automs.board_rows import mean_score
from automs.budgets import Cost, CostModel, Limits
from automs.candidates import Candidate, as_single
from automs.decision import Decision, Predictions, Values
from automs.finish import Ensemble
from automs.kept_models import KeptModel, Networks, front
from automs.outcomes import FoldNetwork
from automs.packing import measured_latency
from automs.predictor import Predictor
from automs.table import Table
from automs.training import Training
from automs.trials import Trial

__all__ = ["Workshop", "alone"]

Pack = Callable[[Ensemble, Networks, Decision], Predictor]
Decide = Callable[[Ensemble, Predictions | None], Decision]

_N_MEASURED = 3
#: Of a limit on measured latency, for the networks that are trained.
_AIMED_LATENCY = 0.85
#: The network whose latency tells the pace of this machine.
_MODEL_OF_PACE = Candidate((128, 128), encoding="standard", embedding_size=0)


def alone(trial: Trial) -> Ensemble:
    """Give a trial as the only member."""
    return Ensemble([trial], [1.0], trial.progress.fold_scores, trial.progress.seconds)


class Workshop:
    """Packs and weighs models of one table.

    Parameters
    ----------
    training : Training
    table : Table
    pack : callable
        An ensemble, the networks of its members by number, how outputs are read -> `Predictor`.
    decide : callable
        An ensemble, and its members' predictions where they are no trials -> how its outputs are
        read, `Decision`.
    constant : Trial
        The model that is there whatever happens: a linear network.
    nominal : bool
        Whether latencies are the nominal ones, and no clock is read.

    Attributes
    ----------
    costs : CostModel
        What models take before they are packed.
    """

    def __init__(
        self,
        training: Training,
        table: Table,
        pack: Pack,
        decide: Decide,
        constant: Trial,
        *,
        nominal: bool,
    ) -> None:
        self.training = training
        self.table = table
        self._pack = pack
        self._decide = decide
        self._decisions: dict[tuple[tuple[int, ...], tuple[float, ...]], Decision] = {}
        self._examined: dict[int, list[Values]] = {}
        self._nominal = nominal
        self._constant = constant
        self._first = training.networks(constant.number, [0])
        self._plain = Decision(constant.progress.fold_scores)
        self._smallest = pack(alone(constant), {constant.number: self._first}, self._plain)
        self.costs = CostModel(
            len(self._smallest.to_bytes()),
            self._first,
            lambda candidate: training.views.encoder(0, candidate),
            training.target.n_logits,
        )

    def aim(self, limits: Limits) -> Limits:
        """Give what to aim at with a single network, so that it turns out to be within limits.

        Another measurement may give a somewhat longer time, and encoders of all rows may have a few
        numbers more than those of a fold.
        """
        latency = 1.0 if self._nominal else _AIMED_LATENCY
        return replace(limits, latency_us=latency * limits.latency_us)

    def check(self, limits: Limits) -> None:
        """Find the pace of this machine, and whether there is any model within the limits.

        Raises
        ------
        ValueError
            Where not even a linear model is.
        """
        smallest = self.weigh(self._smallest, self._first)
        if not limits.hold(smallest):
            raise ValueError(
                "the limits must leave room for one linear model, but it takes "
                f"{limits.said(smallest)}: give a higher limit, or fewer columns or categories"
            )
        if not self._nominal:
            measured = self.cost_before_training(_MODEL_OF_PACE).latency_us
            thought = self.costs.of_candidates([_MODEL_OF_PACE]).latency_us
            self.costs.pace *= measured / thought

    def cost_before_training(self, candidate: Candidate) -> Cost:
        """Pack and weigh networks of zeros, which take what any others of their shape do."""
        encoder = self.training.views.encoder(0, candidate)
        shapes = candidate.layer_shapes(
            encoder.n_features, self.training.target.n_logits, encoder.embedding_rows,
            encoder.n_scaled,
        )  # fmt: skip
        tables = candidate.table_shapes(encoder.embedding_rows)
        names = ("frequencies", "weights", "phases", "biases")
        waves = dict(zip(names, candidate.periodic_shapes(encoder.n_scaled), strict=False))
        blends = candidate.hidden_layer_sizes if candidate.parametric_activation else ()
        network = replace(
            self._first[0], candidate=as_single(candidate), encoder=encoder,
            weights=[np.zeros(shape, dtype=np.float32) for shape in shapes],
            biases=[np.zeros(n_out, dtype=np.float32) for _, n_out in shapes],
            embeddings=[np.zeros(shape, dtype=np.float32) for shape in tables],
            blends=[np.zeros(n, dtype=np.float32) for n in blends],
            periodic={n: np.zeros(s, dtype=np.float32) for n, s in waves.items()} or None,
        )  # fmt: skip
        members = [network] * candidate.n_members
        packed = self._pack(alone(self._constant), {self._constant.number: members}, self._plain)
        return self.weigh(packed, members)

    def weigh(self, predictor: Predictor, networks: Sequence[FoldNetwork]) -> Cost:
        """Give what a packed model of these networks takes."""
        if self._nominal:
            latency_us = self.costs.of_networks(networks).latency_us
        else:
            row = self.table.values[0]
            # The least of some: another process may have had the core meanwhile.
            latency_us = 1e6 * min(measured_latency(predictor, row) for _ in range(_N_MEASURED))
        return Cost(latency_us, len(predictor.to_bytes()))

    def decide(self, ensemble: Ensemble) -> Decision:
        """Give how an ensemble's outputs are read."""
        numbers = tuple(trial.number for trial in ensemble.members)
        key = (numbers, tuple(ensemble.weights))
        if key not in self._decisions:
            own = [self._examined[number] for number in numbers if number in self._examined]
            self._decisions[key] = self._decide(ensemble, own or None)
        return self._decisions[key]

    def examined(self, pupil: Trial, predictions: list[Values]) -> Ensemble:
        """Take a network that is no trial, with its folds' predictions for validation rows."""
        self._examined[pupil.number] = predictions
        return alone(pupil)

    def model(self, name: str, ensemble: Ensemble, networks: Networks) -> KeptModel:
        """Pack an ensemble, or a trial alone, of some networks for each member."""
        decision = self.decide(ensemble)
        ensemble = replace(ensemble, fold_scores=decision.fold_scores)
        own = {t.number: decision.applied(networks[t.number]) for t in ensemble.members}
        predictor = self._pack(ensemble, own, decision)
        cost = self.weigh(predictor, [network for some in own.values() for network in some])
        weights = {t.name: w for t, w in zip(ensemble.members, ensemble.weights, strict=True)}
        return KeptModel(name, predictor, weights, mean_score(ensemble.fold_scores), cost)

    def front(self, trials: Sequence[Trial]) -> list[Trial]:
        """Give the trials that no other beats in score, latency and size at once."""
        scored = [(t.progress.score, self.costs.of_candidates([t.candidate])) for t in trials]
        return [trials[i] for i in front(scored)]
