"""Command-line arguments -> a saved model as C99, as a C array or as ONNX: ``automs export``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_export"]


def add_export(commands: Any) -> None:
    """Add the command to the subparsers of the command line."""
    export = commands.add_parser("export", help="turn a saved model into C99, a C array or ONNX")
    export.add_argument("model", type=Path)
    export.add_argument("--format", choices=("c", "array", "onnx"), required=True,
                        help="c: one C99 file with a function; array: a C header with the model "
                        "file's bytes; onnx: needs the extra onnx")  # fmt: skip
    export.add_argument("--out", type=Path, metavar="FILE", required=True)
    export.add_argument("--name", default="automs_model", help="of the C function or array")
    export.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    from automs.predictor import load_predictor  # noqa: PLC0415

    predictor = load_predictor(arguments.model)
    if arguments.format == "c":
        predictor.export_c(arguments.out, arguments.name)
    elif arguments.format == "array":
        predictor.export_array(arguments.out, arguments.name)
    else:
        try:
            predictor.export_onnx(arguments.out)
        except ImportError as error:  # of the extra: bad input, not a crash
            raise ValueError(error) from None
    return 0
