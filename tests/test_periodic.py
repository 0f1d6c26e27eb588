"""Periodic embeddings: settings, training, what the predictor makes of them, refusals."""

import numpy as np
import pytest
from sklearn.model_selection import PredefinedSplit

from automs._core import TrainJobs
from automs.candidates import Candidate
from automs.columns import to_columns
from automs.cost import nominal_cost
from automs.experiment import train_candidates
from automs.outcomes import JobState
from automs.scoring import resolve_metric
from automs.setting_columns import SettingColumns
from automs.splits import Split
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

N_ROWS = 240
PBLD = Candidate((12,), numeric_embedding="pbld", frequency_scale=0.5, epochs=12, seed=3)


def make_rows():
    """Give X with a number that waves, one that says nothing, a missing value and categories."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, size=(N_ROWS, 2))
    y = np.cos(4.0 * x[:, 0]) + 0.05 * rng.normal(size=N_ROWS)
    labels = rng.integers(12, size=N_ROWS)
    X = [[a, b, f"label {c}", f"{c % 6}"] for (a, b), c in zip(x.tolist(), labels, strict=True)]
    X[5][1] = None
    return X, y


def halves():
    return PredefinedSplit(np.where(np.arange(N_ROWS) < N_ROWS // 2, -1, 0))


def train(candidate, **settings):
    X, y = make_rows()
    (trained,) = train_candidates([candidate], X, y, **{"validation": halves()} | settings)
    return trained


def arrays_of(trained):
    """Give every array that a candidate learned."""
    (weights,), (biases,), (tables,), (periodic,) = (
        trained.weights, trained.biases, trained.embeddings, trained.periodic
    )  # fmt: skip
    return [*weights, *biases, *tables, *(periodic or {}).values()]


def test_a_linear_model_learns_a_wave():
    recipe = {"learning_rate": 0.2, "epochs": 60, "frequency_scale": 0.5, "seed": 1}
    plain = train(Candidate((), **recipe))
    waves = train(Candidate((), numeric_embedding="pbld", **recipe))
    # A straight line explains none of a cosine, whose deviation is 0.7.
    assert plain.score < -0.6
    assert waves.score > 0.5 * plain.score


@pytest.mark.parametrize("encoding", ["robust", "standard"])
@pytest.mark.parametrize("size", [2, 4, 9])
def test_the_predictor_gives_what_was_scored(encoding, size):
    candidate = Candidate(
        (12, 12), numeric_embedding="pbld", periodic_embedding_size=size, n_frequencies=5,
        encoding=encoding, residual=True, epochs=10, learning_rate=0.02, seed=2,
    )  # fmt: skip
    trained = train(candidate)
    X, y = make_rows()
    predictions = trained.predictor().predict(X[N_ROWS // 2 :])
    error = np.sqrt(np.mean((predictions - y[N_ROWS // 2 :]) ** 2))
    # Float32 networks whose sums run in another order.
    assert error == pytest.approx(-trained.score, rel=1e-5)


def test_arrays_have_the_shapes_that_the_candidate_tells():
    trained = train(PBLD)
    (periodic,) = trained.periodic
    assert list(periodic) == ["frequencies", "weights", "phases", "biases"]
    assert [array.shape for array in periodic.values()] == PBLD.periodic_shapes(2)
    assert PBLD.periodic_shapes(2) == [(16, 2), (16, 3, 2), (16, 2), (3, 2)]
    n_features = 2 + 1 + 6  # two numbers, an indicator, slots
    shapes = PBLD.layer_shapes(n_features, 1, [len(trained.embeddings[0][0])], 2)
    assert [array.shape for array in trained.weights[0]] == shapes
    n_parameters = PBLD.n_parameters(n_features, 1, [len(trained.embeddings[0][0])], 2)
    assert sum(array.size for array in arrays_of(trained)) == n_parameters
    assert trained.predictor().n_parameters == n_parameters
    assert train(Candidate((4,), epochs=1)).periodic == [None]


def test_threads_and_pauses_do_not_change_a_bit(n_threads):
    whole = train(PBLD)
    paused = train(PBLD, epochs=5, n_jobs=n_threads)
    resumed = train(paused, n_jobs=n_threads)
    for found, expected in zip(arrays_of(resumed), arrays_of(whole), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_the_embedding_is_learned_and_begins_as_stated():
    settings = {"frequency_scale": 0.01, "n_frequencies": 100, "learning_rate": 1e-9}
    (first,) = train(Candidate((4,), numeric_embedding="pbld", epochs=1, **settings)).periodic
    # Deviations of 200 normal numbers vary by 5 %; uniform ones stay within their bounds.
    assert np.std(first["frequencies"]) == pytest.approx(0.01, rel=0.25)
    assert 3.0 < np.abs(first["phases"]).max() <= np.float32(np.pi)
    assert 0.09 < np.abs(first["weights"]).max() <= np.float32(0.1)
    (begun,), (later,) = (train(PBLD, epochs=epochs).periodic for epochs in (1, 12))
    for name, array in begun.items():
        assert np.all(array != later[name])


def test_a_diverging_one_is_a_state():
    trained = train(Candidate((8,), numeric_embedding="pbld", learning_rate=1e30, epochs=20))
    assert trained.state == "DIVERGED"


def test_without_scaled_numbers_nothing_changes():
    X = [labels for _, _, *labels in make_rows()[0]]
    y = make_rows()[1]
    pair = [Candidate((4,), numeric_embedding=kind, epochs=2, seed=0) for kind in ("none", "pbld")]
    none, pbld = train_candidates(pair, X, y)
    assert pbld.periodic == [None]
    for found, expected in zip(arrays_of(pbld), arrays_of(none), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert pbld.predictor().n_parameters == none.predictor().n_parameters


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"numeric_embedding": "plr"}, "numeric_embedding must be one of none, pbld"),
        ({"n_frequencies": 0}, "n_frequencies must be"),
        ({"n_frequencies": 1025}, "n_frequencies must be"),
        ({"periodic_embedding_size": 1}, "periodic_embedding_size must be"),
        ({"periodic_embedding_size": 65}, "periodic_embedding_size must be"),
        ({"frequency_scale": 0.0}, "frequency_scale must be"),
        ({"encoding": "piecewise"}, "must have encoding 'robust' or 'standard', got 'piecewise'"),
        ({"encoding": "quantile"}, "must have encoding 'robust' or 'standard', got 'quantile'"),
        ({"optimizer": "exact"}, "optimizer 'exact' must have numeric_embedding 'none'"),
    ],
)
def test_settings_that_break_a_rule_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Candidate((), **{"numeric_embedding": "pbld"} | settings)


def test_the_engine_gets_its_columns_and_refuses_bad_ones():
    columns = to_columns([Candidate(4), PBLD], [1, 2], task="regression")
    assert columns["numeric_embedding"].tolist() == [0, 1]
    assert columns["n_frequencies"].tolist() == [16, 16]
    assert columns["periodic_embedding_size"].dtype == np.int32
    assert columns["frequency_scale"].tolist() == [0.1, 0.5]
    for name, value in (
        ("numeric_embedding", 2),
        ("n_frequencies", 0),
        ("periodic_embedding_size", 65),
        ("frequency_scale", np.nan),
    ):
        bad = columns | {name: np.full_like(columns[name], value)}
        with pytest.raises(ValueError, match=name):
            TrainJobs().add_candidates(bad)


def test_columns_of_settings_follow_the_same_rules():
    columns = {"numeric_embedding": ["none", "pbld"], "encoding": ["quantile", "robust"]}
    assert [c.numeric_embedding for c in SettingColumns(columns, seed=0)] == ["none", "pbld"]
    with pytest.raises(ValueError, match="must have encoding 'robust' or 'standard'"):
        SettingColumns(columns | {"encoding": ["robust", "quantile"]}, seed=0)


@pytest.mark.parametrize("n_periodic", [-1, 3])
def test_a_view_has_as_many_scaled_features_as_it_says(n_periodic):
    rows, one = np.arange(4, dtype=np.int32), np.ones(1)
    X, y = np.zeros((4, 2), np.float32), np.zeros((4, 1))
    with pytest.raises(ValueError, match=rf"n_periodic must be .*got {n_periodic}"):
        TrainJobs().add_view(
            "regression", 1, X, y, None, rows, rows, one, one, n_periodic=n_periodic
        )


def test_its_cost_counts():
    size = (1_000, 10, 1)
    plain, waves = nominal_cost(Candidate((12,)), *size), nominal_cost(PBLD, *size, epochs=10)
    assert waves == plain
    more = nominal_cost(PBLD, *size, epochs=10, n_periodic=10)
    wider = nominal_cost(Candidate((12,)), 1_000, 40, 1)
    assert more > wider > plain


def make_training():
    X, y = make_rows()
    half = np.arange(N_ROWS, dtype=np.int32)
    splits = [Split(half[: N_ROWS // 2], half[N_ROWS // 2 :])]
    target = read_target(y, N_ROWS, classification=False)
    metric = resolve_metric("rmse", "regression")
    return Training(read_table(X), target, splits, metric)


def test_a_view_in_another_encoding_takes_the_embedding_away():
    training = make_training()
    training.view(0, Candidate((), encoding="quantile"))
    given = training.views.affordable(PBLD, seconds=-1.0)
    assert (given.encoding, given.numeric_embedding) == ("quantile", "none")
    training = make_training()
    training.view(0, Candidate((), encoding="standard"))
    given = training.views.affordable(PBLD, seconds=-1.0)
    assert (given.encoding, given.numeric_embedding) == ("standard", "pbld")


def test_views_are_shared_with_candidates_without_it():
    training = make_training()
    candidates = [PBLD, Candidate((12,), seed=3, epochs=12)]
    training.add(candidates)
    assert training.view(0, candidates[0]) is training.view(0, candidates[1])
    training.run([0, 1], [12, 12])
    assert [p.state for p in training.progress([0, 1])] == [JobState.COMPLETE] * 2
    assert (
        training.n_parameters(0)
        == training.n_parameters(1)
        + sum(np.prod(shape) for shape in PBLD.periodic_shapes(2))
        + 12 * 3 * 2
    )
