"""The benchmark of time limits: what passes, and the percentile of what does not."""

import importlib
from pathlib import Path

import pytest

pytest.importorskip("pandas", reason="the protocol reads tables with pandas")
BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "bench_limits.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    limits = importlib.import_module("bench_limits")


def fit(limit, took, n_trials=5):
    return limits.Fit("wine", 178, limit, took, n_trials, "ensemble")


@pytest.mark.parametrize(
    ("limit", "took", "passed"),
    [
        (0.5, 0.549, True),
        (0.5, 0.551, False),
        (5.0, 5.049, True),
        (5.0, 5.051, False),
        (60.0, 60.59, True),
        (60.0, 60.61, False),
        (60.0, 2.0, True),
    ],
)
def test_a_fit_may_be_late_by_fifty_milliseconds_or_a_hundredth(limit, took, passed):
    assert fit(limit, took).passed == passed
    assert not fit(limit, took, n_trials=None).passed


def test_of_a_hundred_fits_one_may_be_late():
    late = [*range(99), 1_000]
    assert limits.high_quantile(late) == 98
    assert limits.high_quantile([*late[1:], 2_000]) == 1_000
    assert limits.high_quantile([7.0, 3.0]) == 7.0


def test_the_sections_hide_neither_late_nor_failed_fits():
    found = [fit(0.5, 0.4), fit(0.5, 0.7), fit(1.0, 0.2, n_trials=None), fit(limits.NO_TIME, 0.3)]
    overruns, late, least, fits = limits.sections(found)
    assert overruns.lines == [
        ("all", "3", "1", "1", "-0.100", "+0.200", "+0.200", "+4.00"),
        ("0.5 s", "2", "1", "0", "+0.050", "+0.200", "+0.200", "+4.00"),
        ("1 s", "1", "0", "1", "-0.800", "-0.800", "-0.800", "-16.00"),
    ]
    assert [line[2:5] for line in late.lines] == [
        ("0.5", "0.700", "+0.200"),
        ("1", "0.200", "-0.800"),
    ]
    assert late.lines[1][-2] == "failed"
    assert least.lines == [("wine", "178", "0.300")]
    assert len(fits.lines) == 3


def test_a_fit_that_fails_is_kept_with_its_time(monkeypatch):
    def fails(*_):
        raise ValueError("no candidate could be used")

    monkeypatch.setattr("automs.AutoClassifier.fit", fails)
    protocol = importlib.import_module("accuracy_protocol")
    found = limits.fitted(protocol.DataSet("wine", "multiclass", 178, 13), [], [], 1.0)
    assert found.failed
    assert found.model == "ValueError: no candidate could be used"
    assert 0 <= found.took < 1
