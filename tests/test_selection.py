"""Ensembles: better than one member where members differ, honest, deterministic, bounded."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from automs._core import greedy_ensemble
from automs.halves import cut_halves
from automs.scoring import resolve_metric, score_predictions
from automs.selection import select_ensemble

RMSE = resolve_metric("rmse", "regression")
LOG_LOSS = resolve_metric("log_loss", "binary")


def noisy_members(n_rows=400, n_members=8, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n_rows)
    return [y[:, None] + rng.normal(size=(n_rows, 1)) for _ in range(n_members)], y


def noisy_classifiers(n_rows=300, n_members=6, seed=0, n_classes=2):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n_rows)
    members = []
    for _ in range(n_members):
        raw = rng.random((n_rows, n_classes)) + 0.5 * np.eye(n_classes)[y]
        members.append(raw / raw.sum(axis=1, keepdims=True))
    return members, y.astype(float)


def mean_by(weights, members):
    return sum(weight * member for weight, member in zip(weights, members, strict=True))


def test_an_ensemble_of_independent_members_beats_the_best_one():
    members, y = noisy_members()
    chosen = select_ensemble(members, y, RMSE, max_size=30)
    best = max(score_predictions(RMSE, member, y) for member in members)
    assert chosen.weights.sum() == pytest.approx(1.0)
    assert np.count_nonzero(chosen.weights) >= 4
    assert chosen.score > best
    # Averages of eight errors of variance 1 have variance 1/8 at best.
    assert chosen.score == pytest.approx(-np.sqrt(1 / 8), abs=0.1)


def test_the_optimistic_score_is_that_of_the_weights_and_the_honest_one_of_the_predictions():
    members, y = noisy_members()
    chosen = select_ensemble(members, y, RMSE)
    own = score_predictions(RMSE, mean_by(chosen.weights, members), y)
    assert chosen.score_optimistic == pytest.approx(own, rel=1e-12)  # sums in another order
    assert chosen.score == score_predictions(RMSE, chosen.predictions, y)
    assert chosen.n_steps <= 40


def test_noise_is_not_rewarded_by_the_honest_score():
    """Members that predict nothing: chosen on all rows they seem to help, cross-fitted not."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=60)
    members = [rng.normal(scale=0.3, size=(60, 1)) for _ in range(200)]
    chosen = select_ensemble(members, y, RMSE)
    assert chosen.score_optimistic - chosen.score > 0.05 or chosen.n_steps == 1
    assert chosen.score < -0.8


def test_the_best_member_stands_alone_where_averaging_does_not_help():
    members, y = noisy_members(n_members=3)
    members.insert(1, y[:, None].copy())
    chosen = select_ensemble(members, y, RMSE)
    assert chosen.weights.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert chosen.score == chosen.score_optimistic == 0.0
    assert chosen.predictions is not None
    np.testing.assert_array_equal(chosen.predictions, members[1])


@pytest.mark.parametrize("n_threads", [2, 4])
def test_thread_count_does_not_change_the_weights(n_threads):
    members, y = noisy_members(n_rows=20_000, n_members=12)
    one = select_ensemble(members, y, RMSE, max_size=10)
    many = select_ensemble(members, y, RMSE, max_size=10, n_threads=n_threads)
    np.testing.assert_array_equal(one.weights, many.weights)
    assert one.score == many.score


def test_the_same_seed_gives_the_same_halves():
    members, y = noisy_members()
    same = [select_ensemble(members, y, RMSE, seed=3) for _ in range(2)]
    other = select_ensemble(members, y, RMSE, seed=4)
    assert same[0].score == same[1].score != other.score
    np.testing.assert_array_equal(same[0].weights, other.weights)


@pytest.mark.parametrize("name", ["log_loss", "roc_auc", "accuracy", "balanced_accuracy", "f1"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classification_metrics_are_maximised(name, n_classes):
    metric = resolve_metric(name, "binary" if n_classes == 2 else "multiclass")
    members, y = noisy_classifiers(n_classes=n_classes)
    weights = np.random.default_rng(1).random(len(y))
    chosen = select_ensemble(members, y, metric, sample_weight=weights, max_size=20)
    singles = [score_predictions(metric, member, y, weights) for member in members]
    assert chosen.score_optimistic >= max(singles)
    own = score_predictions(metric, mean_by(chosen.weights, members), y, weights)
    assert chosen.score_optimistic == pytest.approx(own, rel=1e-12)


def test_a_member_that_is_too_certain_for_its_rows_is_not_chosen_for_that():
    """Both are right on all 30 rows; one claims to be wrong once in a million."""
    y = (np.arange(30) % 3).astype(float)
    right = np.eye(3)[y.astype(int)]
    modest, certain = (right * (1.0 - 3.0 * rest) + rest for rest in (1e-3, 1e-6))
    metric = resolve_metric("log_loss", "multiclass")
    chosen = select_ensemble([certain, modest], y, metric)
    assert chosen.weights.tolist() == [0.0, 1.0]
    many = np.tile(np.arange(30), 2000)  # of so many rows the claim is worth something
    chosen = select_ensemble([certain[many], modest[many]], y[many], metric)
    assert chosen.weights.tolist() == [1.0, 0.0]


def test_the_shared_row_takes_little_memory_where_classes_are_many():
    y = np.repeat(np.arange(60.0), 8)
    right = np.eye(60)[y.astype(int)]
    modest, certain = (right * (1.0 - 60.0 * rest) + rest for rest in (3e-5, 1e-9))
    tracemalloc.start()
    chosen = select_ensemble([certain, modest], y, resolve_metric("log_loss", "multiclass"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * modest.nbytes  # a copy of the rows for each class would be 60
    np.testing.assert_array_equal(chosen.weights, [0.0, 1.0])


def test_a_single_member_is_not_preferred_for_a_score_that_it_was_chosen_by():
    """The luckiest of 100 alike seems better than the mean of several, scored honestly."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=30)
    members = [0.1 * y[:, None] + rng.normal(scale=0.5, size=(30, 1)) for _ in range(100)]
    chosen = select_ensemble(members, y, RMSE)
    best = max(score_predictions(RMSE, member, y) for member in members)
    assert np.count_nonzero(chosen.weights) > 1
    assert chosen.score < best < chosen.score_optimistic


def test_a_class_of_two_rows_is_in_both_halves():
    members, y = noisy_classifiers(n_rows=40)
    y[:] = 0.0
    y[[5, 17]] = 1.0
    metric = resolve_metric("roc_auc", "binary")
    for seed in range(10):
        assert np.isfinite(select_ensemble(members, y, metric, seed=seed).score)


def halves(y, groups, metric=RMSE, seed=0):
    return cut_halves(y.reshape(-1, 1), metric, seed, groups)


@given(st.lists(st.integers(0, 30), min_size=2, max_size=200), st.integers(0, 99), st.booleans())
def test_halves_share_no_group_cover_all_rows_and_are_as_equal_as_groups_allow(
    groups, seed, classification
):
    groups = np.array(groups)
    y = (np.arange(len(groups)) % 3).astype(float)
    metric = resolve_metric("log_loss", "multiclass") if classification else RMSE
    first, second = halves(y, groups, metric, seed)
    assert np.array_equal(np.sort(np.concatenate([first, second])), np.arange(len(groups)))
    assert (np.diff(first) > 0).all()
    assert (np.diff(second) > 0).all()
    assert not set(groups[first]) & set(groups[second])
    assert abs(len(first) - len(second)) <= np.bincount(groups).max()


def test_groups_of_one_row_each_change_nothing():
    y = np.arange(50.0)
    for one, other in zip(halves(y, None), halves(y, np.arange(50)[::-1] + 7), strict=True):
        np.testing.assert_array_equal(one, other)


def test_groups_of_every_class_are_in_both_halves():
    """Each class has four groups of five rows."""
    metric = resolve_metric("log_loss", "multiclass")
    groups = np.repeat(np.arange(12), 5)
    y = (groups % 3).astype(float)
    for seed in range(5):
        for half in halves(y, groups, metric, seed):
            assert np.bincount(y[half].astype(int)).tolist() == [10, 10, 10]


def test_rows_that_are_there_twice_do_not_flatter_an_ensemble_of_noise():
    """With a twin of each row in the other half, what was chosen for it looks good on it."""
    rng = np.random.default_rng(5)
    rows = np.tile(np.arange(40), 4)
    y = rng.normal(size=40)[rows]
    members = [rng.normal(scale=0.5, size=(40, 1))[rows] for _ in range(300)]
    flattered = select_ensemble(members, y, RMSE)
    honest = select_ensemble(members, y, RMSE, groups=rows)
    best = max(score_predictions(RMSE, member, y) for member in members)
    assert flattered.score > best + 0.03
    assert honest.score <= best + 0.01


def test_of_one_group_alone_no_ensemble_can_be_scored_honestly():
    members, y = noisy_members()
    chosen = select_ensemble(members, y, RMSE, groups=np.full(len(y), 3))
    best = max(score_predictions(RMSE, member, y) for member in members)
    assert np.count_nonzero(chosen.weights) == 1
    assert chosen.score == best


def test_a_python_function_is_selected_for_as_the_compiled_metric_is():
    members, y = noisy_members(n_rows=80, n_members=5)
    function = resolve_metric(lambda a, b: -sk.root_mean_squared_error(a, b), "regression")
    ours = select_ensemble(members, y, RMSE, max_size=8)
    theirs = select_ensemble(members, y, function, max_size=8)
    np.testing.assert_array_equal(ours.weights, theirs.weights)
    assert ours.score == pytest.approx(theirs.score, rel=1e-12)


def test_members_with_nan_are_never_chosen():
    members, y = noisy_members(n_members=4)
    members[0][7] = np.nan
    chosen = select_ensemble(members, y, RMSE)
    assert chosen.weights[0] == 0.0
    assert np.isfinite(chosen.score)


def test_where_no_score_is_defined_the_first_member_without_nan_is_taken():
    members, y = noisy_classifiers(n_members=3)
    members[0][0] = np.nan
    chosen = select_ensemble(members, np.ones_like(y), resolve_metric("roc_auc", "binary"))
    assert chosen.weights.tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(chosen.score)


@pytest.mark.parametrize("native", [True, False])
def test_a_deadline_of_nothing_still_gives_a_model(native):
    members, y = noisy_members()
    metric = RMSE if native else resolve_metric(lambda a, b: -np.abs(a - b).mean(), "regression")
    chosen = select_ensemble(members, y, metric, deadline=0.0)
    assert np.count_nonzero(chosen.weights) == 1


def test_several_outputs_are_averaged_together():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 2))
    members = [y + rng.normal(size=(200, 2)) for _ in range(4)]
    chosen = select_ensemble(members, y, RMSE)
    assert chosen.predictions.shape == (200, 2)
    assert np.count_nonzero(chosen.weights) > 1


def test_bad_arguments_are_refused():
    members, y = noisy_members(n_rows=10, n_members=2)
    with pytest.raises(ValueError, match="predictions must hold >= 1 member, got 0"):
        select_ensemble([], y, RMSE)
    with pytest.raises(ValueError, match="max_steps must be >= 1, got 0"):
        select_ensemble(members, y, RMSE, max_size=0)
    with pytest.raises(ValueError, match=r"predictions\[1\] must have length 10, got 9"):
        greedy_ensemble([members[0], members[1][:9]], y[:, None], None, "rmse", 5, 1)
    with pytest.raises(TypeError, match=r"predictions\[0\] must be a C-contiguous float64 array"):
        greedy_ensemble([members[0].astype(np.float32)], y[:, None], None, "rmse", 5, 1)
