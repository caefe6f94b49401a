"""The page about a study of calibration."""

from __future__ import annotations

from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import interval_text
from edgeseg.results import CalibrationStudy


def markdown(result: CalibrationStudy) -> str:
    """Return the page about a study."""
    lines = [
        "# Calibration of int8",
        "",
        f"What int8 ranges rest on, and what that does to Dice: {result.variant} as {result.target}, scored on "
        f"n = {result.patients} patients of {result.data} that training did not see. In float the same weights score "
        f"{interval_text(result.float_dice, digits=4)}; intervals are 95 % bootstraps over patients, seed "
        f"{result.seed}; "
        f"{result.numerics}; threshold 0.5, no post-processing.",
        "",
        *markdown_table_lines(
            ("calibration data", "slices", "patients", "method", "Dice mean [95 %]", "delta to float [95 %]"),
            (
                (
                    p.data,
                    f"{p.slices}",
                    f"{p.patients}",
                    p.method,
                    interval_text(p.dice, digits=4),
                    interval_text(p.delta, signed=True, digits=4),
                )
                for p in result.points
            ),
        ),
    ]
    lines += ["", f"Written by `{result.command}` on {result.environment.cpu}; weights {result.weights_sha256[:12]}."]
    return "\n".join(lines) + "\n"
