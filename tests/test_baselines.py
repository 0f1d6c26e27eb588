"""Baselines: results from a process of their own, which always ends, whatever happens to it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from automs.baseline_problem import BASELINES, BaselineProblem, receive, send
from automs.baselines import BaselineProcess, resolve_baselines

N_ROWS = 90
FOLDS = [
    (np.flatnonzero(np.arange(N_ROWS) % 3 != k).astype(np.int32),
     np.flatnonzero(np.arange(N_ROWS) % 3 == k).astype(np.int32))
    for k in range(2)
]  # fmt: skip
REGRESSORS = [names[0] for names in BASELINES.values()]
# Bounds are for a machine under load; what they guard against takes minutes.
PATIENCE = 60.0


def problem(**settings):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 4))
    y = X[:, :1] + 0.2 * rng.normal(size=(N_ROWS, 1))
    return BaselineProblem(**({"values": X, "y": y, "folds": FOLDS} | settings))


def slow_problem():
    """Minutes of work, of which no process is to see the end."""
    X = np.random.default_rng(0).normal(size=(30_000, 20))
    rows = np.arange(30_000, dtype=np.int32)
    return BaselineProblem(values=X, y=X[:, :1] ** 2, folds=[(rows[100:], rows[:100])] * 5)


def has_ended(pid):
    """Whether there is no such process, or one that only waits to be asked how it ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_for_the_end(pid):
    start = time.perf_counter()
    while not has_ended(pid) and time.perf_counter() - start < PATIENCE:
        time.sleep(0.02)
    return has_ended(pid)


def test_every_baseline_gives_predictions_for_every_fold_in_the_order_of_their_names():
    process = BaselineProcess(list(BASELINES), problem())
    results = process.finish()
    assert process._process.poll() is not None
    assert [r.name for r in results] == REGRESSORS
    for result in results:
        assert result.reason == ""
        assert [p.shape for p in result.predictions] == [(30, 1)] * 2
        assert result.fit_time > 0.0
        assert result.predict_time > 0.0


def test_results_are_the_same_bits_again():
    first, again = (BaselineProcess(list(BASELINES), problem()).finish() for _ in range(2))
    for one, other in zip(first, again, strict=True):
        for a, b in zip(one.predictions, other.predictions, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_baseline_that_fails_is_a_result_with_its_reason_and_holds_up_no_other():
    one_class = problem(y=np.zeros((N_ROWS, 1)), n_classes=2)
    results = BaselineProcess(["constant", "linear", "random_forest"], one_class).finish()
    assert [r.name for r in results] == [
        "DummyClassifier", "LogisticRegression", "RandomForestClassifier",
    ]  # fmt: skip
    assert results[1].predictions is None
    assert results[1].reason.startswith("ValueError: ")
    assert not results[1].late
    assert results[0].predictions is not None
    assert results[2].predictions is not None


def test_at_its_deadline_the_process_is_ended_and_the_rest_reported_as_late():
    start = time.perf_counter()
    process = BaselineProcess(["random_forest", "mlp"], slow_problem(), time_limit=0.35)
    results = process.finish()
    assert time.perf_counter() - start < PATIENCE
    assert all(r.predictions is None and r.late for r in results)
    assert {r.reason for r in results} == {"not finished at its deadline"}
    assert process._process.poll() is not None
    assert not process._exchange.is_alive()


def test_results_that_were_there_at_the_deadline_are_kept():
    process = BaselineProcess(["constant", "random_forest"], slow_problem())
    start = time.perf_counter()
    while not process._results and time.perf_counter() - start < PATIENCE:
        time.sleep(0.02)
    constant, forest = process.finish(0.0)
    assert constant.predictions is not None
    assert forest.predictions is None
    assert forest.late


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.1])
def test_in_no_time_no_process_is_started(seconds):
    process = BaselineProcess(list(BASELINES), problem(), time_limit=seconds)
    results = process.finish()
    assert process._process is None
    assert [r.name for r in results] == REGRESSORS
    assert all("too short to start" in r.reason and not r.late for r in results)


def test_a_time_limit_is_planned_with_and_said_in_the_results():
    results = BaselineProcess(["constant", "random_forest"], slow_problem(), 10.0).finish()
    constant, forest = results
    # How much a machine under load comes to is not known; but never to all of it.
    assert constant.predictions is not None or constant.late
    assert "rows" in forest.reason or "trees" in forest.reason or forest.late


def test_a_process_that_is_killed_is_reported_without_waiting():
    process = BaselineProcess(["random_forest"], slow_problem())
    os.kill(process._process.pid, signal.SIGKILL)
    start = time.perf_counter()
    (result,) = process.finish()
    assert time.perf_counter() - start < PATIENCE
    assert result.predictions is None
    assert result.reason == "its process failed"
    assert not result.late


def test_a_process_that_cannot_be_started_is_a_reason(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    process = BaselineProcess(["constant"], problem())
    (result,) = process.finish()
    assert "could not be started" in result.reason
    process.close()


def test_closing_twice_or_after_the_end_is_harmless_and_leaves_no_process():
    process = BaselineProcess(["constant"], problem())
    process.close()
    process.close()
    assert process._process.poll() is not None
    assert all(stream.closed for stream in (process._process.stdin, process._process.stdout))
    assert process.finish(1.0)[0].predictions is None


def test_more_rows_than_a_pipe_holds_do_not_block_a_close():
    X = np.zeros((400_000, 4))
    process = BaselineProcess(["linear"], problem(values=X, y=X[:, :1]))
    start = time.perf_counter()
    process.close()
    assert time.perf_counter() - start < PATIENCE
    assert process._process.poll() is not None


PARENT = """
import time, sys
sys.path.insert(0, sys.argv[1])
from test_baselines import slow_problem
from automs.baselines import BaselineProcess
process = BaselineProcess(["random_forest"], slow_problem())
print(process._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("delay", [0.0, 3.0], ids=["while it starts", "while it trains"])
def test_the_parents_death_ends_the_child(delay):
    here = str(Path(__file__).parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, here], stdout=subprocess.PIPE, env=environment
    ) as parent:
        child = int(parent.stdout.readline())
        time.sleep(delay)
        assert not has_ended(child)
        parent.kill()
    assert wait_for_the_end(child)


WITHOUT_PRCTL = """
import automs.baseline_child as child
child._end_with_parent = lambda: None
child.serve()
"""


@pytest.mark.parametrize("whole", [True, False], ids=["whole message", "half a message"])
def test_the_end_of_its_input_alone_ends_the_child_too(whole):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(
        [sys.executable, "-c", WITHOUT_PRCTL],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        if whole:
            send((["random_forest"], slow_problem(), None), process.stdin)
            time.sleep(1.0)
            assert process.poll() is None
        else:
            process.stdin.write(b"\x01\x00")
        process.stdin.close()
        assert process.wait(PATIENCE) == (1 if whole else 0)
        assert process.stderr.read() == b""


def test_a_message_arrives_as_it_was_sent_whatever_its_arrays(tmp_path):
    sent = {"a": np.arange(7.0), "none": np.empty((0, 3)), "F": np.ones((4, 5), order="F"),
            "every second": np.arange(10, dtype=np.int32)[::2], "text": "x" * 100_000}  # fmt: skip
    path = tmp_path / "message"
    with path.open("wb") as stream:
        send(sent, stream)
        send("next", stream)
    with path.open("rb") as stream:
        received, following = receive(stream), receive(stream)
        with pytest.raises(EOFError, match="8 bytes too early"):
            receive(stream)
    assert following == "next"
    assert received.keys() == sent.keys()
    for name, value in sent.items():
        np.testing.assert_array_equal(received[name], value)


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        (None, ()),
        (False, ()),
        ([], ()),
        ("auto", tuple(BASELINES)),
        ("mlp", ("mlp",)),
        (("linear", "constant", "linear"), ("constant", "linear")),
        (iter(["random_forest", "hist_gradient_boosting"]),
         ("hist_gradient_boosting", "random_forest")),
    ],
)  # fmt: skip
def test_names_of_baselines_resolve_simplest_first(baselines, expected):
    assert resolve_baselines(baselines) == expected


@pytest.mark.parametrize("baselines", ["forest", ["linear", "forest"]])
def test_an_unknown_baseline_is_named_beside_the_known_ones(baselines):
    with pytest.raises(ValueError, match=r"baselines must be .*random_forest, mlp, got 'forest'"):
        resolve_baselines(baselines)


@pytest.mark.parametrize("baselines", [3, True])
def test_baselines_of_another_type_are_a_type_error(baselines):
    with pytest.raises(TypeError, match=f"baselines must be .* got {baselines}"):
        resolve_baselines(baselines)


def test_an_unhashable_name_is_unknown():
    with pytest.raises(ValueError, match=r"got \[\]"):
        resolve_baselines([[]])
