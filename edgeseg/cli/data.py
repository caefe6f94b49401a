"""`edgeseg data`: make, fetch, check, split and describe data sets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._data import Labels, Layout, Ray
from edgeseg.cli._options import json_option, out_option
from edgeseg.cli._print import show
from edgeseg.cli._progress import counted
from edgeseg.progress import Progress, Say

if TYPE_CHECKING:
    from edgeseg.data.summary import DataSummary
    from edgeseg.data.verify import VerifyResult

app = typer.Typer(name="data", help="Make, fetch, check, split and describe data sets.", no_args_is_help=True)

_SHOWN_FINDINGS = 20

DataDir = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder that holds the patients, or a CSV that lists them.")
]
AsJson = Annotated[bool, json_option("Print JSON with a schema version instead of a table.")]


@app.command()
def phantom(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A new or empty folder.")],
    *,
    patients: Annotated[int, typer.Option(help="How many patients.", min=1)] = 8,
    seed: Annotated[int, typer.Option(help="Patients of one seed are always the same.", min=0)] = 0,
    as_json: AsJson = False,
) -> None:
    """Write synthetic patients in the Kaggle layout; no real data is needed."""
    from edgeseg.data.fetch import require_free, staged_folder
    from edgeseg.data.kaggle_lgg import KaggleLgg
    from edgeseg.data.phantom import PhantomDataset, write_dataset
    from edgeseg.data.summary import summarise

    require_free(dest)
    dataset = PhantomDataset(patients=patients, seed=seed)
    with staged_folder(dest) as temporary, counted("Writing phantoms") as progress:
        write_dataset(dataset, temporary, progress)
    with counted("Counting") as progress:
        summary = summarise(KaggleLgg(dest), progress=progress)
    if as_json:
        _print_json(summary)
        return
    typer.echo(
        f"Wrote {summary.patients} phantom patients ({summary.slices} slices, {summary.tumour_slices} with tumour, "
        f"seed {seed}) to {dest}"
    )


@app.command()
def fetch(
    dest: Annotated[Path, typer.Argument(metavar="DEST", help="A new or empty folder.")], *, as_json: AsJson = False
) -> None:
    """Get the real LGG set from Kaggle with your own credentials (licence CC BY-NC-SA 4.0)."""
    from edgeseg.data.fetch import fetch as fetch_set

    with _status() as (say, progress):
        result = fetch_set(dest, progress=progress, say=say)
    if as_json:
        _print_json(result)
        return
    found = result.verification
    typer.echo(f"{found.patients} patients, {found.slices} slices in {result.path}, verified; {result.licence}")


@app.command()
def verify(
    directory: DataDir, *, layout: Layout = None, labels: Labels = None, ray: Ray = False, as_json: AsJson = False
) -> None:
    """Read every file and name each one that cannot be used; exit code 1 when there is an error."""
    from edgeseg.data.open import open_dataset
    from edgeseg.data.verify import verify_dataset
    from edgeseg.workers.ray_looks import LookJob, looks_on_ray

    dataset = open_dataset(directory, layout=layout, labels=labels)
    job = LookJob(data=directory, layout=layout, labels=labels)
    with counted("Verifying") as progress:
        looks = looks_on_ray(job, dataset.patients) if ray else None
        result = verify_dataset(dataset, looks=looks, progress=progress)
    if as_json:
        _print_json(result)
    else:
        _print_findings(result)
    if not result.passed:
        raise typer.Exit(1)


@app.command()
def info(directory: DataDir, *, layout: Layout = None, labels: Labels = None, as_json: AsJson = False) -> None:
    """Count patients, slices, tumour and institutions."""
    from edgeseg.data.open import open_dataset
    from edgeseg.data.summary import summarise

    with counted("Counting") as progress:
        summary = summarise(open_dataset(directory, layout=layout, labels=labels), progress=progress)
    if as_json:
        _print_json(summary)
    else:
        _print_summary(summary)


@app.command()
def split(
    directory: DataDir,
    *,
    folds: Annotated[int, typer.Option(help="How many folds.")] = 5,
    seed: Annotated[int, typer.Option(help="Folds of one seed are always the same.", min=0)] = 0,
    out: Annotated[Path | None, out_option("Write the manifest here.", metavar="FILE")] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Make nothing; prove that DIR still holds what FILE split.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a manifest that is there.")] = False,
    layout: Layout = None,
    labels: Labels = None,
    as_json: AsJson = False,
) -> None:
    """Deal patients (never slices) into folds, stratified by institution and tumour volume."""
    from edgeseg.data.open import open_dataset
    from edgeseg.data.split import check_split, make_folds, read_split, write_split
    from edgeseg.errors import OptionError, OutputError

    if check is not None:
        if out is not None or force:
            raise OptionError("--check makes nothing, so --out and --force do not go with it; leave them out")
        made = read_split(check)
        with counted("Checking") as progress:
            check_split(made, open_dataset(directory, layout=layout, labels=labels), progress=progress)
    else:
        if out is not None and out.exists() and not force:
            raise OutputError(f"{out}: a file is there; choose another --out, or replace it with --force")
        with counted("Reading masks") as progress:
            made = make_folds(
                open_dataset(directory, layout=layout, labels=labels), folds=folds, seed=seed, progress=progress
            )
        if out is not None:
            write_split(made, out)
    if as_json:
        _print_json(made)
        return
    from edgeseg.reports.data import split_table

    show(split_table(made))
    if out is not None:
        typer.echo(f"Wrote {out}")
    elif check is not None:
        typer.echo(f"{directory} holds what {check} split")
    else:
        typer.echo("Nothing was written; give --out FILE to keep it")


def _print_json(value: object) -> None:
    from edgeseg.jsonio import to_json

    typer.echo(to_json(value))


def _print_summary(summary: DataSummary) -> None:
    from edgeseg.reports.data import summary_table

    show(summary_table(summary))
    sizes = ", ".join(f"{size.height} x {size.width} ({size.slices})" for size in summary.sizes[:4])
    typer.echo(f"Slice sizes (height x width): {sizes}{' ...' if len(summary.sizes) > 4 else ''}")
    typer.echo(f"Channels: {', '.join(summary.channels)}")
    for one in summary.classes:
        typer.echo(f"Class {one.name}: {one.patients} patients, {one.pixel_share:.2%} of all pixels")
    typer.echo(f"Slices per patient: {summary.fewest_slices} to {summary.most_slices}")
    if summary.patients_without_tumour:
        typer.echo(f"Patients without tumour: {summary.patients_without_tumour}")
    typer.echo(f"Tumour pixels: {summary.tumour_pixel_share:.2%} of all")
    typer.echo(
        f"An answer of 'no tumour' everywhere would score {summary.all_background_accuracy:.2%} pixel accuracy,\n"
        "so accuracy says nothing here; Dice per patient does."
    )


def _print_findings(result: VerifyResult) -> None:
    alike: dict[tuple[str, str, str], list[str]] = {}
    for finding in result.findings:
        alike.setdefault((finding.level, finding.kind, finding.message), []).append(finding.where)
    for (level, kind, message), where in list(alike.items())[:_SHOWN_FINDINGS]:
        others = f" and {len(where) - 1} more" if len(where) > 1 else ""
        typer.echo(f"{level}: {where[0]}{others}: {message} [{kind}]")
    if (hidden := len(alike) - _SHOWN_FINDINGS) > 0:
        typer.echo(f"... and {hidden} more; --json prints all")
    typer.echo(
        f"{result.data}: {result.patients} patients, {result.slices} readable slices, "
        f"{result.errors} error(s), {result.warnings} warning(s)"
    )


@contextlib.contextmanager
def _status() -> Iterator[tuple[Say, Progress]]:
    """Stage and size of a download, on stderr where that is a terminal."""
    from rich import progress as bars

    from edgeseg.cli._terminal import console as make_console

    console = make_console(stderr=True)
    columns = (bars.SpinnerColumn(), bars.TextColumn("{task.description}", markup=False))
    with bars.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("checking")
        yield (
            lambda stage: bar.update(task, description=stage),
            lambda size, _total, _what: bar.update(task, description=f"downloading, {size / 1e6:.0f} MB"),
        )
