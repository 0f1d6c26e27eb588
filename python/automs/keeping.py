"""The model and what else was trained -> the models that are kept, and the leaderboard's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from automs.board_rows import contender_row, ensemble_row, with_latencies
from automs.budgets import Limits
from automs.clock import Clock
from automs.finish import Ensemble
from automs.kept_members import model_networks
from automs.kept_models import Contender, KeptModel, KeptModels, Networks
from automs.leaderboard import LeaderboardRow
from automs.trials import Trial
from automs.workshop import Workshop, alone

__all__ = ["Made", "keep_models", "name_of"]


@dataclass(frozen=True, slots=True)
class Made:
    """What a fit came to, before it is decided what is kept of it.

    Attributes
    ----------
    ensemble : Ensemble
        The best without regard to limits: of several trials, or one.
    networks : mapping of int to sequence of FoldNetwork
        Of its members.
    model : KeptModel
        Both, packed.
    contenders : list of Contender
        Models within the limits, the best first, where that one is not; else none.
    """

    ensemble: Ensemble
    networks: Networks
    model: KeptModel
    contenders: list[Contender]

    @property
    def used(self) -> KeptModel:
        """The model that predicts."""
        return self.contenders[0].model if self.contenders else self.model

    @property
    def used_ensemble(self) -> Ensemble:
        """What is in it, with its scores."""
        return self.contenders[0].ensemble if self.contenders else self.ensemble


def name_of(ensemble: Ensemble) -> str:
    """Give the leaderboard's name of an ensemble, or of the one trial in it."""
    return ensemble.members[0].name if len(ensemble.members) == 1 else "ensemble"


def keep_models(
    workshop: Workshop,
    made: Made,
    usable: Sequence[Trial],
    rows: list[LeaderboardRow],
    limits: Limits,
    clock: Clock,
) -> tuple[KeptModels, list[LeaderboardRow]]:
    """Pack members and other good trials alone, as time allows, and fill in what all models take.

    Parameters
    ----------
    workshop : Workshop
    made : Made
    usable : sequence of Trial
    rows : list of LeaderboardRow
        Of the trials.
    limits : Limits
    clock : Clock
        Members are packed in any case.

    Returns
    -------
    kept : KeptModels
    rows : list of LeaderboardRow
        Those given, and those of ensembles and of what was made to be within the limits.
    """
    training, table = workshop.training, workshop.table
    by_name = {made.model.name: made.model} | {c.model.name: c.model for c in made.contenders}
    trials = {trial.name: trial for trial in made.ensemble.members}
    members = list(trials)
    trials |= {trial.name: trial for trial in workshop.front(usable)}
    for name, trial in trials.items():
        if name in by_name or (name not in members and clock.remaining() <= 0.0):
            continue
        number = trial.number
        networks = made.networks.get(number) or model_networks(training, number)
        by_name[name] = workshop.model(name, alone(trial), {number: networks})
    packed_alone = [by_name[row.name] for row in rows if row.name in by_name]
    rows = with_latencies(rows, packed_alone, limits, table, training)
    if len(made.ensemble.members) > 1:
        cost = made.model.cost
        reason = "" if limits.hold(cost) else f"; not used: {limits.said(cost)}"
        rows.append(ensemble_row(made.ensemble, made.model, rows, reason))
    known = {row.name for row in rows}
    rows += [
        contender_row(c, table, training) for c in made.contenders if c.model.name not in known
    ]
    rows = [replace(row, used=True) if row.name == made.used.name else row for row in rows]
    return KeptModels(made.used, list(by_name.values())), rows
