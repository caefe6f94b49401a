"""`edgeseg targets`: the file formats that a build can make."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeseg.cli._options import json_option


def targets(
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """List the file formats, what runs them, and how many mask pixels each may flip against the float Keras network."""
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.stages.listings import list_targets

    listed = list_targets()
    if as_json:
        typer.echo(to_json(listed))
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("target", "runtime", "precision", "layout", "calibration"):
        table.add_column(name)
    table.add_column("flips allowed", justify="right")
    for t in listed.targets:
        calibrated = "yes" if t.needs_calibration else "no"
        table.add_row(t.name, t.runtime, t.precision, t.layout, calibrated, f"{t.max_flip_ppm:g} ppm")
    notes = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    notes.add_column("target", no_wrap=True)
    notes.add_column("note")
    for t in listed.targets:
        if t.note:
            notes.add_row(t.name, t.note)
    show(table, "", notes)
