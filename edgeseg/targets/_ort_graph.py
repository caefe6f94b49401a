"""The graph inside an ORT file: its nodes, the shapes of its values, and its constants.

ONNX Runtime gives no way to ask a session for them, and `onnx` does not read the format; the numbers of the fields are
those of its schema, `onnxruntime/core/flatbuffers/schema/ort.fbs`, where fields are only ever added at the end.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import ArtifactError
from edgeseg.targets._flat import Table

_MODEL, _GRAPH = 1, 7
_INITIALIZERS, _VALUES, _NODES = 0, 1, 2
_DIMS, _DTYPE, _RAW = 2, 3, 4
_VALUE = 1
"""What a `DimensionValue` says of itself when it is fixed."""
_DTYPES = {
    1: ("float32", 4), 2: ("uint8", 1), 3: ("int8", 1), 4: ("uint16", 2), 5: ("int16", 2), 6: ("int32", 4),
    7: ("int64", 8), 9: ("bool", 1), 10: ("float16", 2), 11: ("double", 8), 12: ("uint32", 4), 13: ("uint64", 8),
    16: ("bfloat16", 2),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OrtNode:
    """One operation, under the names that ONNX uses; `activation` is what is fused into it, or empty."""

    domain: str
    op_type: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    activation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrtConstant:
    """One stored tensor."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrtGraph:
    """The main graph: `shapes` holds what is fixed, constants included."""

    nodes: tuple[OrtNode, ...]
    constants: tuple[OrtConstant, ...]
    shapes: dict[str, tuple[int, ...]]


def read_graph(path: Path) -> OrtGraph:
    """Read the graph of an ORT file.

    Raises:
        ArtifactError: when it is damaged or laid out in another way.
    """
    data = path.read_bytes()
    try:
        if data[4:8] != b"ORTM":
            raise ValueError("no ORT file")
        model = Table.root(data).child(_MODEL)
        graph = None if model is None else model.child(_GRAPH)
        if graph is None:
            raise ValueError("no graph")
        constants = tuple(_constant(table) for table in graph.tables(_INITIALIZERS))
        shapes = {constant.name: constant.shape for constant in constants}
        for table in graph.tables(_VALUES):
            shape = _shape(table)
            if shape is not None:
                shapes.setdefault(table.text(), shape)
        nodes = tuple(_node(table) for table in graph.tables(_NODES))
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise ArtifactError(
            f"{path}: the graph cannot be read from the ORT file; copy it again or build it again"
        ) from error
    return OrtGraph(nodes=nodes, constants=constants, shapes=shapes)


def _constant(table: Table) -> OrtConstant:
    dtype, width = _DTYPES[table.scalar(_DTYPE, 4)]
    shape = table.longs(_DIMS)
    size = math.prod(shape) * width
    if table.length(_RAW) not in (0, size):  # 0: kept in another file
        raise ValueError("a constant is not of its size")
    return OrtConstant(name=table.text(), dtype=dtype, shape=shape, size_bytes=size)


def _node(table: Table) -> OrtNode:
    given, made = (tuple(table.texts(slot)) for slot in (8, 9))
    fused = next((told.text(5) for told in table.tables(10) if told.text(0) == "activation"), "")
    return OrtNode(domain=table.text(2), op_type=table.text(5), input=given, output=made, activation=fused)


def _shape(table: Table) -> tuple[int, ...] | None:
    """The shape of a value, None where it has none or one that is not fixed."""
    place: Table | None = table
    for slot in (2, 2, 1):  # its type, that of a tensor, the tensor's shape
        place = None if place is None else place.child(slot)
    if place is None:
        return None
    sizes = [dimension.child(0) for dimension in place.tables(0)]
    if any(size is None or size.scalar(0, 1) != _VALUE for size in sizes):
        return None
    return tuple(size.scalar(1, 8) for size in sizes if size is not None)
