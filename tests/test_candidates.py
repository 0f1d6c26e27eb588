"""Candidates: rules, draws, seeds, columns and nominal cost."""

import pickle
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automs import candidates as module
from automs.candidates import Candidate, resolve_loss
from automs.columns import to_columns
from automs.cost import nominal_cost
from automs.draws import draw_candidates, mutate_candidate
from automs.prior import default_search_space
from automs.search_space import Choice, Float, SearchSpace
from automs.seeds import derive_seed, derive_seeds, keyed_rng
from automs.setting_rules import RULES


def test_every_setting_has_a_rule_in_the_same_order():
    assert list(RULES) == [field.name for field in fields(Candidate)]
    assert list(Candidate().settings()) == list(RULES)


def test_settings_build_the_same_candidate_and_pickle():
    candidate = Candidate(8, activation="mish", patience=3, seed=2**64 - 1)
    assert Candidate(**candidate.settings()) == candidate
    assert pickle.loads(pickle.dumps(candidate)) == candidate
    assert hash(candidate) == hash(replace(candidate))


def test_sequences_ints_and_numpy_scalars_become_plain_python():
    candidate = Candidate(
        np.array([8, 4], dtype=np.int16),
        learning_rate=np.float32(0.5),
        batch_size=np.int64(16),
        residual=np.bool_(True),
        weight_decay=0,
    )
    assert candidate.hidden_layer_sizes == (8, 4)
    assert Candidate(np.int8(5)).hidden_layer_sizes == (5,)
    assert Candidate([3]).hidden_layer_sizes == (3,)
    kinds = [type(v) for v in candidate.settings().values()]
    assert set(kinds) <= {tuple, str, bool, float, int, type(None)}
    assert type(candidate.weight_decay) is float


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "^batch_size must be >= 1, got 0$"),
        ({"embedding_size": -1}, "^embedding_size must be >= 0, got -1$"),
        ({"embedding_size": 1025}, "embedding_size must be <= 1024, got 1025"),
        ({"epochs": 2**31}, "epochs must be <= 2147483647, got 2147483648"),
        ({"learning_rate": 0.0}, "learning_rate must be > 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be > 0, got nan"),
        ({"learning_rate": float("inf")}, "learning_rate must be > 0, got inf"),
        ({"dropout": 1.0}, "dropout must be >= 0 and < 1, got 1.0"),
        ({"quantile": 0.0}, "quantile must be > 0 and < 1"),
        ({"patience": 0}, "patience must be >= 1"),
        ({"seed": -1}, "seed must be >= 0"),
        ({"seed": 2**64}, "seed must be <= 18446744073709551615"),
        ({"activation": "step"}, "activation must be one of identity, relu"),
        ({"loss": "mse"}, "loss must be one of auto, squared"),
        ({"hidden_layer_sizes": (8, 0)}, r"hidden_layer_sizes\[1\] must be >= 1, got 0"),
        ({"hidden_layer_sizes": (65537,)}, r"hidden_layer_sizes\[0\] must be <= 65536"),
        ({"hidden_layer_sizes": (1,) * 65}, "at most 64 entries, got 65"),
        ({"weight_decay": 0.1}, "optimizer='adamw', or l2_penalty"),
        ({"l1_penalty": 0.1}, "l1_penalty must be 0 with optimizer 'adam', got 0.1"),
        ({"optimizer": "exact"}, r"must have hidden_layer_sizes=\(\)"),
        (
            {"optimizer": "exact", "hidden_layer_sizes": (), "loss": "huber"},
            "must have loss squared, squared_log or cross_entropy, got 'huber'",
        ),
        (
            {"optimizer": "exact", "hidden_layer_sizes": (), "scaling_layer": True},
            "must have scaling_layer=False, got True",
        ),
        ({"parametrization": "mup"}, "parametrization must be one of standard, ntp"),
        ({"bias_init": "he"}, r"bias_init must be one of zeros, normal, he\+5"),
        ({"bias_lr_factor": 0.0}, "bias_lr_factor must be > 0, got 0.0"),
        ({"dropout_schedule": "linear"}, "dropout_schedule must be one of constant, cosine"),
    ],
)
def test_broken_rules_are_value_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        Candidate(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 32.0}, "batch_size must be a whole number, got 32.0"),
        ({"batch_size": True}, "batch_size must be a whole number, got True"),
        ({"embedding_size": None}, "embedding_size must be a whole number, got None"),
        ({"patience": "3"}, "patience must be a whole number or None"),
        ({"learning_rate": "fast"}, "learning_rate must be a real number"),
        ({"residual": 1}, "residual must be True or False, got 1"),
        ({"activation": None}, "activation must be one of"),
        ({"hidden_layer_sizes": "64"}, "hidden_layer_sizes must be a whole number or a sequence"),
        ({"hidden_layer_sizes": (8.5,)}, r"hidden_layer_sizes\[0\] must be a whole number"),
        ({"hidden_layer_sizes": None}, "hidden_layer_sizes must be"),
    ],
)
def test_wrong_types_are_type_errors(settings, message):
    with pytest.raises(TypeError, match=message):
        Candidate(**settings)


def test_only_the_layer_sizes_may_be_positional():
    with pytest.raises(TypeError):
        Candidate((8,), "relu")


def test_n_parameters_counts_weights_and_biases():
    assert Candidate(()).n_parameters(3, 2) == 3 * 2 + 2
    assert Candidate((5, 4)).n_parameters(3, 2) == (15 + 5) + (20 + 4) + (8 + 2)


def test_tables_count_and_their_vectors_widen_the_first_layer():
    candidate = Candidate(5, embedding_size=4)
    assert candidate.table_shapes([2, 30]) == [(2, 2), (30, 4)]
    assert candidate.layer_shapes(3, 2, [2, 30]) == [(3 + 2 + 4, 5), (5, 2)]
    assert candidate.n_parameters(3, 2, [2, 30]) == 2 * 2 + 30 * 4 + 9 * 5 + 5 + 5 * 2 + 2
    without = Candidate(5, embedding_size=0)
    assert without.layer_shapes(3, 2, [2, 30]) == without.layer_shapes(3, 2)
    assert without.n_parameters(3, 2, [2, 30]) == without.n_parameters(3, 2)


def test_losses_are_settled_by_the_task():
    assert resolve_loss("auto", "regression") == "squared"
    assert resolve_loss("auto", "multiclass") == "cross_entropy"
    assert resolve_loss("huber", "regression") == "huber"
    with pytest.raises(ValueError, match="for binary, got 'squared'"):
        resolve_loss("squared", "binary")
    with pytest.raises(ValueError, match="for regression, got 'cross_entropy'"):
        resolve_loss("cross_entropy", "regression")


def test_splitmix64_gives_its_published_first_value():
    assert derive_seed(0) == 0xE220A8397B1DCDAF


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), max_size=20))
def test_derived_seeds_are_the_same_one_by_one_and_as_an_array(seed, numbers):
    together = derive_seeds(seed, np.array(numbers, dtype=np.uint64))
    assert together.dtype == np.uint64
    assert together.tolist() == [derive_seed(seed, number) for number in numbers]


def test_derived_seeds_depend_on_each_number_and_their_order():
    seeds = {derive_seed(s, a, b) for s in range(10) for a in range(10) for b in range(10)}
    assert len(seeds) == 1000
    assert len(np.unique(derive_seeds(7, np.arange(100_000, dtype=np.uint64)))) == 100_000
    assert keyed_rng(1, 2).random() != keyed_rng(2, 1).random()
    assert derive_seed(-1) == derive_seed(2**64 - 1)


SPACE = default_search_space("binary", 2_000)


def test_candidate_number_i_depends_on_seed_and_i_alone():
    many = draw_candidates(SPACE, 50, seed=5)
    assert draw_candidates(SPACE, 10, seed=5, first=20) == many[20:30]
    assert draw_candidates(SPACE, 50, seed=6) != many
    assert len({candidate.seed for candidate in many}) == 50
    assert many[3].seed == derive_seed(5, 3)


def test_draws_are_the_same_in_another_process():
    code = (
        "from automs.draws import draw_candidates as d;"
        "from automs.prior import default_search_space as s;"
        "print(d(s('binary', 2_000), 20, seed=5))"
    )
    root = str(Path(module.__file__).parents[1])
    code = f"import sys; sys.path.insert(0, {root!r}); {code}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(draw_candidates(SPACE, 20, seed=5))


def test_a_seed_in_the_space_is_kept_and_invalid_draws_are_errors():
    assert draw_candidates(SearchSpace({"seed": 3}), 2, seed=0)[1].seed == 3
    with pytest.raises(ValueError, match="search_space gave an invalid candidate: weight_decay"):
        draw_candidates(SearchSpace({"weight_decay": Float(0.1, 0.2)}), 1, seed=0)
    with pytest.raises(ValueError, match="nearest is 'dropout'"):
        draw_candidates(SearchSpace({"drop_out": 0.1}), 1, seed=0)


def test_mutants_are_near_their_parent_inside_the_space_and_reproducible():
    parent = draw_candidates(SPACE, 1, seed=0)[0]
    child = mutate_candidate(parent, SPACE, seed=0, number=77)
    assert child == mutate_candidate(parent, SPACE, seed=0, number=77)
    assert SPACE.contains(child.settings())
    assert child.seed == derive_seed(0, 77) != parent.seed
    same = [getattr(child, n) == getattr(parent, n) for n in parent.settings()]
    assert len(same) / 2 < sum(same) < len(same)
    outside = Candidate((), optimizer="exact", seed=1)
    assert SPACE.contains(mutate_candidate(outside, SPACE, seed=0, number=1).settings())


def test_columns_have_the_agreed_types_and_codes():
    first = Candidate(
        (8, 4), activation="mish", loss="huber", patience=5, residual=True, embedding_size=0
    )
    second = Candidate((), optimizer="sgd", learning_rate_schedule="flat_cos", loss="poisson")
    columns = to_columns([first, second], np.array([2**64 - 1, 0], dtype=np.uint64))
    assert columns["hidden_sizes"].tolist() == [8, 4]
    assert columns["hidden_offsets"].tolist() == [0, 2, 2]
    assert columns["activation"].tolist() == [9, 1]
    assert columns["loss"].tolist() == [2, 4]
    assert columns["optimizer"].tolist() == [1, 0]
    assert columns["learning_rate_schedule"].tolist() == [0, 3]
    assert columns["patience"].tolist() == [5, 0]
    assert columns["embedding_size"].tolist() == [0, 8]
    assert columns["residual"].tolist() == [1, 0]
    assert columns["seed"].tolist() == [2**64 - 1, 0]
    types = {name: str(column.dtype) for name, column in columns.items()}
    assert types.pop("hidden_offsets") == "int64"
    assert types.pop("seed") == "uint64"
    int32 = (
        "hidden_sizes activation loss optimizer learning_rate_schedule batch_size epochs patience "
        "embedding_size numeric_embedding n_frequencies periodic_embedding_size parametrization "
        "weight_init bias_init weight_decay_schedule dropout_schedule n_members"
    )
    assert {types.pop(name) for name in int32.split()} == {"int32"}
    flags = "residual nesterov scaling_layer parametric_activation zero_output_layer"
    assert {types.pop(name) for name in flags.split()} == {"uint8"}
    assert set(types.values()) == {"float64"}
    assert set(types) | {"loss"} >= {"learning_rate", "huber_delta", "quantile", "epsilon"}
    assert len(types) == 15


def test_columns_of_no_candidates_are_empty():
    columns = to_columns([], [])
    assert columns["hidden_offsets"].tolist() == [0]
    assert columns["hidden_sizes"].dtype == np.int32


def test_columns_refuse_what_the_engine_cannot_train():
    assert to_columns([Candidate()], [0], task="binary")["loss"].tolist() == [6]
    with pytest.raises(ValueError, match="'auto' where no task"):
        to_columns([Candidate()], [0])
    with pytest.raises(ValueError, match="must not have optimizer 'exact'"):
        to_columns([Candidate((), optimizer="exact")], [0], task="binary")
    with pytest.raises(ValueError, match="seeds must be one per candidate"):
        to_columns([Candidate()], [0, 1], task="binary")


def test_nominal_cost_grows_with_size_epochs_and_small_batches():
    size = (1_000, 20, 1)
    cost = nominal_cost(Candidate((64, 64), epochs=10), *size)
    assert nominal_cost(Candidate((64, 64), epochs=20), *size) == 2 * cost
    assert nominal_cost(Candidate((64, 64), epochs=20), *size, epochs=10) == cost
    assert nominal_cost(Candidate((64, 64)), *size, epochs=0) == 0
    assert nominal_cost(Candidate((128, 64), epochs=10), *size) > cost
    assert nominal_cost(Candidate((64, 64), epochs=10, batch_size=8), *size) > cost
    exact = Candidate((), optimizer="exact")
    assert nominal_cost(exact, *size) == 1_000 * 21**2 + 21**3
    assert nominal_cost(exact, *size, epochs=0) == 0


def test_nominal_cost_follows_its_formula():
    weights, parameters = 3 * 8 + 8 * 2, 3 * 8 + 8 + 8 * 2 + 2
    rows, steps = 100, 4
    expected = rows * (6 * weights - 2 * 24 + 40 * 10) + steps * (12 * parameters + 4000 * 2)
    assert nominal_cost(Candidate(8), rows, 3, 2, epochs=1) == expected
    # Six more inputs, 2 of one table and 4 of another, whose gradient is needed.
    weights, parameters = weights + 6 * 8, parameters + 6 * 8 + 2 * 2 + 30 * 4
    expected = rows * (6 * weights - 2 * 24 + 40 * 10) + steps * (12 * parameters + 4000 * 2)
    embedded = Candidate(8, embedding_size=4)
    assert nominal_cost(embedded, rows, 3, 2, epochs=1, embedding_rows=[2, 30]) == expected


def test_nominal_cost_of_bins_is_that_of_a_table_where_it_is_less():
    many, few = ([16] * 10, 160), ([2] * 10, 20)
    for batch_size in (16, 64, 1000):
        candidate = Candidate(32, batch_size=batch_size)
        for bins, n_features in (many, few):
            dense = nominal_cost(candidate, 1000, n_features + 3, 1, epochs=1)
            by_table = nominal_cost(candidate, 1000, n_features + 3, 1, epochs=1, bins=bins)
            features = 4.2 * 10 + 5 * n_features / min(batch_size, 128)
            saved = 1000 * 4 * 32 * max(0, n_features - features)
            assert dense - by_table == pytest.approx(saved)
            assert (saved > 0) == (bins[0] == 16)
    exact = Candidate((), optimizer="exact")
    assert nominal_cost(exact, 1000, 163, 1, bins=[16] * 10) == nominal_cost(exact, 1000, 163, 1)


@pytest.mark.parametrize("batch_size", [16, 64, 1000])
def test_nominal_cost_of_slots_is_that_of_a_row_of_weights_each(batch_size):
    candidate = Candidate(32, batch_size=batch_size)
    dense = nominal_cost(candidate, 1000, 203, 1, epochs=1)
    both = nominal_cost(candidate, 1000, 203, 1, epochs=1, bins=[16] * 10, slots=[8] * 5)
    features = 4.2 * 10 + 3.6 * 5 + (5 * 160 + 40) / min(batch_size, 128)
    assert dense - both == pytest.approx(1000 * 4 * 32 * (200 - features))


def test_choices_of_layer_sizes_may_be_tuples():
    space = SearchSpace({"hidden_layer_sizes": Choice(((), (8,), (8, 8)))})
    drawn = {c.hidden_layer_sizes for c in draw_candidates(space, 30, seed=0)}
    assert drawn == {(), (8,), (8, 8)}
