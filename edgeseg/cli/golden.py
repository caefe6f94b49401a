"""`edgeseg golden`: golden vectors of the shipped weights, for tests of other runners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import json_option, out_option


def golden(
    *,
    out: Annotated[Path, out_option("The folder; files of the same names are replaced.", short=True)] = Path(
        "tests/golden"
    ),
    as_json: Annotated[bool, json_option("Print the manifest as JSON.")] = False,
) -> None:
    """Write golden vectors: phantom slices and the masks that the shipped network draws on them, as on Arm.

    Also units.json: resampling, normalisation and components by number; and in classes/ small networks of other
    channels and several classes, with what they draw. To be run anew when the shipped weights change.
    """
    from edgeseg.artifacts import write_text
    from edgeseg.cli._progress import line
    from edgeseg.jsonio import to_json
    from edgeseg.stages.ship import CLASSES_FOLDER, UNITS_FILE, class_vectors, units
    from edgeseg.stages.ship import golden as run

    made = run(out, say=line)
    write_text(out / UNITS_FILE, to_json(units(), indent=None) + "\n")
    classes = class_vectors(out / CLASSES_FOLDER)
    if as_json:
        typer.echo(to_json(made))
        return
    for artifact in made.artifacts:
        counts = ", ".join(str(mask.tumour_pixels) for mask in artifact.raw)
        typer.echo(f"{made.variant} {artifact.target} on {made.patient}: {counts} tumour pixels")
    for one in classes.networks:
        counts = ", ".join(str(mask.tumour_pixels) for mask in one.volume)
        drawn = f" of {', '.join(one.masks)}" if one.masks else ""
        typer.echo(f"{one.file} on {', '.join(one.channels)}: {counts} pixels{drawn}")
    typer.echo(f"golden vectors: {out}")
