"""The installed package -> the folder of the predictor's C++ headers."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["get_include"]


def get_include() -> str:
    """Give the folder for a C++ compiler's ``-I``, from which ``automs/predictor.hpp`` is included.

    Returns
    -------
    str
        An absolute path. In an installed package the folder holds ``automs/predictor.hpp`` as a
        single header; in a checkout, the headers that it is made of.

    Raises
    ------
    FileNotFoundError
        If the package was installed without its headers.

    Examples
    --------
    >>> from pathlib import Path
    >>> from automs import get_include
    >>> (Path(get_include()) / "automs" / "predictor.hpp").is_file()
    True
    """
    # An editable install has two folders: that of the checkout and that of the built files.
    packages = [Path(folder).resolve() for folder in sys.modules["automs"].__path__]
    checkout = Path(__file__).resolve().parents[2] / "cpp" / "predictor"
    for folder in [*(package / "include" for package in packages), checkout]:
        if (folder / "automs" / "predictor.hpp").is_file():
            return str(folder)
    raise FileNotFoundError(f"no automs/predictor.hpp below {', '.join(map(str, packages))}")
