"""Segment one patient: masks as they come, what was measured, and what a reader should know."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import make_dir
from edgeseg.data.dicom import DicomSeries
from edgeseg.data.nifti import NiftiSequence
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.data.scan import Scan, SourcedScan
from edgeseg.data.tree import MASK_ENDING
from edgeseg.errors import OptionError
from edgeseg.imaging import ASPECT_TOLERANCE, framed_size, plane_spacing
from edgeseg.results import PatientSegmentation, SliceSegmentation
from edgeseg.specs import AXIAL, Contract, MaskRegion, RunOptions
from edgeseg.stages.segment.class_tally import ClassTally
from edgeseg.stages.segment.clock import ms_since, rounded_ms
from edgeseg.stages.segment.dicom_seg import SegMasks
from edgeseg.stages.segment.doubts import Doubts
from edgeseg.stages.segment.masks import NiftiMasks, PictureMasks, Writer
from edgeseg.stages.segment.measure import area_mm2, largest_diameter_mm
from edgeseg.stages.segment.odd_input import odd_input
from edgeseg.stages.segment.patient_trust import class_trust, patient_trust
from edgeseg.stages.segment.pictures import Pictures, channel_shown
from edgeseg.trust import InputTally

if TYPE_CHECKING:
    from edgeseg.runtime import Segmenter

Advance = Callable[[str], None]
Regions = tuple[MaskRegion, ...]
_MOST_KEPT_BYTES = 64 << 20


class _Watched:
    """A scan that counts the sizes of its slices, says when each was read, and keeps for pictures what was seen."""

    def __init__(self, scan: Scan, advance: Advance, shown: int | None) -> None:
        self._scan, self._advance, self._shown = scan, advance, shown
        self.name, self.slice_names, self.volume = scan.name, scan.slice_names, scan.volume
        self.pixel_mm, self.slice_mm, self.warnings = scan.pixel_mm, scan.slice_mm, ()
        self.channels = scan.channels
        self.sizes: Counter[tuple[int, int]] = Counter()
        self._greys: dict[int, NDArray[np.uint8]] = {}
        self._kept_bytes = 0
        self.doubts = Doubts()

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read a slice that is to be segmented."""
        if index > 0:
            self._advance(f"{self.name}/{self.slice_names[index - 1]}")
        image = self._scan.image(index)
        self.sizes[(image.shape[0], image.shape[1])] += 1
        self.doubts.saw(image)
        if self._shown is not None and index not in self._greys:
            grey = image[:, :, self._shown]
            self._kept_bytes += grey.size
            if self._kept_bytes <= _MOST_KEPT_BYTES:
                self._greys[index] = grey.copy()
        return image

    def finished(self) -> None:
        """Say that the last slice is done."""
        self._advance(f"{self.name}/{self.slice_names[-1]}")

    def picture(self, index: int, channel: int) -> NDArray[np.uint8]:
        """Give the channel of a slice that pictures show, `(h, w) uint8`: as it was kept, or read again."""
        grey = self._greys.pop(index, None)
        return self._scan.image(index)[:, :, channel] if grey is None else grey

    def close(self) -> None:
        """Close the scan."""
        self._scan.close()


def segment_case(
    segmenter: Segmenter,
    scan: SourcedScan,
    folder: Path,
    options: RunOptions,
    model_sha256: str,
    advance: Advance,
    also: Writer | None = None,
    *,
    sheet_alone: bool = False,
) -> PatientSegmentation:
    """Segment a scan and write what was asked for into `<folder>/<patient>`.

    Args:
        segmenter: the open artifact.
        scan: one patient.
        folder: where results go.
        options: formats and pictures.
        model_sha256: of the artifact, for DICOM SEG.
        advance: called with a label after each slice.
        also: takes the masks too.
        sheet_alone: draw the contact sheet, whatever the options say of pictures, and none of each slice.

    Raises:
        DataError: when a slice cannot be read.
        OptionError: for a format that the input cannot have.
    """
    start = time.perf_counter()
    place = make_dir(folder / scan.name)
    regions = segmenter.contract.regions
    writers = _writers(scan, place, options, model_sha256, regions)
    on, drawn = scan.channels.index(channel_shown(segmenter.contract, scan.channels)), options.overlays or sheet_alone
    watched = _Watched(scan, advance, on if drawn else None)
    pictures = _pictures(scan, place, regions, sheet_alone=sheet_alone) if drawn else None
    masks: list[SliceSegmentation] = []
    latencies_ms: list[float] = []
    tally = ClassTally(regions, scan.pixel_mm)
    counts = segmenter.tally_for(scan)
    seen, tables = InputTally(len(segmenter.contract.channels)), segmenter.scan_tables(scan)
    results = segmenter.segment_scan(watched, spool_dir=place, tables=tables, tally=counts, seen=seen)
    for index, (name, done) in enumerate(zip(scan.slice_names, results, strict=True)):
        latencies_ms.append(done.seconds * 1e3)
        watched.doubts.drew(done)
        for writer in (*writers, *([also] if also else ())):
            writer.add(index, name, done.mask)
        if pictures is not None:
            pictures.add(index, name, watched.picture(index, on), done.mask)
        tally.add(done.mask)
        union: NDArray[np.bool_] = np.logical_or.reduce(done.mask, axis=2) if regions else done.mask
        masks.append(_measured(name, union, scan.pixel_mm))
    watched.finished()
    if writers[:1] and isinstance(writers[0], PictureMasks):
        masks = [replace(mask, mask=_told(writers[0].place(mask.slice), folder)) for mask in masks]
    files = [_told(path, folder) for writer in writers for path in writer.finish()]
    if pictures is not None:
        files += [_told(path, folder) for path in pictures.finish()]
    resampled = _resampled(*_seen(watched.sizes, scan, segmenter.contract), segmenter.contract)
    doubts = watched.doubts.told(segmenter.contract, volume=scan.volume)
    odd = odd_input(segmenter.oddity(scan, seen), scan.warnings)
    warnings = (*doubts, *([] if odd is None else [odd.told]), *tally.absent(), *resampled, *scan.warnings)
    masks = [mask if mask.mask else replace(mask, mask=files[0]) for mask in masks]
    found = _summary(scan, segmenter.contract, tuple(masks), tuple(files), latencies_ms, warnings, start)
    told = patient_trust(counts, segmenter.contract, found.tumour_volume_ml, empty=not found.tumour_pixels)
    classes = class_trust(tally.found(scan.slice_mm), counts, segmenter.contract)
    return replace(found, classes=classes, trust=told, odd_input="" if odd is None else odd.kind)


def _pictures(scan: SourcedScan, place: Path, regions: tuple[MaskRegion, ...], *, sheet_alone: bool) -> Pictures:
    return Pictures(place, scan.name, len(scan.slice_names), scan.pixel_mm, regions, sheet_alone=sheet_alone)


def _told(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _summary(
    scan: SourcedScan,
    contract: Contract,
    masks: tuple[SliceSegmentation, ...],
    files: tuple[str, ...],
    latencies_ms: list[float],
    warnings: tuple[str, ...],
    start: float,
) -> PatientSegmentation:
    pixels = sum(mask.tumour_pixels for mask in masks)
    area = area_mm2(pixels, scan.pixel_mm)
    return PatientSegmentation(
        patient=scan.name,
        slices=len(masks),
        slices_with_tumour=sum(mask.tumour_pixels > 0 for mask in masks),
        tumour_pixels=pixels,
        latency_ms_p50=rounded_ms(np.percentile(latencies_ms, 50)),
        latency_ms_p95=rounded_ms(np.percentile(latencies_ms, 95)),
        total_ms=ms_since(start),
        warnings=warnings,
        masks=masks,
        post_processing=_rule(contract, scan),
        input=scan.kind,
        pixel_mm=scan.pixel_mm,
        slice_mm=scan.slice_mm,
        tumour_volume_ml=None if area is None or scan.slice_mm is None else area * scan.slice_mm / 1e3,
        largest_diameter_mm=max((mask.largest_diameter_mm for mask in masks if mask.largest_diameter_mm), default=0.0)
        if scan.pixel_mm is not None
        else None,
        files=files,
        used=scan.used,
        unused=scan.unused,
    )


def _measured(name: str, mask: NDArray[np.bool_], pixel_mm: tuple[float, float] | None) -> SliceSegmentation:
    pixels = int(np.count_nonzero(mask))
    return SliceSegmentation(
        slice=name,
        mask="",
        height_px=mask.shape[0],
        width_px=mask.shape[1],
        tumour_pixels=pixels,
        tumour_area_mm2=area_mm2(pixels, pixel_mm),
        largest_diameter_mm=largest_diameter_mm(mask, pixel_mm),
    )


def _writers(scan: SourcedScan, place: Path, options: RunOptions, model_sha256: str, regions: Regions) -> list[Writer]:
    """Make the writers, those of pictures first."""
    wanted = options.formats or scan.mask_formats[:1]
    for name in wanted:
        if name not in scan.mask_formats:
            raise OptionError(
                f"masks as {name} were asked for and {scan.name} is {scan.kind}; only input that says where its voxels "
                f"are as {_NEEDED.get(name, name)} does can have them; choose {' or '.join(sorted(scan.mask_formats))}"
            )
    return [make(scan, place, model_sha256, regions, options) for name, make in _WRITERS.items() if name in wanted]


def _nifti(scan: SourcedScan, place: Path, _model_sha256: str, regions: Regions, _options: RunOptions) -> Writer:
    told = getattr(scan, "nifti", None)
    header = cast(NiftiSequence, scan.reference).header if told is None else told.header()
    return NiftiMasks(place / f"{scan.name}{MASK_ENDING}.nii.gz", header, regions)


def _dicom_seg(scan: SourcedScan, place: Path, model_sha256: str, regions: Regions, options: RunOptions) -> Writer:
    path = place / f"{scan.name}_seg.dcm"
    pseudonyms = Pseudonyms(options.salt) if options.de_identify and options.salt is not None else None
    if (apart := getattr(scan, "seg_writer", None)) is not None:
        return cast(Writer, apart(path, model_sha256, regions, pseudonyms))
    return SegMasks(path, cast(DicomSeries, scan.reference), model_sha256, regions, pseudonyms)


_NEEDED = {"nifti": "NIfTI", "dicom-seg": "DICOM"}
_WRITERS: dict[str, Callable[[SourcedScan, Path, str, Regions, RunOptions], Writer]] = {
    "png": lambda _scan, place, _sha256, regions, _options: PictureMasks(place, ".png", regions),
    "tiff": lambda _scan, place, _sha256, regions, _options: PictureMasks(place, ".tiff", regions),
    "nifti": _nifti,
    "dicom-seg": _dicom_seg,
}
"""By mask format; which an input may have stands in its `mask_formats`."""


def _rule(contract: Contract, scan: Scan) -> str:
    """Name the rule that decided what was dropped, as `PatientSegmentation.post_processing` does."""
    if not contract.drops(volume=scan.volume):
        return "none"
    return "volume" if scan.volume else "slices"


def _seen(
    sizes: Counter[tuple[int, int]], scan: Scan, contract: Contract
) -> tuple[Counter[tuple[int, int]], tuple[float, float] | None]:
    """Count the slices that the network saw by size, and say how far their pixels are apart."""
    if contract.plane == AXIAL or not scan.volume or scan.pixel_mm is None or scan.slice_mm is None:
        return sizes, scan.pixel_mm
    (rows, columns), slices = next(iter(sizes)), sizes.total()
    count, height, width = map(round, plane_spacing((slices, rows, columns), contract.plane))
    return Counter({(height, width): count}), plane_spacing((scan.slice_mm, *scan.pixel_mm), contract.plane)[1:]


def _resampled(sizes: Counter[tuple[int, int]], pixel_mm: tuple[float, float] | None, contract: Contract) -> list[str]:
    total, height, width = sizes.total(), contract.height, contract.width
    found = []
    for (h, w), count in sizes.items():
        if (h, w) == (height, width) and framed_size((h, w), contract, pixel_mm) == (h, w):
            continue
        distorted = pixel_mm is None and abs((h / w) / (height / width) - 1) > ASPECT_TOLERANCE
        also = ", which changes their proportions" if distorted else ""
        found.append(f"{count} of {total} slices are {h} x {w} and were resampled to {height} x {width}{also}")
    return found
