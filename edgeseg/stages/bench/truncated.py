"""The time of each operation of a TFLite graph, from the graph cut behind each one.

LiteRT for Python has no profile. What an operation takes is what a graph that ends with it takes longer than one that
ends before it; both run in the same round.
"""

from __future__ import annotations

import math
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError, MissingExtraError, one_line
from edgeseg.place import scratch
from edgeseg.progress import Progress
from edgeseg.quiet import quiet
from edgeseg.runtime.litert_session import open_litert
from edgeseg.stages.bench.interleave import Call, interleave
from edgeseg.stages.bench.operations import Found, Timed
from edgeseg.targets.macs import macs_by_step

TRUNCATED = "truncated"
_BUDGET_S = 20.0
_MULTIPLIES = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED")
_DATA = {"TRANSPOSE_CONV": 2}
_FILE_ID = b"TFL3"


def truncated(
    path: Path, *, threads: int, runs: int, warmup: int, seed: int, progress: Progress | None = None
) -> Found:
    """Let a TFLite file and its truncations take turns.

    Args:
        path: of a `.tflite` file with one input.
        threads: of the runtime.
        runs: counted rounds, at most; each truncation stops after 20 s.
        warmup: rounds before any is counted.
        seed: of the numbers that are fed.
        progress: called after each run.

    Raises:
        ArtifactError: when LiteRT cannot run the file or a part of it.
        MissingExtraError: when ai-edge-litert is not installed.
    """
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise MissingExtraError("ai-edge-litert", "build", "running a .tflite model") from error
    data = path.read_bytes()
    open_litert(path, threads=threads)
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    steps, macs = list(model.subgraphs[0].operators), macs_by_step(model)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    calls: dict[str, Call] = {}
    with scratch("layers") as folder:
        for index in range(len(steps)):
            part = folder / f"{index}.tflite"
            part.write_bytes(cut_behind(data, index))
            calls[str(index)] = _call(path, part, threads, seed)
        seconds = interleave(calls, runs=runs, warmup=warmup, budget_s=_BUDGET_S, progress=progress).seconds
    rounds = min(map(len, seconds.values()))
    ends = np.array([seconds[str(index)][:rounds] for index in range(len(steps))])
    own = np.diff(ends, axis=0, prepend=np.zeros((1, rounds)))
    tensors = model.subgraphs[0].tensors
    operations = tuple(
        _operation(names[model.operatorCodes[step.opcodeIndex].builtinCode], step, tensors, macs[i], own[i], i)
        for i, step in enumerate(steps)
    )
    return Found(
        method=TRUNCATED,
        runtime=f"ai-edge-litert {metadata.version('ai-edge-litert')}",
        operations=operations,
        whole=tuple(float(value) for value in ends[-1]),
    )


def cut_behind(data: bytes, index: int) -> bytes:
    """Return a TFLite file that ends with the operation of a number, and gives what that one gives."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
    graph = model.subgraphs[0]
    graph.operators = graph.operators[: index + 1]
    graph.outputs = np.array(graph.operators[-1].outputs, np.int32)
    model.signatureDefs, model.metadata = [], []
    builder: Any = flatbuffers.Builder(len(data))
    builder.Finish(model.Pack(builder), _FILE_ID)
    return bytes(builder.Output())


def _call(path: Path, part: Path, threads: int, seed: int) -> Call:
    interpreter = open_litert(part, threads=threads)
    try:
        with quiet((2,)):
            interpreter.allocate_tensors()
        (end,) = interpreter.get_input_details()
        rng, kind = np.random.default_rng(seed), np.dtype(end["dtype"])
        values = rng.integers(0, 128, end["shape"]) if kind.kind == "i" else rng.random(end["shape"])
        interpreter.set_tensor(end["index"], values.astype(kind))
    except Exception as error:
        raise ArtifactError(f"{path}: LiteRT cannot run a part of it ({one_line(error)})") from error
    run: Call = interpreter.invoke
    return run


def _operation(kind: str, step: Any, tensors: Any, macs: int, seconds: Any, index: int) -> Timed:
    """Describe an operation; one that is fused into the next may take no time, or a little less than none."""
    places = [place for place in (*step.inputs, *step.outputs) if place >= 0]
    result = tensors[step.outputs[0]]
    data = tensors[step.inputs[_DATA.get(kind, 0)]]
    shape = tuple(int(size) for size in result.shape)
    return Timed(
        name=f"{index}_{kind}",
        kind=kind,
        shape=shape,
        seconds=tuple(float(value) for value in seconds),
        macs=macs,
        bytes_moved=sum(_bytes(tensors[place]) for place in places),
        channels=(int(data.shape[-1]), shape[-1]) if kind in _MULTIPLIES else None,
        arithmetic="int8" if data.type == _int8() else "float32",
    )


def _int8() -> int:
    from ai_edge_litert import schema_py_generated as schema

    return int(schema.TensorType.INT8)


def _bytes(tensor: Any) -> int:
    from ai_edge_litert import schema_py_generated as schema

    kinds = schema.TensorType
    width = {kinds.INT8: 1, kinds.UINT8: 1, kinds.INT16: 2, kinds.FLOAT16: 2, kinds.INT64: 8}.get(tensor.type, 4)
    return int(width * math.prod(int(size) for size in tensor.shape))
