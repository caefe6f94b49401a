"""A scan that tells nothing of whose it is: its patient has a pseudonym, its slices have numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.data.scan import SourcedScan
from edgeseg.results import UnusedFiles, UsedSequence
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.names import named

WITHHELD = "{} withheld, since they may name files or people; run without --de-identify to read them"


def pseudonym_of(name: str, pseudonyms: Pseudonyms) -> str:
    """Name a patient who is called by files or folders."""
    return pseudonyms.patient(f"name {name}")


def called(scan: SourcedScan, name: str | None, options: RunOptions) -> SourcedScan:
    """Return a scan as a run calls it: by `name` where one is given, safe for files, and under a pseudonym if asked.

    The name of a DICOM patient is a pseudonym by itself.

    Raises:
        DatasetError: as `named`.
    """
    safe = named(scan, name)
    if not options.de_identify or options.salt is None:
        return safe
    return untold(safe, safe.name if safe.kind == "dicom" else pseudonym_of(safe.name, Pseudonyms(options.salt)))


def untold(scan: SourcedScan, name: str) -> SourcedScan:
    """Return a scan under another name, whose slices, sequences and warnings name no file."""
    return cast(SourcedScan, _Untold(scan, name))


class _Untold:
    """A scan with other names; its pixels and places are the scan's."""

    def __init__(self, scan: SourcedScan, name: str) -> None:
        self._scan, self.name = scan, name
        self.slice_names = tuple(f"slice_{number:04d}" for number in range(1, len(scan.slice_names) + 1))

    @property
    def used(self) -> tuple[UsedSequence, ...]:
        """What was used, without names of files and words of headers."""
        return tuple(replace(one, series=one.sequence, evidence=()) for one in self._scan.used)

    @property
    def unused(self) -> tuple[UnusedFiles, ...]:
        """How many files were not used."""
        rest = enumerate(self._scan.unused, 1)
        return tuple(UnusedFiles(name=f"others {number}", files=one.files, why="not used") for number, one in rest)

    @property
    def warnings(self) -> tuple[str, ...]:
        """How many warnings there are."""
        count = len(self._scan.warnings)
        return (WITHHELD.format(f"{count} warnings on the files are"),) if count else ()

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice."""
        return self._scan.image(index)

    def __getattr__(self, attribute: str) -> object:
        return getattr(self._scan, attribute)
