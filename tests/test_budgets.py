"""What models take before they are packed, narrower candidates, and greedy choice in a budget."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automs.affordable import select_greedily
from automs.budgets import Cost, CostModel, Limits, encoder_cost, narrowed, network_cost
from automs.candidates import Candidate
from automs.kept_models import MAX_KEPT, KeptModel, KeptModels, front
from automs.outcomes import FoldNetwork
from automs.packing import build_predictor
from automs.scoring import resolve_metric
from automs.selection import select_ensemble
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

ENCODINGS = ("standard", "robust", "piecewise", "quantile")


@pytest.fixture(scope="module")
def training():
    """A training on every kind of column, with three classes."""
    rng = np.random.default_rng(0)
    n = 120
    X = pd.DataFrame(
        {
            "number": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "few": rng.choice(["a", "b", "c"], n),
            "many": [f"label {i % 30}" for i in range(n)],
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
            "rank": pd.Categorical(rng.choice(list("uvwxyz"), n), ordered=True),
        }
    )
    table = read_table(X)
    target = read_target(rng.integers(0, 3, n), n, classification=True)
    metric = resolve_metric("log_loss", "multiclass", "cross_entropy", None)
    splits = make_splits(2, n, target.values[:, 0], 0)
    return Training(table, target, splits, metric), table


def networks(training, candidate):
    number = training.add([replace(candidate, seed=1)])
    training.run([number], [1])
    return training.networks(number)


def file_of(training, table, groups):
    members = [(1.0 / len(groups), nets) for nets in groups]
    data = build_predictor(members, training.target, None, table.columns, {}).to_bytes()
    return len(data)


@pytest.mark.parametrize("size", [0, 8])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_bytes_of_an_encoder_and_a_network_are_those_of_the_file(training, encoding, size):
    """Two networks of one encoder, then with a further one: the differences are its pieces."""
    training, table = training
    candidate = Candidate((7, 5), encoding=encoding, embedding_size=size, epochs=1)
    one, other = networks(training, candidate)
    alone, twice = (file_of(training, table, [[one] * n]) for n in (1, 2))
    name = network_cost(candidate, one.encoder, 3).n_bytes - (twice - alone)
    assert name == 24, "room for the member's name comes on top of the network's own bytes"
    both = file_of(training, table, [[one, other]])
    own = encoder_cost(other.encoder).n_bytes + network_cost(candidate, other.encoder, 3).n_bytes
    assert both - alone == own - name


def test_a_model_is_never_larger_than_thought_and_hardly_smaller(training):
    training, table = training
    small, large = Candidate((4,), epochs=1), Candidate((32, 32), encoding="quantile", epochs=1)
    first = networks(training, small)[:1]
    thought = CostModel(
        file_of(training, table, [first]), first, lambda c: training.views.encoder(0, c), 3
    )
    groups = [networks(training, c) for c in (small, large, replace(large, encoding="robust"))]
    for some in (groups[:1], groups[1:], groups):
        actual = file_of(training, table, some)
        cost = thought.of_networks([net for nets in some for net in nets])
        assert actual <= cost.n_bytes <= actual + 300
    firsts = [nets[:1] for nets in groups]
    by_settings = thought.of_candidates([nets[0].candidate for nets in firsts])
    assert by_settings == thought.of_networks([net for nets in firsts for net in nets])


def test_the_nominal_latency_is_the_documented_formula(training):
    training, _ = training
    candidate = Candidate((6,), encoding="standard", embedding_size=0)
    encoder = training.views.encoder(0, candidate)
    n = encoder.n_features
    first = [FoldNetwork(candidate, encoder, [], [], np.zeros(3), np.ones(3), "softmax")]
    model = CostModel(1000, first, lambda _: encoder, 3)
    weights, units = n * 6 + 6 * 3, 6 + 3
    ns = 200 + 1.2 * n + 30 + 0.5 * units + 2 * weights / 50 + 4 * (weights + units) / 160
    assert model.of_candidates([candidate]).latency_us == pytest.approx(1e-3 * ns, rel=1e-12)
    model.pace = 3.0
    assert model.of_candidates([candidate]).latency_us == pytest.approx(3e-3 * ns, rel=1e-12)
    twice = model.of_candidates([candidate, candidate]).latency_us / 3e-3
    assert twice == pytest.approx(2 * ns - 200 - 1.2 * n, rel=1e-12), "one call, one encoding"


@given(
    st.lists(st.integers(1, 300), min_size=0, max_size=3),
    st.sampled_from(ENCODINGS),
    st.integers(0, 100_000),
)
def test_a_narrowed_candidate_fits_unless_nothing_does(sizes, encoding, room):
    candidate = Candidate(tuple(sizes), encoding=encoding)

    def takes(c):
        n_features = 20 if c.encoding == "standard" else 200
        return c.n_parameters(n_features, 1)

    narrow = narrowed(candidate, lambda c: takes(c) <= room)
    assert takes(narrow) <= max(room, takes(Candidate((), encoding="standard")))
    assert all(a <= b for a, b in zip(narrow.hidden_layer_sizes, sizes, strict=False))
    assert (narrow == candidate) == (takes(candidate) <= room) or not sizes
    kept = {"learning_rate", "epochs", "batch_size", "activation"}
    assert all(getattr(narrow, name) == getattr(candidate, name) for name in kept)


def rmse_to(y):
    return lambda p: -float(np.sqrt(np.mean((p[:, 0] - y) ** 2)))


@given(st.integers(0, 10_000))
def test_greedy_members_are_always_within_the_budget_and_none_helps_more_alone(seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=30)
    members = [(y + rng.normal(size=30))[:, None] for _ in range(6)]
    costs = rng.uniform(0.1, 0.9, 6)
    score = rmse_to(y)
    weights, best, n_steps = select_greedily(
        members, score, 12, lambda: False, lambda some: costs[list(some)].sum()
    )
    assert costs[weights > 0].sum() <= 1.0
    assert weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert 1 <= n_steps <= 12
    mean = sum(w * m for w, m in zip(weights, members, strict=True))
    assert best == pytest.approx(score(mean), rel=1e-9)
    assert best >= max(score(m) for m in members) - 1e-12


def test_many_small_members_are_found_behind_one_large_one():
    """The best member alone takes the whole budget; four others together are far better."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=400)
    noise = rng.normal(size=(4, 400))
    members = [(y + 0.9 * rng.normal(size=400))[:, None], *((y + n)[:, None] for n in noise)]
    costs = np.array([1.0, 0.25, 0.25, 0.25, 0.25])
    weights, score, _ = select_greedily(
        members, rmse_to(y), 12, lambda: False, lambda some: costs[list(some)].sum()
    )
    assert weights[0] == 0.0
    assert (weights[1:] > 0).all()
    assert score > -0.6


def test_a_budget_that_holds_for_all_changes_no_weight():
    rng = np.random.default_rng(3)
    y = rng.normal(size=(80, 1))
    members = [y + rng.normal(size=(80, 1)) for _ in range(5)]
    metric = resolve_metric("rmse", "regression")
    free = select_ensemble(members, y, metric)
    held = select_ensemble(members, y, metric, share=lambda some: 1e-6 * len(some))
    np.testing.assert_array_equal(free.weights, held.weights)
    np.testing.assert_array_equal(free.predictions, held.predictions)


def test_halves_that_score_an_ensemble_keep_to_the_budget_too():
    asked = []

    def share(some):
        asked.append(tuple(some))
        return 0.5 * len(some)

    rng = np.random.default_rng(4)
    y = rng.normal(size=(80, 1))
    members = [y + rng.normal(size=(80, 1)) for _ in range(5)]
    chosen = select_ensemble(members, y, resolve_metric("rmse", "regression"), share=share)
    assert np.count_nonzero(chosen.weights) == 2
    assert max(len(some) for some in asked) == 3, "a third member is looked at and refused"


def kept(name, score, latency_us=1.0, n_bytes=100):
    return KeptModel(name, None, {name: 1.0}, score, Cost(latency_us, n_bytes))


@given(
    st.lists(
        st.tuples(st.floats(-5, 5), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=30
    )
)
def test_the_front_is_undominated_and_keeps_the_best(models):
    scored = [(score, Cost(float(t), float(b))) for score, t, b in models]
    chosen = front(scored)
    assert 1 <= len(chosen) <= MAX_KEPT
    assert scored[chosen[0]][0] == max(score for score, _ in scored)
    for i in chosen:
        score, cost = scored[i]
        for other, its in scored:
            assert not (
                other > score and its.latency_us <= cost.latency_us and its.n_bytes <= cost.n_bytes
            )
    scores = [scored[i][0] for i in chosen]
    assert scores == sorted(scores, reverse=True)


def test_kept_models_are_bounded_in_bytes_and_the_first_wanted_stay():
    size = 1 << 20
    others = [kept(f"m{i}", 0.1 * i, n_bytes=size) for i in range(20)]
    models = KeptModels(kept("used", 5.0, n_bytes=size), others)
    assert list(models.models) == ["used", *(f"m{i}" for i in range(3, -1, -1))]
    assert models.chosen == "used"
    tiny = KeptModels(kept("used", 5.0, n_bytes=10), others[:1])
    assert len(tiny.models) == 2, "a MiB is always allowed"


def test_the_best_within_limits_is_given_or_an_error_names_the_nearest():
    models = KeptModels(kept("large", 3.0, 9.0, 900), [kept("b", 2.0, 3.0, 800), kept("c", 1.0)])
    assert models.best_within(Limits(latency_us=5.0)).name == "b"
    assert models.best_within(Limits(latency_us=5.0, n_bytes=200)).name == "c"
    with pytest.raises(ValueError, match=r"nearest, c, takes 1 us a row, latency_limit is 0.5"):
        models.best_within(Limits(latency_us=0.5))
    with pytest.raises(ValueError, match=r"kept \(large, b, c\), got 'net-9999'"):
        models.named("net-9999")
