"""NIfTI and DICOM through `run`: the masks lie where the tumour is, whatever way the voxels are stored."""

from __future__ import annotations

import json
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeseg.errors import ArtifactError, DatasetError, OptionError, OutputError
from edgeseg.place import claimed
from edgeseg.results import PatientSegmentation
from edgeseg.specs import Contract, PostProcessing, RunOptions
from edgeseg.stages.segment.run import run

Write = Callable[..., Path]
SALT = "a salt for tests only"
TUMOUR = (slice(2, 4), slice(8, 16), slice(12, 24))
INSIDE = (slice(2, 4), slice(10, 14), slice(14, 22))


@pytest.fixture
def model(tiny_onnx: Write, tiny_contract: Contract) -> Path:
    """Finds tumour where FLAIR is bright; drops components of fewer than 5 voxels."""
    return tiny_onnx(contract=replace(tiny_contract, post_processing=PostProcessing(min_volume_px=5)))


def check(mask: NDArray[Any], found: PatientSegmentation) -> None:
    """The tumour and nothing else, give or take the corners that resampling rounds off."""
    wanted = np.zeros((6, 32, 48), np.bool_)
    wanted[TUMOUR] = True
    assert mask.shape == wanted.shape
    assert mask[INSIDE].all()
    assert not mask[~wanted].any()
    assert (found.slices, found.slices_with_tumour, found.tumour_pixels) == (6, 2, int(np.count_nonzero(mask)))
    assert found.pixel_mm == pytest.approx((1.0, 1.0))
    assert found.slice_mm == pytest.approx(5.0)
    assert found.tumour_volume_ml == pytest.approx(found.tumour_pixels * 5 / 1000)
    assert found.largest_diameter_mm is not None
    assert 9 < found.largest_diameter_mm < np.hypot(8, 12)


def common(path: Path) -> NDArray[Any]:
    """A NIfTI mask as `(N, h, w)` in the common orientation, by nibabel's own reorientation."""
    image = nibabel.load(path)
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(("L", "P", "S"))
    )
    return np.moveaxis(np.asarray(image.as_reoriented(turn).dataobj), (2, 1, 0), (0, 1, 2)) > 0


@pytest.mark.parametrize("codes", ["LPS", "RAS", "LAS", "SPR", "ARI", "PIR"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_nifti_in_any_axis_order(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path, codes: str, suffix: str
) -> None:
    files: dict[str, Any] = {
        name: write_nifti(f"{name}{suffix}", values, codes=codes) for name, values in scan_values.items()
    }
    (found,) = run(model, out=tmp_path / "out", options=RunOptions(sequences=files)).patients
    mask = tmp_path / "out" / found.files[0]
    check(common(mask), found)
    image, source = nibabel.load(mask), nibabel.load(files["flair"])
    assert image.shape == source.shape
    np.testing.assert_allclose(image.affine, source.affine, atol=1e-5)
    assert b"not a medical device" in bytes(image.header["descrip"])
    assert (found.input, found.post_processing) == ("nifti", "volume")
    assert found.warnings[0] == "6 of 6 slices are 32 x 48 and were resampled to 16 x 24"
    assert [one for one in found.warnings[1:] if "slices seem to be missing" not in one] == []
    assert [(one.sequence, one.series, one.files) for one in found.used] == [
        (n, n, 1) for n in ("pre", "flair", "post")
    ]
    assert {entry.mask for entry in found.masks} == {"flair/flair_mask.nii.gz"}


def test_a_folder_of_files_and_a_4d_file_give_the_same_masks(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    for name, word in (("pre", "T1w"), ("flair", "FLAIR"), ("post", "ce-gd_T1w")):
        write_nifti(f"case/sub-01_{word}.nii.gz", scan_values[name])
    write_nifti("case/sub-01_seg.nii.gz", scan_values["pre"])
    (folder,) = run(model, [tmp_path / "case"], out=tmp_path / "a").patients
    image = nibabel.load(tmp_path / "case" / "sub-01_FLAIR.nii.gz")
    loaded = {
        "pre": nibabel.load(tmp_path / "case" / "sub-01_T1w.nii.gz"),
        "post": nibabel.load(tmp_path / "case" / "sub-01_ce-gd_T1w.nii.gz"),
        "flair": image,
    }
    four = np.stack([np.asarray(loaded[name].dataobj) for name in ("flair", "pre", "post", "post")], axis=3)
    nibabel.save(nibabel.Nifti1Image(four, image.affine), tmp_path / "all.nii.gz")
    options = RunOptions(volumes=("flair", "pre", "post", "-"))
    (stacked,) = run(model, [tmp_path / "all.nii.gz"], out=tmp_path / "b", options=options).patients
    masks = [common(tmp_path / place / found.files[0]) for place, found in (("a", folder), ("b", stacked))]
    np.testing.assert_array_equal(masks[0], masks[1])
    check(masks[0], folder)
    with pytest.raises(OptionError, match="holds 4 volumes and 3 were named"):
        run(model, [tmp_path / "all.nii.gz"], out=tmp_path / "c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(("gain", "offset"), [(4.0, 0.0), (0.5, 128.0), (3.0, -700.0), (1e-6, 0.0)])
def test_gain_and_offset_do_not_change_the_masks(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path, gain: float, offset: float
) -> None:
    plain: dict[str, Any] = {name: write_nifti(f"{name}.nii", values) for name, values in scan_values.items()}
    other: dict[str, Any] = {
        name: write_nifti(f"other/{name}.nii", values.astype(np.float64) * gain + offset)
        for name, values in scan_values.items()
    }
    masks = []
    for place, files in (("a", plain), ("b", other)):
        (found,) = run(model, out=tmp_path / place, options=RunOptions(sequences=files)).patients
        masks.append(common(tmp_path / place / found.files[0]))
    np.testing.assert_array_equal(masks[0], masks[1])


def test_a_sequence_on_another_grid_is_resampled_and_a_missing_one_filled(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    flair = write_nifti("flair.nii", scan_values["flair"])
    fine = np.repeat(np.repeat(scan_values["pre"], 2, axis=1), 2, axis=2)
    pre = write_nifti("pre.nii", fine, spacing_mm=(5.0, 0.5, 0.5), codes="LPS")
    (found,) = run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": flair, "pre": pre})).patients
    check(common(tmp_path / "out" / found.files[0]), found)
    assert "'pre' is on another grid than 'flair' and was resampled to it" in found.warnings
    assert "'post' was not given: 'flair' stands in its place, as in the training data" in found.warnings


def test_pixels_that_are_not_square_keep_their_proportions(
    tiny_onnx: Write, tiny_contract: Contract, write_nifti: Write, tmp_path: Path
) -> None:
    """40 x 24 pixels of 1 x 2 mm are 40 x 48 mm: the network of 16 x 24 sees them 16 x 19 wide, the mask is theirs."""
    values = np.full((2, 40, 24), 100, np.int16)
    values[:, 10:30, 6:18] = 1000
    flair = write_nifti("flair.nii.gz", values, spacing_mm=(3.0, 1.0, 2.0))
    (found,) = run(tiny_onnx(), out=tmp_path / "out", options=RunOptions(sequences={"flair": flair})).patients
    mask = common(tmp_path / "out" / found.files[0])
    assert mask[:, 12:28, 7:17].all()
    assert not mask[:, :8].any()
    assert not mask[:, 32:].any()
    assert not mask[..., :5].any()
    assert not mask[..., 19:].any()
    assert not any("proportions" in warning for warning in found.warnings)


def test_values_that_are_nan_are_flagged(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    odd = scan_values["flair"].astype(np.float32)
    odd[0, :2] = np.nan
    odd[1, 0, 0] = np.inf
    (found,) = run(
        model, out=tmp_path / "out", options=RunOptions(sequences={"flair": write_nifti("flair.nii", odd)})
    ).patients
    assert "97 values are NaN or infinite and were taken as background" in found.warnings
    check(common(tmp_path / "out" / found.files[0]), found)


def texts(value: Any) -> Iterator[str]:
    """Every text in parsed JSON, names of keys too, but for digests, in which any four digits stand by chance."""
    if isinstance(value, dict):
        yield from texts(list(value))
        yield from texts(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield re.sub(r"\b[0-9a-f]{12,64}\b", "", value)


@pytest.mark.parametrize("multiframe", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_dicom_study_becomes_a_seg_that_pydicom_reads(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path, inverted: bool, multiframe: bool
) -> None:
    words = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST +C"}
    for name, values in scan_values.items():
        write_dicom(f"study/{name}", values, description=words[name], inverted=inverted, slope=2.0, intercept=-30.0)
    write_dicom("study/loc", scan_values["pre"][:1], description="LOCALIZER")
    if multiframe:
        as_one_file(tmp_path / "study" / "flair")
    result = run(
        model,
        [tmp_path / "study"],
        out=tmp_path / "out",
        options=RunOptions(overlays=True, salt=SALT),
    )
    (found,) = result.patients
    seg = pydicom.dcmread(tmp_path / "out" / found.files[0])
    mask = np.asarray(seg.pixel_array).reshape(6, 32, 48) > 0
    heights = [
        float(group.PlanePositionSequence[0].ImagePositionPatient[2]) for group in seg.PerFrameFunctionalGroupsSequence
    ]
    check(mask[np.argsort(heights)], found)
    assert (seg.Modality, seg.ContentLabel, seg.PatientID) == ("SEG", "RESEARCH_USE", "ID-4711")
    assert "Not a medical device" in seg.ImageComments
    assert (found.input, len(found.files)) == ("dicom", 2)
    told = " ".join(texts(json.loads((tmp_path / "out" / "summary.json").read_text())))
    assert re.search(r"Zyxwvu|Secret|4711|ACC-815|Doc\^|1950|\d+\.\d+\.\d+\.\d+\.\d+\.\d", told) is None
    assert re.fullmatch(r"patient-[0-9a-f]{12}", found.patient)
    again = run(model, [tmp_path / "study"], out=tmp_path / "out2", options=RunOptions(salt=SALT))
    other = run(model, [tmp_path / "study"], out=tmp_path / "out3")
    assert again.patients[0].patient == found.patient != other.patients[0].patient


def as_one_file(folder: Path) -> None:
    """Turn a series of files into one multi-frame file with functional groups."""
    from pydicom.dataset import Dataset
    from pydicom.uid import EnhancedMRImageStorage

    slices = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    for path in folder.iterdir():
        path.unlink()
    made = slices[0]
    groups = []
    for one in slices:
        group, position, orientation, measures = Dataset(), Dataset(), Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        orientation.ImageOrientationPatient = one.ImageOrientationPatient
        measures.PixelSpacing, measures.SliceThickness = one.PixelSpacing, one.SliceThickness
        transform = Dataset()
        transform.RescaleSlope, transform.RescaleIntercept = one.RescaleSlope, one.RescaleIntercept
        group.PlanePositionSequence, group.PlaneOrientationSequence = [position], [orientation]
        group.PixelMeasuresSequence, group.PixelValueTransformationSequence = [measures], [transform]
        groups.append(group)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    made.SharedFunctionalGroupsSequence, made.PerFrameFunctionalGroupsSequence = [Dataset()], groups
    made.NumberOfFrames = len(slices)
    made.PixelData = b"".join(one.PixelData for one in slices)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept"):
        delattr(made, name)
    made.save_as(folder / "all.dcm", enforce_file_format=True)


def test_a_series_that_lies_face_down_is_turned(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    turned = {name: values[::-1, ::-1] for name, values in scan_values.items()}
    folders: dict[str, Any] = {
        name: write_dicom(name, values, description=name, orientation=(1, 0, 0, 0, -1, 0), origin=(-20.0, 1.0, -15.0))
        for name, values in turned.items()
    }
    options = RunOptions(sequences=folders, formats=("png", "dicom-seg"))
    (found,) = run(model, out=tmp_path / "out", options=options).patients
    masks = [np.asarray(Image.open(tmp_path / "out" / entry.mask)) > 0 for entry in found.masks]
    check(np.stack(masks), found)


SPOILT: dict[str, tuple[dict[str, Any], str]] = {
    "ct": ({"modality": "CT"}, "is CT; the network was trained on MR"),
    "colour": ({"SamplesPerPixel": 3}, "its pixels are colours"),
    "palette": ({"PhotometricInterpretation": "PALETTE COLOR"}, "MONOCHROME1 or 2 is needed"),
    "thick sagittal": ({"orientation": (0, 1, 0, 0, 0, -1)}, "seen as axial slices its pixels are 1.0 x 5.0 mm"),
    "oblique": ({"orientation": (0.7071, 0.7071, 0, -0.7071, 0.7071, 0)}, "oblique by 45 degrees"),
    "cut": ({"PixelData": b"\0" * 100}, "cannot be read as DICOM"),
    "no spacing": ({"PixelSpacing": None}, "lacks position, orientation, pixel spacing"),
    "huge": ({"Rows": 60000, "Columns": 60000}, "at most|1 to 8192"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_series_that_cannot_be_used(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path, name: str
) -> None:
    options, message = SPOILT[name]
    folder = write_dicom("flair", scan_values["flair"], description="FLAIR", **options)
    with pytest.raises(DatasetError, match=message):
        run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": folder}))
    assert not (tmp_path / "out").exists()


def test_missing_double_and_mixed_slices(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    flair = scan_values["flair"]

    def refused(folder: Path, message: str) -> None:
        with pytest.raises(DatasetError, match=message) as caught:
            run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": folder}))
        assert not re.search("Zyxwvu|4711", str(caught.value))
        assert not (tmp_path / "out").exists()

    gap = write_dicom("gap", flair, description="FLAIR")
    (gap / "003_FLAI.dcm").unlink()
    (found,) = run(model, out=tmp_path / "gap_out", options=RunOptions(sequences={"flair": gap})).patients
    assert any("about 1: there are holes between slices 3 and 4 (10.0 mm)" in one for one in found.warnings)
    assert any("none with the instance number 4" in one for one in found.warnings)
    double = write_dicom("double", flair, description="FLAIR")
    (double / "copy.dcm").write_bytes((double / "003_FLAI.dcm").read_bytes())
    refused(double, "two slices at one place")
    mixed = write_dicom("mixed", flair, description="FLAIR")
    write_dicom("mixed", scan_values["pre"], description="T1")
    refused(mixed, "2 series are mixed here")
    write_dicom("mixed", scan_values["pre"], description="T1", study="b")
    refused(mixed, "of 2 studies")
    (tmp_path / "empty").mkdir()
    refused(tmp_path / "empty", "holds no slices .* and neither NIfTI")


def test_series_that_fit_twice_or_lie_elsewhere(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    flair = write_dicom("study/a", scan_values["flair"], description="FLAIR")
    far = write_dicom("far", scan_values["pre"], description="T1", origin=(5000.0, 0.0, 0.0))
    with pytest.raises(DatasetError, match="does not overlap with 'flair'"):
        run(model, out=tmp_path / "out", options=RunOptions(sequences={"flair": flair, "pre": far}))
    write_dicom("study/b", scan_values["flair"], description="FLAIR FS")
    with pytest.raises(DatasetError, match="2 fit 'flair': '1: flair', '1: flair'; name them with --pre"):
        run(model, [tmp_path / "study"], out=tmp_path / "out")


def test_grey_slices_of_16_bits_and_a_spacing(model: Path, scan_values: dict[str, Any], tmp_path: Path) -> None:
    folders: dict[str, Any] = {}
    for name, values in scan_values.items():
        folders[name] = tmp_path / name
        folders[name].mkdir()
        for number, plane in enumerate(values, 1):
            Image.fromarray(plane.astype(np.uint16)).save(folders[name] / f"{number}.png")
    options = RunOptions(sequences=folders, spacing_mm=(1.0, 1.0, 5.0), formats=("tiff",))
    (found,) = run(model, out=tmp_path / "out", options=options).patients
    masks = [Image.open(tmp_path / "out" / entry.mask) for entry in found.masks]
    check(np.stack([np.asarray(mask) for mask in masks]) > 0, found)
    assert "Not a medical device" in str(masks[0].tag_v2[270])  # type: ignore[attr-defined]
    Image.fromarray(np.zeros((32, 48, 3), np.uint8)).save(folders["flair"] / "9.jpg")
    with pytest.raises(DatasetError, match="must have one size"):
        run(model, out=tmp_path / "out2", options=options)
    (folders["flair"] / "9.jpg").unlink()
    with pytest.raises(OptionError, match="nifti were asked for and flair is grey slices"):
        run(model, out=tmp_path / "out2", options=replace(options, formats=("nifti",)))
    assert not (tmp_path / "out2").exists()


def test_pictures_say_what_they_are_not_for(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    options = RunOptions(
        sequences={"flair": write_nifti("flair.nii", scan_values["flair"])}, overlays=True, formats=("png",)
    )
    (found,) = run(model, out=tmp_path / "out", options=options).patients
    pictures = sorted((tmp_path / "out").rglob("*.png"))
    assert len(pictures) == 6 + 6 + 1
    for path in pictures:
        with Image.open(path) as picture:
            assert "Not a medical device" in picture.info["Disclaimer"]
    with Image.open(tmp_path / "out" / "flair" / "overlays" / "slice_003_overlay.png") as picture:
        drawn = np.asarray(picture).astype(int)
    assert (drawn[10, 14, 0] > drawn[10, 14, 1], drawn[20, 40, 0] == drawn[20, 40, 1]) == (True, True)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["patients"][0]["files"] == list(found.files)


def test_a_model_that_changes_while_it_runs_leaves_nothing(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    def swap(done: int, total: int | None, label: str) -> None:
        model.write_bytes(model.read_bytes() + b"\0")

    options = RunOptions(sequences={"flair": write_nifti("flair.nii", scan_values["flair"])})
    with pytest.raises(ArtifactError, match="was changed while it ran"):
        run(model, out=tmp_path / "out", options=options, progress=swap)
    assert not (tmp_path / "out").exists()


def test_two_runs_do_not_write_one_folder(
    model: Path, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    options = RunOptions(sequences={"flair": write_nifti("flair.nii", scan_values["flair"])})
    (tmp_path / "out").mkdir()
    with (
        claimed(tmp_path / "out"),
        pytest.raises(OutputError, match=r"another run of edgeseg \(process \d+\) writes there"),
    ):
        run(model, out=tmp_path / "out", options=options)
    assert list((tmp_path / "out").iterdir()) == []
    assert len(run(model, out=tmp_path / "out", options=options).patients) == 1


def test_sequences_and_paths_are_not_mixed(model: Path, write_nifti: Write, scan_values: dict[str, Any]) -> None:
    path = write_nifti("flair.nii", scan_values["flair"])
    with pytest.raises(OptionError, match="not both"):
        run(model, [path], out=path.parent / "out", options=RunOptions(sequences={"flair": path}))
    with pytest.raises(DatasetError, match="the file holds one volume"):
        run(model, [path], out=path.parent / "out")
    with pytest.raises(DatasetError, match="'flair' is missing, and masks are drawn on its grid; name it with --flair"):
        run(model, out=path.parent / "out", options=RunOptions(sequences={"pre": path}))
    with pytest.raises(OptionError, match="there is no channel 't2'; the channels are: pre, flair, post"):
        run(model, out=path.parent / "out", options=RunOptions(sequences={"t2": path}))


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes; a write beyond it fails, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kind", ["nifti", "dicom"])
@pytest.mark.parametrize("size", [0, 200, 1000, 4000, 9300])
def test_a_disk_that_is_full_leaves_nothing_wherever_it_ends(
    model: Path,
    write_nifti: Write,
    write_dicom: Write,
    scan_values: dict[str, Any],
    tmp_path: Path,
    kind: str,
    size: int,
) -> None:
    words = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST +C"}
    for name, values in scan_values.items():
        if kind == "nifti":
            write_nifti(f"study/{name}.nii", values)
        else:
            write_dicom(f"study/{name}", values, description=words[name])
    with largest_file(size), pytest.raises((OutputError, OSError), match="File too large"):
        run(model, [tmp_path / "study"], out=tmp_path / "out", options=RunOptions(overlays=True))
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").rglob("*")) == []


def test_a_reader_that_shares_no_code_sees_the_same_seg(
    model: Path, write_dicom: Write, scan_values: dict[str, Any], tmp_path: Path
) -> None:
    import gdcm

    words = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST +C"}
    for name, values in scan_values.items():
        write_dicom(f"study/{name}", values, description=words[name])
    (found,) = run(model, [tmp_path / "study"], out=tmp_path / "out").patients
    reader = gdcm.ImageReader()
    reader.SetFileName(str(tmp_path / "out" / found.files[0]))
    assert reader.Read()
    image = reader.GetImage()
    columns, rows, frames = image.GetDimensions()
    assert (frames, rows, columns) == (6, 32, 48)
    assert [abs(step) for step in image.GetSpacing()] == [1.0, 1.0, 5.0]
    bits = np.frombuffer(image.GetBuffer().encode("utf-8", "surrogateescape"), np.uint8)
    mask = np.unpackbits(bits, bitorder="little", count=frames * rows * columns).reshape(frames, rows, columns) > 0
    check(mask if image.GetSpacing(2) > 0 else mask[::-1], found)
