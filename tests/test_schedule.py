"""Rungs, promotion and the size of brackets."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automs.schedule import (
    bracket_cost,
    n_survivors,
    promote,
    rung_epochs,
    shorter_runs,
)


@given(st.integers(1, 10_000))
def test_rungs_ascend_to_the_last_epoch(epochs):
    rungs = rung_epochs(epochs)
    assert rungs[-1] == epochs
    assert rungs[0] >= 1
    assert all(a < b for a, b in itertools.pairwise(rungs))
    assert len(rungs) == 4 or epochs < 15


@pytest.mark.parametrize("times", [1, 2, 16])
def test_rungs_lie_where_the_cycles_of_coslog4_end(times):
    assert rung_epochs(15 * times) == [times, 3 * times, 7 * times, 15 * times]


@given(st.integers(1, 500), st.integers(1, 10_000))
def test_shorter_runs_halve_and_keep_enough_steps(epochs, steps):
    runs = shorter_runs(epochs, steps)
    assert runs == [epochs // 2**times for times in range(1, len(runs) + 1)]
    assert all(n >= 1 and n * steps >= 5000 for n in runs)
    following = epochs // 2 ** (len(runs) + 1)
    assert following == 0 or following * steps < 5000


@pytest.mark.parametrize("fractions", [(), (0.5,), (0.5, 0.2, 1), (0, 1), (0.5, 1, 1.5)])
def test_bad_fractions_are_errors(fractions):
    with pytest.raises(ValueError, match="fractions must ascend"):
        rung_epochs(10, fractions)


def test_at_least_one_epoch_is_needed():
    with pytest.raises(ValueError, match="epochs must be >= 1, got 0"):
        rung_epochs(0)


SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.0, float("nan"), float("-inf")]), max_size=30)


@given(SCORES, st.integers(0, 40))
def test_the_best_are_promoted_and_ties_go_to_the_lower_index(scores, n_keep):
    order = promote(scores, n_keep).tolist()
    value = [-np.inf if np.isnan(score) else score for score in scores]
    assert order == sorted(range(len(scores)), key=lambda at: (-value[at], at))[:n_keep]


def test_survivors_shrink_but_two_reach_the_end():
    assert [n_survivors(81, 3, rung) for rung in range(4)] == [81, 27, 9, 3]
    assert [n_survivors(5, 3, rung) for rung in range(4)] == [5, 2, 2, 2]
    assert [n_survivors(1, 3, rung) for rung in range(4)] == [1, 1, 1, 1]
    assert n_survivors(0, 3, 0) == 0


def test_the_cost_of_a_bracket_is_the_sum_of_its_rungs():
    # 27 to 1/15, 9 on to 3/15, 3 on to 7/15, 2 on to the end
    expected = (27 * 1 + 9 * 2 + 3 * 4 + 2 * 8) / 15
    assert bracket_cost(27, 2.0, 3) == pytest.approx(2 * expected, rel=1e-12)  # rounding only
    assert bracket_cost(0, 2.0, 3) == 0
