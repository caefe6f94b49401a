"""A study of nobody that a process reads before it is given the first one.

pydicom and highdicom fill their tables as they are first used, which takes longer than reading a study does, and is
memory that a process keeps: it would count as grown by a study, and be replaced after each. What a study may take is
counted from what the process has after the rehearsal.
"""

from __future__ import annotations

import logging
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.jsonio import to_plain
from edgeseg.node.report import Finding
from edgeseg.node.uids import MR
from edgeseg.specs import LGG
from edgeseg.stages.segment.request import ScanRequest
from edgeseg.workers.apart import Limits
from edgeseg.workers.apart.listen import Answer
from edgeseg.workers.apart.memory import put_array

_LOG = logging.getLogger("edgeseg.node")
_SIDE_PX, _SLICES, _NOBODY = 32, 3, "Nobody"
_LIMITS = Limits(memory_bytes=1 << 30, cpu_s=60.0, output_bytes=1 << 26)


def rehearse(handlers: Mapping[str, Callable[[Answer], Answer]], memory: int) -> None:
    """Read a study, and write its three results, with what a process does for each message; nothing of it is kept.

    Args:
        handlers: those of `edgeseg.node.inside`.
        memory: descriptor of what the process shares.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            _rehearsed(handlers, memory, Path(folder))
    except Exception as error:  # the first study takes longer, and what is wrong with it is told then
        _LOG.debug("nothing was rehearsed", exc_info=error)


def _rehearsed(handlers: Mapping[str, Callable[[Answer], Answer]], memory: int, folder: Path) -> None:
    study, seg = folder / "study", folder / "seg.dcm"
    study.mkdir()
    _write_study(study)
    request = ScanRequest(path=str(study), channels=LGG, salt=secrets.token_hex(32))
    handlers["open"]({"what": to_plain(request), "limits": to_plain(_LIMITS)})
    told = {"path": str(seg), "model_sha256": "", "regions": [], "more_s": _LIMITS.cpu_s}
    handlers["seg"](told)
    for index in range(_SLICES):
        handlers["image"]({"index": index})
        put_array(memory, np.ones((_SIDE_PX, _SIDE_PX), np.uint8))
        handlers["mask"]({"index": index, "name": "", "shape": [_SIDE_PX, _SIDE_PX]})
    handlers["finish"]({})
    picture = np.zeros((_SIDE_PX, _SIDE_PX, 3), np.uint8)
    put_array(memory, picture)
    found = Finding(
        volume_ml=1.0, largest_diameter_mm=1.0, slices=_SLICES, slices_with_tumour=_SLICES, model_sha256="",
        variant="", target="",
    )  # fmt: skip
    message = {"seg": str(seg), "folder": str(folder), "found": to_plain(found), "shape": list(picture.shape)}
    handlers["results"](message)
    handlers["end"]({})


def _write_study(folder: Path) -> None:
    """Write a series for each channel, which is called like it."""
    from pydicom.uid import generate_uid

    study, frame = generate_uid(), generate_uid()
    values = np.zeros((_SLICES, _SIDE_PX, _SIDE_PX), np.int16)
    values[:, 4:-4, 4:-4], values[:, 10:-10, 10:-10] = 300, 800
    for number, said in enumerate(LGG.names, 1):
        series = generate_uid()
        for place, plane in enumerate(values):
            one = _image(plane, place)
            one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = study, series, frame
            one.SeriesNumber, one.SeriesDescription, one.InstanceNumber = number, said, place + 1
            one.save_as(folder / f"{number}-{place}.dcm", enforce_file_format=True)


def _image(plane: Any, place: int) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID, one.Modality = MR, generate_uid(), "MR"
    one.PatientID = one.PatientName = _NOBODY
    one.ImagePositionPatient, one.ImageOrientationPatient = [0, 0, 5 * place], [1, 0, 0, 0, 1, 0]
    one.PixelSpacing, one.SliceThickness = [1, 1], 5
    one.Rows, one.Columns = plane.shape
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
    one.PixelData = plane.astype("<i2").tobytes()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.file_meta.MediaStorageSOPClassUID, one.file_meta.MediaStorageSOPInstanceUID = MR, one.SOPInstanceUID
    return one
