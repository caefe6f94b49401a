"""A build's report in Markdown: the answer, the table, and all that stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

from edgeseg.reports.build.short import SHORT_HEAD, row_cells, start_cells
from edgeseg.reports.build.tried import TRIED_HEAD, tried_rows
from edgeseg.reports.subgroups import WORST_HEAD, worst_rows
from edgeseg.reports.summary import summarise
from edgeseg.reports.table import escape, markdown_table_lines
from edgeseg.reports.words import ABSENT, interval_text, latency_text, size_text, times_text
from edgeseg.results import (
    ArtifactRow,
    BaselineResult,
    BuildResult,
    EvalResult,
    LatencyResult,
    Report,
    ReportRow,
)

_MARKDOWN_HEAD = (
    "artifact", "size", "gzip", "x smaller than the file", "x smaller than its weights", "Dice mean [95 %]",
    "Dice median", "delta to float [95 %]", "flipped pixels, ppm", "latency p50 / p95, ms", "runtime, threads, n",
    "status",
)  # fmt: skip


def short_markdown_table(report: Report) -> str:
    """Draw the answer, five columns, what weakens them, and what was measured on; `--into` takes it."""
    body = [*start_cells(report), *(row_cells(row, f"{row.label} {row.target}") for row in report.rows)]
    remarks = [f"- {escape(remark)}" for remark in (*report.cautions, *report.conditions)]
    return "\n".join((escape(report.verdict), "", *markdown_table_lines(SHORT_HEAD, body), "", *remarks))


def markdown_table(report: Report) -> str:
    """Draw the main table with its remarks in Markdown; `--into FILE --verbose` takes it."""
    body = [*_baseline_lines(report.baseline, report.r2), *(_markdown_row(row) for row in report.rows)]
    return "\n".join(
        (*markdown_table_lines(_MARKDOWN_HEAD, body), "", *(f"- {escape(remark)}" for remark in report.remarks))
    )


def whole_report(build: BuildResult) -> str:
    """Draw the whole report in Markdown: the table, the institutions, the patients of the main artifact, the stages."""
    report = summarise(build)
    parts = ["# edgeseg build report", "", f"**{escape(report.verdict)}**", "", f"`{build.command}`", ""]
    parts.append(markdown_table(report))
    for searched in build.budgets:
        parts += ["", f"## Tried for {searched.target} within {searched.max_drop:g} Dice", ""]
        parts += [*markdown_table_lines(TRIED_HEAD, tried_rows(searched)), "", f"{escape(searched.describe())}."]
    if build.baseline is not None:
        parts += ["", "## Baseline", "", build.baseline.derivation]
    evaluated = [row for row in build.artifacts if row.evaluation is not None]
    if evaluated:
        parts += ["", "## By institution", "", *_institution_lines(evaluated)]
    if worst := worst_rows(evaluated):
        parts += ["", "## Worst subgroups", "", *markdown_table_lines(WORST_HEAD, worst)]
    main = build.main
    if main is not None and main.evaluation is not None:
        parts += ["", f"## Patients: {main.artifact}", "", "The artifact to ship of those that failed no check.", ""]
        parts += _patient_lines(main.evaluation)
    if build.stages:
        parts += ["", "## Stages", "", *_stage_lines(build)]
    versions = ", ".join(f"{name} {version}" for name, version in build.environment.versions.items())
    return "\n".join((*parts, "", "## Versions", "", versions, ""))


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
