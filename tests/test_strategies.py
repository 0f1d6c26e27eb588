"""Strategies: the contract that all keep, and what is particular to random search and halving."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from strategy_contract import CHEAP, FULL_COST, SPACE, Search, StrategyContract, problem

from automs.candidates import Candidate
from automs.schedule import n_survivors
from automs.search_space import Float, SearchSpace
from automs.strategies import (
    STRATEGIES,
    HalvingStrategy,
    Problem,
    RandomStrategy,
    Request,
    Result,
    Strategy,
    make_strategy,
)


class TestRandom(StrategyContract):
    def make(self):
        return RandomStrategy()

    def test_all_candidates_are_asked_for_at_once_and_trained_to_the_end(self):
        search = Search(self.make(), problem(max_trials=30))
        assert search.n_asks == 1
        assert search.n_complete() == 30

    def test_under_a_time_limit_chunks_take_a_tenth(self):
        search = Search(self.make(), problem(), allowance=200 * FULL_COST)
        assert 8 <= search.n_asks <= 16


class TestHalving(StrategyContract):
    def make(self):
        return HalvingStrategy()

    @pytest.mark.parametrize("n", [9, 27, 100])
    def test_rungs_have_as_many_candidates_as_described(self, n):
        search = Search(self.make(), problem(max_trials=n))
        candidates = search.strategy.candidates
        shares = Counter(round(15 * e / candidates[i].epochs) for i, e in search.epochs.items())
        reached = [sum(k for s, k in shares.items() if s >= at) for at in (1, 3, 7, 15)]
        assert reached == [n_survivors(n, 3, rung) for rung in range(4)]
        lines = self.make().describe(n).splitlines()
        assert [int(line.split()[2]) for line in lines] == reached

    def test_the_best_at_a_rung_go_on(self):
        search = Search(self.make(), problem(max_trials=27), score=lambda c, e: c.learning_rate)
        by_rate = sorted(search.epochs, key=lambda i: -search.strategy.candidates[i].learning_rate)
        done = {i for i, e in search.epochs.items() if e == search.strategy.candidates[i].epochs}
        assert done == set(by_rate[:2])

    @pytest.mark.parametrize(("units", "n_done"), [(8, 3), (4096, 0)])
    def test_first_candidates_go_on_though_beaten_where_they_cost_little(self, units, n_done):
        first = [Candidate((units,), epochs=30, seed=seed) for seed in range(3)]
        space = SearchSpace(
            {"hidden_layer_sizes": (64,), "epochs": 30, "learning_rate": Float(1e-3, 1e-2)}
        )
        of = problem(search_space=space, first_candidates=first, max_trials=27)
        search = Search(
            self.make(), of, score=lambda c, e: -float(c.hidden_layer_sizes == (units,))
        )
        assert sum(search.epochs[i] == 30 for i in range(3)) == n_done
        assert search.n_complete() == 2 + n_done

    def test_those_with_members_come_second_and_are_trained_to_their_end(self):
        several = [Candidate((8,), n_members=4, epochs=30) for _ in range(3)]
        alone = [Candidate((8,), epochs=30, learning_rate=0.01 * (1 + i)) for i in range(2)]
        of = problem(first_candidates=[*several, *alone], max_trials=27)
        search = Search(self.make(), of, score=lambda c, e: -float(c.n_members))
        candidates = search.strategy.candidates
        assert len(candidates) == 27
        assert [c.n_members for c in candidates] == [1] * 24 + [4] * 3
        assert [replace(c, seed=None) for c in candidates[:2]] == alone
        assert all(search.epochs[at] == 30 for at in range(24, 27))
        assert len({c.seed for c in candidates}) == 27
        of = problem(first_candidates=several, max_trials=2)
        assert len(Search(self.make(), of).strategy.candidates) == 2
        few = Search(self.make(), problem(first_candidates=[*several, *alone], max_trials=3))
        assert [c.n_members for c in few.strategy.candidates] == [1, 1, 4]

    @pytest.mark.parametrize(("sign", "part"), [(1.0, 1.0), (-1.0, 0.25)])
    @pytest.mark.parametrize("share", [0.0, 0.1, 0.4])
    def test_those_with_members_take_a_share_of_the_time_and_all_of_it_where_good(
        self, share, sign, part
    ):
        several = [Candidate((128, 128), n_members=8, seed=seed) for seed in range(200)]
        search = Search(
            HalvingStrategy(members_share=share),
            problem(first_candidates=several),
            score=lambda c, e: sign * c.n_members,
            allowance=300 * FULL_COST,
        )
        costs = [search.problem.cost(c) for c in search.strategy.candidates if c.n_members > 1]
        spent, most = sum(costs), share * 300 * FULL_COST
        assert spent <= most
        assert abs(spent - part * most) <= max(costs, default=0.0)

    def test_one_with_members_is_tried_where_its_trial_pays_for_none(self):
        several = [Candidate((128, 128), n_members=8, seed=seed) for seed in range(9)]
        of = problem(first_candidates=several)
        allowance = 4.0 * of.cost(several[0])  # of which it takes a quarter, and 0.4 are for all
        search = Search(self.make(), of, score=lambda c, e: -c.n_members, allowance=allowance)
        assert [c.n_members for c in search.strategy.candidates].count(8) == 1

    def test_states_that_are_beaten_are_dropped_as_results_come_in(self):
        strategy = self.make()
        strategy.start(problem(max_trials=27))
        requests = strategy.ask(math.inf)
        for at, request in enumerate(requests):
            strategy.tell([Result(request.candidate_index, request.until_epoch, float(at), False)])
            kept = sum(strategy.may_be_promoted(r.candidate_index) for r in requests[: at + 1])
            assert kept == min(at + 1, 9)

    def test_a_long_rung_is_asked_for_in_parts_so_that_few_states_are_kept(self):
        strategy = self.make()
        strategy.start(problem(max_trials=600, search_space=SPACE.replace(epochs=240)))
        n_kept = []
        while len(requests := strategy.ask(math.inf)) and requests[0].until_epoch <= 16:
            strategy.tell([Result(r.candidate_index, r.until_epoch, 0.0, False) for r in requests])
            told = range(requests[-1].candidate_index + 1)
            n_kept.append(sum(strategy.may_be_promoted(index) for index in told))
        assert n_kept == [128, 200, 200, 200, 200]

    def test_brackets_grow_and_later_ones_hold_mutants_of_the_best(self):
        early, late = [], []
        for seed in range(4):  # a mean over searches, as one alone has a wide spread
            strategy = HalvingStrategy(mutated_share=1.0)
            of = problem(seed=seed, search_space=CHEAP)
            search = Search(strategy, of, allowance=300 * FULL_COST)
            candidates = search.strategy.candidates
            assert len(candidates) > 300
            # Mutants learn from good scores: they lie nearer the best rate than the first draws.
            distance = [abs(math.log(c.learning_rate / 0.004)) for c in candidates]
            early.append(np.mean(distance[: len(distance) // 10]))
            late.append(np.mean(distance[len(distance) // 2 :]))
            assert len({c.seed for c in candidates}) == len(candidates)
            assert all(SPACE.contains(c.settings()) for c in candidates)
        assert np.mean(late) < 0.9 * np.mean(early)

    def test_more_time_gives_a_better_best(self):
        def best(allowance, seed):
            search = Search(self.make(), problem(seed=seed), allowance=allowance * FULL_COST)
            return max(r.score for r in search.results.values())

        gains = [best(100, seed) - best(5, seed) for seed in range(5)]
        assert np.mean(gains) > 0

    def test_survivors_are_cut_when_time_runs_short(self):
        strategy = self.make()
        strategy.start(problem(max_trials=81))
        rung_0 = strategy.ask(1e9 * FULL_COST)
        assert len(rung_0) == 81
        strategy.tell([Result(r.candidate_index, r.until_epoch, 1.0, False) for r in rung_0])
        (request,) = strategy.ask(0.0)  # the best one goes on all the same
        assert request.candidate_index == 0

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"reduction_factor": 1}, "reduction_factor must be >= 2, got 1"),
            ({"fractions": (0.5,)}, "fractions must ascend"),
            ({"first_share": 0}, "first_share must be"),
            ({"mutated_share": 1.5}, "mutated_share must be"),
            ({"members_share": -0.1}, "members_share must be"),
            ({"max_bracket": 0}, "max_bracket must be >= 1, got 0"),
        ],
    )
    def test_bad_settings_are_errors(self, settings, message):
        with pytest.raises(ValueError, match=message):
            HalvingStrategy(**settings)


class TwentyLines(Strategy):
    """A user's own strategy: draw five at a time near the end, until the limit."""

    def ask(self, allowance):
        left, requests = self.n_left(allowance), []
        while len(requests) < (5 if left is None else min(5, left)):
            candidate = self.new_candidate()
            allowance -= self.full_cost(candidate)
            if allowance < 0 and self.candidates:
                break
            requests.append(Request(self.add(candidate), candidate.epochs))
        return requests

    def tell(self, results):
        self.done = [result.candidate_index for result in results]

    def may_be_promoted(self, candidate_index):
        return False


class TestAUsersOwn(StrategyContract):
    def make(self):
        return TwentyLines()


WIDE = Candidate((128, 128), epochs=15, batch_size=512, seed=1)


def large_problem(n_rows, **settings):
    space = SearchSpace({"hidden_layer_sizes": (128, 128), "epochs": 15, "batch_size": 512})
    sizes = {"n_rows": n_rows, "n_folds": 1, "n_features": 10, "n_outputs": 1}
    return Problem(search_space=space, seed=0, **sizes, **settings)


@pytest.mark.parametrize("name", ["random", "halving", "gibbs"])
@pytest.mark.parametrize(("share", "n_epochs"), [(1.6, 15), (0.6, 7), (0.01, 3)])
def test_on_many_rows_a_first_candidate_that_does_not_fit_has_fewer_epochs(name, share, n_epochs):
    of = large_problem(10**6, first_candidates=[WIDE])
    strategy = make_strategy(name)
    strategy.start(of)
    strategy.ask(share * of.cost(WIDE))
    assert strategy.candidates == [replace(WIDE, epochs=n_epochs)]


def test_one_that_does_not_fit_with_fewer_epochs_either_is_passed_over():
    small = Candidate((32, 32), epochs=15, batch_size=512, seed=2)
    of = large_problem(10**6, first_candidates=[WIDE, small])
    strategy = make_strategy("halving")
    strategy.start(of)
    strategy.ask(0.5 * of.cost(small))
    assert strategy.candidates == [replace(small, epochs=7)]


@pytest.mark.parametrize("name", ["random", "halving", "gibbs"])
def test_a_candidate_with_fewer_epochs_is_trained_once(name):
    firsts = [replace(WIDE, seed=seed) for seed in range(4)]
    of = large_problem(10**6, first_candidates=firsts)
    search = Search(make_strategy(name), of, allowance=0.6 * of.cost(WIDE))
    made = Counter((c.seed, c.hidden_layer_sizes) for c in search.strategy.candidates)
    assert max(made.values()) == 1


@pytest.mark.parametrize(
    "of", [large_problem(10**6), large_problem(10**5, first_candidates=[WIDE])]
)
def test_epochs_of_the_caller_and_of_few_rows_stay(of):
    strategy = make_strategy("halving")
    strategy.start(of)
    strategy.ask(0.6 * of.cost(WIDE))
    assert [candidate.epochs for candidate in strategy.candidates] == [15]


def test_strategies_are_made_by_name():
    assert set(STRATEGIES) == {"halving", "random", "gibbs"}
    assert isinstance(make_strategy("random"), RandomStrategy)
    own = TwentyLines()
    made = make_strategy(own)
    assert type(made) is TwentyLines
    assert made is not own, "a search must not change the caller's object"
    with pytest.raises(ValueError, match="one of halving, random, gibbs, got 'grid'"):
        make_strategy("grid")
    with pytest.raises(TypeError, match="a name or a Strategy object"):
        make_strategy(RandomStrategy)
