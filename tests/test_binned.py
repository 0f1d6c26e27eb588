"""Piecewise and one-hot columns as bins: what encoders give, what training makes of them."""

from dataclasses import replace

import numpy as np
import pytest

from automs._core import Encoder, TrainJobs
from automs.candidates import Candidate
from automs.columns import to_columns
from automs.memory import Memory
from automs.scoring import resolve_metric
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

KNOTS = [np.array([0.0, 1.0, 3.0, 3.5]), np.array([-2.0, 2.0]), np.linspace(-1.0, 1.0, 17)]
CODES = {"column": 1, "n_rows": 3, "rows": np.array([0, 1, 2, 2], dtype=np.uint32)}
NONE = 0xFFFFFFFF
SLOTS = np.array([4, 0, 3, 1, 2, 2, NONE, 4, NONE], dtype=np.uint32)
FEW_SLOTS = np.array([3, 0, 2, 1, 2, 2, NONE, NONE, 0], dtype=np.uint32)
PARTS = [
    {"kind": "scaled", "column": 2, "clip": True, "centre": 0.5, "scale": 2.0},
    {"kind": "piecewise", "column": 0, "knots": KNOTS[0]},
    {"kind": "indicator", "column": 0},
    {"kind": "piecewise", "column": 1, "knots": KNOTS[1]},
    {"kind": "embedded", **CODES},
    {"kind": "piecewise", "column": 2, "knots": KNOTS[2]},
    {"kind": "one_hot", "column": 3, "n_slots": 5, "slots": SLOTS},
    {"kind": "calendar", "column": 0, "cycle": "day"},
    {"kind": "one_hot", "column": 3, "n_slots": 4, "slots": FEW_SLOTS},
]
BINNED = [(1, 3, False), (5, 1, False), (6, 16, False), (22, 5, True)]
OTHERS = [0, 4, 27, 28, 29, 30, 31, 32]


def raw_rows():
    """Values within and beyond all knots, on them, and missing ones."""
    rng = np.random.default_rng(3)
    X = rng.uniform(-4.0, 5.0, size=(700, 4))
    X[:, 3] = rng.integers(-1, 9, size=700)
    X[9:11, 3] = [np.nan, 2.5]
    X[:17, 2] = KNOTS[2]
    X[:4, 0] = KNOTS[0]
    X[20:24, :3] = [
        [np.nan, -1e300, 1e300], [1e300, np.nan, -1e300], [-1e300, 0, np.nan], [0, 0, 0]
    ]  # fmt: skip
    return X


def expand(bins, fractions, n_bins, one_hot):
    """Features of a column: 1 in the slot; or 1 below the bin, 2t - 1 in it, -1 above; else 0."""
    b = np.arange(n_bins)
    if one_hot:
        assert not fractions.any()
        return (b == bins[:, None]).astype(float)
    inner = np.where(
        b == bins[:, None], 2 * fractions[:, None] - 1, np.where(b < bins[:, None], 1, -1)
    )
    return np.where(bins[:, None] == n_bins, 0, inner)


def test_bins_and_fractions_say_what_features_say():
    encoder = Encoder(4, PARTS)
    assert encoder.binned == BINNED
    X = raw_rows()
    dense, codes = encoder.encode(X)
    for n_threads in (1, 2):
        others, same_codes, bins, fractions = encoder.encode_compact(X, n_threads)
        np.testing.assert_array_equal(others, dense[:, OTHERS])
        np.testing.assert_array_equal(same_codes, codes)
        assert (bins.dtype, fractions.dtype) == (np.uint16, np.float32)
        for j, (first, n, one_hot) in enumerate(BINNED):
            features = expand(bins[:, j].astype(int), fractions[:, j].astype(float), n, one_hot)
            # A fraction is rounded to float before it is doubled.
            np.testing.assert_allclose(features, dense[:, first : first + n], atol=2e-7, rtol=0)


def test_an_encoder_without_such_parts_gives_no_bins():
    encoder = Encoder(4, [PARTS[0], PARTS[2], PARTS[-1]])
    assert encoder.binned == []
    _, codes, bins, fractions = encoder.encode_compact(raw_rows()[:5])
    assert codes.shape == bins.shape == fractions.shape == (5, 0)
    with pytest.raises(ValueError, match="n_threads must be >= 1, got 0"):
        encoder.encode_compact(raw_rows()[:5], 0)
    with pytest.raises(ValueError, match="X must have 4 columns, got 2"):
        encoder.encode_compact(raw_rows()[:5, :2].copy())


def make_training(memory=None, n_columns=6, n_threads=1, levels=()):
    """Numbers, and columns of so many categories that shift the target, some values missing."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, n_columns))
    X[rng.random(X.shape) < 0.05] = np.nan
    y = np.nan_to_num(np.sin(3 * X[:, 0]) + np.abs(X[:, 1])) + 0.1 * rng.normal(size=400)
    for n_levels in levels:
        codes = rng.integers(n_levels, size=400)
        y += rng.normal(size=n_levels)[codes]
        names = np.array([None, *(f"level {i}" for i in range(1, n_levels))], dtype=object)
        X = np.column_stack([X.astype(object), names[codes]])
    target = read_target(y, 400, classification=False)
    splits = make_splits(2, 400, None, 0, None)
    metric = resolve_metric("rmse", "regression", "squared", None)
    return Training(read_table(X), target, splits, metric, n_threads=n_threads, memory=memory)


def features(training, fold, candidate):
    return training.views.features(training.view(fold, candidate))


CANDIDATES = [
    Candidate(sizes, encoding="piecewise", learning_rate=3e-3, epochs=8, batch_size=batch, seed=7)
    for sizes, batch in (((), 64), ((40,), 16), ((33, 20), 200))
]


def dense_states(training, candidate):
    """Train a candidate on features written out, fold by fold."""
    view = training.view(0, candidate)
    X, _ = view.encoder.encode(training.views._rows.table.values)
    rows = training.splits[0]
    jobs = TrainJobs()
    jobs.add_view(
        "regression", 1, X, training.target.values, None, rows.train_rows, rows.validation_rows,
        view.target_scale.centre, view.target_scale.scale,
    )  # fmt: skip
    jobs.add_candidates(
        to_columns([candidate], np.array([candidate.seed], np.uint64), "regression")
    )
    jobs.add_jobs(np.zeros(1, np.int64), np.zeros(1, np.int64))
    jobs.run(np.zeros(1, np.int64), np.array([candidate.epochs], np.int32), 1, "rmse")
    return jobs.export_state(0)


@pytest.mark.parametrize("levels", [(), (20, 7, 3, 100)])
@pytest.mark.parametrize("encoding", ["piecewise", "standard"])
@pytest.mark.parametrize("candidate", CANDIDATES)
def test_training_by_table_is_training_on_features(candidate, encoding, levels):
    candidate = replace(candidate, encoding=encoding, embedding_size=0)
    training = make_training(levels=levels)
    training.add([candidate])
    training.run([0], [candidate.epochs])
    got, expected = training.export_states(0)[0], dense_states(training, candidate)
    is_binned = encoding == "piecewise" or bool(levels)
    assert (features(training, 0, candidate).bins is not None) == is_binned
    # In float, over 8 epochs of Adam, from the same first weights.
    np.testing.assert_allclose(got["train_loss"], expected["train_loss"], rtol=1e-3)
    np.testing.assert_allclose(got["validation_loss"], expected["validation_loss"], rtol=1e-3)
    assert got["weights"].shape == expected["weights"].shape


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_states_have_the_order_of_the_features(candidate):
    candidate = replace(candidate, embedding_size=0, epochs=1)
    training = make_training(levels=(20, 7, 3, 100))
    training.add([candidate])
    training.run([0], [1])
    got, expected = training.export_states(0)[0], dense_states(training, candidate)
    np.testing.assert_allclose(got["weights"], expected["weights"], rtol=0, atol=2e-3)


def test_threads_and_pauses_do_not_change_bits():
    whole, paused = make_training(), make_training(n_threads=2)
    for training in (whole, paused):
        training.add(CANDIDATES)
    whole.run([0, 1, 2], [8, 8, 8])
    paused.run([2, 0, 1], [3, 3, 3])
    paused.run([0, 1, 2], [8, 8, 8])
    for number in range(3):
        pairs = zip(whole.export_states(number), paused.export_states(number), strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one["weights"], other["weights"])
            np.testing.assert_array_equal(one["best_weights"], other["best_weights"])


def test_a_compact_view_takes_six_bytes_a_column_and_what_it_says():
    memory = Memory(10**9)
    training = make_training(memory)
    view = training.view(0, CANDIDATES[0])
    assert features(training, 0, CANDIDATES[0]).X.shape == (400, 12)  # scaled values and indicators
    assert view.n_bytes == 400 * (4 * 12 + 6 * 6)
    assert memory.limit - memory._left == view.n_bytes
    assert training.view(0, CANDIDATES[1]) is view


def test_a_view_of_categories_takes_six_bytes_for_each_column_of_many():
    memory = Memory(10**9)
    training = make_training(memory, n_columns=2, levels=(12, 5, 3))
    view = training.view(0, Candidate((), encoding="standard", optimizer="exact"))
    binned = view.encoder.binned
    assert [(n_bins, one_hot) for _, n_bins, one_hot in binned] == [(12, True), (5, True)]
    assert training.views.features(view).X.shape == (
        400,
        2 + 2 + 3,
    )  # scaled values, indicators, three slots
    assert view.n_bytes == 400 * (4 * 7 + 6 * 2)
    assert memory.limit - memory._left == view.n_bytes


def test_a_closed_form_has_the_view_of_networks_and_other_encodings_have_features():
    training = make_training()
    exact = Candidate((), encoding="piecewise", optimizer="exact", seed=0)
    view = training.view(0, exact)
    assert features(training, 0, exact) is features(training, 0, CANDIDATES[0])
    assert features(training, 0, Candidate((), encoding="robust")).bins is None
    bins = [n_bins for _, n_bins, _ in view.encoder.binned]
    assert training.feature_counts(exact)[:4] == (12 + sum(bins), [], bins, [])


def test_encodings_that_come_to_the_same_share_a_view_and_its_memory():
    memory = Memory(10**9)
    table = read_table(np.random.default_rng(8).integers(0, 9, (60, 2)).astype(float))
    y = np.arange(60.0)
    splits = make_splits(2, 60, None, seed=0)
    target = read_target(y, 60, classification=False)
    metric = resolve_metric("rmse", "regression", "squared", None)
    training = Training(table, target, splits, metric, memory=memory)
    coarse = features(training, 1, Candidate(encoding="piecewise"))
    left = memory._left
    fine = Candidate(encoding="piecewise-fine")
    assert training.views.affordable(fine, 1e-9 + 2 * training.views.seconds) == fine
    assert features(training, 1, fine) is coarse
    assert memory._left == left
    assert features(training, 0, fine) is not coarse
    assert features(training, 1, Candidate(encoding="robust")) is not coarse


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"bins": np.full((9, 1), 5, np.uint16)}, "bins must be at most n_bins"),
        ({"fractions": np.full((9, 1), np.nan, np.float32)}, r"fractions in \[0, 1\]"),
        ({"fractions": None}, "bins and fractions must be given with binned"),
        ({"bins": np.zeros((9, 2), np.uint16)}, "bins must have one column for each of binned"),
        ({"binned": [(9, 4, True)]}, "binned must have features that follow each other"),
        ({"binned": [(0, 0, False)]}, "binned must have bins from 1 to"),
    ],
)
def test_what_does_not_fit_is_refused(broken, message):
    rows = np.arange(9, dtype=np.int32)
    right = {
        "bins": np.zeros((9, 1), np.uint16),
        "fractions": np.zeros((9, 1), np.float32),
        "binned": [(1, 4, False)],
    }
    arrays = np.zeros((9, 2), np.float32), np.zeros((9, 1))
    jobs = TrainJobs()
    with pytest.raises(ValueError, match=message):
        jobs.add_view(
            "regression",
            1,
            *arrays,
            None,
            rows,
            rows[:0],
            np.zeros(1),
            np.ones(1),
            **right | broken,
        )
