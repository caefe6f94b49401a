"""What a TFLite file holds, and which operations LiteRT's XNNPACK delegate takes on this host."""

from __future__ import annotations

import math
from collections import Counter
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError, one_line
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
from edgeseg.runtime.litert_session import open_litert
from edgeseg.stages.inspect.output_kind import Step, output_kind

_KERNEL_PLACE = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "TRANSPOSE_CONV": 1, "FULLY_CONNECTED": 1}
_PIXEL_INPUT = {"TRANSPOSE_CONV": 2}
_DELEGATE = "DELEGATE"
_FUSED = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "TRANSPOSE_CONV": "TransposeConvOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "ADD": "AddOptions",
}
"""Operations that can hold an activation, and where it stands."""


def tflite_facts(path: Path) -> GraphFacts:
    """Read a `.tflite` file.

    Raises:
        ArtifactError: when it is damaged.
        MissingExtraError: without ai-edge-litert.
    """
    interpreter = open_litert(path, threads=1, delegates=False)
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.Model.GetRootAs(path.read_bytes(), 0)
        names = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
        graph = model.Subgraphs(0)
        entries = [model.Metadata(index) for index in range(model.MetadataLength())]
        kept = tuple(
            MetadataBytes(name=entry.Name().decode(), size_bytes=model.Buffers(entry.Buffer()).DataLength())
            for entry in entries
        )
        weights = _weights(model, graph, names)
        operations = _operations(interpreter, graph)
        kind = _output_kind(interpreter, model, graph, schema)
    except Exception as error:
        raise ArtifactError(
            f"{path}: not a readable TFLite model ({one_line(error)}); copy it again or build it again"
        ) from error
    return GraphFacts(
        inputs=tuple(_tensor(details) for details in interpreter.get_input_details()),
        outputs=tuple(_tensor(details) for details in interpreter.get_output_details()),
        operations=operations,
        weights=weights,
        metadata=kept,
        execution=_execution(path),
        output_kind=kind,
    )


def _tensor(details: dict[str, Any]) -> TensorDescription:
    scale, zero_point = details["quantization"]
    return TensorDescription(
        name=str(details["name"]),
        dtype=np.dtype(details["dtype"]).name,
        shape=tuple(int(size) for size in details["shape"]),
        scale=float(scale) if scale else None,
        zero_point=int(zero_point) if scale else None,
    )


def _steps(interpreter: Any) -> list[dict[str, Any]]:
    """The operations in order: `op_name`, `inputs` and `outputs` (places of tensors); LiteRT names this private."""
    steps: list[dict[str, Any]] = interpreter._get_ops_details()  # noqa: SLF001
    return steps


def _operations(interpreter: Any, graph: Any) -> tuple[OperationCount, ...]:
    counts: Counter[str] = Counter()
    macs: Counter[str] = Counter()
    for step in _steps(interpreter):
        name = step["op_name"]
        counts[name] += 1
        if name in _KERNEL_PLACE:
            kernel = graph.Tensors(int(step["inputs"][_KERNEL_PLACE[name]])).ShapeAsNumpy().tolist()
            ends = step["inputs"][_PIXEL_INPUT[name]] if name in _PIXEL_INPUT else step["outputs"][0]
            shape = graph.Tensors(int(ends)).ShapeAsNumpy().tolist()
            macs[name] += math.prod(kernel) * math.prod(shape[1:3] if len(shape) == 4 else shape[:-1])
    return tuple(OperationCount(operation=name, count=counts[name], macs=macs[name]) for name in sorted(counts))


def _output_kind(interpreter: Any, model: Any, graph: Any, schema: Any) -> OutputKind:
    names = {value: name for name, value in vars(schema.ActivationFunctionType).items() if isinstance(value, int)}
    steps: dict[Any, Step] = {}
    for index, step in enumerate(_steps(interpreter)):
        options, kind = graph.Operators(index).BuiltinOptions(), _FUSED.get(step["op_name"])
        fused = ""
        if kind is not None and options is not None:
            read = getattr(schema, kind)()
            read.Init(options.Bytes, options.Pos)
            fused = names[read.FusedActivationFunction()].replace("NONE", "")
        made = Step(operation=step["op_name"], inputs=tuple(map(int, step["inputs"])), activation=fused)
        steps |= dict.fromkeys(map(int, step["outputs"]), made)
    stored = {i for i in range(graph.TensorsLength()) if model.Buffers(graph.Tensors(i).Buffer()).DataLength()}
    return output_kind([int(details["index"]) for details in interpreter.get_output_details()], steps, stored)


def _weights(model: Any, graph: Any, names: dict[int, str]) -> tuple[WeightBytes, ...]:
    """Constants by type; a buffer that several tensors share counts once."""
    found: dict[str, list[int]] = {}
    seen: set[int] = set()
    for index in range(graph.TensorsLength()):
        tensor = graph.Tensors(index)
        size = model.Buffers(tensor.Buffer()).DataLength()
        if size == 0 or tensor.Buffer() in seen:
            continue
        seen.add(tensor.Buffer())
        row = found.setdefault(names[tensor.Type()].lower(), [0, 0, 0])
        values = math.prod(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else 1
        row[0], row[1], row[2] = row[0] + 1, row[1] + values, row[2] + size
    return tuple(
        WeightBytes(dtype=name, tensors=row[0], values=row[1], size_bytes=row[2]) for name, row in sorted(found.items())
    )


def _execution(path: Path) -> tuple[Execution, ...]:
    """Let LiteRT apply its delegate, and follow each delegated part from its results back to what it reads."""
    runtime = f"ai-edge-litert {metadata.version('ai-edge-litert')}"
    try:
        interpreter = open_litert(path, threads=1)
        with quiet((2,)):
            interpreter.allocate_tensors()
        steps = _steps(interpreter)
    except Exception as error:
        return (Execution(runtime=runtime, taken_by="?", operations={}, note=f"not told ({one_line(error)})"),)
    parts = [step for step in steps if step["op_name"] == _DELEGATE]
    own = [step for step in steps if step["op_name"] != _DELEGATE]
    taken = _inside(parts, own)
    rows = (
        ("XNNPACK delegate", [s for i, s in enumerate(own) if i in taken], f"{len(parts)} part(s) of the graph"),
        ("LiteRT's own kernels", [s for i, s in enumerate(own) if i not in taken], ""),
    )
    return tuple(
        Execution(
            runtime=runtime,
            taken_by=name,
            operations=dict(sorted(Counter(step["op_name"] for step in steps).items())),
            note=note,
        )
        for name, steps, note in rows
        if steps
    )


def _inside(parts: list[dict[str, Any]], steps: list[dict[str, Any]]) -> set[int]:
    """Which steps lie between the results of delegated parts and what these read from outside."""
    maker = {int(place): index for index, step in enumerate(steps) for place in step["outputs"]}
    found: set[int] = set()
    for part in parts:
        outside = {int(place) for place in part["inputs"]}
        waiting = [int(place) for place in part["outputs"]]
        while waiting:
            place = waiting.pop()
            index = maker.get(place)
            if place in outside or index is None or index in found:
                continue
            found.add(index)
            waiting += [int(read) for read in steps[index]["inputs"]]
    return found
