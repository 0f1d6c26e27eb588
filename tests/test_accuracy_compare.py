"""The benchmark of accuracy: predictions that are kept, and the noise of differences of errors."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "accuracy.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    kept = importlib.import_module("accuracy_predictions")
    bootstrap = importlib.import_module("accuracy_bootstrap")
    compared = importlib.import_module("accuracy_compare")
    protocol = importlib.import_module("accuracy_protocol")

# A standard deviation of 1,000 draws is known to 1 / sqrt(2,000): this is four times as much.
NOISE = 0.09


def about(dataset="wine", task="binary", seed=0, system="automs", error=0.0):
    return kept.About(dataset, task, seed, system, 60.0, error)


def losses(values):
    """Rows of three classes that have these log losses."""
    return kept.Rows("multiclass", np.zeros(len(values)), np.asarray(values, float))


def predictions(task, rng, n=60):
    """Targets and predictions of a task."""
    if task == "regression":
        y = rng.normal(1e6, 3.0, n)
        return y, y + rng.normal(size=n)
    y = np.arange(n) % (2 if task == "binary" else 3)
    return y, rng.dirichlet(np.full(y.max() + 1, 0.5), n)


def measured(task, y, predicted):
    if task == "regression":
        return protocol.regression_error(y, predicted)[0]
    return protocol.class_error(y, predicted, task)[0]


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 4)), min_size=3))
def test_area_is_that_of_weighted_rows_ties_included(rows):
    scores, y, counts = map(np.array, zip(*rows, strict=True))
    found = bootstrap.weighted_auc(y.astype(float), scores.astype(float), counts[None, :] * 1.0)
    if len(set(y[counts > 0])) < 2:
        assert np.isnan(found).all()
    else:
        assert found[0] == pytest.approx(roc_auc_score(y, scores, sample_weight=counts))


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_errors_of_kept_rows_are_the_protocols_on_rows_repeated(task, tmp_path):
    rng = np.random.default_rng(0)
    y, predicted = predictions(task, rng)
    kept.write(tmp_path, about(task=task), y, predicted)
    ((path, found),) = kept.find(tmp_path).items()
    assert found == about(task=task)
    counts = rng.integers(3, size=(2, len(y)))
    errors = bootstrap.weighted_errors(kept.read(path, found), counts.astype(float))
    expected = [measured(task, np.repeat(y, c), np.repeat(predicted, c, axis=0)) for c in counts]
    # Targets of a million in float32 are right to 0.06, a fiftieth of their deviation.
    assert errors == pytest.approx(expected, rel=2e-2 if task == "regression" else 1e-5)


def test_rows_that_are_nearly_certain_keep_their_order():
    sure = 1.0 - 10.0 ** -np.arange(2, 12)
    probabilities = np.column_stack([1.0 - sure, sure]).astype(np.float32).astype(float)
    assert (np.diff(kept.log_odds(probabilities)) > 0).all()
    assert (np.diff(kept.log_odds(probabilities[:, ::-1])) < 0).all()
    assert np.isfinite(kept.log_odds(np.eye(2))).all()


def test_the_standard_error_is_that_of_paired_rows():
    # Differences of +1 and -1 in turn: 1 / sqrt(400), whatever both have in common.
    common = np.random.default_rng(1).normal(50.0, 20.0, 400)
    sign = np.tile([1.0, -1.0], 200)
    (found,) = bootstrap.differences([[losses(common + sign), losses(common)]])
    assert found.ours == pytest.approx(common.mean())
    assert found.value == pytest.approx(0.0)
    assert found.standard_error == pytest.approx(0.05, rel=NOISE)


def test_seeds_are_resampled_too():
    # Means of two seeds drawn from differences 0 and 3: 0, 1.5, 3 in 1, 2, 1 of four cases.
    by_seed = [[losses([5.0] * 9), losses([5.0] * 9)], [losses([5.0] * 9), losses([2.0] * 9)]]
    (found,) = bootstrap.differences(by_seed)
    assert found.value == pytest.approx(1.5)
    assert found.standard_error == pytest.approx(1.5 / math.sqrt(2), rel=NOISE)


def test_a_seed_drawn_twice_has_other_rows_each_time():
    # No difference between seeds: 300 rows of three seeds are as good as 300 of one.
    rows = [losses(np.tile([1.0, -1.0], 50)), losses(np.zeros(100))]
    (found,) = bootstrap.differences([rows, rows, rows])
    assert found.standard_error == pytest.approx(1 / math.sqrt(300), rel=NOISE)


def test_resamples_repeat_and_are_the_same_in_parts(monkeypatch):
    rows = [losses(np.arange(50.0)), losses(np.arange(50.0)[::-1])]
    whole = bootstrap.resampled_errors(rows, 40, seed=3)
    monkeypatch.setattr(bootstrap, "_MOST_COUNTS", 350)
    np.testing.assert_array_equal(bootstrap.resampled_errors(rows, 40, seed=3), whole)
    assert (bootstrap.resampled_errors(rows, 40, seed=4) != whole).any()


@pytest.mark.parametrize(
    ("ours", "standard_error", "verdict"),
    [
        (1.16, 0.05, compared.BEHIND),
        (1.16, 0.09, "behind by 15 %"),
        (1.14, 0.001, "behind by 5 %"),
        (1.04, 0.001, ""),
        (0.5, 0.1, ""),
    ],
)
def test_verdicts(ours, standard_error, verdict):
    difference = bootstrap.Difference(ours, 1.0, standard_error)
    assert compared.Pair("wine", "hgb", 1, difference).verdict == verdict


def test_equal_errors_are_no_standard_errors_apart():
    pair = compared.Pair("wine", "hgb", 1, bootstrap.Difference(0.0, 0.0, 0.0))
    assert (pair.standard_errors, pair.ratio, pair.verdict) == (0.0, 1.0, "")


@pytest.fixture
def folder(tmp_path):
    """On `wine` we are far behind hgb, on `adult` alone."""
    rng = np.random.default_rng(2)
    for dataset, systems in (("adult", ["automs"]), ("wine", ["automs", "hgb"])):
        y = rng.normal(size=200)
        for system in systems:
            predicted = y + rng.normal(size=200) * (0.1 if system == "hgb" else 0.3)
            error = measured("regression", y, predicted)
            kept.write(
                tmp_path, about(dataset, "regression", system=system, error=error), y, predicted
            )
    return tmp_path


def test_the_sections_say_who_is_behind_and_what_is_absent(folder):
    pairs, verdicts, absent = compared.sections(folder, "automs")
    assert [(line[0], line[1], line[-1]) for line in pairs.lines] == [
        ("wine", "hgb", compared.BEHIND)
    ]
    assert verdicts.lines == [("hgb", "1", "0", "1", "1", "1", "1")]
    assert absent.lines == [("hgb", "adult 0")]
    pairs, verdicts, _ = compared.sections(folder, "hgb")
    assert verdicts.lines == [("automs", "1", "1", "0", "0", "0", "0")]


def test_rows_that_do_not_belong_together_are_refused(folder, tmp_path):
    y = np.arange(200.0)
    other = about("wine", "regression", system="lgbm", error=0.0)
    kept.write(folder, other, y, y)
    with pytest.raises(SystemExit, match="wine, seed 0: systems have different test rows"):
        compared.sections(folder, "automs")
    kept.write(folder, other, y, y + 9.0)
    with pytest.raises(SystemExit, match=r"an error of 0\.1558.*, it says 0"):
        compared.sections(folder, "automs")
    with pytest.raises(SystemExit, match="has no predictions"):
        compared.sections(tmp_path / "empty", "automs")
