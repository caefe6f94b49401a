"""Unpacking of an archive that came over the network: bounded in number and size, and nothing but plain files below."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from edgeseg.errors import DatasetError

FOLDER = "kaggle_3m"
MAX_MEMBERS = 50_000
MAX_BYTES = 4 << 30
MAX_MEMBER_BYTES = 64 << 20
"""The Kaggle set has 15,720 members, of which half are unpacked, about 1 GB; a slice has 0.2 MB."""
_PREFIXES = (f"{FOLDER}/", f"lgg-mri-segmentation/{FOLDER}/")
_DAMAGED = (zipfile.BadZipFile, EOFError, zlib.error)
_ENCRYPTED = 0x1


def unpack(archive: Path, dest: Path) -> None:
    """Unpack the set to `dest/kaggle_3m` once, though the archive holds it twice (and below `lgg-mri-segmentation/`).

    All members are looked at before the first is written. Each must be a plain file or a folder with a relative name;
    those outside the folder are left in the archive.

    Args:
        archive: the ZIP file.
        dest: gets the folder.

    Raises:
        DatasetError: when the archive is damaged, lacks the folder, has more or larger members than a data set has, or
            one that is a link, encrypted, oddly compressed, there twice, or named so that it would land elsewhere.
        OSError: when a file cannot be written.
    """
    try:
        with zipfile.ZipFile(archive) as bundle:
            for entry, parts in _chosen(bundle):
                place = dest.joinpath(FOLDER, *parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                with bundle.open(entry) as packed, place.open("xb") as out:
                    shutil.copyfileobj(packed, out)
    except _DAMAGED as error:
        raise DatasetError(f"the archive from Kaggle is damaged ({error}); nothing was kept; fetch it again") from error


def _chosen(bundle: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    entries = bundle.infolist()
    if len(entries) > MAX_MEMBERS:
        raise _refused(f"has {len(entries)} members, and at most {MAX_MEMBERS} are unpacked")
    for entry in entries:
        _check(entry)
    files = [entry for entry in entries if not entry.is_dir()]
    prefix = next((p for p in _PREFIXES if any(entry.filename.startswith(p) for entry in files)), None)
    if prefix is None:
        raise DatasetError(f"the archive from Kaggle holds no '{FOLDER}' folder; the set has changed its layout")
    found = [entry for entry in files if entry.filename.startswith(prefix)]
    if (size := sum(entry.file_size for entry in found)) > MAX_BYTES:
        raise _refused(f"unpacks to {size / 1e9:.1f} GB, and at most {MAX_BYTES / 1e9:.1f} GB are unpacked")
    parts = [PurePosixPath(entry.filename.removeprefix(prefix)).parts for entry in found]
    if len(set(parts)) < len(parts):
        raise _refused("holds two files of one name")
    return list(zip(found, parts, strict=True))


def _check(entry: zipfile.ZipInfo) -> None:
    """Refuse a member that is no plain file or folder of a sensible size below the archive's root."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    names = entry.orig_filename.rstrip("/").split("/")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused("holds a link or a special file")
    if not all(names) or {".", ".."} & set(names) or any(mark in entry.orig_filename for mark in "\\\0:"):
        raise _refused("holds a name that leads out of its folder, or that not every system can have")
    if entry.flag_bits & _ENCRYPTED:
        raise _refused("is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _refused("is compressed in a way whose output cannot be bounded while it is unpacked")
    if entry.file_size > MAX_MEMBER_BYTES:
        raise _refused(f"holds a file of {entry.file_size / 1e6:.0f} MB, which no slice has")


def _refused(why: str) -> DatasetError:
    return DatasetError(f"the archive from Kaggle {why}; it is not the set that it was, so nothing was kept")
