"""Encoders of numbers: scikit-learn's scalers, training rows only, awkward columns too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import norm
from sklearn.preprocessing import RobustScaler, StandardScaler

from automs import encoding_parts
from automs.column_kinds import Column
from automs.encoding import ENCODINGS, are_same, fit_encoder, fit_parts
from automs.table import Table

NAN = float("nan")
# Features are float32: half an ulp of numbers up to about 10 is 5e-7.
SCALINGS = ("robust", "standard")
FLOAT32 = {"rtol": 1e-6, "atol": 1e-6}


def all_rows(values):
    return np.arange(len(values), dtype=np.int32)


def numeric(values):
    """Give a table of numeric columns."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    return Table(values, (Column(),) * values.shape[1])


def assert_same_parts(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key], err_msg=f"{one['kind']} {key}")


def parts_of(column, encoding, kind=None):
    """Give the parts for one column, those of a kind alone."""
    table = numeric(np.asarray(column, dtype=np.float64).reshape(-1, 1))
    parts = fit_parts(table, all_rows(table.values), encoding)
    return [part for part in parts if kind in (None, part["kind"])]


def encoded(column, encoding, train_rows=None):
    """Encode one column; the feature alone, without an indicator."""
    values = np.asarray(column, dtype=np.float64).reshape(-1, 1)
    rows = all_rows(values) if train_rows is None else np.asarray(train_rows, dtype=np.int32)
    return fit_encoder(numeric(values), rows, encoding).encode(values)[0][:, 0]


def soft_clip(z):
    return z / np.sqrt(1.0 + (z / 3.0) ** 2)


def random_columns(seed, share_missing):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(101, 4)) * [1.0, 1e-6, 1e9, 3.0] + [0.0, 5.0, -1e10, 0.1]
    values[rng.random(values.shape) < share_missing] = NAN
    return values


@pytest.mark.parametrize("share_missing", [0.0, 0.3])
def test_standard_encoding_is_the_standard_scaler(seed, share_missing):
    values = random_columns(seed, share_missing)
    features = fit_encoder(numeric(values), all_rows(values), "standard").encode(values)[0][:, :4]
    expected = np.nan_to_num(StandardScaler().fit_transform(values), nan=0.0)
    # Column 1 varies by 1e-6 around 5, whose double is exact to 1e-15: a mean off by that is 1e-9.
    np.testing.assert_allclose(features, expected, **FLOAT32)


@pytest.mark.parametrize("share_missing", [0.0, 0.3])
def test_robust_encoding_is_the_robust_scaler_softly_clipped(seed, share_missing):
    values = random_columns(seed, share_missing)
    features = fit_encoder(numeric(values), all_rows(values), "robust").encode(values)[0][:, :4]
    expected = np.nan_to_num(soft_clip(RobustScaler().fit_transform(values)), nan=0.0)
    np.testing.assert_allclose(features, expected, **FLOAT32)
    assert np.abs(features).max() <= 3.0


@pytest.mark.parametrize("encoding", SCALINGS)
def test_features_are_float32_rows_with_one_feature_a_column(encoding):
    features, codes = fit_encoder(numeric(np.eye(4)), all_rows(np.eye(4)), encoding).encode(
        np.eye(4)
    )
    assert features.dtype == np.float32
    assert features.shape == (4, 4)
    assert features.flags.c_contiguous
    assert codes.shape == (4, 0)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("elsewhere", [NAN, 1e300, -7.0], ids=str)
def test_other_rows_than_those_of_training_teach_the_encoder_nothing(encoding, elsewhere):
    values = random_columns(0, 0.2)
    train_rows = np.arange(0, 101, 3, dtype=np.int32)
    changed = np.full_like(values, elsewhere)
    changed[train_rows] = values[train_rows]
    alone = fit_parts(numeric(values[train_rows]), all_rows(train_rows), encoding)
    for table in (values, changed):
        assert_same_parts(fit_parts(numeric(table), train_rows, encoding), alone)


@pytest.mark.parametrize("encoding", SCALINGS)
def test_indicators_mark_missing_values_of_columns_that_lack_some_in_training(encoding):
    values = np.array([[1.0, NAN, 3.0, NAN], [2.0, 5.0, 4.0, NAN], [NAN, 7.0, NAN, NAN]])
    values = np.vstack([values[:2], [[1.5, 6.0, 3.5, NAN]], values[2:]])
    encoder = fit_encoder(numeric(values), np.array([0, 1, 2], dtype=np.int32), encoding)
    # Column 0 and 2 are complete in training; column 3 is never there: neither says anything.
    assert [(part["kind"], part["column"]) for part in encoder.parts] == [
        ("scaled", 0), ("scaled", 1), ("scaled", 2), ("indicator", 1),
    ]  # fmt: skip
    features = encoder.encode(values)[0]
    assert features.shape == (4, 4)
    np.testing.assert_array_equal(features[:, 3], [1.0, 0.0, 0.0, 0.0])
    np.testing.assert_array_equal(features[:, :3][np.isnan(values[:, :3])], 0.0)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_scaled_parts_come_first_and_the_others_in_column_order(encoding):
    values = np.array([[NAN, 1.0, 2.0], [1.0, 2.0, NAN], [2.0, 3.0, 4.0], [4.0, 9.0, 3.0]])
    parts = fit_parts(numeric(values), all_rows(values), encoding)
    places = [(part["kind"] != "scaled", part["column"]) for part in parts]
    assert places == sorted(places)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_column_of_one_value_and_missing_ones_is_an_indicator_alone(encoding):
    assert_same_parts(parts_of([7.0, NAN, 7.0], encoding), [{"kind": "indicator", "column": 0}])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_where_nothing_can_be_learned_there_is_one_feature_of_zero(encoding):
    values = np.array([[NAN, 1.0], [NAN, 1.0], [3.0, 5.0]])
    encoder = fit_encoder(numeric(values), np.array([0, 1], dtype=np.int32), encoding)
    np.testing.assert_array_equal(encoder.encode(values)[0], np.zeros((3, 1)))


@pytest.mark.parametrize("encoding", SCALINGS)
@pytest.mark.parametrize("constant", [0.0, 7.0, -1e300, 5e-324, 0.1], ids=str)
def test_a_constant_column_is_zero_even_where_other_rows_differ(encoding, constant):
    column = [constant] * 5 + [constant + 1.0, 1e300, NAN]
    np.testing.assert_array_equal(encoded(column, encoding, range(5)), 0.0)


@pytest.mark.parametrize("encoding", SCALINGS)
@pytest.mark.parametrize("factor", [1e300, -1e300, 1e307, 1e-300], ids=str)
def test_huge_and_tiny_columns_encode_as_their_plain_multiples_do(encoding, factor):
    plain = np.random.default_rng(3).normal(size=64)
    expected = encoded(plain, encoding) * np.sign(factor)
    np.testing.assert_allclose(encoded(plain * factor, encoding), expected, **FLOAT32)


@pytest.mark.parametrize("encoding", SCALINGS)
def test_numbers_that_differ_by_the_last_bits_of_a_double_keep_their_order(encoding):
    features = encoded(1.0 + np.arange(10) * np.finfo(float).eps, encoding)
    assert np.isfinite(features).all()
    assert (np.diff(features) > 0).all()
    # The centre is rounded to a double, one tenth of the range: deviations grow at most by that.
    assert np.abs(features).max() < 2.0


@pytest.mark.parametrize("encoding", SCALINGS)
def test_differences_too_small_for_a_scale_count_as_none(encoding):
    np.testing.assert_array_equal(encoded(np.arange(10) * 5e-324, encoding), 0.0)


def test_where_the_interquartile_range_is_zero_half_the_range_takes_its_place():
    column = np.array([0.0] * 20 + [1.0, -3.0])
    np.testing.assert_allclose(encoded(column, "robust"), soft_clip(column / 2.0), **FLOAT32)


@pytest.mark.parametrize("encoding", SCALINGS)
def test_large_identifiers_survive_the_way_to_float32(encoding):
    steps = np.arange(1000.0)
    features = encoded(1e15 + steps, encoding)
    assert np.unique(features).size == 1000
    # Doubles at 1e15 are 1/8 apart: a centre one of them off shifts z by 1/8 of 1/289, 4e-4.
    np.testing.assert_allclose(features, encoded(steps, encoding), atol=1e-3)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_number_of_threads_does_not_change_features(encoding, n_threads):
    values = np.random.default_rng(4).normal(size=(3000, 3))
    encoder = fit_encoder(numeric(values), np.arange(2000, dtype=np.int32), encoding)
    np.testing.assert_array_equal(encoder.encode(values, n_threads)[0], encoder.encode(values)[0])


def test_piecewise_knots_are_quantiles_and_few_values_are_all_knots():
    column = np.random.default_rng(5).exponential(size=10_000)
    (scaled,), (piecewise,) = (parts_of(column, "piecewise", k) for k in ("scaled", "piecewise"))
    assert_same_parts([scaled], parts_of(column, "robust"))
    knots = piecewise["knots"]
    assert len(knots) == 17
    assert np.isin(knots, column).all()
    shares = np.histogram(column, knots)[0] / len(column)
    np.testing.assert_allclose(shares, 1 / 16, atol=1e-3)
    np.testing.assert_array_equal(
        parts_of([3, 1, 2, 1], "piecewise", "piecewise")[0]["knots"], [1, 2, 3]
    )


def test_piecewise_bins_take_three_values_and_knots_that_are_not_all_one():
    assert parts_of([0.0, 1.0, 0.0], "piecewise", "piecewise") == []
    assert parts_of([-1.7e308, 0.0, 1.7e308], "piecewise", "piecewise") == []


@pytest.mark.parametrize(("n_columns", "n_bins"), [(1, 16), (32, 16), (64, 8), (100, 5), (300, 4)])
def test_many_columns_share_a_bounded_number_of_bins(n_columns, n_bins):
    values = np.random.default_rng(6).normal(size=(100, n_columns))
    parts = fit_parts(numeric(values), all_rows(values), "piecewise")
    knots = [len(part["knots"]) for part in parts if part["kind"] == "piecewise"]
    assert knots == [n_bins + 1] * n_columns


@pytest.mark.parametrize(
    ("n_values", "n_knots"), [(3, 3), (17, 17), (65, 65), (129, 129), (130, 65), (5_000, 65)]
)
def test_finer_bins_are_more_and_lie_between_any_two_of_few_values(n_values, n_knots):
    column = np.arange(5_000) % n_values
    knots = parts_of(column, "piecewise-fine", "piecewise")[0]["knots"]
    assert len(knots) == n_knots
    assert np.isin(knots, column).all()


def test_encoders_are_the_same_where_their_features_are():
    values = np.random.default_rng(9).normal(size=(200, 3)).round(1)
    few, many = numeric(values.round(0)), numeric(values)

    def encoder(table, encoding):
        return fit_encoder(table, all_rows(values), encoding)

    assert are_same(encoder(many, "piecewise"), encoder(many, "piecewise"))
    assert are_same(encoder(few, "piecewise"), encoder(few, "piecewise-fine"))
    assert not are_same(encoder(many, "piecewise"), encoder(many, "piecewise-fine"))
    assert not are_same(encoder(many, "robust"), encoder(many, "standard"))
    assert not are_same(encoder(many, "robust"), encoder(few, "robust"))


def test_a_frequent_value_leaves_the_other_knots_to_the_rest():
    amounts = np.concatenate([np.zeros(9_000), np.linspace(100.0, 5_000.0, 1_000)])
    knots = parts_of(amounts, "piecewise", "piecewise")[0]["knots"]
    assert len(knots) == 17
    assert knots[:2].tolist() == [0.0, 100.0]
    shares = np.histogram(amounts[9_000:], knots[1:])[0] / 1_000
    np.testing.assert_allclose(shares, 1 / 15, atol=0.002)


def test_quantile_encoding_gives_normal_scores():
    column = np.random.default_rng(7).exponential(size=5000)
    [part] = parts_of(column, "quantile")
    assert (part["kind"], len(part["knots"])) == ("interpolated", 256)
    assert np.abs(part["values"]).max() == pytest.approx(3.0)
    features = encoded(column, "quantile")
    expected = norm.ppf((np.argsort(np.argsort(column)) + 0.5) / 5000)
    # Linear between knots that lie 1/255 of the rows apart: coarse in the tails alone.
    inner = np.abs(expected) < 1.5
    np.testing.assert_allclose(features[inner], expected[inner], atol=0.01)
    np.testing.assert_array_equal(np.argsort(features[inner]), np.argsort(column[inner]))


def test_equal_values_share_the_mean_of_their_ranks():
    [part] = parts_of([5.0, 1.0, 5.0, 9.0], "quantile")
    np.testing.assert_array_equal(part["knots"], [1.0, 5.0, 9.0])
    np.testing.assert_allclose(part["values"], norm.ppf([1 / 8, 1 / 2, 7 / 8]), atol=1e-12)


def test_a_column_too_wide_for_interpolation_is_scaled():
    assert_same_parts(
        parts_of([-1.7e308, 0.0, 1.7e308], "quantile"), parts_of([-1.7e308, 0.0, 1.7e308], "robust")
    )


def test_quantiles_of_many_rows_are_those_of_evenly_spaced_ones(monkeypatch):
    column = np.random.default_rng(8).normal(size=3001)
    monkeypatch.setattr(encoding_parts, "_MAX_SAMPLE", 1001)
    for encoding in ("robust", "piecewise", "quantile"):
        sampled = parts_of(column, encoding)
        assert_same_parts(sampled, parts_of(column[::3], encoding))


COLUMNS = hnp.arrays(
    np.float64,
    st.integers(1, 12),
    elements=st.floats(-1e307, 1e307) | st.just(NAN),
)


@settings(deadline=None, max_examples=200)
@given(COLUMNS)
def test_any_finite_training_column_encodes_to_bounded_features(column):
    standard, robust = encoded(column, "standard"), encoded(column, "robust")
    # No value of n is further than sqrt(n - 1) deviations from their mean; the rest is rounding,
    # which counts where a column varies by the last bits of its numbers only.
    assert np.abs(standard).max() <= 2.0 * np.sqrt(len(column))
    assert np.abs(robust).max() <= 3.0
    table = numeric(column.reshape(-1, 1))
    for encoding in ("piecewise", "quantile"):
        features = fit_encoder(table, all_rows(column), encoding).encode(table.values)[0]
        assert np.abs(features).max() <= 3.0 + 1e-6
