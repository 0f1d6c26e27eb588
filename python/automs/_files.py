"""A path and bytes -> a file that was written as a whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file; one that was there is replaced at once or not at all.

    Examples
    --------
    >>> write_whole("two.bytes", b"ab")
    >>> Path("two.bytes").read_bytes()
    b'ab'
    """
    target = Path(path).resolve()
    temporary = target.with_name(f".automs-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
