"""The installed distribution -> its version, which stands in pyproject.toml alone."""

from __future__ import annotations

from importlib import metadata

__all__ = ["version"]


def version() -> str:
    """Give the version of the installed distribution, for example ``"0.1.0"``."""
    return metadata.version("automs-native")
