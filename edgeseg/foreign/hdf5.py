"""Somebody's HDF5 file, opened with care: it may point into other files, and may be cut off."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeseg.errors import ArtifactError, one_line
from edgeseg.targets._require import require


@contextlib.contextmanager
def opened(path: Path, *, shown: Path | None = None) -> Iterator[Any]:
    """Open an HDF5 file for reading, and refuse one that takes anything from outside itself.

    Args:
        path: the file.
        shown: what messages call it.

    Raises:
        ArtifactError: when it is damaged or points into other files.
        MissingExtraError: when h5py is not installed.
    """
    require("h5py", purpose="reading a Keras file")
    import h5py

    name = shown or path
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ArtifactError(
            f"{name}: an HDF5 file that is damaged or was cut off ({one_line(error)}); copy it again"
        ) from error
    with file:
        try:
            _check_group(file, name)
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise ArtifactError(
                f"{name}: an HDF5 file that is damaged inside ({one_line(error)}); copy it again"
            ) from error
        yield file


def _check_group(group: Any, path: Path) -> None:
    """Walk all links and data sets below a group; hard links alone are followed, so it comes to an end."""
    import h5py

    stack, seen = [group], set()
    while stack:
        here = stack.pop()
        if here.id.__hash__() in seen:
            continue
        seen.add(here.id.__hash__())
        for name in here:
            link = here.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "another file" if isinstance(link, h5py.ExternalLink) else "another place"
                raise ArtifactError(
                    f"{path}: '{here.name.rstrip('/')}/{name}' is a link to {kind}, which Keras never writes; save the "
                    "model again, whole in one file"
                )
            item = here[name]
            if isinstance(item, h5py.Group):
                stack.append(item)
            elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                raise ArtifactError(
                    f"{path}: the values of '{item.name}' lie in another file; save the model again, whole in one file"
                )


def text_attribute(file: Any, name: str) -> str | None:
    """Return an attribute that holds text, None where there is none."""
    value = file.attrs.get(name)
    if value is None:
        return None
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
