"""Where files of the node lie: `in/<study>/` what came, `out/<study>/` results; studies go by their number."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

from edgeseg.node.queue import Queue
from edgeseg.specs.node import RESULT_KINDS

_QUEUE, _IN, _OUT, _UNDER_WAY = "queue.sqlite", "in", "out", "under-way"


class Place:
    """The folder of one node, which nobody else may read."""

    def __init__(self, root: Path) -> None:
        """Make what is missing.

        Raises:
            OSError: when it cannot be written.
        """
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in (_IN, _OUT, _UNDER_WAY):
            (root / name).mkdir(exist_ok=True, mode=0o700)

    @property
    def queue(self) -> Path:
        """The file of the queue."""
        return self.root / _QUEUE

    def objects(self, study: int) -> Path:
        """Where the objects of a study are."""
        return self.root / _IN / str(study)

    def results(self, study: int) -> Path:
        """Where its results are."""
        return self.root / _OUT / str(study)

    def files(self, study: int) -> dict[str, Path]:
        """Give the results that are there by kind, in the order in which they are sent."""
        found = {kind: self.results(study) / f"{kind}.dcm" for kind in RESULT_KINDS}
        return {kind: path for kind, path in found.items() if path.is_file()}

    def fresh(self) -> Path:
        """Name a file or folder for what is under way; nothing is there yet."""
        return self.root / _UNDER_WAY / secrets.token_hex(8)

    def put(self, study: int, path: Path, name: str) -> None:
        """Move a file to the objects of a study, for good."""
        folder = self.objects(study)
        folder.mkdir(exist_ok=True, mode=0o700)
        path.replace(folder / name)
        settle(folder)

    def publish(self, study: int, folder: Path) -> None:
        """Make a folder the results of a study, in place of what is there."""
        for path in folder.iterdir():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
        settle(folder)
        shutil.rmtree(self.results(study), ignore_errors=True)
        folder.rename(self.results(study))
        settle(self.results(study).parent)

    def delete(self, study: int) -> None:
        """Delete objects and results of a study."""
        for folder in (self.objects(study), self.results(study)):
            shutil.rmtree(folder, ignore_errors=True)

    def sweep(self, queue: Queue) -> None:
        """Delete what a killed node left: files under way, and those that the queue does not know."""
        shutil.rmtree(self.root / _UNDER_WAY, ignore_errors=True)
        (self.root / _UNDER_WAY).mkdir(mode=0o700)
        known = {str(row.id): row for row in queue.rows()}
        for folder in (*(self.root / _IN).iterdir(), *(self.root / _OUT).iterdir()):
            row = known.get(folder.name)
            if row is None or not row.kept:
                shutil.rmtree(folder, ignore_errors=True)
            elif folder.parent.name == _IN:
                digests = queue.all("SELECT digest FROM instances WHERE study = ?", row.id)
                names = {object_name(one["digest"]) for one in digests}
                for path in folder.iterdir():
                    if path.name not in names:
                        path.unlink()


def object_name(digest: str) -> str:
    """Name the file of an object."""
    return f"{digest[:32]}.dcm"


def settle(folder: Path) -> None:
    """Have the names in a folder outlast a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
