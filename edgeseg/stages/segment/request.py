"""What is to be opened as one scan, in plain values, so that it can be opened here or in another process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.data.open_scan import open_scan
from edgeseg.data.scan import SourcedScan
from edgeseg.data.slice_scan import SliceScan
from edgeseg.data.tree import MASK_ENDING
from edgeseg.errors import DatasetError
from edgeseg.results import UnusedFiles
from edgeseg.specs import LGG, ChannelSet


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """Volumes by `path` or by `sequences`; or `slices`, files that hold all channels each.

    The other attributes are those of `open_scan` and `SliceScan`; `patient` and `volume` are of slices alone, `unused`
    and `warnings` are what `open_scan` takes as `beside`.
    """

    path: str | None = None
    sequences: dict[str, str] = field(default_factory=dict)
    channels: ChannelSet = LGG
    volumes: tuple[str, ...] = ()
    spacing_mm: tuple[float, float, float | None] | None = None
    salt: str | None = None
    series: dict[str, str] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    patient: str = ""
    volume: bool = False
    unused: tuple[UnusedFiles, ...] = ()
    warnings: tuple[str, ...] = ()
    same_patient: bool = False

    def open(self) -> SourcedScan:
        """Open it in this process.

        Raises:
            EdgeSegError: as `open_scan`.
            DatasetError: when two slices would write one mask.
        """
        if self.slices:
            files = tuple(map(Path, self.slices))
            _require_own_masks(files)
            return SliceScan(
                self.patient,
                files,
                volume=self.volume,
                channels=self.channels.pictured,
                spacing_mm=self.spacing_mm,
                unused=self.unused,
                warnings=self.warnings,
            )
        return open_scan(
            None if self.path is None else Path(self.path),
            channels=self.channels,
            sequences={channel: Path(text) for channel, text in self.sequences.items()},
            volumes=self.volumes,
            spacing_mm=self.spacing_mm,
            salt=self.salt,
            series=self.series,
            same_patient=self.same_patient,
            beside=(self.unused, self.warnings),
        )

    @property
    def size_bytes(self) -> int:
        """Bytes of the files in it, and of those in and below its folders."""
        return sum(file.stat().st_size for file in self._files())

    def _files(self) -> Iterator[Path]:
        for name in (*self.slices, self.path, *self.sequences.values()):
            if name is None:
                continue
            found = Path(name)
            yield from (one for one in (found.rglob("*") if found.is_dir() else (found,)) if one.is_file())


def _require_own_masks(files: tuple[Path, ...]) -> None:
    stems: dict[str, Path] = {}
    for file in files:
        twin = stems.setdefault(file.stem, file)
        if twin != file:
            raise DatasetError(
                f"{twin} and {file} would both write {file.stem}{MASK_ENDING}.png; rename one or take it out"
            )
