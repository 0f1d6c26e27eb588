"""Nothing but a seed -> candidates, each trained to its last epoch: random search."""

from __future__ import annotations

import math
from collections.abc import Sequence

from automs.strategies.base import Problem, Request, Result, Strategy

__all__ = ["RandomStrategy"]

#: Candidates of one request under a time limit.
_CHUNK_AT_LEAST, _CHUNK_AT_MOST = 4, 256
#: Share of the whole allowance, spent or left, that one chunk takes.
_CHUNK_SHARE = 0.1


class RandomStrategy(Strategy):
    """Draw candidates and train each to its last epoch; the baseline of every other strategy.

    Without a time limit all `max_trials` are asked for at once. With one, chunks of about a tenth
    of the whole allowance are, until the next candidate would not fit; the very first is always
    tried.

    References
    ----------
    J. Bergstra, Y. Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012.

    Examples
    --------
    >>> from automs import AutoRegressor, RandomStrategy
    >>> model = AutoRegressor(max_trials=20, strategy=RandomStrategy())
    """

    def start(self, problem: Problem) -> None:
        """Begin a search."""
        super().start(problem)
        self._spent = 0.0

    def ask(self, allowance: float) -> list[Request]:
        """Give the next chunk of new candidates."""
        n_left = self.n_left(allowance)
        at_most = _CHUNK_AT_MOST if math.isfinite(allowance) else math.inf
        at_most = at_most if n_left is None else min(at_most, n_left)
        chunk_cost = _CHUNK_SHARE * (self._spent + allowance)
        requests: list[Request] = []
        spent = 0.0
        while len(requests) < at_most:
            if len(requests) >= _CHUNK_AT_LEAST and spent >= chunk_cost:
                break
            left = allowance - spent
            candidate = self.fitting_candidate(self.new_candidate, left.__ge__, needed=not requests)
            if candidate is None:
                break
            spent += self.full_cost(candidate)
            requests.append(Request(self.add(candidate), candidate.epochs))
        return requests

    def tell(self, results: Sequence[Result]) -> None:
        """Take in what was spent; scores change nothing here."""
        self._spent += sum(result.cost for result in results)

    def may_be_promoted(self, candidate_index: int) -> bool:
        """Tell that no candidate is asked for twice."""
        return False
