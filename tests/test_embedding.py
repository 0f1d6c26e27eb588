"""Embedded columns through the binding: learned tables, their form, resumption, refusals."""

import numpy as np
import pytest
from scipy.special import expit

from automs._core import TrainJobs
from automs.candidates import Candidate
from automs.columns import to_columns
from automs.outcomes import JobState

N_ROWS = 300
ROWS = [40, 3]
CANDIDATES = (
    Candidate((16,), embedding_size=4, learning_rate=0.02, epochs=20),
    Candidate((), embedding_size=1, optimizer="sgd", learning_rate=0.2, epochs=20, batch_size=8),
    Candidate(
        (8, 8),
        residual=True,
        dropout=0.1,
        optimizer="adamw",
        weight_decay=0.1,
        epochs=20,
        learning_rate=0.03,
    ),
)


def make_table(n_features):
    """Give X, codes and y in {0, 1}: each of 40 categories says what most of its rows are."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, n_features)).astype(np.float32)
    codes = np.column_stack([rng.integers(n, size=N_ROWS) for n in ROWS]).astype(np.int32)
    says = rng.permutation(ROWS[0]) % 2
    y = np.where(rng.random(N_ROWS) < 0.95, says[codes[:, 0]], 1 - says[codes[:, 0]])
    return X, codes, y.astype(np.float64)[:, None]


def add_view(jobs, X, codes, y, **other):
    rows = np.arange(N_ROWS, dtype=np.int32)
    settings = {"codes": codes, "embedding_rows": ROWS} | other
    return jobs.add_view(
        "binary", 1, X, y, None, rows[: N_ROWS // 2], rows[N_ROWS // 2 :], np.zeros(1), np.ones(1),
        **settings,
    )  # fmt: skip


def make_jobs(n_features=2, candidates=CANDIDATES):
    jobs = TrainJobs()
    view = add_view(jobs, *make_table(n_features))
    jobs.add_candidates(to_columns(candidates, np.arange(len(candidates)), "binary"))
    numbers = np.arange(len(candidates), dtype=np.int64)
    jobs.add_jobs(numbers, np.full(len(candidates), view, dtype=np.int64))
    return jobs


def run(jobs, until=20, n_threads=1):
    n = len(CANDIDATES)
    jobs.run(np.arange(n, dtype=np.int64), np.full(n, until, np.int32), n_threads, "accuracy")
    return jobs


def bits(jobs, job):
    state = jobs.export_state(job)
    return {k: np.asarray(v).tobytes() for k, v in state.items() if k != "seconds"}


@pytest.mark.parametrize("n_features", [0, 2])
def test_categories_are_learned_where_no_dense_feature_tells(n_features):
    jobs = run(make_jobs(n_features))
    summary = jobs.summary(np.arange(3, dtype=np.int64))
    assert (summary["state"] == JobState.COMPLETE).all()
    # Of 150 rows 95 % agree with their category; without it, half.
    assert (summary["best_score"] > 0.75).all()


@pytest.mark.parametrize("n_features", [0, 2])
def test_tables_have_their_form_and_predict_in_numpy(n_features):
    jobs = run(make_jobs(n_features))
    X, codes, _ = make_table(n_features)
    for job, candidate in enumerate(CANDIDATES):
        weights, biases, embeddings, _ = jobs.weights(job)
        assert [e.shape for e in embeddings] == candidate.table_shapes(ROWS)
        assert {e.dtype for e in embeddings} == {np.dtype(np.float32)}
        assert [w.shape for w in weights] == candidate.layer_shapes(n_features, 1, ROWS)
        parts = [*embeddings, *(p for layer in zip(weights, biases, strict=True) for p in layer)]
        flat = np.concatenate([part.ravel() for part in parts])
        assert flat.size == candidate.n_parameters(n_features, 1, ROWS)
        np.testing.assert_array_equal(flat, jobs.export_state(job)["best_weights"])
        vectors = [table[codes[:, e]] for e, table in enumerate(embeddings)]
        hidden = np.hstack([X, *vectors]).astype(np.float64)
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            out = hidden @ weight + bias
            if layer + 1 < len(weights):
                out = np.maximum(out, 0) + (hidden if candidate.residual and layer > 0 else 0)
            hidden = out
        predictions = jobs.validation_predictions(np.array([job]), 1)[0]
        # Float32 through three layers of at most 16 terms each: some tens of its ulps, 1e-7.
        expected = expit(hidden[N_ROWS // 2 :, 0])
        np.testing.assert_allclose(predictions[:, 1], expected, rtol=0, atol=1e-5)


def test_threads_pauses_and_moves_do_not_change_a_bit(n_threads):
    whole = run(make_jobs())
    paused = run(make_jobs(), 7, n_threads)
    elsewhere = make_jobs()
    for job in range(len(CANDIDATES)):
        elsewhere.import_state(job, paused.export_state(job))
    run(elsewhere, 20, n_threads)
    for job in range(len(CANDIDATES)):
        assert bits(elsewhere, job) == bits(whole, job)


@pytest.mark.parametrize("place", [0, N_ROWS - 1])
@pytest.mark.parametrize(("column", "code"), [(0, -1), (0, 40), (1, 3), (1, 2**31 - 1)])
def test_a_code_outside_its_table_is_refused(place, column, code):
    X, codes, y = make_table(2)
    codes[place, column] = code
    with pytest.raises(ValueError, match=rf"codes must be in \[0, {ROWS[column]}\).*got {code}"):
        add_view(TrainJobs(), X, codes, y)


def test_codes_of_another_form_are_refused():
    X, codes, y = make_table(2)
    for broken, message in (
        ({"codes": codes[:-1]}, "codes must have length 300, got 299"),
        ({"codes": codes[:, 0].copy()}, "codes must have 2 dimensions"),
        ({"embedding_rows": [40]}, "one column for each of embedding_rows, got 2 for 1"),
        ({"embedding_rows": []}, "one column for each of embedding_rows, got 2 for 0"),
        ({"embedding_rows": [40, 0]}, "embedding_rows must be >= 1, got 0"),
        ({"codes": None}, "codes must be given with embedding_rows"),
    ):
        with pytest.raises(ValueError, match=message):
            add_view(TrainJobs(), X, **({"codes": codes, "y": y} | broken))
    with pytest.raises(TypeError):
        add_view(TrainJobs(), X, codes.astype(np.int64), y)
    with pytest.raises(ValueError, match="at least one feature"):
        add_view(TrainJobs(), X[:, :0].copy(), None, y, embedding_rows=[])


def test_a_candidate_without_embeddings_cannot_have_the_view():
    with pytest.raises(ValueError, match="embedding_size must be >= 1"):
        make_jobs(2, [Candidate((4,), embedding_size=0)])


def test_weights_of_a_closed_form_cannot_be_set_with_tables():
    jobs = make_jobs(2, [Candidate((), embedding_size=1)])
    with pytest.raises(ValueError, match="must not be set with embedded columns"):
        jobs.set_weights(0, np.ones(40 + 3 + 5, np.float32), 0.1)
