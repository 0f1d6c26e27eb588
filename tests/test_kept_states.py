"""States of a search: what is kept stays within memory's share, and never changes a result."""

from dataclasses import replace

import numpy as np
import pytest

from automs import AutoClassifier, GibbsStrategy, HalvingStrategy, Request, Strategy
from automs.candidates import Candidate
from automs.kept_states import KeptStates
from automs.memory import Memory, network_bytes, state_bytes
from automs.scoring import resolve_metric
from automs.search import Search
from automs.splits import make_splits
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

N_ROWS, N_FOLDS, EPOCHS = 120, 2, 6


class Room(Memory):
    """As without a limit, but for the bytes that states, and networks, may take."""

    def __init__(self, room):
        super().__init__(None)
        self._room = room

    def _share(self, free):
        return self._room


def make_training(room=1e9, n_candidates=8, metric="rmse"):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(N_ROWS, 4)), rng.normal(size=N_ROWS)
    target = read_target(y, N_ROWS, classification=False)
    metric = resolve_metric(metric, "regression", "squared", None)
    splits = make_splits(N_FOLDS, N_ROWS, None, 0, None)
    training = Training(read_table(X), target, splits, metric, memory=Room(room))
    settings = {"encoding": "standard", "epochs": EPOCHS}
    training.add(
        [
            Candidate((8,), learning_rate=0.01 * (i + 1), seed=i, **settings)
            for i in range(n_candidates)
        ]
    )
    return training


def held_bytes(training):
    """What the engine holds."""
    return sum(
        network_bytes(training.n_values(number)) // training.n_folds * (state[name].size > 0)
        for number in range(len(training.candidates))
        for state in training.export_states(number)
        for name in ("weights", "first_moment", "second_moment", "best_weights")
    )


def sizes(training):
    return state_bytes(training.n_values(0)), network_bytes(training.n_values(0))


def test_parts_take_three_tenths_of_the_room_and_one_candidate_at_least():
    training = make_training()
    one, _ = sizes(training)
    for room, expected in ((1.0, [1] * 8), (10.1 * one, [3, 3, 2]), (30 * one, [8])):
        training.memory = Room(room)
        parts = KeptStates(training).parts(range(8))
        assert [len(part) for part in parts] == expected
        assert [at for part in parts for at in part] == list(range(8))


def test_of_what_waits_beyond_its_room_the_networks_are_kept():
    training = make_training()
    training.run(range(8), [2] * 8)
    one, network = sizes(training)
    training.memory = Room(3.0 * one)
    kept = KeptStates(training)
    for _ in range(2):  # twice is once
        kept.keep(range(8), lambda _: True)
        assert not kept.released
        assert held_bytes(training) == 2 * one + 6 * network
    scores = [progress.score for progress in training.progress(range(8))]
    beaten = np.argsort(scores)[:-2]
    assert kept.begin(range(8)) == sorted(beaten.tolist())


def test_what_will_not_go_on_keeps_its_networks_alone():
    training = make_training()
    training.run(range(8), [2] * 8)
    state, network = sizes(training)
    predictions = training.validation_predictions(range(8))
    assert held_bytes(training) == 8 * state
    kept = KeptStates(training)
    kept.keep(range(8), lambda at: at >= 6)
    assert held_bytes(training) == 6 * network + 2 * state
    for fold in range(N_FOLDS):
        for number in range(8):
            np.testing.assert_array_equal(
                training.validation_predictions([number])[0][fold], predictions[number][fold]
            )
    training.memory = Room(3 * network)
    kept.keep(range(8), lambda _: False)
    assert held_bytes(training) == 3 * network
    assert len(kept.released) == 5


def test_a_settled_or_released_one_starts_again_and_comes_to_the_same_bits():
    training, whole = make_training(), make_training()
    whole.run(range(8), [EPOCHS] * 8)
    training.run(range(8), [3] * 8)
    kept = KeptStates(training)
    training.memory = Room(4 * sizes(training)[1])
    kept.keep(range(8), lambda _: False)
    assert len(kept.released) == 4
    with pytest.raises(ValueError, match="settled"):
        training.run(range(8), [EPOCHS] * 8)
    assert kept.begin(range(8)) == list(range(8))
    assert not kept.released
    training.run(range(8), [EPOCHS] * 8)
    assert kept.begin(range(8)) == [], "what is finished stays"
    for number in range(8):
        pairs = zip(training.export_states(number), whole.export_states(number), strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one["best_weights"], other["best_weights"])


STATE = ("weights", "first_moment", "second_moment", "best_weights")


def assert_same_states(training, number, other_training, other):
    pairs = zip(training.export_states(number), other_training.export_states(other), strict=True)
    for one, another in pairs:
        for name in STATE:
            np.testing.assert_array_equal(one[name], another[name])


def test_a_copy_begins_with_a_state_that_was_forgotten():
    training, whole = make_training(), make_training()
    for each in (training, whole):
        each.run(range(7), [3] * 7)
    kept = KeptStates(training)
    training.memory = Room(1.0)
    kept.keep(range(7), lambda _: True)
    forgotten = min(kept.released)
    kept.copy(7, forgotten)
    assert kept.begin([7]) == [7]
    kept.recover()
    assert_same_states(training, 7, whole, forgotten)
    assert forgotten in kept.released, "it was another one that trained again"


@pytest.mark.parametrize("room", [1.0, 1e9])
def test_copies_of_copies_come_to_the_same_bits_after_their_sources_went_on(room):
    """0 goes on from epoch 2; 1 is 0 at epoch 2 and goes on from 3; 2 is 1 at 3; in any order."""
    training, whole = make_training(), make_training()
    whole.run([0], [2])
    whole.import_states(1, whole.export_states(0))
    whole.run([1], [3])
    whole.import_states(2, whole.export_states(1))
    whole.run([0, 1, 2], [5, 5, 5])

    kept = KeptStates(training)
    training.run([0], [2])
    kept.copy(1, 0)
    training.run([0], [5])
    kept.begin([1])
    kept.recover()
    training.run([1], [3])
    kept.copy(2, 1)
    training.memory = Room(room)
    kept.keep(range(8), lambda _: True)
    weights = [training.export_states(number)[0]["weights"] for number in (0, 1)]
    assert sorted(w.size == 0 for w in weights) == [False, room == 1.0]
    kept.begin([2, 1, 0])
    training.run([0, 1, 2], [5, 5, 5])
    kept.recover()
    for number in range(3):
        assert_same_states(training, number, whole, number)
    n_again = len(training.candidates) - 8
    states = [training.export_states(8 + at)[0]["weights"] for at in range(n_again)]
    assert n_again >= 1
    assert all(weights.size == 0 for weights in states), "what trained again was let go"


def test_copies_are_forgotten_like_others():
    training = make_training()
    training.run(range(6), [3] * 6)
    kept = KeptStates(training)
    kept.copy(6, 0)
    kept.copy(7, 5)
    kept.begin([6, 7])
    training.memory = Room(1.0)
    kept.keep(range(8), lambda _: True)
    assert held_bytes(training) == sum(sizes(training)), "of one the state, of one the network"
    assert len(kept.released) == 6


def settled_training():
    """Networks of three epochs whose states may not go on any more."""
    training = make_training()
    training.run(range(8), [3] * 8)
    kept = KeptStates(training)
    kept.keep(range(8), lambda _: False)
    return training, kept


def test_what_began_again_and_was_cut_has_its_network_back():
    training, kept = settled_training()
    before = [training.export_states(number) for number in range(8)]
    assert kept.begin(range(8)) == list(range(8))
    training.run(range(8), [4, 3, 2, 1, 0, 0, 0, 0])
    kept.recover()
    assert [p.epoch for p in training.progress(range(8))] == [4, 3, 3, 3, 3, 3, 3, 3]
    for number in range(2, 8):
        for one, other in zip(training.export_states(number), before[number], strict=True):
            np.testing.assert_array_equal(one["best_weights"], other["best_weights"])
            assert one["best_score"] == other["best_score"]
    assert kept.begin([1, 2]) == [2], "it is no state to go on from"


@pytest.mark.parametrize(("seconds", "is_over"), [(0.0, False), (None, True)])
def test_a_copy_without_time_for_its_source_is_at_epoch_0(seconds, is_over):
    training, kept = settled_training()
    training.restart([7])
    kept.copy(7, 0)
    kept.begin([7], lambda: seconds, lambda: is_over)
    assert [p.epoch for p in training.progress([0, 7])] == [3, 0]


def test_a_metric_of_the_callers_still_scores_what_was_released():
    training = make_training(metric=lambda y, predictions: -float(np.abs(y - predictions).mean()))
    training.run([0, 1], [3, 3])
    before = [progress.score for progress in training.progress([0, 1])]
    training.release([0])
    assert [progress.score for progress in training.progress([0, 1])] == before


class CopiesOnce(Strategy):
    """Eight candidates for an epoch, then a copy of each to its end: nothing goes on after that."""

    def ask(self, allowance):
        if not self.candidates:
            return [Request(self.add(self.new_candidate()), 1) for _ in range(8)]
        if len(self.candidates) > 8:
            return []
        originals = list(self.candidates)
        copies = [self.add(replace(c, seed=c.seed + 1)) for c in originals]
        return [
            Request(copy, c.epochs, at)
            for at, (c, copy) in enumerate(zip(originals, copies, strict=True))
        ]

    def tell(self, results):
        pass

    def may_be_promoted(self, candidate_index):
        return len(self.candidates) == 8


STRATEGIES = {
    "copies": CopiesOnce,
    "halving": HalvingStrategy,
    "gibbs": lambda: GibbsStrategy(n_particles=8),
    "random": lambda: "random",
}


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_search_with_little_room_comes_to_the_same_scores(
    strategy, n_jobs, binary_table, quick_space, monkeypatch
):
    def fit(n_jobs):
        model = AutoClassifier(
            search_space=quick_space, strategy=STRATEGIES[strategy](), max_trials=24, validation=3,
            baselines=None, random_state=0, n_jobs=n_jobs,
        )  # fmt: skip
        return model.fit(*binary_table)

    free = fit(1)
    monkeypatch.setattr(Memory, "state_bytes", 40_000.0)
    tight = fit(n_jobs)
    assert tight.predictor_.to_bytes() == free.predictor_.to_bytes()
    assert [t.progress.fold_scores.tolist() for t in tight.trials_] == [
        t.progress.fold_scores.tolist() for t in free.trials_
    ]


def test_by_default_a_search_holds_no_more_than_its_share_of_the_bound(
    binary_table, quick_space, monkeypatch
):
    room = 100_000.0
    for name, n_bytes in (("_FREE_NETWORKS", room), ("_FREE_STATES", room), ("_FREE_SHARE", 0.0)):
        monkeypatch.setattr(f"automs.memory.{name}", n_bytes)
    held, trained = [], []
    train = Search._train

    def watched(search, requests):
        train(search, requests)
        training = search.training
        largest = state_bytes(max(map(training.n_values, search._numbers)))
        held.append(held_bytes(training) - largest)
        trained.append(len(requests))

    monkeypatch.setattr(Search, "_train", watched)
    model = AutoClassifier(
        search_space=quick_space, max_trials=60, validation=3, baselines=None, random_state=0
    ).fit(*binary_table)
    assert max(held) <= 2.0 * room
    assert max(trained) < 60
    assert model.score(*binary_table) > 0.6
