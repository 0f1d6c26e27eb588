"""The loss on logarithms: what it learns, and that every form of a model predicts the same."""

from dataclasses import replace

import numpy as np
import pytest
from test_export_c import compiled, needs_compiler, predict_by

from automs import AutoRegressor, Candidate, load_predictor, train_candidates
from automs.packing import build_predictor
from automs.scoring import resolve_metric
from automs.search_space import SearchSpace
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.target_scale import ScaleKind, fit_target_scale, logs_shift
from automs.training import Training

RNG = np.random.default_rng(4)
X = RNG.normal(size=(300, 3))
LOG_MEDIAN = X @ [1.5, -1.0, 0.5]
Y = np.exp(LOG_MEDIAN + 0.3 * RNG.normal(size=300))
ROWS = np.arange(300, dtype=np.int32)
NET = Candidate(
    (16,), activation="tanh", loss="squared_log", encoding="standard", epochs=20,
    learning_rate=0.01, seed=1,
)  # fmt: skip


def fit_scale(values, weights=None, rows=ROWS):
    target = read_target(values, len(values), classification=False)
    return fit_target_scale(target, rows[: len(values)], weights, ScaleKind.LOGS)


def test_positive_targets_are_not_shifted_and_others_by_their_own_range():
    assert logs_shift(np.array([[1.0, 0.0, -7.0], [3.0, 4.0, 1.0]])).tolist() == [0.0, -2.0, -11.0]
    # Logarithms are those of 1 + (y - min) / (mean - min), whatever the units.
    y = np.array([-7.0, 1.0, 2.0, 8.0])[:, np.newaxis]
    logs = np.log(1.0 + (y + 7.0) / (y.mean() + 7.0))
    for unit in (1e-100, 1.0, 3e100):
        encoded = fit_scale(unit * y.ravel()).encode(unit * y)
        np.testing.assert_allclose(encoded, (logs - logs.mean()) / logs.std(), atol=1e-9)


def test_logarithms_have_mean_0_and_deviation_1_by_weight_and_rows_of_weight_0_do_not_count():
    y = np.concatenate([Y[:-1], [1e-30]])
    weights = np.concatenate([RNG.uniform(0.5, 2.0, 299), [0.0]])
    scale = fit_scale(y, weights)
    encoded = scale.encode(y[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(np.average(encoded, weights=weights), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.average(encoded**2, weights=weights), 1.0)
    assert scale.low == Y[:-1].min()
    assert encoded[-1] == encoded.min() == encoded[:-1].min()  # kept above the least that counts


@pytest.mark.parametrize("value", [5.0, 0.0, -3.0, 1e150, -1e150, 1e-150])
def test_a_constant_target_is_predicted(value):
    y = np.full(40, value)
    assert np.isfinite(fit_scale(y).encode(y[:, np.newaxis])).all()
    (result,) = train_candidates([NET], X[:40], y, epochs=2)
    np.testing.assert_allclose(result.predictor().predict(X[:40]), y, rtol=1e-5)


def test_a_network_and_a_closed_form_learn_the_median_of_a_wide_target():
    linear = Candidate((), optimizer="exact", loss="squared_log", encoding="standard", seed=1)
    results = train_candidates([NET, linear], X, Y, validation=0.25, random_state=0)
    for result, most in zip(results, (0.25, 0.05), strict=True):
        errors = np.log(result.predictor().predict(X)) - LOG_MEDIAN
        assert np.median(np.abs(errors)) < most


def test_predictions_keep_within_the_training_targets_however_far_the_row():
    net = replace(NET, activation="relu")
    (result,) = train_candidates([net], X, Y - 1.0, random_state=0)
    predicted = result.predictor().predict(1e6 * X)
    assert predicted.min() == (Y - 1.0).min()
    assert predicted.max() == (Y - 1.0).max()


def test_what_scores_in_the_search_is_what_the_model_predicts():
    space = SearchSpace({"hidden_layer_sizes": (8,), "loss": "squared_log", "epochs": 5})
    model = AutoRegressor(
        max_trials=2, search_space=space, baselines=None, ensemble_size=1, random_state=0,
        validation=(X[:50], Y[:50]), metric="mae",
    ).fit(X[50:], Y[50:])  # fmt: skip
    error = np.abs(model.predict(X[:50]) - Y[:50]).mean()
    np.testing.assert_allclose(-max(t.progress.score for t in model.trials_), error, rtol=1e-5)


def test_a_network_without_bounds_beside_one_with_them_is_not_held():
    table, target = read_table(X), read_target(Y, 300, classification=False)
    metric = resolve_metric("rmse", "regression")
    training = Training(table, target, make_splits(0.2, 300, None, 0), metric)
    training.add([NET, replace(NET, loss="squared", hidden_layer_sizes=())])
    training.run([0, 1], [5, 5])
    (held,), (free,) = training.networks(0), training.networks(1)
    assert held.bounded
    assert not free.bounded

    def predicted(*networks):
        members = [(1.0 / len(networks), [network]) for network in networks]
        return build_predictor(members, target, None, table.columns, {}).predict(1e3 * X)

    alone = predicted(held), predicted(free)
    np.testing.assert_allclose(predicted(held, free), np.mean(alone, axis=0), rtol=1e-12)
    assert alone[1].max() > Y.max() > alone[0].max() * 0.999
    assert alone[1].min() < 0.0 < alone[0].min()


@pytest.mark.parametrize("n_targets", [1, 2])
def test_every_form_of_a_model_predicts_the_same(tmp_path, n_targets):
    y = Y if n_targets == 1 else np.column_stack([Y, 7.0 - Y])
    (result,) = train_candidates([NET], X, y, random_state=0)
    predictor = result.predictor()
    wanted = predictor.predict(X)
    predictor.save(tmp_path / "model.automs")
    np.testing.assert_array_equal(load_predictor(tmp_path / "model.automs").predict(X), wanted)
    np.testing.assert_allclose(predictor.to_sklearn().predict(X), wanted, rtol=1e-4)


@needs_compiler
def test_c99_predicts_the_same(tmp_path):
    (result,) = train_candidates([NET], X, Y, random_state=0)
    predictor = result.predictor()
    predictor.export_c(tmp_path / "model.c")
    rows = np.vstack([X, 1e6 * X[:9]])
    found = predict_by(compiled(tmp_path / "model.c").automs_model, rows, 1)
    np.testing.assert_allclose(found[:, 0], predictor.predict(rows), rtol=1e-5)


def test_onnx_predicts_the_same(tmp_path):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    (result,) = train_candidates([NET], X, Y, random_state=0)
    predictor, rows = result.predictor(), np.vstack([X, 1e6 * X[:9]])
    predictor.export_onnx(tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    (got,) = session.run(["predictions"], {"rows": rows})
    np.testing.assert_allclose(got[:, 0], predictor.predict(rows), rtol=1e-5)
