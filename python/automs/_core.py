"""The processor's CPU level -> the compiled module of that level, under one name.

The same sources are compiled once per CPU level into separate modules; the best one that this
processor can run is taken. ``AUTOMS_CPU_LEVEL`` (``v2``, ``v3``, ``v4``; ``generic`` on other
processors than x86-64) forces one. Other modules import names from here only, so that nothing,
not even a pickle, ever names a level's module.
"""

from __future__ import annotations

import importlib
import os
from importlib import util

from automs._cpu_level import supported_levels


def _choose_level() -> str:
    """Return the level to load: the forced one, else the best that is built and can run."""
    supported = supported_levels()
    built = [level for level in supported if util.find_spec(f"automs._core_{level}")]
    forced = os.environ.get("AUTOMS_CPU_LEVEL")
    if forced:
        if forced not in built:
            raise ImportError(
                f"AUTOMS_CPU_LEVEL must be one of {', '.join(built)} on this processor, "
                f"got {forced!r}"
            )
        return forced
    if not built:
        raise ImportError(
            f"automs was built without a module for this processor (it can run: "
            f"{', '.join(supported) or 'none of the levels'}); reinstall it from source"
        )
    return built[0]


#: The level in use, for example ``"v3"``.
cpu_level: str = _choose_level()
_module = importlib.import_module(f"automs._core_{cpu_level}")
globals().update(
    {name: value for name, value in vars(_module).items() if not name.startswith("__")}
)
