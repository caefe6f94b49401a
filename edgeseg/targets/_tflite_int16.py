"""TFLite with int16 activations and int8 weights, from ranges that were measured before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.quiet import quiet
from edgeseg.specs import Contract
from edgeseg.targets import _tflite, _tflite_flat
from edgeseg.targets._int8 import INPUT_SCALE
from edgeseg.targets._keras import PLAIN, Network, network, shape_of
from edgeseg.targets._repeated import repeated
from edgeseg.targets.ranges import ActivationRanges

TOP = 32767
_STEPS = 65535
"""The quantizer divides a range by this many steps."""
_BIAS_INPUT = {"CONV_2D": 2, "TRANSPOSE_CONV": 3}
_LEAST = 1e-6
"""Half the range of a layer that gives nothing but zeros."""


def int16x8_model(model: Any, contract: Contract, ranges: ActivationRanges) -> Any:
    """Convert a network to a flatbuffer object that takes and gives int16 and holds no float.

    Activations are int16 around zero: a code is `value / scale` and zero is code 0. The input's scale is as a rule
    1 / 255, so that its code is the byte itself. Weights are int8 with a scale per output channel, biases int64, as the
    format's specification has them. The head's bias moves by less than half a code, so that the operating threshold
    lies between two codes.

    Args:
        model: Keras 3 model.
        contract: its size and threshold.
        ranges: of every layer's output.

    Raises:
        CheckpointError: when a tensor has no range.
        ArtifactError: when the converter does not give such a graph.
    """
    import tensorflow as tf
    from tensorflow.compiler.mlir.lite.types_pb2 import QUANTIZED_INT16
    from tensorflow.lite.python.convert import mlir_quantize

    form = network(model)
    if why := _barred(form):
        raise ArtifactError(why)
    if rounded := repeated(form):
        form = network(model, rounded=rounded)
    flat = _tflite.unpack(_tflite.calibrated(form, shape_of(contract)))
    _set_ranges(flat, form, ranges, contract)
    with quiet():
        data = mlir_quantize(
            _tflite.pack(flat),
            fully_quantize=True,
            inference_type=QUANTIZED_INT16,
            input_data_type=tf.int16,
            output_data_type=tf.int16,
        )
    result = _tflite.unpack(data)
    _centre(result, usual=contract.usual_input)
    _widen_biases(result)
    return result


def barred(model: Any) -> str | None:
    """Say which layers of a network the format has no kernel for; None where it has them all."""
    return _barred(network(model))


def _barred(form: Network) -> str | None:
    kinds = dict.fromkeys(type(step.layer).__name__ for step in form.steps)
    odd = [kind for kind in kinds if kind not in PLAIN]
    if not odd:
        return None
    return (
        f"the network has {', '.join(odd)}, which the int16 kernels of TFLite do not compute; take tflite-int8, where "
        "such layers stay in float"
    )


def _set_ranges(flat: Any, form: Network, ranges: ActivationRanges, contract: Contract) -> None:
    graph, threshold = flat.subgraphs[0], contract.logit_threshold
    ends = {place: ranges.of(layer) for place, layer in _tflite_flat.layer_names(flat, form).items()}
    reach = {place: max(abs(low), abs(high), _LEAST) for place, (low, high) in ends.items()}
    reach[graph.outputs[0]] = logits = max(reach[graph.outputs[0]], abs(threshold) + 0.5)
    image = max(_LEAST, *map(abs, ranges.image_ends(contract)))
    reach[graph.inputs[0]] = INPUT_SCALE * _STEPS / 2 if contract.usual_input else image
    for place, end in reach.items():
        _tflite.set_range(flat, place, -end, end)
    scale = 2 * logits / _STEPS
    _tflite.shift_head(flat, (math.floor(threshold / scale) + 0.5) * scale - threshold)


def _centre(flat: Any, *, usual: bool) -> None:
    """Set every int16 zero point to 0, as the kernels need it; the quantizer may round it to -1.

    Raises:
        ArtifactError: when one is further off, or the scale of a `usual` input is not 1 / 255.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = flat.subgraphs[0]
    for tensor in graph.tensors:
        if tensor.type == schema.TensorType.INT16:
            (zero,) = tensor.quantization.zeroPoint
            if abs(int(zero)) > 1:
                raise ArtifactError(f"the quantizer gave an int16 tensor the zero point {zero}; it must be 0")
            tensor.quantization.zeroPoint = np.zeros(1, np.int64)
    image = graph.tensors[graph.inputs[0]].quantization
    if not usual:
        return
    if not math.isclose(float(image.scale[0]), INPUT_SCALE, rel_tol=1e-6):
        raise ArtifactError(f"the quantizer gave the input the scale {image.scale[0]}; it must be 1 / 255")
    image.scale = np.array([INPUT_SCALE], np.float32)


def _widen_biases(flat: Any) -> None:
    """Write int32 biases as int64; LiteRT computes garbage from an int16 convolution with an int32 bias."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = flat.subgraphs[0]
    widened: dict[int, int] = {}
    for name, step in zip(_tflite_flat.operations(flat), graph.operators, strict=True):
        position = _BIAS_INPUT.get(name)
        if position is None or position >= len(step.inputs):
            continue
        bias = graph.tensors[step.inputs[position]]
        if bias.type == schema.TensorType.INT32:
            if bias.buffer not in widened:
                narrow = np.frombuffer(bytes(flat.buffers[bias.buffer].data), np.int32)
                widened[bias.buffer] = _tflite_flat.add_buffer(flat, narrow.astype(np.int64).tobytes())
            bias.buffer, bias.type = widened[bias.buffer], schema.TensorType.INT64
    for place in widened:
        flat.buffers[place].data = None
