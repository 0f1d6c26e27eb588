"""Scaling layer, parametric activations, parametrisation and recipes, from Python to the file."""

import numpy as np
import pytest

from automs.candidates import Candidate
from automs.experiment import train_candidates
from automs.export.model import read_model
from automs.leaderboard import TrialState
from automs.recipes import realmlp_td, realmlp_td_s

SETTINGS = (
    {"scaling_layer": True},
    {"parametric_activation": True},
    {"parametrization": "ntp"},
    {"weight_init": "std", "bias_init": "he+5"},
    {"weight_init": "std", "bias_init": "normal", "zero_output_layer": True},
    {"bias_lr_factor": 0.1},
    {"optimizer": "adamw", "weight_decay": 0.5, "weight_decay_schedule": "flat_cos"},
    {"dropout": 0.5, "dropout_schedule": "flat_cos"},
)


def make_table(n_rows=300):
    """Give two numbers and a label of many categories, and a target that needs all of them."""
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(n_rows, 2))
    labels = rng.integers(20, size=n_rows)
    X = np.column_stack([numbers, [f"label {k}" for k in labels]]).astype(object)
    X[:, :2] = numbers
    return X, numbers[:, 0] * numbers[:, 1] + labels % 3 + 0.1 * rng.normal(size=n_rows)


def fit(candidates, **settings):
    settings = {"validation": 0.3, "random_state": 0} | settings
    return train_candidates(candidates, *make_table(), **settings)


@pytest.fixture(scope="module")
def trained():
    common = {"activation": "mish", "learning_rate": 0.02, "epochs": 6, "seed": 3}
    everything = {key: value for own in SETTINGS for key, value in own.items()}
    plain = Candidate((8, 8), **common)
    return fit([plain, *(Candidate((8, 8), **common, **own) for own in (*SETTINGS, everything))])


def test_every_setting_reaches_the_engine(trained):
    scores = [result.score for result in trained]
    assert len(set(scores)) == len(scores)
    assert all(result.state is TrialState.COMPLETE for result in trained)


def test_the_model_file_holds_a_network_without_the_layers_of_training(trained):
    for result in trained:
        predictor = result.predictor()
        (network,) = read_model(predictor.to_bytes()).networks
        is_blended = result.candidate.parametric_activation
        assert [len(blend) for blend in network.blends] == [8, 8] * is_blended
        for own, packed in (
            (result.weights[0], network.weights),
            (result.biases[0], network.biases),
            (result.blends[0], network.blends),
        ):
            for a, b in zip(own, packed, strict=True):
                np.testing.assert_array_equal(a, b)
        arrays = [*network.weights, *network.biases, *network.blends, *network.embeddings]
        n_parameters = sum(array.size for array in arrays)
        n_features = network.weights[0].shape[0] - sum(e.shape[1] for e in network.embeddings)
        n_rows = [len(e) for e in network.embeddings]
        assert n_parameters == result.candidate.n_parameters(n_features, 1, n_rows)


def test_predictions_score_as_in_training(trained):
    X, y = make_table()
    rows = fit([trained[0].candidate])  # the same split again
    assert rows[0].score == trained[0].score
    for result in trained:
        residuals = y - result.predictor().predict(X)
        # All rows, of which 30 % validate: the score's order of magnitude, and no more.
        assert 0.3 < np.sqrt(np.mean(residuals**2)) / -result.score < 1.5


@pytest.mark.parametrize("pause", [1, 3, 5])
def test_going_on_gives_the_bits_of_going_through(trained, pause):
    candidates = [result.candidate for result in trained]
    paused = fit(candidates, epochs=pause)
    for whole, result in zip(trained, fit(paused), strict=True):
        assert result.score == whole.score
        assert result.predictor().to_bytes() == whole.predictor().to_bytes()


@pytest.mark.parametrize("recipe", [realmlp_td, realmlp_td_s])
def test_recipes_learn_on_every_task(recipe):
    X, y = make_table()
    small = {"epochs": 30, "batch_size": 32, "hidden_layer_sizes": (64, 64), "seed": 0}
    (result,) = fit([recipe("regression", len(X), **small)])
    assert result.state is TrialState.COMPLETE
    assert -result.score < 0.8 * y.std()
    classes = np.array(["low", "high", "middle"])[(y > 1).astype(int) + (y > 2)]
    for task, labels in (("multiclass", classes), ("binary", classes == "low")):
        (result,) = train_candidates(
            [recipe(task, len(X), **small)], X, labels, validation=0.3, metric="accuracy",
            random_state=0,
        )  # fmt: skip
        share = max(np.unique(labels, return_counts=True)[1]) / len(labels)
        assert result.score > share + 0.1


def test_recipes_take_settings_and_refuse_other_tasks():
    candidate = realmlp_td("regression", 100, dropout=0.0, seed=4)
    assert (candidate.batch_size, candidate.dropout, candidate.seed) == (100, 0.0, 4)
    assert realmlp_td("binary", 10_000).batch_size == 256
    assert realmlp_td_s("multiclass", 1).batch_size == 1
    for recipe in (realmlp_td, realmlp_td_s):
        with pytest.raises(ValueError, match=r"task must be one of regression, .*got 'ranking'"):
            recipe("ranking", 10)
        with pytest.raises(TypeError, match="unexpected keyword"):
            recipe("binary", 10, droput=0.1)
