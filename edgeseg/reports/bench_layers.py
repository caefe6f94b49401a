"""What `edgeseg bench --layers` found, drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Column
from rich.text import Text

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT
from edgeseg.results import LayersResult, LayerTime

_HOW = {
    "profile": "ONNX Runtime's profile of each operation",
    "truncated": "the graph cut behind each operation, and the difference of two cuts in one round",
}


def layers_table(result: LayersResult) -> RenderableType:
    """Draw a row per operation in the order they run, and what the figures mean under them."""
    columns = (
        Column("operation", overflow="fold"),
        Column("gives", overflow="fold"),
        *figures("ms", "share", "MMAC", "lanes", "arith. ms", "memory ms", wrap=True),
    )
    return Group(
        rich_table(columns, [_row(layer) for layer in result.layers], gap=2),
        Text(),
        literal("\n".join(_notes(result)), "dim"),
    )


def _row(layer: LayerTime) -> tuple[str, ...]:
    return (
        layer.name,
        " x ".join(map(str, layer.shape[1:])),
        f"{layer.ms:.3f}",
        f"{100 * layer.share:.0f} %",
        ABSENT if layer.macs is None else f"{layer.macs / 1e6:.1f}" if layer.macs else "",
        "" if layer.lanes_filled is None else f"{100 * layer.lanes_filled:.0f} %",
        ABSENT if layer.arithmetic_ms is None else f"{layer.arithmetic_ms:.3f}" if layer.macs else "",
        f"{layer.memory_ms:.3f}",
    )


def _notes(result: LayersResult) -> list[str]:
    device = result.device
    total = sum(layer.ms for layer in result.layers)
    notes = [
        f"whole network {result.whole_ms:.3f} ms, all operations {total:.3f} ms: medians of {result.runs} runs, "
        f"threads {result.threads}, {result.runtime}.",
        f"how: {_HOW[result.method]}; an operation that is fused into the next takes no time of its own.",
        f"lanes: the share of multipliers on real channels, in groups of {result.channels_out} that are given and "
        f"{result.channels_in} that are read.",
        f"arith. and memory: at {result.gemm.macs_per_s / 1e9:.0f} GMAC/s, the host's best float32 matrix product, and "
        f"{result.copy_bytes_per_s / 1e9:.1f} GB/s, its best copy of 32 MiB; int8 may be faster than the first, and "
        "what stays in a cache than the second.",
    ]
    if device.emulator:
        notes.insert(0, f"NO LATENCY: run under {device.emulator}; these times say nothing about a device.")
    load = "" if device.load_average is None else f"; load average before the runs {device.load_average:g}"
    notes.append(f"{device.cpu}, {device.cores} cores, {device.os}{load}")
    return notes
