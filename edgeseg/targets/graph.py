"""A network that is an ONNX graph alone, in the form that the targets for ONNX Runtime are made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.results import Census
from edgeseg.runtime.onnx_session import BARE, open_onnx
from edgeseg.targets.macs import total_macs

_KERNELS = ("Conv", "ConvTranspose")
_FUSED = ("Relu", "Clip")

Ends = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GraphNetwork:
    """A network that no Keras network was made of.

    Attributes:
        proto: ONNX model of `(1, C, H, W) float32` -> `(1, K, H, W) float32` logits, K as in its contract; its ends are
            named as every artifact's, every size is known. It is read, never changed.
        layers: the name of the node that gives each float value, by the value's name.
        why: why it is no Keras network; names the operation.
    """

    proto: Any
    layers: Mapping[str, str]
    why: str

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """`(None, H, W, C)`, as a Keras network has it."""
        return _channels_last(self.proto.graph.input[0])

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """`(None, H, W, K)`, likewise."""
        return _channels_last(self.proto.graph.output[0])

    def copy(self) -> Any:
        """Return the graph for a conversion to change."""
        return type(self.proto).FromString(self.proto.SerializeToString())

    def kernels(self) -> dict[str, int]:
        """Return how many numbers the kernel of each convolution holds, by its layer, in the order they run in."""
        sizes = {tensor.name: math.prod(tensor.dims) for tensor in self.proto.graph.initializer}
        return {
            self.layers[node.output[0]]: sizes[node.input[1]]
            for node in self.proto.graph.node
            if node.op_type in _KERNELS and node.input[1] in sizes
        }

    def census(self) -> Census:
        """Count its stored float values, and multiply-accumulates as those of a file are counted."""
        from onnx import TensorProto

        from edgeseg.targets._onnx import shapes

        graph = self.proto.graph
        parameters = sum(math.prod(t.dims) for t in graph.initializer if t.data_type == TensorProto.FLOAT)
        known = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer} | shapes(self.proto)
        macs = total_macs(graph.node, known) or 0
        return Census(parameters=parameters, trainable_parameters=parameters, macs=macs)


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphLayer:
    """A node; `name` is unique."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStep:
    """What one node gives; `name` is that of its layer, since every node runs once."""

    name: str
    layer: GraphLayer
    result: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GraphForm:
    """What `edgeseg.targets._keras.Network` is of a Keras network."""

    network: GraphNetwork
    steps: tuple[GraphStep, ...]
    output: GraphStep
    plain: bool = False

    def owners(self) -> dict[str, str]:
        """Name, for each value that is fused into a convolution, the layer that holds its kernel."""
        kernels, layers = self.network.kernels(), self.network.layers
        found = {name: name for name in kernels}
        for node in self.network.proto.graph.node:
            if node.op_type in _FUSED and (maker := layers.get(node.input[0], "")) in found:
                found[layers[node.output[0]]] = found[maker]
        return found

    def values(self) -> Callable[[NDArray[np.float32]], list[NDArray[np.float32]]]:
        """Return what runs `(1, H, W, C) float32` and gives the values of each step, in their order."""
        import onnx

        proto = self.network.copy()
        del proto.graph.output[:]
        names = [step.result for step in self.steps]
        proto.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names
        )
        given = proto.graph.input[0].name
        session = open_onnx(proto.SerializeToString(), mode=BARE, threads=1)

        def run(image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
            return list(session.run(names, {given: np.ascontiguousarray(image.transpose(0, 3, 1, 2))}))

        return run

    def ends(self) -> Callable[[NDArray[np.float32]], Ends]:
        """Return what runs `(1, H, W, C) float32` and gives the smallest and the largest value of each step."""
        values = self.values()

        def run(image: NDArray[np.float32]) -> Ends:
            found = values(image)
            low, high = (np.array([end(value) for value in found], np.float32) for end in (np.min, np.max))
            return low, high

        return run


def refusal(target: str, why: str) -> str:
    """Say that a target cannot be made of an ONNX graph: `why` it is no Keras network."""
    return f"{target} is made from a Keras network, and {why}; take an onnx-* or ort-* target"


def form_of(network: GraphNetwork) -> GraphForm:
    """Take a network apart into what its nodes give."""
    steps = tuple(
        GraphStep(name=network.layers[value], layer=GraphLayer(name=network.layers[value]), result=value)
        for node in network.proto.graph.node
        for value in node.output
        if value in network.layers
    )
    output = next(step for step in steps if step.result == network.proto.graph.output[0].name)
    return GraphForm(network=network, steps=steps, output=output)


def _channels_last(value: Any) -> tuple[int | None, ...]:
    _, channels, height, width = (dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return None, height, width, channels
