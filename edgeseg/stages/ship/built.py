"""The converted files of a build, on their way beside the weights that they were made from."""

from __future__ import annotations

from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import ArtifactError
from edgeseg.jsonio import JsonFormatError, from_json, to_record
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


def put_files(folder: Path, built: Built | None, weights_sha256: str) -> None:
    """Write the files into a network's folder, with their list, in place of those of the weights that were there.

    Raises:
        OutputError: when the folder cannot be written.
    """
    _remove(folder)
    if built is None or not built[1]:
        return
    made, contents = built
    for name, content in contents.items():
        artifacts.write_bytes(folder / name, content)
    told = NetworkFiles(
        weights_sha256=weights_sha256,
        ranges_sha256=made.ranges_sha256,
        choice_sha256=made.choice_sha256,
        files=made.files,
        versions=made.versions,
    )
    artifacts.write_text(folder / FILES_FILE, to_record(told))


def _remove(folder: Path) -> None:
    """Take away converted files of other weights."""
    path = folder / FILES_FILE
    try:
        before = from_json(NetworkFiles, path.read_bytes()).files
    except (OSError, JsonFormatError):
        before = ()
    for file in before:
        (folder / Path(file.file).name).unlink(missing_ok=True)
    path.unlink(missing_ok=True)
