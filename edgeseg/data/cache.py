"""A memory-mapped cache of decoded slices, so that training reads arrays and not files."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.data.mapped import let_go
from edgeseg.data.one_size import common_size, square_size, to_one_size
from edgeseg.data.rows_file import RowsFile
from edgeseg.data.volume import Dataset, Volume, volumes
from edgeseg.errors import OutputError
from edgeseg.jsonio import from_json, to_json
from edgeseg.place import CACHE_VARIABLE, cache_dir, private_folder, staging, sweep
from edgeseg.progress import Progress
from edgeseg.specs import AXIAL, LGG, ChannelSet

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedPatient:
    """Where one patient's slices lie in the cache: rows `first` to `first + len(slice_names)`."""

    patient: str
    institution: str
    first: int
    slice_names: tuple[str, ...]
    sha256: str
    spacing_mm: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheIndex:
    """The cache's table of contents; `resampled` where slices had another size, or pixels that are not square."""

    name: str
    height: int
    width: int
    patients: tuple[CachedPatient, ...]
    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()
    resampled: bool = False
    plane: str = AXIAL


class SliceCache:
    """A data set whose slices are memory-mapped; satisfies `Dataset`.

    Attributes:
        folder: where it lies.
        images: `(S, H, W, C) uint8`, all slices of all patients.
        masks: `(S, H, W) bool`, or `(S, H, W, K)` of K classes.
        index: which rows belong to whom.
    """

    def __init__(self, folder: Path) -> None:
        """Open a finished cache folder."""
        self.folder = folder
        self.index = from_json(CacheIndex, (folder / "index.json").read_bytes())
        self.images: NDArray[np.uint8] = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        self.masks: NDArray[np.bool_] = np.load(folder / "masks.npy", mmap_mode="r", allow_pickle=False)
        self._by_patient = {p.patient: p for p in self.index.patients}

    def require_unchanged(self) -> None:
        """Hold every patient's slices and masks to the digest that they were written with.

        Raises:
            ValueError: when they are others by now.
        """
        rows = sum(len(one.slice_names) for one in self.index.patients)
        shape = (rows, self.index.height, self.index.width)
        found = (self.images.dtype, self.images.shape, self.masks.dtype, self.masks.shape)
        kinds = (len(self.classes),) if self.classes else ()
        if found != (np.dtype(np.uint8), (*shape, len(self.channels.names)), np.dtype(np.bool_), (*shape, *kinds)):
            raise ValueError("its arrays are of another size or type than its index says")
        for one in self.index.patients:
            volume = self.volume(one.patient)
            if _digest(volume) != one.sha256:
                raise ValueError(f"the slices or masks of {one.patient} were changed")
            self.let_go()

    def let_go(self) -> None:
        """Take what was read out of this process' memory; it is read again when it is used."""
        let_go(self.images, self.masks)

    @property
    def name(self) -> str:
        """The data set's name."""
        return self.index.name

    @property
    def channels(self) -> ChannelSet:
        """The channels of its slices."""
        return self.index.channels

    @property
    def classes(self) -> tuple[str, ...]:
        """What its masks tell apart."""
        return self.index.classes

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return tuple(self._by_patient)

    def institution(self, patient: str) -> str:
        """The patient's institution, or ""."""
        return self._by_patient[patient].institution

    def rows(self, patient: str) -> range:
        """The rows of one patient."""
        entry = self._by_patient[patient]
        return range(entry.first, entry.first + len(entry.slice_names))

    def slice_name(self, row: int) -> str:
        """Return `<patient>/<slice>` of one row."""
        for entry in self.index.patients:
            if entry.first <= row < entry.first + len(entry.slice_names):
                return f"{entry.patient}/{entry.slice_names[row - entry.first]}"
        raise IndexError(row)

    def content_hash(self, patients: tuple[str, ...]) -> str:
        """SHA-256 over the pixels and masks of patients, in the order given."""
        return artifacts.sha256_bytes("".join(self._by_patient[p].sha256 for p in patients).encode())

    def volume(self, patient: str) -> Volume:
        """One patient; the arrays are views of the map."""
        entry, rows = self._by_patient[patient], self.rows(patient)
        return Volume(
            patient=patient,
            institution=entry.institution,
            images=self.images[rows.start : rows.stop],
            masks=self.masks[rows.start : rows.stop],
            slice_names=entry.slice_names,
            channels=self.channels.names,
            classes=self.classes,
            spacing_mm=entry.spacing_mm,
            plane=self.index.plane,
        )


def folder_key(root: Path, *, layout: str | None = None, labels: str | None = None, plane: str | None = None) -> str:
    """Return a hash over the names, sizes and times of all files under a folder, and over the readers' code.

    What decides how they are read, as `edgeseg.data.open.open_dataset` takes it, and in which plane, is hashed with
    them. Of a file that lists others, such as a CSV, its folder is looked at.

    The time of the last change of a file's state is among them, which cannot be set back as that of its content can.
    Links to folders are followed, as the readers follow them, but for those that lead back up.
    """
    digest = hashlib.sha256(f"{root.resolve()}\0{artifacts.source_digest('data')}\n".encode())
    for name, value in (("layout", layout), ("labels", labels), ("plane", plane)):
        if value is not None:
            digest.update(f"{name}\0{value}\n".encode())
    if root.is_file():
        root = root.parent
    for folder, below, names in os.walk(root, followlinks=True):
        here = Path(folder)
        below[:] = sorted(
            name for name in below if (here / name).resolve() not in (here.resolve(), *here.resolve().parents)
        )
        for path in (here / name for name in sorted(names)):
            if path.is_file():
                stat = path.stat()
                digest.update(
                    f"{path.relative_to(root)}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ctime_ns}\n".encode()
                )
    return digest.hexdigest()[:16]


def cached(dataset: Dataset, key: str, *, root: Path | None = None, progress: Progress | None = None) -> SliceCache:
    """Open the cache of a data set, decoding it first when it is not there or not what was written.

    Slices of several sizes, or of a size that is no multiple of 32, are brought to one (`edgeseg.data.one_size`).

    Args:
        dataset: what to decode.
        key: changes when the content does; see `folder_key`.
        root: where caches are; the per-user cache folder unless given.
        progress: called after each patient.

    Raises:
        DataError: when a patient cannot be read.
        OutputError: when the cache cannot be written; nothing half-made is left.
    """
    base = private_folder((root or cache_dir()) / "slices")
    folder = base / key
    if folder.is_dir():
        try:
            found = SliceCache(folder)
            found.require_unchanged()
            return found
        except (OSError, EOFError, ValueError, IndexError) as error:
            _LOG.warning("the slice cache %s is not what was written there (%s); it is made anew", folder, error)
            shutil.rmtree(folder, ignore_errors=True)
    sweep(base)
    temporary = Path(tempfile.mkdtemp(prefix=staging(), dir=base))
    try:
        _fill(dataset, temporary, progress)
        temporary.rename(folder)
    except OSError as error:
        if not folder.is_dir():
            raise OutputError(
                f"cannot write the slice cache {folder}: {error.strerror or error}; free space there ('edgeseg cache "
                f"clear' empties the cache), or set {CACHE_VARIABLE} to a folder on another disk"
            ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return SliceCache(folder)


def _digest(volume: Volume) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(volume.images).data)
    digest.update(np.ascontiguousarray(volume.reference).data)
    return digest.hexdigest()


def _fill(dataset: Dataset, folder: Path, progress: Progress | None) -> None:
    """Write patients one after another, one of them in memory; where sizes differ, begin again with their median."""
    try:
        _write(dataset, folder, None, progress)
    except _AnotherSizeError:
        sizes = [square_size(volume) for volume in volumes(dataset)]
        _write(dataset, folder, common_size(sizes), progress)


class _AnotherSizeError(Exception):
    """A patient's slices are of another size than those before."""


def _write(dataset: Dataset, folder: Path, size: tuple[int, int] | None, progress: Progress | None) -> None:
    entries: list[CachedPatient] = []
    rows, resampled, found, plane = 0, False, size, AXIAL
    with RowsFile(folder / "images.npy") as images, RowsFile(folder / "masks.npy") as masks:
        for done, patient in enumerate(dataset.patients, start=1):
            stored = dataset.volume(patient)
            own = common_size([square_size(stored)])
            found = found or own
            if size is None and own != found:
                raise _AnotherSizeError
            volume = to_one_size(stored, found)
            resampled, plane = resampled or volume is not stored, volume.plane
            images.add(volume.images)
            masks.add(volume.reference)
            entry = CachedPatient(
                patient=patient,
                institution=volume.institution,
                first=rows,
                slice_names=volume.slice_names,
                sha256=_digest(volume),
                spacing_mm=volume.spacing_mm,
            )
            entries.append(entry)
            rows += len(volume.slice_names)
            if progress is not None:
                progress(done, len(dataset.patients), patient)
    assert found is not None
    index = CacheIndex(
        name=dataset.name,
        height=found[0],
        width=found[1],
        patients=tuple(entries),
        channels=dataset.channels,
        classes=dataset.classes,
        resampled=resampled,
        plane=plane,
    )
    (folder / "index.json").write_text(to_json(index))
