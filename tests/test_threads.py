"""The number of threads that `n_jobs` stands for."""

import os

import numpy as np
import pytest

from automs import _threads
from automs._threads import effective_n_threads


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Eight cores, no quota, no environment; returns the folder of the control groups."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(_threads, "_CGROUP", tmp_path)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(None, 8), (-1, 8), (-2, 7), (-8, 1), (-100, 1), (3, 3), (100, 100), (5000, 1024)],
)
def test_n_jobs_means_what_it_means_in_joblib(machine, n_jobs, expected):
    assert effective_n_threads(n_jobs) == expected
    assert type(effective_n_threads(np.int64(2))) is int


@pytest.mark.parametrize(
    ("value", "expected"), [("4", 4), ("3,2", 3), ("16", 8), ("0", 8), ("many", 8), ("", 8)]
)
def test_omp_num_threads_is_an_upper_bound(machine, monkeypatch, value, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert effective_n_threads() == expected
    assert effective_n_threads(6) == 6


@pytest.mark.parametrize(
    ("content", "expected"),
    [("250000 100000", 3), ("50000 100000", 1), ("max 100000", 8), ("nonsense", 8)],
)
def test_a_container_quota_is_rounded_up(machine, content, expected):
    (machine / "cpu.max").write_text(content + "\n")
    assert effective_n_threads() == expected


@pytest.mark.parametrize(("quota", "expected"), [("150000", 2), ("-1", 8)])
def test_a_quota_of_the_older_kind_counts_too(machine, quota, expected):
    (machine / "cpu").mkdir()
    (machine / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (machine / "cpu" / "cpu.cfs_period_us").write_text("100000")
    assert effective_n_threads() == expected


def test_without_an_affinity_mask_all_cores_count(machine, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert effective_n_threads() == 1


def test_other_values_are_errors():
    with pytest.raises(ValueError, match="n_jobs must not be 0, got 0"):
        effective_n_threads(0)
    for n_jobs in (1.0, "2", True):
        with pytest.raises(TypeError, match="n_jobs must be a whole number or None"):
            effective_n_threads(n_jobs)
