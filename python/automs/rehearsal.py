"""The first model of a search -> the seconds that what follows the search will take."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from automs.board_rows import trial_row
from automs.kept_members import model_networks
from automs.leaderboard import make_leaderboard, sort_rows
from automs.packing import build_predictor, measured_latency
from automs.search import Search
from automs.table import Table

__all__ = ["FinishTime", "rehearse"]

_N_ROWS = 16  # of the leaderboard that is timed
#: A machine under load takes so much longer than it did a moment ago.
_MARGIN = 1.5


@dataclass(frozen=True, slots=True)
class FinishTime:
    """Seconds of what follows a search: for each packed network, and each row of the leaderboard.

    A network is packed twice: with the others, and alone for its latency.

    Examples
    --------
    >>> FinishTime(per_network=0.001, per_trial=0.0001).seconds(n_networks=10, n_trials=100)
    0.045
    """

    per_network: float
    per_trial: float

    def seconds(self, n_networks: int, n_trials: int) -> float:
        """Give the time that this many take, with a margin."""
        return _MARGIN * (2.0 * self.per_network * n_networks + self.per_trial * n_trials)


def rehearse(search: Search, table: Table) -> FinishTime:
    """Pack the first model and make a leaderboard: once to import what that needs, twice timed."""
    _pack_once(search, table)
    times = [_pack_once(search, table) for _ in range(2)]
    return FinishTime(min(t.per_network for t in times), min(t.per_trial for t in times))


def _pack_once(search: Search, table: Table) -> FinishTime:
    started = perf_counter()
    first = search.trials()[0]
    networks = model_networks(search.training, first.number)
    target = search.training.target
    model = build_predictor([(1.0, networks)], target, table.names, table.columns, {})
    measured_latency(model, table.values[0])
    packed = perf_counter()
    rows = [trial_row(first, search.training) for _ in range(_N_ROWS)]
    make_leaderboard(sort_rows(rows))
    return FinishTime((packed - started) / len(networks), (perf_counter() - packed) / _N_ROWS)
