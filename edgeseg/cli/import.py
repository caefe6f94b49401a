"""`edgeseg import`: a network of one's own becomes a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import contract_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeseg.results.imported import ImportResult

_MUCH = 0.01
"""Logits that differ by this much ask for a reason."""


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A Keras model (.keras, .h5, .hdf5), a SavedModel folder, or .onnx.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the run.")],
    name: Annotated[
        str | None, typer.Option(help="What tables and folders call it; the file's name if not given.")
    ] = None,
    contract: Annotated[
        Path | None, contract_option("A contract, TOML or JSON, with what the file does not say.")
    ] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Only write a commented contract.toml into --out, to be completed.")
    ] = False,
    size: Annotated[
        str | None, typer.Option(metavar="N", help="Height and width, 256 or 256x320, where the file leaves them open.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="NAME", help="The output that is the mask, where there are several.")
    ] = None,
    threads: Annotated[int, typer.Option(help="Threads of the runtimes.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Make a run of a network that was trained elsewhere, for every command that takes a run.

    The network is held against the file in its own runtime, a copy of which stays in the run as the baseline of every
    comparison. Nothing in the file is run or unpickled: Lambda layers and custom objects are refused.
    docs/how-to/own-network.md shows the way.
    """
    from edgeseg.cli._print import show
    from edgeseg.cli._size import pixels
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.adopt import adopt
    from edgeseg.stages.adopt import ask as write

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    if ask:
        place = write(file, out, size=pixels(size), output=output)
        typer.echo(f"complete {place}, then make files: edgeseg build --from {file} --contract {place} --target int8")
        typer.echo(f"or a run, for other commands: edgeseg import {file} --contract {place} --out {out}")
        return
    result = adopt(file, out, name=name, contract=contract, size=pixels(size), output=output, threads=threads)
    if as_json:
        typer.echo(to_json(result))
        return
    show(_table(result))


def _thresholds(result: ImportResult) -> str:
    if not result.regions:
        return f"threshold {result.threshold:g}"
    return ", ".join(f"{region.name} above {region.threshold:g}" for region in result.regions)


def _rounded(result: ImportResult) -> str:
    """Say why logits differ where masks do not: float32 holds no probability between 1 - 6e-8 and 1."""
    if result.head == "logits" or result.parity.max_logit_difference < _MUCH:
        return ""
    return "; the file gives probabilities, which next to 0 and 1 are rounded and tell no exact logit"


def _table(result: ImportResult) -> RenderableType:
    from rich.table import Table

    from edgeseg.reports.words import macs_text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    size = f"{result.size_bytes:,} bytes" + (f", {result.framework}" if result.framework else "")
    parity = result.parity
    rows = (
        ("network", f"{result.network}: {result.parameters:,} parameters, {macs_text(result.macs)} MACs"),
        ("file", f"{result.file}, {result.kind.removeprefix('a ').removeprefix('an ')}, {size}"),
        ("image", f"{result.height} x {result.width}, channels {', '.join(result.channels)}"),
        ("bytes", f"normalisation {result.normalisation}, times {result.scale:.6g}"),
        ("output", f"'{result.output}', {result.head}, {_thresholds(result)}"),
        *(("note", note) for note in result.notes),
        (
            "parity",
            f"{parity.flips_ppm:.1f} ppm of pixels flipped, logits within {parity.max_logit_difference:.2g} of "
            f"{result.runtime}, {parity.slices} phantom slices{_rounded(result)}",
        ),
        ("run", result.run),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table
