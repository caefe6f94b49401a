"""DICOM SEG: names in any script, series in any files, what viewers need, and refusals before the work."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import EnhancedMRImageStorage

from edgeseg.data.dicom import DicomSeries
from edgeseg.data.open_scan import open_scan
from edgeseg.errors import DatasetError, OptionError
from edgeseg.specs import MaskRegion, RunOptions, own_regions
from edgeseg.stages.segment.dicom_seg import SegMasks
from edgeseg.stages.segment.run import run
from tests.stages.segment._heads import in_two_files

Write = Callable[..., Path]
SHA256 = "ab" * 32
SCRIPTS = {
    "Japanese": (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
    "Korean": (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
    "Chinese": ("GB18030", "Wang^XiaoDong=王^小东"),
    "Cyrillic": ("ISO_IR 144", "Люкс^Анна"),
    "Greek": ("ISO_IR 126", "Διονυσιος^Ζωή"),
    "UTF-8": ("ISO_IR 192", "Müller^Zoë"),
    "none": (None, "Plain^Name"),
}


def opened(folder: Path) -> DicomSeries:
    reference = open_scan(folder, salt="a salt for tests only").reference
    assert isinstance(reference, DicomSeries)
    return reference


def written(folder: Path, masks: Any, regions: tuple[MaskRegion, ...] = ()) -> Any:
    """Write masks of a series, slice by slice, as `run` does, and read the file back."""
    writer = SegMasks(folder.parent / "seg.dcm", opened(folder), SHA256, regions)
    for index, mask in enumerate(masks):
        writer.add(index, f"slice_{index}", mask)
    (path,) = writer.finish()
    return pydicom.dcmread(path)


@pytest.fixture
def masks(scan_values: dict[str, Any]) -> Any:
    return np.asarray(scan_values["flair"] > 500)


@pytest.mark.parametrize("script", SCRIPTS)
def test_names_in_any_script_are_kept(write_dicom: Write, scan_values: dict[str, Any], masks: Any, script: str) -> None:
    characters, name = SCRIPTS[script]
    options = {} if characters is None else {"SpecificCharacterSet": characters}
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR", PatientName=name, **options)
    seg = written(folder, masks)
    assert (str(seg.PatientName), seg.SpecificCharacterSet) == (name, "ISO_IR 192")
    assert name.encode() in (folder.parent / "seg.dcm").read_bytes()


def test_a_viewer_finds_colour_region_tracking_and_algorithm(
    write_dicom: Write, scan_values: dict[str, Any], masks: Any
) -> None:
    import highdicom

    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    seg = written(folder, masks)
    (segment,) = seg.SegmentSequence
    assert len(segment.RecommendedDisplayCIELabValue) == 3
    assert segment.AnatomicRegionSequence[0].CodeMeaning == "Brain"
    assert segment.TrackingID
    assert segment.TrackingUID == written(folder, masks).SegmentSequence[0].TrackingUID
    (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning) == (
        "edgeseg",
        "Artificial Intelligence",
    )
    assert SHA256 in "".join(algorithm.AlgorithmParameters)
    assert seg.DeviceSerialNumber == SHA256
    assert highdicom.seg.segread(folder.parent / "seg.dcm").number_of_segments == 1


def test_a_series_in_two_files_of_frames(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    """Each frame of the mask refers to the file and the frame that it was drawn on."""
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    whole = run(model, out=tmp_path / "whole", options=RunOptions(sequences={"flair": folder})).patients[0]
    in_two_files(folder)
    (found,) = run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": folder})).patients
    assert found.tumour_pixels == whole.tumour_pixels > 0
    seg = pydicom.dcmread(tmp_path / "out" / found.files[0])
    places = {}
    for path in folder.iterdir():
        source = pydicom.dcmread(path)
        for number, group in enumerate(source.PerFrameFunctionalGroupsSequence, 1):
            places[(source.SOPInstanceUID, number)] = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
    for group in seg.PerFrameFunctionalGroupsSequence:
        (reference,) = group.DerivationImageSequence[0].SourceImageSequence
        assert reference.ReferencedSOPClassUID == EnhancedMRImageStorage
        place = places.pop((reference.ReferencedSOPInstanceUID, int(reference.ReferencedFrameNumber)))
        assert place == float(group.PlanePositionSequence[0].ImagePositionPatient[2])
    assert not places
    assert len(seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == 2


@pytest.fixture
def model(tiny_onnx: Write) -> Path:
    return tiny_onnx()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PatientSex", "X"), ("PatientBirthDate", "unknown"), ("PatientID", "4711" * 40), ("StudyTime", "noon")],
)
def test_values_that_the_standard_does_not_allow_cost_nobody_a_mask(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path, name: str, value: str
) -> None:
    with pydicom.config.disable_value_validation():
        folder = write_dicom("flair", scan_values["flair"], description="FLAIR", **{name: value})
    (found,) = run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": folder})).patients
    with pydicom.config.disable_value_validation():
        seg = pydicom.dcmread(tmp_path / "out" / found.files[0])
        assert str(seg[name].value) in (value, "")
        assert seg.PatientID == (value if name == "PatientID" else "ID-4711")


@pytest.mark.parametrize("name", ["AccessionNumber", "PatientBirthDate", "PatientName", "StudyID", "StudyDate"])
def test_what_the_source_leaves_out_is_left_empty(
    write_dicom: Write, scan_values: dict[str, Any], masks: Any, name: str
) -> None:
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    for path in folder.iterdir():
        source = pydicom.dcmread(path)
        delattr(source, name)
        source.save_as(path)
    assert not written(folder, masks)[name].value


@pytest.mark.parametrize("name", ["StudyInstanceUID", "FrameOfReferenceUID"])
def test_what_a_seg_cannot_do_without_is_refused_before_the_first_slice(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path, name: str
) -> None:
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    for path in folder.iterdir():
        source = pydicom.dcmread(path)
        delattr(source, name)
        source.save_as(path)
    done: list[str] = []
    with pytest.raises(DatasetError, match=rf"lacks {name}.*--format png") as caught:
        run(
            model,
            out=tmp_path / "out",
            options=RunOptions(sequences={"flair": folder}),
            progress=lambda _done, _total, label: done.append(label),
        )
    assert done == []
    assert not re.search("Zyxwvu|4711", str(caught.value))
    masks = (
        run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": folder}, formats=("png",)))
        .patients[0]
        .masks
    )
    assert len(masks) == 6


def test_what_the_library_refuses_is_refused_before_the_first_slice(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import highdicom

    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("Zyxwvu^Secret is no name")

    monkeypatch.setattr(highdicom.seg, "Segmentation", refuse)
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    done: list[str] = []
    with pytest.raises(DatasetError, match=r"cannot refer to this series \(ValueError\)"):
        run(
            model,
            out=tmp_path / "out",
            options=RunOptions(sequences={"flair": folder}),
            progress=lambda _done, _total, label: done.append(label),
        )
    assert done == []
    assert not (tmp_path / "out").exists()


def test_no_tumour_is_a_seg_of_empty_frames(write_dicom: Write, scan_values: dict[str, Any], masks: Any) -> None:
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    seg = written(folder, np.zeros_like(masks))
    assert seg.NumberOfFrames == len(masks)
    assert not seg.pixel_array.any()


@pytest.mark.parametrize("files", ["one each", "two of several"])
def test_a_validator_finds_no_error(
    write_dicom: Write, scan_values: dict[str, Any], masks: Any, three: Any, files: str
) -> None:
    tool = shutil.which("dciodvfy")
    if tool is None:
        pytest.skip("dciodvfy (Debian package dicom3tools) is not installed")
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR", **_JAPANESE)
    if files != "one each":
        in_two_files(folder)
    for drawn in (masks, np.zeros_like(masks), three):
        written(folder, drawn, PARTS if drawn.ndim > masks.ndim else ())
        done = subprocess.run([tool, str(folder.parent / "seg.dcm")], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert "Segmentation" in said
        assert "Error" not in said


_JAPANESE: dict[str, Any] = {"SpecificCharacterSet": SCRIPTS["Japanese"][0], "PatientName": SCRIPTS["Japanese"][1]}

PARTS = own_regions(("whole-tumour", "oedema", "enhancing"))
THALAMUS = ("42695009", "SCT", "Thalamus", "123037004", "SCT", "Anatomical Structure")


@pytest.fixture
def three(masks: Any) -> Any:
    """`(slices, h, w, 3) bool`: a tumour, a part of it, and nothing."""
    part = masks.copy()
    part[..., ::2] = False
    return np.stack([masks, part, np.zeros_like(masks)], axis=-1)


def test_another_reader_finds_each_class_its_codes_and_its_pixels(
    write_dicom: Write, scan_values: dict[str, Any], three: Any
) -> None:
    """Read by highdicom, by the files that the frames refer to; classes overlap, and an empty one says so."""
    import highdicom

    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    written(folder, three, PARTS)
    seg = highdicom.seg.segread(folder.parent / "seg.dcm")
    told = [seg.get_segment_description(number) for number in seg.segment_numbers]
    assert [one.segment_label for one in told] == ["whole-tumour", "oedema", "enhancing"]
    assert [one.segmented_property_type.value for one in told] == ["108369006", "79654002", "C113842"]
    assert {one.segmented_property_category.value for one in told} == {"49755003"}
    assert len({one.tracking_uid for one in told}) == 3
    assert len({tuple(one.RecommendedDisplayCIELabValue) for one in told}) == 3
    assert [one.get("SegmentDescription") for one in told] == [None, None, "Nothing of it was found"]
    frames = opened(folder).frames
    uids = [pydicom.dcmread(frame.path, stop_before_pixels=True).SOPInstanceUID for frame in frames]
    pixels = seg.get_pixels_by_source_instance(uids)
    assert np.array_equal(pixels.astype(bool), three)


def test_codes_of_the_contract_go_before_the_name(write_dicom: Write, scan_values: dict[str, Any], three: Any) -> None:
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR")
    names = ("wt", "un\\known", "n" * 70)
    regions = tuple(
        MaskRegion(name=name, channels=(number,), label=number + 1, code=THALAMUS if number == 0 else ())
        for number, name in enumerate(names)
    )
    first, second, third = written(folder, three, regions).SegmentSequence
    category, kind = first.SegmentedPropertyCategoryCodeSequence[0], first.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodeMeaning, category.CodeMeaning) == ("42695009", "Thalamus", "Anatomical Structure")
    assert (second.SegmentLabel, third.SegmentLabel) == ("un known", "n" * 64)
    assert second.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Tissue"


@pytest.mark.parametrize("code", [("1", "SCT"), ("1" * 17, "SCT", "x"), ("1", "SCT", "a\\b"), ("1", "SCT", "")])
def test_a_code_that_cannot_be_written_is_refused(code: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match=r"code of region 'x'.*value, scheme and meaning"):
        MaskRegion(name="x", channels=(0,), label=1, code=code)
