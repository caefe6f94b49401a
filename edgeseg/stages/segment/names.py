"""Names of patients and slices that any file system, terminal and program can take."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.scan import SourcedScan
from edgeseg.errors import DatasetError
from edgeseg.stages.segment.summary import SUMMARY_FILE

HIDDEN = ".edgeseg"
_SURROGATES = (0xDC80, 0xDCFF)
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\xb9\xb2\xb3]) *(\..*)?", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return a name with `%F6` for a byte that is not UTF-8, and likewise for control and format characters.

    A name of dots alone, which would be another folder, and that of the summary are written so too.
    """
    if not name.strip(".") or name == SUMMARY_FILE:
        return "".join(f"%{ord(char):02X}" for char in name[:1]) + name[1:]
    return "".join(_shown(char) for char in name)


def called_apart(root: Path, folders: Iterable[Path]) -> dict[Path, str]:
    """Name folders below one that would have one name, such as `sub-01/anat`, by all of their path: `sub-01_anat`."""
    folders = tuple(folders)
    count = Counter(folder.name for folder in folders)
    return {one: "_".join(one.relative_to(root).parts) for one in folders if count[one.name] > 1 and one != root}


def why_reserved(name: str) -> str | None:
    """Say why no folder of masks can have a patient's name; None where it can."""
    if name.strip(" .") == "":
        return "it is no name of a folder"
    if "/" in name or "\0" in name:
        return "it is a path"
    if name.casefold() == SUMMARY_FILE or name.startswith(HIDDEN):
        return "a file of edgeseg is called so"
    if _DEVICES.fullmatch(name):
        return "Windows keeps it for a device"
    return None


def _shown(char: str) -> str:
    code = ord(char)
    if _SURROGATES[0] <= code <= _SURROGATES[1]:
        return f"%{code - 0xDC00:02X}"
    if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return "".join(f"%{byte:02X}" for byte in char.encode(errors="surrogatepass"))
    return char


def named(scan: SourcedScan, name: str | None = None) -> SourcedScan:
    """Return a scan under names that are safe, with another patient's name where one is given.

    Raises:
        DatasetError: when two slices would have one name, or a patient one that is reserved.
    """
    wanted, slices = safe_name(name or scan.name), tuple(map(safe_name, scan.slice_names))
    if (why := why_reserved(wanted)) is not None:
        raise DatasetError(f"a patient would be called '{wanted}', and {why}; rename the file or folder")
    if (wanted, slices) == (scan.name, scan.slice_names):
        return scan
    if twice := [one for one, count in Counter(slices).items() if count > 1]:
        raise DatasetError(f"two slices of {wanted} are both '{twice[0]}' once written in UTF-8; rename one")
    return cast(SourcedScan, _Named(scan, wanted, slices))


class _Named:
    """A scan with other names; all else is the scan's."""

    def __init__(self, scan: SourcedScan, name: str, slice_names: tuple[str, ...]) -> None:
        self._scan, self.name, self.slice_names = scan, name, slice_names

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice."""
        return self._scan.image(index)

    def __getattr__(self, attribute: str) -> object:
        return getattr(self._scan, attribute)
