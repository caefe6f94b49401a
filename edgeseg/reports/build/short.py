"""The five columns that come first in a terminal and in Markdown, and the files that artifacts are compared with."""

from __future__ import annotations

from typing import NamedTuple

from edgeseg.reports.words import ABSENT, interval_text, milliseconds_text, size_text, times_text
from edgeseg.results import BaselineResult, LatencyResult, Report, ReportRow

SHORT_HEAD = ("artifact", "size", "x smaller", "Dice mean [95 %]", "ms a slice")


class Start(NamedTuple):
    """A file that the artifacts are compared with."""

    name: str
    size_bytes: int
    dice: str
    latency: LatencyResult | None


def starts(base: BaselineResult, r2: BaselineResult | None) -> list[Start]:
    """Return the original file, its weights alone, and the largest network of the study where it was measured."""
    dice = ABSENT if base.evaluation is None else interval_text(base.evaluation.dice)
    return [
        Start("your file" if base.given else "baseline", base.size_bytes, dice, base.latency),
        Start("its weights", base.weights_size_bytes, ABSENT, None),
        *([] if r2 is None else [Start(r2.variant, r2.size_bytes, ABSENT, r2.latency)]),
    ]


def start_cells(report: Report) -> list[tuple[str, ...]]:
    """Return the lines of `starts`, none where no baseline was measured."""
    if report.baseline is None:
        return []
    whole = report.baseline.size_bytes
    return [
        (one.name, size_text(one.size_bytes), times_text(whole / one.size_bytes), one.dice, _median(one.latency))
        for one in starts(report.baseline, report.r2)
    ]


def row_cells(row: ReportRow, name: str) -> tuple[str, ...]:
    """Return the line of an artifact, which is called `name`."""
    return (
        name,
        size_text(row.size_bytes),
        times_text(row.times_smaller_than_file),
        interval_text(row.dice, mark=row.seen_mark or " "),
        _median(row.latency),
    )


def _median(latency: LatencyResult | None) -> str:
    return ABSENT if latency is None else milliseconds_text(latency.latency_ms_p50)
