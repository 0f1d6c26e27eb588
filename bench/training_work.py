"""Hidden layers and a batch size -> rows, the flops that training needs, the machine's peak."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from automs import Candidate

__all__ = ["Peak", "Work", "machine_lines", "make_rows", "needed_flops"]

Values = npt.NDArray[np.float64]
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Work:
    """One network's training, the same for every system: squared loss, ReLU, Adam."""

    hidden: tuple[int, ...]
    batch_size: int
    epochs: int
    learning_rate: float = 5e-3

    def candidate(self, hidden: tuple[int, ...] | None = None, seed: int = 0) -> Candidate:
        return Candidate(
            hidden or self.hidden,
            encoding="standard",
            batch_size=self.batch_size,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            seed=seed,
        )

    def flops(self, X: Values) -> float:
        return needed_flops(self.candidate(), *X.shape)


def needed_flops(candidate: Candidate, n_rows: int, n_features: int) -> float:
    """6 a weight, row and epoch, less the gradient by the table, which nobody needs."""
    shapes = candidate.layer_shapes(n_features, 1)
    weights = sum(a * b for a, b in shapes)
    return (6.0 * weights - 2.0 * shapes[0][0] * shapes[0][1]) * n_rows * candidate.epochs


def make_rows(n_rows: int, n_features: int, seed: int = 0) -> tuple[Values, Values]:
    """Give standardised rows and a target that a small network can learn."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_features))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=n_rows)
    return (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()


class Peak:
    """Measures the GFLOP/s of multiply-adds on registers of a CPU level, whenever it is called."""

    def __init__(self, level: str) -> None:
        compiler = shutil.which("c++") or shutil.which("g++")
        if compiler is None:
            raise FileNotFoundError("a C++ compiler is needed to measure the peak")
        x86 = platform.machine() == "x86_64" and level.startswith("v")
        march = f"-march=x86-64-{level}" if x86 else "-march=native"
        self._folder = tempfile.TemporaryDirectory()
        self._program = str(Path(self._folder.name) / "peak")
        source = str(HERE / "peak.cpp")
        command = [compiler, "-O3", march, "-std=c++17", "-pthread", source, "-o", self._program]
        subprocess.run(command, check=True)

    def __call__(self, n_threads: int) -> float:
        printed = subprocess.run(
            [self._program, str(n_threads)], check=True, capture_output=True, text=True
        )
        return float(printed.stdout)


def machine_lines(level: str) -> list[str]:
    """Give what the figures hold for: processor, cores, compiler, commit, versions."""
    commit = _first_line(["git", "-C", str(HERE), "rev-parse", "--short=12", "HEAD"])
    cpu = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next((s.split(":")[1].strip() for s in lines if s.startswith("model name")), cpu)
    return [
        f"{cpu}, {os.cpu_count()} cores, CPU level {level}",
        f"{_first_line(['c++', '--version'])}; commit {commit}",
        f"Python {platform.python_version()}, NumPy {np.__version__}",
    ]


def _first_line(command: list[str]) -> str:
    try:
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return printed.splitlines()[0] if printed else "unknown"
