"""The list of series that `edgeseg run --list` prints."""

from __future__ import annotations

from pathlib import Path

import typer

from edgeseg.specs import RunOptions

_MODELS = (".onnx", ".ort", ".tflite")


def print_series(paths: tuple[Path, ...], options: RunOptions, *, json: bool) -> None:
    """Print the series below paths, as a table or as JSON; a model among them is passed over."""
    from edgeseg.cli._terminal import console as make_console
    from edgeseg.jsonio import to_json
    from edgeseg.reports.run import series_lines
    from edgeseg.stages.segment import list_series

    found = list_series(
        [path for path in paths if path.suffix.lower() not in _MODELS or path.is_dir()], options=options
    )
    if json:
        typer.echo(to_json(found))
        return
    console = make_console()
    for told in series_lines(found):
        console.print(told, soft_wrap=True)
