"""What any strategy must do: a search without an engine, and a suite to inherit."""

import math
from collections import Counter

import pytest

from automs.candidates import Candidate
from automs.cost import nominal_cost
from automs.prior import default_search_space
from automs.search_space import Float, SearchSpace
from automs.seeds import keyed_rng
from automs.strategies import Problem, Result

SIZE = {"n_rows": 800, "n_features": 10, "n_outputs": 1}
SPACE = default_search_space("regression", 800)
#: Without networks after RealMLP-TD, which cost more: of all others an allowance pays for more.
CHEAP = SearchSpace.union([part for part in SPACE.parts if "scaling_layer" not in part[1]])


def problem(**settings):
    return Problem(**{"search_space": SPACE, "seed": 3, "n_folds": 5, **SIZE, **settings})


def smooth_score(candidate, epoch):
    """Learn by epoch, best at a learning rate of 0.004, with a little noise of its own."""
    noise = keyed_rng(candidate.seed, epoch).standard_normal()
    return -abs(math.log(candidate.learning_rate / 0.004)) - 3 / epoch + 0.05 * noise


#: What a candidate must share with one whose state it starts from.
KEPT_BY_COPIES = (
    "hidden_layer_sizes", "activation", "residual", "encoding", "loss", "optimizer", "epochs",
    "batch_size", "learning_rate_schedule",
)  # fmt: skip


class Search:
    """A search without an engine: answers requests by formula, and checks each one."""

    def __init__(self, strategy, of, allowance=math.inf, score=smooth_score, **options):
        self.strategy, self.problem, self.score, self.options = strategy, of, score, options
        self.epochs, self.results, self.dropped, self.n_requests = {}, {}, set(), Counter()
        self.spent, self.n_asks = 0.0, 0
        strategy.start(of)
        while requests := strategy.ask(allowance - self.spent):
            self.n_asks += 1
            assert self.n_asks < 1_000, "the search does not end"
            assert len({r.candidate_index for r in requests}) == len(requests)
            self.answer(requests)

    def answer(self, requests):
        states = dict(self.epochs)  # copies are of states as they are before this round
        for request in requests:
            if request.from_candidate is not None:
                self.inherit(request.candidate_index, request.from_candidate, states)
        results = [self.train(request) for request in requests]
        if self.options.get("reverse"):
            results.reverse()
        results = results[: self.options.get("keep", len(results))]
        parts = [[r] for r in results] if self.options.get("singly") else [results]
        for part in parts:
            self.strategy.tell(part)
            for result in part:
                self.results[result.candidate_index] = result
            for index in self.epochs:
                if not self.strategy.may_be_promoted(index) and index in self.results:
                    self.dropped.add(index)

    def inherit(self, index, parent, states):
        """Copy the parent's state, which must be there, and fit."""
        assert index not in self.epochs, "only a candidate without a state can be given one"
        assert parent in states, "the parent has no state"
        assert parent not in self.dropped, "the parent's state was dropped"
        assert not self.results[parent].finished, "the parent has no moments any more"
        ours, theirs = (self.strategy.candidates[i].settings() for i in (index, parent))
        assert all(ours[name] == theirs[name] for name in KEPT_BY_COPIES)
        self.epochs[index] = states[parent]

    def train(self, request):
        index, until = request.candidate_index, request.until_epoch
        candidate = self.strategy.candidates[index]
        before = self.epochs.get(index, 0)
        assert before < until <= candidate.epochs
        assert index not in self.dropped, "asked for a candidate whose state was dropped"
        assert not (index in self.results and self.results[index].finished)
        size = (self.problem.n_rows, self.problem.n_features, self.problem.n_outputs)
        costs = [nominal_cost(candidate, *size, epochs=epoch) for epoch in (before, until)]
        cost = self.problem.n_folds * (costs[1] - costs[0])
        self.spent += cost
        self.epochs[index] = until
        self.n_requests[index] += 1
        score = self.score(candidate, until)
        parts = ()
        if self.strategy.wants_part_scores:
            rng = keyed_rng(candidate.seed, until)
            parts = tuple(score + 0.1 * rng.standard_normal(8))
        stopped = self.options.get("patience") and index % 3 == 0
        finished = until == candidate.epochs or not math.isfinite(score) or bool(stopped)
        return Result(index, until, score, finished, cost, parts)

    def log(self):
        return [(repr(c), self.epochs.get(i)) for i, c in enumerate(self.strategy.candidates)]

    def n_complete(self):
        return sum(e == self.strategy.candidates[i].epochs for i, e in self.epochs.items())


FULL_COST = 5 * nominal_cost(Candidate((64, 64), epochs=240, batch_size=64), 800, 10, 1)


class StrategyContract:
    """What any strategy must do; inherit, and give `make`."""

    def make(self):
        raise NotImplementedError

    @pytest.mark.parametrize("max_trials", [1, 2, 3, 7, 50])
    @pytest.mark.parametrize("options", [{}, {"reverse": True, "singly": True}])
    def test_exactly_max_trials_candidates_are_trained_and_one_to_the_end(
        self, max_trials, options
    ):
        search = Search(self.make(), problem(max_trials=max_trials), **options)
        assert len(search.epochs) == max_trials == len(search.strategy.candidates)
        assert search.n_complete() >= min(2, max_trials)

    def test_no_trials_end_at_once(self):
        assert Search(self.make(), problem(max_trials=0)).n_asks == 0

    @pytest.mark.parametrize("n_full", [0.01, 0.5, 40, 400])
    def test_a_finite_allowance_is_used_but_not_exceeded(self, n_full):
        search = Search(self.make(), problem(), allowance=n_full * FULL_COST)
        assert search.n_complete() >= 1
        if n_full > 1:  # below, the one candidate that is always tried may not fit
            assert search.spent <= 1.001 * n_full * FULL_COST
        if n_full >= 40:
            assert search.spent >= 0.8 * n_full * FULL_COST

    def test_both_limits_hold_together(self):
        limits = {"of": problem(max_trials=12), "allowance": 1e4 * FULL_COST}
        assert len(Search(self.make(), **limits).epochs) == 12
        limits = {"of": problem(max_trials=10**6), "allowance": 10 * FULL_COST}
        # A bracket is planned with mean costs; its best candidate is trained to the end even so.
        assert Search(self.make(), **limits).spent <= 10.5 * FULL_COST

    def test_neither_limit_is_an_error(self):
        strategy = self.make()
        strategy.start(problem())
        with pytest.raises(ValueError, match="max_trials or a time limit"):
            strategy.ask(math.inf)

    @pytest.mark.parametrize("limits", [{"max_trials": 40}, {"max_trials": None}])
    def test_the_problem_and_the_results_alone_decide(self, limits):
        allowance = math.inf if limits["max_trials"] else 60 * FULL_COST
        of = problem(**limits)
        first = Search(self.make(), of, allowance)
        again = Search(first.strategy, of, allowance).log()  # started anew, all forgotten
        assert Search(self.make(), of, allowance).log() == again
        assert Search(self.make(), of, allowance, reverse=True, singly=True).log() == again
        other = problem(seed=4, **limits)
        assert Search(self.make(), other, allowance).log() != again

    def test_first_candidates_come_first_and_get_seeds(self):
        portfolio = [Candidate((8,), epochs=30, seed=5), Candidate((16,), epochs=30)]
        search = Search(self.make(), problem(max_trials=6, first_candidates=portfolio))
        first, second, *drawn = search.strategy.candidates
        assert first == portfolio[0]
        assert second.hidden_layer_sizes == (16,)
        seeds = [candidate.seed for candidate in search.strategy.candidates]
        assert None not in seeds
        assert len(set(seeds)) == 6
        assert all(SPACE.contains(candidate.settings()) for candidate in drawn)
        few = Search(self.make(), problem(max_trials=1, first_candidates=portfolio))
        assert few.strategy.candidates == portfolio[:1]

    @pytest.mark.parametrize("score", [lambda c, e: -math.inf, lambda c, e: math.nan])
    def test_a_search_in_which_all_diverge_ends(self, score):
        assert Search(self.make(), problem(max_trials=20), score=score).n_asks >= 1
        search = Search(self.make(), problem(), allowance=20 * FULL_COST, score=score)
        assert search.spent <= 20 * FULL_COST

    @pytest.mark.parametrize("options", [{"patience": True}, {"keep": 2}, {"keep": 0}])
    def test_early_stops_and_requests_cut_off_end_well(self, options):
        Search(self.make(), problem(max_trials=30), **options)
        Search(self.make(), problem(), allowance=20 * FULL_COST, **options)

    def test_candidates_of_one_epoch_and_closed_forms_are_asked_for_once(self):
        """However many rungs there are: they have nothing to go on with."""
        first = [Candidate((), optimizer="exact"), Candidate((8,), epochs=1)]
        space = SearchSpace({"epochs": 1, "learning_rate": Float(1e-3, 1e-2)})
        of = problem(search_space=space, first_candidates=first, max_trials=9)
        search = Search(self.make(), of)
        assert search.n_requests == dict.fromkeys(range(9), 1)
        assert search.n_complete() == 9

    def test_states_can_be_dropped_as_the_search_goes_on(self):
        search = Search(self.make(), problem(), allowance=100 * FULL_COST)
        kept = [i for i in search.epochs if i not in search.dropped]
        assert not [i for i in kept if search.strategy.may_be_promoted(i)]

    def test_no_unknown_candidate_may_be_promoted(self):
        search = Search(self.make(), problem(max_trials=5))
        assert not any(search.strategy.may_be_promoted(index) for index in range(-1, 10))
