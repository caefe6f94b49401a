"""What a user of the runner decides beside the model and the paths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.errors import OptionError, UnknownNameError
from edgeseg.specs.salt import check_salt

MASK_FORMATS = ("png", "tiff", "nifti", "dicom-seg")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Inputs that are named one by one, and what is written.

    Attributes:
        sequences: by channels of the network a NIfTI file, a folder with one DICOM series, or grey slices.
        series: by channels number, UID or description of the series to take, where a folder holds several.
        volumes: what the volumes of a 4-D NIfTI file are, in order; `-` leaves one out.
        spacing_mm: distances of rows, of columns and, where given, of slices, for files that do not hold them.
        formats: of the masks, out of `MASK_FORMATS`; empty for the input's own (PNG, NIfTI or DICOM SEG).
        overlays: whether pictures with outlines and a contact sheet are written.
        salt: hashed with DICOM identifiers to name their patients, 16 random bytes at least (see `check_salt`);
            None draws one for each folder of results.
        same_patient: whether sequences are one patient's, as the user says, though their headers name different ones.
        contract: a JSON file with the contract of a model that carries none.
        de_identify: whether nothing that is written says whose it is; needs a `salt`.
        untrusted: whether scans are read in a process of their own, with limits on memory and time.
    """

    sequences: Mapping[str, Path] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[str, ...] = ()
    spacing_mm: tuple[float, float, float | None] | None = None
    formats: tuple[str, ...] = ()
    overlays: bool = False
    salt: str | None = None
    contract: Path | None = None
    untrusted: bool = False
    de_identify: bool = False
    same_patient: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown formats, distances that are none, and a weak salt."""
        if self.salt is not None:
            check_salt(self.salt)
        if self.de_identify and self.salt is None:
            raise OptionError(
                "--de-identify was given without a salt, which decides pseudonyms, UIDs and dates; make one with "
                "'edgeseg key make salt.key' and give --salt salt.key, and keep it away from the results"
            )
        for name in self.formats:
            if name not in MASK_FORMATS:
                raise UnknownNameError("mask format", name, MASK_FORMATS)
        for distance in self.spacing_mm or ():
            if distance is not None and not (math.isfinite(distance) and 0.01 <= distance <= 100):
                raise OptionError(f"a spacing of {distance} mm was given; distances lie between 0.01 and 100 mm")


def parse_spacing(text: str) -> tuple[float, float, float | None]:
    """Read `ROW,COLUMN` or `ROW,COLUMN,SLICE` in mm, such as `0.94,0.94,5`.

    Raises:
        OptionError: for anything else.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise OptionError(
            f"--spacing is '{text}'; two or three distances in mm are needed, of rows, columns and slices: 0.94,0.94,5"
        )
    return numbers[0], numbers[1], numbers[2] if len(numbers) == 3 else None
