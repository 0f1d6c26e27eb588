"""Encoded features that are put away and made again: within the bound, and to the same bits."""

import numpy as np
import pytest

from automs import AutoClassifier
from automs._core import TrainJobs
from automs.candidates import Candidate
from automs.exact import train_exact
from automs.memory import Memory
from automs.scoring import resolve_metric
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

ENCODINGS = ("robust", "piecewise", "quantile", "standard")
N_ROWS = 240


def make_table(rng):
    X = rng.normal(size=(N_ROWS, 4))
    X[rng.random(X.shape) < 0.1] = np.nan
    frame = X.astype(object)
    levels = rng.integers(0, 12, N_ROWS)
    return np.column_stack([frame, [f"level {level}" for level in levels]]), levels


@pytest.fixture
def table():
    X, levels = make_table(np.random.default_rng(0))
    return X, np.nan_to_num(X[:, 0].astype(float)) + levels % 3


def make_training(X, y, n_folds=2, n_threads=1):
    metric = resolve_metric("rmse", "regression", "squared", None)
    return Training(
        read_table(X), read_target(y, len(y), classification=False),
        make_splits(n_folds, len(y), None, 0, None), metric, n_threads=n_threads,
        memory=Memory(None),
    )  # fmt: skip


def candidates():
    nets = [
        Candidate((8,), encoding=name, epochs=4, seed=seed, embedding_size=size)
        for seed in (1, 2)
        for name in ENCODINGS
        for size in ((0, 4) if name in {"robust", "standard"} else (0,))
    ]
    return [*nets, Candidate((6,), encoding="robust", loss="poisson", epochs=4, seed=3)]


def bound_views(monkeypatch, training, n_views):
    """Let so many of the widest features be there at once."""
    widest = max(training.view(0, candidate).n_bytes for candidate in candidates())
    monkeypatch.setattr(Memory, "view_bytes", n_views * widest)


def trained(training):
    """Train in steps, and ask for predictions in between; give all that came of it."""
    nets = candidates()
    exact = [
        Candidate((), optimizer="exact", encoding=name, l2_penalty=penalty, seed=0)
        for name in ("standard", "piecewise")
        for penalty in (0.1, 1.0)
    ]
    first = training.add(nets)
    numbers = list(range(first, first + len(nets)))
    training.run(numbers, [2] * len(nets))
    between = training.validation_predictions(numbers[::-1])
    linear = training.add(exact)
    solved = train_exact(training, range(linear, linear + len(exact)))
    training.run(numbers[::2], [4] * len(numbers[::2]))
    training.run(numbers, [4] * len(nets))
    return between, solved, training.validation_predictions([*numbers, *solved])


def assert_same(one, other):
    assert one[1] == other[1]
    for mine, its in ((one[0], other[0]), (one[2], other[2])):
        for folds, its_folds in zip(mine, its, strict=True):
            for array, its_array in zip(folds, its_folds, strict=True):
                np.testing.assert_array_equal(array, its_array)


@pytest.mark.parametrize("n_views", [0, 1, 2.5, 4])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_bits_are_those_of_features_that_all_stay(table, monkeypatch, n_views, n_threads):
    X, y = table
    expected = trained(make_training(X, np.abs(y)))
    training = make_training(X, np.abs(y), n_threads=n_threads)
    bound_views(monkeypatch, training, n_views)
    assert_same(trained(training), expected)


@pytest.mark.parametrize("n_views", [1, 2, 3.5, 6])
def test_features_that_are_there_keep_within_the_bound(table, monkeypatch, n_views):
    X, y = table
    training = make_training(X, np.abs(y))
    bound_views(monkeypatch, training, n_views)
    views, most = training.views, []
    bring_back = views._bring_back

    def noted(encoder, beside):
        bring_back(encoder, beside)
        most.append(sum(map(views._n_bytes, views._features)))

    monkeypatch.setattr(views, "_bring_back", noted)
    trained(training)
    assert len(most) > 20
    assert max(most) <= views._memory.view_bytes


def test_nothing_is_made_twice_where_there_is_room(table, monkeypatch):
    X, y = table
    training = make_training(X, np.abs(y))
    made = []
    bring_back = training.views._bring_back
    monkeypatch.setattr(
        training.views, "_bring_back", lambda e, beside: (made.append(e), bring_back(e, beside))
    )
    trained(training)
    assert len(made) == len(set(made))


def test_room_is_made_of_what_was_not_used_for_longest(table):
    X, y = table
    training = make_training(X, np.abs(y), n_folds=2)
    views = [training.view(0, Candidate(encoding=name, embedding_size=0)) for name in ENCODINGS]
    training.views.hold([views[0]])
    assert list(training.views._features) == [v.encoder for v in (*views[1:], views[0])]
    training.views._memory.take_first_view(0)
    room = training.views._memory.view_bytes
    training.views.make_room(room - views[0].n_bytes - views[3].n_bytes)
    assert list(training.views._features) == [views[3].encoder, views[0].encoder]
    training.views.make_room(np.inf)
    assert not training.views._features


@pytest.mark.parametrize("look", [None, lambda: True])
def test_time_is_that_of_all_parts(table, monkeypatch, look):
    """Without any, or stopped at once, nothing is trained in any of them."""
    X, y = table
    training = make_training(X, np.abs(y))
    bound_views(monkeypatch, training, 1)
    numbers = range(training.add(candidates()), len(candidates()))
    there = list(training.views._features)
    training.run(numbers, [4] * len(numbers), 0.0 if look is None else None, look)
    assert {p.epoch for p in training.progress(numbers)} == {0}
    assert list(training.views._features) == there, "something was encoded although it was late"


def test_what_is_late_after_the_first_part_is_left(table, monkeypatch):
    X, y = table
    training = make_training(X, np.abs(y), n_folds=0.25)
    bound_views(monkeypatch, training, 1)
    numbers = range(training.add(candidates()), len(candidates()))
    ticks = iter([0.0, 1.0, 1.0, *[9.0] * 100])
    monkeypatch.setattr("automs.held_jobs.perf_counter", lambda: next(ticks))
    training.run(numbers, [4] * len(numbers), 5.0)
    trained = {
        training.candidates[p].encoding for p in numbers if training.progress([p])[0].epoch == 4
    }
    assert len(trained) == 1


def test_seconds_are_counted_for_what_is_away_alone(table):
    X, y = table
    training = make_training(X, np.abs(y))
    nets = [Candidate(encoding=name, embedding_size=0, seed=1) for name in ENCODINGS]
    number = training.add(nets)
    numbers = range(number, number + len(ENCODINGS))
    assert training.held.seconds_for(numbers) == 0.0
    training.views.make_room(np.inf)
    training.held.hold([numbers[0]])
    expected = 2 * (len(ENCODINGS) - 1) * training.views.seconds
    assert training.held.seconds_for(numbers) == pytest.approx(expected)


def test_a_whole_search_gives_the_same_model(table, monkeypatch):
    X, y = table
    settings = {"max_trials": 8, "random_state": 0, "baselines": None, "validation": 0.3}
    plain = AutoClassifier(**settings).fit(X, y > 1)
    monkeypatch.setattr(Memory, "view_bytes", 1.0)
    bounded = AutoClassifier(**settings).fit(X, y > 1)
    np.testing.assert_array_equal(plain.predict_proba(X), bounded.predict_proba(X))
    assert plain.leaderboard_["name"].tolist() == bounded.leaderboard_["name"].tolist()


def test_features_of_another_shape_do_not_come_back():
    rows = np.arange(9, dtype=np.int32)
    jobs = TrainJobs()
    X, y = np.zeros((9, 2), np.float32), np.zeros((9, 1))
    view = jobs.add_view("regression", 1, X, y, None, rows, rows[:0], np.zeros(1), np.ones(1))
    jobs.put_away(view)
    for wrong, message in ((X[:8], "X must have"), (X[:, :1].copy(), "X must have one column")):
        with pytest.raises(ValueError, match=message):
            jobs.bring_back(view, wrong)
    with pytest.raises(TypeError):
        jobs.bring_back(view, X.astype(np.float64))
    with pytest.raises(ValueError, match="no view has the number 1"):
        jobs.put_away(1)
    jobs.bring_back(view, X)
