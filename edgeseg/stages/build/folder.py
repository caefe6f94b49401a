"""The folder of a build: reading its manifest, writing its reports, and putting a table into a page."""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OptionError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.reports.build import markdown
from edgeseg.reports.summary import summarise
from edgeseg.results import RESULT_SCHEMA_VERSION, BuildResult

BUILD_FILE = "build.json"
TABLE_BEGIN, TABLE_END = "<!-- table:begin -->", "<!-- table:end -->"


def read_build(folder: Path) -> BuildResult:
    """Read the `build.json` of a build folder (or the file itself).

    Raises:
        ArtifactError: when there is none, or it is damaged or of another schema.
    """
    path = folder / BUILD_FILE if folder.is_dir() else folder
    try:
        build = from_json(BuildResult, path.read_bytes())
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{folder} holds no {BUILD_FILE}; give the folder that 'edgeseg build --out' wrote"
        ) from error
    except OSError as error:
        raise ArtifactError(
            f"cannot read {path}: {error.strerror or error}; check the path and its permissions"
        ) from error
    except JsonFormatError as error:
        raise ArtifactError(f"{path} is damaged ({error}); run 'edgeseg build --rebuild' to write it anew") from error
    if build.schema_version != RESULT_SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has schema version {build.schema_version} and this edgeseg reads {RESULT_SCHEMA_VERSION}; "
            "run 'edgeseg build --rebuild' to write it anew"
        )
    return build


def write_report(build: BuildResult, folder: Path) -> tuple[Path, Path]:
    """Write `report.md` and `report.json` into a build folder; return both paths.

    Raises:
        OutputError: when the folder cannot be written.
    """
    return (
        artifacts.write_text(folder / "report.md", markdown(build)),
        artifacts.write_text(folder / "report.json", to_json(summarise(build)) + "\n"),
    )


def splice(table: str, path: Path) -> Path:
    """Put a Markdown table between `<!-- table:begin -->` and `<!-- table:end -->` of a file; all else stays.

    Raises:
        OptionError: when the file cannot be read or does not hold each marker once, in that order.
        OutputError: when it cannot be written.
    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OptionError(f"cannot read {path}: {why}; --into takes an existing Markdown file") from error
    begin, end = text.find(TABLE_BEGIN), text.find(TABLE_END)
    if text.count(TABLE_BEGIN) != 1 or text.count(TABLE_END) != 1 or end < begin:
        raise OptionError(
            f"{path} must hold '{TABLE_BEGIN}' and after it '{TABLE_END}', each once; add the two lines where the "
            "table belongs"
        )
    new = f"{text[: begin + len(TABLE_BEGIN)]}\n\n{table.strip()}\n\n{text[end:]}"
    return artifacts.write_text(path, new)
