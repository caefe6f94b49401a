"""A lesion anywhere, stored in any way: the mask lies on it in the patient's space."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    generate_uid,
)

from edgeseg.specs import Contract, RunOptions
from edgeseg.stages.segment.run import run

SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    None,
)
"""None is implicit VR without preamble and file meta."""
SIDE_PX = 32


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one volume is stored: `axes` says which stored axis runs along x, y and z, `flips` which run backwards."""

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]
    order: int
    syntax: Any
    nifti: bool
    tilt_deg: float


cases = st.builds(
    Case,
    axes=st.permutations((0, 1, 2)).map(tuple),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    spacing_mm=st.tuples(*[st.sampled_from((1.0, 1.25, 2.0)) for _ in range(3)]),
    order=st.integers(0, 99),
    syntax=st.sampled_from(SYNTAXES),
    nifti=st.booleans(),
    tilt_deg=st.sampled_from((0.0, 0.0, 12.0, -20.0)),
)
places = st.tuples(st.integers(8, 14), st.integers(8, 14), st.integers(8, 14))


def affine_of(case: Case) -> NDArray[np.float64]:
    """Stored index to LPS mm, about a centre that lies at (3, -7, 11)."""
    affine = np.eye(4)
    for patient, (axis, flip) in enumerate(zip(case.axes, case.flips, strict=True)):
        affine[:3, axis] = 0
        affine[patient, axis] = case.spacing_mm[patient] * (-1 if flip else 1)
    turn = np.radians(case.tilt_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine[:3, :3] = about_x @ affine[:3, :3]
    affine[:3, 3] = np.array([3.0, -7.0, 11.0]) - affine[:3, :3] @ np.full(3, (SIDE_PX - 1) / 2)
    return affine


def volume_of(affine: NDArray[np.float64], low: NDArray[Any], *, bright: int) -> NDArray[np.int16]:
    """A ball of tissue with an L of lesion, which no turn or mirror maps onto itself; `low` is its corner in mm."""
    index = np.stack([*np.indices((SIDE_PX,) * 3), np.ones((SIDE_PX,) * 3)])
    points = np.einsum("ij,jxyz->ixyz", affine, index)[:3]
    tissue = (((points - np.array([3.0, -7.0, 11.0])[:, None, None, None]) ** 2).sum(axis=0)) < 15**2
    return np.where(lesion(points, low), bright, np.where(tissue, 300, 0)).astype(np.int16)


def lesion(points: NDArray[np.float64], low: NDArray[Any], *, grow: float = 0.0) -> NDArray[np.bool_]:
    """Whether points `(3, ...)` in mm lie in the L."""
    near = points - low.reshape(3, *[1] * (points.ndim - 1))
    arms = (((0, 0, 0), (8, 4, 6)), ((0, 4, 0), (4, 10, 6)), ((0, 0, 6), (4, 4, 9)))
    inside = np.zeros(points.shape[1:], np.bool_)
    for start, end in arms:
        arm = np.ones_like(inside)
        for axis in range(3):
            arm &= (near[axis] >= start[axis] - grow) & (near[axis] < end[axis] + grow)
        inside |= arm
    return inside


def store(case: Case, folder: Path, values: NDArray[np.int16], affine: NDArray[np.float64], description: str) -> Path:
    if case.nifti:
        ras = np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine
        path = folder.with_suffix(".nii.gz")
        nibabel.save(nibabel.Nifti1Image(values, ras), path)
        return path
    folder.mkdir()
    uid, names = generate_uid(), np.random.default_rng(case.order).permutation(SIDE_PX)
    normal = np.cross(affine[:3, 2], affine[:3, 1])
    backwards = float(normal @ affine[:3, 0]) < 0
    for number in range(SIDE_PX):
        one = slice_of(values[number], affine, number, description, uid)
        one.InstanceNumber = SIDE_PX - number if backwards else number + 1
        save(one, folder / f"{names[number]:03d}", case.syntax)
    return folder


def slice_of(
    values: NDArray[np.int16], affine: NDArray[np.float64], number: int, description: str, uid: str
) -> Dataset:
    one = Dataset()
    one.SOPClassUID, one.SOPInstanceUID, one.Modality = "1.2.840.10008.5.1.4.1.1.4", generate_uid(), "MR"
    one.PatientID, one.PatientName, one.PatientBirthDate, one.PatientSex, one.StudyID = "P", "A^B", "", "", ""
    one.StudyDate, one.StudyTime, one.AccessionNumber, one.ReferringPhysicianName = "20200101", "", "", ""
    one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = "1.2.3", uid, "1.2.4"
    one.SeriesDescription, one.SeriesNumber, one.Manufacturer, one.PositionReferenceIndicator = description, 1, "M", ""
    rows, columns = np.linalg.norm(affine[:3, 1]), np.linalg.norm(affine[:3, 2])
    one.ImagePositionPatient = [round(float(v), 6) for v in (affine @ [number, 0, 0, 1])[:3]]
    directions = (*(affine[:3, 2] / columns), *(affine[:3, 1] / rows))
    one.ImageOrientationPatient = [round(float(v), 9) for v in directions]
    one.PixelSpacing, one.SliceThickness = [float(rows), float(columns)], float(np.linalg.norm(affine[:3, 0]))
    one.Rows, one.Columns, one.SamplesPerPixel, one.PhotometricInterpretation = SIDE_PX, SIDE_PX, 1, "MONOCHROME2"
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
    one.PixelData = np.ascontiguousarray(values, "<i2").tobytes()
    one["PixelData"].VR = "OW"
    return one


def save(one: Dataset, path: Path, syntax: Any) -> None:
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax is None:
        del one.file_meta
        one.save_as(path, implicit_vr=True, little_endian=True)
        return
    if syntax == RLELossless:
        one.compress(RLELossless, encoding_plugin="pydicom")
    elif syntax == ExplicitVRBigEndian:
        one.PixelData = np.frombuffer(one.PixelData, "<i2").astype(">i2").tobytes()
    one.file_meta.TransferSyntaxUID = syntax
    one.save_as(path, enforce_file_format=True)


def mask_points(out: Path, file: str) -> NDArray[np.float64]:
    """The centres of the mask's voxels, `(3, N)` LPS mm, by nibabel or by the SEG's own positions."""
    if file.endswith(".nii.gz"):
        image = nibabel.load(out / file)
        index = np.argwhere(np.asarray(image.dataobj)).T
        points = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine @ np.vstack([index, np.ones(index.shape[1])])
        return np.asarray(points[:3])
    seg = pydicom.dcmread(out / file)
    shared = seg.SharedFunctionalGroupsSequence[0]
    spacing = [float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing]
    way = np.array([float(v) for v in shared.PlaneOrientationSequence[0].ImageOrientationPatient]).reshape(2, 3)
    found = []
    frames = np.asarray(seg.pixel_array).reshape(-1, seg.Rows, seg.Columns)
    for plane, group in zip(frames, seg.PerFrameFunctionalGroupsSequence, strict=True):
        start = np.array([float(v) for v in group.PlanePositionSequence[0].ImagePositionPatient])
        rows, columns = np.nonzero(plane)
        found.append(start[:, None] + way[1][:, None] * rows * spacing[0] + way[0][:, None] * columns * spacing[1])
    return np.concatenate(found, axis=1)


@pytest.fixture
def model(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> Path:
    return tiny_onnx(contract=replace(tiny_contract, height=96, width=96), size=(96, 96))


def test_the_mask_lies_on_the_lesion(model: Path, tmp_path: Path) -> None:
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, cases, places)
    def check(one: Case, other: Case, place: tuple[int, int, int]) -> None:
        shutil.rmtree(tmp_path / "case", ignore_errors=True)
        root = tmp_path / "case"
        root.mkdir()
        low = np.array(place, np.float64) - 12 + np.array([3.0, -7.0, 11.0])
        ours, theirs = affine_of(one), affine_of(other)
        flair = store(one, root / "flair", volume_of(ours, low, bright=1500), ours, "AX FLAIR")
        pre = store(other, root / "pre", volume_of(theirs, low, bright=300), theirs, "AX T1")
        (found,) = run(model, out=root / "out", options=RunOptions(sequences={"flair": flair, "pre": pre})).patients
        points = mask_points(root / "out", found.files[0])
        reach = 1.01 * max(one.spacing_mm)
        assert points.shape[1] > 0
        assert lesion(points, low, grow=reach).all()
        centre, wanted = points.mean(axis=1), true_centre(ours, low)
        assert np.abs(centre - wanted).max() < 0.8, (centre, wanted)
        share = points.shape[1] / np.count_nonzero(volume_of(ours, low, bright=1500) == 1500)
        assert 0.4 < share < 1.3  # resampling rounds the corners of the arms off

    check()


def true_centre(affine: NDArray[np.float64], low: NDArray[Any]) -> NDArray[np.float64]:
    index = np.argwhere(volume_of(affine, low, bright=1500) == 1500).T
    return np.asarray((affine @ np.vstack([index, np.ones(index.shape[1])]))[:3].mean(axis=1))
