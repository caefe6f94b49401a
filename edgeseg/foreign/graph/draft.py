"""An ONNX graph that is being given other ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, one_line
from edgeseg.foreign.onnx_file import OnnxGraph
from edgeseg.quiet import quiet

_OLDEST, _OPSET = 13, 17
"""The first opset with a scale for each output channel, and the one that older graphs are lifted to."""
_MOVES = ("Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """What is asked of an image or an output here: its shape with channels last, `(None, H, W, C)`."""

    shape: tuple[int | None, ...]


class Draft:
    """A copy of a simplified graph, with what is needed to add to it.

    Attributes:
        proto: the model.
        path: of the file, for messages.
        constants: stored values by name.
        shapes: of all other values by name.
        image: the name of the input.
        channels_last: whether the input is `(1, H, W, C)`.
        bytes_in: whether it is one of bytes.
        outputs: the names of the outputs.
    """

    def __init__(self, graph: OnnxGraph, path: Path) -> None:
        """Copy a graph, lifted to an opset whose operations can be quantized.

        Raises:
            ArtifactError: when it cannot be lifted.
        """
        self.path = path
        self.proto = _lifted(graph.proto, path)
        self.image, self.channels_last, self.bytes_in = graph.image, graph.channels_last, graph.bytes_in
        self.outputs = graph.outputs
        self.constants = dict(graph.constants)
        self.shapes = dict(graph.shapes)
        self.kinds: dict[str, int] = {}
        self._infer()
        self._names = {name for node in self.proto.graph.node for name in (node.name, *node.output)}

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        shape = self.shapes[self.image]
        return (shape[1], shape[2]) if self.channels_last else (shape[2], shape[3])

    @property
    def channels(self) -> int:
        """Channels of the image."""
        return self.shapes[self.image][3 if self.channels_last else 1]

    def shown(self, name: str) -> Shaped:
        """Return the shape of an output with its channels last where it is a map."""
        shape = self.shapes[name]
        if len(shape) == 4 and not self.channels_last:
            shape = (shape[0], *shape[2:], shape[1])
        return Shaped(shape=(None, *shape[1:]))

    def maker(self, name: str) -> Any:
        """Return the node that gives a value; None for the image and for stored values."""
        return next((node for node in self.proto.graph.node if name in node.output), None)

    def readers(self, name: str) -> list[Any]:
        """Return the nodes that take a value."""
        return [node for node in self.proto.graph.node if name in node.input]

    def store(self, values: NDArray[Any], hint: str) -> str:
        """Store an array under a name like `hint`."""
        from onnx import numpy_helper

        name = self._new(hint)
        self.proto.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        self.constants[name] = values
        return name

    def add(self, kind: str, inputs: Sequence[str], shape: Sequence[int], hint: str, **attributes: Any) -> str:
        """Add a node of one float result, which is `shape`, and return that result's name."""
        from onnx import TensorProto, helper

        name = self._new(hint)
        self.proto.graph.node.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        self.shapes[name], self.kinds[name] = tuple(shape), TensorProto.FLOAT
        return name

    def transposed(self, name: str, order: tuple[int, ...], hint: str) -> str:
        """Add a transposition."""
        shape = [self.shapes[name][axis] for axis in order]
        return self.add("Transpose", [name], shape, hint, perm=list(order))

    def reshaped(self, name: str, shape: tuple[int, ...], hint: str) -> str:
        """Add a reshape."""
        stored = self.store(np.array(shape, np.int64), f"{hint}_shape")
        return self.add("Reshape", [name, stored], shape, hint)

    def moves_before(self, name: str) -> tuple[str, list[Any]]:
        """Go back over nodes that only lay a value out otherwise; returns what they begin with, and them in order."""
        moves: list[Any] = []
        while (node := self.maker(name)) is not None and node.op_type in _MOVES:
            moves.insert(0, node)
            name = node.input[0]
        return name, moves

    def moved(self, values: NDArray[Any], move: Any) -> NDArray[Any]:
        """Do with an array what such a node does."""
        if move.op_type == "Transpose":
            order = self.attributes(move).get("perm", list(range(values.ndim))[::-1])
            return values.transpose(order)
        return values.reshape(self.shapes[move.output[0]])

    def replayed(self, name: str, moves: Sequence[Any], hint: str) -> str:
        """Lay another value of the same shape out as `moves` do."""
        for move in moves:
            inputs = [name, *move.input[1:]]
            name = self.add(move.op_type, inputs, self.shapes[move.output[0]], hint, **self.attributes(move))
        return name

    def unmoved(self, name: str) -> str:
        """Go back over moves that, taken together, leave each value where it was."""
        target = self.shapes[name]
        found, here, moves = name, name, list[Any]()
        while (node := self.maker(here)) is not None and node.op_type in _MOVES:
            moves.insert(0, node)
            here = node.input[0]
            if self.shapes.get(here) != target:
                continue
            start = np.arange(int(np.prod(target))).reshape(target)
            values = start
            for move in moves:
                values = self.moved(values, move)
            if np.array_equal(values, start):
                found = here
        return found

    @staticmethod
    def attributes(node: Any) -> dict[str, Any]:
        """Return a node's attributes as Python values."""
        from onnx import helper

        return {a.name: helper.get_attribute_value(a) for a in node.attribute}

    def _new(self, hint: str) -> str:
        number, name = 1, hint
        while name in self._names or name in self.constants or name in self.shapes:
            number += 1
            name = f"{hint}_{number}"
        self._names.add(name)
        return name

    def _infer(self) -> None:
        import onnx
        from onnx import numpy_helper

        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.proto.graph.initializer}
        inferred = onnx.shape_inference.infer_shapes(self.proto, strict_mode=True, data_prop=True).graph
        for value in (*inferred.input, *inferred.value_info, *inferred.output):
            kind = value.type.tensor_type
            self.kinds[value.name] = kind.elem_type
            self.shapes[value.name] = tuple(dim.dim_value for dim in kind.shape.dim)


def _lifted(proto: Any, path: Path) -> Any:
    import onnx
    from onnx import version_converter

    made = type(proto).FromString(proto.SerializeToString())
    used = {node.domain for node in made.graph.node}
    kept = [entry for entry in made.opset_import if entry.domain in ("", "ai.onnx") or entry.domain in used]
    kept = [type(entry).FromString(entry.SerializeToString()) for entry in kept]
    del made.opset_import[:]
    made.opset_import.extend(kept)
    for node in made.graph.node:
        while node.output and not node.output[-1]:
            del node.output[-1]
    if any(entry.version < _OLDEST for entry in kept if entry.domain in ("", "ai.onnx")):
        try:
            with quiet():
                made = version_converter.convert_version(made, _OPSET)
        except Exception as error:
            raise ArtifactError(
                f"{path}: its operations are of an old version that onnx {onnx.__version__} cannot bring to opset "
                f"{_OPSET} ({one_line(error)}); export it again with opset {_OPSET}"
            ) from error
    return made
