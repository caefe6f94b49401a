"""The converted files of a build, on their way beside the weights that they were made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError
from edgeseg.jsonio import JsonFormatError, from_json, read_document, to_record
from edgeseg.networks import FILES_FILE
from edgeseg.results import BuildResult, NetworkFile, NetworkFiles
from edgeseg.stages.ship.convert import SHIPPED_TARGETS

Built = tuple[NetworkFiles, dict[str, bytes]]
"""What `artifacts.json` says, and the files by name."""


def built_files(build: BuildResult, folder: Path) -> Built:
    """Read the files of a build that ship, and hold them to the digests of its `build.json`.

    Raises:
        ArtifactError: when one is missing or altered.
    """
    root = folder if folder.is_dir() else folder.parent
    listed, contents = [], {}
    for row in build.artifacts:
        if row.target not in SHIPPED_TARGETS or not row.stands or not row.path:
            continue
        path = root / row.path
        if not path.is_file() or artifacts.sha256_file(path) != row.sha256:
            raise ArtifactError(f"{path} is missing or was altered since the build; run 'edgeseg build' again")
        file = NetworkFile(target=row.target, file=path.name, size_bytes=row.size_bytes, sha256=row.sha256)
        listed.append(file)
        contents[file.file] = path.read_bytes()
    versions = build.environment.versions
    made = NetworkFiles(weights_sha256="", ranges_sha256="", choice_sha256="", files=tuple(listed), versions=versions)
    return made, contents


def listed_files(built: Built | None, weights_sha256: str) -> dict[str, bytes]:
    """Return the files by name with their list, as of weights of this digest; none where none were built."""
    if built is None or not built[1]:
        return {}
    made, contents = built
    told = replace(made, weights_sha256=weights_sha256)
    return {**contents, FILES_FILE: to_record(told).encode()}


def files_before(folder: Path) -> tuple[str, ...]:
    """Name the converted files and their list in a network's folder; none where there is no list to be read."""
    path = folder / FILES_FILE
    try:
        listed = from_json(NetworkFiles, read_document(path)).files
    except (OSError, JsonFormatError):
        listed = ()
    return (*(Path(file.file).name for file in listed), FILES_FILE)
