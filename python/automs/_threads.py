"""The argument `n_jobs` -> the number of threads to use."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

__all__ = ["effective_n_threads"]

#: More threads than this are never started, whatever is asked for.
MAX_THREADS = 1024

_CGROUP = Path("/sys/fs/cgroup")


def effective_n_threads(n_jobs: int | None = None) -> int:
    """Give the number of threads that `n_jobs` stands for.

    Parameters
    ----------
    n_jobs : int, optional
        None or -1: every core that this process may use, which is the least of its affinity mask,
        the CPU quota of its container (cgroup, rounded up) and the first number of
        ``OMP_NUM_THREADS``. A positive number is taken as it is, up to 1024. Another negative one
        means as in joblib all cores but some: -2 is all but one; at least 1.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    TypeError
        When `n_jobs` is no whole number.
    ValueError
        When `n_jobs` is 0.

    Examples
    --------
    >>> effective_n_threads(3)
    3
    """
    if n_jobs is None:
        return _available()
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int | np.integer):
        raise TypeError(f"n_jobs must be a whole number or None, got {n_jobs!r}")
    if n_jobs == 0:
        raise ValueError("n_jobs must not be 0, got 0: use None or -1 for all cores")
    if n_jobs > 0:
        return min(int(n_jobs), MAX_THREADS)
    return max(_available() + 1 + int(n_jobs), 1)


def _available() -> int:
    limits = (_n_affine(), _cgroup_quota(_CGROUP), _omp_num_threads())
    return min(limit for limit in (*limits, MAX_THREADS) if limit is not None)


def _n_affine() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(len(os.sched_getaffinity(0)), 1)
    return os.cpu_count() or 1


def _omp_num_threads() -> int | None:
    """Read the first number of ``OMP_NUM_THREADS``, a list by nesting level; None if unusable."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() and int(first) > 0 else None


def _cgroup_quota(root: Path) -> int | None:
    """CPUs granted by control groups (version 2, else 1), rounded up; None without a quota."""
    try:
        quota, period = (root / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (root / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return None
    try:
        cpus = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):  # "max": no quota
        return None
    return max(math.ceil(cpus), 1) if cpus > 0 else None
