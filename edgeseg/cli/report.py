"""`edgeseg report`: what a build found, as a table, JSON, Markdown, CSV or an HTML page."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._options import json_option, verbose_option


def report(
    build_dir: Annotated[
        Path, typer.Argument(metavar="BUILD_DIR", help="The folder that 'edgeseg build --out' wrote.")
    ],
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
    markdown_file: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Also write the whole report as Markdown.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one self-contained HTML page, plots included.")
    ] = None,
    pictures: Annotated[
        str,
        typer.Option(
            metavar="WHAT", help="On the page: phantom, none, or a data set's folder (its real slices go in)."
        ),
    ] = "phantom",
    max_drop: Annotated[
        float | None,
        typer.Option(metavar="DICE", help="On the page: the budget to draw; that of the build if not given."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the rows as CSV.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also put the table between the comments 'table:begin' and 'table:end' of a Markdown file.",
        ),
    ] = None,
    layout: Layout = None,
    labels: Labels = None,
    verbose: Annotated[bool, verbose_option()] = False,
) -> None:
    """Print the report of a build from its build.json; nothing is measured anew.

    The page shows what the artifact to ship draws on phantoms. With --pictures DIR it holds real slices of
    patients: keep it where those may be kept. --layout and --labels say how that data set is read.
    """
    from edgeseg import artifacts
    from edgeseg.artifacts import read_build
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.reports.build import markdown_table, short_markdown_table, terminal, whole_report
    from edgeseg.reports.csv import spreadsheet
    from edgeseg.reports.summary import summarise
    from edgeseg.reports.table import spliced

    build = read_build(build_dir)
    summary = summarise(build)
    texts: dict[Path, str] = {}
    if markdown_file is not None:
        texts[markdown_file] = whole_report(build)
    if csv is not None:
        texts[csv] = spreadsheet(summary)
    if into is not None:
        texts[into] = spliced((markdown_table if verbose else short_markdown_table)(summary), into)
    with contextlib.ExitStack() as all_or_none:
        for path, text in texts.items():
            artifacts.write_text(all_or_none.enter_context(artifacts.staged(path)), text)
        if html is not None:
            from edgeseg.stages.build import write_page

            page = all_or_none.enter_context(artifacts.staged(html))
            write_page(
                build,
                build_dir,
                page,
                pictures=pictures,
                layout=layout,
                labels=labels,
                max_drop=max_drop,
                progress=all_or_none.enter_context(counted("drawing")),
            )
    if as_json:
        typer.echo(to_json(summary))
        return
    show(terminal(summary, verbose=verbose))
