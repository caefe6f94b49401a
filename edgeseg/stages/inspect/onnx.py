"""What an ONNX file holds, and which execution provider of ONNX Runtime takes which operation on this host."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError, one_line
from edgeseg.place import scratch
from edgeseg.quiet import quiet
from edgeseg.results import (
    Execution,
    GraphFacts,
    MetadataBytes,
    OperationCount,
    OutputKind,
    TensorDescription,
    WeightBytes,
)
from edgeseg.runtime.contract import AUTHOR_KEY, LICENCE_KEY, onnx_metadata
from edgeseg.runtime.onnx_session import (
    BARE,
    INPUT_SCALE,
    INPUT_ZERO_POINT,
    OUTPUT_SCALE,
    OUTPUT_ZERO_POINT,
    open_onnx,
)
from edgeseg.stages.inspect.output_kind import Step, output_kind
from edgeseg.targets._ort_graph import read_graph
from edgeseg.targets._require import require

_WEIGHT_PLACE = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3, "ConvTranspose": 1, "FusedConv": 1}
_REMOTE = "AzureExecutionProvider"
_DTYPES = {"float": np.float32, "float16": np.float16, "int8": np.int8, "uint8": np.uint8, "int16": np.int16}
_FREE_SIDE_PX = 256
_DOMAINS = ("", "ai.onnx", "com.microsoft")


def onnx_facts(path: Path) -> GraphFacts:
    """Read a `.onnx` file.

    Raises:
        ArtifactError: when it is damaged.
        MissingExtraError: without the `onnx` package.
    """
    require("onnx", purpose="inspecting an ONNX file")
    session = open_onnx(path, mode=BARE, threads=1)
    import onnx

    try:
        proto = onnx.load(str(path), load_external_data=False)
        shapes = _shapes(onnx.shape_inference.infer_shapes(proto).graph)
        weights = _weights(onnx, proto)
    except Exception as error:
        raise ArtifactError(
            f"{path}: not a readable ONNX model ({one_line(error)}); copy it again or build it again"
        ) from error
    kind = _output_kind(onnx, session, proto.graph)
    return _joined(path, session, operations=_operations(proto.graph.node, shapes), weights=weights, kind=kind)


def ort_facts(path: Path) -> GraphFacts:
    """Read a `.ort` file: the graph as ONNX Runtime fused it when it was saved.

    Raises:
        ArtifactError: when it is damaged.
    """
    session = open_onnx(path, mode=BARE, threads=1)
    graph = read_graph(path)
    found: dict[str, list[int]] = {}
    for constant in graph.constants:
        _add(found, constant.dtype, math.prod(constant.shape), constant.size_bytes)
    steps = {out: Step(operation=_named(node), inputs=node.input, activation=node.activation) for node in graph.nodes
             for out in node.output}  # fmt: skip
    kind = output_kind(_names(session), steps, {constant.name for constant in graph.constants})
    operations = _operations(graph.nodes, graph.shapes)
    return _joined(path, session, operations=operations, weights=_weight_rows(found), kind=kind)


def _output_kind(onnx: Any, session: Any, graph: Any) -> OutputKind:
    steps: dict[Any, Step] = {}
    for node in graph.node:
        told = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute if one.name == "activation"}
        fused = told.get("activation", b"").decode()
        step = Step(operation=_named(node), inputs=tuple(node.input), activation=fused)
        steps |= dict.fromkeys(node.output, step)
    made = {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    return output_kind(_names(session), steps, made | {tensor.name for tensor in graph.initializer})


def _named(node: Any) -> str:
    """Name an operation, with its domain where that is nobody's whom edgeseg knows."""
    return str(node.op_type) if node.domain in _DOMAINS else f"{node.domain}:{node.op_type}"


def _names(session: Any) -> tuple[str, ...]:
    return tuple(node.name for node in session.get_outputs())


def _joined(
    path: Path,
    session: Any,
    *,
    operations: tuple[OperationCount, ...],
    weights: tuple[WeightBytes, ...],
    kind: OutputKind,
) -> GraphFacts:
    metadata = onnx_metadata(path)
    return GraphFacts(
        inputs=tuple(_tensor(node, metadata, INPUT_SCALE, INPUT_ZERO_POINT) for node in session.get_inputs()),
        outputs=tuple(_tensor(node, metadata, OUTPUT_SCALE, OUTPUT_ZERO_POINT) for node in session.get_outputs()),
        operations=operations,
        weights=weights,
        metadata=tuple(MetadataBytes(name=key, size_bytes=len(metadata[key].encode())) for key in sorted(metadata)),
        execution=_execution(path),
        output_kind=kind,
        author=metadata.get(AUTHOR_KEY, ""),
        licence=metadata.get(LICENCE_KEY, ""),
    )


def _tensor(node: Any, metadata: dict[str, str], scale_key: str, zero_key: str) -> TensorDescription:
    dtype = node.type.removeprefix("tensor(").removesuffix(")")
    coded = dtype not in ("float", "float16") and scale_key in metadata and zero_key in metadata
    return TensorDescription(
        name=node.name,
        dtype="float32" if dtype == "float" else dtype,
        shape=tuple(size if isinstance(size, int) else None for size in node.shape),
        scale=float(metadata[scale_key]) if coded else None,
        zero_point=int(metadata[zero_key]) if coded else None,
    )


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """Static shapes by name; values with a free dimension are left out, but for a free batch, which counts as 1."""
    found = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        sizes = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
        if sizes and None not in sizes[1:]:
            found[value.name] = tuple(size or 1 for size in sizes)
    return found


def _operations(nodes: Sequence[Any], shapes: dict[str, tuple[int, ...]]) -> tuple[OperationCount, ...]:
    counts: Counter[str] = Counter(node.op_type for node in nodes)
    macs: dict[str, int | None] = dict.fromkeys(counts, 0)
    for node in nodes:
        here, before = _macs(node, shapes), macs[node.op_type]
        macs[node.op_type] = None if here is None or before is None else before + here
    return tuple(OperationCount(operation=name, count=counts[name], macs=macs[name]) for name in sorted(counts))


def _macs(node: Any, shapes: dict[str, tuple[int, ...]]) -> int | None:
    """Multiply-accumulates of one node: pixels x kernel elements, as `edgeseg.variants.census` counts them."""
    if node.op_type in _WEIGHT_PLACE:
        kernel = shapes.get(node.input[_WEIGHT_PLACE[node.op_type]])
        pixels = shapes.get(node.input[0] if node.op_type == "ConvTranspose" else node.output[0])
        return None if kernel is None or pixels is None else math.prod(kernel) * math.prod(pixels[2:])
    if node.op_type in ("MatMul", "Gemm", "MatMulInteger"):
        left, right = shapes.get(node.input[0]), shapes.get(node.input[1])
        return None if left is None or right is None else math.prod(left) * right[-1]
    return 0


def _weights(onnx: Any, proto: Any) -> tuple[WeightBytes, ...]:
    tensors = list(proto.graph.initializer)
    tensors += [
        a.t for node in proto.graph.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"
    ]
    found: dict[str, list[int]] = {}
    for tensor in tensors:
        name = onnx.TensorProto.DataType.Name(tensor.data_type).lower()
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            count = math.prod(tensor.dims)
            size = count * onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        else:
            array = onnx.numpy_helper.to_array(tensor)
            count, size = array.size, array.nbytes
        _add(found, "float32" if name == "float" else name, count, size)
    return _weight_rows(found)


def _add(found: dict[str, list[int]], dtype: str, values: int, size_bytes: int) -> None:
    row = found.setdefault(dtype, [0, 0, 0])
    row[0], row[1], row[2] = row[0] + 1, row[1] + values, row[2] + size_bytes


def _weight_rows(found: dict[str, list[int]]) -> tuple[WeightBytes, ...]:
    return tuple(
        WeightBytes(dtype=name, tensors=row[0], values=row[1], size_bytes=row[2]) for name, row in sorted(found.items())
    )


def _execution(path: Path) -> tuple[Execution, ...]:
    """Run one black slice with profiling on, and count the kernels of each provider."""
    import onnxruntime as ort

    runtime = f"onnxruntime {ort.__version__}"
    providers = [name for name in ort.get_available_providers() if name != _REMOTE]
    try:
        with scratch("profile") as folder, quiet((2,)):
            taken = _profile(ort, path, providers, folder)
    except Exception as error:
        note = f"not told: it cannot be run on a black slice ({one_line(error)})"
        return (Execution(runtime=runtime, taken_by=", ".join(providers), operations={}, note=note),)
    return tuple(
        Execution(runtime=runtime, taken_by=name, operations=dict(sorted(taken[name].items())))
        for name in sorted(taken)
    )


def _profile(ort: Any, path: Path, providers: list[str], folder: Path) -> dict[str, Counter[str]]:
    options = ort.SessionOptions()
    options.enable_profiling, options.profile_file_prefix = True, str(folder / "profile")
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=providers)
    feeds = {}
    for node in session.get_inputs():
        sizes = [n if isinstance(n, int) else (_FREE_SIDE_PX if place else 1) for place, n in enumerate(node.shape)]
        feeds[node.name] = np.zeros(sizes, _DTYPES[node.type.removeprefix("tensor(").removesuffix(")")])
    session.run(None, feeds)
    events = json.loads(Path(session.end_profiling()).read_text())
    taken: dict[str, Counter[str]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            taken.setdefault(event["args"]["provider"], Counter())[event["args"]["op_name"]] += 1
    return taken
