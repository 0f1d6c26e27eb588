"""Folder of predictions -> where a peer is ahead of us, and whether by more than noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import accuracy_bootstrap as bootstrap
from accuracy_predictions import About, find, read, same_rows
from accuracy_report import Section, compare
from accuracy_rows import Row
from accuracy_stats import ratio

# What the project promises: no peer ahead by this ratio and by so many standard errors.
FAR = 1.15
SURE = 2.0
NOTABLE = 1.05  # from here on a loss wants an explanation
BEHIND = "behind by 15 % and 2 s.e."
# Of an error computed again from float32, where what differed in the last digits is a tie.
MOST_ROUNDING = 1e-2
LEAST_ROUNDING = 1e-6

Files = dict[tuple[str, int, str], tuple[Path, About]]  # by data set, seed and system


@dataclass(frozen=True)
class Pair:
    """One peer and us on one data set, over the seeds that both have."""

    dataset: str
    peer: str
    n_seeds: int
    difference: bootstrap.Difference

    @property
    def ratio(self) -> float:
        return ratio(self.difference.ours, self.difference.peer)

    @property
    def standard_errors(self) -> float:
        """The difference in units of its standard error; above 0 the peer is ahead."""
        value, error = self.difference.value, self.difference.standard_error
        return value / error if error > 0 else math.copysign(math.inf, value) if value else 0.0

    @property
    def verdict(self) -> str:
        if self.ratio >= FAR:
            return BEHIND if self.standard_errors >= SURE else "behind by 15 %"
        return "behind by 5 %" if self.ratio > NOTABLE else ""


def choose(
    folder: Path, ours: str, against: Sequence[str] = (), budget: float | None = None
) -> tuple[Files, tuple[str, ...]]:
    """Files and systems, ours first, chosen as a report of results chooses rows."""
    found = find(folder)
    if not found:
        raise SystemExit(f"{folder} has no predictions: accuracy.py run --predictions writes them")
    by_key = {(s.dataset, s.seed, s.system, s.budget): (p, s) for p, s in found.items()}
    rows = [
        Row(s.dataset, s.task, 0, 0, s.seed, s.system, s.budget, s.error) for s in found.values()
    ]
    comparison = compare(rows, ours, against, budget)
    files = {(r.dataset, r.seed, r.system): by_key[r.key] for r in comparison.rows}
    return files, comparison.systems


def pairs(files: Files, systems: Sequence[str]) -> list[Pair]:
    """Every peer and us on every data set where both have a seed in common."""
    ours, *peers = systems
    found = []
    for dataset in dict.fromkeys(dataset for dataset, _, _ in files):
        own = sorted(seed for name, seed, system in files if (name, system) == (dataset, ours))
        by_seeds: dict[tuple[int, ...], list[str]] = {}
        for peer in peers:
            seeds = tuple(seed for seed in own if (dataset, seed, peer) in files)
            by_seeds.setdefault(seeds, []).append(peer)
        for seeds, group in by_seeds.items():
            if seeds:
                found += _on_seeds(files, dataset, seeds, (ours, *group))
    return found


def _on_seeds(
    files: Files, dataset: str, seeds: Sequence[int], systems: Sequence[str]
) -> list[Pair]:
    by_seed = [[_rows(*files[dataset, seed, name]) for name in systems] for seed in seeds]
    for seed, rows in zip(seeds, by_seed, strict=True):
        if not same_rows(rows):
            raise SystemExit(f"{dataset}, seed {seed}: systems have different test rows")
    different = bootstrap.differences(by_seed)
    return [
        Pair(dataset, peer, len(seeds), difference)
        for peer, difference in zip(systems[1:], different, strict=True)
    ]


def _rows(path: Path, about: About) -> bootstrap.Rows:
    """Rows whose error is the one that was measured, or it is not the same thing."""
    rows = read(path, about)
    error = float(bootstrap.plain_errors([rows])[0])
    if abs(error - about.error) > MOST_ROUNDING * about.error + LEAST_ROUNDING:
        raise SystemExit(f"{path}: its rows have an error of {error:g}, it says {about.error:g}")
    return rows


def pair_section(found: Sequence[Pair], ours: str) -> Section:
    lines = [
        (
            pair.dataset,
            pair.peer,
            str(pair.n_seeds),
            f"{pair.difference.ours:.4g}",
            f"{pair.difference.peer:.4g}",
            f"{pair.ratio:.3f}",
            f"{pair.difference.value:+.2g}",
            f"{pair.difference.standard_error:.2g}",
            f"{pair.standard_errors:+.1f}",
            pair.verdict or "-",
        )
        for pair in found
    ]
    columns = ("data set", "peer", "seeds", f"error of {ours}", "its error", "ratio")
    remarks = (
        "Mean errors over the seeds that both have, our error / the peer's (above 1 the peer is "
        "ahead), the difference, its standard error (s.e.) and the one in units of the other.",
        f"Standard errors: {bootstrap.N_RESAMPLES:,} paired bootstrap resamples of test rows and, "
        "where there are several, of seeds. Seeds differ by the noise of their rows, too, which is "
        "so counted once more: that of several seeds is rather too large than too small.",
    )
    title = f"{ours} against each, data set by data set"
    return Section(title, (*columns, "difference", "s.e.", "in s.e.", "verdict"), lines, remarks)


def summary_section(found: Sequence[Pair]) -> Section:
    lines = []
    for peer in dict.fromkeys(pair.peer for pair in found):
        own = [pair for pair in found if pair.peer == peer]
        in_errors = np.array([pair.standard_errors for pair in own])
        ratios = np.array([pair.ratio for pair in own])
        counts = (
            len(own),
            (in_errors <= -SURE).sum(),
            (in_errors >= SURE).sum(),
            (ratios > NOTABLE).sum(),
            (ratios >= FAR).sum(),
            sum(pair.verdict == BEHIND for pair in own),
        )
        lines.append((peer, *map(str, counts)))
    columns = ("peer", "data sets", "ahead by 2 s.e.", "behind by 2 s.e.", "behind by 5 %")
    return Section("Verdicts", (*columns, "behind by 15 %", BEHIND), lines)


def absence_section(files: Files, systems: Sequence[str]) -> Section:
    """Splits that another system has predictions of: a failure has none, and is no part above."""
    splits = dict.fromkeys((dataset, seed) for dataset, seed, _ in files)
    lines = []
    for system in systems:
        absent = [split for split in splits if (*split, system) not in files]
        if absent:
            lines.append((system, ", ".join(f"{dataset} {seed}" for dataset, seed in absent)))
    return Section("Splits without predictions", ("system", "data set and seed"), lines)


def sections(
    folder: Path, ours: str, against: Sequence[str] = (), budget: float | None = None
) -> list[Section]:
    files, systems = choose(folder, ours, against, budget)
    found = pairs(files, systems)
    return [pair_section(found, ours), summary_section(found), absence_section(files, systems)]
