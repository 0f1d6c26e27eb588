"""Operators one after the other -> the nodes and constants of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Nodes", "require_onnx"]


def require_onnx() -> Any:
    """Import `onnx`, or raise ImportError that names the extra."""
    try:
        import onnx  # noqa: PLC0415
        from onnx import helper, numpy_helper  # noqa: F401, PLC0415
    except ImportError:
        raise ImportError(
            "export_onnx needs the package onnx: install the extra with pip install '.[onnx]'"
        ) from None
    return onnx


class Nodes:
    """The nodes of a graph in the order in which they were added, and their constants.

    Values are named by the text that `add` gives; an array among the inputs becomes a constant.
    """

    def __init__(self, onnx: Any) -> None:
        self._onnx = onnx
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str | npt.ArrayLike, **attributes: Any) -> str:
        """Append a node of one output and give that output's name; a float is a double."""
        name = f"v{len(self.nodes)}"
        names = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        node = self._onnx.helper.make_node(operator, names, [name], **attributes)
        self.nodes.append(node)
        return name

    def rename(self, value: str, name: str) -> None:
        """Give a value a name that a user sees."""
        self.nodes.append(self._onnx.helper.make_node("Identity", [value], [name]))

    def cast(self, value: str, dtype: type[np.generic]) -> str:
        """Convert a value to float32, float64 or int64."""
        code = self._onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", value, to=code)

    def _constant(self, value: npt.ArrayLike) -> str:
        name = f"c{len(self.constants)}"
        array = np.asarray(value)
        self.constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name
