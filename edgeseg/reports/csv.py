"""A build's report as CSV: one line per artifact, plain numbers, for spreadsheets and other programs."""

from __future__ import annotations

import csv
import io

from edgeseg.results import Report, ReportRow

COLUMNS = (
    "variant", "target", "tier", "status", "size_bytes", "gzip_size_bytes", "times_smaller_than_file",
    "times_smaller_than_weights", "parameters", "macs", "evaluated_patients", "seen_patients", "dice_mean", "dice_low",
    "dice_high", "dice_median", "dice_delta_mean", "dice_delta_low", "dice_delta_high", "flips_ppm", "latency_ms_p50",
    "latency_ms_p95", "threads", "runs", "runtime", "numerics", "data", "rests_on_phantoms",
)  # fmt: skip


def spreadsheet(report: Report) -> str:
    """Return the rows of a report as CSV (RFC 4180); what was not measured is an empty cell."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    for row in report.rows:
        writer.writerow(_cells(row) | {"data": report.data, "rests_on_phantoms": report.rests_on_phantoms})
    return stream.getvalue()


def _cells(row: ReportRow) -> dict[str, object]:
    dice, delta, latency = row.dice, row.dice_delta_to_float, row.latency
    own = {name: getattr(row, name) for name in COLUMNS if hasattr(row, name)}
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
