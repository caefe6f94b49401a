"""An ONNX graph as a Keras network: NHWC, one layer an operation, named as the nodes are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from edgeseg.errors import ArtifactError, EdgeSegError, OperationError, one_line
from edgeseg.foreign.onnx_file import OnnxGraph
from edgeseg.foreign.onnx_keras import shape
from edgeseg.foreign.onnx_keras.patterns import Match, Patterns
from edgeseg.foreign.onnx_keras.table import OPERATIONS
from edgeseg.foreign.onnx_keras.values import Operation, Value, channels_last, fitting_name
from edgeseg.quiet import quiet


def keras_network(graph: OnnxGraph) -> Any:
    """Write a graph as a functional Keras 3 model, on the TensorFlow backend.

    The model takes `(N, H, W, C) float32` whatever the layout of the file; an output of four axes is `(N, H, W, K)`.
    Its values are those of the file but for the rounding of sums in another order.

    Raises:
        OperationError: naming the operations that it cannot write.
        ArtifactError: when an output does not depend on the image.
    """
    known = {*OPERATIONS, "Split"}
    unknown = Counter(node.op_type for node in graph.proto.graph.node if node.op_type not in known)
    if unknown:
        listed = ", ".join(f"{name} ({count})" for name, count in sorted(unknown.items()))
        raise OperationError(f"edgeseg has no Keras layer for {listed}")
    with quiet():
        return _Writer(graph).model()


class _Writer:
    """Goes through the nodes in their order and keeps every value that is still needed."""

    def __init__(self, graph: OnnxGraph) -> None:
        self._graph = graph
        self._nodes = list(graph.proto.graph.node)
        versions = [entry.version for entry in graph.proto.opset_import if entry.domain in ("", "ai.onnx")]
        self._version = int(versions[0]) if versions else 17
        self._values: dict[str, Value] = {name: Value(x=x, shape=x.shape) for name, x in graph.constants.items()}
        self._taken: set[str] = {"image"}
        self._matches = Patterns(graph).matches

    def model(self) -> Any:
        import keras

        graph = self._graph
        shown = graph.shapes[graph.image]
        height, width, channels = shown[1:] if graph.channels_last else (*shown[2:], shown[1])
        image = keras.Input((height, width, channels), name="image")
        self._values[graph.image] = Value(x=image, shape=shown, last=not graph.channels_last)
        needed = self._needed()
        for place, node in enumerate(self._nodes):
            if place in needed:
                self._write(node)
        outputs = [self._output(name) for name in graph.outputs]
        return keras.Model(image, outputs if len(outputs) > 1 else outputs[0])

    def _needed(self) -> set[int]:
        """The places of the nodes that the outputs depend on, but for those that a pattern stands for."""
        makers = {name: place for place, node in enumerate(self._nodes) for name in node.output}
        stack = list(self._graph.outputs)
        found: set[int] = set()
        while stack:
            name = stack.pop()
            place = makers.get(name)
            if place is None or place in found:
                continue
            found.add(place)
            match = self._matches.get(name)
            stack.extend(self._nodes[place].input if match is None else match.sources)
        return found

    def _write(self, node: Any) -> None:
        match = self._matches.get(node.output[0])
        operation = self._operation(node) if match is None else self._matched(node, match)
        try:
            if operation.kind == "Split":
                shapes = tuple(self._graph.shapes[name] for name in node.output)
                results = shape.split(operation, shapes)
            else:
                results = (OPERATIONS[operation.kind](operation),)
        except EdgeSegError:
            raise
        except Exception as error:
            raise operation.refused(f"does not fit ({type(error).__name__}: {one_line(error)})") from error
        self._values.update(zip(node.output, results, strict=False))

    def _operation(self, node: Any) -> Operation:
        from onnx import helper

        given = {a.name: _plain(helper.get_attribute_value(a)) for a in node.attribute}
        return Operation(
            kind=node.op_type,
            name=fitting_name(node.name or node.output[0], node.op_type, self._taken),
            given=given,
            inputs=tuple(self._values[name] if name else None for name in node.input),
            shape=self._graph.shapes[node.output[0]],
            version=self._version,
        )

    def _matched(self, node: Any, match: Match) -> Operation:
        stored = tuple(Value(x=array, shape=array.shape) for array in match.stored)
        return Operation(
            kind=match.kind,
            name=fitting_name(node.name or node.output[0], match.kind, self._taken),
            given=match.given,
            inputs=(*(self._values[name] for name in match.sources), *stored),
            shape=self._graph.shapes[node.output[0]],
            version=self._version,
        )

    def _output(self, name: str) -> Any:
        value = self._values[name]
        if value.constant:
            raise ArtifactError(f"the output '{name}' does not depend on the image; the file is no network")
        if len(value.shape) == 4 and not self._graph.channels_last:
            return channels_last(value, name)
        return value.x


def _plain(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value
