"""The metadata text of a model file -> a dict."""

from __future__ import annotations

import json
from typing import Any

from automs.errors import ModelFileError

__all__ = ["parse_metadata"]


def parse_metadata(text: str) -> dict[str, Any]:
    """Give the dict; ModelFileError where the text is no JSON object."""
    try:
        metadata = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"not a valid model file: metadata is no JSON text: {error}") from None
    if not isinstance(metadata, dict):
        raise ModelFileError("not a valid model file: metadata must be a JSON object")
    return metadata
