"""Encoders against scikit-learn's scalers, from training rows only, for awkward columns too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.preprocessing import RobustScaler, StandardScaler

from automs.encoding import ENCODINGS, fit_encoder

NAN = float("nan")
# Features are float32: half an ulp of numbers up to about 10 is 5e-7.
FLOAT32 = {"rtol": 1e-6, "atol": 1e-6}


def all_rows(values):
    return np.arange(len(values), dtype=np.int32)


def encoded(column, encoding, train_rows=None):
    """Encode one column; the feature alone, without an indicator."""
    values = np.asarray(column, dtype=np.float64).reshape(-1, 1)
    rows = all_rows(values) if train_rows is None else np.asarray(train_rows, dtype=np.int32)
    return fit_encoder(values, rows, encoding).encode(values)[0][:, 0]


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
    features = fit_encoder(values, all_rows(values), "standard").encode(values)[0][:, :4]
    expected = np.nan_to_num(StandardScaler().fit_transform(values), nan=0.0)
    # Column 1 varies by 1e-6 around 5, whose double is exact to 1e-15: a mean off by that is 1e-9.
    np.testing.assert_allclose(features, expected, **FLOAT32)


@pytest.mark.parametrize("share_missing", [0.0, 0.3])
def test_robust_encoding_is_the_robust_scaler_softly_clipped(seed, share_missing):
    values = random_columns(seed, share_missing)
    features = fit_encoder(values, all_rows(values), "robust").encode(values)[0][:, :4]
    expected = np.nan_to_num(soft_clip(RobustScaler().fit_transform(values)), nan=0.0)
    np.testing.assert_allclose(features, expected, **FLOAT32)
    assert np.abs(features).max() <= 3.0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_features_are_float32_rows_with_one_feature_a_column(encoding):
    features = fit_encoder(np.eye(4), np.arange(4, dtype=np.int32), encoding).encode(np.eye(4))[0]
    assert features.dtype == np.float32
    assert features.shape == (4, 4)
    assert features.flags.c_contiguous


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("elsewhere", [NAN, 1e300, -7.0], ids=str)
def test_other_rows_than_those_of_training_teach_the_encoder_nothing(encoding, elsewhere):
    values = random_columns(0, 0.2)
    train_rows = np.arange(0, 101, 3, dtype=np.int32)
    changed = np.full_like(values, elsewhere)
    changed[train_rows] = values[train_rows]
    first, second = (fit_encoder(table, train_rows, encoding) for table in (values, changed))
    assert first.parts == second.parts
    both = first.encode(values[train_rows])[0], second.encode(changed)[0][train_rows]
    np.testing.assert_array_equal(*both)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_order_and_number_of_training_rows_given_are_all_that_counts(encoding):
    values = random_columns(1, 0.0)
    rows = np.arange(50, dtype=np.int32)
    part = fit_encoder(values, rows, encoding)
    alone = fit_encoder(values[:50], rows, encoding)
    assert part.parts == alone.parts


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_indicators_mark_missing_values_of_columns_that_lack_some_in_training(encoding):
    values = np.array([[1.0, NAN, 3.0, NAN], [2.0, 5.0, 4.0, NAN], [NAN, 7.0, NAN, NAN]])
    encoder = fit_encoder(values, np.array([0, 1], dtype=np.int32), encoding)
    # Column 0 and 2 are complete in training; column 3 is never there: neither says anything.
    assert encoder.parts[4:] == [{"kind": "indicator", "column": 1}]
    features = encoder.encode(values)[0]
    assert features.shape == (3, 5)
    np.testing.assert_array_equal(features[:, 4], [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(features[np.isnan(np.c_[values, np.zeros(3)])], 0.0)


def test_indicators_come_last_in_column_order():
    values = np.array([[NAN, 1.0, 2.0], [1.0, 2.0, NAN], [2.0, 3.0, 4.0]])
    features = fit_encoder(values, all_rows(values), "standard").encode(values)[0]
    np.testing.assert_array_equal(features[:, 3:], [[1, 0], [0, 1], [0, 0]])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("constant", [0.0, 7.0, -1e300, 5e-324, 0.1], ids=str)
def test_a_constant_column_is_zero_even_where_other_rows_differ(encoding, constant):
    column = [constant] * 5 + [constant + 1.0, 1e300, NAN]
    np.testing.assert_array_equal(encoded(column, encoding, range(5)), 0.0)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_column_missing_throughout_is_zero_without_an_indicator(encoding):
    encoder = fit_encoder(np.full((6, 1), NAN), np.arange(6, dtype=np.int32), encoding)
    assert encoder.n_features == 1
    np.testing.assert_array_equal(encoder.encode(np.array([[NAN], [3.0]]))[0], 0.0)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("factor", [1e300, -1e300, 1e307, 1e-300], ids=str)
def test_huge_and_tiny_columns_encode_as_their_plain_multiples_do(encoding, factor):
    plain = np.random.default_rng(3).normal(size=64)
    expected = encoded(plain, encoding) * np.sign(factor)
    np.testing.assert_allclose(encoded(plain * factor, encoding), expected, **FLOAT32)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_numbers_that_differ_by_the_last_bits_of_a_double_keep_their_order(encoding):
    features = encoded(1.0 + np.arange(10) * np.finfo(float).eps, encoding)
    assert np.isfinite(features).all()
    assert (np.diff(features) > 0).all()
    # The centre is rounded to a double, one tenth of the range: deviations grow at most by that.
    assert np.abs(features).max() < 2.0


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_differences_too_small_for_a_scale_count_as_none(encoding):
    np.testing.assert_array_equal(encoded(np.arange(10) * 5e-324, encoding), 0.0)


def test_where_the_interquartile_range_is_zero_half_the_range_takes_its_place():
    column = np.array([0.0] * 20 + [1.0, -3.0])
    np.testing.assert_allclose(encoded(column, "robust"), soft_clip(column / 2.0), **FLOAT32)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_large_identifiers_survive_the_way_to_float32(encoding):
    steps = np.arange(1000.0)
    features = encoded(1e15 + steps, encoding)
    assert np.unique(features).size == 1000
    # Doubles at 1e15 are 1/8 apart: a centre one of them off shifts z by 1/8 of 1/289, 4e-4.
    np.testing.assert_allclose(features, encoded(steps, encoding), atol=1e-3)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_number_of_threads_does_not_change_features(encoding, n_threads):
    values = np.random.default_rng(4).normal(size=(3000, 3))
    encoder = fit_encoder(values, np.arange(2000, dtype=np.int32), encoding)
    np.testing.assert_array_equal(
        encoder.encode(values, n_threads)[0], encoder.encode(values, 1)[0]
    )


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
