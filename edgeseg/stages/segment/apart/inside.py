"""What reads a scan inside a process that is set apart: opens it, gives slices, and writes the DICOM SEG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgeseg.data.dicom import DicomSeries
from edgeseg.data.nifti import NiftiSequence
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.data.scan import SourcedScan
from edgeseg.jsonio import from_plain, to_plain
from edgeseg.specs import MaskRegion
from edgeseg.stages.segment.apart.facts import NiftiFacts, ScanFacts
from edgeseg.stages.segment.masks import Writer
from edgeseg.workers.apart import Inside, Limits
from edgeseg.workers.apart.listen import Answer
from edgeseg.workers.apart.memory import put_array, take_array

SLICE_S = 0.05
"""Of processor time, for each slice of a scan that is open."""
Opener = Callable[[Any, int], SourcedScan]
"""Opens what a message says; the second argument is the shared memory."""


def handlers(inside: Inside, opener: Opener) -> Mapping[str, Callable[[Answer], Answer]]:
    """Give what is done for each message."""
    reading = _Reading(inside, opener)
    return {
        "open": reading.open,
        "image": reading.image,
        "warnings": reading.warnings,
        "seg": reading.seg,
        "mask": reading.mask,
        "finish": reading.finish,
        "end": reading.end,
    }


def import_readers() -> None:
    """Import what reads the formats, as far as it is installed, so that no scan has to wait for it."""
    from PIL import JpegImagePlugin, PngImagePlugin, TiffImagePlugin  # noqa: F401

    for name in ("nibabel", "pydicom.pixels", "gdcm"):
        _import(name)


def _import(name: str) -> None:
    import contextlib
    import importlib

    with contextlib.suppress(ImportError):
        importlib.import_module(name)


class _Reading:
    """One scan after another."""

    def __init__(self, inside: Inside, opener: Opener) -> None:
        self._inside, self._opener = inside, opener
        self._scan: SourcedScan | None = None
        self._writer: Writer | None = None

    def open(self, message: Answer) -> Answer:
        """Open a scan and read its first slice: most uploads have one alone."""
        limits = Limits(**message["limits"])
        self._inside.begin(limits)
        scan = self._scan = self._opener(message["what"], self._inside.memory)
        nifti = scan.reference if isinstance(scan.reference, NiftiSequence) else None
        facts = ScanFacts(
            name=scan.name,
            kind=scan.kind,
            volume=scan.volume,
            slice_names=scan.slice_names,
            channels=scan.channels,
            mask_formats=scan.mask_formats,
            pixel_mm=None if scan.pixel_mm is None else (float(scan.pixel_mm[0]), float(scan.pixel_mm[1])),
            slice_mm=None if scan.slice_mm is None else float(scan.slice_mm),
            used=scan.used,
            unused=scan.unused,
            nifti=None if nifti is None else NiftiFacts.of(nifti.header),
        )
        self._inside.go_on(limits.cpu_s + SLICE_S * len(facts.slice_names))
        return {"facts": to_plain(facts), **self.image({"index": 0})}

    def image(self, message: Answer) -> Answer:
        """Read a slice; with the last one, all there is to warn of is told."""
        scan = self._open_scan
        image = scan.image(message["index"])
        put_array(self._inside.memory, image)
        last = message["index"] == len(scan.slice_names) - 1
        return {"shape": list(image.shape), **(self.warnings(message) if last else {})}

    def warnings(self, _message: Answer) -> Answer:
        return {"warnings": list(self._open_scan.warnings)}

    def seg(self, message: Answer) -> Answer:
        self._inside.pause()
        _import("highdicom")
        self._inside.go_on(message["more_s"])
        from edgeseg.stages.segment.dicom_seg import SegMasks

        series = cast(DicomSeries, self._open_scan.reference)
        pseudonyms = Pseudonyms(salt) if (salt := message.get("salt")) else None
        regions = tuple(from_plain(MaskRegion, one) for one in message["regions"])
        self._writer = SegMasks(Path(message["path"]), series, message["model_sha256"], regions, pseudonyms)
        return {}

    def mask(self, message: Answer) -> Answer:
        assert self._writer is not None
        mask = take_array(self._inside.memory, tuple(message["shape"])).astype(np.bool_)
        self._writer.add(message["index"], message["name"], mask)
        return {}

    def finish(self, _message: Answer) -> Answer:
        assert self._writer is not None
        self._writer.finish()
        return {}

    def end(self, _message: Answer) -> Answer:
        if self._scan is not None:
            self._scan.close()
        self._scan = self._writer = None
        return {}

    @property
    def _open_scan(self) -> SourcedScan:
        assert self._scan is not None
        return self._scan
