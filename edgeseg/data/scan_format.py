"""What there is to know of one format of scans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.candidate import Candidate

Listed = tuple[tuple[Candidate, ...], tuple[Path, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFormat:
    """One format; what its sequences can be written as stands in their `mask_formats`.

    Attributes:
        name: in results and messages.
        is_file: whether a file is of this format, by its name or first bytes.
        list: sorts files of this format into candidates; the second value are files that hold no image. The second
            argument is the salt of hashes.
        whole_tree: whether all files below a folder are one patient, or those directly in it.
        owner: tells the study and the patient of one file, as a hash to be compared; None for one without an image. It
            raises `DatasetError` where the file does not tell. For formats with `whole_tree`.
        endings: what files of this format are called; one so called that is none of it is damaged.
    """

    name: str
    is_file: Callable[[Path], bool]
    list: Callable[[tuple[Path, ...], str], Listed]
    whole_tree: bool
    endings: tuple[str, ...]
    owner: Callable[[Path], str | None] | None = None
