"""From a Keras network to a TFLite flatbuffer: NHWC, batch 1, static shapes, the contract inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.jsonio import to_json
from edgeseg.quiet import quiet
from edgeseg.runtime.contract import CONTRACT_KEY
from edgeseg.specs import Contract
from edgeseg.targets._int8 import LogitScale, logit_scale
from edgeseg.targets._keras import INPUT, OUTPUT, inference_function

KEPT_METADATA = (b"min_runtime_version",)
UNWANTED = ("TRANSPOSE", "RESHAPE", "TILE", "MUL", "SUB", "QUANTIZE", "DEQUANTIZE", "CUSTOM", "SHAPE", "PACK")


def float_model(model: Any, contract: Contract) -> Any:
    """Convert a network to a flatbuffer object of `(1, H, W, 3) float32` -> `(1, H, W, 1) float32` logits."""
    import tensorflow as tf

    function = inference_function(model, contract)
    with quiet():
        concrete = function.get_concrete_function()
        data = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function).convert()
    return _unpack(data)


def int8_model(model: Any, contract: Contract, slices: NDArray[np.float32]) -> Any:
    """Convert a network to a flatbuffer object that takes and gives int8 and holds no float.

    The calibration run gives the range of every tensor. Before quantization two of them are set: the input's to [0, 1]
    exactly, so that a code is a pixel's byte minus 128, and the logits' by `logit_scale`.

    Args:
        model: Keras 3 model.
        contract: its size and threshold.
        slices: `(M, H, W, 3) float32 in [0, 1]`, NHWC.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    function = inference_function(model, contract)
    with quiet():
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in slices)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter._experimental_calibrate_only = True  # noqa: SLF001  (no public way to set a range)
        calibrated = _unpack(converter.convert())
        _set_ranges(calibrated, contract.logit_threshold)
        data = mlir_quantize(_pack(calibrated), fully_quantize=True, input_data_type=tf.int8, output_data_type=tf.int8)
    return _unpack(data)


def to_bytes(flat: Any, contract: Contract) -> bytes:
    """Rename the tensors by their place, put the contract in, and serialise.

    Raises:
        ArtifactError: when the graph has a dynamic shape or an operation that it must not hold.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = flat.subgraphs[0]
    check_graph(flat)
    for index, tensor in enumerate(graph.tensors):
        tensor.name = f"t{index}".encode()
    graph.tensors[graph.inputs[0]].name = INPUT.encode()
    graph.tensors[graph.outputs[0]].name = OUTPUT.encode()
    graph.name, flat.description = b"main", b"edgeseg"
    flat.metadata = [entry for entry in flat.metadata or [] if _kept(flat, entry)]
    entry = schema.MetadataT()
    entry.name = CONTRACT_KEY.encode()
    entry.buffer = _add_buffer(flat, to_json(contract, indent=None).encode())
    flat.metadata.append(entry)
    return _pack(flat)


def operations(flat: Any) -> list[str]:
    """Return the names of a graph's operations in order."""
    from tensorflow.lite.tools import flatbuffer_utils

    names = [str(flatbuffer_utils.opcode_to_name(flat, code)) for code in range(len(flat.operatorCodes))]
    return [names[operator.opcodeIndex] for operator in flat.subgraphs[0].operators]


def check_graph(flat: Any) -> None:
    """Refuse more than one graph, dynamic shapes, and operations that keep a graph off an accelerator.

    Raises:
        ArtifactError: naming what was found.
    """
    if len(flat.subgraphs) != 1:
        raise ArtifactError(f"the TFLite file holds {len(flat.subgraphs)} graphs; one was expected")
    for tensor in flat.subgraphs[0].tensors:
        signature = tensor.shapeSignature
        if signature is not None and any(side < 0 for side in signature):
            raise ArtifactError(f"the TFLite graph has a dynamic shape at '{tensor.name!r}'; all must be static")
    found = operations(flat)
    for operation in UNWANTED:
        if operation in found:
            raise ArtifactError(
                f"the TFLite graph holds {found.count(operation)} x {operation}, which edgeseg's runtimes are spared; "
                "the network uses a layer that does not convert cleanly"
            )


def _set_ranges(flat: Any, threshold: float) -> None:
    graph = flat.subgraphs[0]
    image = graph.tensors[graph.inputs[0]].quantization
    image.min, image.max = np.array([0.0], np.float32), np.array([1.0], np.float32)
    logits = graph.tensors[graph.outputs[0]].quantization
    chosen = logit_scale(float(logits.min[0]), float(logits.max[0]), threshold)
    logits.min, logits.max = np.array([chosen.low, chosen.high], np.float32)[:, np.newaxis]
    _shift_head(flat, chosen)


def _shift_head(flat: Any, chosen: LogitScale) -> None:
    """Add the shift to the bias of the last convolution; a head without a bias keeps its rounding."""
    graph = flat.subgraphs[0]
    head = next(op for op in graph.operators if graph.outputs[0] in op.outputs)
    position = {"CONV_2D": 2, "TRANSPOSE_CONV": 3}.get(operations(flat)[graph.operators.index(head)])
    if position is None or position >= len(head.inputs):
        return
    bias = graph.tensors[head.inputs[position]]
    values = np.frombuffer(bytes(flat.buffers[bias.buffer].data), np.float32)
    bias.buffer = _add_buffer(flat, (values + np.float32(chosen.shift)).tobytes())


def _kept(flat: Any, entry: Any) -> bool:
    if entry.name in KEPT_METADATA:
        return True
    flat.buffers[entry.buffer].data = None
    return False


def _add_buffer(flat: Any, data: bytes) -> int:
    from tensorflow.lite.python import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(data, np.uint8)
    flat.buffers.append(buffer)
    return len(flat.buffers) - 1


def _unpack(data: bytes) -> Any:
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(data))


def _pack(flat: Any) -> bytes:
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(flat))
