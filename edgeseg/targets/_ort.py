"""From an ONNX file to ORT format: optimised as for Arm, in equal bytes every time, with its list of operators.

ONNX Runtime writes the table of kernel types, which stands in front of the graph, in the order of a hash table that
differs from run to run. Here the table is written anew in order; the rest of the file is as it was.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, one_line
from edgeseg.place import scratch
from edgeseg.quiet import quiet
from edgeseg.targets._flat import Table

OPERATORS_SUFFIX = ".required_operators.config"
_ALIGNMENT = 16
_MODEL, _RESOLVER = 1, 3
"""Fields of the root table `InferenceSession` of ONNX Runtime's `ort.fbs`."""
_X86_ONLY = ("NchwcTransformer",)
_CONFIG = {"session.save_model_format": "ORT", "session.qdqisint8allowed": "1"}
"""The second is ONNX Runtime's default on Arm: whole convolutions become signed int8."""

_Kernels = dict[str, dict[str, list[tuple[int, int]]]]
"""By operator (`domain:name:version`) and type parameter: its arguments, as (0 input or 1 output, place)."""


def write_operators(path: Path) -> None:
    """Write the list of operators of an ORT file beside it.

    Raises:
        OutputError: when it cannot be written.
    """
    artifacts.write_text(path.with_suffix(OPERATORS_SUFFIX), required_operators(path.read_bytes()))


def saved(onnx_file: bytes) -> bytes:
    """Return an ONNX file in ORT format: operators fused, batch and layout as they were, metadata kept.

    The extended level fuses without what is peculiar to one processor, so that the file runs alike on all.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    for key, value in _CONFIG.items():
        options.add_session_config_entry(key, value)
    with scratch() as folder, quiet():
        place = folder / "model.ort"
        options.optimized_model_filepath = str(place)
        try:
            ort.InferenceSession(
                onnx_file, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(_X86_ONLY)
            )
            data = place.read_bytes()
        except Exception as error:
            raise ArtifactError(f"ONNX Runtime cannot save the graph in ORT format ({one_line(error)})") from error
    return _in_order(data)


def required_operators(data: bytes) -> str:
    """List the operators of an ORT file as `build.py --include_ops_by_config` of ONNX Runtime reads them.

    One line per domain and version: `ai.onnx;10;QLinearConv`.
    """
    found: dict[tuple[str, int], list[str]] = {}
    for operator in _read(data):
        domain, name, version = operator.rsplit(":", 2)
        found.setdefault((domain or "ai.onnx", int(version)), []).append(name)
    lines = [f"{domain};{version};{','.join(sorted(names))}" for (domain, version), names in sorted(found.items())]
    return "\n".join(
        ("# Operators of this model, for a reduced build of ONNX Runtime (--include_ops_by_config).", *lines, "")
    )


def _in_order(data: bytes) -> bytes:
    """Write the table of kernel types in order, and move what stands behind it.

    Raises:
        ArtifactError: when the file is not laid out as ONNX Runtime lays it out: root, table, graph.
    """
    root = Table.root(data)
    slots = {slot: place for slot in range(4) if (place := root.field(slot)) is not None}
    if data[4:8] != b"ORTM" or not {_MODEL, _RESOLVER} <= set(slots):
        raise ArtifactError("ONNX Runtime saved no ORT format; use its version in requirements.lock")
    children = {slot: child for slot in slots if (child := root.child(slot)) is not None}
    ends = {slot: child.place for slot, child in children.items()}
    begin, end = ends[_RESOLVER], min(ends[_MODEL], children[_MODEL].vtable)
    if not max(slots.values()) < begin < end or any(begin < ends[slot] < end for slot in slots if slot != _RESOLVER):
        raise ArtifactError("ONNX Runtime laid the ORT file out in another way; use its version in requirements.lock")
    table = _packed(_read(data))
    head = bytearray(data[:begin])
    head += bytes(-len(head) % _ALIGNMENT)
    place = len(head)
    body = bytes(head) + table
    body += bytes((end - len(body)) % _ALIGNMENT)
    moved = len(body) - end
    result = bytearray(body + data[end:])
    for slot, where in slots.items():
        target = (
            place + Table.root(table).place if slot == _RESOLVER else ends[slot] + (moved if ends[slot] >= end else 0)
        )
        struct.pack_into("<I", result, where, target - where)
    return bytes(result)


def _read(data: bytes) -> _Kernels:
    """Read the table of kernel types."""
    resolver = Table.root(data).child(_RESOLVER)
    if resolver is None:
        raise ArtifactError(
            "the ORT file has no table of kernel types; use ONNX Runtime's version in requirements.lock"
        )
    return {
        operator.text(): {
            kind.text(): sorted((use.scalar(0, 1), use.scalar(1, 4)) for use in kind.tables(1))
            for kind in operator.tables(1)
        }
        for operator in resolver.tables(0)
    }


def _packed(kernels: _Kernels) -> bytes:
    """Write the table of kernel types as a flatbuffer of its own, every list in order."""
    import flatbuffers

    builder: Any = flatbuffers.Builder(1024)

    def table(*fields: int) -> int:
        builder.StartObject(len(fields))
        for slot, place in enumerate(fields):
            builder.PrependUOffsetTRelativeSlot(slot, place, 0)
        return int(builder.EndObject())

    def vector(items: list[int]) -> int:
        builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            builder.PrependUOffsetTRelative(item)
        return int(builder.EndVector())

    def use(kind: int, index: int) -> int:
        builder.StartObject(2)
        builder.PrependInt8Slot(0, kind, 0)
        builder.PrependUint32Slot(1, index, 0)
        return int(builder.EndObject())

    operators = []
    for operator, kinds in sorted(kernels.items()):
        entries = [
            table(builder.CreateString(kind), vector([use(*argument) for argument in uses]))
            for kind, uses in sorted(kinds.items())
        ]
        operators.append(table(builder.CreateString(operator), vector(entries)))
    builder.Finish(table(vector(operators)))
    return bytes(builder.Output())
