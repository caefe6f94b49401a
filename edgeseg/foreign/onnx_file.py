"""Somebody's ONNX file as one plain graph: one image in, batch 1, every size known, constants folded."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, MissingExtraError, OptionError, one_line
from edgeseg.foreign.flat import check_size
from edgeseg.foreign.group_norm import spell_out
from edgeseg.foreign.onnx_floats import widen
from edgeseg.quiet import quiet
from edgeseg.runtime.model_files import model_files

_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
_QUANTIZED = ("QuantizeLinear", "DequantizeLinear", "QLinearConv", "ConvInteger", "DynamicQuantizeLinear")
_MOST_CHANNELS = 64
_FLATTENS_BATCH = "MatMulAddFusion"
"""It joins product and sum into a `Gemm`, which takes no batch."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxGraph:
    """A simplified ONNX graph.

    Attributes:
        proto: the model; its initializers are in `constants` alike.
        constants: stored values by name, float ones as float32.
        shapes: of all other values by name, all sides known, the first one 1 for what depends on the image.
        image: the name of the input.
        channels_last: whether the input is `(1, H, W, C)`; else it is `(1, C, H, W)`.
        outputs: the names of the outputs.
    """

    proto: Any
    constants: dict[str, NDArray[Any]]
    shapes: dict[str, tuple[int, ...]]
    image: str
    channels_last: bool
    outputs: tuple[str, ...]

    @property
    def bytes_in(self) -> bool:
        """Whether the image is one of bytes."""
        from onnx import TensorProto

        kinds = {value.name: value.type.tensor_type.elem_type for value in self.proto.graph.input}
        return bool(kinds[self.image] == TensorProto.UINT8)


def read_onnx_graph(
    path: Path, *, size: tuple[int, int] | None = None, output: str | None = None, shown: Path | None = None
) -> OnnxGraph:
    """Read an ONNX file, with the weights beside it where it keeps them there, and simplify it.

    ONNX Runtime folds what does not depend on the image, and batch normalisation into the convolutions before it.

    Args:
        path: `*.onnx`.
        size: (height, width) of the image where the file leaves them open.
        output: the one output to keep; all where none is named.
        shown: what messages call it.

    Raises:
        ArtifactError: when the file is damaged, or no network of one image that is written in float.
        OptionError: when it leaves the size open and none is given, fixes another, or has no such output.
        MissingExtraError: without the `onnx` package.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "build", "reading ONNX files") from error
    model_files(path)
    try:
        with quiet():
            proto = onnx.load(str(path))
    except Exception as error:
        raise ArtifactError(
            f"{path}: not a readable ONNX model ({one_line(error)}); the file is damaged, cut short or of another "
            "format, so copy it again or export it again"
        ) from error
    path = shown or path
    _check_kind(path, proto)
    channels_last = _fix_image(path, proto, size)
    _choose_output(path, proto, output)
    widen(proto)
    spell_out(proto)
    return _simplified(path, proto, channels_last=channels_last)


def _check_kind(path: Path, proto: Any) -> None:
    """Refuse networks that are quantized already, and those of the other domains that edgeseg cannot read."""
    if not proto.graph.node:
        raise ArtifactError(
            f"{path}: holds no operation of ONNX, so it is a protocol buffer of another kind; give an ONNX model"
        )
    operations = Counter(node.op_type for node in proto.graph.node)
    if found := [name for name in _QUANTIZED if name in operations]:
        raise ArtifactError(
            f"{path}: quantized already ({found[0]}); edgeseg starts from float weights, so give the file that it was "
            "made of. It can be run and measured as it is: edgeseg run, edgeseg bench"
        )
    from onnx import TensorProto

    kinds = {value.type.tensor_type.elem_type for value in images(proto)}
    if TensorProto.DOUBLE in kinds:
        raise ArtifactError(
            f"{path}: computes in float64, which ONNX Runtime has no convolutions for; export it in float32 "
            "(model.float() in PyTorch)"
        )
    if TensorProto.BFLOAT16 in kinds:
        raise ArtifactError(
            f"{path}: computes in bfloat16, which ONNX Runtime has no convolutions for on a processor; export it in "
            "float32 (model.float() in PyTorch)"
        )
    if _trains(proto):
        raise ArtifactError(
            f"{path}: was exported as it trains, so that it normalises by what each batch holds; export it as it is "
            "used (model.eval() in PyTorch, and without training=TrainingMode.TRAINING)"
        )
    if other := kinds - {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.UINT8}:
        raise ArtifactError(
            f"{path}: takes {_shown_inputs(proto)} of {TensorProto.DataType.Name(min(other)).lower()}, and an image is "
            "of float32 or uint8; edgeseg compresses networks that segment images, so give one"
        )
    own = {function.domain for function in proto.functions}
    foreign = {node.domain for node in proto.graph.node} - {"", "ai.onnx"} - own
    if foreign:
        raise ArtifactError(
            f"{path}: holds operations of the domain '{sorted(foreign)[0]}', which only some runtimes know; export it "
            "with standard ONNX operations alone"
        )


def _trains(proto: Any) -> bool:
    """Whether a batch normalisation takes its statistics from the batch."""
    normalisations = [node for node in proto.graph.node if node.op_type == "BatchNormalization"]
    modes = [one.i for node in normalisations for one in node.attribute if one.name == "training_mode"]
    return any(modes)


def images(proto: Any) -> list[Any]:
    """Return the inputs of a graph, stored values left out."""
    stored = {tensor.name for tensor in proto.graph.initializer}
    return [value for value in proto.graph.input if value.name not in stored]


def _shown_inputs(proto: Any) -> str:
    return ", ".join(value.name for value in images(proto)) or "none"


def _fix_image(path: Path, proto: Any, size: tuple[int, int] | None) -> bool:
    """Set the batch to 1 and the open sides of the image; return whether its channels come last."""
    inputs = images(proto)
    if len(inputs) != 1:
        raise ArtifactError(
            f"{path}: has {len(inputs)} inputs ({_shown_inputs(proto)}); a network of one image is needed, so export "
            "it with the sequences as channels of one input"
        )
    dims = inputs[0].type.tensor_type.shape.dim
    sides = [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims]
    channels_last = _check_sides(path, sides)
    places = (1, 2) if channels_last else (2, 3)
    if size is None and any(sides[place] is None for place in places):
        raise OptionError(
            f"{path}: leaves the height and width of its image open; say them with --size, such as --size 256"
        )
    check_size(path, tuple(sides[place] for place in places), size)
    dims[0].dim_value = 1
    for place, side in zip(places, size or (), strict=False):
        dims[place].dim_value = side
    for output in proto.graph.output:
        output.type.tensor_type.ClearField("shape")
    del proto.graph.value_info[:]
    return channels_last


def _check_sides(path: Path, sides: list[int | None]) -> bool:
    shown = " x ".join("?" if side is None else str(side) for side in sides) or "a single number"
    if len(sides) == 5:
        raise ArtifactError(
            f"{path}: takes {shown}, a volume; edgeseg compresses networks of single slices, so give a 2-D network"
        )
    if len(sides) != 4:
        raise ArtifactError(f"{path}: takes {shown}; a network of images has four axes, such as 1 x 3 x 256 x 256")
    first, last = sides[1], sides[3]
    if first is not None and first <= _MOST_CHANNELS and (last is None or last >= first):
        return False
    if last is not None and last <= _MOST_CHANNELS:
        return True
    raise ArtifactError(
        f"{path}: takes {shown}, and which axis holds the channels cannot be told; export it with a fixed number of "
        "channels"
    )


def _choose_output(path: Path, proto: Any, output: str | None) -> None:
    if output is None:
        return
    names = [value.name for value in proto.graph.output]
    if output not in names:
        raise OptionError(f"{path}: has no output '{output}'; choose one of: {', '.join(names)}")
    for value in [value for value in proto.graph.output if value.name != output]:
        proto.graph.output.remove(value)


def _simplified(path: Path, proto: Any, *, channels_last: bool) -> OnnxGraph:
    import onnx
    from onnx import numpy_helper

    proto = _folded(path, proto)
    inside = Counter(node.op_type for node in proto.graph.node)
    if found := [name for name in _CONTROL_FLOW if name in inside]:
        raise ArtifactError(
            f"{path}: branches or loops while it runs ({found[0]}); a file for a device is one straight graph, so "
            "export the network without control flow"
        )
    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True).graph
    shapes: dict[str, tuple[int, ...]] = {}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = tuple(dim.dim_value for dim in dims)
    for node in proto.graph.node:
        if lost := [name for name in node.output if name and name not in shapes]:
            raise ArtifactError(
                f"{path}: the size of '{lost[0]}' ({node.op_type}) depends on what the image shows; every size must "
                "follow from that of the image"
            )
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    (image,) = (value.name for value in proto.graph.input if value.name not in constants)
    outputs = tuple(value.name for value in proto.graph.output)
    return OnnxGraph(
        proto=proto, constants=constants, shapes=shapes, image=image, channels_last=channels_last, outputs=outputs
    )


def _folded(path: Path, proto: Any) -> Any:
    """Let ONNX Runtime fold constants, in a file of its own: it writes what it made only to one."""
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="edgeseg-") as scratch:
        given, made = Path(scratch, "given.onnx"), Path(scratch, "made.onnx")
        options.optimized_model_filepath = str(made)
        try:
            with quiet():
                onnx.save(proto, str(given), save_as_external_data=proto.ByteSize() > 2**30)
                ort.InferenceSession(
                    str(given), options, providers=["CPUExecutionProvider"], disabled_optimizers=[_FLATTENS_BATCH]
                )
                return onnx.load(str(made))
        except Exception as error:
            raise ArtifactError(
                f"{path}: ONNX Runtime {ort.__version__} cannot load it for an image of this size "
                f"({one_line(error).replace(str(given), path.name)}); check the size, or export the network again"
            ) from error
