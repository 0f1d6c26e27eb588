"""Splits: which rows train and which validate."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)

from automs.part_scores import n_disjoint
from automs.splits import make_splits


def check_parts(splits, n_rows, covering):
    for split in splits:
        for rows in (split.train_rows, split.validation_rows):
            assert rows.dtype == np.int32
            assert rows.size > 0
            assert (np.diff(rows) > 0).all()
        assert not np.intersect1d(split.train_rows, split.validation_rows).size
        if covering:
            assert split.train_rows.size + split.validation_rows.size == n_rows
    if covering and len(splits) > 1:
        together = np.concatenate([split.validation_rows for split in splits])
        times = np.bincount(together, minlength=n_rows)
        assert times.min() == times.max() >= 1


@given(
    st.integers(2, 200),
    st.one_of(st.just("auto"), st.floats(0.01, 0.99), st.integers(2, 8)),
    st.integers(0, 4),
    st.integers(0, 2**40),
)
def test_parts_are_disjoint_ascending_and_cover_all_rows(n_rows, validation, n_classes, seed):
    if isinstance(validation, int):
        n_rows = max(n_rows, validation)
    codes = np.random.default_rng(seed).integers(n_classes, size=n_rows) if n_classes else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits = make_splits(validation, n_rows, codes, seed)
    check_parts(splits, n_rows, covering=True)
    sizes = [split.validation_rows.size for split in splits]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("validation", [5, 0.3])
def test_each_part_has_its_share_of_every_class(validation):
    codes = np.repeat([0, 1, 2], [600, 290, 7])
    codes = np.random.default_rng(0).permutation(codes)
    share = 0.2 if validation == 5 else validation
    for split in make_splits(validation, codes.size, codes, seed=1):
        counts = np.bincount(codes[split.validation_rows], minlength=3)
        assert (np.abs(counts - share * np.bincount(codes)) < 2).all()


def test_the_only_row_of_a_class_trains_in_a_hold_out():
    codes = np.zeros(50, dtype=int)
    codes[17] = 1
    for seed in range(20):
        assert 17 in make_splits(0.5, 50, codes, seed)[0].train_rows


def test_auto_is_five_folds_for_small_tables_and_a_capped_hold_out_for_large_ones():
    assert len(make_splits("auto", 9_999, None, 0)) == 5
    assert len(make_splits("auto", 300, None, 0)) == 5
    assert len(make_splits("auto", 3, None, 0)) == 3
    (hold_out,) = make_splits("auto", 10_000, None, 0)
    assert hold_out.validation_rows.size == 2_000
    (hold_out,) = make_splits("auto", 300_000, None, 0)
    assert hold_out.validation_rows.size == 20_000


def test_the_seed_alone_decides_the_draw():
    def rows(seed):
        return [split.validation_rows.tolist() for split in make_splits(3, 40, None, seed)]

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)
    assert rows(1)[0] != list(range(14))


def test_folds_of_tiny_tables_are_drawn_several_times_and_not_alike():
    splits = make_splits("auto", 299, np.arange(299) % 3, 0)
    assert len(splits) == 15
    assert len({split.validation_rows.tobytes() for split in splits}) == 15
    assert n_disjoint(splits) == 5
    assert len(make_splits(5, 299, None, 0)) == 5  # as asked for
    assert len(make_splits("auto", 5, None, 0)) == 5  # a row each: there is but one way
    groups = np.arange(40) % 4
    assert len(make_splits("auto", 40, None, 0, groups=groups)) == 4


@pytest.mark.parametrize("validation", ["auto", 4, 0.25])
def test_rows_of_a_group_stay_together(validation):
    groups = np.random.default_rng(0).integers(12, size=200)
    splits = make_splits(validation, 200, None, 0, groups=[f"g{g}" for g in groups])
    check_parts(splits, 200, covering=True)
    for split in splits:
        assert not set(groups[split.train_rows]) & set(groups[split.validation_rows])
        assert 10 <= split.validation_rows.size <= 70
    objects = np.array([None, "a", 3] * 10, dtype=object)
    assert len(make_splits(3, 30, None, 0, groups=objects)) == 3


@pytest.mark.parametrize("validation", [4, 0.25, GroupKFold(3), LeaveOneGroupOut()], ids=str)
def test_validation_rows_know_their_groups(validation):
    groups = np.random.default_rng(0).integers(12, size=200)
    splits = make_splits(validation, 200, None, 0, groups=[f"g{g:02}" for g in groups])
    for split in splits:
        assert np.array_equal(split.validation_groups, groups[split.validation_rows])
    without = make_splits(4, 200, None, 0)
    assert all(split.validation_groups is None for split in without)


def test_too_few_groups_are_an_error():
    with pytest.raises(ValueError, match=r"at least 2 groups, got 1: .* groups=None"):
        make_splits("auto", 10, None, 0, groups=np.zeros(10))
    with pytest.raises(ValueError, match="number of groups, 2"):
        make_splits(3, 10, None, 0, groups=np.arange(10) % 2)
    with pytest.raises(ValueError, match=r"groups must be of shape \(10,\)"):
        make_splits(3, 10, None, 0, groups=np.arange(9))
    lopsided = np.array([0] * 9 + [1])
    (split,) = make_splits(0.5, 10, None, 0, groups=lopsided)
    assert split.validation_rows.tolist() == [9]
    (split,) = make_splits(0.05, 10, None, 0, groups=np.repeat([0, 1], 5))
    assert split.validation_rows.size == 5


@pytest.mark.parametrize(
    "splitter",
    [
        KFold(3),
        ShuffleSplit(4, random_state=0),
        ShuffleSplit(1, random_state=0),
        TimeSeriesSplit(3),
        GroupKFold(2),
        LeaveOneGroupOut(),
        RepeatedKFold(n_splits=2, n_repeats=3, random_state=0),
        StratifiedKFold(3),
        PredefinedSplit(np.arange(40) % 4 - 1),
    ],
    ids=lambda splitter: type(splitter).__name__,
)
def test_any_splitter_of_scikit_learn_is_taken_as_it_is(splitter):
    groups = np.arange(40) // 4 if "Group" in type(splitter).__name__ else None
    y = np.array(["no", "yes"])[np.arange(40) % 2]
    splits = make_splits(splitter, 40, np.arange(40) % 2, 0, groups, y)
    check_parts(splits, 40, covering=False)
    given_rows = list(splitter.split(np.zeros((40, 1)), y, groups))
    for split, (train, held_out) in zip(splits, given_rows, strict=True):
        assert np.array_equal(split.train_rows, np.sort(train))
        assert np.array_equal(split.validation_rows, np.sort(held_out))


@pytest.mark.parametrize("splitter", [GroupKFold(2), LeaveOneGroupOut()], ids=str)
def test_a_splitter_of_groups_asks_for_them(splitter):
    with pytest.raises(ValueError, match="groups"):
        make_splits(splitter, 40, None, 0)


class Fixed:
    def __init__(self, *pairs):
        self.pairs = pairs

    def split(self, X, y, groups):
        return self.pairs


class Recorder:
    def split(self, X, y, groups):
        self.seen = (X, y, groups)
        return [([0, 1, 2], [3])]


def test_a_splitter_is_given_rows_labels_and_groups():
    recorder, groups = Recorder(), ["a", "a", "b", "c"]
    labels = np.array(["x", "y", "x", "y"])
    make_splits(recorder, 4, [0, 1, 0, 1], 0, groups, labels)
    X, y, seen_groups = recorder.seen
    assert X.shape == (4, 1)
    assert y is labels
    assert seen_groups is groups
    make_splits(recorder, 4, [0, 1, 0, 1], 0)
    assert recorder.seen[1].tolist() == [0, 1, 0, 1]
    assert recorder.seen[2] is None


def test_in_order_of_time_the_last_rows_validate_and_nothing_after_them_trains():
    for n_rows, n_held_out in ((2, 1), (3, 1), (10, 2), (9_999, 2_000), (300_000, 20_000)):
        (split,) = make_splits("time", n_rows, None, 0)
        check_parts([split], n_rows, covering=True)
        assert split.validation_rows.size == n_held_out
        assert split.train_rows.max() < split.validation_rows.min()
    codes = [0] * 8 + [1] * 2  # not stratified: what comes last is what it is
    (split,) = make_splits("time", 10, codes, 0)
    assert split.validation_rows.tolist() == [8, 9]
    with pytest.raises(ValueError, match="groups must be None where validation is 'time'"):
        make_splits("time", 10, None, 0, groups=np.arange(10))


def test_a_class_for_each_row_is_dealt_out_as_any_others():
    for validation in (3, "auto", 0.3):
        check_parts(make_splits(validation, 9, np.arange(9), 0), 9, covering=True)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ((), "at least one split"),
        ((([0, 1], [1]),), "must not train on validation rows"),
        ((([0, 1], []),), "at least one row"),
        ((([0, 1], [10]),), "rows from 0 to 9"),
        ((([0, 1], [0.5]),), "integer arrays"),
    ],
)
def test_senseless_splitters_are_errors(pairs, message):
    with pytest.raises(ValueError, match=message):
        make_splits(Fixed(*pairs), 10, None, 0)


def test_a_splitter_may_give_masks():
    mask = np.arange(10) < 7
    (split,) = make_splits(Fixed((mask, ~mask)), 10, None, 0)
    assert split.validation_rows.tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("validation", "n_rows", "error", "message"),
    [
        ("auto", 1, ValueError, "at least 2 rows .* n_samples=1"),
        (1, 10, ValueError, "from 2 to the number of rows, 10, as a number of folds, got 1"),
        (11, 10, ValueError, "got 11"),
        (1.0, 10, ValueError, r"in \(0, 1\) as a fraction, got 1.0"),
        (float("nan"), 10, ValueError, r"in \(0, 1\)"),
        ("cv", 10, ValueError, "got 'cv'"),
        ("time", 1, ValueError, "at least 2 rows"),
        (True, 10, TypeError, "got True"),
        (None, 10, TypeError, "got None"),
    ],
)
def test_senseless_requests_are_errors(validation, n_rows, error, message):
    with pytest.raises(error, match=message):
        make_splits(validation, n_rows, None, 0)
