"""Rows of the full search and of variants -> what each part of it is worth, as sections."""

from __future__ import annotations

import math
from collections.abc import Sequence

import accuracy_stats as stats
from ablation_variants import FULL, WHAT
from accuracy_report import Comparison, Section, as_number, machine_section, time_section

_TASKS = ("regression", "binary", "multiclass")
_REMARK = (
    "Ratio: geometric mean of the variant's error / the full search's, above 1 where the part it "
    f"lacks helps, with a {stats.CONFIDENCE:.0%} bootstrap interval over data sets; the error on "
    "a data set is the mean over seeds."
)


def sections(comparison: Comparison, machines: list[dict[str, str]]) -> list[Section]:
    order = {name: at for at, name in enumerate(WHAT)}
    variants = sorted(comparison.systems[1:], key=lambda name: order.get(name, len(order)))
    return [
        variant_section(comparison, variants),
        task_section(comparison, variants),
        table_section(comparison, variants),
        time_section(comparison),
        machine_section(machines),
    ]


def variant_section(comparison: Comparison, variants: Sequence[str]) -> Section:
    lines = []
    for variant in variants:
        d = stats.duel(comparison.errors, variant, FULL)
        lines.append(
            (
                variant,
                WHAT.get(variant, "-"),
                as_number(d.ratio, ".3f"),
                f"{as_number(d.low, '.3f')} to {as_number(d.high, '.3f')}",
                f"{d.losses} / {d.wins} / {d.ties}",
                str(d.n_datasets),
                str(d.n_failed),
            )
        )
    columns = ("variant", "what", "ratio", "interval", "full better / worse / same", "data sets")
    return Section("What each part is worth", (*columns, "failures"), lines, (_REMARK,))


def task_section(comparison: Comparison, variants: Sequence[str]) -> Section:
    task_of = {row.dataset: row.task for row in comparison.rows}
    tasks = [task for task in _TASKS if task in task_of.values()]
    lines = []
    for variant in variants:
        cells = []
        for task in tasks:
            errors = {d: e for d, e in comparison.errors.items() if task_of[d] == task}
            d = stats.duel(errors, variant, FULL)
            interval = f"{as_number(d.low, '.3f')} to {as_number(d.high, '.3f')}"
            cells.append(f"{as_number(d.ratio, '.3f')} ({interval})")
        lines.append((variant, *cells))
    numbers = {task: sum(t == task for t in task_of.values()) for task in tasks}
    columns = (f"{task}, {numbers[task]} data sets" for task in tasks)
    return Section("By task", ("variant", *columns), lines)


def table_section(comparison: Comparison, variants: Sequence[str]) -> Section:
    """Errors of the full search, and of each variant by these, on every data set."""
    sizes = {row.dataset: row.n for row in comparison.rows}
    lines = []
    for dataset, by_seed in comparison.errors.items():
        own = stats.mean_errors(by_seed, [FULL]).get(FULL, math.nan)
        ratios = []
        for variant in variants:
            means = stats.mean_errors(by_seed, (FULL, variant))
            both = len(means) == 2
            ratios.append(stats.ratio(means[variant], means[FULL]) if both else math.nan)
        cells = (as_number(ratio, ".3f") for ratio in ratios)
        lines.append((dataset, str(sizes[dataset]), as_number(own), *cells))
    return Section("By data set", ("data set", "rows", f"error of {FULL}", *variants), lines)
