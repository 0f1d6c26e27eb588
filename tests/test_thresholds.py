"""Factors of labels: the best threshold of two classes, several classes, and no overfitting."""

import numpy as np
import pytest
from sklearn import metrics as sk

from automs.label_metrics import LABEL_SCORES
from automs.scoring import resolve_metric
from automs.thresholds import fit_label_factors

SCORES = {
    "f1": sk.f1_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
}


def rare(seed, n_rows):
    """Calibrated probabilities of a class with a share of a tenth."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 4.5, n_rows)
    return np.column_stack([1.0 - p, p]), (rng.random(n_rows) < p).astype(np.int64)


def several(seed, n_rows, shares=(0.85, 0.1, 0.05)):
    """Calibrated probabilities of classes of very different shares."""
    rng = np.random.default_rng(seed)
    raw = np.log(shares) + rng.normal(size=(n_rows, len(shares)))
    p = np.exp(raw)
    p /= p.sum(axis=1, keepdims=True)
    y = (p.cumsum(axis=1) < rng.random((n_rows, 1))).sum(axis=1)
    return p, np.minimum(y, len(shares) - 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", sorted(SCORES))
def test_the_threshold_scores_nearly_as_the_best_one_on_new_rows(name, seed):
    probabilities, y = rare(seed, 4000)
    found = fit_label_factors(probabilities, y, resolve_metric(name, "binary"), seed=seed)
    new, truth = rare(seed + 100, 20000)
    thresholds = np.linspace(0.02, 0.98, 97)
    best = max(SCORES[name](truth, new[:, 1] > t) for t in thresholds)
    ours = SCORES[name](truth, (new * found.values).argmax(axis=1))
    assert ours > SCORES[name](truth, new.argmax(axis=1)) + 0.02
    assert ours > best - 0.03  # these scores' own noise on 4000 rows


def test_factors_of_two_classes_name_the_threshold():
    probabilities, y = rare(0, 4000)
    found = fit_label_factors(probabilities, y, resolve_metric("balanced_accuracy", "binary"))
    threshold = found.values[0] / 2.0
    assert found.values.sum() == pytest.approx(2.0)
    labels = (probabilities * found.values).argmax(axis=1)
    np.testing.assert_array_equal(labels, probabilities[:, 1] > threshold)
    assert threshold == pytest.approx(y.mean(), abs=0.05)  # which is best for calibrated ones


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "matthews_corrcoef"])
def test_offsets_of_several_classes_help_on_new_rows(name, seed):
    probabilities, y = several(seed, 4000)
    metric = resolve_metric(name, "multiclass")
    found = fit_label_factors(probabilities, y, metric, seed=seed)
    new, truth = several(seed + 100, 20000)

    def score(labels):
        if name == "f1":
            return sk.f1_score(truth, labels, average="macro")
        return SCORES[name](truth, labels)

    gain = score((new * found.values).argmax(axis=1)) - score(new.argmax(axis=1))
    assert gain > 0.01
    assert found.score > found.plain_score


def test_a_score_on_rows_that_chose_nothing_is_honest():
    gaps = []
    for seed in range(8):
        probabilities, y = rare(seed, 500)
        found = fit_label_factors(probabilities, y, resolve_metric("f1", "binary"), seed=seed)
        if found is None:
            continue
        new, truth = rare(seed + 100, 20000)
        gaps.append(found.score - sk.f1_score(truth, (new * found.values).argmax(axis=1)))
    assert abs(np.mean(gaps)) < 0.03


@pytest.mark.parametrize("name", ["accuracy", "f1_weighted"])
def test_nothing_is_kept_where_it_does_not_help(name):
    kept = 0
    for seed in range(10):
        probabilities, y = several(seed, 300, (0.4, 0.3, 0.3))
        metric = resolve_metric(name, "multiclass")
        kept += fit_label_factors(probabilities, y, metric, seed=seed) is not None
    assert kept <= 3 if name == "accuracy" else kept < 10


def test_rows_without_weight_decide_nothing():
    probabilities, y = rare(0, 2000)
    weights = np.where(np.arange(2000) % 2 == 0, 1.0, 0.0)
    metric = resolve_metric("f1", "binary")
    other = np.where(weights[:, None] > 0, probabilities, probabilities[::-1])
    factors = [fit_label_factors(p, y, metric, weights=weights) for p in (probabilities, other)]
    np.testing.assert_array_equal(factors[0].values, factors[1].values)


def test_rows_of_one_group_choose_nothing():
    probabilities, y = rare(0, 400)
    metric = resolve_metric("f1", "binary")
    assert fit_label_factors(probabilities, y, metric, groups=np.zeros(400, dtype=int)) is None


@pytest.mark.parametrize("name", sorted(LABEL_SCORES))
def test_every_metric_of_labels_can_be_searched_along(name):
    probabilities, y = rare(1, 300)
    fit_label_factors(probabilities, y, resolve_metric(name, "binary"))
