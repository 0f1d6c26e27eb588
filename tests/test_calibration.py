"""A temperature: found where probabilities are too sure or too shy, and kept only if of use."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from automs.calibration import CalibratedRows, fit_temperature, tempered
from automs.scoring import resolve_metric

LOG_LOSS = resolve_metric("log_loss", "multiclass")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sample(seed, n_rows, n_classes=3, spread=2.0):
    """Logits, and classes drawn from their softmax."""
    rng = np.random.default_rng(seed)
    logits = spread * rng.normal(size=(n_rows, n_classes))
    y = (softmax(logits).cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1)
    return logits, np.minimum(y, n_classes - 1)


@pytest.mark.parametrize("temperature", [0.3, 0.7, 2.5])
@pytest.mark.parametrize("n_classes", [2, 5])
def test_tempered_probabilities_are_those_of_divided_logits(temperature, n_classes):
    logits, _ = sample(0, 50, n_classes)
    expected = softmax(logits / temperature)
    np.testing.assert_allclose(tempered(softmax(logits), temperature), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("true_temperature", [0.5, 2.0, 3.5])
def test_the_temperature_that_spoilt_probabilities_is_found(true_temperature, seed):
    logits, y = sample(seed, 3000)
    spoilt = softmax(logits * true_temperature)
    found = fit_temperature(CalibratedRows([spoilt], [1.0], y), LOG_LOSS, seed)
    # The standard error of a temperature on 3000 rows is below 5 %.
    assert found.value == pytest.approx(true_temperature, rel=0.15)
    assert found.score > found.plain_score
    assert -log_loss(y, found.crossed) == pytest.approx(found.score)


def test_members_are_divided_before_they_are_averaged():
    logits, y = sample(1, 2000)
    other = logits + np.random.default_rng(2).normal(size=logits.shape)
    members = [softmax(3.0 * logits), softmax(3.0 * other)]
    rows = CalibratedRows(members, [0.75, 0.25], y)
    found = fit_temperature(rows, LOG_LOSS, 0)
    grid = np.exp(np.linspace(-1.6, 1.6, 321))
    losses = [log_loss(y, 0.75 * tempered(members[0], t) + 0.25 * tempered(members[1], t))
              for t in grid]  # fmt: skip
    assert found.value == pytest.approx(grid[np.argmin(losses)], rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_calibrated_probabilities_keep_nearly_what_they_are(seed):
    logits, y = sample(seed, 2000)
    found = fit_temperature(CalibratedRows([softmax(logits)], [1.0], y), LOG_LOSS, seed)
    assert found is None or found.value == pytest.approx(1.0, rel=0.15)


def test_rows_that_are_never_wrong_do_not_become_certain():
    logits, _ = sample(3, 40)
    y = logits.argmax(axis=1)
    probabilities = softmax(0.1 * logits)
    found = fit_temperature(CalibratedRows([probabilities], [1.0], y), LOG_LOSS, 0)
    assert found.value >= 1 / 5.0
    assert tempered(probabilities, found.value).max() < 0.999


def test_weights_stand_for_copies_of_rows():
    logits, y = sample(4, 400)
    spoilt = softmax(2.0 * logits)
    weights = np.where(np.arange(400) < 200, 1.0, 0.0)
    weighted = CalibratedRows([spoilt], [1.0], y, weights)
    wrong = CalibratedRows([spoilt], [1.0], np.where(weights > 0, y, (y + 1) % 3), weights)
    first, second = (fit_temperature(rows, LOG_LOSS, 0) for rows in (weighted, wrong))
    # Cuts are stratified by class, so that halves may differ; what all rows say does not.
    assert first.value == pytest.approx(second.value, rel=1e-9)


def test_rows_of_one_group_are_never_in_both_halves():
    logits, y = sample(5, 100)
    rows = CalibratedRows([softmax(3.0 * logits)], [1.0], y, None, np.zeros(100, dtype=int))
    assert fit_temperature(rows, LOG_LOSS, 0) is None


def test_a_temperature_fitted_to_noise_is_not_kept():
    rng = np.random.default_rng(0)
    kept = 0
    for seed in range(20):
        probabilities = softmax(rng.normal(size=(30, 3)) * 0.1)
        y = rng.integers(0, 3, 30)
        found = fit_temperature(CalibratedRows([probabilities], [1.0], y), LOG_LOSS, seed)
        kept += found is not None
    assert kept < 12
