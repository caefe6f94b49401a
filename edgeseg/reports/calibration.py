"""The page about a study of calibration."""

from __future__ import annotations

from edgeseg.reports.table import markdown_table_lines
from edgeseg.reports.words import interval_text
from edgeseg.results import CalibrationPoint, CalibrationStudy

_HEADS = ("calibration data", "slices", "patients", "method")
_FIGURES = ("Dice mean [95 %]", "delta to float [95 %]")


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
            (*_HEADS, *_FIGURES),
            (
                (*_calibration(p), interval_text(p.dice, digits=4), interval_text(p.delta, signed=True, digits=4))
                for p in result.points
            ),
        ),
        *_by_class(result),
    ]
    lines += ["", f"Written by `{result.command}` on {result.environment.cpu}; weights {result.weights_sha256[:12]}."]
    return "\n".join(lines) + "\n"


def _by_class(result: CalibrationStudy) -> list[str]:
    """The same of each of several classes; nothing where there is one mask."""
    if not any(p.classes for p in result.points):
        return []
    rows = (
        (
            *_calibration(p),
            one.name,
            interval_text(one.dice, digits=4),
            interval_text(one.delta, signed=True, digits=4),
        )
        for p in result.points
        for one in p.classes
    )
    return [
        "",
        "Dice above is the mean over the classes, which are:",
        "",
        *markdown_table_lines((*_HEADS, "class", *_FIGURES), rows),
    ]


def _calibration(point: CalibrationPoint) -> tuple[str, str, str, str]:
    return point.data, f"{point.slices}", f"{point.patients}", point.method
