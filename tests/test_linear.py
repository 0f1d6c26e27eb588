"""Ridge and logistic regression against scikit-learn's, over the whole path of penalties."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from automs.encoded_rows import EncodedRows
from automs.encoding import fit_encoder
from automs.linear import elastic_net_path, logistic_path, ridge_path
from automs.table import read_table

ALPHAS = [0.0, 1e-3, 0.1, 1.0, 100.0]


def weights_for(n_rows, seed=0):
    return np.random.default_rng(seed).integers(0, 3, n_rows).astype(float)


def assert_ridge_equals_scikit_learn(X, y, alphas, weights, relative=1e-8):
    coef, intercept = ridge_path(X, y, alphas, weights)
    for i, alpha in enumerate(alphas):
        model = Ridge(alpha=alpha, solver="cholesky").fit(X, y, weights)
        expected = np.atleast_2d(model.coef_).T
        assert np.abs(coef[i] - expected).max() <= relative * np.abs(expected).max()
        np.testing.assert_allclose(intercept[i], model.intercept_, rtol=relative)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
def test_ridge_equals_scikit_learn_on_diabetes(scaled, weighted):
    X, y = load_diabetes(return_X_y=True, scaled=scaled)
    weights = weights_for(len(y)) if weighted else None
    assert_ridge_equals_scikit_learn(X, y, ALPHAS, weights)
    assert_ridge_equals_scikit_learn(X, np.column_stack([y, y**2]), ALPHAS, weights)


@pytest.mark.parametrize("weighted", [False, True])
def test_ridge_equals_scikit_learn_on_rank_deficient_columns(weighted):
    X, y = load_diabetes(return_X_y=True)
    X = np.column_stack([X * 20.0, X[:, :3] * 20.0, np.full(len(y), 0.1)])
    weights = weights_for(len(y)) if weighted else None
    assert_ridge_equals_scikit_learn(X, y, ALPHAS[1:], weights)


def test_ridge_equals_scikit_learn_with_more_columns_than_rows():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 150)), rng.normal(size=(40, 2))
    assert_ridge_equals_scikit_learn(X, y, ALPHAS[1:], rng.random(40))


@pytest.mark.parametrize("n_rows", [20, 200])
def test_alpha_zero_gives_the_solution_of_least_norm(n_rows):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, 30))
    X[:, 5:8] = X[:, :3]
    y = rng.normal(size=n_rows)
    coef, intercept = ridge_path(X, y, [0.0])
    expected = LinearRegression().fit(X, y)  # least norm, by the singular values
    np.testing.assert_allclose(coef[0, :, 0], expected.coef_, atol=1e-9)
    np.testing.assert_allclose(intercept[0, 0], expected.intercept_, atol=1e-9)


def test_the_whole_path_equals_single_fits():
    X, y = load_diabetes(return_X_y=True)
    coef, intercept = ridge_path(X, y, ALPHAS)
    for i, alpha in enumerate(ALPHAS):
        single_coef, single_intercept = ridge_path(X, y, [alpha])
        np.testing.assert_array_equal(single_coef[0], coef[i])
        np.testing.assert_array_equal(single_intercept[0], intercept[i])


def test_float32_is_summed_in_double():
    X, y = load_diabetes(return_X_y=True)
    narrow = X.astype(np.float32)
    classes = (y > 140).astype(int)
    np.testing.assert_array_equal(
        ridge_path(narrow, y, [1e-3])[0], ridge_path(narrow.astype(float), y, [1e-3])[0]
    )
    np.testing.assert_array_equal(
        logistic_path(narrow, classes, 2, [1e-3]).coef,
        logistic_path(narrow.astype(float), classes, 2, [1e-3]).coef,
    )


def numbers_and_categories(rng, n_numbers):
    """Give columns of numbers, and of 5, 9 and 30 categories, some values missing."""
    X = rng.normal(size=(300, n_numbers)).astype(object)
    for n_levels in (5, 9, 30):
        codes = rng.integers(n_levels, size=300)
        X = np.column_stack([X, np.array([f"level {code}" for code in codes], dtype=object)])
    X[rng.random(X.shape) < 0.1] = None
    return X


@pytest.mark.parametrize("n_numbers", [0, 2])
@pytest.mark.parametrize("encoding", ["standard", "piecewise"])
@pytest.mark.parametrize("task", ["ridge", "logistic", "elastic net"])
def test_encoded_rows_are_the_features_that_they_stand_for(task, encoding, n_numbers):
    rng = np.random.default_rng(0)
    table = read_table(numbers_and_categories(rng, n_numbers))
    numbers = rng.permutation(300)[:200].astype(np.int32)
    encoder = fit_encoder(table, numbers, encoding, embed=False)
    features, _ = encoder.encode(table.values)
    X, _, bins, fractions = encoder.encode_compact(table.values)
    assert X.shape[1] < features.shape[1]
    compact = EncodedRows(X, numbers, bins, fractions, encoder.binned)
    y = features[numbers] @ rng.normal(size=features.shape[1]) + rng.normal(size=200)

    def solve(rows):
        if task == "ridge":
            return ridge_path(rows, y, [1e-2])
        if task == "elastic net":
            path = elastic_net_path(rows, y, [1e-2], l1_penalties=[1e-2])
            return path.coef, path.intercept
        path = logistic_path(rows, (y > 0).astype(np.int32), 2, [1e-2])
        return path.coef, path.intercept

    for got, expected, same in zip(
        solve(compact),
        solve(features[numbers]),
        solve(EncodedRows(features, numbers)),
        strict=True,
    ):
        np.testing.assert_array_equal(same, expected)
        # A fraction is rounded to float32 before it becomes a feature, not after.
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"numbers": np.array([0, 9], np.int32)}, "numbers must be row numbers of X, got 9"),
        ({"numbers": np.array([-1, 0], np.int32)}, "numbers must be row numbers of X, got -1"),
        ({"bins": np.full((9, 1), 5, np.uint16)}, "bins of at most as many"),
        ({"bins": np.zeros((9, 2), np.uint16)}, "one column of bins and fractions for each"),
        ({"fractions": np.zeros((8, 1), np.float32)}, "binned must have length 9, got 8"),
        ({"binned": [(9, 4, False)]}, "binned must have features that follow each other"),
    ],
)
def test_encoded_rows_that_do_not_fit_are_refused(broken, message):
    good = {
        "X": np.zeros((9, 2), np.float32),
        "numbers": np.array([0, 8], np.int32),
        "bins": np.zeros((9, 1), np.uint16),
        "fractions": np.zeros((9, 1), np.float32),
        "binned": [(1, 4, False)],
    }
    ridge_path(EncodedRows(**good), [0.0, 1.0], [1.0])
    with pytest.raises(ValueError, match=message):
        ridge_path(EncodedRows(**{**good, **broken}), [0.0, 1.0], [1.0])


def test_a_large_offset_does_not_cost_digits():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(300, 3))
    y = X @ [1.0, 2.0, 3.0] + 5.0
    coef, _ = ridge_path(X + 1e8, y + 1e8, [0.0])
    # X + 1e8 itself is rounded at 1e-8.
    np.testing.assert_allclose(coef[0, :, 0], [1.0, 2.0, 3.0], atol=1e-7)
    path = logistic_path(X + 1e8, (y > 5.5).astype(int), 2, [0.01])
    near = logistic_path(X, (y > 5.5).astype(int), 2, [0.01])
    np.testing.assert_allclose(path.coef, near.coef, atol=1e-5)


def mean_objective(coef, intercept, X, classes, weights, penalty):
    logits = X @ coef + intercept
    if logits.shape[1] == 1:
        logits = np.hstack([np.zeros_like(logits), logits])
    losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(X)), classes]
    return np.average(losses, weights=weights) + penalty / 2 * (coef**2).sum()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_logistic_reaches_the_optimum_of_scikit_learn(n_classes, weighted):
    X, classes = load_iris(return_X_y=True)
    X, classes = X[:, :2], np.minimum(classes, n_classes - 1)
    weights = weights_for(len(X)) if weighted else None
    total = len(X) if weights is None else weights.sum()
    penalties = [1e-3, 1.0, 1e-1, 1e-5]
    path = logistic_path(X, classes, n_classes, penalties, weights)
    assert path.converged.all()
    assert not path.stopped
    for i, penalty in enumerate(penalties):
        model = LogisticRegression(C=1 / (penalty * total), tol=1e-9, max_iter=5000)
        model.fit(X, classes, weights)
        ours = mean_objective(path.coef[i], path.intercept[i], X, classes, weights, penalty)
        theirs = mean_objective(model.coef_.T, model.intercept_, X, classes, weights, penalty)
        # The excess over the minimum is about gradient^2 / curvature; curvatures are above 1e-4.
        assert ours == pytest.approx(theirs, abs=1e-8)


def test_logistic_converges_on_columns_of_any_scale():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 6)) * 10.0 ** np.arange(-4, 2) + 3.0
    X[:, 3] = 7.0
    classes = (X[:, 5] + rng.normal(size=500) * 10 > 3).astype(int)
    path = logistic_path(X, classes, 2, [1.0, 1e-6, 0.0])
    assert path.converged.all()
    assert path.n_iterations.max() < 60
    np.testing.assert_array_equal(path.coef[:, 3], 0.0)


def sparse_table(n_outputs=1):
    """Columns of many scales and means, one of them constant; three of them matter."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(300, 20)) * rng.uniform(0.1, 3.0, 20) + rng.normal(size=20)
    X[:, 5] = 2.0
    Z = np.nan_to_num((X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1.0))
    y = Z[:, [0, 3, 7]] @ rng.normal(size=(3, n_outputs)) + 0.3 * rng.normal(size=(300, n_outputs))
    return X, Z, (y - y.mean(0)) / y.std(0)


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.03, 0.0), (1e-3, 0.0), (0.05, 0.1)])
def test_an_elastic_net_is_that_of_scikit_learn_on_standardised_columns(l1, l2):
    X, Z, y = sparse_table()
    rival = ElasticNet(alpha=l1 + l2, l1_ratio=l1 / (l1 + l2), tol=1e-12, max_iter=10**6)
    path = elastic_net_path(Z, y, [l2], [l1])
    assert path.converged.all()
    np.testing.assert_allclose(path.coef[0, :, 0], rival.fit(Z, y[:, 0]).coef_, atol=1e-5)
    if l2 == 0.0:  # which is of the columns as they are
        unscaled = elastic_net_path(X, y, [l2], [l1])
        np.testing.assert_allclose(unscaled.coef[0, :, 0] * X.std(0), path.coef[0, :, 0], atol=1e-5)
        np.testing.assert_allclose(X @ unscaled.coef[0] + unscaled.intercept[0],
                                   Z @ path.coef[0] + path.intercept[0], atol=1e-4)  # fmt: skip


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_elastic_net_is_where_a_subgradient_vanishes(weighted, n_outputs):
    X, _, y = sparse_table(n_outputs)
    weights = weights_for(len(X)) if weighted else np.ones(len(X))
    l1, l2 = [0.01, 0.3, 0.1], [0.01, 0.0, 0.0]
    path = elastic_net_path(X, y, l2, l1, weights)
    shares = weights / weights.sum()
    deviation = np.sqrt(shares @ (X - shares @ X) ** 2)
    for i in range(3):
        errors = X @ path.coef[i] + path.intercept[i] - y
        np.testing.assert_allclose(shares @ errors, 0.0, atol=2e-6)
        slope = X.T @ (shares[:, None] * errors) + l2[i] * path.coef[i]
        size = (l1[i] * deviation)[:, None]
        used = path.coef[i] != 0
        assert (np.abs(slope) <= size + 1e-5).all()
        np.testing.assert_allclose(slope[used], (-size * np.sign(path.coef[i]))[used], atol=1e-5)
    counts = [int((coef != 0).sum()) for coef in path.coef]
    assert counts[1] < counts[2] < counts[0]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_sparse_logistic_regression_reaches_the_optimum_of_scikit_learn(n_classes):
    X, Z, y = sparse_table()
    noise = np.random.default_rng(0).normal(size=len(y))
    classes = np.digitize(y[:, 0] + noise, [0.0, 1.0][: n_classes - 1])
    l1 = [1e-3, 0.1, 0.01]
    path = logistic_path(X, classes, n_classes, [0.0] * 3, l1_penalties=l1)
    assert path.converged.all()
    for i, size in enumerate(l1):
        model = LogisticRegression(
            C=1 / (size * len(X)), l1_ratio=1.0, solver="saga", tol=1e-7, max_iter=10**5
        ).fit(Z, classes)

        def objective(coef, intercept, table, size=size):
            scaled = coef * table.std(0)[:, None]
            return (
                mean_objective(coef, intercept, table, classes, None, 0.0)
                + size * np.abs(scaled).sum()
            )

        ours = objective(path.coef[i], path.intercept[i], X)
        assert ours <= objective(model.coef_.T, model.intercept_, Z) + 1e-7
    used = [(coef != 0).any(axis=1).sum() for coef in path.coef]
    assert used[1] < used[2] <= used[0] < 20  # the constant column never


def test_bad_l1_penalties_are_refused():
    X, _, y = sparse_table()
    with pytest.raises(ValueError, match="l1_penalties must be as many as penalties, 2, got 1"):
        elastic_net_path(X, y, [0.0, 0.0], [1.0])
    with pytest.raises(ValueError, match="l1_penalties must be finite and >= 0, got -1"):
        elastic_net_path(X, y, [0.0], [-1.0])
    with pytest.raises(ValueError, match="y must be finite"):
        elastic_net_path(X, y * np.nan, [0.0], [1.0])


def test_a_looser_tolerance_is_reached_sooner():
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    paths = [logistic_path(X, y, 2, [1e-4], tolerance=at) for at in (1e-4, 1e-6)]
    assert all(path.converged[0] for path in paths)
    assert paths[0].n_iterations[0] < paths[1].n_iterations[0]
    losses = [
        log_loss(y, 1.0 / (1.0 + np.exp(-(X @ p.coef[0, :, 0] + p.intercept[0, 0]))))
        + 0.5e-4 * np.sum(p.coef[0] ** 2)
        for p in paths
    ]
    assert losses[1] < losses[0] < 1.01 * losses[1]
    for tolerance in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="tolerance must be > 0"):
            logistic_path(X, y, 2, [1.0], tolerance=tolerance)


def test_separable_classes_without_a_penalty_stay_finite():
    X = np.linspace(-1, 1, 20)[:, None]
    path = logistic_path(X, (X[:, 0] > 0).astype(int), 2, [0.0], max_iterations=5)
    assert not path.converged[0]
    assert path.n_iterations[0] == 5
    path = logistic_path(X, (X[:, 0] > 0).astype(int), 3, [0.0])
    assert np.isfinite(path.coef).all()
    assert np.isfinite(path.intercept).all()


def test_a_time_limit_of_nothing_stops_the_path():
    rng = np.random.default_rng(0)
    path = logistic_path(rng.normal(size=(100, 3)), np.arange(100) % 2, 2, [1.0], time_limit=0.0)
    assert path.stopped
    assert path.n_iterations[0] == 0
    assert not path.converged[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [[1.0], [np.nan]]}, "X must be finite"),
        ({"X": [1.0, 2.0]}, "X must have 2 dimensions, got 1"),
        ({"y": [1.0, np.inf]}, "y must be finite"),
        ({"y": [1.0, 2.0, 3.0]}, "y must have length 2, got 3"),
        ({"alphas": [-1.0]}, "alphas must be finite and >= 0, got -1"),
        ({"alphas": 1.0}, "alphas must have 1 dimension, got 0"),
        ({"sample_weight": [0.0, 0.0]}, "weights must be finite, >= 0, and not all 0"),
        ({"sample_weight": [1.0]}, "weights must have length 2, got 1"),
    ],
)
def test_bad_ridge_arguments_are_refused(change, message):
    arguments = {"X": [[1.0], [2.0]], "y": [1.0, 2.0], "alphas": [1.0]} | change
    with pytest.raises(ValueError, match=message):
        ridge_path(**arguments)


def test_bad_logistic_arguments_are_refused():
    X = [[1.0], [2.0]]
    with pytest.raises(ValueError, match=r"classes must be in \[0, 2\), got 2"):
        logistic_path(X, [0, 2], 2, [1.0])
    with pytest.raises(ValueError, match="n_classes must be >= 2, got 1"):
        logistic_path(X, [0, 0], 1, [1.0])
    with pytest.raises(ValueError, match="max_iterations must be >= 1, got 0"):
        logistic_path(X, [0, 1], 2, [1.0], max_iterations=0)
    with pytest.raises(TypeError, match="classes must hold integers, got dtype float64"):
        logistic_path(X, [0.0, 1.0], 2, [1.0])
