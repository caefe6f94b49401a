"""`edgeseg run`: segment slices with one artifact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._channels import ChannelCommand
from edgeseg.cli._complete import models
from edgeseg.cli._model import MODEL_HELP
from edgeseg.cli._options import ContractFile, Threads, json_option, out_option

if TYPE_CHECKING:
    from rich.console import Console

    from edgeseg.results import PatientSegmentation, RunResult
    from edgeseg.specs import RunOptions


COMMAND = ChannelCommand


def run(
    model: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help=f"{MODEL_HELP} Not needed for --list.", autocompletion=models),
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
    out: Annotated[Path | None, out_option("Where the masks and summary.json go.", short=True)] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="List the series in PATH and what each is taken for, and do nothing else.")
    ] = False,
    channel: Annotated[
        list[str] | None,
        typer.Option(
            "--channel",
            metavar="NAME=PATH",
            help="The file of one channel of the network: NIfTI, a DICOM series' folder, or grey slices; --NAME PATH "
            "is short for it.",
        ),
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="NAME=SERIES",
            help="Number, UID or description of a channel's series, where there are several; --NAME-series SERIES is "
            "short for it.",
        ),
    ] = None,
    volumes: Annotated[
        str | None,
        typer.Option(
            "--volumes", help="Which channels a 4-D file holds, in order, - for none: t2,t1,-", metavar="NAMES"
        ),
    ] = None,
    spacing: Annotated[
        str | None,
        typer.Option("--spacing", help="Distances in mm, where files hold none.", metavar="ROW,COLUMN[,SLICE]"),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", help="png, tiff, nifti or dicom-seg; several with commas. Default: as the input."),
    ] = None,
    overlays: Annotated[bool, typer.Option("--overlays", help="Also draw overlays and a contact sheet.")] = False,
    salt: Annotated[
        str | None,
        typer.Option(
            "--salt",
            metavar="FILE",
            help="16 random bytes or more to name DICOM patients by; else EDGESEG_SALT, or drawn once for each DIR.",
        ),
    ] = None,
    de_identify: Annotated[
        bool,
        typer.Option(
            "--de-identify", help="Write nothing that says whose it is: pseudonyms, other UIDs, moved dates; by --salt."
        ),
    ] = False,
    same_patient: Annotated[
        bool,
        typer.Option("--same-patient", help="Take sequences for one patient's whose headers name different ones."),
    ] = False,
    contract: ContractFile = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Pass over patients that are done: same model, options and unchanged files."),
    ] = False,
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Also write summary.json as a table, a line per patient."),
    ] = None,
    untrusted: Annotated[
        bool,
        typer.Option("--untrusted", help="Read scans in a process with limits on memory and time."),
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", help="Processes that segment patients at once, with --threads each.")
    ] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help="Deal patients to the workers of a Ray cluster; local for this machine."
        ),
    ] = None,
    threads: Threads = 2,
    json: Annotated[bool, json_option("Print the summary as JSON.")] = False,
) -> None:
    """Segment scans and write DIR/PATIENT/SLICE_mask.png (0 or 255, the slice's size) and DIR/summary.json.

    From NIfTI the mask is one file on the input's voxels, from DICOM a DICOM SEG. Slices whose names end in _mask are
    passed over; a slice's patient is the folder it lies in. Where the artifact drops small components, those of a
    folder are its volume's; slices that are given as files stand alone.

    Each patient is written as soon as it is done. One who fails is named, with the reason, here and in summary.json;
    the others are done, and the exit code is 1. Runs into one DIR add up in its summary.json.

    An option called like a channel of the network names its file, such as --t1 FILE or --t2 FILE; which channels it
    takes is told by `edgeseg contract show`. `edgeseg run DIR --list` shows the series of a folder, and what each is
    taken for and why.
    """
    from edgeseg.cli._channels import pairs
    from edgeseg.cli._model import artifact
    from edgeseg.cli._salt import salt_of
    from edgeseg.specs import RunOptions, parse_spacing

    options = RunOptions(
        sequences={name: Path(path) for name, path in pairs(channel, "--channel NAME=PATH").items()},
        series=pairs(series, "--series NAME=SERIES"),
        volumes=tuple(volumes.split(",")) if volumes else (),
        spacing_mm=parse_spacing(spacing) if spacing else None,
        formats=tuple(name.strip() for one in formats or () for name in one.split(",")),
        overlays=overlays,
        salt=salt_of(salt),
        contract=contract,
        untrusted=untrusted,
        de_identify=de_identify,
        same_patient=same_patient,
    )
    if list_only:
        from edgeseg.cli._series import print_series

        print_series((*_scan_first(model), *(paths or ())), options, json=json)
        return
    if out is None:
        raise typer.BadParameter("name the folder for the masks", param_hint="'--out' / '-o'")
    _segment(
        artifact(model),
        tuple(paths or ()),
        out,
        threads,
        options,
        json=json,
        resume=resume,
        csv=csv,
        workers=workers,
        ray=ray,
    )


def _scan_first(model: Path) -> tuple[Path, ...]:
    """Return what stands in the model's place, where --list needs none; a network's name is passed over."""
    from edgeseg.cli._model import network_of

    return (model,) if model.exists() or network_of(model) is None else ()


def _segment(
    model: Path,
    paths: tuple[Path, ...],
    out: Path,
    threads: int,
    options: RunOptions,
    *,
    json: bool,
    resume: bool,
    csv: Path | None,
    workers: int,
    ray: str | None,
) -> None:
    from edgeseg.artifacts import require_writable, write_text
    from edgeseg.cli._progress import named
    from edgeseg.cli._terminal import console as make_console
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.reports.csv import patients as as_csv
    from edgeseg.stages.segment import run as run_stage
    from edgeseg.stages.segment.summary import SUMMARY_FILE

    if csv is not None:
        if csv.resolve() == (out / SUMMARY_FILE).resolve():
            raise OptionError(f"--csv {csv} is the summary that other runs add to; name another file")
        require_writable(csv)
    now: list[PatientSegmentation] = []
    console = make_console(stderr=True)
    with named("segment", console) as progress:
        result = run_stage(
            model,
            paths,
            out=out,
            threads=threads,
            options=options,
            resume=resume,
            workers=workers,
            ray=ray,
            progress=progress,
            on_patient=lambda row, before: None if before else now.append(row),
        )
    _tell_doubts(now, console)
    if csv is not None:
        write_text(csv, as_csv(result))
    if json:
        typer.echo(to_json(result))
    else:
        _print(result, now, out, csv)
    _refuse_failed(now, out)


def _tell_doubts(rows: list[PatientSegmentation], console: Console) -> None:
    from edgeseg.reports.table import literal

    for row in rows:
        for warning in row.warnings:
            console.print(literal(f"{row.patient}: {warning}", "yellow"), soft_wrap=True)


def _refuse_failed(rows: list[PatientSegmentation], out: Path) -> None:
    """Say who failed and why, and end with exit code 1."""
    from edgeseg.errors import CheckFailedError
    from edgeseg.reports.escape import one_line
    from edgeseg.results import FAILED

    failed = [row for row in rows if row.status == FAILED]
    for row in failed:
        typer.echo(one_line(f"failed: {row.patient}: {row.reason}"), err=True)
    if failed:
        names = ", ".join(row.patient for row in failed)
        others = f"the others are in {out}; " if len(rows) > len(failed) else ""
        raise CheckFailedError(
            f"{len(failed)} of {len(rows)} patients failed ({names}); {others}mend or leave out what failed, and run "
            "again with --resume"
        )


def _print(result: RunResult, rows: list[PatientSegmentation], out: Path, csv: Path | None) -> None:
    from edgeseg.cli._print import show
    from edgeseg.cli._terminal import console as make_console
    from edgeseg.reports.run import run_lines, run_table

    console = make_console()
    if (table := run_table(rows)) is not None:
        show(table, console=console)
    for told in run_lines(result, rows, out=out, csv=csv):
        console.print(told, soft_wrap=True)
