"""A build's report drawn: for a terminal of 80 columns with rich, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg.reports.summary import summarise
from edgeseg.reports.table import escape, figures, literal, markdown_table_lines, rich_table
from edgeseg.reports.words import ABSENT, interval_text, latency_text, milliseconds_text, size_text, times_text
from edgeseg.results import (
    GOOD_STATUS,
    ArtifactRow,
    BaselineResult,
    BudgetResult,
    BuildResult,
    EvalResult,
    LatencyResult,
    Report,
    ReportRow,
)

_STATUS_COLUMNS = 6
_MARKDOWN_HEAD = (
    "artifact", "size", "gzip", "x smaller than the file", "x smaller than its weights", "Dice mean [95 %]",
    "Dice median", "delta to float [95 %]", "flipped pixels, ppm", "latency p50 / p95, ms", "runtime, threads, n",
    "status",
)  # fmt: skip


def terminal(report: Report) -> RenderableType:
    """Draw, for 80 columns, one table per network, the baseline above the first, what was tried, and the remarks."""
    notes: list[str] = []
    parts: list[RenderableType] = []
    found = list(dict.fromkeys(row.label for row in report.rows))
    for network in found or [""]:
        rows = [row for row in report.rows if row.label == network]
        parts.append(_terminal_table(report, rows, notes, first=not parts))
    for searched in report.budgets:
        parts += [Text(), tried_table(searched), literal(f"{searched.describe()}.")]
    if report.budgets:
        parts.append(Text())
    lines = [f"({number}) {note}" for number, note in enumerate(notes, start=1)]
    parts.append(literal("\n".join((*lines, *report.remarks)), "dim"))
    return Group(*parts)


def markdown_table(report: Report) -> str:
    """Draw the main table with its remarks in Markdown; this is what `--into README.md` takes."""
    body = [*_baseline_lines(report.baseline, report.r2), *(_markdown_row(row) for row in report.rows)]
    return "\n".join(
        (*markdown_table_lines(_MARKDOWN_HEAD, body), "", *(f"- {escape(remark)}" for remark in report.remarks))
    )


def markdown(build: BuildResult) -> str:
    """Draw the whole report in Markdown: the table, the institutions, the patients of the main artifact, the stages."""
    report = summarise(build)
    parts = ["# edgeseg build report", "", f"`{build.command}`", "", markdown_table(report)]
    for searched in build.budgets:
        parts += ["", f"## Tried for {searched.target} within {searched.max_drop:g} Dice", ""]
        parts += [*markdown_table_lines(TRIED_HEAD, tried_rows(searched)), "", f"{escape(searched.describe())}."]
    if build.baseline is not None:
        parts += ["", "## Baseline", "", build.baseline.derivation]
    evaluated = [row for row in build.artifacts if row.evaluation is not None]
    if evaluated:
        parts += ["", "## By institution", "", *_institution_lines(evaluated)]
    main = build.main
    if main is not None and main.evaluation is not None:
        parts += ["", f"## Patients: {main.artifact}", "", "The smallest artifact that failed no check.", ""]
        parts += _patient_lines(main.evaluation)
    if build.stages:
        parts += ["", "## Stages", "", *_stage_lines(build)]
    versions = ", ".join(f"{name} {version}" for name, version in build.environment.versions.items())
    return "\n".join((*parts, "", "## Versions", "", versions, ""))


def _terminal_table(report: Report, rows: list[ReportRow], notes: list[str], *, first: bool) -> Table:
    base = report.baseline
    title = f"{_title(rows[0])}: {rows[0].parameters:,} parameters, {rows[0].macs / 1e9:.2f} G MACs" if rows else None
    than = "" if base is None else f"\n{_than(base)}"
    heads = ("size", f"x smaller{than}", "Dice mean\n[95 %]", "delta to\nfloat", "latency ms\np50 / p95")
    return rich_table(
        (
            Column("artifact", overflow="fold"),
            *figures(*heads, wrap=True),
            Column("status", min_width=_STATUS_COLUMNS),
        ),
        [
            *(_terminal_baselines(base, report.r2) if first and base is not None else ()),
            *(_terminal_row(row, notes) for row in rows),
        ],
        title=title,
    )


def _title(row: ReportRow) -> str:
    """Call a network by its name, its slug beside it."""
    return row.label if row.label == row.variant else f"{row.label} ({row.variant})"


def _terminal_row(row: ReportRow, notes: list[str]) -> tuple[str, ...]:
    return (
        row.target,
        size_text(row.size_bytes),
        f"{times_text(row.times_smaller_than_file)} / {times_text(row.times_smaller_than_weights)}",
        interval_text(row.dice, mark=row.seen_mark or " "),
        ABSENT if row.dice_delta_to_float is None else f"{row.dice_delta_to_float.mean:+.3f}",
        latency_text(row.latency),
        _status_cell(row, notes),
    )


def _terminal_baselines(base: BaselineResult, r2: BaselineResult | None) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the original file, of its weights alone, and of the largest network of the study."""
    dice = ABSENT if base.evaluation is None else interval_text(base.evaluation.dice)
    for name, size, score, latency in (
        ("your file" if base.given else "baseline", base.size_bytes, dice, base.latency),
        ("its weights", base.weights_size_bytes, ABSENT, None),
        *([] if r2 is None else [(r2.variant, r2.size_bytes, ABSENT, r2.latency)]),
    ):
        ratios = (times_text(whole / size) for whole in (base.size_bytes, base.weights_size_bytes))
        yield name, size_text(size), " / ".join(ratios), score, ABSENT, latency_text(latency), GOOD_STATUS


def _than(base: BaselineResult) -> str:
    """Say in a few characters what sizes are compared with."""
    if base.weights_size_bytes < 10e6:
        return f"{base.size_bytes / 1e3:.0f}/{base.weights_size_bytes / 1e3:.0f} kB"
    return f"{base.size_bytes / 1e6:.0f}/{base.weights_size_bytes / 1e6:.0f} MB"


def _status_cell(row: ReportRow, notes: list[str]) -> str:
    """Return the status, or a number under which the notes say it in full."""
    if len(row.status) <= _STATUS_COLUMNS:
        return row.status
    note = f"{row.target}: {row.status}"
    if note not in notes:
        notes.append(note)
    return f"({notes.index(note) + 1})"


def _baseline_lines(base: BaselineResult | None, r2: BaselineResult | None) -> list[tuple[str, ...]]:
    if base is None:
        return []
    over_weights, over_file = base.weights_size_bytes / base.size_bytes, base.size_bytes / base.weights_size_bytes
    blank = (ABSENT,) * 4
    return [
        (
            f"baseline: {base.title}{'' if base.given else ', .hdf5'}", size_text(base.size_bytes), ABSENT, "1.0",
            times_text(over_weights), *_scores(base), latency_text(base.latency), _conditions(base.latency), "measured",
        ),
        (
            "its weights alone", size_text(base.weights_size_bytes), ABSENT, times_text(over_file), "1.0", *blank,
            ABSENT, ABSENT, "measured",
        ),
        *([] if r2 is None else [(
            f"{r2.variant} with Adam's state, .hdf5", size_text(r2.size_bytes), ABSENT,
            times_text(base.size_bytes / r2.size_bytes), times_text(base.weights_size_bytes / r2.size_bytes), *blank,
            latency_text(r2.latency), _conditions(r2.latency), "measured",
        )]),
    ]  # fmt: skip


def _scores(base: BaselineResult) -> tuple[str, str, str, str]:
    scored = base.evaluation
    if scored is None:
        return (ABSENT,) * 4
    return interval_text(scored.dice), f"{scored.dice_median:.3f}", ABSENT, ABSENT


def _markdown_row(row: ReportRow) -> tuple[str, ...]:
    return (
        f"{row.label} {row.target}",
        size_text(row.size_bytes),
        size_text(row.gzip_size_bytes),
        times_text(row.times_smaller_than_file),
        times_text(row.times_smaller_than_weights),
        interval_text(row.dice, mark=f"{row.seen_mark} "),
        ABSENT if row.dice_median is None else f"{row.dice_median:.3f}",
        interval_text(row.dice_delta_to_float, signed=True),
        ABSENT if row.parity is None else f"{row.parity.flips_ppm:.1f}",
        latency_text(row.latency),
        _conditions(row.latency),
        row.status,
    )


def _institution_lines(rows: Sequence[ArtifactRow]) -> list[str]:
    head = ("artifact", "institution", "n", "Dice mean", "Dice median")
    return markdown_table_lines(
        head,
        [
            (row.artifact, s.institution or ABSENT, str(s.patients), f"{s.dice_mean:.3f}", f"{s.dice_median:.3f}")
            for row in rows
            if row.evaluation is not None
            for s in row.evaluation.institutions
        ],
    )


def _patient_lines(evaluation: EvalResult) -> list[str]:
    head = ("patient", "institution", "slices", "Dice", "IoU", "precision", "recall", "HD95, px", "lesions found",
            "false-positive slices")  # fmt: skip
    return markdown_table_lines(
        head,
        [
            (
                p.patient, p.institution or ABSENT, str(p.slices),
                *(f"{share:.3f}" for share in (p.dice, p.iou, p.precision, p.recall)),
                ABSENT if p.hd95_px is None else f"{p.hd95_px:.1f}", f"{p.lesions_found} of {p.lesions}",
                f"{p.false_positive_slices} of {p.tumour_free_slices}",
            )
            for p in evaluation.patients
        ],
    )  # fmt: skip


def _stage_lines(build: BuildResult) -> list[str]:
    rows = [(s.stage, f"{s.seconds:.1f}", "reused" if s.reused else "run") for s in build.stages]
    return markdown_table_lines(("stage", "seconds", ""), rows)


def _conditions(latency: LatencyResult | None) -> str:
    return ABSENT if latency is None else f"{latency.runtime}, {latency.threads}, {latency.runs}"


TRIED_HEAD = ("tried", "size", "p50, ms", "Dice lost", "at most", "")
"""Of `tried_rows`; `at most` is the one-sided 95 % bound of the loss."""


def tried_rows(searched: BudgetResult) -> list[tuple[str, ...]]:
    """Return the lines of one search within a budget, numbered in the order of cost as the plots number them."""
    return [
        (
            f"{number} {point.recipe}",
            size_text(point.size_bytes),
            ABSENT if point.latency is None else milliseconds_text(point.latency.latency_ms_p50),
            f"{point.drop.mean:+.4f}",
            f"{point.drop.bound:+.4f}",
            "taken" if point.recipe == searched.chosen else "rejected",
        )
        for number, point in enumerate(searched.tried, start=1)
    ]


def tried_table(searched: BudgetResult) -> Table:
    """Draw one search for 80 columns."""
    first, *others, last = TRIED_HEAD
    return rich_table(
        (Column(first, overflow="fold"), *figures(*others), Column(last, no_wrap=True)),
        tried_rows(searched),
        title=f"{searched.target}, tried on n = {searched.tried[0].drop.patients}; budget {searched.max_drop:g} Dice",
    )
