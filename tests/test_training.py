"""Training: bits that nothing but a candidate changes, exact resumption, scores, interruptions."""

import pickle
import time

import numpy as np
import pytest
from scipy.special import erf, expit, softmax
from sklearn.model_selection import KFold

from automs.candidates import ACTIVATIONS, Candidate
from automs.outcomes import JobState
from automs.scoring import resolve_metric, score_predictions
from automs.splits import Split, make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

# Every kind of optimizer, schedule, encoding and regulariser, at unlike sizes.
VARIED = (
    Candidate((16,), seed=1),
    Candidate((8, 8), activation="tanh", dropout=0.3, seed=2),
    Candidate((), optimizer="sgd", learning_rate=0.05, seed=3),
    Candidate((24, 24), residual=True, activation="mish", optimizer="adamw", weight_decay=0.1,
              learning_rate_schedule="coslog4", learning_rate=0.01, seed=4),
    Candidate((7,), optimizer="sgd", nesterov=False, l2_penalty=0.01, encoding="standard",
              learning_rate_schedule="cosine", learning_rate=0.02, batch_size=1000, seed=5),
    Candidate((33, 5), activation="gelu", batch_size=7, learning_rate_schedule="flat_cos",
              dropout=0.1, patience=3, learning_rate=0.03, seed=6),
)  # fmt: skip
DIVERGING = Candidate((8,), optimizer="sgd", learning_rate=1e30, seed=9)


def make_training(table, candidates, *, metric="auto", validation=2, loss="auto", **settings):
    """Give a `Training` of a table whose y holds classes where it is of int; candidates added.

    `validation` None is for no validation rows.
    """
    X, y = table
    classification = y.dtype.kind == "i"
    target = read_target(y, len(X), classification=classification, loss=loss)
    codes = target.values[:, 0] if classification else None
    rows = np.arange(len(X), dtype=np.int32)
    splits = [Split(rows, rows[:0])]
    if validation is not None:
        splits = make_splits(validation, len(X), codes, 0)
    resolved = resolve_metric(metric, target.task, loss, target.decode if classification else None)
    training = Training(read_table(X), target, splits, resolved, **settings)
    training.add(candidates)
    return training


def run_all(training, until=None):
    numbers = range(len(training.candidates))
    training.run(numbers, [until or c.epochs for c in training.candidates])
    return training


def bits(training, number):
    """Give all that training made of a candidate, but for the seconds it took."""
    states = training.export_states(number)
    return [{k: np.asarray(v).tobytes() for k, v in s.items() if k != "seconds"} for s in states]


def all_bits(training):
    return [bits(training, number) for number in range(len(training.candidates))]


@pytest.fixture(params=["regression_table", "binary_table", "multiclass_table"])
def any_table(request):
    return request.getfixturevalue(request.param)


def test_the_number_of_threads_does_not_change_a_bit(any_table, n_threads):
    one = run_all(make_training(any_table, VARIED, n_threads=1))
    assert all_bits(run_all(make_training(any_table, VARIED, n_threads=n_threads))) == all_bits(one)


@pytest.mark.parametrize("number", range(len(VARIED)))
def test_a_candidate_alone_ends_with_the_bits_that_it_has_among_others(any_table, number):
    alone = run_all(make_training(any_table, [VARIED[number]]))
    others = run_all(make_training(any_table, VARIED[::-1], n_threads=2))
    assert bits(alone, 0) == bits(others, len(VARIED) - 1 - number)


def test_another_seed_gives_other_weights(any_table):
    twins = [Candidate((8,), seed=1), Candidate((8,), seed=2)]
    first, second = all_bits(run_all(make_training(any_table, twins)))
    assert first[0]["best_weights"] != second[0]["best_weights"]


@pytest.mark.parametrize("pause", range(1, 10))
def test_pausing_at_any_epoch_does_not_change_a_bit(any_table, pause):
    training = run_all(make_training(any_table, VARIED), until=pause)
    assert all(p.epoch <= pause for p in training.progress(range(len(VARIED))))
    whole = run_all(make_training(any_table, VARIED))
    assert all_bits(run_all(training)) == all_bits(whole)


@pytest.mark.parametrize("pause", [1, 4, 9])
def test_exported_states_go_on_elsewhere_to_the_same_bits(any_table, pause):
    whole = run_all(make_training(any_table, VARIED))
    paused = run_all(make_training(any_table, VARIED), until=pause)
    elsewhere = make_training(any_table, VARIED)
    for number in range(len(VARIED)):
        states = pickle.loads(pickle.dumps(paused.export_states(number)))
        elsewhere.import_states(number, states)
    assert all_bits(elsewhere) == all_bits(paused)
    assert all_bits(run_all(elsewhere)) == all_bits(whole)


def test_a_damaged_state_is_refused(binary_table):
    training = run_all(make_training(binary_table, VARIED[:1]), until=2)
    states = training.export_states(0)
    with pytest.raises(ValueError, match="must have"):
        training.import_states(0, [s | {"weights": s["weights"][:-1]} for s in states])
    with pytest.raises(ValueError, match="best_epoch"):
        training.import_states(0, [s | {"best_epoch": 99} for s in states])


METRICS = {
    "regression_table": ("rmse", "mse", "mae", "r2", "pinball"),
    "binary_table": ("log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"),
    "multiclass_table": ("log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "metric"), [(t, m) for t in METRICS for m in METRICS[t]])
def test_the_reported_score_is_that_of_the_validation_predictions(request, name, metric, weighted):
    table = request.getfixturevalue(name)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, len(table[1])) if weighted else None
    candidates = [Candidate((8,), seed=1, quantile=0.2), *VARIED[1:4]]
    training = make_training(table, candidates, metric=metric, sample_weight=weights)
    numbers = range(len(candidates))
    for number, progress in enumerate(run_all(training).progress(numbers)):
        predictions = training.validation_predictions([number])[0]
        for fold, split in enumerate(training.splits):
            rows = split.validation_rows
            expected = score_predictions(
                training.metric, predictions[fold], training.target.values[rows],
                None if weights is None else weights[rows], candidates[number].quantile,
            )  # fmt: skip
            # One and the same code scores the same doubles.
            assert progress.fold_scores[fold] == expected


def test_a_fold_without_a_defined_score_reports_none_and_not_its_loss(binary_table):
    X, y = binary_table
    y = np.sort(y // (1 + (np.arange(len(y)) % 4)))  # a fifth of ones, all in the second half
    training = run_all(make_training((X, y), VARIED[:2], metric="roc_auc", validation=KFold(2)))
    for progress in training.progress([0, 1]):
        assert progress.state is JobState.COMPLETE
        assert np.isnan(progress.fold_scores[0])


def test_the_weights_given_are_those_of_the_best_epoch(any_table):
    candidate = Candidate((32,), learning_rate=0.1, epochs=30, seed=0)
    training = run_all(make_training(any_table, [candidate]))
    progress = training.progress([0])[0]
    for fold, curves in enumerate(training.curves(0)):
        scores = curves["validation_score"]
        assert len(scores) == len(curves["train_loss"]) == 30
        assert progress.fold_scores[fold] == scores.max()
        assert scores[progress.best_epochs[fold] - 1] == scores.max()


def test_patience_ends_training_so_many_epochs_after_the_best(any_table):
    candidate = Candidate((32,), learning_rate=0.1, epochs=300, patience=5, seed=0)
    training = run_all(make_training(any_table, [candidate]))
    progress = training.progress([0])[0]
    assert progress.state is JobState.COMPLETE
    assert progress.epoch < 300
    for fold, curves in enumerate(training.curves(0)):
        assert len(curves["train_loss"]) == progress.best_epochs[fold] + 5


def test_a_candidate_is_complete_only_when_all_its_folds_are(regression_table):
    candidate = Candidate((32,), learning_rate=0.1, epochs=300, patience=5, seed=0)
    whole = run_all(make_training(regression_table, [candidate], validation=4))
    ends = [len(curves["train_loss"]) for curves in whole.curves(0)]
    assert min(ends) < max(ends), "the folds must end at different epochs for this test to tell"
    halfway = make_training(regression_table, [candidate], validation=4)
    progress = run_all(halfway, until=max(ends) - 1).progress([0])[0]
    assert progress.state is JobState.PAUSED


def numpy_activation(name, x):
    scale, alpha = 1.0507009873554804934, 1.6732632423543772848
    negative = np.minimum(x, 0.0)
    return {
        "identity": x,
        "relu": np.maximum(x, 0.0),
        "leaky_relu": np.where(x > 0, x, 0.01 * x),
        "tanh": np.tanh(x),
        "sigmoid": expit(x),
        "selu": scale * np.where(x > 0, x, alpha * np.expm1(negative)),
        "elu": np.where(x > 0, x, np.expm1(negative)),
        "gelu": 0.5 * x * (1.0 + erf(x / np.sqrt(2.0))),
        "silu": x * expit(x),
        "mish": x * np.tanh(np.logaddexp(0.0, x)),
    }[name]


def numpy_predictions(network, values):
    """Run a network in float64, from raw rows to predictions."""
    hidden = network.encoder.encode(values)[0].astype(np.float64)
    layers = list(zip(network.weights, network.biases, strict=True))
    for number, (weights, bias) in enumerate(layers[:-1]):
        out = numpy_activation(network.candidate.activation, hidden @ weights + bias)
        same = number > 0 and weights.shape[0] == weights.shape[1]
        hidden = out + hidden if network.candidate.residual and same else out
    logits = hidden @ layers[-1][0] + layers[-1][1]
    if network.link == "softmax":
        return softmax(logits, axis=1)
    if network.link == "sigmoid":
        return np.hstack([1.0 - expit(logits), expit(logits)])
    raw = np.exp(logits) if network.link == "exp" else logits
    values = network.output_centre + network.output_scale * raw
    return np.clip(values, *network.target_range) if network.bounded else values


LINKS = {
    "identity": ("regression_table", "auto"),
    "exp": ("regression_table", "poisson"),
    "exp of logarithms": ("regression_table", "squared_log"),
    "sigmoid": ("binary_table", "auto"),
    "softmax": ("multiclass_table", "auto"),
}


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("link", LINKS)
def test_the_weights_predict_in_numpy_what_the_engine_does(request, link, activation, residual):
    fixture, loss = LINKS[link]
    X, y = request.getfixturevalue(fixture)
    table = X, np.abs(y) if loss == "poisson" else y
    candidate = Candidate(
        (16, 16), activation=activation, residual=residual, loss=loss, epochs=3, seed=3
    )
    training = run_all(make_training(table, [candidate], loss=loss))
    predictions = training.validation_predictions([0])[0]
    for fold, network in enumerate(training.networks(0)):
        assert network.link == link.split()[0]
        expected = numpy_predictions(network, X[training.splits[fold].validation_rows])
        # Float32 through three layers of at most 16 terms each: some tens of its ulps, 1e-7.
        scale = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(predictions[fold], expected, rtol=0, atol=1e-5 * scale)


def test_several_targets_are_predicted_side_by_side(regression_table):
    X, y = regression_table
    table = X, np.column_stack([y, 1e6 - 1e3 * y, np.full(len(y), 7.0)])
    candidate = Candidate((16,), learning_rate=0.01, epochs=60, seed=0)
    training = run_all(make_training(table, [candidate], metric="r2"))
    predictions = training.validation_predictions([0])[0][0]
    truth = table[1][training.splits[0].validation_rows]
    unexplained = np.square(predictions - truth).mean(axis=0)[:2] / truth.var(axis=0)[:2]
    assert (unexplained < 0.5).all()
    # A constant target is centred, and learned as 0 in units of 1.
    np.testing.assert_allclose(predictions[:, 2], 7.0, atol=0.5)


def test_a_function_as_metric_scores_the_best_networks(binary_table):
    def accuracy(y_true, y_pred):
        return float(np.mean(y_true == y_pred))

    native = make_training(binary_table, VARIED[:3], metric="log_loss")
    training = make_training(binary_table, VARIED[:3], metric=accuracy)
    numbers = range(3)
    for number, progress in enumerate(run_all(training).progress(numbers)):
        expected = [
            accuracy(binary_table[1][split.validation_rows], predictions.argmax(axis=1))
            for split, predictions in zip(
                training.splits, training.validation_predictions([number])[0], strict=True
            )
        ]
        np.testing.assert_array_equal(progress.fold_scores, expected)
    # What chooses the best epoch is then the loss.
    best = [p.best_epochs for p in run_all(native).progress(numbers)]
    assert [p.best_epochs for p in training.progress(numbers)] == best


def test_rows_without_weight_teach_nothing(regression_table):
    X, y = regression_table
    weights = np.where(np.arange(len(y)) % 3 == 0, 0.0, 1.5)
    nonsense = np.where(weights == 0.0, 1e6, y)
    first, second = (
        run_all(make_training((X, target), VARIED, sample_weight=weights))
        for target in (y, nonsense)
    )
    assert all_bits(first) == all_bits(second)


def test_a_common_factor_of_all_weights_changes_nothing(any_table):
    weights = np.random.default_rng(1).uniform(0.5, 2.0, len(any_table[1]))
    # A power of two changes the exponents of all sums alone.
    first, second = (
        run_all(make_training(any_table, VARIED, sample_weight=factor * weights))
        for factor in (1.0, 1024.0)
    )
    assert all_bits(first) == all_bits(second)


def test_without_validation_rows_the_last_weights_stay_and_there_is_no_score(any_table):
    training = run_all(make_training(any_table, VARIED, validation=None))
    for number, progress in enumerate(training.progress(range(len(VARIED)))):
        assert progress.state is JobState.COMPLETE
        assert progress.epoch == VARIED[number].epochs
        assert np.isnan(progress.fold_scores).all()
        network = training.networks(number)[0]
        layers = zip(network.weights, network.biases, strict=True)
        flat = np.concatenate([part.ravel() for layer in layers for part in layer])
        np.testing.assert_array_equal(flat, training.export_states(number)[0]["weights"])


def test_a_candidate_that_diverges_is_a_result_and_spoils_no_other(any_table):
    training = run_all(make_training(any_table, [VARIED[0], DIVERGING, VARIED[1]]))
    good, bad, _ = training.progress(range(3))
    assert bad.state is JobState.DIVERGED
    assert bad.score == -np.inf
    assert (bad.fold_scores == -np.inf).any()
    assert good.state is JobState.COMPLETE
    assert bits(training, 0) == bits(run_all(make_training(any_table, VARIED[:1])), 0)
    training.run([1], [10])  # stays as it is
    assert training.progress([1])[0].state is JobState.DIVERGED


def test_a_released_candidate_can_neither_go_on_nor_be_used(any_table):
    training = run_all(make_training(any_table, VARIED[:2]), until=3)
    score = training.progress([0])[0].score
    training.release([0])
    assert training.progress([0])[0].score == score
    for use in (training.networks, lambda n: training.validation_predictions([n])):
        with pytest.raises(ValueError, match="released"):
            use(0)
    with pytest.raises(ValueError, match="released"):
        training.run([0, 1], [5, 5])
    training.run([1], [5])
    assert bits(training, 1) == bits(run_all(make_training(any_table, VARIED[1:2]), until=5), 0)


LONG = tuple(Candidate((64, 64), epochs=20_000, seed=seed) for seed in range(3))


def look_after(seconds, action):
    start = time.perf_counter()
    return lambda: action() if time.perf_counter() - start > seconds else False


def assert_whole_epochs(training, table):
    """Every fold of every candidate is where it would be, had it been asked for that epoch."""
    for number, candidate in enumerate(training.candidates):
        for fold, state in enumerate(training.export_states(number)):
            assert state["epoch"] < candidate.epochs
            assert len(state["train_loss"]) == state["epoch"]
            again = make_training(table, [candidate])
            if state["epoch"] > 0:
                run_all(again, until=state["epoch"])
                for name in ("weights", "first_moment", "second_moment", "best_weights"):
                    np.testing.assert_array_equal(state[name], again.export_states(0)[fold][name])


@pytest.mark.parametrize("exception", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_passes_through_and_leaves_whole_epochs(
    regression_table, n_threads, exception
):
    training = make_training(regression_table, LONG, n_threads=n_threads)

    def interrupt():
        raise exception("from the look")

    with pytest.raises(exception, match="from the look"):
        training.run(range(3), [20_000] * 3, None, look_after(0.05, interrupt))
    assert {p.state for p in training.progress(range(3))} == {JobState.STOPPED}
    assert_whole_epochs(training, regression_table)


@pytest.mark.parametrize(
    ("limit", "look", "state"),
    [
        (0.05, None, JobState.TIMED_OUT),
        (0.0, None, JobState.TIMED_OUT),
        (None, look_after(0.0, lambda: True), JobState.STOPPED),
    ],
)
def test_a_limit_or_a_look_that_says_so_stops_training(regression_table, limit, look, state):
    training = make_training(regression_table, LONG[:2], n_threads=2)
    training.run([0, 1], [20_000, 20_000], limit, look)
    assert {p.state for p in training.progress([0, 1])} == {state}
    assert_whole_epochs(training, regression_table)
