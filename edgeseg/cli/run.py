"""`edgeseg run`: segment slices with one artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeseg.results import PatientSegmentation, RunResult
    from edgeseg.specs import RunOptions


def run(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="The artifact: a .onnx, .ort or .tflite file; not needed for --list."),
    ],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Slices, patients' folders, folders of patients, 4-D NIfTI files, or folders with the NIfTI files or "
            "DICOM series of one patient.",
            show_default=False,
        ),
    ] = None,
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Where the masks and summary.json go.")] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the series in PATH and what each is taken for, and do nothing else.")
    ] = False,
    pre: Annotated[
        Path | None, typer.Option("--pre", help="One sequence: NIfTI, a DICOM series' folder, or grey slices.")
    ] = None,
    flair: Annotated[Path | None, typer.Option("--flair", help="Likewise; the masks are on its grid.")] = None,
    post: Annotated[Path | None, typer.Option("--post", help="Likewise, with contrast agent.")] = None,
    pre_series: Annotated[
        str | None,
        typer.Option("--pre-series", metavar="SERIES", help="Number, UID or description, where there are several."),
    ] = None,
    flair_series: Annotated[str | None, typer.Option("--flair-series", metavar="SERIES", help="Likewise.")] = None,
    post_series: Annotated[str | None, typer.Option("--post-series", metavar="SERIES", help="Likewise.")] = None,
    volumes: Annotated[
        str | None, typer.Option("--volumes", help="What a 4-D file holds, in order: flair,pre,post,-", metavar="NAMES")
    ] = None,
    spacing: Annotated[
        str | None,
        typer.Option("--spacing", help="Distances in mm, where files hold none.", metavar="ROW,COLUMN[,SLICE]"),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="png, tiff, nifti or dicom-seg; may be repeated. Default: as the input."),
    ] = None,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw overlays and a contact sheet.")] = False,
    salt: Annotated[
        str | None, typer.Option("--salt", help="For the hashes that stand for DICOM patients; else drawn anew.")
    ] = None,
    contract: Annotated[
        Path | None,
        typer.Option("--contract", metavar="FILE", help="The contract, as JSON, of a model that carries none."),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", help="Threads of the runtime.")] = 2,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Segment scans and write DIR/PATIENT/SLICE_mask.png (0 or 255, the slice's size) and DIR/summary.json.

    From NIfTI the mask is one file on the input's voxels, from DICOM a DICOM SEG. Slices whose names end in _mask are
    passed over; a slice's patient is the folder it lies in. Where the artifact drops small components, those of a
    folder are its volume's; slices that are given as files stand alone.

    `edgeseg run DIR --list` shows the series of a folder, and what each is taken for and why.
    """
    from edgeseg.specs import RunOptions, parse_spacing

    options = RunOptions(
        pre=pre,
        flair=flair,
        post=post,
        pre_series=pre_series,
        flair_series=flair_series,
        post_series=post_series,
        volumes=tuple(volumes.split(",")) if volumes else (),
        spacing_mm=parse_spacing(spacing) if spacing else None,
        formats=tuple(formats or ()),
        overlays=overlays,
        salt=salt,
        contract=contract,
    )
    if list_only:
        from edgeseg.cli._series import print_series

        print_series((model, *(paths or ())), options, json=json)
        return
    if out is None:
        raise typer.BadParameter("name the folder for the masks", param_hint="'--out' / '-o'")
    _segment(model, tuple(paths or ()), out, threads, options, json=json)


def _segment(model: Path, paths: tuple[Path, ...], out: Path, threads: int, options: RunOptions, *, json: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from edgeseg.jsonio import to_json
    from edgeseg.stages.segment import run as run_stage

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("segment", total=None)
        result = run_stage(
            model,
            paths,
            out=out,
            threads=threads,
            options=options,
            progress=lambda done, total, label: bar.update(task, completed=done, total=total, description=label),
        )
    for patient in result.patients:
        for warning in patient.warnings:
            console.print(
                f"[yellow]{escape(patient.patient)}: {escape(warning)}[/yellow]", soft_wrap=True, highlight=False
            )
    if json:
        typer.echo(to_json(result))
    else:
        _print(result, out)


def _sources(patient: PatientSegmentation) -> list[str]:
    """Say which files were used for which sequence, and which were not."""
    used = [
        f"{one.sequence}: '{one.series}', {one.files} file{'s' * (one.files > 1)}, {one.slices} slices"
        for one in patient.used
    ]
    return used + [
        f"not used: '{one.name}', {one.files} file{'s' * (one.files > 1)}: {one.why}" for one in patient.unused
    ]


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
        if patient.tumour_volume_ml is not None and patient.largest_diameter_mm is not None:
            measured = f"{patient.tumour_volume_ml:.1f} mL, largest diameter {patient.largest_diameter_mm:.0f} mm"
            console.print(f"{escape(patient.patient)}: {measured}", soft_wrap=True, highlight=False)
        for told in _sources(patient):
            console.print(f"{escape(patient.patient)}: {escape(told)}", soft_wrap=True, highlight=False)
    if any(patient.post_processing != "none" for patient in result.patients):
        rules = sorted({patient.post_processing for patient in result.patients})
        console.print(f"small components dropped by the rule for: {', '.join(rules)}", highlight=False)
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}"
    for told in (f"{result.model}: {result.runtime}, {threads}, {result.numerics}", f"masks and summary.json: {out}"):
        console.print(escape(told), soft_wrap=True, highlight=False)
    console.print(escape(result.intended_use), style="dim", soft_wrap=True, highlight=False)
