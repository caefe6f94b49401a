"""Every row of docs/reference/inputs.md, made and tried."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from edgeseg.errors import EdgeSegError
from edgeseg.results import DONE, PatientSegmentation
from edgeseg.specs import Contract, RunOptions
from edgeseg.stages.segment.run import run
from tests.stages.segment._heads import LESION, head, in_two_files, nifti, sagittal, series

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "inputs.md"
ROWS = dict(re.findall(r"^\| `([a-z0-9-]+)` \|.*\| (takes|flags|refuses) \|$", PAGE.read_text(), re.MULTILINE))
LESION_PIXELS = int(np.prod([part.stop - part.start for part in LESION]))


@dataclass(kw_only=True)
class Made:
    """What to run, and what is said: part of a warning or of the error."""

    said: str = ""
    options: RunOptions = field(default_factory=RunOptions)
    paths: tuple[Path, ...] | None = None
    used: tuple[str, ...] | None = None
    pixels: int | None = LESION_PIXELS
    patients: int = 1


MAKERS: dict[str, Callable[[Path], Made]] = {}


def row(name: str) -> Callable[[Callable[[Path], Made]], Callable[[Path], Made]]:
    def keep(make: Callable[[Path], Made]) -> Callable[[Path], Made]:
        MAKERS[name] = make
        return make

    return keep


def flair(root: Path, **options: Any) -> Path:
    return series(root / "s" / "flair", "AX FLAIR", **options)


@pytest.fixture
def model(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> Path:
    return tiny_onnx(contract=replace(tiny_contract, height=64, width=64), size=(64, 64))


def tried(model: Path, root: Path, made: Made) -> PatientSegmentation:
    paths = () if made.options.sequences else (made.paths or (root / "s",))
    found = run(model, paths, out=root / "out", options=made.options).patients
    assert [one.status for one in found] == [DONE] * made.patients
    return found[0]


def test_the_page_and_the_tests_have_the_same_rows() -> None:
    assert set(MAKERS) == set(ROWS)
    assert len(ROWS) > 40


@pytest.mark.parametrize("name", ROWS)
def test_a_row(name: str, model: Path, tmp_path: Path) -> None:
    made, says = MAKERS[name](tmp_path), ROWS[name]
    if says == "refuses":
        with pytest.raises(EdgeSegError, match=made.said):
            tried(model, tmp_path, made)
        assert made.said
        assert not (tmp_path / "out").exists()
        return
    found = tried(model, tmp_path, made)
    odd = [warning for warning in found.warnings if "was not given: 'flair' stands in its place" not in warning]
    if says == "takes":
        assert odd == []
    else:
        assert made.said
        assert any(re.search(made.said, warning) for warning in odd), odd
        assert not any("\n" in warning for warning in odd)
    if made.pixels is not None:
        assert found.tumour_pixels == made.pixels
    if made.used is not None:
        assert tuple(one.sequence for one in found.used) == made.used
    assert found.used
    assert '"used"' in (tmp_path / "out" / "summary.json").read_text()


@row("study")
def _study(root: Path) -> Made:
    flair(root)
    series(root / "s" / "x" / "pre", "AX T1", head("pre"))
    series(root / "s" / "post", "AX T1 POST", head("post"))
    return Made(used=("pre", "flair", "post"))


@row("no-preamble")
def _no_preamble(root: Path) -> Made:
    for path in sorted(flair(root).iterdir())[12:]:
        one = pydicom.dcmread(path)
        del one.file_meta
        one.preamble = None
        one.save_as(path, implicit_vr=True, little_endian=True)
    return Made()


@row("linked")
def _linked(root: Path) -> Made:
    place = series(root / "elsewhere", "AX FLAIR")
    (root / "s").mkdir()
    (root / "s" / "flair").symlink_to(place)
    (root / "s" / "again").symlink_to(root / "s")
    return Made()


def compress(folder: Path, syntax: str) -> None:
    import gdcm

    for path in folder.iterdir():
        reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
        reader.SetFileName(str(path))
        assert reader.Read()
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, syntax)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()


def twelve_bits(one: Dataset) -> None:
    one.BitsStored, one.HighBit, one.PixelRepresentation = 12, 11, 0


@row("jpeg-lossless")
def _jpeg_lossless(root: Path) -> Made:
    compress(flair(root, edit=twelve_bits), "JPEGLosslessProcess14")
    compress(series(root / "s" / "pre", "AX T1", head("pre"), edit=twelve_bits), "JPEGLosslessProcess14_1")
    return Made(used=("pre", "flair"))


@row("jpeg-12-bit")
def _jpeg_12_bit(root: Path) -> Made:
    compress(flair(root, edit=twelve_bits), "JPEGExtendedProcess2_4")
    return Made(said="JPEG of 12 bits .*GPL")


@row("padding")
def _padding(root: Path) -> Made:
    one, other = head(), head("pre")
    one[:, :3], other[:, -3:] = 32767, -1995
    flair(root, values=one, edit=lambda made: setattr(made, "PixelPaddingValue", 32767))

    def edit(made: Dataset) -> None:
        made.PixelPaddingValue, made.PixelPaddingRangeLimit = -2000, -1990

    series(root / "s" / "pre", "AX T1", other, edit=edit)
    return Made(used=("pre", "flair"))


@row("two-planes")
def _two_planes(root: Path) -> Made:
    flair(root)
    series(root / "s" / "cor", "COR FLAIR", head("pre"), number=2)
    return Made(used=("flair",))


@row("equal")
def _equal(root: Path) -> Made:
    flair(root)
    series(root / "s" / "other", "AX FLAIR FS", head("pre"), number=2)
    return Made(said="2 fit 'flair': '1: flair', '2: flair'.*--flair-series")


@row("asked")
def _asked(root: Path) -> Made:
    _equal(root)
    return Made(options=RunOptions(series={"flair": "1"}), used=("flair",))


@row("asked-wrongly")
def _asked_wrongly(root: Path) -> Made:
    _equal(root)
    return Made(options=RunOptions(series={"flair": "flai"}), said="2 series fit it: '1: flair', '2: flair'")


@row("t1-flair")
def _t1_flair(root: Path) -> Made:
    series(root / "s" / "a", "Ax T1 FLAIR")
    return Made(said="none of '1: pre' .*T1-weighted.* is 'flair'")


def with_agent(one: Dataset) -> None:
    one.ContrastBolusAgent = "Gadovist"


@row("t2-agent")
def _t2_agent(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t2", "t2_tse_tra", head("pre"), edit=with_agent)
    series(root / "s" / "dwi", "ep2d_diff_b1000", head("post"), edit=with_agent)
    return Made(used=("flair",))


@row("subtraction")
def _subtraction(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "T1", head("pre"))
    series(root / "s" / "sub", "T1 SUB", head("pre"))
    series(root / "s" / "post", "T1", head("post"), edit=with_agent)
    return Made(used=("pre", "flair", "post"))


@row("seg-and-capture")
def _seg_and_capture(root: Path) -> Made:
    flair(root)
    for number, edit in enumerate(
        (
            lambda one: setattr(one, "Modality", "SEG"),
            lambda one: setattr(one, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
            lambda one: setattr(one, "ImageType", ["ORIGINAL", "PRIMARY", "LOCALIZER"]),
        )
    ):
        series(root / "s" / str(number), "AX FLAIR", edit=edit, order=range(2), number=5 + number)
    return Made(used=("flair",))


@row("named-oddly")
def _named_oddly(root: Path) -> Made:
    place = series(root / "s", "t2_tse_tra")
    return Made(
        options=RunOptions(sequences={"flair": place}),
        said="'flair' is given '1: t2', which looks like no flair",
    )


@row("sagittal-post")
def _sagittal_post(root: Path) -> Made:
    flair(root)
    values, edit = sagittal(head("post"))
    series(root / "s" / "post", "t1_space_sag_KM", values, edit=edit)
    return Made(said="'post' is on another grid than 'flair' and was resampled", used=("flair", "post"))


@row("sagittal-flair")
def _sagittal_flair(root: Path) -> Made:
    values, edit = sagittal(head())
    series(root / "s", "t2_space_dark-fluid_sag", values, edit=edit)
    return Made(pixels=4 * LESION_PIXELS)


@row("sagittal-hole")
def _sagittal_hole(root: Path) -> Made:
    values, edit = sagittal(head())
    series(root / "s", "t2_space_dark-fluid_sag", values, edit=edit, order=[*range(20), *range(23, 64)])
    return Made(
        said="is not axial and its slices lie at unequal distances .*holes between slices 20 and 21 .*export it"
    )


@row("hole")
def _hole(root: Path) -> Made:
    flair(root, order=[*range(4), *range(7, 20)])
    return Made(said="about 3: there are holes between slices 4 and 5 .16.0 mm")


@row("every-second")
def _every_second(root: Path) -> Made:
    flair(root, order=range(0, 20, 2))
    return Made(said="they lie 8.0 mm apart, and the headers say a spacing of 4.0", pixels=LESION_PIXELS // 2)


@row("first-missing")
def _first_missing(root: Path) -> Made:
    flair(root, order=range(3, 20))
    return Made(said="none with the instance number 1, 2, 3$")


@row("cut-off")
def _cut_off(root: Path) -> Made:
    flair(root, order=range(12))
    return Made(said="uppermost slice of 'flair'")


@row("double")
def _double(root: Path) -> Made:
    place = flair(root)
    (place / "copy.dcm").write_bytes((place / "005.dcm").read_bytes())
    return Made(said="two slices at one place .005.dcm and copy.dcm|copy.dcm and 005.dcm")


@row("mosaic")
def _mosaic(root: Path) -> Made:
    kind = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    place = flair(root, edit=lambda one: setattr(one, "ImageType", kind))
    return Made(options=RunOptions(sequences={"flair": place}), said="is a Siemens mosaic")


@row("two-multi-frame")
def _two_multi_frame(root: Path) -> Made:
    in_two_files(flair(root))
    return Made(pixels=LESION_PIXELS)


@row("ct")
def _ct(root: Path) -> Made:
    return Made(
        options=RunOptions(sequences={"flair": flair(root, edit=lambda one: setattr(one, "Modality", "CT"))}),
        said="is CT",
    )


@row("damaged")
def _damaged(root: Path) -> Made:
    (flair(root) / "019.dcm").write_bytes(b"")
    return Made(said=r"019\.dcm: cannot be read as dicom")


@row("damaged-unnamed")
def _damaged_unnamed(root: Path) -> Made:
    for path in flair(root).iterdir():
        path.rename(path.with_name(f"IM{path.stem}"))
    (root / "s" / "flair" / "IM019").write_bytes(b"\0" * 100)
    return Made(said=r"IM019: cannot be read as dicom")


@row("cut-header")
def _cut_header(root: Path) -> Made:
    path = flair(root) / "009.dcm"
    path.write_bytes(path.read_bytes()[:700])
    return Made(said=r"009\.dcm: it ends before its pixels begin; the file is cut short or damaged; copy it again")


@row("cut-pixels")
def _cut_pixels(root: Path) -> Made:
    path = flair(root) / "009.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    return Made(said=r"009\.dcm: its pixels end too early; .* copy it again")


@row("cut-beside")
def _cut_beside(root: Path) -> Made:
    flair(root)
    path = series(root / "s" / "t2", "AX T2", order=[9]) / "009.dcm"
    path.write_bytes(path.read_bytes()[:-100])
    return Made(used=("flair",))


@row("report")
def _report(root: Path) -> Made:
    flair(root)

    def edit(one: Dataset) -> None:
        one.SOPClassUID, one.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "SR"
        del one.Rows, one.PixelData

    series(root / "s" / "sr", "Report", order=[0], edit=edit, number=9)
    return Made(used=("flair",))


@row("two-patients")
def _two_patients(root: Path) -> Made:
    flair(root)
    series(root / "s" / "pre", "AX T1", head("pre"), patient="P2")
    return Made(said="are of 2 patients")


@row("two-studies")
def _two_studies(root: Path) -> Made:
    flair(root)
    series(root / "s" / "pre", "AX T1", head("pre"), study="other")
    return Made(said="are of 2 studies")


def archive(root: Path, above: str = "") -> Path:
    for place in ("1", "2"):
        series(root / "s" / above / place / "a", "AX FLAIR", patient=f"P{place}")
        series(root / "s" / above / place / "b" / "c", "AX T1", head("pre"), patient=f"P{place}")
    return root / "s"


@row("archive")
def _archive(root: Path) -> Made:
    archive(root, "DICOM")
    return Made(patients=2, used=("pre", "flair"))


@row("archive-studies")
def _archive_studies(root: Path) -> Made:
    for study in ("2019", "2021"):
        series(root / "s" / study, "AX FLAIR", study=study)
    return Made(patients=2)


@row("archive-stray")
def _archive_stray(root: Path) -> Made:
    Image.new("RGB", (30, 30)).save(archive(root) / "logo.png")
    (root / "s" / "index.html").write_text("")
    return Made(patients=2, said="1 file was not used: logo.png", used=("pre", "flair"))


@row("archive-pictures")
def _archive_pictures(root: Path) -> Made:
    (archive(root) / "3").mkdir()
    Image.new("RGB", (30, 30)).save(root / "s" / "3" / "1.png")
    return Made(said="1.png lies in a folder of its own beside those of patients")


@row("archive-flat")
def _archive_flat(root: Path) -> Made:
    for number, path in enumerate(sorted(archive(root).rglob("*.dcm"))):
        path.rename(root / "s" / f"{number}.dcm")
    return Made(said="are of 2 patients; give each a folder of its own, or name")


@row("people")
def _people(root: Path) -> Made:
    pre = series(root / "pre", "AX T1", head("pre"), patient="P2")
    return Made(options=RunOptions(sequences={"flair": flair(root), "pre": pre}), said="are of different patients")


@row("people-said")
def _people_said(root: Path) -> Made:
    made = _people(root)
    options = replace(made.options, same_patient=True)
    return Made(
        options=options, said="different patients by their headers .PatientID. and of one, as --same-patient says"
    )


@row("two-said")
def _two_said(root: Path) -> Made:
    _two_patients(root)
    return Made(options=RunOptions(same_patient=True), said="and of one, as --same-patient says", used=("pre", "flair"))


@row("studies")
def _studies(root: Path) -> Made:
    def edit(one: Dataset) -> None:
        one.StudyDate = "20200301"

    pre = series(root / "pre", "AX T1", head("pre"), study="other", edit=edit)
    return Made(
        options=RunOptions(sequences={"flair": flair(root), "pre": pre}),
        said="'pre' and 'flair' are of different studies, 60 days apart",
    )


@row("frames")
def _frames(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "AX T1", head("pre"), edit=lambda one: setattr(one, "FrameOfReferenceUID", "1.2.3"))
    return Made(said="'pre' and 'flair' have different frames of reference")


def files(root: Path, pre: str = "Locke_t1", **options: Any) -> Made:
    nifti(root / "s" / "Locke_flair.nii.gz", head())
    nifti(root / "s" / f"{pre}.nii.gz", options.pop("values", head("pre")), **options)
    return Made(used=("pre", "flair"))


@row("files")
def _files(root: Path) -> Made:
    return files(root)


@row("nifti-stray")
def _nifti_stray(root: Path) -> Made:
    made = files(root)
    for name in ("logo", "screen", "sheet"):
        Image.new("RGB", (30, 30)).save(root / "s" / f"{name}.png")
    return replace(made, said="3 files were not used: logo.png and 2 more")


@row("nifti-archive")
def _nifti_archive(root: Path) -> Made:
    for name in ("A", "B"):
        nifti(root / "s" / name / "flair.nii.gz", head())
    Image.new("RGB", (30, 30)).save(root / "s" / "logo.png")
    return Made(patients=2, said="1 file was not used: logo.png", used=("flair",))


@row("nifti-pictures")
def _nifti_pictures(root: Path) -> Made:
    pictures(root)
    nifti(root / "s" / "flair.nii.gz", head())
    return Made(said="1 files of nifti and 16 pictures")


@row("other-people")
def _other_people(root: Path) -> Made:
    return replace(files(root, "Segura_t1"), said="named after different patients .'segura' and 'locke'")


@row("head-size")
def _head_size(root: Path) -> Made:
    return replace(files(root, values=head("pre", scale=0.75)), said="the head in 'pre' is .* mm and in 'flair'")


@row("head-place")
def _head_place(root: Path) -> Made:
    return replace(files(root, move_mm=25), said="the head in 'pre' lies 2. mm from that in 'flair'")


@row("twice")
def _twice(root: Path) -> Made:
    return replace(files(root, values=head()), said="'pre' and 'flair' hold the same values")


@row("forms")
def _forms(root: Path) -> Made:
    path = nifti(root / "flair.nii", head())
    image = nibabel.load(path, mmap=False)
    moved = image.affine.copy()
    moved[0, 3] += 12
    image.set_qform(moved, code=2)
    nibabel.save(image, path)
    return Made(
        options=RunOptions(sequences={"flair": path}),
        said="sform and qform of the NIfTI header disagree by up to 12 mm",
    )


@row("no-orientation")
def _no_orientation(root: Path) -> Made:
    path = nifti(root / "flair.nii", head())
    image = nibabel.load(path, mmap=False)
    image.set_sform(None, code=0)
    image.set_qform(None, code=0)
    nibabel.save(image, path)
    return Made(options=RunOptions(sequences={"flair": path}), said="holds no orientation", pixels=None)


@row("nan")
def _nan(root: Path) -> Made:
    values = head().astype(np.float32)
    values[0, 0, 0] = np.nan
    return Made(options=RunOptions(sequences={"flair": nifti(root / "flair.nii", values)}), said="1 values are NaN")


def pictures(root: Path, name: str = "p_{}.png", **options: Any) -> Made:
    (root / "s").mkdir(exist_ok=True)
    stack = np.stack([head(one) for one in ("pre", "flair", "post")], axis=-1)
    for number, plane in enumerate(np.clip(stack * (255 / 900), 0, 255).astype(np.uint8)[2:18]):
        plane[0, :2] = number
        Image.fromarray(plane).save(root / "s" / name.format(number + 1), **options)
    return Made(used=("pre, flair, post",))


@row("pictures")
def _pictures(root: Path) -> Made:
    return pictures(root)


@row("equal-channels")
def _equal_channels(root: Path) -> Made:
    pictures(root)
    for path in (root / "s").iterdir():
        Image.fromarray(np.repeat(np.asarray(Image.open(path))[..., 1:2], 3, axis=2)).save(path)
    return Made(said="all 3 channels are equal in every slice")


@row("several-people")
def _several_people(root: Path) -> Made:
    pictures(root)
    return replace(pictures(root, "q_{}.png"), said="names speak of 2 patients: p, q", pixels=2 * LESION_PIXELS)


@row("turned")
def _turned(root: Path) -> Made:
    exif = Image.Exif()
    exif[274] = 6
    return replace(pictures(root, exif=exif), said="its orientation tag .EXIF. says")


@row("stray-picture")
def _stray_picture(root: Path) -> Made:
    Image.new("RGB", (30, 30)).save(flair(root).parent / "logo.png")
    return Made(said="1 file was not used: logo.png")


@row("stray-file")
def _stray_file(root: Path) -> Made:
    (flair(root) / "IM0021").write_bytes(b"\1" * 999)
    return Made(said="1 file was not used: flair/IM0021")


@row("notes")
def _notes(root: Path) -> Made:
    (flair(root) / "report.pdf").write_bytes(b"%PDF")
    return Made()


@row("mixed")
def _mixed(root: Path) -> Made:
    flair(root)
    nifti(root / "s" / "other_flair.nii.gz", head())
    return Made(said="volumes of several kinds, .*other_flair.nii.gz")


@row("many-pictures")
def _many_pictures(root: Path) -> Made:
    for number in range(20):
        Image.new("RGB", (9, 9)).save(flair(root) / f"{number}.png")
    return Made(said="20 files of dicom and 20 pictures")


def later(**values: Any) -> Callable[[Dataset], None]:
    """Change attributes of the upper half of a series."""

    def edit(one: Dataset) -> None:
        if one.InstanceNumber > 10:
            for name, value in values.items():
                setattr(one, name, value)

    return edit


def always(**values: Any) -> Callable[[Dataset], None]:
    def edit(one: Dataset) -> None:
        for name, value in values.items():
            setattr(one, name, value)

    return edit


@row("patients-in-series")
def _patients_in_series(root: Path) -> Made:
    flair(root, edit=later(PatientID="P2"))
    return Made(said="holds files of 2 patients by their PatientID .000.dcm and 010.dcm differ")


@row("studies-in-series")
def _studies_in_series(root: Path) -> Made:
    flair(root, edit=later(StudyInstanceUID="1.2.3"))
    return Made(said="holds files of 2 studies by their StudyInstanceUID")


@row("frames-in-series")
def _frames_in_series(root: Path) -> Made:
    flair(root, edit=later(FrameOfReferenceUID="1.2.3"))
    return Made(said="slices of the series have different frames of reference")


@row("times-in-series")
def _times_in_series(root: Path) -> Made:
    def edit(one: Dataset) -> None:
        one.EchoTime = 90 if one.InstanceNumber > 10 else 120

    flair(root, edit=edit)
    return Made(said="slices of the series differ in EchoTime .90 to 120 ms")


@row("two-acquisitions")
def _two_acquisitions(root: Path) -> Made:
    def edit(one: Dataset) -> None:
        one.ImagePositionPatient = [-80, -80, 2.0 * (int(one.InstanceNumber) - 1)]

    values = np.repeat(head(), 2, axis=0)
    flair(root, values=values, edit=edit)
    return Made(said="slices lie 2.0 mm apart, and the headers say 4.0 mm", pixels=2 * LESION_PIXELS)


@row("aside")
def _aside(root: Path) -> Made:
    def edit(one: Dataset) -> None:
        if one.InstanceNumber == 15:
            one.ImagePositionPatient = [-74, -80, 4.0 * 14]

    flair(root, edit=edit)
    return Made(said="do not lie in one line: slice 15 lies 6.0 mm aside")


@row("phase")
def _phase(root: Path) -> Made:
    flair(root, edit=always(ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]))
    return Made(said="a phase, by its image type")


@row("agent-told")
def _agent_told(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "T1", head("pre"))
    series(root / "s" / "post", "T1", head("post"), edit=always(ContrastBolusVolume="7.5"))
    return Made(used=("pre", "flair", "post"))


@row("agent-denied")
def _agent_denied(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "T1", head("pre"), edit=always(ContrastBolusAgent="ohne KM"))
    return Made(used=("pre", "flair"))


@row("other-script")
def _other_script(root: Path) -> Made:
    flair(root)
    utf_8 = always(SpecificCharacterSet="ISO_IR 192")
    series(root / "s" / "post", "T1 造影後", head("post"), edit=utf_8)
    series(root / "s" / "pre", "T1 単純 横断", head("pre"), edit=utf_8)
    return Made(used=("pre", "flair", "post"))


@row("unread-script")
def _unread_script(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "T1 ترحيب", head("post"), edit=always(SpecificCharacterSet="ISO_IR 192"))
    return Made(used=("flair",))


@row("spine")
def _spine(root: Path) -> Made:
    flair(root)
    series(root / "s" / "t1", "T1 C-SPINE POST", head("post"))
    return Made(used=("flair",))


@row("body-part")
def _body_part(root: Path) -> Made:
    flair(root, edit=always(BodyPartExamined="KNEE"))
    return Made(said="the header of 'flair' says that it shows another part: knee")


@row("lossy")
def _lossy(root: Path) -> Made:
    flair(root, edit=always(LossyImageCompression="01"))
    return Made(said="20 of 20 files were compressed with loss")


@row("padding-untold")
def _padding_untold(root: Path) -> Made:
    one, other = head(), head("pre")
    one[:, :3], other[:, -3:] = 32767, -1995
    flair(root, values=one)
    series(root / "s" / "pre", "AX T1", other)
    return Made(said="4.7% of the voxels hold 32767, which lies far above all others", used=("pre", "flair"))


@row("frames-claimed")
def _frames_claimed(root: Path) -> Made:
    in_two_files(place := flair(root))
    one = pydicom.dcmread(place / "0.dcm")
    one.NumberOfFrames = 7
    one.save_as(place / "0.dcm")
    return Made(said="claims 7 frames and describes 10")


@row("one-slice")
def _one_slice(root: Path) -> Made:
    flair(root, order=[9])
    return Made(said="'flair' is one slice", pixels=LESION_PIXELS // 4)


def patched(path: Path, offset: int, *values: float) -> Path:
    """Write 32-bit floats into a header."""
    stored = bytearray(path.read_bytes())
    stored[offset : offset + 4 * len(values)] = np.array(values, "<f4").tobytes()
    path.write_bytes(stored)
    return path


@row("scaled-bytes")
def _scaled_bytes(root: Path) -> Made:
    path = nifti(root / "flair.nii", (head() // 4).astype(np.uint8))
    return Made(options=RunOptions(sequences={"flair": patched(path, 112, 2.0, 0.0)}))


@row("packed-unnamed")
def _packed_unnamed(root: Path) -> Made:
    packed, plain = nifti(root / "a.nii.gz", head()), nifti(root / "b.nii", head("pre"))
    options = RunOptions(
        sequences={"flair": packed.rename(root / "flair.nii"), "pre": plain.rename(root / "t1.nii.gz")}
    )
    return Made(options=options, used=("pre", "flair"))


@row("standardised")
def _standardised(root: Path) -> Made:
    values = head().astype(np.float32)
    inside = values > 0
    values[inside] += np.linspace(-300, 300, np.count_nonzero(inside), dtype=np.float32)
    values[LESION] = 1500
    values[inside] = (values[inside] - values[inside].mean()) / values[inside].std()
    return Made(
        options=RunOptions(sequences={"flair": nifti(root / "flair.nii", values)}), said="which lies amid the others"
    )


@row("dark")
def _dark(root: Path) -> Made:
    values = (head() // 30).astype(np.uint8)
    return Made(
        options=RunOptions(sequences={"flair": nifti(root / "flair.nii", values)}),
        said="8-bit grey and dark: tissue reaches 30",
        pixels=0,
    )


@row("visits")
def _visits(root: Path) -> Made:
    nifti(root / "s" / "sub-01_ses-01_FLAIR.nii.gz", head())
    nifti(root / "s" / "sub-01_ses-02_T1w.nii.gz", head("pre"))
    return Made(said="of different visits by their names .'02' and '01'")


@row("spaces")
def _spaces(root: Path) -> Made:
    files(root)
    path = root / "s" / "Locke_t1.nii.gz"
    image = nibabel.load(path)
    image.set_sform(image.affine, code=4)
    nibabel.save(nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine, image.header), path)
    return Made(said="lie in different spaces by their headers .template and scanner", used=("pre", "flair"))


@row("no-size")
def _no_size(root: Path) -> Made:
    image = nibabel.load(nifti(root / "flair.nii", head()), mmap=False)
    image.set_sform(None, code=0)
    nibabel.save(image, root / "flair.nii")
    path = patched(root / "flair.nii", 80, 0.0, 0.0, 0.0)
    return Made(options=RunOptions(sequences={"flair": path}), said="gives no size of voxels")


@row("pair")
def _pair(root: Path) -> Made:
    nibabel.save(nibabel.Nifti1Pair(head(), np.eye(4)), root / "flair.img")
    return Made(options=RunOptions(sequences={"flair": root / "flair.img"}), said="a pair of .hdr and .img is not read")


def grey(root: Path, sequence: str = "flair", name: str = "g_{}.png") -> Path:
    (root / sequence).mkdir(exist_ok=True)
    for number, plane in enumerate(head(sequence)[2:18]):
        Image.fromarray(plane.astype(np.uint16)).save(root / sequence / name.format(number + 1))
    return root / sequence


@row("grey")
def _grey(root: Path) -> Made:
    place = grey(root)
    for path in list(place.iterdir()):
        Image.new("L", (64, 64)).save(path.with_name(f"{path.stem}_mask.png"))
    return Made(options=RunOptions(sequences={"flair": place, "pre": grey(root, "pre")}), used=("pre", "flair"))


@row("grey-hole")
def _grey_hole(root: Path) -> Made:
    place = grey(root)
    (place / "g_4.png").rename(place / "g_4.bmp")
    return Made(options=RunOptions(sequences={"flair": place}), said="none with the number 4$")


@row("grey-twice")
def _grey_twice(root: Path) -> Made:
    place = grey(root)
    grey(root, name="g_{}_copy.png")
    said = "16 numbers stand in the names of several slices"
    return Made(options=RunOptions(sequences={"flair": place}), said=said, pixels=2 * LESION_PIXELS)


@row("white-is-zero")
def _white_is_zero(root: Path) -> Made:
    place = grey(root, name="g_{}.tif")
    for path in place.iterdir():
        stored = path.read_bytes()
        found = stored.index(np.array([262, 3], "<u2").tobytes()) + 8
        path.write_bytes(stored[:found] + b"\0" + stored[found + 1 :])
    return Made(options=RunOptions(sequences={"flair": place}), said="black and white exchanged")


@row("underscores")
def _underscores(root: Path) -> Made:
    flair(root)
    series(root / "s" / "__pre", "AX T1", head("pre"))
    series(root / "s" / "__MACOSX", "AX T1", head("post"))
    return Made(used=("pre", "flair"))


@row("equal-slices")
def _equal_slices(root: Path) -> Made:
    made = pictures(root)
    (root / "s" / "p_17.png").write_bytes((root / "s" / "p_8.png").read_bytes())
    return replace(made, said="slices equal another one", pixels=LESION_PIXELS * 5 // 4)
