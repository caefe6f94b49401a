"""Static QDQ quantization of a float ONNX graph: 8 bits in, 8 bits out, int8 weights per output channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError
from edgeseg.quiet import quiet
from edgeseg.runtime.onnx_session import INPUT_SCALE, INPUT_ZERO_POINT, OUTPUT_SCALE, OUTPUT_ZERO_POINT
from edgeseg.specs import Contract
from edgeseg.targets import _int8, _onnx, _onnx_mixed, _onnx_partial
from edgeseg.targets._codes import CODES, Codes
from edgeseg.targets._keras import INPUT, OUTPUT, Form, taken_apart
from edgeseg.targets._onnx_channels_last import channels_last
from edgeseg.targets._repeated import repeated
from edgeseg.targets.ranges import ActivationRanges
from edgeseg.targets.target import ConvertJob, activation_ranges, artifact_contract, float_layers, require_graph

WEIGHTED = ("Conv", "ConvTranspose")
INTEGER = (*WEIGHTED, "MaxPool", "Concat", "Resize", "Add", "DepthToSpace")
"""Operations that must stand between int8 tensors; any other would run in float."""
_SAME_RANGE = ("MaxPool", "Resize", "DepthToSpace")
"""Operations whose result has no value that their input lacks."""


def converted(job: ConvertJob, *, target: str, layout: str, moved: bool = False) -> bytes:
    """Return a job's network as an ONNX file in full-integer int8, with its contract.

    Args:
        job: what is converted.
        target: the target's name.
        layout: of input and output.
        moved: write rearrangements with channels last (`_onnx_channels_last`).

    Raises:
        OptionError: when the job has no ranges, or its model is not on the tensorflow backend.
        CheckpointError: when the ranges are those of another network.
        ContractError: when model and contract do not fit.
        MissingExtraError: when a converter is not installed.
    """
    require_graph(job.model, target)
    ranges = activation_ranges(job, target)
    contract = artifact_contract(job, target=target, layout=layout, layers=float_layers(job))
    rounded = repeated(job.once(taken_apart), but=contract.float_layers)
    reach = CODES[contract.profile or "arm"].weight_reach
    proto, layers = _onnx.named_graph(job.model, contract, rounded=rounded, reach=reach)
    graph, kept = quantised(proto, layers, contract, ranges, taken_apart(job.model))
    return to_bytes(graph, replace(contract, float_layers=kept), author=job.author, moved=moved)


def quantised(
    proto: Any, layers: dict[str, str], contract: Contract, ranges: ActivationRanges, form: Form
) -> tuple[Any, tuple[str, ...]]:
    """Quantize a float graph of `_onnx.named_graph`, and name the layers that stay in float.

    They are `contract.float_layers`, and those that nothing computes in integers (`_onnx_partial`).

    Activations are asymmetric, so that what a ReLU gives uses all 256 codes and the ReLU itself disappears into
    the saturation (half the flipped pixels of symmetric ranges). Each value takes the range of its layer, but for the
    input, whose codes are as a rule a pixel's byte minus 128, and the logits (`_int8.logit_scale`).

    Args:
        proto: the float graph; it is changed.
        layers: the layer that gives each value.
        contract: its threshold, its build profile (a key of `CODES`), and the layers that stay in float.
        ranges: of every layer's output.
        form: the network.

    Raises:
        ArtifactError: when something stays in float.
        CheckpointError: when a value has no range.
    """
    codes = CODES[contract.profile or "arm"]
    layers = transposed_to_depth_to_space(proto, layers)
    chosen = _int8.logit_scale(*ranges.of(layers[OUTPUT]), contract.logit_threshold)
    _shift_head(proto, chosen, form)
    image = ranges.image_ends(contract)
    overrides = {INPUT: codes.fixed(*_int8.input_codes(*image))}
    overrides |= dict.fromkeys(_onnx_partial.logit_values(proto, form), codes.fixed(chosen.scale, chosen.zero_point))
    kept_layers = contract.float_layers
    if form.plain:
        found = value_layers(proto, layers)
        kept = _onnx_mixed.kept_nodes(proto, found, form.owners(), kept_layers)
    else:
        found = _onnx_partial.value_layers(proto, layers, form)
        kept = _onnx_partial.float_nodes(proto, found, layers, form.owners(), kept_layers)
        kept_layers = _onnx_partial.float_layers(proto, kept, {**found, **layers})
    values = {name: ranges.of(layer) for name, layer in found.items()}
    kinds = (*INTEGER, "Relu") if form.plain else _onnx_partial.KERNELS
    result = _quantize_static(proto, {INPUT: image, **values}, overrides, codes, kept, kinds)
    _onnx_mixed.quantise_ends(result, overrides)
    _onnx_mixed.halve_kernels(result, kept)
    _strip_ends(result, codes)
    _onnx.sort(result.graph)
    _onnx.share_equal_constants(result.graph)
    _onnx.rename(result)
    if form.plain:
        _check_integer(result, codes, mixed=bool(kept))
    else:
        _onnx.check_graph(result, ())
    return result, kept_layers


def to_bytes(proto: Any, contract: Contract, *, author: str, moved: bool = False) -> bytes:
    """Serialise with the contract and with what the codes of input and output mean; `moved` as in `converted`."""
    first = next(node for node in proto.graph.node if INPUT in node.input)
    last = next(node for node in proto.graph.node if OUTPUT in node.output)
    input_scale, input_zero = (_onnx.constant(proto, name) for name in first.input[1:])
    output_scale, output_zero = (_onnx.constant(proto, name) for name in last.input[1:])
    meaning = {
        INPUT_SCALE: repr(float(input_scale)),
        INPUT_ZERO_POINT: str(int(input_zero)),
        OUTPUT_SCALE: repr(float(output_scale)),
        OUTPUT_ZERO_POINT: str(int(output_zero)),
    }
    if moved:
        channels_last(proto)
    return _onnx.to_bytes(proto, contract, meaning, author=author)


def value_layers(proto: Any, layers: dict[str, str]) -> dict[str, str]:
    """Name the layer whose range each value has.

    It is the layer that gives the value; where the converter lost that name, the one of the ReLU that takes the value
    (the quantizer joins the two), or the one of the value that it rearranges.

    Raises:
        ArtifactError: when nothing tells the layer of a value.
    """
    found: dict[str, str] = {}
    for node in proto.graph.node:
        (value,) = node.output
        readers = [other for other in proto.graph.node if value in other.input]
        if value in layers:
            found[value] = layers[value]
        elif [other.op_type for other in readers] == ["Relu"] and readers[0].output[0] in layers:
            found[value] = layers[readers[0].output[0]]
        elif node.op_type in _SAME_RANGE and node.input[0] in found:
            found[value] = found[node.input[0]]
        else:
            raise ArtifactError(
                f"the ONNX converter gave the result of {node.op_type} '{node.name}' a name that tells no layer; "
                "use its version in requirements.lock"
            )
    return found


def transposed_to_depth_to_space(proto: Any, layers: dict[str, str]) -> dict[str, str]:
    """Write every transposed convolution whose kernel equals its stride as a 1 x 1 convolution and a DepthToSpace.

    The function is the same. ONNX Runtime has no integer kernel for ConvTranspose and would go back to float for it;
    a 1 x 1 convolution and a rearrangement stay in int8. The names change; `layers` comes back with the new ones.
    """
    from onnx import helper, numpy_helper

    graph, layers = proto.graph, dict(layers)
    nodes = []
    for node in graph.node:
        side = _square_stride(proto, node)
        if side is None:
            nodes.append(node)
            continue
        weight = _onnx.constant(proto, node.input[1])
        channels_in, channels_out = weight.shape[:2]
        kernel = weight.transpose(2, 3, 1, 0).reshape(side * side * channels_out, channels_in, 1, 1)
        inputs = [node.input[0], f"{node.name}_kernel"]
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(kernel), inputs[1]))
        if len(node.input) == 3:
            inputs.append(f"{node.name}_offset")
            bias = np.tile(_onnx.constant(proto, node.input[2]), side * side)
            graph.initializer.append(numpy_helper.from_array(bias, inputs[2]))
        depth = f"{node.name}_depth"
        if node.output[0] in layers:
            layers[depth] = layers[node.output[0]]
        nodes.append(helper.make_node("Conv", inputs, [depth], kernel_shape=[1, 1], name=f"{node.name}_conv"))
        nodes.append(helper.make_node("DepthToSpace", [depth], node.output, blocksize=side, mode="DCR"))
    _onnx.set_nodes(graph, nodes)
    renamed = _onnx.rename(proto)
    return {new: layers[old] for old, new in renamed.items() if old in layers}


def _square_stride(proto: Any, node: Any) -> int | None:
    """Return the stride of a ConvTranspose whose windows tile the output without overlap, else None."""
    from onnx import helper

    if node.op_type != "ConvTranspose":
        return None
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    side = int(_onnx.constant(proto, node.input[1]).shape[2])
    tiles = list(given.get("kernel_shape", [])) == [side, side] == list(given.get("strides", []))
    plain = not any(given.get("pads", [])) and not any(given.get("output_padding", [])) and given.get("group", 1) == 1
    single = all(rate == 1 for rate in given.get("dilations", []))
    return side if tiles and plain and single else None


def _shift_head(proto: Any, chosen: _int8.LogitScale, form: Form) -> None:
    """Add the shift to the bias of the last convolution; a head without a bias keeps its rounding."""
    from onnx import numpy_helper

    makers = {node.output[0]: node for node in proto.graph.node}
    head = makers.get(_onnx_partial.logit_values(proto, form)[-1])
    if head is None or head.op_type not in WEIGHTED or len(head.input) < 3:
        return
    bias = _onnx.constant(proto, head.input[2])
    name = f"{head.name}_shifted"
    proto.graph.initializer.append(numpy_helper.from_array(bias + np.float32(chosen.shift), name))
    head.input[2] = name
    _onnx.drop_unused(proto.graph)


def _quantize_static(
    proto: Any,
    values: dict[str, tuple[float, float]],
    overrides: dict[str, Any],
    codes: Codes,
    kept: tuple[str, ...],
    kinds: tuple[str, ...],
) -> Any:
    """Run ONNX Runtime's quantizer on known ranges, as `quantize_static` does once it has measured them."""
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import save_and_reload_model_with_shape_infer

    del proto.metadata_props[:]
    known = {name: tuple(np.array(end, np.float32) for end in ends) for name, ends in values.items()}
    with quiet():
        quantizer = QDQQuantizer(
            save_and_reload_model_with_shape_infer(proto),
            per_channel=True,
            reduce_range=codes.reduced,
            weight_qType=QuantType.QInt8,
            activation_qType=codes.quant_type,
            tensors_range=TensorsData(CalibrationMethod.MinMax, known),
            nodes_to_quantize=[],
            nodes_to_exclude=list(kept),
            op_types_to_quantize=list(kinds),
            extra_options={
                "ActivationSymmetric": False,
                "WeightSymmetric": True,
                "TensorQuantOverrides": overrides,
                "ForceQuantizeNoInputCheck": bool(kept),
            },
        )
        quantizer.quantize_model()
    return quantizer.model.model


def _strip_ends(proto: Any, codes: Codes) -> None:
    """Take off the first QuantizeLinear and the last DequantizeLinear, so that the graph takes and gives codes."""
    import onnx

    graph = proto.graph
    entries = [node for node in graph.node if INPUT in node.input]
    last = next(node for node in graph.node if OUTPUT in node.output)
    if [node.op_type for node in entries] != ["QuantizeLinear"] or last.op_type != "DequantizeLinear":
        raise ArtifactError("the quantizer left the network's input or output in float")
    entering = entries[0].output[0]
    for node in graph.node:
        node.input[:] = [INPUT if name == entering else name for name in node.input]
    maker = next(node for node in graph.node if last.input[0] in node.output)
    maker.output[0] = OUTPUT
    for node in graph.node:
        node.input[:] = [OUTPUT if name == last.input[0] else name for name in node.input]
    graph.node.remove(entries[0])
    graph.node.remove(last)
    for end in (graph.input[0], graph.output[0]):
        end.type.tensor_type.elem_type = onnx.TensorProto.UINT8 if codes.unsigned else onnx.TensorProto.INT8


def _check_integer(proto: Any, codes: Codes, *, mixed: bool) -> None:
    """Refuse a graph in which an operation stands on a float tensor, or a weight is not int8 within its reach.

    Where layers are `mixed`, int8 and float, the convolutions on float16 kernels are what was asked for.

    Raises:
        ArtifactError: naming the operation.
    """
    _onnx.check_graph(proto, _onnx.UNWANTED if mixed else (*_onnx.UNWANTED, "Relu"))
    makers = {name: node for node in proto.graph.node for name in node.output}
    readers = {name: node for node in proto.graph.node for name in node.input}
    for node in proto.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear") or (mixed and _onnx_mixed.is_float(node, makers)):
            continue
        wanted = len(node.input) if node.op_type in (*WEIGHTED, "Concat", "Add") else 1
        before = all(name in makers and makers[name].op_type == "DequantizeLinear" for name in node.input[:wanted])
        after = node.output[0] in readers and readers[node.output[0]].op_type == "QuantizeLinear"
        if node.op_type not in INTEGER or not before or not after:
            raise ArtifactError(f"{node.op_type} '{node.name}' would run in float in the int8 graph")
        if node.op_type in WEIGHTED:
            weight = _onnx.constant(proto, makers[node.input[1]].input[0])
            if weight is None or weight.dtype != np.int8 or np.abs(weight.astype(int)).max() > codes.weight_reach:
                raise ArtifactError(
                    f"the weights of {node.op_type} '{node.name}' are not int8 within +-{codes.weight_reach} in the "
                    "int8 graph"
                )
