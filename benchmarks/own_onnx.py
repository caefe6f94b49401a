"""A prototype: edgeseg's own networks as ONNX without tf2onnx, one node for each of the dozen layer kinds they use.

`benchmarks/converters.py` measures it. It is no part of the package: what stands in the way is in the page.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs import Contract
from edgeseg.targets import _onnx
from edgeseg.targets._keras import INPUT, OUTPUT, Step, keras_tensors, network, shape_of


def emitted(model: Any, contract: Contract) -> Any:
    """Write a Keras network as an ONNX model of `(1, C, H, W) float32` -> `(1, 1, H, W) float32` logits.

    Raises:
        NotImplementedError: naming the layer that it has no node for.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    form = network(model)
    writer = _Writer(form)
    for step in form.steps:
        writer.add(step)
    height, width, channels = shape_of(contract)
    constants = [numpy_helper.from_array(value, name) for name, value in writer.constants.items()]
    given = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, channels, height, width])
    depth = form.output.result.shape[-1]
    result = helper.make_tensor_value_info(
        writer.values[id(form.output.result)], TensorProto.FLOAT, [1, depth, height, width]
    )
    graph = helper.make_graph(writer.nodes, "edgeseg", [given], [result], constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _onnx.OPSET)])
    _onnx.share_equal_constants(proto.graph)
    _onnx.rename(proto)
    onnx.checker.check_model(proto)
    assert proto.graph.output[0].name == OUTPUT
    return proto


class _Writer:
    """Nodes, constants and the name of each Keras tensor so far; a normalisation is folded into what is before it."""

    def __init__(self, form: Any) -> None:
        self.values = {id(form.image): INPUT}
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}
        self._made: dict[str, Any] = {}

    def add(self, step: Step) -> None:
        """Write one call of a layer."""
        kind = type(step.layer).__name__
        write = getattr(self, f"_{kind}", None)
        if write is None or getattr(step.layer, "groups", 1) != 1:
            raise NotImplementedError(f"{kind} '{step.name}'")
        given = [self.values[id(x)] for x in keras_tensors(step.arguments)]
        self.values[id(step.result)] = write(step, *given)

    def _node(self, step: Step, operation: str, inputs: list[str], **options: Any) -> str:
        from onnx import helper

        node = helper.make_node(operation, inputs, [step.name], name=step.name, **options)
        self.nodes.append(node)
        self._made[step.name] = node
        return step.name

    def _stored(self, name: str, value: Any) -> str:
        self.constants[name] = np.ascontiguousarray(value, np.float32)
        return name

    def _convolved(self, step: Step, operation: str, x: str, kernel: NDArray[Any], axis: int, **options: Any) -> str:
        layer = step.layer
        bias = np.asarray(layer.bias) if layer.use_bias else np.zeros(kernel.shape[axis], np.float32)
        options |= {"kernel_shape": list(kernel.shape[2:]), "strides": list(layer.strides)}
        inputs = [x, self._stored(f"{step.name}/w", kernel), self._stored(f"{step.name}/b", bias)]
        return self._node(step, operation, inputs, **options)

    def _pads(self, step: Step, size: tuple[int, int]) -> list[int]:
        """Zeros above, left, below and right, as Keras pads `same`."""
        layer = step.layer
        if layer.padding == "valid":
            return [0, 0, 0, 0]
        rates = getattr(layer, "dilation_rate", (1, 1))
        shape, found = step.arguments[0].shape[1:3], []
        for side, kernel, stride, rate in zip(shape, size, layer.strides, rates, strict=True):
            whole = max((-(-side // stride) - 1) * stride + (kernel - 1) * rate + 1 - side, 0)
            found.append((whole // 2, whole - whole // 2))
        return [found[0][0], found[1][0], found[0][1], found[1][1]]

    def _Conv2D(self, step: Step, x: str) -> str:  # noqa: N802
        kernel = np.asarray(step.layer.kernel).transpose(3, 2, 0, 1)
        rates = list(step.layer.dilation_rate)
        return self._convolved(
            step, "Conv", x, kernel, 0, pads=self._pads(step, step.layer.kernel_size), dilations=rates
        )

    def _DepthwiseConv2D(self, step: Step, x: str) -> str:  # noqa: N802
        high, wide, channels, times = step.layer.kernel.shape
        kernel = np.asarray(step.layer.kernel).transpose(2, 3, 0, 1).reshape(channels * times, 1, high, wide)
        return self._convolved(step, "Conv", x, kernel, 0, pads=self._pads(step, (high, wide)), group=channels)

    def _Conv2DTranspose(self, step: Step, x: str) -> str:  # noqa: N802
        if tuple(step.layer.kernel_size) != tuple(step.layer.strides):
            raise NotImplementedError(f"Conv2DTranspose '{step.name}' whose windows overlap")
        return self._convolved(step, "ConvTranspose", x, np.asarray(step.layer.kernel).transpose(3, 2, 0, 1), 1)

    def _BatchNormalization(self, step: Step, x: str) -> str:  # noqa: N802
        """Fold into the convolution before it; `explicit` has made a convolution of one that has none before it."""
        layer, before = step.layer, self._made[x]
        scale = 1.0 / np.sqrt(np.asarray(layer.moving_variance, np.float64) + layer.epsilon)
        scale = scale * np.asarray(layer.gamma) if layer.scale else scale
        kernel, bias = before.input[1:]
        shape = (-1, 1, 1, 1) if before.op_type == "Conv" else (1, -1, 1, 1)
        offset = np.asarray(layer.beta) if layer.center else 0.0
        self._stored(bias, (self.constants[bias] - np.asarray(layer.moving_mean)) * scale + offset)
        self._stored(kernel, self.constants[kernel] * scale.reshape(shape))
        return x

    def _ReLU(self, step: Step, x: str) -> str:  # noqa: N802
        if step.layer.max_value is not None or step.layer.negative_slope:
            raise NotImplementedError(f"ReLU '{step.name}' with a ceiling or a slope")
        return self._node(step, "Relu", [x])

    def _MaxPooling2D(self, step: Step, x: str) -> str:  # noqa: N802
        layer = step.layer
        sizes = {"kernel_shape": list(layer.pool_size), "strides": list(layer.strides)}
        return self._node(step, "MaxPool", [x], pads=self._pads(step, layer.pool_size), **sizes)

    def _NearestResize(self, step: Step, x: str) -> str:  # noqa: N802
        before, after = step.arguments[0].shape, step.result.shape
        scales = self._stored(f"{step.name}/scales", [1, 1, after[1] / before[1], after[2] / before[2]])
        options = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        return self._node(step, "Resize", [x, "", scales], **options)

    def _Concatenate(self, step: Step, *given: str) -> str:  # noqa: N802
        if step.layer.axis not in (-1, 3):
            raise NotImplementedError(f"Concatenate '{step.name}' along axis {step.layer.axis}")
        return self._node(step, "Concat", list(given), axis=1)

    def _Add(self, step: Step, *given: str) -> str:  # noqa: N802
        if len(given) != 2:
            raise NotImplementedError(f"Add '{step.name}' of {len(given)}")
        return self._node(step, "Add", list(given))
