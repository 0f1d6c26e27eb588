"""The search as a whole: many trials, refits, mixtures of losses, interruptions."""

import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import RepeatedKFold

from automs import (
    AutoClassifier,
    AutoRegressor,
    Candidate,
    Choice,
    Float,
    SearchSpace,
    SearchWarning,
    early_end,
    finish,
    train_candidates,
)
from automs.early_end import EarlyEnd
from automs.selection import select_ensemble

SMALL = {
    "hidden_layer_sizes": Choice(((), (4,), (8, 4))),
    "optimizer": "adamw",
    "learning_rate": Float(1e-3, 3e-2, log=True),
    "dropout": Choice((0.0, 0.2)),
    "epochs": 15,
    "batch_size": 16,
}


@pytest.mark.parametrize("kind", [AutoRegressor, AutoClassifier])
@pytest.mark.parametrize("strategy", ["halving", "random", "gibbs"])
def test_two_hundred_trials_give_the_same_bits_for_one_and_two_jobs(
    kind, strategy, regression_table, multiclass_table
):
    """So many that losers are forgotten during the search, and rungs are asked for in parts."""
    X, y = regression_table if kind is AutoRegressor else multiclass_table
    outcomes = []
    for n_jobs in (1, 2, 2):
        model = kind(
            max_trials=200,
            strategy=strategy,
            search_space=SearchSpace(SMALL),
            validation=2,
            baselines=None,
            random_state=7,
            n_jobs=n_jobs,
        ).fit(X, y)
        scores = [(t.name, t.state, t.progress.score) for t in model.trials_]
        outcomes.append((model.predictor_.to_bytes(), model.predict(X).tolist(), scores))
    assert model.n_trials_ == 200
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_a_search_that_finds_nothing_better_ends_long_before_its_limit(
    monkeypatch, regression_table
):
    monkeypatch.setattr(early_end, "_LEAST_CANDIDATES", 40)
    monkeypatch.setattr(early_end, "_LEAST_FINISHED", 40)
    alike = SearchSpace({"hidden_layer_sizes": (4,), "epochs": 1, "seed": 1})
    started = time.perf_counter()
    model = AutoRegressor(
        time_limit=30.0, strategy="random", search_space=alike, baselines=None, random_state=0
    ).fit(*regression_table)
    assert time.perf_counter() - started < 15.0
    assert model.n_trials_ >= 40


@pytest.mark.parametrize(
    ("n_before", "n_candidates", "n_finished", "ends"),
    [(1, 400, 100, True), (1, 399, 100, False), (1, 400, 99, False), (60, 600, 119, False),
     (60, 600, 120, True), (60, 599, 120, False)],
)  # fmt: skip
def test_a_search_ends_early_when_half_of_all_and_of_the_finished_came_after_the_best(
    n_before, n_candidates, n_finished, ends
):
    end = EarlyEnd()
    for number in range(1, n_before):
        end.note(-1.0 / number, 5 * number)
    end.note(1.0, 5 * n_before)
    for _ in range(n_finished - n_before):
        end.note(1.0, n_candidates)
    assert end.is_due == ends


def test_a_constant_that_is_chosen_stays_constant_after_the_refit():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60) + 100.0  # nothing to learn
    hopeless = SearchSpace({"hidden_layer_sizes": (4,), "optimizer": "sgd", "learning_rate": 1e30})
    model = AutoRegressor(
        max_trials=1, validation=0.3, search_space=hopeless, baselines=None, random_state=0,
        ensemble_size=1, loss="absolute",
    ).fit(X, y)  # fmt: skip
    assert list(model.ensemble_weights_) == ["constant"]
    # A float32 bias of an encoded target is 0 exactly: the mean of all rows comes back.
    np.testing.assert_allclose(model.predict(X), y.mean(), rtol=1e-12)


def test_a_loss_that_a_part_of_a_union_names_is_kept(regression_table):
    union = SearchSpace.union(
        [(0.5, SearchSpace(SMALL | {"loss": loss})) for loss in ("huber", "absolute")]
    )
    model = AutoRegressor(
        max_trials=12, search_space=union, baselines=None, random_state=0, validation=2
    ).fit(*regression_table)
    assert {t.candidate.loss for t in model.trials_[-12:]} == {"huber", "absolute"}


def test_a_candidate_keeps_its_score_beside_one_with_another_loss(regression_table):
    first = Candidate((8,), loss="absolute", seed=1)
    second = Candidate((8,), loss="squared", seed=2)
    settings = {"validation": 3, "random_state": 0}
    alone = train_candidates([first], *regression_table, **settings)[0]
    among = train_candidates([second, first], *regression_table, **settings)[1]
    assert alone.score == among.score
    assert all((a == b).all() for a, b in zip(alone.weights[0], among.weights[0], strict=True))


def test_classes_for_some_candidates_only_are_refused(regression_table):
    nets = [Candidate((4,), loss="cross_entropy"), Candidate((4,))]
    with pytest.raises(ValueError, match="cross_entropy for all candidates or for none"):
        train_candidates(nets, *regression_table)


def test_ctrl_c_in_train_candidates_returns_what_is_there(regression_table):
    endless = Candidate((64, 64), epochs=10_000_000, seed=0)
    nets = [replace(endless, epochs=1), endless]
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.warns(SearchWarning, match="interrupted"):
        done, cut = train_candidates(nets, *regression_table, n_jobs=1)
    # Longest first: on one thread the short one has not begun.
    assert (done.epoch, str(done.state)) == (0, "STOPPED")
    assert cut.epoch > 0
    assert str(cut.state) == "STOPPED"
    assert np.isfinite(cut.predictor().predict(regression_table[0])).all()


def test_a_strategy_object_is_not_changed_by_a_search(regression_table):
    from automs.strategies.random import RandomStrategy

    strategy = RandomStrategy()
    before = dict(vars(strategy))
    AutoRegressor(
        max_trials=2, strategy=strategy, search_space=SearchSpace(SMALL), baselines=None,
        random_state=0,
    ).fit(*regression_table)  # fmt: skip
    assert vars(strategy) == before


def test_a_validation_pair_is_validated_on_and_never_trained_on(regression_table):
    X, y = regression_table
    half = len(X) // 2
    settings = {"max_trials": 3, "search_space": SearchSpace(SMALL), "baselines": None,
                "random_state": 0}  # fmt: skip

    def fit(y_val):
        return AutoRegressor(**settings, validation=(X[half:], y_val)).fit(X[:half], y[:half])

    model, other = fit(y[half:]), fit(y[half:] * 1.01)
    chosen = model.predictor_.predict(X[half:])
    rmse = np.sqrt(np.mean((chosen - y[half:]) ** 2))
    if len(model.ensemble_weights_) == 1:
        np.testing.assert_allclose(model.leaderboard_["score_val"][0], -rmse, rtol=1e-5)
    # The linear model has no epochs to choose: its validation rows leave no trace in it.
    sizes = [t.progress.fold_scores.shape for t in model.trials_]
    assert set(sizes) == {(1,)}
    assert model.n_trials_ == other.n_trials_ == 3


def test_a_validation_pair_that_does_not_fit_is_refused(regression_table):
    X, y = regression_table
    for pair, words in [((X[:5, :2], y[:5]), "columns"), ((X[:5], y[:4]), "for each of 5 rows")]:
        with pytest.raises(ValueError, match=words):
            AutoRegressor(max_trials=1, validation=pair, baselines=None).fit(X, y)


def test_in_order_of_time_the_last_rows_score_what_the_first_rows_train(regression_table):
    X, y = regression_table
    settings = {"max_trials": 3, "search_space": SearchSpace(SMALL), "baselines": None,
                "random_state": 0, "ensemble_size": 1}  # fmt: skip
    n_train = len(X) - round(0.2 * len(X))
    in_order = AutoRegressor(**settings, validation="time").fit(X, y)
    first, last = np.arange(n_train), np.arange(n_train, len(X))
    by_hand = AutoRegressor(**settings, validation=FixedSplit(first, last)).fit(X, y)
    assert in_order.predictor_.to_bytes() == by_hand.predictor_.to_bytes()
    with pytest.raises(ValueError, match="groups must be None where validation is 'time'"):
        AutoRegressor(**settings, validation="time").fit(X, y, groups=np.arange(len(y)))


class FixedSplit:
    def __init__(self, train_rows, validation_rows):
        self.pair = train_rows, validation_rows

    def split(self, X, y, groups):
        return [self.pair]


def test_groups_beside_a_validation_pair_are_refused(regression_table):
    X, y = regression_table
    model = AutoRegressor(max_trials=1, validation=(X[:5], y[:5]), baselines=None)
    with pytest.raises(ValueError, match=r"groups must be None where validation is a pair"):
        model.fit(X, y, groups=np.arange(len(y)))


@pytest.mark.parametrize("grouped", [True, False], ids=["groups", "repeated rows"])
def test_an_ensembles_halves_are_cut_between_groups_and_between_copies_of_a_row(
    grouped, regression_table, monkeypatch
):
    X, y = regression_table
    groups = np.arange(len(y)) // 4
    seen = []

    def spy(predictions, targets, *args, **settings):
        seen.append((targets, settings["groups"]))
        return select_ensemble(predictions, targets, *args, **settings)

    monkeypatch.setattr(finish, "select_ensemble", spy)
    AutoRegressor(
        max_trials=4, search_space=SearchSpace(SMALL), baselines=None, random_state=0,
        validation=3 if grouped else RepeatedKFold(n_splits=2, n_repeats=2, random_state=0),
    ).fit(X, y, groups=groups if grouped else None)  # fmt: skip
    ((targets, ids),) = seen
    rows = np.array([int(np.flatnonzero(y == target)[0]) for target in targets[:, 0]])
    assert len(rows) == len(y) * (1 if grouped else 2)
    np.testing.assert_array_equal(ids, groups[rows] if grouped else rows)
