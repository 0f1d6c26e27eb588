"""Members that share a trunk: settings, training, the networks in the model, search, limits."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, PredefinedSplit

from automs import AutoClassifier, AutoRegressor, SearchSpace
from automs.budgets import narrowed
from automs.candidates import Candidate, as_single
from automs.cost import nominal_cost
from automs.experiment import train_candidates
from automs.kept_members import kept_members
from automs.setting_columns import SettingColumns

N_ROWS = 240
HALF = N_ROWS // 2
FOUR = Candidate((12, 12), n_members=4, learning_rate=0.01, epochs=12, seed=3)


def make_rows(kind="numbers"):
    """Give X with numbers, a missing value and categories, and y."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-2.0, 2.0, size=(N_ROWS, 2))
    signal = np.cos(2.0 * x[:, 0]) + 0.3 * x[:, 1] + 0.1 * rng.normal(size=N_ROWS)
    labels = rng.integers(12, size=N_ROWS)
    X = [[a, b, f"label {c}", f"{c % 6}"] for (a, b), c in zip(x.tolist(), labels, strict=True)]
    X[5][1] = None
    classes = {"two": np.array(["no", "yes"]), "three": np.array(["a", "b", "c"])}
    if kind == "numbers":
        return X, signal
    names = classes[kind]
    cuts = np.quantile(signal, np.linspace(0.0, 1.0, len(names) + 1)[1:-1])
    return X, names[np.digitize(signal, cuts)]


def halves():
    return PredefinedSplit(np.where(np.arange(N_ROWS) < HALF, -1, 0))


def train(candidate, kind="numbers", **settings):
    X, y = make_rows(kind)
    (trained,) = train_candidates([candidate], X, y, **{"validation": halves()} | settings)
    return trained


@pytest.mark.parametrize(
    ("encoding", "numeric_embedding"),
    [(name, "none") for name in ("robust", "standard", "piecewise", "quantile")]
    + [("robust", "pbld"), ("standard", "pbld")],
)
def test_the_predictor_gives_what_was_scored(encoding, numeric_embedding):
    trained = train(
        Candidate(
            (12, 12), n_members=5, encoding=encoding, numeric_embedding=numeric_embedding,
            parametric_activation=True, residual=True, epochs=10, learning_rate=0.02, seed=2,
        )
    )  # fmt: skip
    X, y = make_rows()
    predictions = trained.predictor().predict(X[HALF:])
    error = np.sqrt(np.mean((predictions - y[HALF:]) ** 2))
    assert error == pytest.approx(-trained.score, rel=1e-5)


@pytest.mark.parametrize("kind", ["two", "three"])
def test_probabilities_are_the_mean_of_the_members(kind):
    trained = train(FOUR, kind, metric="log_loss")
    X, y = make_rows(kind)
    probabilities = trained.predictor().predict_proba(X[HALF:])
    assert log_loss(y[HALF:], probabilities) == pytest.approx(-trained.score, rel=1e-5)


@pytest.mark.parametrize("loss", ["absolute", "huber", "quantile", "poisson", "squared_log"])
def test_every_loss_predicts_what_was_scored(loss):
    X, y = make_rows()
    y = np.exp(y)
    candidate = Candidate((12,), n_members=4, loss=loss, epochs=8, learning_rate=0.01, seed=1)
    (trained,) = train_candidates([candidate], X, y, validation=halves(), metric="rmse")
    error = np.sqrt(np.mean((trained.predictor().predict(X[HALF:]) - y[HALF:]) ** 2))
    assert error == pytest.approx(-trained.score, rel=1e-4)


def test_the_model_has_a_network_for_each_member():
    trained = train(FOUR)
    assert [len(some) for some in (trained.weights, trained.biases, trained.embeddings)] == [4] * 3
    first, *others = trained.weights
    rows = [len(trained.embeddings[0][0])]
    n_features = 2 + 1 + 6  # two numbers, an indicator, slots
    assert [array.shape for array in first] == FOUR.layer_shapes(n_features, 1, rows)
    predictor = trained.predictor()
    assert predictor.n_networks == 4
    assert predictor.n_parameters == FOUR.n_parameters(n_features, 1, rows)
    for own in others:
        assert np.array_equal(own[1], first[1])
        assert not np.array_equal(own[0], first[0])
        assert not np.array_equal(own[2], first[2])


def test_what_is_trained_counts_shared_values_once():
    # 3 to 5 to 2: the first layer, and of each member factors and outputs.
    assert Candidate((5,), n_members=4).n_trained(3, 2) == 15 + 5 + 4 * (3 + 6 * 2)
    assert Candidate((5,)).n_trained(3, 2) == Candidate((5,)).n_parameters(3, 2)
    assert Candidate((5,), n_members=4).n_parameters(3, 2) == 4 * Candidate((5,)).n_parameters(3, 2)


def test_the_state_has_as_many_values_as_the_candidate_tells():
    trained = train(FOUR)
    rows = [len(trained.embeddings[0][0])]
    (state,) = trained._states
    assert state["best_weights"].size == FOUR.n_trained(3 + 6, 1, rows)


def test_threads_and_pauses_do_not_change_a_bit(n_threads):
    whole = train(FOUR)
    paused = train(FOUR, epochs=5, n_jobs=n_threads)
    resumed = train(paused, n_jobs=n_threads)
    assert resumed.predictor().to_bytes() == whole.predictor().to_bytes()


def test_a_model_has_some_members_of_each_fold_in_turn():
    X, y = make_rows()
    space = SearchSpace({"hidden_layer_sizes": (24,), "n_members": 8, "epochs": 60})
    model = AutoRegressor(
        search_space=space, max_trials=1, baselines=None, random_state=0, ensemble_size=1,
        validation=5,
    ).fit(X, y)  # fmt: skip
    assert list(model.ensemble_weights_) == ["net-0000"]
    assert model.predictor_.n_networks == 10
    assert kept_members(8, 5)[:4] == [(0, 0), (0, 1), (1, 2), (1, 3)]
    assert {member for _, member in kept_members(8, 5)} == set(range(8))
    assert len(kept_members(8, 1)) == len(set(kept_members(8, 1))) == 8
    assert len(kept_members(8, 15)) == len(set(kept_members(8, 15))) == 30


class OneFold:
    """One of three folds as a splitter."""

    def __init__(self, fold):
        self.fold = fold

    def split(self, X, y=None, groups=None):
        yield list(KFold(3, shuffle=True, random_state=1).split(X))[self.fold]


def test_folds_and_members_are_averaged_alike():
    X, y = make_rows()
    (trained,) = train_candidates([FOUR], X, y, validation=3)
    predictor = trained.predictor()
    assert predictor.n_networks == 12
    assert len(trained.weights) == 12
    alone = [
        train_candidates([FOUR], X, y, validation=OneFold(fold))[0].predictor().predict(X)
        for fold in range(3)
    ]
    (whole,) = train_candidates([FOUR], X, y, validation=KFold(3, shuffle=True, random_state=1))
    np.testing.assert_allclose(whole.predictor().predict(X), np.mean(alone, axis=0), rtol=1e-5)


def test_members_help_one_another_on_noisy_rows():
    X, y = load_diabetes(return_X_y=True)
    recipe = {"learning_rate": 3e-3, "epochs": 60, "encoding": "quantile"}
    several = [
        Candidate((64, 64), n_members=n, seed=seed, **recipe) for n in (1, 8) for seed in range(3)
    ]
    scores = [trained.score for trained in train_candidates(several, X, y, validation=5)]
    assert np.mean(scores[3:]) > np.mean(scores[:3])


def test_columns_are_what_a_list_is():
    X, y = make_rows()
    columns = {"hidden_layer_sizes": (8,), "n_members": [1, 3], "epochs": 3, "seed": [4, 5]}
    by_columns = train_candidates(columns, X, y, validation=halves())
    by_list = train_candidates(
        [Candidate((8,), n_members=n, epochs=3, seed=seed) for n, seed in ((1, 4), (3, 5))],
        X, y, validation=halves(),
    )  # fmt: skip
    assert by_columns.score.tolist() == [trained.score for trained in by_list]
    assert by_columns[1].predictor().n_networks == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_members": 0}, r"n_members must be .*, got 0"),
        ({"n_members": 65}, r"n_members must be .*, got 65"),
        ({"n_members": 2, "hidden_layer_sizes": ()}, "n_members must be 1 without hidden layers"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Candidate(**settings)


def test_a_linear_one_among_columns_is_refused():
    with pytest.raises(ValueError, match="n_members must be 1 without hidden layers"):
        SettingColumns({"hidden_layer_sizes": np.array([[8], [0]]), "n_members": 2}, seed=0)


def test_cost_grows_with_members_less_than_their_number():
    one, eight = (
        nominal_cost(Candidate((128, 128), n_members=n, batch_size=128), 4_000, 20, 1)
        for n in (1, 8)
    )
    assert 5.0 * one < eight < 8.0 * one


def test_narrowing_leaves_a_single_network_first():
    wide = Candidate((64, 64), n_members=8)
    assert narrowed(wide, lambda c: c.n_members == 1) == as_single(wide)
    assert narrowed(wide, lambda _: True) == wide


def test_a_search_may_draw_members_and_saves_what_it_scored(tmp_path):
    X, y = make_rows("three")
    space = SearchSpace({"hidden_layer_sizes": (16,), "n_members": 3, "epochs": 10})
    model = AutoClassifier(
        search_space=space, max_trials=4, baselines=None, random_state=0, validation=3
    ).fit(X, y)
    nets = [trial for trial in model.trials_ if trial.solver == "gradient"]
    assert all(trial.candidate.n_members == 3 for trial in nets)
    path = tmp_path / "model.automs"
    model.predictor_.save(path)
    again = AutoClassifier(
        search_space=space, max_trials=4, baselines=None, random_state=0, validation=3, n_jobs=2
    ).fit(X, y)
    assert again.predictor_.to_bytes() == model.predictor_.to_bytes()


def test_a_hold_out_is_trained_again_with_all_members():
    X, y = make_rows()
    space = SearchSpace({"hidden_layer_sizes": (16,), "n_members": 3, "epochs": 5})
    model = AutoRegressor(
        search_space=space, max_trials=3, baselines=None, random_state=0, validation=0.25
    ).fit(X, y)
    nets = [t for t in model.trials_ if t.name in model.ensemble_weights_]
    expected = sum(t.candidate.n_members for t in nets)
    assert model.predictor_.n_networks == expected


@pytest.mark.parametrize("limit", [{"latency_limit": 0.5}, {"size_limit": 6_000}])
def test_limits_hold_with_members(limit):
    X, y = make_rows()
    space = SearchSpace({"hidden_layer_sizes": (32,), "n_members": 8, "epochs": 60})
    model = AutoRegressor(
        search_space=space, max_trials=3, baselines=None, random_state=0, **limit
    ).fit(X, y)
    if "size_limit" in limit:
        assert len(model.predictor_.to_bytes()) <= 6_000
    used = model._kept.named(model.selected_)
    assert used.cost.latency_us <= limit.get("latency_limit", np.inf)
    nets = [trial for trial in model.trials_ if trial.solver == "gradient"]
    assert all(trial.candidate.n_members == 1 for trial in nets)  # eight would not be within it
    assert model.selected_ not in {"constant", "linear"}


def test_a_single_model_has_no_members_by_default():
    X, y = load_diabetes(return_X_y=True)
    model = AutoRegressor(max_trials=16, ensemble_size=1, baselines=None, random_state=0)
    model.fit(X[:120], y[:120])
    assert all(trial.candidate.n_members == 1 for trial in model.trials_)
