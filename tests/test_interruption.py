"""Ctrl-C: the first one ends whatever phase is running, a second one raises, handlers stay."""

import math
import signal
import threading
import time
import warnings

import numpy as np
import pytest

from automs import AutoClassifier, AutoRegressor, SearchWarning
from automs.clock import Clock
from automs.interruption import Interruption
from automs.linear import logistic_path, ridge_path
from automs.scoring import resolve_metric
from automs.selection import select_ensemble


def press(times=1):
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _the_handler_is_back_afterwards():
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def test_the_first_stops_the_clock_and_the_second_raises():
    clock = Clock(None)
    with pytest.raises(KeyboardInterrupt), Interruption(clock) as interruption:  # noqa: PT012
        assert not interruption.came
        assert clock.time_left() is None
        press()
        assert interruption.came
        assert clock.look()
        assert clock.time_left() == clock.remaining() == 0.0
        press()


def test_a_handler_of_the_callers_own_is_called_too():
    calls = []

    def own(number, frame):
        calls.append(number)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGINT, own)
    try:
        with pytest.raises(KeyboardInterrupt), Interruption(Clock(None)):
            press(2)
        assert calls == [signal.SIGINT] * 2
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, previous)


def test_where_ctrl_c_is_ignored_it_stays_so():
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interruption(Clock(None)) as interruption:
            press(3)
        assert not interruption.came
    finally:
        signal.signal(signal.SIGINT, previous)


def test_another_thread_puts_in_no_handler():
    seen = []

    def inside():
        with Interruption(Clock(None)):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_what_somebody_put_in_since_then_is_left_alone():
    previous = signal.getsignal(signal.SIGINT)
    try:
        with Interruption(Clock(None)):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


def late_look(looks, after=2):
    """A look that says stop at its `after`-th call."""

    def look():
        looks.append(1)
        return len(looks) >= after

    return look


def test_a_look_ends_a_path_of_logistic_regressions_with_what_it_has():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 50)), rng.integers(0, 10, 20_000)
    looks = []
    path = logistic_path(X, y, 10, np.logspace(-12, 0, 200), look=late_look(looks))
    assert path.stopped
    assert len(looks) == 2
    assert (path.n_iterations == 0).any()


def test_a_look_ends_the_sums_of_a_ridge_regression():
    X = np.random.default_rng(0).normal(size=(400_000, 50))
    looks = []
    coef, intercept = ridge_path(X, X[:, 0], [1.0, 2.0], look=late_look(looks, 1))
    assert len(looks) == 1
    assert coef.shape == (0, 50, 1)
    assert intercept.shape == (0, 1)


def test_a_look_that_raises_ends_a_closed_form():
    X = np.random.default_rng(0).normal(size=(400_000, 50))

    def look():
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        ridge_path(X, X[:, 0], [1.0], look=look)


@pytest.mark.parametrize("metric", ["rmse", lambda y, p: -float(np.abs(y - p).mean())])
def test_a_look_ends_the_choice_of_an_ensemble_with_a_usable_one(metric):
    rng = np.random.default_rng(0)
    y = rng.normal(size=20_000)
    members = [np.ascontiguousarray(y[:, None] + rng.normal(size=(len(y), 1))) for _ in range(40)]
    looks = []
    start = time.perf_counter()
    chosen = select_ensemble(
        members, y, resolve_metric(metric, "regression", "squared", None), max_size=10_000,
        look=late_look(looks),
    )  # fmt: skip
    assert looks
    assert chosen.weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert time.perf_counter() - start < 60.0


PHASES = (
    "train_linear", "run", "wait", "validation_predictions", "choose_ensemble", "refit",
    "build_predictor", "measured_latency", "sort_rows",
)  # fmt: skip


def press_in(phase, monkeypatch, times=1):
    """Press Ctrl-C as a phase begins, the first time that it does."""
    import automs.baselines
    import automs.fitting
    import automs.search
    import automs.searched
    import automs.training
    import automs.workshop

    owner = {
        "train_linear": automs.search,
        "run": automs.training.Training,
        "validation_predictions": automs.training.Training,
        "wait": automs.baselines.BaselineProcess,
        "build_predictor": automs.searched,
        "measured_latency": automs.workshop,
    }.get(phase, automs.fitting)
    real, pressed = getattr(owner, phase), []

    def pressing(*args, **kwargs):
        if not pressed:
            pressed.append(phase)
            press(times)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, phase, pressing)
    return pressed


def fit(kind, table, space, **settings):
    settings = {"search_space": space, "max_trials": 6, "validation": 0.25} | settings
    return kind(random_state=0, strategy="random", **settings).fit(*table)


@pytest.mark.parametrize("phase", PHASES)
def test_ctrl_c_in_any_phase_gives_the_best_so_far(
    phase, multiclass_table, quick_space, monkeypatch
):
    pressed = press_in(phase, monkeypatch)
    baselines = ("constant",) if phase == "wait" else None
    with pytest.warns(SearchWarning, match=r"interrupted after \d"):
        model = fit(AutoClassifier, multiclass_table, quick_space, baselines=baselines)
    assert pressed == [phase]
    assert model.predict(multiclass_table[0]).shape == (160,)
    assert math.isfinite(model.leaderboard_["score_val"][0])


@pytest.mark.parametrize("phase", PHASES)
def test_a_second_ctrl_c_raises_in_any_phase_and_leaves_no_process(
    phase, multiclass_table, quick_space, monkeypatch
):
    pressed = press_in(phase, monkeypatch, times=2)
    with pytest.raises(KeyboardInterrupt):
        fit(AutoClassifier, multiclass_table, quick_space, baselines=("constant",))
    assert pressed == [phase]
    assert not [t for t in threading.enumerate() if t is not threading.main_thread()]


def test_epochs_finished_before_ctrl_c_are_kept_and_the_rest_is_not_run(
    regression_table, quick_space
):
    """A look of the engine sees the stopped clock within milliseconds of 10,000 epochs."""
    space = quick_space.replace(epochs=10_000, patience=10_000)
    timer = threading.Timer(0.4, press)
    timer.start()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(AutoRegressor, regression_table, space, max_trials=50, baselines=None)
    timer.join()
    assert [w.category for w in caught] == [SearchWarning]
    assert caught[0].filename == __file__
    states = [trial.state for trial in model.trials_]
    assert "STOPPED" in states
    assert "TIMED_OUT" not in states
    stopped = [trial for trial in model.trials_ if trial.state == "STOPPED"]
    assert all(0 < trial.progress.epoch < 10_000 for trial in stopped)
