"""Dimensions, conditions, search spaces and the default one."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automs.draws import check_search_space, draw_candidates, mutate_candidate
from automs.portfolio import first_candidates
from automs.prior import automatic_batch_size, default_search_space
from automs.recipes import realmlp_td
from automs.search_space import Choice, Float, Int, Layers, SearchSpace, When

DIMENSIONS = [
    Float(-1.0, 2.0),
    Float(1e-4, 1e2, log=True),
    Int(-3, 7),
    Int(2, 20, step=3),
    Int(1, 512, log=True),
    Choice(("relu", "tanh")),
    Choice((0.0, Float(0.1, 0.2)), weights=(0.4, 0.6)),
    Choice(((), (32,), (64, 64))),
    Layers(depth=Int(1, 3), width=Int(16, 128, log=True)),
    Layers(depth=Choice((0, 4)), width=Choice((8, 64)), shape="funnel"),
    Layers(depth=2, width=32),
]


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=repr)
def test_draws_and_mutations_stay_inside(dimension):
    rng = np.random.default_rng(0)
    value = dimension.sample(rng)
    for _ in range(300):
        assert dimension.contains(dimension.sample(rng))
        value = dimension.mutate(value, rng)
        assert dimension.contains(value)


@given(st.floats(1e-6, 1e3), st.floats(1.0001, 1e6), st.integers(0, 2**32))
def test_logarithmic_floats_hold_any_range(low, factor, seed):
    dimension = Float(low, low * factor, log=True)
    assert dimension.contains(dimension.sample(np.random.default_rng(seed)))
    assert dimension.contains(dimension.mutate(low, np.random.default_rng(seed)))


def test_logarithmic_draws_are_even_in_the_logarithm():
    rng = np.random.default_rng(1)
    drawn = np.array([Float(1e-4, 1e0, log=True).sample(rng) for _ in range(4000)])
    # Binomial(4000, 1/2): the standard deviation of the share is 0.008; six of them.
    assert abs((drawn < 1e-2).mean() - 0.5) < 0.048
    ints = [Int(1, 3).sample(rng) for _ in range(300)]
    assert set(ints) == {1, 2, 3}


def test_weights_decide_how_often_an_option_is_drawn():
    rng = np.random.default_rng(2)
    drawn = [Choice(("a", "b", "c"), weights=(3, 1, 0)).sample(rng) for _ in range(4000)]
    # Binomial(4000, 3/4): the standard deviation of the share is 0.007; six of them.
    assert abs(drawn.count("a") / 4000 - 0.75) < 0.042
    assert "c" not in drawn


def test_mutation_takes_small_steps():
    rng = np.random.default_rng(3)
    moved = np.array([Float(0.0, 1.0).mutate(0.5, rng) for _ in range(500)])
    assert 0.05 < np.abs(moved - 0.5).mean() < 0.25  # a normal step of 0.15: mean 0.12
    assert len({Int(16, 128, log=True).mutate(64, rng) for _ in range(50)}) > 10


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Float(2, 1), "low must be < high"),
        (lambda: Float(0, 1, log=True), "log needs low > 0"),
        (lambda: Float(0, float("inf")), "high must be a finite number"),
        (lambda: Float("a", 1), "low must be a finite number"),
        (lambda: Int(0, 5, log=True), "log needs low >= 1"),
        (lambda: Int(1.5, 5), "low must be a whole number"),
        (lambda: Int(1, 5, step=0), "step must be >= 1"),
        (lambda: Int(1, 5, log=True, step=2), "log needs step 1"),
        (lambda: Choice(()), "options must not be empty"),
        (lambda: Choice("relu"), "options must be a sequence"),
        (lambda: Choice((1, 2), weights=(1,)), "one per option"),
        (lambda: Choice((1, 2), weights=(0, 0)), "not all zero"),
        (lambda: Choice((1, 2), weights=(-1, 2)), ">= 0"),
        (lambda: Layers(1, 8, shape="cone"), "shape must be"),
        (lambda: SearchSpace.union([]), "not all zero"),
    ],
)
def test_bad_dimensions_are_errors_that_say_the_rule(build, message):
    with pytest.raises(ValueError, match=message):
        build()


SPACE = SearchSpace(
    {
        "momentum": When("optimizer", equals="sgd", then=Float(0.5, 0.99), otherwise=0.9),
        "optimizer": Choice(("adamw", "sgd", "adam")),
        "weight_decay": When(
            "optimizer",
            equals={"adamw", "sgd"},
            then=Choice((0.0, Float(1e-3, 1e-1, log=True))),
            otherwise=0.0,
        ),
        "hidden_layer_sizes": Layers(depth=Int(1, 3), width=Int(8, 64, log=True)),
        "epochs": 30,
    }
)


@pytest.mark.parametrize("seed", range(50))
def test_conditions_hold_in_draws_and_mutations(seed):
    rng = np.random.default_rng(seed)
    values = SPACE.sample(rng)
    for _ in range(20):
        if values["optimizer"] != "sgd":
            assert values["momentum"] == 0.9
        if values["optimizer"] == "adam":
            assert values["weight_decay"] == 0.0
        assert SPACE.contains(values)
        values = SPACE.mutate(values, rng)


def test_nested_conditions_are_settled():
    space = SearchSpace(
        {
            "a": When("b", True, then=When("c", 1, then="both", otherwise="b"), otherwise="none"),
            "b": Choice((True, False)),
            "c": Choice((1, 2)),
        }
    )
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = space.sample(rng)
        expected = ("both" if values["c"] == 1 else "b") if values["b"] else "none"
        assert values["a"] == expected


def test_cycles_and_unknown_parameters_in_conditions_are_errors():
    with pytest.raises(ValueError, match="cycle"):
        SearchSpace({"a": When("b", 1, 2, 3), "b": When("a", 1, 2, 3)})
    with pytest.raises(ValueError, match="reads 'optimizer'"):
        SearchSpace({"a": When("optimizer", "sgd", 1, 2)})
    with pytest.raises(TypeError, match="names must be strings"):
        SearchSpace({1: 2})


def test_a_union_draws_from_its_parts_by_weight():
    small, large = SearchSpace({"epochs": 1}), SearchSpace({"batch_size": 2})
    union = SearchSpace.union([(1, small), (3, large)])
    rng = np.random.default_rng(0)
    names = [next(iter(union.sample(rng))) for _ in range(4000)]
    assert abs(names.count("batch_size") / 4000 - 0.75) < 0.042  # six standard deviations
    assert set(union) == {"epochs", "batch_size"}
    assert union.parameters == {}
    assert union.replace(dropout=0.5)["dropout"] == 0.5
    assert union.mutate({"epochs": 1}, rng) == {"epochs": 1}  # the part that holds it
    assert union.mutate({"epochs": 7, "batch_size": 2}, rng) == {"batch_size": 2}
    unwanted = SearchSpace.union([(0, small), (1, large)])
    assert unwanted.mutate({"epochs": 1}, rng) == {"batch_size": 2}
    with pytest.raises(TypeError, match="pairs"):
        SearchSpace.union([(1, {"epochs": 1})])


def test_values_from_outside_are_replaced_by_draws():
    mutated = SPACE.mutate({"optimizer": "lbfgs", "epochs": 7}, np.random.default_rng(0))
    assert SPACE.contains(mutated)
    assert mutated["epochs"] == 30


def test_replace_reaches_every_part_and_leaves_the_original():
    space = default_search_space("regression", 500)
    huber = space.replace(loss="huber")
    assert {c.loss for c in draw_candidates(huber, 20, seed=0)} == {"huber"}
    assert "loss" not in space
    assert huber.parameters["loss"] == "huber"
    assert SPACE.replace(epochs=5)["epochs"] == 5


def test_spaces_compare_copy_pickle_and_print():
    for space in (SPACE, default_search_space("binary", 100)):
        assert pickle.loads(pickle.dumps(space)) == space == copy.deepcopy(space)
        names = {"SearchSpace": SearchSpace, "When": When, "Choice": Choice}
        names |= {"Float": Float, "Int": Int, "Layers": Layers}
        assert eval(repr(space), names) == space
    assert SearchSpace({}) != SPACE


def test_unknown_names_are_errors_with_the_nearest_name():
    with pytest.raises(ValueError, match="got 'lerning_rate': nearest is 'learning_rate'"):
        check_search_space(SearchSpace({"lerning_rate": 1e-3}))


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("n_rows", [1, 500, 5_000, 40_000, 500_000, 5_000_000])
def test_the_default_space_gives_valid_candidates(task, n_rows):
    space = default_search_space(task, n_rows)
    candidates = draw_candidates(space, 60, seed=n_rows)
    assert all(space.contains(c.settings()) for c in candidates)
    assert all(c.epochs % 15 == 0 and c.epochs >= 15 for c in candidates)
    assert all(c.label_smoothing == 0 for c in candidates)
    assert {c.beta2 for c in candidates} == {0.95, 0.999}  # both halves of the mixture
    assert 0.0 in {c.weight_decay for c in candidates}


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_the_default_space_has_the_neighbours_of_realmlp_and_of_its_variants(task):
    """A step from one of the first candidates after RealMLP-TD keeps its recipe."""
    space = default_search_space(task, 3_000)
    own = [c for c in first_candidates(task, 3_000) if c.numeric_embedding == "pbld"]
    assert own
    for number, parent in enumerate([*own, realmlp_td(task, 3_000)]):
        child = mutate_candidate(parent, space, seed=0, number=number)
        for setting in ("parametrization", "numeric_embedding", "weight_init", "scaling_layer"):
            assert getattr(child, setting) == getattr(parent, setting)
        assert space.contains(child.settings())
        assert child.learning_rate >= 0.01
    assert all(space.contains(c.settings()) for c in own)


def test_larger_tables_get_fewer_epochs_and_larger_batches():
    assert [automatic_batch_size(n) for n in (10, 1_025, 8_193, 30_001)] == [64, 128, 256, 512]
    small = draw_candidates(default_search_space("regression", 500), 50, seed=0)
    large = draw_candidates(default_search_space("regression", 10**6), 50, seed=0)
    assert {c.epochs for c in small} == {60, 120, 240}
    assert {c.epochs for c in large} == {15, 30}
    assert "piecewise-fine" not in {c.encoding for c in small}
    assert {"piecewise", "piecewise-fine"} <= {c.encoding for c in large}
    with pytest.raises(ValueError, match="task must be one of"):
        default_search_space("ranking", 10)
    with pytest.raises(ValueError, match="n_train_rows must be >= 1"):
        default_search_space("binary", 0)
