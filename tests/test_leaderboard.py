"""The order of the leaderboard, and its columns."""

import builtins
import itertools

import pandas as pd
import pytest

from automs.candidates import Candidate
from automs.leaderboard import LeaderboardRow, TrialState, make_leaderboard, sort_rows

NAN = float("nan")


def row(name, score=NAN, state=TrialState.COMPLETE, **columns):
    return LeaderboardRow(name=name, kind="candidate", score_val=score, state=state, **columns)


ORDERED = [
    row("best", 0.9, TrialState.TIMED_OUT),
    row("small", 0.8, n_parameters=10),
    row("large", 0.8, n_parameters=20),
    row("a size unknown", 0.8),
    row("b size unknown", 0.8),
    row("stopped", 0.1, TrialState.STOPPED),
    row("pruned late", 0.2, TrialState.PRUNED, epochs=20),
    row("pruned early", 0.95, TrialState.PRUNED, epochs=5),
    row("pruned early and worse", 0.3, TrialState.PRUNED, epochs=5),
    row("no score"),
    row("diverged", float("-inf"), TrialState.DIVERGED),
    row("skipped", NAN, TrialState.SKIPPED, reason="too slow"),
]


@pytest.mark.parametrize("shift", range(len(ORDERED)))
def test_rows_are_ordered_by_the_rule_whatever_their_order(shift):
    mixed = ORDERED[shift:] + ORDERED[:shift][::-1]
    ordered = sort_rows(mixed)
    assert [r.name for r in ordered] == [r.name for r in ORDERED]
    assert [r.rank for r in ordered] == list(range(1, len(ORDERED) + 1))


def test_the_order_is_total():
    for a, b in itertools.combinations(ORDERED, 2):
        assert [r.name for r in sort_rows([b, a])] == [a.name, b.name]


def test_columns_are_the_agreed_ones_then_the_settings():
    candidate = Candidate((8,), epochs=30)
    rows = [row("c", 0.5, epochs=7, settings=candidate.settings()), row("baseline", 0.4)]
    table = make_leaderboard(rows)
    assert isinstance(table, pd.DataFrame)
    columns = [
        "rank", "name", "kind", "score_val", "score_val_std", "loss_val", "fit_time",
        "pred_time_val", "latency_us", "n_parameters", "n_bytes", "epochs", "state", "reason",
        "used",
        "hidden_layer_sizes", "activation",
    ]  # fmt: skip
    assert list(table.columns)[: len(columns)] == columns
    assert table["epochs"][0] == 7
    assert table["max_epochs"][0] == 30
    assert table["hidden_layer_sizes"][0] == (8,)
    assert table["state"][0] == "COMPLETE"
    assert len(set(table.columns)) == len(table.columns)


def test_without_pandas_it_is_a_list_of_dicts(monkeypatch):
    real = builtins.__import__

    def no_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pandas)
    records = make_leaderboard([row("a", 0.1, settings={"dropout": 0.5}), row("b", 0.2)])
    assert [r["name"] for r in records] == ["b", "a"]
    assert records[0]["dropout"] is None
    assert list(records[0]) == list(records[1])


def test_an_empty_leaderboard_still_has_its_columns():
    table = make_leaderboard([])
    assert len(table) == 0
    assert list(table.columns)[:3] == ["rank", "name", "kind"]


def test_states_are_plain_words():
    assert TrialState("PRUNED") is TrialState.PRUNED == "PRUNED"
    assert [str(s) for s in TrialState][-1] == "SKIPPED"
