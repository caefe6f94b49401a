"""`edgeseg run`: segment slices with one artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeseg.results import RunResult


def run(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The artifact: a .onnx or .tflite file.")],
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Slices, patients' folders, or folders of patients.", show_default=False),
    ],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the masks and summary.json go.", show_default=False)],
    threads: Annotated[int, typer.Option("--threads", help="Threads of the runtime.")] = 2,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Segment slices and write DIR/PATIENT/SLICE_mask.png (0 or 255, the slice's size) and DIR/summary.json.

    Files that end in _mask are passed over; a slice's patient is the folder it lies in. Where the artifact drops small
    components, those of a folder are its volume's; slices that are given as files stand alone.
    """
    from rich.console import Console
    from rich.progress import Progress

    from edgeseg.jsonio import to_json
    from edgeseg.stages.run import run as run_stage

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("segment", total=None)
        result = run_stage(
            model,
            paths,
            out=out,
            threads=threads,
            progress=lambda done, total, label: bar.update(task, completed=done, total=total, description=label),
        )
    if json:
        typer.echo(to_json(result))
    else:
        _print(result, out)


def _print(result: RunResult, out: Path) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from edgeseg.cli._print import show

    console = Console()
    table = Table(box=None, pad_edge=False)
    table.add_column("patient", overflow="fold")
    for name in ("slices", "with tumour", "tumour px", "ms p50", "p95"):
        table.add_column(name, justify="right", no_wrap=True)
    for patient in result.patients:
        counts = (patient.slices, patient.slices_with_tumour, patient.tumour_pixels)
        latencies = (f"{patient.latency_ms_p50:.1f}", f"{patient.latency_ms_p95:.1f}")
        table.add_row(escape(patient.patient), *map(str, counts), *latencies)
    show(table, console=console)
    for patient in result.patients:
        for warning in patient.warnings:
            console.print(
                f"[yellow]{escape(patient.patient)}: {escape(warning)}[/yellow]", soft_wrap=True, highlight=False
            )
    if any(patient.post_processing != "none" for patient in result.patients):
        rules = sorted({patient.post_processing for patient in result.patients})
        console.print(f"small components dropped by the rule for: {', '.join(rules)}", highlight=False)
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}"
    for told in (f"{result.model}: {result.runtime}, {threads}, {result.numerics}", f"masks and summary.json: {out}"):
        console.print(escape(told), soft_wrap=True, highlight=False)
    console.print(escape(result.intended_use), style="dim", soft_wrap=True, highlight=False)
