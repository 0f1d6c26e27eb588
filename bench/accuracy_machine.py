"""This process's surroundings -> versions, CPU and commit, kept beside a file of results."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = {
    "automs": "automs-native",
    "NumPy": "numpy",
    "scikit-learn": "scikit-learn",
    "pandas": "pandas",
    "LightGBM": "lightgbm",
    "FLAML": "flaml",
    "pytabkit": "pytabkit",
}
COMPILER = re.compile(rb"GCC: \([^)\0]*\) [\d.]+|clang version [\d.]+")


def describe() -> dict[str, str]:
    """Only what can be found out; libraries that are not installed are left out."""
    versions = {name: _package(package) for name, package in PACKAGES.items()}
    facts = versions | {
        "Python": platform.python_version(),
        "CPU": _cpu(),
        "cores": str(len(os.sched_getaffinity(0))),
        "compiler": _compiler(),
        "commit": _commit(),
    }
    return {name: fact for name, fact in facts.items() if fact}


def facts_path(results: Path) -> Path:
    return results.with_suffix(".machine.json")


def record(results: Path) -> None:
    """Add today's surroundings, unless the last part of the run had the same."""
    known = recorded(results)
    facts = describe()
    if not known or known[-1] != facts:
        facts_path(results).write_text(json.dumps([*known, facts], indent=1) + "\n")


def recorded(results: Path) -> list[dict[str, str]]:
    """One entry for each surroundings that parts of the file came from; none for an old file."""
    path = facts_path(results)
    return json.loads(path.read_text()) if path.exists() else []


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _cpu() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _compiler() -> str:
    """What the engine was built with, as compilers write it into their output."""
    spec = importlib.util.find_spec("automs")
    folders = spec.submodule_search_locations if spec else ()
    for library in sorted(file for folder in folders or () for file in Path(folder).glob("_core*")):
        if library.suffix == ".so" and (found := COMPILER.search(library.read_bytes())):
            return found.group().decode()
    return ""


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        answer = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()
