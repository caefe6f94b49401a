"""The only code that knows how `models/`, `calibration/` and `build/` are laid out, and the only one that writes there.

A file is written beside its place and moved over it in one step, so that a reader sees the old file or the new one,
never a half. `models/` and `calibration/` stand at the top of the repository and travel inside the wheel under
`edgeseg/_shipped/`; `shipped()` finds whichever is there.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from edgeseg.errors import ArtifactError, OptionError, OutputError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.place import data_place, staging, write_error
from edgeseg.regular import NOT_REGULAR
from edgeseg.results import RESULT_SCHEMA_VERSION, BuildResult

BUILD_FILE = "build.json"
_PACKAGE = Path(__file__).resolve().parent


def shipped(*parts: str) -> Path:
    """Return the path of a shipped file such as `shipped("models", "light")`; it may not exist."""
    inside = _PACKAGE / "_shipped"
    root = inside if inside.is_dir() else _PACKAGE.parent
    return root.joinpath(*parts)


def own_home() -> Path:
    """Where a user's own networks and ranges go, below `models/` and `calibration/`; every command looks there.

    In a checkout that edgeseg runs from it is the checkout, elsewhere the user's folder for data. Nothing is made.

    Raises:
        OutputError: when there is no home folder.
    """
    root = shipped()
    if root == _PACKAGE.parent and (root / "pyproject.toml").is_file() and Path.cwd().is_relative_to(root):
        return root
    if (place := data_place()) is None:
        raise OutputError("there is no home folder for networks of your own; set XDG_DATA_HOME to a folder of yours")
    return place


def homes() -> tuple[Path, ...]:
    """The folders in which networks are looked for: the user's folder for data, and what ships."""
    place = data_place()
    return (shipped(),) if place is None else (place, shipped())


def artifact_path(out: Path, network: str, target: str, suffix: str) -> Path:
    """Where a build puts an artifact: `<out>/<network>/<target><suffix>`, by its name, or its slug if it has none."""
    return out / network / f"{target}{suffix}"


@functools.cache
def source_digest(room: str = "") -> str:
    """Return 16 hex digits that change with edgeseg's own source, or with that of one room such as `data`.

    Whatever is kept for a later run is kept under it, so that no figure outlives the code that found it. The command
    line decides no result and is left out. It is read once per process.
    """
    digest = hashlib.sha256()
    for path in sorted((_PACKAGE / room).rglob("*.py")):
        name = path.relative_to(_PACKAGE).as_posix()
        if not name.startswith("cli/"):
            digest.update(f"{name}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()[:16]


def make_dir(path: Path) -> Path:
    """Make a folder and its parents.

    Raises:
        OutputError: when the place is a file, or cannot be written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
    return path


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_bytes(path: Path, data: bytes) -> Path:
    """Write a file in one step, whole or not at all.

    Raises:
        OutputError: when the disk is full or the place cannot be written; nothing is left behind.
    """
    with staged(path) as temporary:
        temporary.write_bytes(data)
    return path


def write_text(path: Path, text: str) -> Path:
    """Write UTF-8 text in one step, what stands for bytes of a file's name that are not UTF-8 escaped."""
    return write_bytes(path, text.encode(errors="backslashreplace"))


def require_writable(path: Path) -> None:
    """Try whether a file could be written, before the work whose result goes there; its folder is made.

    Raises:
        OutputError: when it could not.
    """
    _refuse_what_is_no_file(path)
    make_dir(path.parent)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise write_error(path, error) from error


def _refuse_what_is_no_file(path: Path) -> None:
    """Refuse a folder, and what a file would be moved over: for root, even /dev/null and the link /dev/stdout."""
    if path.is_dir():
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
    stdout = path.is_symlink() and path.readlink().is_relative_to("/proc")
    if stdout or (path.exists() and not path.is_file()):
        raise OutputError(f"cannot write {path}: {NOT_REGULAR}; give the name of a file, which is written in one step")


def append_text(path: Path, text: str) -> Path:
    """Add UTF-8 text to the end of a file that others write to as well, in one call; it is made when absent.

    Raises:
        OutputError: when the place cannot be written.
    """
    try:
        with path.open("ab", buffering=0) as stream:
            stream.write(text.encode(errors="backslashreplace"))
    except OSError as error:
        raise write_error(path, error) from error
    return path


@contextlib.contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Give a temporary path with the same suffix; when the block ends well it is moved to `path` in one step.

    Who may read the file is what the user's umask says.

    Raises:
        OutputError: when the disk is full or the place cannot be written; nothing is left behind.
    """
    make_dir(path.parent)
    _refuse_what_is_no_file(path)
    temporary = path.parent / f"{staging(path.stem)}{secrets.token_hex(4)}{path.suffix}"
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise write_error(path, error) from error
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def staged_tree(out: Path) -> Iterator[Path]:
    """Give a temporary folder; when the block ends well its files are moved into `out`, those at its top last.

    Files of the same name in `out` are replaced, others stay.

    Raises:
        OutputError: when the disk is full or the place cannot be written; nothing new is left behind.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    make_dir(out)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=staging(), dir=out))
        try:
            yield temporary
            _move_files(temporary, out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise write_error(out, error) from error
    finally:
        for folder in made:
            with contextlib.suppress(OSError):
                folder.rmdir()


def refuse_links(out: Path, names: Iterable[str]) -> None:
    """Refuse to write through a link in a folder of results to wherever it leads.

    Raises:
        OutputError: when one of the folders' names is a link there.
    """
    for name in names:
        if (out / name).is_symlink():
            raise OutputError(
                f"cannot write {out / name}: it is a link to another place; remove the link, or choose another place "
                "with --out"
            )


def _move_files(source: Path, out: Path) -> None:
    refuse_links(out, (str(path.relative_to(source)) for path in sorted(source.rglob("*")) if path.is_dir()))
    for folder in sorted(path for path in source.iterdir() if path.is_dir()):
        if not (out / folder.name).exists():
            folder.rename(out / folder.name)
    files = sorted(path for path in source.rglob("*") if path.is_file())
    places = [out / path.relative_to(source) for path in files]
    for place in places:
        make_dir(place.parent)
        if place.is_dir():
            raise OutputError(f"cannot write {place}: a folder of that name is there; choose another place with --out")
    for path, place in sorted(zip(files, places, strict=True), key=lambda pair: pair[1].parent == out):
        path.replace(place)


def read_build(folder: Path) -> BuildResult:
    """Read the `build.json` of a build folder (or the file itself).

    Raises:
        ArtifactError: when there is none, or it is damaged or of another schema.
    """
    path = folder / BUILD_FILE if folder.is_dir() else folder
    try:
        build = from_json(BuildResult, read_document(path))
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{folder} holds no {BUILD_FILE}; give the folder that 'edgeseg build --out' wrote"
        ) from error
    except OSError as error:
        raise ArtifactError(
            f"cannot read {path}: {error.strerror or error}; check the path and its permissions"
        ) from error
    except (JsonFormatError, OptionError) as error:
        raise ArtifactError(f"{path} is damaged ({error}); run 'edgeseg build --rebuild' to write it anew") from error
    if build.schema_version != RESULT_SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has schema version {build.schema_version} and this edgeseg reads {RESULT_SCHEMA_VERSION}; "
            "run 'edgeseg build --rebuild' to write it anew"
        )
    return build
