"""The folder of a build: reading its manifest, writing its reports, and putting a table into a page."""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.jsonio import to_json
from edgeseg.reports.build import whole_report
from edgeseg.reports.summary import summarise
from edgeseg.results import BuildResult


def write_report(build: BuildResult, folder: Path) -> tuple[Path, Path]:
    """Write `report.md` and `report.json` into a build folder; return both paths.

    Raises:
        OutputError: when the folder cannot be written.
    """
    return (
        artifacts.write_text(folder / "report.md", whole_report(build)),
        artifacts.write_text(folder / "report.json", to_json(summarise(build)) + "\n"),
    )
