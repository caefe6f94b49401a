"""DICOM series with DICOM SEG as reference: what is read, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import highdicom
import numpy as np
import pydicom
import pytest

from edgeseg.data.open import open_dataset
from edgeseg.data.open_scan import open_scan
from edgeseg.data.verify import verify_dataset
from edgeseg.errors import DatasetError, MaskError, OptionError
from edgeseg.stages.segment.dicom_seg import SegMasks

ROOT = Path(__file__).parents[3]
CLASSES = ("whole-tumour", "tumour-core", "enhancing")


@pytest.fixture
def own_data(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(ROOT / "tools" / "own_data.py")


@pytest.fixture(scope="module")
def written(script: Callable[[Path], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dicom") / "set"
    script(ROOT / "tools" / "own_data.py").main(["dicom", str(folder), "--patients", "2"])
    return folder


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "set"))


def edit(root: Path, change: Callable[[Any], None], patient: int = 1) -> None:
    path = root / f"synthetic_{patient:03d}" / "seg.dcm"
    seg = pydicom.dcmread(path)
    change(seg)
    seg.save_as(path)


def test_segments_become_classes_on_the_slices_that_they_refer_to(own_data: ModuleType, root: Path) -> None:
    dataset = open_dataset(root)
    assert (dataset.channels.names, dataset.classes) == (("pre", "flair", "post", "t2"), CLASSES)
    assert verify_dataset(dataset).passed
    volume = dataset.volume("synthetic_001")
    _, labels = own_data.patient(1, channels=4)
    for place, values in enumerate(own_data.SEGMENTS.values()):
        np.testing.assert_array_equal(volume.reference[..., place], np.isin(labels, values))
    with open_scan(root / "synthetic_001", channels=dataset.channels) as scan:
        np.testing.assert_array_equal(volume.images[3], scan.image(3))
    assert volume.spacing_mm == (3.0, 1.0, 1.0)


@pytest.mark.parametrize("labels", ["rim=1,core=2+3", "rim=whole-tumour,core=Tumour Core+enhancing"])
def test_classes_are_chosen_by_number_or_by_name(root: Path, labels: str) -> None:
    volume = open_dataset(root, labels=labels).volume("synthetic_000")
    own = open_dataset(root).volume("synthetic_000").reference
    assert volume.classes == ("rim", "core")
    np.testing.assert_array_equal(volume.reference, own[..., :2])


@pytest.mark.parametrize(
    ("labels", "said"),
    [("x=9", "labels of this set are 1, 2, 3"), ("x=rind", "whole-tumour, tumour-core, enhancing"), ("x", "NAME=")],
)
def test_other_labels_are_refused(root: Path, labels: str, said: str) -> None:
    with pytest.raises((DatasetError, OptionError), match=said):
        open_dataset(root, labels=labels)


def test_segments_that_are_numbered_otherwise_go_by_name(root: Path) -> None:
    own = open_dataset(root).volume("synthetic_001").reference

    def swap(seg: Any) -> None:
        seg.SegmentSequence[0].SegmentLabel, seg.SegmentSequence[1].SegmentLabel = "tumour core", "whole tumour"

    edit(root, swap)
    dataset = open_dataset(root)
    assert sorted(dataset.classes) == sorted(CLASSES)
    found = dataset.volume("synthetic_001").reference
    np.testing.assert_array_equal(found[..., dataset.classes.index("tumour-core")], own[..., 0])
    with pytest.raises(DatasetError, match=r"not numbered alike.*give their names"):
        open_dataset(root, labels="x=1")


def test_a_seg_of_edgeseg_is_read_back_also_from_a_turned_series(root: Path, tmp_path: Path) -> None:
    """The slices are stored from head to feet and rows from back to front; the masks come back as they were given."""
    folder = root / "synthetic_001"
    for path in folder.rglob("*.dcm"):
        one = pydicom.dcmread(path)
        if path.name == "seg.dcm":
            path.unlink()
            continue
        one.ImageOrientationPatient = [1, 0, 0, 0, -1, 0]
        one.ImagePositionPatient = [0.0, 63.0, -float(one.ImagePositionPatient[2])]
        one.save_as(path)
    own = open_dataset(root).volume("synthetic_000").reference
    with open_scan(folder, channels=open_dataset(root).channels) as scan:
        writer = SegMasks(folder / "seg.dcm", scan.reference, "ab" * 32, _parts())  # type: ignore[arg-type]
        for index, masks in enumerate(own):
            writer.add(index, "", masks)
        writer.finish()
    found = open_dataset(root).volume("synthetic_001")
    np.testing.assert_array_equal(found.reference, own)


def _parts() -> Any:
    from edgeseg.specs import own_regions

    return own_regions(CLASSES)


def test_a_map_of_labels_is_read_as_segments(root: Path) -> None:
    path = root / "synthetic_001" / "seg.dcm"
    own = open_dataset(root).volume("synthetic_001").reference
    sources = [pydicom.dcmread(one) for one in sorted((root / "synthetic_001" / "flair").iterdir())]
    labels = own.sum(axis=-1).astype(np.uint8)
    described = [highdicom.seg.SegmentDescription.from_dataset(one) for one in pydicom.dcmread(path).SegmentSequence]
    highdicom.seg.Segmentation(
        sources, labels, "LABELMAP", described, highdicom.UID(), 1, highdicom.UID(), 1, "m", "m", "1", "1"
    ).save_as(path)
    found = open_dataset(root).volume("synthetic_001").reference
    np.testing.assert_array_equal(found, np.stack([labels == 1, labels == 2, labels == 3], axis=-1))


def _other_instance(seg: Any) -> None:
    for group in seg.PerFrameFunctionalGroupsSequence:
        for derived in group.DerivationImageSequence:
            for one in derived.SourceImageSequence:
                one.ReferencedSOPInstanceUID = "1.2.3"


def _nothing(seg: Any) -> None:
    for group in seg.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence


def _moved(seg: Any) -> None:
    for group in seg.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient = [5.0, 0.0, 0.0]


def _strange_segment(seg: Any) -> None:
    seg.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 9


def _half_the_pixels(seg: Any) -> None:
    seg.PixelData = seg.PixelData[: len(seg.PixelData) // 4 * 2]


def _no_frame_count(seg: Any) -> None:
    seg.NumberOfFrames = 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_instance, "image of another series"),
        (_nothing, "names no image"),
        (_moved, "lies elsewhere"),
        (_strange_segment, "segment 9"),
        (_no_frame_count, "claims 1 frames"),
        (_half_the_pixels, "fewer pixels than"),
        (lambda seg: setattr(seg.ReferencedSeriesSequence[0], "SeriesInstanceUID", "1.2.3"), "not in the patient's"),
        (lambda seg: setattr(seg, "Rows", 32), "32 x 64 and its series 64 x 64"),
    ],
    ids=["another instance", "no instance", "moved", "strange segment", "count", "half", "another series", "size"],
)
def test_a_seg_that_does_not_fit_is_one_finding_of_verify(root: Path, change: Any, said: str) -> None:
    edit(root, change)
    dataset = open_dataset(root)
    with pytest.raises(MaskError, match=said):
        dataset.volume("synthetic_001")
    (found,) = verify_dataset(dataset).findings
    assert (found.kind, found.patient) == ("unreadable-patient", "synthetic_001")
    assert "1.2.3" not in found.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda seg: setattr(seg, "SegmentationType", "FRACTIONAL"), "fractional"),
        (lambda seg: delattr(seg, "ReferencedSeriesSequence"), "does not name its segments"),
        (lambda seg: setattr(seg, "SegmentSequence", []), "0 segments"),
        (lambda seg: setattr(seg, "SegmentationType", "LABELMAP"), "has 1 bits for a pixel, so what a pixel means"),
        (lambda seg: setattr(seg, "SegmentationType", "SHAPE"), "calls itself 'SHAPE'"),
        (lambda seg: setattr(seg.SegmentSequence[1], "SegmentNumber", 1), "gives one number to two of its segments"),
    ],
    ids=["fractional", "no series", "no segments", "map of bits", "another type", "one number twice"],
)
def test_a_seg_that_is_none_is_refused_at_once(root: Path, change: Any, said: str) -> None:
    edit(root, change)
    with pytest.raises(MaskError, match=said):
        open_dataset(root)


def test_a_patient_without_seg_or_without_a_sequence_is_told(root: Path) -> None:
    (root / "synthetic_001" / "seg.dcm").unlink()
    with pytest.raises(MaskError, match="no DICOM SEG"):
        open_dataset(root).volume("synthetic_001")
    shutil.copytree(root / "synthetic_000", root / "synthetic_002")
    shutil.rmtree(root / "synthetic_002" / "t2")
    with pytest.raises(DatasetError, match="no series is told to be 't2'"):
        open_dataset(root).volume("synthetic_002")
    shutil.copytree(root / "synthetic_000" / "flair", root / "synthetic_000" / "more")
    for path in (root / "synthetic_000" / "more").iterdir():
        one = pydicom.dcmread(path)
        one.SeriesInstanceUID, one.SOPInstanceUID = "1.2.3", f"1.2.3.{one.InstanceNumber}"
        one.SeriesDescription = "T2"
        one.save_as(path)
    with pytest.raises(DatasetError, match=r"2 fit 't2'.*leave one of them in the patient's folder$"):
        open_dataset(root).volume("synthetic_000")
    shutil.rmtree(root / "synthetic_000" / "more")
    shutil.rmtree(root / "synthetic_000" / "t2")
    shutil.rmtree(root / "synthetic_002")
    shutil.copytree(root / "synthetic_000", root / "synthetic_002")
    assert open_dataset(root).channels.names == ("pre", "flair", "post")
    for one in ("synthetic_000", "synthetic_002"):
        (root / one / "seg.dcm").unlink()
    with pytest.raises(DatasetError, match="no patient has a DICOM SEG"):
        open_dataset(root, layout="dicom-seg")
