"""A build's report for a terminal of 80 columns: the answer and five columns, or all of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg.reports.build.tried import tried_table
from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT, interval_text, latency_text, milliseconds_text, size_text, times_text
from edgeseg.results import GOOD_STATUS, BaselineResult, LatencyResult, Report, ReportRow

_STATUS_COLUMNS = 6


def terminal(report: Report, *, verbose: bool = False) -> RenderableType:
    """Draw, for 80 columns, the answer, one table per variant, the baseline above the first, and what was tried.

    Args:
        report: summed up.
        verbose: two more columns, and every remark; else the tables have five, and below them stands only what weakens
            their figures, and why an artifact is not good.
    """
    notes: list[str] = []
    parts: list[RenderableType] = [literal(report.verdict, "bold"), Text()]
    variants = list(dict.fromkeys(row.variant for row in report.rows))
    draw = _wide_table if verbose else _table
    for number, variant in enumerate(variants or [""]):
        rows = [row for row in report.rows if row.variant == variant]
        parts.append(draw(report, rows, notes, first=number == 0))
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
    heads = ("size", "x smaller", "Dice mean [95 %]", "ms a slice")
    body = [
        (
            f"{row.target} {mark}" if (mark := _mark(row, notes)) else row.target,
            size_text(row.size_bytes),
            times_text(row.times_smaller_than_file),
            interval_text(row.dice, mark=row.seen_mark or " "),
            _median(row.latency),
        )
        for row in rows
    ]
    if first and report.baseline is not None:
        whole = report.baseline.size_bytes
        body[:0] = [
            (
                line.name,
                size_text(line.size_bytes),
                times_text(whole / line.size_bytes),
                line.dice,
                _median(line.latency),
            )
            for line in _baselines(report.baseline, report.r2)
        ]
    return rich_table((Column("artifact", overflow="fold"), *figures(*heads)), body, title=_title(rows))


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
        title=_title(rows),
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


class _Line(NamedTuple):
    """A file that the artifacts are compared with."""

    name: str
    size_bytes: int
    dice: str
    latency: LatencyResult | None


def _baselines(base: BaselineResult, r2: BaselineResult | None) -> list[_Line]:
    """Return the lines of the original file, of its weights alone, and of the largest network of the study."""
    dice = ABSENT if base.evaluation is None else interval_text(base.evaluation.dice)
    return [
        _Line("your file" if base.given else "baseline", base.size_bytes, dice, base.latency),
        _Line("its weights", base.weights_size_bytes, ABSENT, None),
        *([] if r2 is None else [_Line(r2.variant, r2.size_bytes, ABSENT, r2.latency)]),
    ]


def _wide_baselines(base: BaselineResult, r2: BaselineResult | None) -> Iterator[tuple[str, ...]]:
    for line in _baselines(base, r2):
        ratios = (times_text(whole / line.size_bytes) for whole in (base.size_bytes, base.weights_size_bytes))
        size, times = size_text(line.size_bytes), " / ".join(ratios)
        yield line.name, size, times, line.dice, ABSENT, latency_text(line.latency), GOOD_STATUS


def _title(rows: list[ReportRow]) -> str | None:
    return f"{rows[0].variant}: {rows[0].parameters:,} parameters, {rows[0].macs / 1e9:.2f} G MACs" if rows else None


def _median(latency: LatencyResult | None) -> str:
    return ABSENT if latency is None else milliseconds_text(latency.latency_ms_p50)


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
