"""Rows of results -> sections of tables, as text or Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

import accuracy_stats as stats
from accuracy_rows import Row
from accuracy_systems import takes_limit

N_WORST = 10


@dataclass(frozen=True)
class Section:
    """A title, a table whose first column is left-aligned, and remarks below it."""

    title: str
    columns: tuple[str, ...]
    lines: list[tuple[str, ...]]
    remarks: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Comparison:
    """The rows of `systems`, ours first."""

    rows: list[Row]
    systems: tuple[str, ...]

    @property
    def ours(self) -> str:
        return self.systems[0]

    @property
    def errors(self) -> stats.Errors:
        return stats.collect((r.dataset, r.system, r.seed, r.error) for r in self.rows)


def compare(
    rows: list[Row], ours: str, against: Sequence[str] = (), budget: float | None = None
) -> Comparison:
    """Choose the rows to compare; later ones replace earlier ones of the same split."""
    if budget is not None:
        rows = [row for row in rows if row.budget == budget or not takes_limit(row.system)]
    found = list(dict.fromkeys(row.system for row in rows))
    if absent := [system for system in (ours, *against) if system not in found]:
        raise SystemExit(f"no rows of {', '.join(absent)}; there are {', '.join(found)}")
    systems = dict.fromkeys([ours, *(against or found)])
    kept = {(r.dataset, r.seed, r.system): r for r in rows if r.system in systems}
    for system in systems:
        budgets = {row.budget for row in rows if row.system == system}
        if takes_limit(system) and len(budgets) > 1:
            shown = ", ".join(f"{b:g}" for b in sorted(budgets))
            raise SystemExit(f"{system} has rows of several budgets, choose by --budget: {shown}")
    return Comparison(list(kept.values()), tuple(systems))


def sections(comparison: Comparison, machines: list[dict[str, str]]) -> list[Section]:
    return [
        error_section(comparison),
        rank_section(comparison),
        duel_section(comparison),
        time_section(comparison),
        worst_section(comparison),
        machine_section(machines),
    ]


def as_number(value: float, form: str = ".4g") -> str:
    if math.isnan(value):
        return "-"
    return format(value, form) if math.isfinite(value) else "failed"


def error_section(comparison: Comparison) -> Section:
    sizes = {row.dataset: (row.task, row.n) for row in comparison.rows}
    lines, apart = [], []
    for dataset, by_seed in comparison.errors.items():
        means = stats.mean_errors(by_seed, comparison.systems)
        if not means:
            apart.append(dataset)
            continue
        best = min(means.values())
        cells = [as_number(means.get(system, math.nan)) for system in comparison.systems]
        marked = [
            f"{cell}*" if means.get(system) == best < math.inf else cell
            for system, cell in zip(comparison.systems, cells, strict=True)
        ]
        task, n = sizes[dataset]
        lines.append((dataset, task, str(n), *marked))
    remarks = [
        "RMSE / standard deviation, 1 - ROC AUC or log loss on test rows, mean over the seeds that "
        "all systems have; * is the lowest."
    ]
    if apart:
        remarks.append(f"Left out, as no seed is common to all: {', '.join(apart)}.")
    return Section("Errors", ("data set", "task", "rows", *comparison.systems), lines, (*remarks,))


def rank_section(comparison: Comparison) -> Section:
    errors, systems = comparison.errors, comparison.systems
    ratings = stats.elo(stats.pairwise_wins(errors, systems))
    elo = dict(zip(systems, ratings, strict=True))
    found = stats.mean_ranks(errors, systems)
    lines = [
        (system, f"{rank:.2f}", str(wins), str(n), f"{elo[system]:.0f}")
        for system, (rank, n, wins) in sorted(found.items(), key=lambda item: item[1][0])
    ]
    return Section("Ranks", ("system", "mean rank", "wins", "data sets", "Elo"), lines)


def duel_section(comparison: Comparison) -> Section:
    lines = []
    for peer in comparison.systems[1:]:
        d = stats.duel(comparison.errors, comparison.ours, peer)
        interval = f"{as_number(d.low, '.3f')} to {as_number(d.high, '.3f')}"
        lines.append(
            (
                peer,
                str(d.n_datasets),
                f"{d.wins} / {d.losses} / {d.ties}",
                as_number(d.mean_rank, ".2f"),
                as_number(d.ratio, ".3f"),
                interval,
                str(d.n_failed),
            )
        )
    columns = ("peer", "data sets", "wins / losses / ties", "rank of 2", "error ratio")
    remark = (
        "Error ratio: geometric mean of our error / the peer's, below 1 where we are better, with "
        f"a {stats.CONFIDENCE:.0%} bootstrap interval over data sets; failures are no part of it."
    )
    return Section(
        f"{comparison.ours} against each", (*columns, "interval", "failures"), lines, (remark,)
    )


def time_section(comparison: Comparison) -> Section:
    lines = []
    for system, group in groupby(
        sorted(comparison.rows, key=lambda r: comparison.systems.index(r.system)),
        key=lambda r: r.system,
    ):
        rows = list(group)
        fits = np.array([row.fit_s for row in rows if math.isfinite(row.fit_s)])
        over = np.array([r.fit_s - r.budget for r in rows if math.isfinite(r.fit_s)])
        limited = takes_limit(system) and over.size
        failed = sum(row.failed for row in rows)
        lines.append(
            (
                system,
                f"{fits.sum():.0f}",
                as_number(float(np.median(fits)) if fits.size else math.nan, ".2f"),
                f"{rows[0].budget:g}" if limited else "-",
                f"{np.median(over):+.2f}" if limited else "-",
                f"{over.max():+.2f}" if limited else "-",
                f"{failed} of {len(rows)}",
            )
        )
    columns = ("system", "total fit s", "median fit s", "limit s")
    return Section(
        "Time", (*columns, "median overrun s", "worst overrun s", "failed splits"), lines
    )


def worst_section(comparison: Comparison) -> Section:
    losses = stats.worst_losses(comparison.errors, comparison.ours, comparison.systems)
    lines = [(dataset, peer, as_number(ratio, ".3f")) for dataset, peer, ratio in losses[:N_WORST]]
    title = f"Where {comparison.ours} loses most"
    return Section(title, ("data set", "best peer", "our error / its"), lines)


def machine_section(machines: list[dict[str, str]]) -> Section:
    names = list(dict.fromkeys(name for machine in machines for name in machine))
    lines = [(name, *(machine.get(name, "-") for machine in machines)) for name in names]
    columns = ("what", *(f"part {i + 1}" for i in range(len(machines))))
    remark = "" if machines else "Unknown: the file of results has no .machine.json beside it."
    return Section("Versions", columns, lines, (remark,) if remark else ())


def as_text(section: Section) -> str:
    table = [section.columns, *section.lines]
    widths = [max(len(line[i]) for line in table) for i in range(len(section.columns))]
    rows = [
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (table if section.lines else [])
    ]
    return "\n".join([section.title, "=" * len(section.title), *rows, *section.remarks, ""])


def as_markdown(section: Section) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(_escaped(cell) for cell in cells)} |"

    rule = f"|---|{'---:|' * (len(section.columns) - 1)}"
    rows = [line(section.columns), rule, *map(line, section.lines)] if section.lines else ["None."]
    remarks = "".join(f"\n{_escaped(remark)}\n" for remark in section.remarks)
    return "\n".join([f"## {section.title}", "", *rows, remarks])


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")
