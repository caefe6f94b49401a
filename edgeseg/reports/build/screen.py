"""A build's report for a terminal of 80 columns: the answer and five columns, or all of it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg.reports.build.short import SHORT_HEAD, row_cells, start_cells, starts
from edgeseg.reports.build.tried import tried_table
from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT, interval_text, latency_text, macs_text, size_text, times_text
from edgeseg.results import GOOD_STATUS, BaselineResult, Report, ReportRow

_STATUS_COLUMNS = 6


def terminal(report: Report, *, verbose: bool = False) -> RenderableType:
    """Draw, for 80 columns, the answer, one table per network, the baseline above the first, and what was tried.

    Args:
        report: summed up.
        verbose: two more columns, and every remark; else the tables have five, and below them stands only what weakens
            their figures, and why an artifact is not good.
    """
    notes: list[str] = []
    parts: list[RenderableType] = [literal(report.verdict, "bold"), Text()]
    networks = list(dict.fromkeys(row.label for row in report.rows))
    draw = _wide_table if verbose else _table
    for number, network in enumerate(networks or [""]):
        rows = [row for row in report.rows if row.label == network]
        parts += [*_title(rows), draw(report, rows, notes, first=number == 0)]
    for searched in report.budgets:
        parts += [Text(), tried_table(searched), literal(f"{searched.describe()}.")]
    if report.budgets:
        parts.append(Text())
    lines = [f"({number}) {note}" for number, note in enumerate(notes, start=1)]
    lines += report.remarks if verbose else report.cautions
    if lines:
        parts.append(literal("\n".join(lines), "dim"))
    return Group(*parts)


def _table(report: Report, rows: list[ReportRow], notes: list[str], *, first: bool) -> Table:
    body = [*start_cells(report)] if first else []
    for row in rows:
        mark = _mark(row, notes)
        body.append(row_cells(row, f"{row.target} {mark}" if mark else row.target))
    name, *heads = SHORT_HEAD
    return rich_table((Column(name, overflow="fold"), *figures(*heads)), body)


def _wide_table(report: Report, rows: list[ReportRow], notes: list[str], *, first: bool) -> Table:
    base = report.baseline
    than = "" if base is None else f"\n{_than(base)}"
    heads = ("size", f"x smaller{than}", "Dice mean\n[95 %]", "delta to\nfloat", "latency ms\np50 / p95")
    return rich_table(
        (
            Column("artifact", overflow="fold"),
            *figures(*heads, wrap=True),
            Column("status", min_width=_STATUS_COLUMNS),
        ),
        [
            *(_wide_baselines(base, report.r2) if first and base is not None else ()),
            *(_wide_row(row, notes) for row in rows),
        ],
    )


def _wide_row(row: ReportRow, notes: list[str]) -> tuple[str, ...]:
    return (
        row.target,
        size_text(row.size_bytes),
        f"{times_text(row.times_smaller_than_file)} / {times_text(row.times_smaller_than_weights)}",
        interval_text(row.dice, mark=row.seen_mark or " "),
        ABSENT if row.dice_delta_to_float is None else f"{row.dice_delta_to_float.mean:+.3f}",
        latency_text(row.latency),
        _status_cell(row, notes),
    )


def _wide_baselines(base: BaselineResult, r2: BaselineResult | None) -> Iterator[tuple[str, ...]]:
    for line in starts(base, r2):
        ratios = (times_text(whole / line.size_bytes) for whole in (base.size_bytes, base.weights_size_bytes))
        size, times = size_text(line.size_bytes), " / ".join(ratios)
        yield line.name, size, times, line.dice, ABSENT, latency_text(line.latency), GOOD_STATUS


def _title(rows: list[ReportRow]) -> list[Text]:
    """Call a network by its name, its slug beside it, above its table, which is not as wide as the terminal."""
    if not rows:
        return []
    first = rows[0]
    name = first.label if first.label == first.variant else f"{first.label} ({first.variant})"
    return [literal(f"{name}: {first.parameters:,} parameters, {macs_text(first.macs)} MACs", "bold")]


def _than(base: BaselineResult) -> str:
    """Say in a few characters what sizes are compared with."""
    if base.weights_size_bytes < 10e6:
        return f"{base.size_bytes / 1e3:.0f}/{base.weights_size_bytes / 1e3:.0f} kB"
    return f"{base.size_bytes / 1e6:.0f}/{base.weights_size_bytes / 1e6:.0f} MB"


def _status_cell(row: ReportRow, notes: list[str]) -> str:
    """Return the status, or a number under which the notes say it in full."""
    return row.status if len(row.status) <= _STATUS_COLUMNS else _numbered(row, notes)


def _mark(row: ReportRow, notes: list[str]) -> str:
    """Return nothing for what is good, or a number under which the notes say what is not."""
    return "" if row.status == GOOD_STATUS else _numbered(row, notes)


def _numbered(row: ReportRow, notes: list[str]) -> str:
    note = f"{row.target}: {row.status}"
    if note not in notes:
        notes.append(note)
    return f"({notes.index(note) + 1})"
