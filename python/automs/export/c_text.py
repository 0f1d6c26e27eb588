"""Numbers, texts and names -> the C source of them: literals, arrays, comments, identifiers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["array", "check_identifier", "comment_text", "double", "text_literal"]

_KEYWORDS = frozenset(
    """
    alignas alignof and asm auto bitand bitor bool break case catch char class compl concept const
    constexpr continue decltype default delete do double else enum explicit export extern false
    float for friend goto if inline int long main mutable namespace new noexcept not nullptr
    operator or private protected public register requires restrict return short signed sizeof
    static struct switch template this throw true try typedef typeid typename union unsigned using
    virtual void volatile wchar_t while xor
    """.split()  # noqa: SIM905
)
_LINE_CHARACTERS = 96
_LONGEST_LITERAL = 4095  # bytes of a string literal that C99 makes every compiler take


def check_identifier(name: Any) -> str:
    """Give a name that C and C++ take for a function, or raise ValueError.

    Examples
    --------
    >>> check_identifier("price_of_house")
    'price_of_house'
    """
    is_plain = isinstance(name, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,99}", name)
    if not is_plain or name in _KEYWORDS:
        raise ValueError(
            "name must be a C identifier: a letter, then at most 99 letters, digits and "
            f"underscores, and no keyword, got {name!r}"
        )
    return str(name)


def double(value: float) -> str:
    """Give the literal of a finite double, exactly."""
    return repr(float(value))


def array(kind: str, name: str, values: npt.NDArray[Any] | Sequence[Any]) -> str:
    """Give the definition of a constant array; an element of `kind` float, double, unsigned ..."""
    numbers = np.asarray(values).ravel()
    if kind == "float":
        literals: Iterable[str] = (_single(value) for value in numbers.astype(np.float32))
    elif kind == "double":
        literals = (double(value) for value in numbers)
    elif kind == "unsigned long":
        literals = (f"{value}UL" for value in numbers.tolist())
    else:
        literals = (str(value) for value in numbers.tolist())
    return f"static const {kind} {name}[{len(numbers)}] = {{\n{_wrapped(literals)}\n}};\n"


def text_literal(text: str) -> str | None:
    """Give the literal of a text in UTF-8; None where it holds a zero or is too long for C."""
    data = text.encode("utf-8")
    if 0 in data or len(data) > _LONGEST_LITERAL:
        return None
    # Octal escapes end after three digits, whatever follows; a "?" could begin a trigraph.
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in data) + '"'


def comment_text(text: str) -> str:
    r"""Give a text in quotes, in ASCII and on one line, such as may stand in a comment.

    Examples
    --------
    >>> print(comment_text("caf\xe9 */"))
    "caf\u00e9 \u002a/"
    """
    quoted = json.dumps(text)
    return quoted.replace("*", "\\u002a").replace("?", "\\u003f")


def _single(value: np.float32) -> str:
    literal = np.format_float_scientific(value, unique=True, trim="0")
    return f"{literal}f"


def _wrapped(literals: Iterable[str]) -> str:
    lines, line = [], "   "
    for literal in literals:
        if len(line) + len(literal) + 2 > _LINE_CHARACTERS:
            lines.append(line)
            line = "   "
        line += f" {literal},"
    return "\n".join([*lines, line]).rstrip(",")
