"""`train_candidates`: results, resumption, predictors, labels, errors, and the closed forms."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import StandardScaler

from automs.candidates import Candidate
from automs.experiment import train_candidates
from automs.leaderboard import TrialState

NETS = (
    Candidate((16,), learning_rate=0.01, dropout=0.1, seed=1),
    Candidate((8, 8), activation="tanh", optimizer="adamw", weight_decay=0.1, seed=2),
    Candidate((), optimizer="sgd", learning_rate=0.02, encoding="standard", epochs=6, seed=3),
)
DIVERGING = Candidate((8,), optimizer="sgd", learning_rate=1e30, seed=4)
SPLITTER = ShuffleSplit(1, test_size=0.3, random_state=0)


def held_out_rows(n_rows):
    return next(iter(SPLITTER.split(np.zeros((n_rows, 1)))))[1]


def bits(result):
    """Give all that training made, but for the seconds it took."""
    arrays = [a for parts in (result.weights, result.biases) for fold in parts for a in fold]
    arrays += [curve for fold in result.curves for curve in fold.values()]
    return (
        result.candidate, result.state, result.epoch, repr(result.score),
        result.fold_scores.tobytes(), [a.tobytes() for a in arrays], result._model,
    )  # fmt: skip


def test_results_come_in_the_order_of_the_candidates(regression_table):
    results = train_candidates(NETS, *regression_table, validation=3, random_state=0)
    assert [r.candidate for r in results] == list(NETS)
    assert [r.epoch for r in results] == [10, 10, 6]
    assert {r.state for r in results} == {TrialState.COMPLETE}
    for result in results:
        assert result.fold_scores.shape == (3,)
        assert result.score == np.mean(result.fold_scores)
        assert len(result.weights) == len(result.biases) == len(result.curves) == 3
        for curve in result.curves[0].values():
            assert curve.shape == (result.epoch,)
            assert np.isfinite(curve).all()


def test_weights_have_the_shapes_of_the_network(multiclass_table):
    result = train_candidates(NETS[:2], *multiclass_table, epochs=1)[1]
    # y of whole numbers is a regression unless labels or a loss say otherwise.
    assert [w.shape for w in result.weights[0]] == [(5, 8), (8, 8), (8, 1)]
    assert [b.shape for b in result.biases[0]] == [(8,), (8,), (1,)]
    assert {w.dtype for w in result.weights[0]} == {np.dtype(np.float32)}


@pytest.mark.parametrize("pauses", [(1,), (9,), (2, 3, 7), (10,)], ids=str)
@pytest.mark.parametrize("validation", [None, 2])
def test_going_on_from_results_gives_the_bits_of_going_through(
    regression_table, pauses, validation
):
    settings = {"validation": validation, "random_state": 0}
    whole = train_candidates(NETS, *regression_table, **settings)
    results = list(NETS)
    for epochs in pauses:
        results = train_candidates(results, *regression_table, epochs=epochs, **settings)
        assert [r.epoch for r in results] == [min(epochs, c.epochs) for c in NETS]
        results = pickle.loads(pickle.dumps(results))
    results = train_candidates(results, *regression_table, **settings)
    assert [bits(r) for r in results] == [bits(r) for r in whole]


def test_a_candidate_alone_has_the_bits_that_it_has_among_others(binary_table, n_threads):
    settings = {"validation": 2, "random_state": 0}
    X, y = binary_table
    among = train_candidates(NETS, X, y > 0, n_jobs=n_threads, **settings)
    alone = [train_candidates([c], X, y > 0, n_jobs=1, **settings)[0] for c in NETS]
    assert [bits(r) for r in among] == [bits(r) for r in alone]


def test_seeds_that_are_not_given_follow_from_the_random_state(regression_table):
    nets = [Candidate((4,)), Candidate((4,))]
    first, again, other = (
        train_candidates(nets, *regression_table, random_state=state) for state in (0, 0, 1)
    )
    assert [bits(r) for r in first] == [bits(r) for r in again]
    seeds = {r.candidate.seed for r in first + other}
    assert None not in seeds
    assert len(seeds) == 4
    # A result's candidate has its seed, so that it alone says how to make it again.
    remade = train_candidates([first[1].candidate], *regression_table, random_state=5)
    np.testing.assert_array_equal(remade[0].weights[0][0], first[1].weights[0][0])


def test_results_survive_a_pickle(binary_table):
    results = train_candidates(NETS, *binary_table, validation=0.3, random_state=0)
    assert [bits(r) for r in pickle.loads(pickle.dumps(results))] == [bits(r) for r in results]


def test_the_predictor_scores_on_the_validation_rows_what_the_result_says(regression_table):
    X, y = regression_table
    rows = held_out_rows(len(X))
    for result in train_candidates(NETS, X, y, validation=SPLITTER):
        error = root_mean_squared_error(y[rows], result.predictor().predict(X[rows]))
        # Float32 networks in two implementations: some ulps, 1e-7, of values about 50.
        np.testing.assert_allclose(result.score, -error, rtol=1e-5)


def test_the_predictor_of_folds_averages_their_networks(regression_table):
    X, y = regression_table
    X = X[:, [1, 2, 4]]  # without missing values
    result = train_candidates(NETS[2:], X, y, validation=3, random_state=0)[0]
    predictor = result.predictor()
    assert predictor.n_networks == 3
    # Linear networks on encoded features are linear in X, and so is their mean.
    middle = predictor.predict((X[:1] + X[1:2]) / 2.0)
    np.testing.assert_allclose(middle, predictor.predict(X[:2]).mean(keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    "labels", [np.array(["no", "yes"]), np.array(["no", "yes"], dtype=object), [False, True]],
    ids=["str", "object", "bool"],
)  # fmt: skip
def test_labels_make_a_classification_and_come_back(binary_table, labels):
    X, codes = binary_table
    y = np.asarray(labels)[codes]
    rows = held_out_rows(len(X))
    result = train_candidates(NETS[:1], X, y, validation=SPLITTER)[0]
    predictor = result.predictor()
    assert predictor.task == "binary"
    assert predictor.classes_.tolist() == list(labels)
    assert set(predictor.predict(X).tolist()) == set(labels)
    expected = log_loss(codes[rows], predictor.predict_proba(X[rows]))
    np.testing.assert_allclose(result.score, -expected, rtol=1e-5)


def test_the_loss_cross_entropy_makes_classes_of_whole_numbers(multiclass_table):
    X, y = multiclass_table
    nets = [replace(c, loss="cross_entropy") for c in NETS]
    for result in train_candidates(nets, X, y + 10, validation=2, metric="accuracy"):
        assert result.predictor().classes_.tolist() == [10, 11, 12]
        assert 0.0 < result.score <= 1.0


def test_column_names_reach_the_predictor(regression_table):
    X, y = regression_table
    names = ["e", "d", "c", "b", "a"]
    frame = pd.DataFrame(X, columns=names)
    predictor = train_candidates(NETS[:1], frame, y, epochs=1)[0].predictor()
    assert predictor.feature_names_in_.tolist() == names
    np.testing.assert_array_equal(predictor.predict(frame[sorted(names)]), predictor.predict(X))


def test_without_validation_every_row_trains_and_there_is_no_score(regression_table):
    X, y = regression_table
    results = train_candidates(NETS, X, y)
    for result in results:
        assert np.isnan(result.score)
        assert np.isnan(result.fold_scores).all()
        assert result.state is TrialState.COMPLETE
        assert result.curves[0]["train_loss"].shape == (result.epoch,)
        assert np.isfinite(result.predictor().predict(X)).all()
    y = y.copy()
    y[-1] += 100.0
    changed = train_candidates(NETS, X, y)
    assert all(bits(a) != bits(b) for a, b in zip(results, changed, strict=True))


def test_sample_weights_reach_training(regression_table):
    X, y = regression_table
    weights = np.where(np.arange(len(y)) < 40, 0.0, 1.0)
    nonsense = np.where(weights == 0.0, -1e5, y)
    first, second = (
        train_candidates(NETS, X, target, sample_weight=weights) for target in (y, nonsense)
    )
    assert [bits(r) for r in first] == [bits(r) for r in second]


def test_nothing_of_the_rows_outside_training_reaches_the_weights(regression_table):
    X, y = regression_table
    rows = held_out_rows(len(X))
    leaky, changed = X.copy(), y.copy()
    changed[rows] = 1e4 * np.sin(rows)
    leaky[rows, 2] = changed[rows]  # would give the target away
    leaky[rows[::2], 4] = np.nan  # missing nowhere else
    # After one epoch validation rows have nothing to choose; a closed form never has.
    nets = [replace(c, epochs=1, patience=None) for c in NETS]
    exact = [Candidate((), optimizer="exact", encoding=e, l2_penalty=0.1, seed=5)
             for e in ("robust", "standard")]  # fmt: skip
    honest, other = (
        train_candidates([*nets, *exact], *table, validation=SPLITTER)
        for table in ((X, y), (leaky, changed))
    )
    assert [a.score for a in honest] != [b.score for b in other]
    models = [[r.predictor().to_bytes() for r in results] for results in (honest, other)]
    assert models[0] == models[1]


def test_one_that_diverges_is_a_result_whose_predictor_is_an_error(regression_table):
    results = train_candidates([NETS[0], DIVERGING], *regression_table, validation=2)
    assert results[0].state is TrialState.COMPLETE
    assert results[1].state is TrialState.DIVERGED
    assert results[1].score == -np.inf
    with pytest.raises(ValueError, match="DIVERGED"):
        results[1].predictor()
    again = train_candidates(pickle.loads(pickle.dumps(results)), *regression_table, validation=2)
    assert [r.state for r in again] == [r.state for r in results]


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("l2_penalty", [1e-6, 0.01, 10.0])
def test_an_exact_regression_is_ridge_on_standardised_data(regression_table, l2_penalty, n_targets):
    X = np.nan_to_num(regression_table[0])
    y = np.column_stack([regression_table[1], X[:, 1], X[:, 3] - X[:, 0]])[:, :n_targets]
    y = y[:, 0] if n_targets == 1 else y
    candidate = Candidate((), optimizer="exact", encoding="standard", l2_penalty=l2_penalty)
    predicted = train_candidates([candidate], X, y, random_state=0)[0].predictor().predict(X)
    x_scaler, y_scaler = StandardScaler(), StandardScaler()
    scaled = y_scaler.fit_transform(y.reshape(len(y), -1))
    ridge = Ridge(alpha=l2_penalty * len(X)).fit(x_scaler.fit_transform(X), scaled)
    expected = ridge.predict(x_scaler.transform(X)).reshape(scaled.shape)
    expected = y_scaler.inverse_transform(expected).reshape(y.shape)
    # Features and weights are float32, 1e-7, in units of a target's deviation.
    np.testing.assert_allclose(predicted, expected, atol=2e-6 * np.abs(y).max())


@pytest.mark.parametrize("fixture", ["binary_table", "multiclass_table"])
def test_an_exact_classification_is_logistic_regression(request, fixture):
    X, y = request.getfixturevalue(fixture)
    candidate = Candidate((), optimizer="exact", encoding="standard", l2_penalty=0.01)
    labels = y.astype(str)
    result = train_candidates([candidate], X, labels, random_state=0)[0]
    scaled = StandardScaler().fit_transform(X)
    rival = LogisticRegression(C=1.0 / (0.01 * len(X)), tol=1e-10, max_iter=10_000)
    # Ours ends where no derivative of the loss exceeds 1e-6, with a penalty of 1e-2: 1e-4.
    np.testing.assert_allclose(
        result.predictor().predict_proba(X), rival.fit(scaled, labels).predict_proba(scaled),
        atol=1e-4,
    )  # fmt: skip


def test_an_exact_candidate_may_be_sparse(regression_table):
    X, y = np.nan_to_num(regression_table[0]), regression_table[1]
    candidate = Candidate((), optimizer="exact", encoding="standard", l1_penalty=0.05)
    predicted = train_candidates([candidate], X, y, random_state=0)[0].predictor().predict(X)
    scaled = StandardScaler().fit_transform(X)
    expected = Lasso(alpha=0.05 * y.std(), tol=1e-10, max_iter=10**5).fit(scaled, y).predict(scaled)
    np.testing.assert_allclose(predicted, expected, atol=1e-4 * np.abs(y).max())


def test_exact_candidates_stand_among_nets_and_in_folds(regression_table):
    exact = Candidate((), optimizer="exact", l2_penalty=0.01, seed=7)
    settings = {"validation": 2, "random_state": 0}
    results = train_candidates([NETS[0], exact, NETS[1]], *regression_table, **settings)
    alone = train_candidates([exact], *regression_table, **settings)
    assert results[1].state is TrialState.COMPLETE
    assert np.isfinite(results[1].score)
    assert bits(alone[0]) == bits(results[1])
    again = train_candidates(results, *regression_table, **settings)
    assert [bits(r) for r in again] == [bits(r) for r in results]


def test_no_candidates_give_no_results(regression_table):
    assert train_candidates([], *regression_table) == []


X_OK, Y_OK = np.arange(12.0).reshape(6, 2), np.arange(6.0)
POISSON_NET = Candidate((4,), loss="poisson")


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"candidates": ["net"]}, TypeError, ["candidates[0]", "Candidate", "str"]),
        ({"y": Y_OK[:4]}, ValueError, ["6", "4"]),
        ({"y": np.r_[Y_OK[:5], np.nan]}, ValueError, ["y", "NaN", "5"]),
        ({"X": X_OK[:, 0]}, ValueError, ["2D", "X", "(6,)"]),
        ({"X": np.where(X_OK == 3, np.inf, X_OK)}, ValueError, ["X", "infinit"]),
        ({"metric": "speed"}, ValueError, ["metric", "speed"]),
        ({"validation": 1.5}, ValueError, ["validation", "1.5"]),
        ({"sample_weight": [1.0] * 4}, ValueError, ["sample_weight", "4"]),
        ({"random_state": "lucky"}, TypeError, ["random_state", "lucky"]),
        ({"n_jobs": 0}, ValueError, ["n_jobs", "0"]),
        ({"epochs": 0}, ValueError, ["epochs", "0"]),
        ({"epochs": -3}, ValueError, ["epochs", "-3"]),
        ({"epochs": 2.5}, TypeError, ["epochs", "2.5"]),
        ({"candidates": [POISSON_NET], "y": Y_OK - 3.0}, ValueError, ["y", ">= 0", "poisson"]),
        ({"candidates": [replace(POISSON_NET, loss="squared")], "y": list("ababab")}, ValueError,
         ["loss", "squared"]),
        ({"candidates": NETS[0]}, TypeError, ["candidates", "Candidate"]),
    ],
)  # fmt: skip
def test_a_bad_argument_is_named_with_what_came(change, error, words):
    arguments = {"candidates": NETS[:1], "X": X_OK, "y": Y_OK} | change
    with pytest.raises(error) as raised:
        train_candidates(**arguments)
    assert not [word for word in words if word not in str(raised.value)], str(raised.value)


def test_results_of_another_table_are_refused(regression_table):
    X, y = regression_table
    paused = train_candidates(NETS, X, y, epochs=2)
    with pytest.raises(ValueError, match="must have"):
        train_candidates(paused, X[:, :3], y)
