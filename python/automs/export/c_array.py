"""The bytes of a model file and a name -> a C header that holds them as a constant array."""

from __future__ import annotations

from automs.export.c_text import check_identifier

__all__ = ["array_header"]

_BYTES_PER_LINE = 20


def array_header(data: bytes, name: str = "automs_model") -> str:
    """Write a header with ``name`` (unsigned char[]) and ``name_size`` (unsigned long).

    Parameters
    ----------
    data : bytes
        The content of a model file.
    name : str, default="automs_model"

    Returns
    -------
    str
        ASCII text for C99 and C++.

    Raises
    ------
    ValueError
        When `name` is no C identifier.

    Examples
    --------
    >>> print(array_header(b"ab", "two").partition("*/")[2].strip())
    #ifndef TWO_INCLUDED
    #define TWO_INCLUDED
    <BLANKLINE>
    static const unsigned long two_size = 2UL;
    static const unsigned char two[2] = {
      97, 98
    };
    <BLANKLINE>
    #endif
    """
    check_identifier(name)
    lines = [
        "  " + ", ".join(map(str, data[at : at + _BYTES_PER_LINE]))
        for at in range(0, len(data), _BYTES_PER_LINE)
    ]
    body = ",\n".join(lines)
    guard = f"{name.upper()}_INCLUDED"
    return (
        "/*\n"
        " * A trained model: the bytes of its file, written by automs. To load it in C++:\n"
        " *\n"
        " *   automs::Predictor predictor;\n"
        f" *   automs::Predictor::load({name}, {name}_size, predictor);\n"
        " */\n"
        f"#ifndef {guard}\n#define {guard}\n\n"
        f"static const unsigned long {name}_size = {len(data)}UL;\n"
        f"static const unsigned char {name}[{len(data)}] = {{\n{body}\n}};\n\n#endif\n"
    )
