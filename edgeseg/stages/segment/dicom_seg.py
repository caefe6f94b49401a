"""DICOM SEG: one binary segment that refers to the frames of the series it was drawn on.

The file names its patient and study as its source does, as DICOM asks for; it belongs into the same archive and under
the same protection. What of the volume is kept until it is written is one bit per pixel.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import __version__
from edgeseg.data.dicom import DicomSeries
from edgeseg.data.dicom.files import read_header
from edgeseg.errors import DatasetError, MissingExtraError, OutputError
from edgeseg.specs import INTENDED_USE

_SERIES_NUMBER = 900


class SegMasks:
    """One `.dcm` with the whole volume's mask."""

    def __init__(self, path: Path, series: DicomSeries, model_sha256: str) -> None:
        """Make sure that the mask can be written before anything is segmented.

        Raises:
            MissingExtraError: without highdicom.
        """
        try:
            import highdicom  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("highdicom", "dicom", "writing DICOM SEG") from error
        self._path, self._series, self._model = path, series, model_sha256
        self._packed: dict[int, NDArray[np.uint8]] = {}

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Keep one mask, packed."""
        self._packed[index] = np.packbits(np.asarray(self._series.view.stored(mask), np.bool_))

    def finish(self) -> tuple[Path, ...]:
        """Write the file.

        Raises:
            DatasetError: when the source's headers lack what DICOM SEG needs.
        """
        frames = self._series.frames
        shape = (frames[0].rows, frames[0].columns)
        stack = np.empty((len(frames), *shape), np.uint8)
        view, count = self._series.view, self._series.shape[0]
        for index, packed in self._packed.items():
            plane = np.moveaxis(stack, view.axes[0], 0)[view.index(index, count)]
            plane[:] = np.unpackbits(packed, count=plane.size).reshape(plane.shape)
        multi = len({frame.path for frame in frames}) < len(frames)
        if multi:
            order = np.argsort([frame.number for frame in frames])
            stack, sources = stack[order], [_with_shared_groups(read_header(frames[0].path))]
        else:
            sources = [read_header(frame.path) for frame in frames]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made = _segmentation(sources, stack, self._model)
        except Exception as error:
            raise DatasetError(
                f"{self._series.source}: a DICOM SEG cannot refer to this series ({type(error).__name__}); its headers "
                "lack what the standard asks for; take masks as png with --format png"
            ) from error
        try:
            made.save_as(self._path, enforce_file_format=True)
        except OSError as error:
            raise OutputError(f"cannot write {self._path.name}: {error.strerror or error}; free space") from error
        return (self._path,)


def _with_shared_groups(header: Any) -> Any:
    """Give a multi-frame header the shared groups that highdicom looks for; frames of a checked series share them."""
    first = header.PerFrameFunctionalGroupsSequence[0]
    shared = header.SharedFunctionalGroupsSequence[0]
    for name in ("PixelMeasuresSequence", "PlaneOrientationSequence"):
        if name not in shared and name in first:
            setattr(shared, name, first[name].value)
    return header


def _segmentation(sources: list[Any], stack: NDArray[np.uint8], model_sha256: str) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    algorithm = hd.AlgorithmIdentificationSequence(
        name="edgeseg", version=__version__, family=codes.DCM.ArtificialIntelligence
    )
    segment = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="Tumour",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm,
    )
    made = hd.seg.Segmentation(
        source_images=sources,
        pixel_array=stack,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="edgeseg",
        manufacturer_model_name="edgeseg",
        software_versions=__version__,
        device_serial_number=model_sha256[:16],
        content_description="Tumour, automatic; not a medical device",
        content_label="RESEARCH_USE",
        series_description="edgeseg: research use only",
        omit_empty_frames=False,
    )
    made.ImageComments = INTENDED_USE
    return made
