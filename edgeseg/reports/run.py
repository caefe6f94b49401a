"""What `edgeseg run` did, and the series that it would take, drawn for a terminal."""

from __future__ import annotations

from collections import Counter
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

LOOK = "LOOK AT THIS ONE"
"""What stands before the reason why a mask is to be looked at."""
NO_VOLUME = "volume unknown, as the distances of pixels are; give them with --spacing"
"""What stands in place of a volume: with its patient where trust is told, else once for all."""


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


def run_lines(
    result: RunResult, rows: Sequence[PatientSegmentation], *, out: Path, csv: Path | None = None
) -> list[Text]:
    """Say below the table what was measured, what it was read from, how it ran, and where the masks are.

    `rows` are the patients of this run, `result` has those of earlier runs too, as the table at `csv` does.
    """
    done = [row for row in rows if row.status == DONE]
    lines = [f"{row.patient}: {told}" for row in done for told in (*_measured(row), *_sources(row))]
    lines += _not_used(done)
    if any(row.trust is None and _unmeasured(row) for row in done):
        lines.append(NO_VOLUME)
    lines += [_dropped(result, rule) for rule in sorted({row.post_processing for row in done} - {"none"})]
    threads = f"{result.threads} thread{'s' if result.threads > 1 else ''}"
    others = len(result.patients) - len(rows)
    also = f"; with {others} patient{'s' * (others > 1)} of earlier runs" if others else ""
    model = f"{result.network}, {result.model}" if result.network else result.model
    lines.append(f"{model}: {result.runtime}, {threads}, {result.numerics}")
    if not rows:
        lines.append("nothing was left to do; without --resume they are segmented again")
    lines.append(f"masks and summary.json: {out}{also}")
    if csv is not None:
        lines.append(f"the same as a table: {csv}")
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
    """Say in one line what a mask measures and how far it is to be trusted, and in one each what its classes do."""
    look = [f"{LOOK}: {row.trust.why}"] if row.trust is not None and row.trust.look else []
    first = "; ".join((*look, *_size(row), *_expected(row.trust)))
    return [*([first] if first else ()), *map(_measured_class, row.classes)]


def _size(row: PatientSegmentation) -> list[str]:
    if _unmeasured(row):
        return [NO_VOLUME] if row.trust is not None else []
    return [f"{volume_text(row)}, largest diameter {row.largest_diameter_mm:.0f} mm"]


def _unmeasured(row: PatientSegmentation) -> bool:
    return row.tumour_volume_ml is None or row.largest_diameter_mm is None


def _measured_class(one: ClassSegmentation) -> str:
    size = f"{one.pixels} pixels in {_slices(one.slices)}"
    if one.volume_ml is not None and one.largest_diameter_mm is not None:
        size = f"{_millilitres(one.volume_ml, one.trust)}, largest diameter {one.largest_diameter_mm:.0f} mm"
    look = [LOOK] if one.trust is not None and one.trust.look else []
    return "; ".join((f"{one.name}: {size}", *_expected(one.trust), *look))


def volume_text(row: PatientSegmentation) -> str:
    """Write a volume that is known, `42.1 mL [36.0, 51.3]` where it has an interval."""
    return _millilitres(row.tumour_volume_ml or 0.0, row.trust)


def _millilitres(volume: float, told: PatientTrust | None) -> str:
    between = ""
    if told is not None and told.volume_low_ml is not None and told.volume_high_ml is not None:
        between = f" [{told.volume_low_ml:.1f}, {told.volume_high_ml:.1f}]"
    return f"{volume:.1f} mL{between}"


def trust_lines(told: PatientTrust | None) -> list[str]:
    """Say in a line how far a mask is to be trusted; none where nobody knows."""
    if told is None:
        return []
    look = [f"{LOOK}: {told.why}"] if told.look else []
    line = "; ".join((*look, *_expected(told)))
    return [line] if line else []


def _expected(told: PatientTrust | None) -> list[str]:
    return (
        [] if told is None or told.dice_expected is None else [f"expected Dice {told.dice_expected:.2f}, an estimate"]
    )


def _sources(row: PatientSegmentation) -> list[str]:
    """Say in a line which files were used for which sequence."""
    used = [f"{one.sequence} '{one.series}', {_files(one.files)}, {_slices(one.slices)}" for one in row.used]
    return [f"read {'; '.join(used)}"] if used else []


def _not_used(rows: Sequence[PatientSegmentation]) -> list[str]:
    """Say which files were not used and why: each of one patient, and of several how many there are."""
    if len(rows) == 1:
        return [f"not used: '{one.name}', {_files(one.files)}: {one.why}" for one in rows[0].unused]
    files, patients = Counter[str](), Counter[str]()
    for row in rows:
        patients.update({one.why for one in row.unused})
        for one in row.unused:
            files[one.why] += one.files
    return [
        f"not used, of {count} patient{'s' * (count > 1)}: {_files(files[why])}: {why}; summary.json names them"
        for why, count in sorted(patients.items())
    ]


def _dropped(result: RunResult, rule: str) -> str:
    """Say what the contract's rule drops, which `PatientSegmentation.post_processing` names."""
    where = "volumes" if rule == "volume" else "slices on their own"
    if result.contract.regions:
        return f"{where}: small components dropped, by the rule of each mask"
    return f"{where}: {result.contract.post_processing.describe(volume=rule == 'volume')}"


def _files(count: int) -> str:
    return f"{count} file{'s' * (count > 1)}"


def _slices(count: int) -> str:
    return f"{count} slice{'s' * (count != 1)}"
