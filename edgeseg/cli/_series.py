"""The list of series that `edgeseg run --list` prints."""

from __future__ import annotations

from pathlib import Path

import typer

from edgeseg.specs import RunOptions

_MODELS = (".onnx", ".ort", ".tflite")


def print_series(paths: tuple[Path, ...], options: RunOptions, *, json: bool) -> None:
    """Print the series below paths, as a table or as JSON; a model among them is passed over."""
    from edgeseg.jsonio import to_json
    from edgeseg.reports.escape import one_line
    from edgeseg.stages.segment import list_series

    found = list_series(
        [path for path in paths if path.suffix.lower() not in _MODELS or path.is_dir()], options=options
    )
    if json:
        typer.echo(to_json(found))
        return
    for one in found.series:
        number = "-" if one.number is None else str(one.number)
        slices = f"{one.slices} slices" if one.slices else f"{one.files} file{'s' * (one.files > 1)}"
        told = f"{number}  '{one.description}'  {one.plane or 'plane unknown'}, {slices}"
        taken = one.taken_for or "not used"
        typer.echo(one_line(f"{told}: {taken} ({', '.join(one.why)})"))
    for rest in found.unused:
        typer.echo(one_line(f"not used: {rest.name}, {rest.files} files: {rest.why}"))
