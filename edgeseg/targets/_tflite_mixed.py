"""Layers of an int8 TFLite graph that are computed in float all the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.targets._keras import Network
from edgeseg.targets._tflite_flat import add_buffer, layer_names, operations

BETWEEN = ("QUANTIZE", "DEQUANTIZE")
_DATA, _KERNEL, _BIAS = "data", "kernel", "bias"
_INPUTS = {
    "CONV_2D": (_DATA, _KERNEL, _BIAS),
    "DEPTHWISE_CONV_2D": (_DATA, _KERNEL, _BIAS),
    "TRANSPOSE_CONV": (None, _KERNEL, _DATA, _BIAS),
}
_VERSIONS = {"QUANTIZE": 2, "DEQUANTIZE": 3}


def keep_float(flat: Any, source: Any, form: Network, layers: tuple[str, ...]) -> None:
    """Give convolutions of an int8 graph their float arithmetic back.

    Each takes the float values of its int8 input and its result becomes int8 again, unless the next layer stays in
    float too. Kernels are stored as float16, biases as float32. The converter's own way, a list of operations that it
    leaves alone, passes over transposed convolutions.

    Args:
        flat: the int8 graph; it is changed.
        source: the float graph that it was made from, operation by operation.
        form: the network.
        layers: names of the layers with the kernels; none changes nothing.

    Raises:
        ArtifactError: when the two graphs do not have the same operations.
    """
    if not layers:
        return
    names, before = operations(flat), operations(source)
    if names != before:
        raise ArtifactError("the TFLite converter changed the operations; use its version in requirements.lock")
    owners, found = form.owners(), layer_names(source, form)
    graph = _Graph(flat)
    for place, name in enumerate(names):
        operator, original = graph.given[place], source.subgraphs[0].operators[place]
        layer = owners.get(found[int(original.outputs[0])])
        if name in _INPUTS and layer in layers:
            graph.add_float(operator, original, source, _INPUTS[name])
        else:
            graph.add(operator)
    graph.finish()


class _Graph:
    """The graph while its operations are written anew, in order."""

    def __init__(self, flat: Any) -> None:
        self.flat, self.graph = flat, flat.subgraphs[0]
        self.given: list[Any] = list(self.graph.operators)
        self.made: list[Any] = []
        self.real: dict[int, int] = {}
        """The float tensor that stands for an int8 one, by place."""
        self.constants: dict[int, int] = {}
        """Kernels and biases by their place in the float graph: one that several operations read is stored once."""
        self.waiting: dict[int, int] = {}
        """int8 tensors that nothing has written yet, with the float tensors to make them from."""

    def add(self, operator: Any) -> None:
        """Keep an operation in int8, with what it reads written first."""
        for place in operator.inputs:
            self._write(int(place))
        self.made.append(operator)

    def add_float(self, operator: Any, original: Any, source: Any, roles: tuple[str | None, ...]) -> None:
        """Compute an operation in float, on the kernel and bias of the float graph."""
        tensors = source.subgraphs[0].tensors
        inputs = [int(place) for place in operator.inputs]
        for position, role in enumerate(roles[: len(inputs)]):
            if role == _DATA:
                inputs[position] = self._real_of(inputs[position])
            elif role is not None:
                place = int(original.inputs[position])
                if place not in self.constants:
                    values = tensors[place]
                    array = np.frombuffer(bytes(source.buffers[values.buffer].data), np.float32).reshape(values.shape)
                    self.constants[place] = self._constant(array, half=role == _KERNEL)
                inputs[position] = self.constants[place]
        result = int(operator.outputs[0])
        operator.inputs, operator.outputs = inputs, [self._tensor(self.graph.tensors[result].shape, "FLOAT32")]
        self.real[result] = self.waiting[result] = operator.outputs[0]
        self.made.append(operator)

    def finish(self) -> None:
        """Put the operations into the graph, and drop what is no longer read."""
        for place in self.graph.outputs:
            self._write(int(place))
        self.graph.operators = self.made
        _drop_unused(self.flat)

    def _write(self, place: int) -> None:
        if (real := self.waiting.pop(place, None)) is not None:
            self._between("QUANTIZE", real, place)

    def _real_of(self, place: int) -> int:
        if place not in self.real:
            self.real[place] = self._tensor(self.graph.tensors[place].shape, "FLOAT32")
            self._between("DEQUANTIZE", place, self.real[place])
        return self.real[place]

    def _constant(self, array: Any, *, half: bool) -> int:
        if not half:
            return self._tensor(array.shape, "FLOAT32", array.tobytes())
        stored = self._tensor(array.shape, "FLOAT16", array.astype(np.float16).tobytes())
        read = self._tensor(array.shape, "FLOAT32")
        self._between("DEQUANTIZE", stored, read)
        return read

    def _tensor(self, shape: Any, kind: str, content: bytes = b"") -> int:
        from tensorflow.lite.python import schema_py_generated as schema

        tensor = schema.TensorT()
        tensor.shape, tensor.type, tensor.name = list(shape), getattr(schema.TensorType, kind), b""
        tensor.buffer = add_buffer(self.flat, content) if content else 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def _between(self, name: str, given: int, result: int) -> None:
        from tensorflow.lite.python import schema_py_generated as schema

        operator = schema.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = self._code(name), [given], [result]
        self.made.append(operator)

    def _code(self, name: str) -> int:
        from tensorflow.lite.python import schema_py_generated as schema

        number = getattr(schema.BuiltinOperator, name)
        for index, code in enumerate(self.flat.operatorCodes):
            if code.builtinCode == number:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = _VERSIONS[name]
        self.flat.operatorCodes.append(code)
        return len(self.flat.operatorCodes) - 1


def _drop_unused(flat: Any) -> None:
    """Drop tensors that no operation reads or writes, and empty the buffers that no tensor or metadata holds."""
    graph = flat.subgraphs[0]
    used = {int(p) for op in graph.operators for p in (*op.inputs, *op.outputs)} | {*graph.inputs, *graph.outputs}
    kept = sorted(place for place in used if place >= 0)
    moved = {-1: -1} | {place: index for index, place in enumerate(kept)}
    graph.tensors = [graph.tensors[place] for place in kept]
    for operator in graph.operators:
        operator.inputs = [moved[int(place)] for place in operator.inputs]
        operator.outputs = [moved[int(place)] for place in operator.outputs]
    for ends in (graph.inputs, graph.outputs):
        ends[:] = [moved[int(place)] for place in ends]
    for signature in flat.signatureDefs or []:
        for entry in (*signature.inputs, *signature.outputs):
            entry.tensorIndex = moved[int(entry.tensorIndex)]
    held = {tensor.buffer for tensor in graph.tensors} | {entry.buffer for entry in flat.metadata or []}
    for index, buffer in enumerate(flat.buffers):
        if index not in held:
            buffer.data = None
