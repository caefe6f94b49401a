"""What `edgeseg run` did, and the series that it would take, drawn for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.table import Column, Table
from rich.text import Text

from edgeseg.reports.table import figures, literal, rich_table
from edgeseg.reports.words import ABSENT_ASCII
from edgeseg.results import (
    DONE,
    ClassSegmentation,
    PatientSegmentation,
    PatientTrust,
    RunResult,
    SeriesList,
    SeriesListing,
)


def run_table(rows: Iterable[PatientSegmentation]) -> Table | None:
    """Draw a line per patient that is done; None where none is."""
    done = [
        (
            row.patient,
            *map(str, (row.slices, row.slices_with_tumour, row.tumour_pixels)),
            *(f"{value:.1f}" for value in (row.latency_ms_p50, row.latency_ms_p95)),
        )
        for row in rows
        if row.status == DONE
    ]
    heads = figures("slices", "with tumour", "tumour px", "ms p50", "p95")
    return rich_table((Column("patient", overflow="fold"), *heads), done, gap=2) if done else None


def run_lines(result: RunResult, rows: Sequence[PatientSegmentation], *, out: Path) -> list[Text]:
    """Say below the table what was measured, what it was read from, how it ran, and where the masks are.

    `rows` are the patients of this run, `result` has those of earlier runs too.
    """
    done = [row for row in rows if row.status == DONE]
    lines = [
        f"{row.patient}: {told}" for row in done for told in (*_measured(row), *trust_lines(row.trust), *_sources(row))
    ]
    if rules := sorted({row.post_processing for row in done} - {"none"}):
        lines.append(f"small components dropped by the rule for: {', '.join(rules)}")
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}"
    others = len(result.patients) - len(rows)
    also = f"; with {others} patient{'s' * (others > 1)} of earlier runs" if others else ""
    model = f"{result.network}, {result.model}" if result.network else result.model
    lines.append(f"{model}: {result.runtime}, {threads}, {result.numerics}")
    lines.append(f"masks and summary.json: {out}{also}")
    return [*map(literal, lines), literal(result.intended_use, "dim")]


def series_lines(found: SeriesList) -> list[Text]:
    """Say of every series what it would be taken for and why, and what is not used."""
    lines: list[str] = []
    sources = dict.fromkeys(one.source for one in found.series)
    for source in sources:
        lines += [f"{source}:"] if len(sources) > 1 else []
        lines += [_series(one) for one in found.series if one.source == source]
    lines += [f"not used: {rest.name}, {_files(rest.files)}: {rest.why}" for rest in found.unused]
    return [*map(literal, lines)]


def _series(one: SeriesListing) -> str:
    number = ABSENT_ASCII if one.number is None else str(one.number)
    slices = _slices(one.slices) if one.slices else _files(one.files)
    plane = one.plane or ("a volume" if one.input == "nifti" else "plane unknown")  # a volume is cut as is needed
    return f"{number}  '{one.description}'  {plane}, {slices}: {one.taken_for or 'not used'} ({', '.join(one.why)})"


def _measured(row: PatientSegmentation) -> list[str]:
    if row.tumour_volume_ml is None or row.largest_diameter_mm is None:
        unknown = ["volume unknown, as the distances of pixels are; give them with --spacing"]
        return [*(unknown if row.trust is not None else ()), *map(_measured_class, row.classes)]
    return [
        f"{volume_text(row)}, largest diameter {row.largest_diameter_mm:.0f} mm",
        *map(_measured_class, row.classes),
    ]


def _measured_class(one: ClassSegmentation) -> str:
    if one.volume_ml is None or one.largest_diameter_mm is None:
        return f"{one.name}: {one.pixels} pixels in {_slices(one.slices)}"
    return f"{one.name}: {one.volume_ml:.1f} mL, largest diameter {one.largest_diameter_mm:.0f} mm"


def volume_text(row: PatientSegmentation) -> str:
    """Write a volume that is known, `42.1 mL [36.0, 51.3]` where it has an interval."""
    told = row.trust
    between = ""
    if told is not None and told.volume_low_ml is not None and told.volume_high_ml is not None:
        between = f" [{told.volume_low_ml:.1f}, {told.volume_high_ml:.1f}]"
    return f"{row.tumour_volume_ml:.1f} mL{between}"


def trust_lines(told: PatientTrust | None) -> list[str]:
    """Say in a line how far a mask is to be trusted; none where nobody knows."""
    if told is None:
        return []
    expected = [] if told.dice_expected is None else [f"expected Dice {told.dice_expected:.2f}, an estimate"]
    look = [f"LOOK AT THIS ONE: {told.why}"] if told.look else []
    return ["; ".join((*look, *expected))]


def _sources(row: PatientSegmentation) -> list[str]:
    """Say which files were used for which sequence, and which were not."""
    used = [f"{one.sequence}: '{one.series}', {_files(one.files)}, {_slices(one.slices)}" for one in row.used]
    return used + [f"not used: '{one.name}', {_files(one.files)}: {one.why}" for one in row.unused]


def _files(count: int) -> str:
    return f"{count} file{'s' * (count > 1)}"


def _slices(count: int) -> str:
    return f"{count} slice{'s' * (count > 1)}"
