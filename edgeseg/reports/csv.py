"""Results as CSV for spreadsheets and other programs: a build's report by artifact, a run's summary by patient."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from edgeseg.results import DONE, PatientSegmentation, PatientTrust, Report, ReportRow, RunResult

COLUMNS = (
    "variant", "target", "tier", "status", "size_bytes", "gzip_size_bytes", "times_smaller_than_file",
    "times_smaller_than_weights", "parameters", "macs", "evaluated_patients", "seen_patients", "dice_mean", "dice_low",
    "dice_high", "dice_median", "dice_delta_mean", "dice_delta_low", "dice_delta_high", "flips_ppm", "latency_ms_p50",
    "latency_ms_p95", "threads", "runs", "runtime", "numerics", "data", "rests_on_phantoms", "seen_unknown",
    "network",
)  # fmt: skip


TRUST_COLUMNS = ("dice_expected", "look", "why", "volume_low_ml", "volume_high_ml")
PATIENT_COLUMNS = (
    "patient", "status", "reason", "slices", "slices_with_tumour", "tumour_pixels", "tumour_volume_ml",
    "largest_diameter_mm", "row_mm", "column_mm", "slice_mm", "input", "post_processing", "latency_ms_p50",
    "latency_ms_p95", "total_ms", "warnings", "files", "model", "model_sha256",
    *TRUST_COLUMNS, "odd_input", "network",
)  # fmt: skip
DICE_COLUMNS = ("dice_mean", "dice_low", "dice_high")
CLASS_COLUMNS = ("label", "pixels", "slices", "volume_ml", "largest_diameter_mm")
"""Of each of several classes, behind its name and a colon."""
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def spreadsheet(report: Report) -> str:
    """Return the rows of a report as CSV (RFC 4180); what was not measured is an empty cell.

    Where a network draws several classes, each has columns of its own behind the others.
    """
    told = {"data": report.data, "rests_on_phantoms": report.rests_on_phantoms}
    names = dict.fromkeys(one.name for row in report.rows for one in row.classes)
    columns = (*COLUMNS, *(_class_column(name, column) for name in names for column in DICE_COLUMNS))
    return _written(columns, (_cells(row) | told for row in report.rows))


def patients(result: RunResult) -> str:
    """Return a summary as CSV, one line per patient; likewise. Of a failed patient nothing is counted.

    Where the network draws several classes, each has columns of its own behind the others, and behind those what tells
    how far to trust its mask, where that was measured.
    """
    names = dict.fromkeys(one.name for row in result.patients for one in row.classes)
    rated = {one.name for row in result.patients for one in row.classes if one.trust is not None}
    columns = (
        *PATIENT_COLUMNS,
        *(_class_column(name, column) for name in names for column in CLASS_COLUMNS),
        *(_class_column(name, column) for name in names if name in rated for column in TRUST_COLUMNS),
    )
    called = {result.model_sha256: result.network}
    rows = (_patient_cells(row) | {"network": called.get(row.model_sha256, "")} for row in result.patients)
    return _written(columns, rows)


def _class_column(name: str, column: str) -> str:
    return f"{name}: {column}"


def _written(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns)
    writer.writerow({name: _harmless(name) for name in columns})
    for row in rows:
        writer.writerow({name: _harmless(value) for name, value in row.items()})
    return stream.getvalue()


def _harmless(value: object) -> object:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def _patient_cells(row: PatientSegmentation) -> dict[str, object]:
    row_mm, column_mm = row.pixel_mm or (None, None)
    own = {name: getattr(row, name) for name in PATIENT_COLUMNS if hasattr(row, name)}
    counted = ("slices", "slices_with_tumour", "tumour_pixels", "latency_ms_p50", "latency_ms_p95", "total_ms")
    return (
        own
        | ({} if row.status == DONE else dict.fromkeys(counted))
        | _told("", row.trust)
        | {_class_column(one.name, name): getattr(one, name) for one in row.classes for name in CLASS_COLUMNS}
        | {name: value for one in row.classes for name, value in _told(_class_column(one.name, ""), one.trust).items()}
        | {
            "row_mm": row_mm,
            "column_mm": column_mm,
            "warnings": "; ".join(row.warnings),
            "files": "; ".join(dict.fromkeys((*(mask.mask for mask in row.masks), *row.files))),
        }
    )


def _told(before: str, trust: PatientTrust | None) -> dict[str, object]:
    return {} if trust is None else {f"{before}{name}": getattr(trust, name) for name in TRUST_COLUMNS}


def _cells(row: ReportRow) -> dict[str, object]:
    dice, delta, latency = row.dice, row.dice_delta_to_float, row.latency
    own = {name: getattr(row, name) for name in COLUMNS if hasattr(row, name)}
    for one in row.classes:
        values = (one.dice.mean, one.dice.low, one.dice.high)
        own |= {_class_column(one.name, name): value for name, value in zip(DICE_COLUMNS, values, strict=True)}
    return own | {
        "dice_mean": dice and dice.mean,
        "dice_low": dice and dice.low,
        "dice_high": dice and dice.high,
        "dice_delta_mean": delta and delta.mean,
        "dice_delta_low": delta and delta.low,
        "dice_delta_high": delta and delta.high,
        "flips_ppm": row.parity and row.parity.flips_ppm,
        "latency_ms_p50": latency and latency.latency_ms_p50,
        "latency_ms_p95": latency and latency.latency_ms_p95,
        "threads": latency and latency.threads,
        "runs": latency and latency.runs,
        "runtime": latency and latency.runtime,
    }
