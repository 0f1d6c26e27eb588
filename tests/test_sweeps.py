"""Sweeps under a time limit: large enough to choose from, by measured speed, none forgotten."""

import math

import numpy as np
import pytest
from strategy_contract import CHEAP, FULL_COST, Search, problem

from automs.candidates import Candidate
from automs.strategies import GibbsStrategy, Result
from automs.strategies.population import Population
from automs.strategies.tempering import effective_sample_size, softened


def networks(*widths, epochs=60):
    return [Candidate((width, width), epochs=epochs, learning_rate=0.004) for width in widths]


def told(strategy, requests):
    """Tell of each request, at its nominal cost; the lower index is the better one."""
    for r in requests:
        candidate = strategy.candidates[r.candidate_index]
        finished = r.until_epoch == candidate.epochs
        cost = strategy.problem.cost(candidate, r.until_epoch)
        score = -float(r.candidate_index)
        strategy.tell([Result(r.candidate_index, r.until_epoch, score, finished, cost)])


@pytest.mark.parametrize("speed", [1.0, 5.0, 20.0])
def test_a_first_sweep_is_as_large_as_the_measured_speed_allows(speed):
    """Whatever the guess before the first training was, if it was not too high."""
    sizes = []
    for guess in (1.0, speed):
        strategy = GibbsStrategy(1.0)
        strategy.start(problem())
        few = strategy.ask(guess * 40 * FULL_COST)
        assert 0 < len(few) <= 4
        told(strategy, few)
        spent = sum(strategy.problem.cost(c, 1) for c in strategy.candidates)
        more = strategy.ask(speed * 40 * FULL_COST - spent)
        assert not {r.candidate_index for r in few} & {r.candidate_index for r in more}
        sizes.append(len(few) + len(more))
    assert sizes[0] == pytest.approx(sizes[1], rel=0.3)


def test_a_longer_time_gives_a_larger_first_sweep():
    sizes = []
    for n_full in (2, 400):
        search = Search(GibbsStrategy(1.0), problem(), allowance=n_full * FULL_COST)
        sizes.append(next(r.n_particles for r in search.strategy.history))
    assert sizes[0] < sizes[1]


def test_first_candidates_too_dear_for_a_guess_are_trained_once_the_speed_is_known():
    small, large = networks(8, 128)
    of = problem(first_candidates=[large, small])
    strategy = GibbsStrategy(1.0)
    strategy.start(of)
    few = strategy.ask(2.0 * of.cost(large))
    assert all(c.hidden_layer_sizes != (128, 128) for c in strategy.candidates)
    assert strategy.candidates[0].hidden_layer_sizes == (8, 8)
    told(strategy, few)
    strategy.ask(40.0 * of.cost(large))
    new = [c.hidden_layer_sizes for c in strategy.candidates[len(few) :]]
    assert new[0] == (128, 128)
    assert len({c.seed for c in strategy.candidates}) == len(strategy.candidates)


@pytest.mark.parametrize("n_full", [3, 6, 12])
def test_a_short_search_drops_some_and_finishes_two_of_a_sweep_at_least(n_full):
    of = problem(first_candidates=networks(16, 20, 24, 18, 22, 16, 20, 24))
    allowance = n_full * of.cost(networks(20)[0])
    search = Search(GibbsStrategy(1.0), of, allowance=allowance)
    first = [r for r in search.strategy.history if r.sweep == 0]
    assert first[0].n_particles > first[-1].n_particles >= 2
    if n_full == 12:
        assert first[-1].n_particles >= 4
    assert search.spent <= allowance


def test_no_member_takes_most_of_the_time_where_others_fit():
    widths = (200, 16, 16, 16, 16)
    of = problem(first_candidates=networks(*widths))
    search = Search(GibbsStrategy(1.0), of, allowance=1.5 * of.cost(networks(200)[0]))
    of_sweep = search.strategy.candidates[: search.strategy.history[0].n_particles]
    assert all(c.hidden_layer_sizes != (200, 200) for c in of_sweep)


def test_the_dear_ones_can_go_on_without_a_cut():
    """Here wide networks are better, and the plan has counted their cost."""
    first = networks(8, 8, 8, 8, 64, 64, 8, 8, 8, 8, 8, 8)
    of = problem(first_candidates=first, search_space=CHEAP)
    allowance = 6.5 * of.cost(networks(64)[0])
    strategy = GibbsStrategy(1.0)
    wide = lambda candidate, epoch: float(sum(candidate.hidden_layer_sizes))  # noqa: E731
    search = Search(strategy, of, allowance=allowance, score=wide)
    first = [r for r in search.strategy.history if r.sweep == 0]
    assert first[-1].n_particles >= 4
    finished = [i for i, r in search.results.items() if r.finished]
    assert {4, 5} <= set(finished)


def test_scores_of_parts_are_asked_for_until_the_noise_is_known():
    strategy = GibbsStrategy()
    search = Search(strategy, problem(), allowance=100 * FULL_COST)
    assert len({r.sweep for r in search.strategy.history}) > 1
    assert not strategy.wants_part_scores
    strategy.start(problem())
    assert strategy.wants_part_scores
    fixed = GibbsStrategy(3.0)
    fixed.start(problem())
    assert not fixed.wants_part_scores


@pytest.mark.parametrize("n", [2, 3, 4, 6])
def test_few_particles_are_kept_apart_by_tempering(n):
    losses = {i: float(i) for i in range(n)}
    population = Population(range(n))
    temperature = population.raised(losses, 0.0, 1e3, 0.5)
    assert population.weigh(losses, temperature) == pytest.approx(min(0.9 * n, 4.0), rel=1e-6)
    assert not population.must_resample(n, 0.5)


def test_softened_weights_keep_their_order_and_so_many_count():
    log_weights = [0.0, -3.0, -1000.0, -20.0, -math.inf]
    weights = softened(log_weights[:4], 3.0)
    assert weights.sum() == pytest.approx(1.0)
    assert effective_sample_size(np.log(weights)) == pytest.approx(3.0)
    assert list(np.argsort(-weights)) == [0, 1, 3, 2]
    np.testing.assert_allclose(softened([0.0, -0.1], 1.0), np.exp([0.0, -0.1]) / (1 + np.exp(-0.1)))
