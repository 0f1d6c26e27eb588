"""The Gibbs strategy: its contract, weights that are right, copies that go on, an honest mean."""

import math

import numpy as np
import pytest
from scipy import stats
from strategy_contract import FULL_COST, SPACE, Search, StrategyContract, problem

from automs.candidates import Candidate
from automs.search_space import Choice, Float, SearchSpace
from automs.seeds import keyed_rng
from automs.strategies import GibbsStrategy, Result
from automs.strategies.jitter import RECIPE_SETTINGS, jittered_candidate
from automs.strategies.tempering import (
    effective_sample_size,
    paired_noise,
    raised_temperature,
    sample_gibbs,
    systematic_counts,
)

N = 20
LOSSES = np.random.default_rng(7).normal(size=N)
TEMPERATURE = 2.0


def gibbs_shares(temperature):
    shares = np.exp(-temperature * (LOSSES - LOSSES.min()))
    return shares / shares.sum()


class TestGibbs(StrategyContract):
    def make(self):
        return GibbsStrategy()


class TestGibbsOfConstantSizeAndFixedTemperature(StrategyContract):
    def make(self):
        return GibbsStrategy(
            20.0, n_particles=12, reduction_factor=1, tempering="fractions", ensemble="posterior"
        )

    @pytest.mark.parametrize("n_full", [0.01, 0.5, 40])
    def test_a_finite_allowance_is_used_but_not_exceeded(self, n_full):
        super().test_a_finite_allowance_is_used_but_not_exceeded(n_full)


# A finite space with known losses.


@pytest.mark.parametrize("n_moves", [0, 3])
def test_twenty_candidates_are_drawn_in_the_right_proportions(n_moves):
    drawn = sample_gibbs(LOSSES, TEMPERATURE, 40_000, n_moves=n_moves, seed=1)
    # A small part of the particles: these are as good as independent.
    part = np.random.default_rng(2).choice(drawn, 2_000, replace=False)
    counts = np.bincount(part, minlength=N)
    assert stats.chisquare(counts, 2_000 * gibbs_shares(TEMPERATURE)).pvalue > 1e-3
    for wrong in (0.8 * TEMPERATURE, 1.25 * TEMPERATURE):  # the test can tell
        assert stats.chisquare(counts, 2_000 * gibbs_shares(wrong)).pvalue < 1e-4


def known_loss(candidate, _epoch):
    return -LOSSES[round(candidate.learning_rate * 1_000) - 1]


FINITE = SearchSpace({"learning_rate": Choice([(i + 1) / 1_000 for i in range(N)]), "epochs": 30})


def posterior_shares(seed, space=FINITE, **settings):
    """Posterior mass of each of the twenty, as one search has it."""
    strategy = GibbsStrategy(TEMPERATURE, mutated_settings=(), **settings)
    of = problem(seed=seed, search_space=space, max_trials=120)
    search = Search(strategy, of, score=known_loss)
    shares = np.zeros(N)
    for index, weight in search.strategy.posterior_weights().items():
        shares[round(search.strategy.candidates[index].learning_rate * 1_000) - 1] += weight
    assert shares.sum() == pytest.approx(1.0)
    return shares


def p_value(samples, expected):
    """Hotelling's test that the mean of samples is as expected; the last one follows."""
    gap = (samples.mean(axis=0) - expected)[:-1]
    n, k = len(samples), gap.size
    t2 = n * gap @ np.linalg.solve(np.cov(samples[:, :-1].T), gap)
    return stats.f.sf(t2 * (n - k) / (k * (n - 1)), k, n - k)


@pytest.mark.parametrize(
    "settings",
    [
        {"n_particles": 40},
        {"n_particles": 40, "reduction_factor": 1, "tempering": "fractions"},
        {"ess_share": 0.9},
        # No copy would be another one, so that all copies are weights of their originals.
        {"n_particles": 40, "space": FINITE.replace(seed=1)},
    ],
)
def test_a_search_weighs_twenty_candidates_of_known_loss_by_their_gibbs_shares(settings):
    samples = np.array([posterior_shares(seed, **settings) for seed in range(60)])
    assert p_value(samples, gibbs_shares(TEMPERATURE)) > 1e-3
    assert p_value(samples, gibbs_shares(0.75 * TEMPERATURE)) < 1e-6
    assert p_value(samples, gibbs_shares(1.33 * TEMPERATURE)) < 1e-6


def test_losses_of_early_rungs_leave_no_trace_where_nothing_was_resampled():
    """Weights are exp(-lambda L) of the last losses, whatever the first ones were."""
    strategy = GibbsStrategy(
        0.01, n_particles=6, reduction_factor=1, ess_share=0.1, tempering="fractions"
    )
    search = Search(strategy, problem(max_trials=6), score=lambda c, e: math.sin(c.seed % e * 10.0))
    scores = np.array([search.results[i].score for i in range(6)])
    expected = np.exp(0.01 * scores) / np.exp(0.01 * scores).sum()
    weights = search.strategy.posterior_weights()
    np.testing.assert_allclose([weights[i] for i in range(6)], expected, rtol=1e-12)


# Steps of the sampler.


def test_systematic_counts_are_right_on_average_and_never_a_whole_one_away():
    weights = np.array([0.5, 0.13, 0.0, 0.3, 0.07])
    with np.errstate(divide="ignore"):
        log_weights = np.log(weights) - 700.0  # any scale
    counts = np.array(
        [systematic_counts(log_weights, 9, np.random.default_rng(seed)) for seed in range(4_000)]
    )
    assert (counts.sum(axis=1) == 9).all()
    assert (np.abs(counts - 9 * weights) < 1).all()
    np.testing.assert_allclose(counts.mean(axis=0), 9 * weights, atol=0.03)


def test_the_temperature_rises_until_the_effective_sample_size_has_fallen():
    losses = np.linspace(0.0, 1.0, 50)
    flat = np.zeros(50)
    found = raised_temperature(flat, losses, 0.0, 1e6, 25.0)
    assert effective_sample_size(-found * losses) == pytest.approx(25.0, rel=1e-9)
    assert raised_temperature(flat, losses, 0.0, 0.1, 25.0) == 0.1
    assert raised_temperature(flat, losses, 1e5, 1e6, 25.0) == 1e5
    assert effective_sample_size(np.full(3, -np.inf)) == 0.0
    assert raised_temperature(np.zeros(2), np.array([1e308, 0.0]), 0.0, 1e10, 3.0) == 0.0


def test_the_noise_is_that_of_differences_and_not_of_the_rows_they_share():
    rng = np.random.default_rng(0)
    hard = rng.normal(scale=100.0, size=400)  # parts that are hard for all
    parts = [hard + rng.normal(scale=0.5, size=400) for _ in range(30)]
    noise = paired_noise([part.mean() for part in parts], parts)
    assert noise == pytest.approx(0.5 * math.sqrt(2) / 20, rel=0.1)
    undefined = [np.where(rng.random(400) < 0.5, np.nan, part) for part in parts]
    assert 0.8 * noise < paired_noise([p.mean() for p in parts], undefined) < 4 * noise
    assert paired_noise([1.0], [[1.0, 3.0]]) == 1.0  # one alone: its own
    assert paired_noise([1.0, 3.0], [(), ()]) == 1.0  # no parts: the spread
    assert math.isnan(paired_noise([1.0, 1.0], [(1.0, 1.0), (1.0, 1.0)]))
    assert math.isnan(paired_noise([], []))


def test_auto_takes_one_over_the_noise_and_keeps_it_for_later_sweeps():
    search = Search(GibbsStrategy(), problem(max_trials=120))
    final = [r for r in search.strategy.history if r.rung == 3]
    assert len(final) > 1
    assert final[0].inverse_temperature == 1 / final[0].noise
    # Parts are noisy by 0.1 each: a difference of means of eight by 0.05.
    assert final[0].noise == pytest.approx(0.1 * math.sqrt(2 / 8), rel=0.5)
    assert {r.inverse_temperature for r in final} == {final[0].inverse_temperature}


# Copies.


def test_copies_share_the_network_and_are_others_inside_the_space():
    parent = Candidate((8,), epochs=30, optimizer="adamw", learning_rate=0.01, seed=1)
    space = SearchSpace(
        {
            "hidden_layer_sizes": Choice(((8,), (16,))),
            "optimizer": "adamw",
            "epochs": Choice((30, 60)),
            "learning_rate": Float(1e-3, 1e-1, log=True),
            "weight_decay": Choice((0.0, Float(1e-3, 1e-1, log=True))),
        }
    )
    copies = [jittered_candidate(parent, space, RECIPE_SETTINGS, seed) for seed in range(50)]
    assert {(c.hidden_layer_sizes, c.epochs) for c in copies} == {((8,), 30)}
    assert len({c.learning_rate for c in copies}) == len({c.seed for c in copies}) == 50
    assert len({c.weight_decay for c in copies}) > 10
    assert all(space.contains(c.settings()) for c in copies)
    assert jittered_candidate(Candidate((99,)), space, RECIPE_SETTINGS, 1) is None
    frozen = SearchSpace({"hidden_layer_sizes": (8,), "seed": 1})
    assert jittered_candidate(Candidate((8,), seed=1), frozen, (), 5) is None, "the same again"


def test_a_prior_of_settings_stays_as_it_is_under_copying():
    """Steps are reflected at the ends, so that copying alone prefers no rate."""
    space = SearchSpace({"learning_rate": Float(1e-3, 1e-1, log=True)})
    shares = []
    for seed in range(1_000):
        candidate = Candidate(learning_rate=10.0 ** (-3 + 2 * keyed_rng(9, seed).random()), seed=0)
        for step in range(4):
            candidate = jittered_candidate(candidate, space, RECIPE_SETTINGS, 4 * seed + step)
        shares.append((math.log10(candidate.learning_rate) + 3) / 2)
    assert stats.kstest(shares, "uniform").pvalue > 1e-3


def test_populations_shrink_and_are_filled_with_copies_of_the_better_ones():
    strategy = GibbsStrategy(inverse_temperature=5.0)
    search = Search(strategy, problem(max_trials=300))
    sweep = [r for r in search.strategy.history if r.sweep == 0]
    assert [r.rung for r in sweep] == [0, 1, 2, 3]
    assert sweep[0].n_particles == 200
    assert all(abs(r.n_particles - 200 // 2**r.rung) <= 2 for r in sweep)
    temperatures = [r.inverse_temperature for r in sweep]
    assert temperatures == sorted(temperatures)
    assert temperatures[-1] == 5.0
    assert all(0 < r.effective_sample_size <= r.n_alive for r in sweep)
    weights = search.strategy.posterior_weights()
    assert sum(weights.values()) == pytest.approx(1.0)
    mean = sum(w * search.results[i].score for i, w in weights.items())
    assert mean > np.mean([r.score for r in search.results.values()]) + 0.5


def test_the_best_of_each_rung_reaches_its_last_epoch():
    """Here no weight tells the particles apart, and half of them are dropped by chance."""
    for seed in range(10):
        of = problem(seed=seed, max_trials=30)
        search = Search(GibbsStrategy(0.0), of, score=lambda c, e: c.learning_rate)
        best = max(search.epochs, key=lambda i: search.strategy.candidates[i].learning_rate)
        assert search.epochs[best] == search.strategy.candidates[best].epochs


def test_diverged_particles_have_no_weight_and_no_copies():
    def score(candidate, epoch):
        return -math.inf if candidate.learning_rate < 0.004 else -candidate.learning_rate

    search = Search(GibbsStrategy(10.0), problem(max_trials=60), score=score)
    rates = [
        search.strategy.candidates[i].learning_rate for i in search.strategy.posterior_weights()
    ]
    assert rates
    assert min(rates) >= 0.004
    diverged = [i for i, r in search.results.items() if not math.isfinite(r.score)]
    assert not any(search.strategy.may_be_promoted(i) for i in diverged)
    first = search.strategy.history[0]
    assert 0 < first.n_alive < first.n_particles


def test_where_all_diverge_fresh_ones_are_drawn():
    strategy = GibbsStrategy(ensemble="posterior")
    search = Search(strategy, problem(max_trials=30), score=lambda c, e: -math.inf)
    assert len({r.sweep for r in search.strategy.history}) > 1
    assert search.strategy.posterior_weights() == {}
    assert search.strategy.posterior() is None


def test_under_a_time_limit_sweeps_follow_and_the_last_one_fits():
    search = Search(GibbsStrategy(20.0), problem(), allowance=200 * FULL_COST)
    sizes = [r.n_particles for r in search.strategy.history if r.rung == 0]
    assert len(sizes) > 2
    assert sizes[1] > sizes[0]
    assert all(SPACE.contains(c.settings()) for c in search.strategy.candidates)


def test_survivors_are_cut_when_time_runs_short():
    strategy = GibbsStrategy(1.0)
    strategy.start(problem(max_trials=60))
    rung_0 = strategy.ask(1e9 * FULL_COST)
    strategy.tell(
        [Result(r.candidate_index, r.until_epoch, -float(i), False) for i, r in enumerate(rung_0)]
    )
    (request,) = strategy.ask(0.0)  # the best one goes on all the same
    assert request.candidate_index == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inverse_temperature": -1.0}, "inverse_temperature must be auto, or finite and >= 0"),
        ({"inverse_temperature": "hot"}, "inverse_temperature must be .* got 'hot'"),
        ({"inverse_temperature": math.nan}, "inverse_temperature must be"),
        ({"n_particles": 0}, "n_particles must be None or >= 1, got 0"),
        ({"reduction_factor": 0}, "reduction_factor must be >= 1, got 0"),
        ({"fractions": (0.5,)}, "fractions must ascend"),
        ({"tempering": "cold"}, "tempering must be adaptive or fractions"),
        ({"ess_share": 1.0}, "ess_share must be"),
        ({"mutated_settings": ("epochs",)}, "mutated_settings must be some of"),
        ({"ensemble": "all"}, "ensemble must be greedy or posterior"),
        ({"first_share": 0}, "first_share must be"),
    ],
)
def test_bad_settings_are_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        GibbsStrategy(**settings)


def test_a_finite_space_needs_a_finite_loss_and_a_temperature():
    with pytest.raises(ValueError, match="losses must hold a finite one"):
        sample_gibbs([math.inf], 1.0)
    with pytest.raises(ValueError, match="inverse_temperature must be >= 0"):
        sample_gibbs([1.0], -1.0)
    assert set(sample_gibbs([0.0, math.inf, 0.0], 1.0, 50)) == {0, 2}
    assert set(sample_gibbs([1e300, 0.0], 1e300, 50)) == {1}
