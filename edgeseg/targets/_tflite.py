"""From a Keras network to a TFLite flatbuffer: NHWC, batch 1, static shapes, the contract inside."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.quiet import quiet
from edgeseg.runtime.contract import CONTRACT_KEY
from edgeseg.runtime.seal import reserved_text
from edgeseg.specs import Contract
from edgeseg.targets._int8 import logit_scale
from edgeseg.targets._keras import INPUT, OUTPUT, Network, inference_function, network, shape_of, taken_apart
from edgeseg.targets._repeated import repeated
from edgeseg.targets._tflite_flat import add_buffer, layer_names, operations
from edgeseg.targets._tflite_mixed import BETWEEN, keep_float
from edgeseg.targets._tflite_partial import float_layers, float_tensors
from edgeseg.targets.ranges import ActivationRanges
from edgeseg.targets.target import ConvertJob

KEPT_METADATA = (b"min_runtime_version",)
UNWANTED = ("TRANSPOSE", "RESHAPE", "TILE", "MUL", "SUB", "QUANTIZE", "DEQUANTIZE", "CUSTOM", "SHAPE", "PACK")

FOREIGN = ("CUSTOM",)
"""What no graph may hold; the others of `UNWANTED` keep a graph of plain layers off an accelerator."""


def float_model(model: Any, contract: Contract, *, weights: str = "float32", blocks: bool = False) -> Any:
    """Convert a network to a flatbuffer object of `(1, H, W, 3) float32` -> `(1, H, W, 1) float32` logits.

    Args:
        model: Keras 3 model.
        contract: its size.
        weights: how they are stored: `float32`; `float16`, each widened by a DEQUANTIZE of its own, which runtimes do
            once while loading; `int8`, of tensors with 1024 weights or more, one scale per output channel.
        blocks: write the stem over squares of pixels (`_blocks`).
    """
    import tensorflow as tf

    rounded = repeated(network(model)) if weights == "int8" else ()
    form = network(model, depth_to_space=True, space_to_depth=blocks, rounded=rounded)
    function: Any = inference_function(form, shape_of(contract))
    with quiet():
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        if weights != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if weights == "float16":
            converter.target_spec.supported_types = [tf.float16]
        data = converter.convert()
    return unpack(data)


def int8_model(
    job: ConvertJob, contract: Contract, ranges: ActivationRanges, *, blocks: bool = False
) -> tuple[Any, tuple[str, ...]]:
    """Convert a network to a flatbuffer object that takes and gives int8, and name the layers that run in float.

    They are `contract.float_layers`, and those that nothing computes in integers (`_tflite_partial`).

    The converter's own calibration runs over one black slice, to give it the form it expects; then the range of every
    tensor is set: the input's as a rule to [0, 1] exactly, so that a code is a pixel's byte minus 128, the logits' by
    `logit_scale`, and all others from `ranges`.

    Args:
        job: the network, as a Keras 3 model.
        contract: its size and threshold.
        ranges: of every layer's output.
        blocks: write the stem over squares of pixels (`_blocks`).

    Raises:
        CheckpointError: when a tensor has no range.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    rounded = repeated(job.once(taken_apart), but=contract.float_layers)
    form, made = job.once(_calibrated_tiles, shape_of(contract), blocks, rounded)
    source = unpack(made)
    _set_ranges(source, form, ranges, contract)
    ends = {"input_data_type": tf.int8, "output_data_type": tf.int8}
    if not form.plain:
        kept = float_tensors(source, form, contract.float_layers)
        with quiet():
            flat = unpack(mlir_quantize(pack(source), fully_quantize=False, denylisted_nodes=kept, **ends))
        return flat, float_layers(flat, form)
    with quiet():
        flat = unpack(mlir_quantize(pack(source), fully_quantize=True, **ends))
    keep_float(flat, source, form, contract.float_layers)
    return flat, contract.float_layers


def _calibrated_tiles(
    model: Any, shape: tuple[int, int, int], blocks: bool, rounded: tuple[str, ...]
) -> tuple[Network, bytes]:
    form = network(model, depth_to_space=True, space_to_depth=blocks, rounded=rounded)
    return form, calibrated(form, shape)


def calibrated(form: Network, shape: tuple[int, int, int]) -> bytes:
    """Return what the converter holds between calibration and quantization, calibrated on one black slice."""
    import tensorflow as tf

    function: Any = inference_function(form, shape)
    black = np.zeros((1, *shape), np.float32)
    with quiet():
        concrete = function.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], function)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter([[black]])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter._experimental_calibrate_only = True  # noqa: SLF001  (no public way to set a range)
        return bytes(converter.convert())


def to_bytes(flat: Any, contract: Contract, *, plain: bool) -> bytes:
    """Rename the tensors by their place, put the contract in, and serialise.

    Args:
        flat: the graph.
        contract: what it carries.
        plain: whether the network consists of layers that convert cleanly (`Network.plain`); such a graph may hold
            nothing between them.

    Raises:
        ArtifactError: when the graph has a dynamic shape or an operation that it must not hold.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    graph = flat.subgraphs[0]
    check_graph(flat, mixed=bool(contract.float_layers), unwanted=UNWANTED if plain else FOREIGN)
    for index, tensor in enumerate(graph.tensors):
        tensor.name = f"t{index}".encode()
    graph.tensors[graph.inputs[0]].name = INPUT.encode()
    graph.tensors[graph.outputs[0]].name = OUTPUT.encode()
    graph.name, flat.description = b"main", b"edgeseg"
    flat.metadata = [entry for entry in flat.metadata or [] if _kept(flat, entry)]
    entry = schema.MetadataT()
    entry.name = CONTRACT_KEY.encode()
    entry.buffer = add_buffer(flat, reserved_text(contract).encode())
    flat.metadata.append(entry)
    return pack(flat)


def check_graph(flat: Any, *, mixed: bool = False, unwanted: tuple[str, ...] = UNWANTED) -> None:
    """Refuse more than one graph, dynamic shapes, and unwanted operations.

    Where layers are `mixed`, int8 and float, the operations between the two are what was asked for.

    Raises:
        ArtifactError: naming what was found.
    """
    if len(flat.subgraphs) != 1:
        raise ArtifactError(f"the TFLite file holds {len(flat.subgraphs)} graphs; one was expected")
    for tensor in flat.subgraphs[0].tensors:
        signature = tensor.shapeSignature
        if signature is not None and any(side < 0 for side in signature):
            raise ArtifactError(f"the TFLite graph has a dynamic shape at '{tensor.name!r}'; all must be static")
    steps = zip(operations(flat), flat.subgraphs[0].operators, strict=True)
    found = [name for name, step in steps if not (name == "DEQUANTIZE" and is_constant(flat, step.inputs[0]))]
    for operation in unwanted:
        if operation in found and not (mixed and operation in BETWEEN):
            raise ArtifactError(
                f"the TFLite graph holds {found.count(operation)} x {operation}, which edgeseg's runtimes are spared; "
                "the network uses a layer that does not convert cleanly"
            )


def is_constant(flat: Any, place: int) -> bool:
    """Tell whether a tensor stands in the file, such as a weight, and is not computed."""
    return flat.buffers[flat.subgraphs[0].tensors[place].buffer].data is not None


def _set_ranges(flat: Any, form: Network, ranges: ActivationRanges, contract: Contract) -> None:
    graph = flat.subgraphs[0]
    chosen = logit_scale(*ranges.of(form.output.name), contract.logit_threshold)
    wanted = {place: ranges.of(layer) for place, layer in layer_names(flat, form).items()}
    wanted |= {graph.inputs[0]: ranges.image_ends(contract)} | dict.fromkeys(
        logit_places(flat), (chosen.low, chosen.high)
    )
    for step, name in zip(graph.operators, operations(flat), strict=True):
        if name == "SPACE_TO_DEPTH" and (given := int(step.inputs[0])) in wanted:
            wanted[int(step.outputs[0])] = wanted[given]  # it moves codes, and belongs to the layer behind it
    for place, (low, high) in wanted.items():
        set_range(flat, place, low, high)
    shift_head(flat, chosen.shift)


def logit_places(flat: Any) -> list[int]:
    """Return the tensors that hold the logits, after and before a rearrangement: they share one scale."""
    last = int(flat.subgraphs[0].outputs[0])
    step, name = maker(flat, last)
    return [last, int(step.inputs[0])] if name == "DEPTH_TO_SPACE" else [last]


def maker(flat: Any, place: int) -> tuple[Any, str]:
    """Return the operation that writes a tensor, and its name."""
    steps = zip(flat.subgraphs[0].operators, operations(flat), strict=True)
    return next((step, name) for step, name in steps if place in step.outputs)


def set_range(flat: Any, place: int, low: float, high: float) -> None:
    """Give a tensor of a calibrated graph the range that its codes shall stand for."""
    quantization = flat.subgraphs[0].tensors[place].quantization
    quantization.min, quantization.max = np.array([low], np.float32), np.array([high], np.float32)


def shift_head(flat: Any, shift: float) -> None:
    """Add the shift to the bias of the last convolution; a head without a bias keeps its rounding."""
    graph = flat.subgraphs[0]
    head, name = maker(flat, logit_places(flat)[-1])
    position = {"CONV_2D": 2, "TRANSPOSE_CONV": 3}.get(name)
    if position is None or position >= len(head.inputs):
        return
    bias = graph.tensors[head.inputs[position]]
    values = np.frombuffer(bytes(flat.buffers[bias.buffer].data), np.float32)
    bias.buffer = add_buffer(flat, (values + np.float32(shift)).tobytes())


def _kept(flat: Any, entry: Any) -> bool:
    if entry.name in KEPT_METADATA:
        return True
    flat.buffers[entry.buffer].data = None
    return False


def unpack(data: bytes) -> Any:
    """Read a flatbuffer into objects that can be changed."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(data))


def pack(flat: Any) -> bytes:
    """Write such objects as a flatbuffer."""
    from tensorflow.lite.tools import flatbuffer_utils

    return bytes(flatbuffer_utils.convert_object_to_bytearray(flat))
