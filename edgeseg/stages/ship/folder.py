"""The folder of a network that ships: all of it at once, in place of what was there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint
from edgeseg.stages.adopt import SOURCE, copy_original
from edgeseg.stages.ship.built import Built, files_before, listed_files


def put(
    folder: Path,
    parts: Mapping[str, bytes | None],
    *,
    built: Built | None,
    weights_sha256: str,
    original: Checkpoint | None,
) -> None:
    """Write all files of a network and then take away those of the network before it that it has none of.

    A run that is stopped, or that the disk has no room for, leaves the network before it as it was. The folder may be
    that of the run itself.

    Args:
        folder: of the network.
        parts: its own files by name; None for one that it does not have.
        built: its converted files.
        weights_sha256: of its weights.
        original: the run with the file that it was imported from, since whatever is built of it is held against that.

    Raises:
        OutputError: when the folder cannot be written.
    """
    before = [folder / name for name in (*files_before(folder), *parts)]
    before += [path for path in (folder / SOURCE).rglob("*") if not path.is_dir()]
    with artifacts.staged_tree(folder) as made:
        own = {name: content for name, content in parts.items() if content is not None}
        for name, content in {**listed_files(built, weights_sha256), **own}.items():
            artifacts.write_bytes(made / name, content)
        if original is not None:
            copy_original(original, made)
        kept = {folder / path.relative_to(made) for path in made.rglob("*")}
    for path in before:
        if path not in kept:
            path.unlink(missing_ok=True)
    for below in sorted((folder / SOURCE).rglob("*"), reverse=True):
        with contextlib.suppress(OSError):
            below.rmdir()
    with contextlib.suppress(OSError):
        (folder / SOURCE).rmdir()
