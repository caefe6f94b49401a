"""The time of each node of an ONNX graph, from ONNX Runtime's own profile."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from edgeseg.errors import ArtifactError, one_line
from edgeseg.place import scratch
from edgeseg.progress import Progress
from edgeseg.runtime.onnx_session import IDLE
from edgeseg.stages.bench.interleave import interleave
from edgeseg.stages.bench.operations import Found, Timed
from edgeseg.targets.macs import Cost, costs_by_name

PROFILE = "profile"
_SIZES = {"float": 4, "float16": 2, "int32": 4, "int64": 8, "double": 8}
_END = "_kernel_time"
_MULTIPLIES = (
    "Conv", "FusedConv", "NhwcFusedConv", "QLinearConv", "ConvInteger", "ConvTranspose", "Gemm", "MatMul",
    "FusedMatMul", "MatMulInteger", "QLinearMatMul", "QGemm",
)  # fmt: skip


def profiled(
    path: Path, *, threads: int, runs: int, warmup: int, integer: bool, seed: int, progress: Progress | None = None
) -> Found:
    """Run a file with and without ONNX Runtime's profile.

    Args:
        path: of a `.onnx` or `.ort` file with one input.
        threads: of the runtime.
        runs: counted runs of either kind.
        warmup: runs of either kind before any is counted.
        integer: let signed int8 stay in integers, as `edgeseg.runtime` does where that is exact.
        seed: of the numbers that are fed.
        progress: called after each run.

    Raises:
        ArtifactError: when ONNX Runtime cannot run the file, or leaves no profile.
    """
    with scratch("layers") as folder:
        try:
            plain, watched = (_session(path, threads, integer, prefix) for prefix in (None, folder / "profile"))
            feeds = _feeds(plain, seed)
            calls = {"plain": lambda: plain.run(None, feeds), "profile": lambda: watched.run(None, feeds)}
            timed = interleave(calls, runs=runs, warmup=warmup, progress=progress)
            events = json.loads(Path(watched.end_profiling()).read_text())
        except Exception as error:
            raise ArtifactError(
                f"{path}: ONNX Runtime cannot profile it ({one_line(error)}); the file is damaged, cut short or of "
                "another format; copy it again or build it again"
            ) from error
    return Found(
        method=PROFILE,
        runtime=f"onnxruntime {ort.__version__}",
        operations=operations(events, costs_by_name(path), runs=runs),
        whole=tuple(timed.seconds["plain"]),
    )


def operations(events: list[dict[str, Any]], costs: dict[str, Cost], *, runs: int) -> tuple[Timed, ...]:
    """Sum up the events of a profile.

    Args:
        events: as ONNX Runtime writes them.
        costs: `costs_by_name`; the names of the runtime's own nodes begin with those that they came from.
        runs: how many runs were counted, the last ones.

    Raises:
        ArtifactError: when a node ran less often than that.
    """
    nodes = [e for e in events if e.get("cat") == "Node" and e["name"].endswith(_END)]
    by_name: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for event in nodes:
        key = (event["name"].removesuffix(_END), str(event["args"].get("node_index", "")))
        by_name.setdefault(key, []).append(event)
    if short := [name for (name, _), found in by_name.items() if len(found) < runs]:
        raise ArtifactError(f"the profile of ONNX Runtime tells of '{short[0]}' less than {runs} times")
    return tuple(_operation(name, found[-runs:], costs) for (name, _), found in by_name.items())


def _operation(name: str, events: list[dict[str, Any]], costs: dict[str, Cost]) -> Timed:
    told = events[0]["args"]
    kind = str(told.get("op_name", ""))
    given, taken = (_tensors(told.get(f"{end}_type_shape", [])) for end in ("output", "input"))
    shape = given[0][1] if given else ()
    known = [node for node in costs if name == node or name.startswith(f"{node}_")]
    cost = costs[max(known, key=len)] if known and kind in _MULTIPLIES else None
    moved = sum(_SIZES.get(dtype, 1) * math.prod(sizes) for dtype, sizes in (*given, *taken) if sizes)
    return Timed(
        name=name,
        kind=kind,
        shape=shape,
        seconds=tuple(event["dur"] / 1e6 for event in events),
        macs=cost.macs if cost else None if kind in _MULTIPLIES else 0,
        bytes_moved=moved,
        channels=cost.channels if cost else None,
        arithmetic="int8" if any(dtype in ("int8", "uint8") for dtype, _ in taken) else "float32",
    )


def _tensors(told: list[dict[str, list[int]]]) -> list[tuple[str, tuple[int, ...]]]:
    return [(dtype, tuple(int(size) for size in sizes)) for one in told for dtype, sizes in one.items()]


def _session(path: Path, threads: int, integer: bool, prefix: Path | None) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
    options.add_session_config_entry(*IDLE)
    if integer:
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    if prefix is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(prefix)
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"], enable_fallback=0)


def _feeds(session: Any, seed: int) -> dict[str, Any]:
    (end,) = session.get_inputs()
    shape = tuple(size if isinstance(size, int) else 1 for size in end.shape)
    rng = np.random.default_rng(seed)
    if end.type in ("tensor(int8)", "tensor(uint8)"):
        return {end.name: rng.integers(0, 128, shape).astype(end.type[7:-1])}
    return {end.name: rng.random(shape, np.float32)}
