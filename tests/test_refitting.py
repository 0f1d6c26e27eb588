"""Members trained again on all rows: in rounds of encodings, to the same bits as all at once."""

import weakref

import pytest

import automs.refitting
from automs.candidates import Candidate
from automs.clock import Clock
from automs.finish import Ensemble
from automs.memory import Memory
from automs.refitting import refit
from automs.scoring import resolve_metric
from automs.search import Search
from automs.search_space import SearchSpace
from automs.splits import make_splits
from automs.strategies import make_strategy
from automs.strategies.base import Problem
from automs.table import read_table
from automs.target import read_target
from automs.training import Training

ENCODINGS = ("standard", "piecewise", "quantile")


def searched_with(table, y, memory):
    """A search on a hold-out of two networks in each of three encodings."""
    target = read_target(y, len(y), classification=False)
    metric = resolve_metric("rmse", "regression", "squared", None)
    splits = make_splits(0.25, len(y), None, 0, None)
    training = Training(table, target, splits, metric, memory=memory)
    nets = [
        Candidate((8,), epochs=3, encoding=name, seed=seed) for seed in (1, 2) for name in ENCODINGS
    ]
    problem = Problem(
        search_space=SearchSpace({"hidden_layer_sizes": (8,), "epochs": 3}), seed=0, n_rows=120,
        n_features=5, n_outputs=1, max_trials=6, first_candidates=nets,
    )  # fmt: skip
    search = Search(training, make_strategy("random"), problem, Clock(None))
    search.run()
    members = [trial for trial in search.trials() if trial.candidate in nets]
    assert len(members) == 6
    return training, Ensemble(members, [1 / 6] * 6, members[0].progress.fold_scores, 0.0)


@pytest.fixture
def rounds(monkeypatch):
    """The trainings on all rows, each with the views of all that are alive once it is done."""
    made, at_most = [], []

    class Watched(Training):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(weakref.ref(self))

        def run(self, *args):
            super().run(*args)
            alive = [ref() for ref in made if ref() is not None]
            at_most.append(sum(len(training.views._views) for training in alive))

    monkeypatch.setattr(automs.refitting, "Training", Watched)
    return at_most


def sizes_of(training, ensemble):
    return {t.candidate.encoding: training.view(0, t.candidate).n_bytes for t in ensemble.members}


def bits(networks):
    return {n: [w.tobytes() for net in nets for w in net.weights] for n, nets in networks.items()}


@pytest.mark.parametrize(
    ("room_for", "expected"), [((), [1, 1, 1]), (ENCODINGS[:2], [2, 1]), (ENCODINGS, [3])]
)
def test_views_of_a_round_go_before_the_next_and_bits_stay(
    regression_table, rounds, monkeypatch, room_for, expected
):
    X, y = regression_table
    table = read_table(X)
    training, ensemble = searched_with(table, y, Memory(None))
    together = bits(refit(training, table, ensemble, Clock(None)))
    assert rounds == [3]
    rounds.clear()
    sizes = sizes_of(training, ensemble)
    monkeypatch.setattr(Memory, "refit_bytes", sum(sizes[name] for name in room_for))
    assert bits(refit(training, table, ensemble, Clock(None))) == together
    assert sorted(together) == sorted(t.number for t in ensemble.members)
    assert rounds == expected


def test_what_is_trained_again_is_not_counted_once_it_is_done(regression_table):
    """Or a second refit would find no room."""
    X, y = regression_table
    table = read_table(X)
    training, ensemble = searched_with(table, y, memory := Memory(200_000.0))
    left = memory.refit_bytes
    for _ in range(20):
        assert len(refit(training, table, ensemble, Clock(None))) == 6
    assert memory.refit_bytes == left


def test_members_whose_encoding_does_not_fit_keep_their_networks(regression_table):
    X, y = regression_table
    table = read_table(X)
    training, ensemble = searched_with(table, y, memory := Memory(200_000.0))
    sizes = sizes_of(training, ensemble)
    wide = max(sizes, key=sizes.__getitem__)
    memory.take_view(memory.refit_bytes - sizes[wide] + 1)
    done = refit(training, table, ensemble, Clock(None))
    kept = [t.number for t in ensemble.members if t.candidate.encoding != wide]
    assert sorted(done) == sorted(kept)
    assert kept
