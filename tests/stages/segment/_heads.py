"""Heads that nobody has, as DICOM and NIfTI: 20 slices of 4 mm with a bright block, wide below and narrow above."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, generate_uid

SHAPE, PIXEL_MM, SLICE_MM = (20, 64, 64), 2.5, 4.0
LESION = (slice(8, 12), slice(24, 36), slice(30, 44))


def head(sequence: str = "flair", *, scale: float = 1.0) -> NDArray[np.int16]:
    """`(20, 64, 64) int16`, feet to head; the lesion is bright in FLAIR alone."""
    slices, rows, columns = np.indices(SHAPE)
    wide = scale * (1 - np.clip(slices - 9, 0, None) / 14)
    inside = ((rows - 32) / 28) ** 2 + ((columns - 32) / 24) ** 2 < wide**2
    values = np.where(inside & (slices > 0) & (slices < 19), 300, 0)
    values += {"pre": 7, "flair": 0, "post": 40}[sequence] * inside * (rows % 5)
    if sequence == "flair":
        values[LESION] = 900
    return values.astype(np.int16)


def series(
    folder: Path,
    description: str,
    values: NDArray[Any] | None = None,
    *,
    edit: Callable[[Dataset], None] | None = None,
    order: Iterable[int] | None = None,
    patient: str = "P1",
    study: str = "study",
    number: int = 1,
) -> Path:
    """Write one axial series, a file per slice; `edit` may change each before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    values = head() if values is None else values
    uid = generate_uid()
    for place in range(len(values)) if order is None else order:
        one = Dataset()
        one.SOPClassUID, one.SOPInstanceUID, one.Modality = "1.2.840.10008.5.1.4.1.1.4", generate_uid(), "MR"
        one.PatientID, one.PatientName, one.PatientBirthDate, one.PatientSex = patient, f"{patient}^Name", "", ""
        one.StudyID = one.AccessionNumber = one.ReferringPhysicianName = one.PositionReferenceIndicator = ""
        one.StudyDate, one.StudyTime, one.Manufacturer = "20200101", "101010", "M"
        one.SeriesNumber, one.InstanceNumber, one.SeriesDescription = number, place + 1, description
        one.StudyInstanceUID, one.SeriesInstanceUID = generate_uid(entropy_srcs=[patient, study]), uid
        one.FrameOfReferenceUID = generate_uid(entropy_srcs=[patient, study, "frame"])
        one.ImagePositionPatient, one.ImageOrientationPatient = [-80, -80, SLICE_MM * place], [1, 0, 0, 0, 1, 0]
        one.PixelSpacing, one.SliceThickness, one.SpacingBetweenSlices = [PIXEL_MM] * 2, SLICE_MM, SLICE_MM
        one.Rows, one.Columns = values.shape[1:]
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
        one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
        one.PixelData = np.ascontiguousarray(values[place], "<i2").tobytes()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if edit is not None:
            edit(one)
        one.save_as(folder / f"{place:03d}.dcm", enforce_file_format=True)
    return folder


def sagittal(values: NDArray[Any], *, up: int = 4) -> tuple[NDArray[Any], Callable[[Dataset], None]]:
    """Turn an axial volume into sagittal slices with voxels of 1 mm up and down; give it and what to edit."""
    fine = np.repeat(values, up, axis=0)[::-1]

    def edit(one: Dataset) -> None:
        one.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
        place = int(one.InstanceNumber) - 1
        top = SLICE_MM * (len(values) - 1) + (up - 1) / 2 * SLICE_MM / up
        one.ImagePositionPatient = [-80 + PIXEL_MM * place, -80, top]
        one.PixelSpacing = [SLICE_MM / up, PIXEL_MM]
        one.SliceThickness = one.SpacingBetweenSlices = PIXEL_MM

    return np.ascontiguousarray(np.transpose(fine, (2, 0, 1))), edit


def nifti(path: Path, values: NDArray[Any], *, move_mm: float = 0.0) -> Path:
    """Write one NIfTI file in the same place as the series."""
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-PIXEL_MM, -PIXEL_MM, SLICE_MM, 1.0])
    affine[:3, 3] = (80 + move_mm, 80, 0)
    image = nibabel.Nifti1Image(np.transpose(values, (2, 1, 0)), affine)
    image.set_qform(affine, code=1)
    nibabel.save(image, path)
    return path


def in_two_files(folder: Path) -> None:
    """Turn a series of a file per slice into two multi-frame files with functional groups, half of it in each."""
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda one: int(one.InstanceNumber))
    for path in folder.iterdir():
        path.unlink()
    half = len(slices) // 2
    for part, members in enumerate((slices[:half], slices[half:])):
        made = members[0]
        groups = []
        for one in members:
            group, position, orientation, measures = Dataset(), Dataset(), Dataset(), Dataset()
            position.ImagePositionPatient = one.ImagePositionPatient
            orientation.ImageOrientationPatient = one.ImageOrientationPatient
            measures.PixelSpacing, measures.SliceThickness = one.PixelSpacing, one.SliceThickness
            group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
            group.PixelMeasuresSequence = [measures]
            groups.append(group)
        pixels = b"".join(one.PixelData for one in members)
        made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
        made.SOPInstanceUID = made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        made.SharedFunctionalGroupsSequence, made.PerFrameFunctionalGroupsSequence = [Dataset()], groups
        made.NumberOfFrames, made.PixelData = len(members), pixels
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            delattr(made, name)
        made.save_as(folder / f"{part}.dcm", enforce_file_format=True)
