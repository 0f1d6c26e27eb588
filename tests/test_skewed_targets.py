"""Skewed targets: when losses on logarithms are tried, and that validation chooses among them."""

from dataclasses import replace

import numpy as np
import pytest

from automs import AutoRegressor, SearchSpace
from automs.portfolio import first_candidates
from automs.search_space import Choice
from automs.skewed_targets import (
    first_loss,
    is_skewed,
    linear_losses,
    log_losses,
    loss_to_draw,
    with_twins,
)
from automs.target import read_target

RNG = np.random.default_rng(8)
NORMAL = RNG.normal(size=500)
X = RNG.normal(size=(200, 3))
WIDE = np.exp(X @ [0.6, -0.4, 0.3] + 0.1 * RNG.normal(size=200))


def target(y, *, classification=False):
    return read_target(y, len(y), classification=classification)


@pytest.mark.parametrize(
    ("y", "wanted"),
    [
        (np.exp(NORMAL), True),
        (np.exp(NORMAL) - 9.0, True),
        (RNG.poisson(1.0, 500).astype(float), True),
        (NORMAL, False),
        (-np.exp(NORMAL), False),
        (np.append(NORMAL, 1e6), False),  # one outlier is no skewness
        (np.full(500, 3.0), False),
        (np.column_stack([np.exp(NORMAL), np.exp(-NORMAL)]), True),
        (np.column_stack([np.exp(NORMAL), NORMAL]), False),
    ],
)
def test_a_target_is_skewed_where_every_column_clearly_is(y, wanted):
    for unit in (1.0, 1e-140, 1e140):
        assert is_skewed(unit * y.reshape(len(y), -1)) == wanted


def test_losses_on_logarithms_stand_beside_those_of_a_location_alone():
    wide = target(np.exp(NORMAL))
    for loss in ("squared", "absolute", "huber"):
        assert log_losses(wide, loss) == ("poisson", "squared_log")
        assert log_losses(target(np.exp(NORMAL) - 1.0), loss) == ("squared_log",)
        assert log_losses(target(NORMAL), loss) == ()
    for loss in ("quantile", "poisson", "squared_log"):
        assert log_losses(wide, loss) == ()
    assert log_losses(target(RNG.poisson(1.0, 50), classification=True), "cross_entropy") == ()


def test_a_space_keeps_the_loss_that_was_asked_for_first():
    assert loss_to_draw("huber", ()) == "huber"
    drawn = loss_to_draw("huber", ("poisson", "squared_log"))
    assert drawn.options == ("huber", "poisson", "squared_log")
    assert sum(drawn.weights) == 1.0
    for loss, first, logs in (
        (drawn, "huber", True),
        ("huber", "huber", False),
        (Choice(("huber", "absolute")), "auto", False),  # a caller's own
    ):
        space = SearchSpace({"loss": loss})
        assert first_loss(space) == first
        further = {"-log": "squared_log"} if logs else {}
        assert linear_losses(space) == {"": first} | further
    assert first_loss(SearchSpace({})) == "auto"


def test_twins_differ_in_their_loss_alone():
    plain = first_candidates("regression", 5_000, loss="squared")
    assert with_twins(plain, ()) == plain
    twins = with_twins(plain, ("poisson", "squared_log"))
    assert twins[: len(plain)] == plain
    others = twins[len(plain) :]
    assert [c.loss for c in others] == ["poisson", "squared_log"] * 3
    assert [c.n_members for c in others] == [1, 1, 1, 1, 4, 4]
    assert all(replace(c, loss="squared") in plain for c in others)


def losses_of(y, **settings):
    model = AutoRegressor(
        max_trials=16, baselines=None, random_state=0, validation=3, **settings
    ).fit(X, y)
    return model, {trial.name: trial.candidate.loss for trial in model.trials_}


def test_a_search_tries_them_where_the_target_is_skewed_and_uses_what_validation_says():
    model, losses = losses_of(WIDE)
    names = [name for name in losses if not name.startswith(("net", "sparse"))]
    assert names == ["constant", "linear", "additive", "linear-log", "additive-log"]
    assert {"squared", "poisson", "squared_log"} <= set(losses.values())
    assert "squared" not in {losses[name] for name in model.ensemble_weights_}
    assert model.score(X, WIDE) > 0.95
    model, losses = losses_of(np.log(WIDE))
    assert set(losses.values()) <= {"auto", "squared"}
    names = [name for name in losses if not name.startswith(("net", "sparse"))]
    assert names == ["constant", "linear", "additive"]


def test_a_caller_s_space_and_loss_stay_as_they_are():
    space = SearchSpace({"hidden_layer_sizes": (4,), "epochs": 2})
    assert set(losses_of(WIDE, search_space=space)[1].values()) <= {"auto", "squared"}
    assert set(losses_of(WIDE, loss="poisson")[1].values()) == {"poisson"}
    assert set(losses_of(WIDE, loss="squared_log")[1].values()) == {"squared_log"}
