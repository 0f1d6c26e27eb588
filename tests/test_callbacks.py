"""Callbacks, the live line, the log and the summary: what a user sees of a search."""

import io
import logging
import math
import threading

import pytest

import automs.progress
from automs import AutoClassifier, AutoRegressor, SearchReport, TrialReport
from automs.audience import Audience, resolve_callbacks
from automs.progress import told_in_terminal
from automs.summary import summary_text


def fit(table, space, *, kind=AutoRegressor, **settings):
    settings = {"max_trials": 30, "validation": 0.25, "baselines": None} | settings
    return kind(search_space=space, random_state=0, **settings).fit(*table)


@pytest.mark.parametrize("strategy", ["halving", "random"])
def test_every_trial_is_told_once_with_what_the_leaderboard_says(
    regression_table, quick_space, strategy
):
    seen = []
    model = fit(regression_table, quick_space, strategy=strategy, callbacks=seen.append)
    trials = {r.name: r for r in seen if isinstance(r, TrialReport)}
    assert len(trials) == sum(isinstance(r, TrialReport) for r in seen)
    rows = model.leaderboard_[model.leaderboard_["kind"] == "candidate"].set_index("name")
    assert set(trials) == set(rows.index)
    for name, report in trials.items():
        assert report.state == rows.loc[name, "state"]
        if rows["n_bytes"].isna()[name]:  # else the score is that of the packed model
            assert report.score == rows.loc[name, "score_val"]
        assert report.epochs == rows.loc[name, "epochs"]
        assert report.settings["hidden_layer_sizes"] == rows.loc[name, "hidden_layer_sizes"]
    if strategy == "halving":
        states = [report.state for report in trials.values()]
        assert states.index("PRUNED", 2) < states.index("COMPLETE", 2), "told of while others go on"


def test_progress_is_told_by_the_thread_that_fits_and_ends_with_the_whole(
    regression_table, quick_space
):
    seen, threads = [], set()

    def note(report):
        threads.add(threading.get_ident())
        if isinstance(report, SearchReport):
            seen.append(report)

    model = fit(regression_table, quick_space, callbacks=[note], n_jobs=2)
    assert threads == {threading.get_ident()}
    assert [r.elapsed for r in seen] == sorted(r.elapsed for r in seen)
    last = seen[-1]
    assert (last.n_trials, last.n_running) == (model.n_trials_, 0)
    assert math.isinf(last.remaining)
    finished = [t for t in model.trials_[2:] if t.state in {"COMPLETE", "DIVERGED"}]
    assert last.n_finished == len(finished)
    best = max(t.progress.score for t in model.trials_[2:])
    assert last.best_score == best


def test_callbacks_do_not_change_a_bit(multiclass_table, quick_space):
    plain, told = (
        fit(multiclass_table, quick_space, kind=AutoClassifier, callbacks=callbacks)
        for callbacks in (None, [lambda _: None, lambda _: "yes"])
    )
    assert plain.predictor_.to_bytes() == told.predictor_.to_bytes()
    assert len(plain.trials_) == len(told.trials_)


def test_one_that_returns_true_ends_the_search_and_the_model_is_finished_as_usual(
    regression_table, quick_space
):
    space = quick_space.replace(epochs=100_000, patience=100_000)
    seen = []

    def enough(report):
        seen.append(report)
        return isinstance(report, SearchReport)

    model = fit(regression_table, space, callbacks=enough, strategy="random")
    states = {trial.state for trial in model.trials_}
    assert "STOPPED" in states or "SKIPPED" in states
    assert model.n_trials_ == 30
    assert all(trial.progress.epoch < 100_000 for trial in model.trials_)
    assert model.predict(regression_table[0]).shape == (160,)


@pytest.mark.parametrize("kind", [SearchReport, TrialReport])
def test_what_one_raises_passes_through_and_nothing_is_left_running(
    regression_table, quick_space, kind
):
    def fail(report):
        if isinstance(report, kind):
            raise LookupError("lost")

    before = threading.active_count()
    with pytest.raises(LookupError, match="lost"):
        fit(regression_table, quick_space, callbacks=fail, baselines=("constant",), n_jobs=2)
    assert threading.active_count() == before


@pytest.mark.parametrize("callbacks", [3, "print", [print, None], {print}], ids=str)
def test_what_is_not_callable_is_refused(regression_table, quick_space, callbacks):
    with pytest.raises(TypeError, match="callbacks must be None, a callable or a list"):
        fit(regression_table, quick_space, callbacks=callbacks)


def test_an_audience_of_nobody_is_false_and_is_told_nothing():
    audience = Audience(())
    assert not audience
    audience.tell_now_and_then(lambda: pytest.fail("made a report for nobody"))
    assert resolve_callbacks(None) == ()


REPORT = SearchReport(12.0, 48.0, n_trials=120, n_running=7, n_finished=5, best_score=-0.25)


@pytest.fixture
def terminal(monkeypatch):
    """Make rich's console a terminal that writes into a text, or a file where that is wanted."""
    import rich.console

    out = io.StringIO()
    real = rich.console.Console

    def install(force):
        monkeypatch.setattr(
            rich.console, "Console",
            lambda **_: real(file=out, force_terminal=force, width=200, color_system=None),
        )  # fmt: skip
        return out

    return install


def test_the_live_line_says_how_far_the_search_is(terminal):
    out = terminal(True)
    with told_in_terminal(1, "rmse") as shown:
        (show,) = shown
        show(REPORT)
        show(TrialReport("net-0000", "COMPLETE", 0.0, 1, 1.0))
    text = automs.progress._text(REPORT, "rmse")
    assert text == (
        "12 s, 48 s left: 120 candidates (10 a second), 7 running, 5 trained to their end, "
        "best rmse -0.25"
    )
    assert text in out.getvalue()


@pytest.mark.parametrize(("verbose", "is_terminal"), [(0, True), (0, False), (1, False)])
def test_it_is_silent_without_a_terminal_and_when_told_so(terminal, verbose, is_terminal):
    out = terminal(is_terminal)
    with told_in_terminal(verbose, "rmse") as shown:
        assert shown == []
        logging.getLogger("automs").info("said to nobody")
    assert out.getvalue() == ""


def test_verbose_2_logs_each_step_and_leaves_the_logger_as_it_was(
    terminal, regression_table, quick_space
):
    out = terminal(False)
    logger = logging.getLogger("automs")
    before = (logger.level, list(logger.handlers))
    fit(regression_table, quick_space, verbose=2)
    lines = out.getvalue().splitlines()
    steps = [line for line in lines if "candidates trained until epoch" in line]
    assert len(steps) == 4, "a line for each rung"
    assert steps[0].startswith("automs: ")
    assert (logger.level, logger.handlers) == before


def test_verbose_0_writes_nothing(regression_table, quick_space, capfd):
    fit(regression_table, quick_space)
    assert capfd.readouterr() == ("", "")


def test_a_summary_shows_each_baseline_the_members_and_what_is_used(binary_table, quick_space):
    model = fit(
        binary_table, quick_space, kind=AutoClassifier, max_trials=20, strategy="random",
        baselines=("constant", "linear"),
    )  # fmt: skip
    text = model.summary()
    *table, used = text.splitlines()
    for name in [*model.ensemble_weights_, "LogisticRegression", "DummyClassifier"]:
        assert any(name in line for line in table), name
    assert used.startswith("used: ")
    assert all(name in used for name in model.ensemble_weights_)
    assert "log_loss, higher is better" in table[0]
    shown = [line for line in table if "net-" in line]
    assert len(shown) <= 8 + len(model.ensemble_weights_)


def test_a_summary_has_no_escapes():
    rows = [
        {"rank": 1, "name": "[bold]x[/bold]", "kind": "baseline", "score_val": math.nan,
         "n_parameters": None, "fit_time": 1234.0, "state": "SKIPPED"},
    ]  # fmt: skip
    text = summary_text(rows, {"a": 0.75, "b": 0.25}, "r2")
    assert "\x1b" not in text
    assert "nan" not in text
    assert "[bold]x[/bold]" in text
    assert text.endswith("used: an ensemble of 2 candidates (a 75 %, b 25 %)")


def test_a_summary_cuts_nothing_however_long_its_numbers():
    row = {"rank": 1000, "name": "HistGradientBoostingRegressor", "kind": "baseline",
           "score_val": -0.000123456, "score_val_std": -1.23456e-05, "fit_time": 0.00123456,
           "latency_us": 0.123456, "n_parameters": 1234567890, "state": "timed_out"}  # fmt: skip
    text = summary_text([row], {"a": 1.0}, "rmse")
    line = next(line for line in text.splitlines() if "Hist" in line)
    for words in ("1000", row["name"], "baseline", "-0.0001235", "1234567890", "timed_out"):
        assert words in line
