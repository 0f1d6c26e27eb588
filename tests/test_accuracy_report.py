"""The benchmark of accuracy: its file of results, ranks, ratios, intervals, Elo and tables."""

import importlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

BENCH = Path(__file__).resolve().parents[1] / "bench"
if not (BENCH / "accuracy.py").exists():
    pytest.skip("bench/ is not beside the tests", allow_module_level=True)
with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(BENCH)
    rows_of = importlib.import_module("accuracy_rows")
    stats = importlib.import_module("accuracy_stats")
    report = importlib.import_module("accuracy_report")

ERRORS = st.lists(st.tuples(st.floats(1e-3, 10), st.floats(1e-3, 10)), min_size=1, max_size=12)


def row(dataset, system, error, seed=0, **more):
    more = {"task": "binary", "n": 100, "d": 3, "budget": 60.0, "fit_s": 61.0} | more
    return rows_of.Row(dataset, seed=seed, system=system, error=error, **more)


def errors_of(*systems):
    """Data sets a, b, ... with one error of each system; None where it has no row."""
    return stats.collect(
        (chr(ord("a") + i), f"s{j}", 0, error)
        for j, values in enumerate(systems)
        for i, error in enumerate(values)
        if error is not None
    )


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "folder" / "results.csv"
    assert rows_of.resume(path) == []
    rows_of.append(path, row("wine", "automs", 0.25, note='a "quoted", one\nin two lines' * 20))
    rows_of.append(path, row("adult", "automs", math.nan, note="killed"))
    return path


def test_rows_come_back_as_written_and_stay_on_one_line(results):
    assert len(results.read_text().splitlines()) == 3
    first, second = rows_of.read_rows(results)
    assert first.note.startswith('a "quoted", one in two lines')
    assert len(first.note) <= rows_of.LONGEST_NOTE
    assert replace(first, note="", accuracy=0, predict_s=0) == row(
        "wine", "automs", 0.25, accuracy=0, predict_s=0
    )
    assert not first.failed
    assert second.failed


def test_any_tear_of_the_last_line_is_repaired(results):
    whole = results.read_bytes()
    start = whole[:-1].rfind(b"\n") + 1
    for end in range(start, len(whole)):
        results.write_bytes(whole[:end])
        assert [r.dataset for r in rows_of.resume(results)] == ["wine"]
        assert results.read_bytes() == whole[:start]
    results.write_bytes(whole)
    assert [r.dataset for r in rows_of.resume(results)] == ["wine", "adult"]
    assert results.read_bytes() == whole


@pytest.mark.parametrize("content", ["", "dataset,ta", rows_of.HEADER])
def test_a_torn_header_is_written_anew(tmp_path, content):
    path = tmp_path / "results.csv"
    path.write_text(content)
    assert rows_of.resume(path) == []
    assert path.read_text() == rows_of.HEADER + "\n"


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "something else"])
def test_another_file_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "results.csv"
    path.write_text(content)
    with pytest.raises(SystemExit, match="no file of results"):
        rows_of.resume(path)
    assert path.read_text() == content


@pytest.mark.parametrize("line", ["wine,binary,100", "wine,binary,x,3,0,automs,60,1,1,1,1,"])
def test_a_bad_line_inside_is_an_error_with_its_number(results, line):
    text = results.read_text()
    results.write_text(text.replace("adult", f"{line}\nadult"))
    with pytest.raises(SystemExit, match="line 3"):
        rows_of.resume(results)


def test_of_two_rows_of_one_split_the_later_one_counts(results):
    rows_of.append(results, row("adult", "automs", 0.5))
    assert [r.error for r in rows_of.read_rows(results)] == [0.25, 0.5]


def test_equal_errors_share_their_places():
    assert stats.ranks({"a": 2.0, "b": 1.0, "c": 2.0, "d": math.inf}) == {
        "a": 2.5,
        "b": 1.0,
        "c": 2.5,
        "d": 4.0,
    }


def test_means_are_over_the_seeds_that_all_have():
    by_seed = {"a": {0: 1.0, 1: 3.0}, "b": {1: 2.0, 2: 9.0}, "c": {7: 1.0}}
    assert stats.mean_errors(by_seed, ["a", "b"]) == {"a": 3.0, "b": 2.0}
    assert stats.mean_errors(by_seed, ["a"]) == {"a": 2.0}
    assert stats.mean_errors(by_seed, ["a", "b", "missing"]) == {"a": 3.0, "b": 2.0}
    assert stats.mean_errors(by_seed, ["a", "b", "c"]) == {}
    assert stats.mean_errors(by_seed, ["missing"]) == {}


def test_a_failed_split_loses_and_a_missing_one_is_left_out():
    errors = errors_of([1.0, math.nan, 1.0, 3.0], [2.0, 5.0, None, 2.0])
    assert stats.mean_ranks(errors, ["s0", "s1"]) == {
        "s0": (5 / 3, 3, 1),
        "s1": (4 / 3, 3, 2),
    }
    duel = stats.duel(errors, "s0", "s1")
    assert (duel.n_datasets, duel.wins, duel.losses, duel.ties, duel.n_failed) == (3, 1, 2, 0, 1)
    assert duel.ratio == pytest.approx(math.sqrt(0.5 * 1.5))
    assert duel.mean_rank == pytest.approx(5 / 3)


def test_nobody_wins_where_all_failed():
    found = stats.mean_ranks(errors_of([math.nan], [math.nan]), ["s0", "s1"])
    assert found == {"s0": (1.5, 1, 0), "s1": (1.5, 1, 0)}


@given(ERRORS)
def test_a_duel_seen_from_the_other_side_is_its_inverse(pairs):
    errors = errors_of(*zip(*pairs, strict=True))
    one, other = stats.duel(errors, "s0", "s1"), stats.duel(errors, "s1", "s0")
    assert one.ratio * other.ratio == pytest.approx(1.0)
    assert one.low * other.high == pytest.approx(1.0)
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert one.low <= one.ratio * (1 + 1e-9)
    assert one.ratio <= one.high * (1 + 1e-9)


def test_tiny_errors_do_not_decide_a_ratio():
    assert stats.ratio(1e-9, stats.LEAST_ERROR) == 1.0
    assert stats.ratio(0.0, 0.0) == 1.0
    assert stats.ratio(0.2, 0.0) == pytest.approx(0.2 / stats.LEAST_ERROR)


def test_the_interval_is_that_of_the_mean_and_repeats():
    values = np.random.default_rng(5).normal(3.0, 2.0, 400)
    low, high = stats.bootstrap(values)
    assert (low, high) == stats.bootstrap(values)
    assert (low, high) != stats.bootstrap(values, seed=1)
    half = 1.96 * values.std() / math.sqrt(400)
    # 10,000 resamples place the ends within some hundredths of their distance.
    assert low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_two_systems_that_never_met_have_no_ratio():
    duel = stats.duel(errors_of([1.0, None], [None, 2.0]), "s0", "s1")
    assert duel.n_datasets == 0
    assert all(math.isnan(x) for x in (duel.ratio, duel.low, duel.high, duel.mean_rank))


def test_elo_of_two_is_the_log_of_their_odds():
    ratings = stats.elo(np.array([[0.0, 29.5], [9.5, 0.0]]))
    odds = (29.5 + stats.VIRTUAL_WINS) / (9.5 + stats.VIRTUAL_WINS)
    assert ratings[0] - ratings[1] == pytest.approx(400 * math.log10(odds))
    assert ratings.mean() == pytest.approx(stats.MEAN_ELO)


def test_elo_finds_the_strengths_that_wins_were_made_from():
    strength = np.array([1.0, 2.0, 5.0, 10.0])
    expected = 1e6 * strength[:, None] / (strength[:, None] + strength[None, :])
    np.fill_diagonal(expected, 0.0)
    ratings = stats.elo(expected)
    # The virtual wins are a millionth of the real ones.
    assert ratings - ratings[0] == pytest.approx(400 * np.log10(strength), abs=1e-2)


def test_elo_is_finite_for_who_always_won_and_equal_for_equals():
    wins = stats.pairwise_wins(errors_of([1, 1], [2, 2], [2, 2]), ["s0", "s1", "s2"])
    assert wins.tolist() == [[0, 2, 2], [0, 0, 1], [0, 1, 0]]
    best, second, third = stats.elo(wins)
    assert math.isfinite(best)
    assert best > second
    assert second == pytest.approx(third)
    assert stats.elo(np.zeros((1, 1))).tolist() == [stats.MEAN_ELO]


def test_worst_losses_name_the_best_peer_and_start_with_the_worst():
    errors = errors_of([2.0, 9.0, 1.0, math.nan], [1.0, 8.0, 2.0, 1.0], [1.5, 3.0, 2.0, None])
    assert stats.worst_losses(errors, "s0", ["s0", "s1", "s2"]) == [
        ("d", "s1", math.inf),
        ("b", "s2", 3.0),
        ("a", "s1", 2.0),
    ]


ROWS = [
    row("wine", "automs", 0.2, fit_s=60.5),
    row("wine", "flaml", 0.1, fit_s=75.0),
    row("adult", "automs", 0.3, fit_s=59.0),
    row("adult", "flaml", math.nan, fit_s=math.nan, note="killed"),
    row("adult", "hgb", 0.4, fit_s=1.0),
]


def test_the_report_shows_errors_ranks_overruns_and_losses():
    comparison = report.compare(ROWS, "automs")
    found = {section.title: section for section in report.sections(comparison, [])}
    assert found["Errors"].lines == [
        ("wine", "binary", "100", "0.2", "0.1*", "-"),
        ("adult", "binary", "100", "0.3*", "failed", "0.4"),
    ]
    times = {line[0]: line[1:] for line in found["Time"].lines}
    assert times["automs"] == ("120", "59.75", "60", "-0.25", "+0.50", "0 of 2")
    assert times["flaml"] == ("75", "75.00", "60", "+15.00", "+15.00", "1 of 2")
    assert times["hgb"] == ("1", "1.00", "-", "-", "-", "0 of 1")
    assert found["Where automs loses most"].lines == [("wine", "flaml", "2.000")]
    assert found["automs against each"].lines[0][:3] == ("flaml", "2", "1 / 1 / 0")
    for section in found.values():
        table = report.as_markdown(section)
        assert len({line.count(" | ") for line in table.splitlines() if " | " in line}) <= 1
        assert all(line[0] in report.as_text(section) for line in section.lines)


def test_against_leaves_the_others_out():
    assert report.compare(ROWS, "automs", ["hgb"]).systems == ("automs", "hgb")
    assert report.compare(ROWS, "hgb").systems == ("hgb", "automs", "flaml")
    with pytest.raises(SystemExit, match="no rows of lgbm; there are automs, flaml, hgb"):
        report.compare(ROWS, "automs", ["lgbm"])


def test_budgets_are_never_mixed():
    rows = [*ROWS, row("wine", "automs", 0.9, budget=5.0)]
    with pytest.raises(SystemExit, match="several budgets, choose by --budget: 5, 60"):
        report.compare(rows, "automs")
    chosen = report.compare(rows, "automs", budget=5.0)
    assert [(r.system, r.error) for r in chosen.rows] == [("hgb", 0.4), ("automs", 0.9)]
