"""Writes what the tests of the page need: phantoms in every format, damaged files, and the masks the runner draws.

`python web/tests/fixtures.py OUT` from the root of a checkout whose web/dist was built; all in OUT is made up.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nibabel
import numpy as np
from class_fixtures import drawn, write_classes
from litert_fixtures import write_litert
from numpy.typing import NDArray
from PIL import Image
from trust_fixtures import write_trust

from edgeseg.artifacts import sha256_bytes
from edgeseg.data.open_scan import open_scan
from edgeseg.runtime import Segmenter
from edgeseg.stages.ship import site, write_site

ROOT = Path(__file__).resolve().parents[2]
INT8 = ROOT / "android-demo/app/src/main/assets/edgeseg/model.onnx"
FLOAT = ROOT / "android-demo/app/src/main/assets/edgeseg-float/model.onnx"
CHANNELS = ("pre", "flair", "post")
PIXEL_MM, SLICE_MM = (0.94, 0.94), 5.0
UNITS = {"pre": (3.1, 40.0), "flair": (2.7, -90.0), "post": (4.9, 12.0)}
"""Gain and offset of what a scanner stores."""


def main(out: Path) -> None:
    """Write everything anew."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with patch.object(site, "phantom_volume", drawn):
        write_site(INT8, out=out / "site", page=ROOT / "web" / "dist")
    volume = drawn(11, seed=2026).images
    segmenter = Segmenter.load(INT8)
    expected: dict[str, Any] = {"runtime": segmenter.runtime, "numerics": segmenter.numerics}
    nifti = _nifti(out / "nifti", volume)
    write_trust(out, INT8, nifti)
    write_litert(out, nifti)
    for name, paths in (
        ("nifti", nifti),
        ("elsewhere", _elsewhere(out / "elsewhere", volume[:, 8:200])),
        ("dicom", _dicom(out / "dicom", volume)),
    ):
        with open_scan(sequences=paths) as scan:
            expected[name] = _masks(out, name, segmenter.segment(scan))
    pictures = np.ascontiguousarray(volume[4:14, :200, 20:236])
    _pictures(out / "pictures" / "PHANTOM", pictures)
    expected["pictures"] = _masks(out, "pictures", segmenter.segment_volume(pictures))
    expected["decoded"] = _decoded(out / "decoded", volume[12])
    _damaged(out / "damaged", out / "nifti", volume[12])
    write_classes(out)
    (out / "expected.json").write_text(json.dumps(expected, indent=1))


def _masks(out: Path, name: str, masks: NDArray[np.bool_]) -> dict[str, Any]:
    (out / f"{name}.mask").write_bytes(masks.astype(np.uint8).tobytes())
    return {"shape": masks.shape, "pixels": int(masks.sum())}


def _stored(volume: NDArray[np.uint8], channel: str) -> NDArray[np.int16]:
    gain, offset = UNITS[channel]
    return np.rint(volume[..., CHANNELS.index(channel)] * gain + offset).astype(np.int16)


def _affine(slices: int, *, pixel: tuple[float, float] = PIXEL_MM, slice_mm: float = SLICE_MM) -> NDArray[np.float64]:
    """(column, row, slice) to RAS: columns to the left, rows to the back, slices to the head."""
    place = np.diag([-pixel[1], -pixel[0], slice_mm, 1.0])
    place[:3, 3] = 120.0, 130.0, -slice_mm * slices / 2
    return place


def _nifti(folder: Path, volume: NDArray[np.uint8]) -> dict[str, Any]:
    """One grid, stored in three ways: plain, turned and mirrored, and as packed floats."""
    folder.mkdir()
    paths = {
        channel: folder / f"Sub01_{name}.nii"
        for channel, name in zip(CHANNELS, ("T1", "FLAIR", "T1_post"), strict=True)
    }
    paths["flair"] = paths["flair"].with_suffix(".nii.gz")
    place = _affine(len(volume))
    for channel, path in paths.items():
        values = _stored(volume, channel).transpose(2, 1, 0)
        image = nibabel.Nifti1Image(values if channel != "post" else values.astype(np.float32) / 7, place)
        if channel == "pre":
            image = nibabel.as_closest_canonical(image)
        image.header["descrip"] = b"of nobody"
        nibabel.save(image, path)
    return paths


def _elsewhere(folder: Path, volume: NDArray[np.uint8]) -> dict[str, Any]:
    """A field of view that is not square, and a sequence on another grid."""
    folder.mkdir()
    paths = {"flair": folder / "flair.nii.gz", "post": folder / "t1ce.nii.gz"}
    nibabel.save(nibabel.Nifti1Image(_stored(volume, "flair").transpose(2, 1, 0), _affine(len(volume))), paths["flair"])
    thinned = _stored(volume, "post")[:, ::2, ::2]
    place = _affine(len(volume))
    place[:3, :2] *= 2
    place[:3, 3] += (0.4, -1.3, 2.2)
    nibabel.save(nibabel.Nifti1Image(thinned.transpose(2, 1, 0), place), paths["post"])
    return paths


def _dicom(folder: Path, volume: NDArray[np.uint8]) -> dict[str, Any]:
    for number, (channel, description) in enumerate(
        zip(CHANNELS, ("Ax T1", "Ax T2 FLAIR", "Ax T1 +C"), strict=True), 1
    ):
        _series(folder / channel, description, number, _stored(volume, channel))
    return {channel: folder / channel for channel in CHANNELS}


def _series(folder: Path, description: str, number: int, values: NDArray[np.int16]) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    folder.mkdir(parents=True)
    for place, plane in enumerate(values):
        one = Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid(
            entropy_srcs=[description, str(place)]
        )
        one.PatientID, one.PatientName, one.PatientBirthDate, one.PatientSex = "PHANTOM", "Phantom", "", ""
        one.Modality, one.Manufacturer, one.StudyDate, one.StudyTime = "MR", "M", "20200101", "101010"
        one.StudyID = one.AccessionNumber = one.ReferringPhysicianName = one.PositionReferenceIndicator = ""
        one.StudyInstanceUID, one.FrameOfReferenceUID = (
            generate_uid(entropy_srcs=["study"]),
            generate_uid(entropy_srcs=["frame"]),
        )
        one.SeriesInstanceUID = generate_uid(entropy_srcs=[description])
        one.SeriesDescription, one.SeriesNumber, one.InstanceNumber = description, number, place + 1
        one.ImageType = ["ORIGINAL", "PRIMARY"]
        one.ImagePositionPatient = [-120.0, -130.0, -SLICE_MM * len(values) / 2 + SLICE_MM * place]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.PixelSpacing, one.SliceThickness, one.SpacingBetweenSlices = list(PIXEL_MM), SLICE_MM, SLICE_MM
        one.Rows, one.Columns = plane.shape
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
        one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
        one.PixelData = np.ascontiguousarray(plane, "<i2").tobytes()
        one.save_as(folder / f"IM{place:04d}", enforce_file_format=True)


def _pictures(folder: Path, volume: NDArray[np.uint8]) -> None:
    """TIFF and PNG slices of one volume, of another size than the network's."""
    folder.mkdir(parents=True)
    for number, image in enumerate(volume, 8):
        packed = {"format": "TIFF", "compression": "tiff_lzw"} if number % 2 else {"format": "PNG"}
        Image.fromarray(image).save(folder / f"head_{number}.{'tif' if number % 2 else 'png'}", **packed)


def _decoded(folder: Path, image: NDArray[np.uint8]) -> dict[str, dict[str, Any]]:
    """Pictures as they may be stored, and the digest of their pixels."""
    folder.mkdir()
    deep = image[..., 1].astype(np.uint16) * 211 + 5
    stored: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
        "plain.tif": (image, {}),
        "lzw.tif": (image, {"compression": "tiff_lzw"}),
        "lzw-predicted.tif": (image, {"compression": "tiff_lzw", "tiffinfo": {317: 2}}),
        "deflate.tif": (image, {"compression": "tiff_adobe_deflate"}),
        "packbits.tif": (image, {"compression": "packbits"}),
        "grey.tif": (image[..., 1], {"compression": "tiff_lzw"}),
        "deep.tif": (deep, {}),
        "rgb.png": (image, {"optimize": True}),
        "grey.png": (image[..., 1], {}),
        "deep.png": (deep, {}),
    }
    for name, (values, options) in stored.items():
        Image.fromarray(values).save(folder / name, **options)
    return {
        name: {"shape": values.shape, "sha256": sha256_bytes(values.tobytes())} for name, (values, _) in stored.items()
    }


def _damaged(folder: Path, nifti: Path, image: NDArray[np.uint8]) -> None:
    """Files that no scan is made of."""
    folder.mkdir()
    Image.fromarray(image).save(folder / "whole.png")
    whole = (folder / "whole.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").write_bytes(b"")
    Image.fromarray(image).convert("P").save(folder / "palette.png")
    Image.fromarray(np.dstack([image, image[..., :1]])).save(folder / "transparent.png")
    Image.fromarray(image).save(folder / "slice.jpg")
    packed = (nifti / "Sub01_FLAIR.nii.gz").read_bytes()
    (folder / "cut.nii.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "text.nii").write_text("no NIfTI\n" * 100)
    plain = (nifti / "Sub01_T1.nii").read_bytes()
    (folder / "cut.nii").write_bytes(plain[: len(plain) // 2])
    (folder / "scan.nrrd").write_bytes(b"NRRD0004\n")
    (folder / "notes.txt").write_text("no scan\n")
    (folder / "cut.zip").write_bytes(b"PK\3\4" + bytes(100))
    thick = nibabel.Nifti1Image(
        np.ones((32, 32, 32), np.int16), np.array([[0, 0, 8.0, 0], [8.0, 0, 0, 0], [0, 8.0, 0, 0], [0, 0, 0, 1]])
    )
    nibabel.save(thick, folder / "thick.nii")
    holed = folder / "holed"
    holed.mkdir()
    for number in (1, 2, 4):
        Image.fromarray(image).save(holed / f"head_{number}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
