"""DICOM SEG: a binary segment for each mask, which refer to the frames of the series that they were drawn on.

The file names its patient and study as its source does, as DICOM asks for; it belongs into the same archive and under
the same protection. Its text is UTF-8 (ISO_IR 192), whatever character set the source is in. What of the volume is kept
until it is written is one bit per pixel of each mask. Segments may overlap, and one without a pixel says so.

The file is made twice: once without a tumour before anything is segmented, so that headers that do not allow one are
refused before the work, and once with the masks.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeseg import __version__
from edgeseg.data.dicom import DicomSeries
from edgeseg.data.dicom.de_identify import de_identified
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.errors import DatasetError, MissingExtraError, OutputError
from edgeseg.specs import INTENDED_USE, MaskRegion
from edgeseg.stages.segment.seg_segments import descriptions, say_empty, segments_of
from edgeseg.stages.segment.seg_sources import point_to_sources, stand_ins

Made = TypeVar("Made")
_SERIES_NUMBER = 900


class SegMasks:
    """One `.dcm` with the masks of the whole volume."""

    def __init__(
        self,
        path: Path,
        series: DicomSeries,
        model_sha256: str,
        regions: tuple[MaskRegion, ...] = (),
        pseudonyms: Pseudonyms | None = None,
    ) -> None:
        """Make sure that the masks can be written before anything is segmented; without regions there is one.

        With `pseudonyms` the file is de-identified.

        Raises:
            MissingExtraError: without highdicom.
            DatasetError: when the source's headers lack what DICOM SEG needs.
        """
        try:
            import highdicom  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("highdicom", "dicom", "writing DICOM SEG") from error
        self._path, self._series, self._model, self._regions = path, series, model_sha256, regions
        self._pseudonyms = pseudonyms
        self._packed: dict[int, NDArray[np.uint8]] = {}
        self._sources = self._checked(lambda: stand_ins(series.frames))
        self._checked(lambda: self._made().save_as(io.BytesIO(), enforce_file_format=True))

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Keep the masks of one slice packed: `(h, w) bool` of one, `(h, w, R)` of R regions."""
        planes = [mask] if mask.ndim == 2 else np.moveaxis(mask, -1, 0)
        self._packed[index] = np.packbits(np.stack([self._series.view.stored(plane) for plane in planes], axis=-1))

    def finish(self) -> tuple[Path, ...]:
        """Write the file.

        Raises:
            DatasetError: when the source's headers lack what DICOM SEG needs.
            OutputError: when it cannot be written.
        """
        made = self._checked(self._made)
        if (pseudonyms := self._pseudonyms) is not None:
            made = self._checked(lambda: de_identified(made, pseudonyms))
        try:
            with lenient():
                made.save_as(self._path, enforce_file_format=True)
        except OSError as error:
            raise OutputError(f"cannot write {self._path.name}: {error.strerror or error}; free space") from error
        return (self._path,)

    def _made(self) -> Any:
        frames, segments = self._series.frames, segments_of(self._regions)
        stack = np.zeros((len(frames), frames[0].rows, frames[0].columns, len(segments)), np.uint8)
        view, count = self._series.view, self._series.shape[0]
        for index, packed in self._packed.items():
            plane = np.moveaxis(stack, view.axes[0], 0)[view.index(index, count)]
            plane[:] = np.unpackbits(packed, count=plane.size).reshape(plane.shape)
        headers = [source.header for source in self._sources]
        described = descriptions(segments, str(headers[0].SeriesInstanceUID), self._model)
        made = _segmentation(headers, stack, described, self._model)
        say_empty(made, stack)
        return point_to_sources(made, self._sources)

    def _checked(self, make: Callable[[], Made]) -> Made:
        """Make a part of the file; what libraries say may quote the patient, so only the kind of their error is told.

        Raises:
            DatasetError: when it cannot be made.
        """
        try:
            with lenient():
                return make()
        except DatasetError:
            raise
        except Exception as error:
            raise DatasetError(
                f"{self._series.source}: a DICOM SEG cannot refer to this series ({type(error).__name__}); its headers "
                "lack what the standard asks for; take masks as png with --format png"
            ) from error


@contextmanager
def lenient() -> Iterator[None]:
    """Take values of the source as they are, also where they are longer than the standard allows."""
    from pydicom.config import disable_value_validation

    with warnings.catch_warnings(), disable_value_validation():
        warnings.simplefilter("ignore")
        yield


def _segmentation(sources: list[Any], stack: NDArray[np.uint8], described: list[Any], model_sha256: str) -> Any:
    import highdicom as hd

    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=stack,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="edgeseg",
        manufacturer_model_name="edgeseg",
        software_versions=__version__,
        device_serial_number=model_sha256 or "unknown",
        content_description="Tumour, automatic; not a medical device",
        content_label="RESEARCH_USE",
        series_description="edgeseg: research use only",
        omit_empty_frames=False,
    )
    made.ImageComments = INTENDED_USE
    return made
