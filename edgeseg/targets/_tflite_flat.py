"""A TFLite flatbuffer as an object: what its operations are called, and whose layers they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.targets._keras import Network


def operations(flat: Any) -> list[str]:
    """Return the names of a graph's operations in order."""
    from tensorflow.lite.tools import flatbuffer_utils

    names = [str(flatbuffer_utils.opcode_to_name(flat, code)) for code in range(len(flat.operatorCodes))]
    return [names[operator.opcodeIndex] for operator in flat.subgraphs[0].operators]


def layer_names(flat: Any, form: Network) -> dict[int, str]:
    """Name the layer that gives each tensor which an operation of the graph makes, by the tensor's place.

    Raises:
        ArtifactError: when the converter named a tensor in a way that does not say.
    """
    graph = flat.subgraphs[0]
    found = {}
    for place in (place for operator in graph.operators for place in operator.outputs):
        name = graph.tensors[place].name.decode()
        layer = form.output.name if place == graph.outputs[0] else form.step_of(name)
        if layer is None:
            raise ArtifactError(
                f"the TFLite converter gave tensor '{name}' a name that tells no layer; use its version "
                "in requirements.lock"
            )
        found[int(place)] = layer
    return found


def add_buffer(flat: Any, data: bytes) -> int:
    from tensorflow.lite.python import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(data, np.uint8)
    flat.buffers.append(buffer)
    return len(flat.buffers) - 1
