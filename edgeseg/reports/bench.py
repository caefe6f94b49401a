"""What `edgeseg bench` found, drawn for a terminal of 80 columns."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT, milliseconds_text
from edgeseg.results import BenchCell, BenchResult, SpeedRatio

FEW_RUNS = 100


def bench_table(result: BenchResult) -> RenderableType:
    """Draw time, memory, ratios and volumes, each in a table of its own, and the machine under them."""
    names = short_names([cell.file for cell in result.cells])
    parts: list[RenderableType] = [_times(result, names), Text(), _costs(result, names)]
    if any(cell.ratios for cell in result.cells):
        parts += [Text(), _ratios(result, names)]
    if any(cell.sustained for cell in result.cells):
        parts += [Text(), _volumes(result, names)]
    return Group(*parts, Text(), literal("\n".join(_notes(result)), "dim"))


def short_names(files: list[str]) -> dict[str, str]:
    """Return for each path its name, or where two share one the path below what all have in common."""
    unique = list(dict.fromkeys(files))
    if len({Path(file).name for file in unique}) == len(unique):
        return {file: Path(file).name for file in unique}
    common = os.path.commonpath([Path(file).absolute() for file in unique])
    return {file: str(Path(file).absolute().relative_to(common)) for file in unique}


def ratio_text(ratio: SpeedRatio) -> str:
    """Write `times [low, high]`."""
    if ratio.low is None or ratio.high is None:
        return f"{_times_text(ratio.times)} (too few runs)"
    return f"{_times_text(ratio.times)} [{_times_text(ratio.low)}, {_times_text(ratio.high)}]"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    first, *others = heads
    return rich_table((Column(first, overflow="fold"), *figures(*others, wrap=True)), rows, gap=2)


def _times(result: BenchResult, names: dict[str, str]) -> Table:
    what = "wall time under an emulator" if result.device.emulator else "one slice"
    heads = (what, "threads", "p50 ms", "p90 ms", "p99 ms", "n", "GMAC/s", "of GEMM")
    rows = (
        (
            names[cell.file],
            str(cell.threads),
            *(_ms(value) for value in (cell.p50_ms, cell.p90_ms, cell.p99_ms)),
            str(cell.runs),
            ABSENT if cell.macs_per_s is None else f"{cell.macs_per_s / 1e9:.1f}",
            ABSENT if cell.gemm_share is None else f"{100 * cell.gemm_share:.0f} %",
        )
        for cell in result.cells
    )
    return _table(heads, rows)


def _costs(result: BenchResult, names: dict[str, str]) -> Table:
    rows = (
        (
            names[cell.file],
            str(cell.threads),
            _ms(cell.load_ms),
            _ms(cell.first_ms),
            _peak(cell.peak_rss_bytes, cell.idle_rss_bytes),
            cell.runtime,
        )
        for cell in result.cells
    )
    return _table(("alone in its process", "threads", "load ms", "first ms", "peak MB", "runtime"), rows)


def _ratios(result: BenchResult, names: dict[str, str]) -> Table:
    rows = (
        (names[cell.file], str(cell.threads), ratio_text(ratio), names.get(ratio.reference, ratio.reference),
         str(ratio.pairs))
        for cell in result.cells
        for ratio in cell.ratios
    )  # fmt: skip
    return _table(("times as fast [95 %]", "threads", "times", "as", "pairs"), rows)


def _volumes(result: BenchResult, names: dict[str, str]) -> Table:
    rows = (
        (
            names[cell.file],
            str(cell.threads),
            str(found.slices),
            _ms(found.first_third_ms),
            _ms(found.last_third_ms),
            f"{100 * found.drift:+.0f} %",
            f"{found.total_s:.1f}",
            _peak(found.peak_rss_bytes, None),
        )
        for cell in result.cells
        if (found := cell.sustained) is not None
    )
    return _table(("a whole volume", "threads", "slices", "first ms", "last ms", "drift", "s", "peak MB"), rows)


def _notes(result: BenchResult) -> list[str]:
    device = result.device
    notes = []
    if any(cell.sustained for cell in result.cells):
        notes.append("a whole volume: medians of its first and last third; s holds the post-processing too.")
    if device.emulator:
        notes.append(f"NO LATENCY: run under {device.emulator}; these times say nothing about a device.")
    if min((cell.runs for cell in result.cells), default=FEW_RUNS) < FEW_RUNS:
        notes.append("below n = 100 the 99th percentile is close to the slowest run.")
    if any(not cell.has_contract for cell in result.cells):
        peers = [cell for cell in result.cells if not cell.has_contract]
        notes.append(f"without a contract, fed random numbers: {_listed(peers)}.")
    if uncounted := [cell for cell in result.cells if cell.macs is None]:
        notes.append(
            f"no GMAC/s (billions of multiply-accumulates a second): those of {_listed(uncounted)} were not counted; "
            "what counts them comes with edgeseg[build]."
        )
    rates = ", ".join(f"{r.macs_per_s / 1e9:.0f} GMAC/s at {r.threads}" for r in result.gemm)
    notes.append(f"GEMM: best float32 matrix product of the host in this run, {rates} threads.")
    load = "" if device.load_average is None else f"; load average before the runs {device.load_average:g}"
    notes.append(f"one slice per run, in turns; {device.cpu}, {device.cores} cores, {device.os}{load}")
    return notes


def _listed(cells: list[BenchCell]) -> str:
    return ", ".join(dict.fromkeys(Path(cell.file).name for cell in cells))


def _times_text(times: float) -> str:
    return f"{times:.2f}" if times < 9.995 else f"{times:.1f}"


def _ms(milliseconds: float | None) -> str:
    return ABSENT if milliseconds is None else milliseconds_text(milliseconds)


def _peak(peak: int | None, idle: int | None) -> str:
    """Write bytes in MB, and in brackets what they grew by."""
    grown = "" if peak is None or idle is None else f" (+{(peak - idle) / 1e6:.0f})"
    return ABSENT if peak is None else f"{peak / 1e6:.0f}{grown}"
