"""`edgeseg compare`: two builds side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import BootstrapSeed, json_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeseg.results import ArtifactComparison, ComparisonResult


def compare(
    before: Annotated[
        Path, typer.Argument(metavar="BEFORE", help="A folder that 'edgeseg build --out' wrote, or its build.json.")
    ],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another one.")],
    seed: BootstrapSeed = 0,
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """Put two builds side by side: size, Dice over the patients that both scored, each of them, latency."""
    from edgeseg.artifacts import read_build
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.stages.score import compare as run

    found = run(read_build(before), read_build(after), names=(str(before), str(after)), seed=seed)
    if as_json:
        typer.echo(to_json(found))
        return
    show(_draw(found))


def _draw(found: ComparisonResult) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from edgeseg.reports.words import describe_change

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("artifact", overflow="fold")
    for head in ("size", "Dice", "delta [95 %]", "n", "p50 ms", "status"):
        table.add_column(head, justify="right")
    several = len({row.variant for row in found.artifacts}) > 1
    names = [f"{row.variant} {row.artifact}" if several else row.artifact for row in found.artifacts]
    for name, row in zip(names, found.artifacts, strict=True):
        table.add_row(name.replace(" ", "\n"), *_cells(row))
    changes = zip(names, (row.clinical for row in found.artifacts), strict=True)
    patients = [f"{name}: {describe_change(change)}." for name, change in changes if change is not None]
    lines = [f"before: {found.before}", f"after:  {found.after}"]
    notes = [*found.differences, "Latencies are of two runs, so the machine's drift is in them."]
    if same := [row.artifact for row in found.artifacts if row.same_file]:
        notes.append(f"the same file in both: {', '.join(same)}")
    drawn = (Text(line, overflow="fold") for line in lines)
    told = (Text(text, overflow="fold") for text in patients)
    return Group(*drawn, table, *told, *(Text(note, style="dim", overflow="fold") for note in notes))


def _cells(row: ArtifactComparison) -> tuple[str, ...]:
    from edgeseg.reports.words import ABSENT, interval_text, size_text

    def pair(old: float | None, new: float | None, form: str) -> str:
        return "\n".join(ABSENT if value is None else format(value, form) for value in (old, new))

    sizes = [ABSENT if size is None else size_text(size) for size in (row.size_bytes_before, row.size_bytes_after)]
    states = [state or "not built" for state in (row.status_before, row.status_after)]
    return (
        "\n".join(sizes),
        pair(row.dice_before, row.dice_after, ".3f"),
        interval_text(row.dice_delta, signed=True, mark="\n"),
        str(row.patients) if row.patients else ABSENT,
        pair(row.latency_ms_p50_before, row.latency_ms_p50_after, ".1f"),
        "\n".join(dict.fromkeys(states)),
    )
