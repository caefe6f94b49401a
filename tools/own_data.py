"""Write small synthetic data sets in the layouts that docs/how-to/own-data.md shows, so that its commands can be tried.

    python tools/own_data.py brats DIR      4 sequences, NIfTI, labels 1, 2 and 4
    python tools/own_data.py nnunet DIR     2 channels, NIfTI, three classes in dataset.json
    python tools/own_data.py dicom DIR      4 series of DICOM, and a DICOM SEG of three classes that overlap
    python tools/own_data.py csv DIR        4 sequences, NIfTI, labels 1, 2 and 4, two sites and two scanners in a CSV
    python tools/own_data.py grey DIR       grey PNG, images/ and masks/, sizes that differ

A patient is an ellipse with a lesion of three parts, one inside the other; nothing of it is anybody's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, SLICES = 64, 8
_PARTS = ((1.0, 2), (0.7, 1), (0.4, 4))
"""Share of the lesion's radius, and label, from the outside in: oedema, necrosis, what enhances."""


def patient(index: int, *, channels: int, side: int = SIDE) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Draw a patient.

    Returns:
        `(C, N, side, side) float64`, intensities from 0 to about 1000, and `(N, side, side) uint8` labels 0, 1, 2, 4.
    """
    rng = np.random.default_rng(index)
    z, y, x = np.mgrid[0:SLICES, 0:side, 0:side].astype(np.float64)
    row, column = rng.uniform(0.35, 0.65, 2) * side
    radius = rng.uniform(0.12, 0.2) * side
    away = np.sqrt((y - row) ** 2 + (x - column) ** 2 + ((z - SLICES / 2) * side / SLICES / 2) ** 2) / radius
    labels = np.zeros(away.shape, np.uint8)
    for share, label in _PARTS:
        labels[away <= share] = label
    head = ((y / side - 0.5) / 0.42) ** 2 + ((x / side - 0.5) / 0.36) ** 2 <= 1
    labels[~head] = 0
    images = np.zeros((channels, *away.shape))
    for channel in range(channels):
        images[channel] = np.where(head, 350.0 + 60.0 * channel, 0.0)
        for place, (_, label) in enumerate(_PARTS):
            images[channel][labels == label] += 200.0 + 90.0 * ((place + channel) % 3)
        images[channel] += rng.normal(0.0, 15.0, away.shape) * head
    return np.clip(images, 0.0, None), labels


def write_nifti(path: Path, volume: NDArray[np.generic]) -> None:
    """Write `(N, H, W)`, slices from feet to head and rows from front to back, with voxels of 3 x 1 x 1 mm."""
    import nibabel

    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([-1.0, -1.0, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(volume.transpose(2, 1, 0)), affine), path)


def write_brats(root: Path, patients: int) -> None:
    """Write patients as BraTS has them since 2018, half of them in HGG and half in LGG."""
    for index in range(patients):
        images, labels = patient(index, channels=4)
        folder = root / ("HGG", "LGG")[index % 2] / f"synthetic_{index:03d}"
        for name, image in zip(("t1", "t1ce", "t2", "flair"), images, strict=True):
            write_nifti(folder / f"{folder.name}_{name}.nii.gz", image.astype(np.int16))
        write_nifti(folder / f"{folder.name}_seg.nii.gz", labels)


def write_nnunet(root: Path, patients: int) -> None:
    """Write cases as nnU-Net's raw data sets have them, with three classes."""
    for index in range(patients):
        images, labels = patient(index, channels=2)
        for channel, image in enumerate(images):
            write_nifti(root / "imagesTr" / f"case_{index:03d}_{channel:04d}.nii.gz", image.astype(np.int16))
        write_nifti(root / "labelsTr" / f"case_{index:03d}.nii.gz", np.where(labels == 4, 3, labels).astype(np.uint8))
    told = {
        "channel_names": {"0": "T1", "1": "FLAIR"},
        "labels": {"background": 0, "necrosis": 1, "oedema": 2, "enhancing": 3},
        "numTraining": patients,
        "file_ending": ".nii.gz",
    }
    (root / "dataset.json").write_text(json.dumps(told, indent=2) + "\n")


SEQUENCES = ("T1", "T1 post contrast", "T2", "FLAIR")
"""Descriptions of the series, in the order of the channels that `patient` draws."""
SEGMENTS = {"whole tumour": (1, 2, 4), "tumour core": (1, 4), "enhancing": (4,)}


def write_dicom(root: Path, patients: int) -> None:
    """Write studies of four MR series and a DICOM SEG, drawn on the FLAIR series."""
    for index in range(patients):
        images, labels = patient(index, channels=len(SEQUENCES))
        folder = root / f"synthetic_{index:03d}"
        for number, name in enumerate(SEQUENCES):
            place = folder / name.replace(" ", "_").lower()
            place.mkdir(parents=True)
            headers = [_slice(index, number, at, images[number, at]) for at in range(SLICES)]
            for at, header in enumerate(headers):
                header.save_as(place / f"{at:03d}.dcm", enforce_file_format=True)
        _segmentation(headers, labels).save_as(folder / "seg.dcm", enforce_file_format=True)


def _slice(index: int, series: int, at: int, pixels: NDArray[np.float64]) -> Any:
    """One slice of 3 x 1 x 1 mm; equal arguments give equal files."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    def uid(*of: object) -> str:
        return str(generate_uid(entropy_srcs=["edgeseg own data", *map(str, of)]))

    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID, made.Modality = "1.2.840.10008.5.1.4.1.1.4", uid(index, series, at), "MR"
    made.PatientID, made.PatientName = f"synthetic_{index:03d}", f"Synthetic^{index:03d}"
    made.PatientBirthDate = made.PatientSex = made.StudyID = made.AccessionNumber = made.ReferringPhysicianName = ""
    made.StudyDate, made.StudyTime, made.Manufacturer, made.PositionReferenceIndicator = "20200101", "120000", "", ""
    made.StudyInstanceUID, made.SeriesInstanceUID = uid(index), uid(index, series)
    made.FrameOfReferenceUID = uid(index, "frame")
    made.SeriesDescription, made.SeriesNumber, made.InstanceNumber = SEQUENCES[series], series + 1, at + 1
    made.ImagePositionPatient, made.ImageOrientationPatient = [0.0, 0.0, 3.0 * at], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.SliceThickness = [1.0, 1.0], 3.0
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel, made.PhotometricInterpretation, made.PixelRepresentation = 1, "MONOCHROME2", 0
    made.BitsAllocated, made.BitsStored, made.HighBit = 16, 16, 15
    made.PixelData = np.ascontiguousarray(pixels, "<u2").tobytes()
    return made


def _segmentation(headers: list[Any], labels: NDArray[np.uint8]) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, name in enumerate(SEGMENTS, start=1)
    ]
    return hd.seg.Segmentation(
        source_images=headers,
        pixel_array=np.stack([np.isin(labels, values) for values in SEGMENTS.values()], axis=-1).astype(np.uint8),
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=hd.UID(),
        series_number=100,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="edgeseg",
        manufacturer_model_name="own_data.py",
        software_versions="1",
        device_serial_number="1",
    )


def write_csv(root: Path, patients: int) -> None:
    """Write patients that a CSV lists, of two sites and two scanners."""
    columns = ("native", "contrast", "t2", "flair", "mask")
    lines = [",".join(("patient", "site", "scanner", *columns))]
    for index in range(patients):
        images, labels = patient(index, channels=4)
        name = f"p{index:03d}"
        for called, volume in zip(columns, (*images.astype(np.int16), labels), strict=True):
            write_nifti(root / name / f"{called}.nii.gz", volume)
        files = ",".join(f"{name}/{called}.nii.gz" for called in columns)
        lines.append(f"{name},{('north', 'south')[index % 2]},{'ab'[index // 2 % 2]},{files}")
    (root / "patients.csv").write_text("\n".join(lines) + "\n")


def write_grey(root: Path, patients: int) -> None:
    """Write grey pictures with speckle, as ultrasound has it, in two sizes."""
    for index in range(patients):
        side = (SIDE, SIDE + 16)[index % 2]
        images, labels = patient(index, channels=1, side=side)
        speckle = np.random.default_rng((index, 1)).gamma(4.0, 0.25, images[0].shape)
        for number, (image, mask) in enumerate(zip(images[0] * speckle, labels > 0, strict=True), start=1):
            name = f"frame_{number}.png"
            for tree, pixels in (("images", np.clip(image / 4.0, 0, 255)), ("masks", mask * 255)):
                folder = root / tree / f"patient_{index:03d}"
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels.astype(np.uint8)).save(folder / name)


WRITERS: dict[str, Callable[[Path, int], None]] = {
    "brats": write_brats,
    "nnunet": write_nnunet,
    "csv": write_csv,
    "dicom": write_dicom,
    "grey": write_grey,
}


def main(arguments: list[str] | None = None) -> None:
    """Write one data set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("layout", choices=sorted(WRITERS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--patients", type=int, default=6)
    given = parser.parse_args(arguments)
    if given.folder.exists() and any(given.folder.iterdir()):
        parser.error(f"{given.folder} holds something already; choose another place")
    WRITERS[given.layout](given.folder, given.patients)
    print(f"Wrote {given.patients} synthetic patients to {given.folder}")


if __name__ == "__main__":
    main()
