"""The Gibbs strategy on the engine: states that go on in copies, noise, and the averaged model."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor, GibbsStrategy, Request, SearchSpace, Strategy
from automs.averaging import average_by_posterior, main_members
from automs.clock import Clock
from automs.part_scores import part_scores
from automs.scoring import resolve_metric, score_predictions
from automs.search import Search
from automs.splits import make_splits
from automs.strategies import Problem
from automs.table import read_table
from automs.target import read_target
from automs.training import Training


def training_of(table, validation, metric="auto"):
    X, y = table
    target = read_target(y, len(X), classification=False, loss="auto")
    splits = make_splits(validation, len(X), None, 0)
    return Training(read_table(X), target, splits, resolve_metric(metric, "regression"))


class Copying(Strategy):
    """Train one candidate to its fifth epoch, then it and copies of it to the end."""

    wants_part_scores = True

    def __init__(self, *changes):
        self.changes, self.results = changes, []

    def ask(self, _allowance):
        if not self.candidates:
            return [Request(self.add(self.new_candidate()), 5)]
        if len(self.candidates) > 1:
            return []
        first = self.candidates[0]
        copies = [self.add(replace(first, **change)) for change in self.changes]
        # The first request trains the parent on: copies must start from where it was before.
        return [Request(0, first.epochs), *(Request(i, first.epochs, 0) for i in copies)]

    def tell(self, results):
        self.results += results


def search_with(strategy, table, space, validation=3):
    training = training_of(table, validation)
    problem = Problem(
        search_space=space, seed=1, n_rows=100, n_features=5, n_outputs=1,
        n_folds=training.n_folds, max_trials=4,
    )  # fmt: skip
    search = Search(training, strategy, problem, Clock(None))
    search.run()
    return search


@pytest.mark.parametrize("validation", [0.3, 3])
def test_a_copy_goes_on_from_the_parents_state_with_settings_of_its_own(
    validation, regression_table, quick_space
):
    strategy = Copying({}, {"learning_rate": 1e-3}, {"seed": 77}, {"dropout": 0.5})
    search = search_with(strategy, regression_table, quick_space, validation)
    training, numbers = search.training, search._numbers
    curves = [training.curves(number) for number in numbers]
    states = [training.export_states(number) for number in numbers]
    for fold in training.folds:
        parent, same, *others = [c[fold]["train_loss"] for c in curves]
        np.testing.assert_array_equal(same, parent)  # nothing was changed: the same bits
        np.testing.assert_array_equal(
            states[0][fold]["best_weights"], states[1][fold]["best_weights"]
        )
        for other in others:
            np.testing.assert_array_equal(other[:5], parent[:5])
            assert (other[5:] != parent[5:]).any()
            assert len(other) == 15
    costs = [result.cost for result in strategy.results]
    assert costs[2] == costs[1] == pytest.approx(2 * costs[0])  # 10 epochs, after 5


def test_part_scores_are_of_disjoint_parts_that_make_up_the_rows(regression_table, quick_space):
    for validation in (0.3, 3):
        search = search_with(Copying({}), regression_table, quick_space, validation)
        training, last = search.training, search.strategy.results[-1]
        parts = np.array(last.part_scores)
        sizes = [
            split.validation_rows[part :: 8 // training.n_folds + (8 % training.n_folds > 0)].size
            for split in training.splits
            for part in range(len(parts) // training.n_folds)
        ]
        assert len(parts) == len(sizes) >= 8
        assert sum(sizes) == sum(s.validation_rows.size for s in training.splits)
        folds = np.split(np.array(sizes) * parts**2, training.n_folds)
        n_rows = [split.validation_rows.size for split in training.splits]
        rmse = np.mean([np.sqrt(f.sum() / n) for f, n in zip(folds, n_rows, strict=True)])
        assert -rmse == pytest.approx(last.score, rel=1e-9)
        first, second = search._numbers
        outcomes = training.progress([first, second])
        outcomes[0] = replace(outcomes[0], fold_scores=np.array([-np.inf]))  # as one that diverged
        assert part_scores(training, [first, second], outcomes) == {second: last.part_scores}


def test_other_strategies_pay_for_no_part_scores(regression_table, quick_space):
    strategy = Copying({})
    strategy.wants_part_scores = False
    search_with(strategy, regression_table, quick_space)
    assert {result.part_scores for result in strategy.results} == {()}


@pytest.mark.parametrize("kind", [AutoRegressor, AutoClassifier])
@pytest.mark.parametrize("validation", [0.3, 2])
def test_the_averaged_model_has_the_same_bits_for_any_number_of_jobs(
    kind, validation, regression_table, multiclass_table, quick_space
):
    X, y = regression_table if kind is AutoRegressor else multiclass_table
    models = [
        kind(
            max_trials=40, strategy=GibbsStrategy(ensemble="posterior"), search_space=quick_space,
            validation=validation, baselines=None, random_state=5, n_jobs=n_jobs,
        ).fit(X, y)
        for n_jobs in (1, 2)
    ]  # fmt: skip
    one, two = models
    assert one.predictor_.to_bytes() == two.predictor_.to_bytes()
    assert str(one.strategy_.history) == str(two.strategy_.history)
    assert one.n_trials_ == 40

    weights = one.strategy_.posterior_weights()
    assert sum(weights.values()) == pytest.approx(1.0)
    named = {f"net-{index:04d}": weight for index, weight in weights.items()}
    kept = one.ensemble_weights_
    assert 1 <= len(kept) <= 12
    assert sum(kept.values()) == pytest.approx(1.0)
    for name, weight in kept.items():
        assert weight / max(kept.values()) == pytest.approx(
            named[name] / max(named.values()), rel=1e-9
        )
    last = [r for r in one.strategy_.history if r.rung == 3]
    assert all(r.effective_sample_size >= 1 for r in last)


def test_the_given_strategy_is_not_changed_and_rungs_are_logged(
    regression_table, quick_space, caplog
):
    strategy = GibbsStrategy(5.0)
    before = dict(vars(strategy))
    with caplog.at_level(logging.INFO, logger="automs"):
        model = AutoRegressor(
            max_trials=12, strategy=strategy, search_space=quick_space, baselines=None,
            random_state=0, validation=0.3,
        ).fit(*regression_table)  # fmt: skip
    assert vars(strategy) == before
    assert model.strategy_.history[-1].inverse_temperature == 5.0
    assert sum("effective_sample_size" in record.message for record in caplog.records) == len(
        model.strategy_.history
    )


def test_candidates_that_diverge_are_no_part_of_the_model(regression_table, quick_space):
    space = SearchSpace.union(
        [(0.5, quick_space), (0.5, quick_space.replace(optimizer="sgd", learning_rate=1e30))]
    )
    model = AutoRegressor(
        max_trials=30, strategy=GibbsStrategy(ensemble="posterior"), search_space=space,
        baselines=None, random_state=0, validation=0.3,
    ).fit(*regression_table)  # fmt: skip
    states = model.leaderboard_.set_index("name")["state"]
    assert (states == "DIVERGED").any()
    assert not any(states[name] == "DIVERGED" for name in model.ensemble_weights_)
    assert model.strategy_.history[0].n_alive < model.strategy_.history[0].n_particles


def test_under_a_time_limit_there_is_a_model_and_every_candidate_is_a_trial(
    regression_table, quick_space
):
    model = AutoRegressor(
        time_limit=2.0, strategy="gibbs", search_space=quick_space, baselines=None, random_state=0,
        validation=0.3,
    ).fit(*regression_table)  # fmt: skip
    assert np.isfinite(model.predict(regression_table[0])).all()
    assert model.n_trials_ == len(model.strategy_.candidates) > 0


# The mean.


def test_the_main_members_carry_the_mean():
    weights = {3: 0.5, 1: 0.004, 2: 0.3, 9: 0.196}
    assert list(main_members(weights, 10)) == [3, 2, 9]
    assert main_members(weights, 2) == {3: 0.5 / 0.8, 2: 0.3 / 0.8}
    assert main_members(weights, 1) == {3: 1.0}


def test_rows_are_predicted_by_weights_of_the_other_half():
    """Members that are noise: weights from the rows themselves would look better than they are."""
    rng = np.random.default_rng(3)
    rmse = resolve_metric("rmse", "regression")
    gains = []
    for seed in range(20):
        y = rng.normal(size=(80, 1))
        members = [rng.normal(scale=0.3, size=(80, 1)) for _ in range(100)]
        scores = np.array([score_predictions(rmse, member, y) for member in members])
        weights = np.exp(100.0 * (scores - scores.max()))
        weights /= weights.sum()
        honest = average_by_posterior(members, weights, y, rmse, 100.0, seed=seed)
        chosen = sum(w * m for w, m in zip(weights, members, strict=True))
        nothing = score_predictions(rmse, np.zeros_like(y), y)
        gains.append([score_predictions(rmse, p, y) - nothing for p in (honest, chosen)])
    by_other_half, by_themselves = np.mean(gains, axis=0)
    assert by_themselves > 0.02
    assert by_other_half < 0.0


def test_at_temperature_zero_the_halves_change_no_weight():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, size=50).astype(float)[:, None]
    members = [np.column_stack([1 - p, p]) for p in rng.random((4, 50))]
    weights = np.array([0.4, 0.3, 0.2, 0.1])
    metric = resolve_metric("roc_auc", "binary")
    averaged = average_by_posterior(members, weights, y, metric, 0.0)
    np.testing.assert_allclose(averaged, np.tensordot(weights, members, 1), rtol=1e-12)
