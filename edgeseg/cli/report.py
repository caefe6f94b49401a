"""`edgeseg report`: what a build found, as a table, JSON or Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    build_dir: Annotated[
        Path, typer.Argument(metavar="BUILD_DIR", help="The folder that 'edgeseg build --out' wrote.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Also write the whole report as Markdown.")
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also put the table between the comments 'table:begin' and 'table:end' of a Markdown file.",
        ),
    ] = None,
) -> None:
    """Print the report of a build from its build.json; nothing is measured anew."""
    from edgeseg import artifacts
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.stages.report import read_build, splice, summarise
    from edgeseg.stages.tables import markdown, markdown_table, terminal

    build = read_build(build_dir)
    summary = summarise(build)
    if markdown_file is not None:
        artifacts.write_text(markdown_file, markdown(build))
    if into is not None:
        splice(markdown_table(summary), into)
    if as_json:
        typer.echo(to_json(summary))
        return
    show(terminal(summary))
