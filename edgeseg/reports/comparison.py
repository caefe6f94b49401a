"""Two builds side by side, drawn for a terminal of 80 columns."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Column

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT, describe_change, interval_text, size_text
from edgeseg.results import ArtifactComparison, ComparisonResult


def comparison_table(found: ComparisonResult) -> RenderableType:
    """Draw the artifacts with before above after, what each patient gained or lost, and what else differs."""
    several = len({row.variant for row in found.artifacts}) > 1
    names = [f"{row.variant} {row.artifact}" if several else row.artifact for row in found.artifacts]
    table = rich_table(
        (
            Column("artifact", overflow="fold"),
            *figures("size", "Dice", "delta [95 %]", "n", "p50 ms", "status", wrap=True),
        ),
        ((name.replace(" ", "\n"), *_cells(row)) for name, row in zip(names, found.artifacts, strict=True)),
    )
    changes = zip(names, (row.clinical for row in found.artifacts), strict=True)
    patients = [f"{name}: {describe_change(change)}." for name, change in changes if change is not None]
    patients += [
        f"{name}, {one.name}: Dice {one.dice_before:.3f} -> {one.dice_after:.3f}, "
        f"{interval_text(one.dice_delta, signed=True)}"
        for name, row in zip(names, found.artifacts, strict=True)
        for one in row.classes
    ]
    lines = [f"before: {found.before}", f"after:  {found.after}"]
    notes = [*found.differences, "Latencies are of two runs, so the machine's drift is in them."]
    notes.extend(
        f"{name} {side}: {status}"
        for name, row in zip(names, found.artifacts, strict=True)
        for side, status in (("before", row.status_before), ("after", row.status_after))
        if status is not None and _short(status) != status
    )
    if same := [row.artifact for row in found.artifacts if row.same_file]:
        notes.append(f"the same file in both: {', '.join(same)}")
    return Group(*map(literal, lines), table, *map(literal, patients), *(literal(note, "dim") for note in notes))


def _cells(row: ArtifactComparison) -> tuple[str, ...]:
    def pair(old: float | None, new: float | None, form: str) -> str:
        return "\n".join(ABSENT if value is None else format(value, form) for value in (old, new))

    sizes = [ABSENT if size is None else size_text(size) for size in (row.size_bytes_before, row.size_bytes_after)]
    states = [_short(state or "not built") for state in (row.status_before, row.status_after)]
    return (
        "\n".join(sizes),
        pair(row.dice_before, row.dice_after, ".3f"),
        interval_text(row.dice_delta, signed=True, mark="\n"),
        str(row.patients) if row.patients else ABSENT,
        pair(row.latency_ms_p50_before, row.latency_ms_p50_after, ".1f"),
        "\n".join(dict.fromkeys(states)),
    )


def _short(status: str) -> str:
    """Leave out the reason of a status, which the notes give in full."""
    return status.partition(":")[0]
