"""De-identified results: no identifier of the source in any byte of any file, and studies stay together."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.data.pseudonym import Pseudonyms
from edgeseg.errors import OptionError
from edgeseg.specs import RunOptions
from edgeseg.specs.de_identify import METHOD, Action, kept_rows
from edgeseg.stages.segment.run import run
from tests._archive import errors_of
from tests.stages.segment.test_patients import make_patient, rows

Write = Callable[..., Path]
SALT = "9f1c5a70b3e84d62aa10c7f25e38d946"
ROOT = Path(__file__).resolve().parents[3]
TOLD: dict[str, Any] = {
    "InstitutionName": "Northgate", "OperatorsName": "Oper^Ator", "PhysiciansOfRecord": "Rec^Ord",
    "StudyDescription": "Glioma of Zyxwvu", "PatientAddress": "Elm Street 7", "PatientAge": "070Y",
    "OtherPatientIDs": "OTHER-99", "StationName": "MRSTATION3", "AcquisitionDate": "20200102",
    "ProtocolName": "prot-Zyxwvu", "ImageComments": "seen by Doc", "PatientComments": "calls herself Xyla",
    "StudyID": "STUDY-31415", "IssuerOfPatientID": "ISSUER-X", "StudyTime": "112233.445566",
}  # fmt: skip
WORDS = (
    "Zyxwvu", "Secret", "ID-4711", "19500101", "ACC-815", "Doc^Tor", "20200101", "Hospital-Name", "Mueller",
    *(value for name, value in TOLD.items() if name != "PatientAge"),
)  # fmt: skip


@pytest.fixture
def source(tmp_path: Path, write_dicom: Write, write_nifti: Write, scan_values: dict[str, Any]) -> Path:
    """Two studies of one patient, NIfTI and pictures of others, one damaged; names stand in folders and files too."""
    from pydicom import dcmread

    for number in (1, 2):
        folder = write_dicom(
            f"Hospital-Name/dicom/Zyxwvu/{number}", scan_values["flair"], description="FLAIR Zyxwvu", study=str(number)
        )
        for path in folder.iterdir():
            made = dcmread(path)
            for name, value in TOLD.items():
                setattr(made, name, value)
            made.StudyDate = "20200101" if number == 1 else "20200131"
            made.add_new(0x00091001, "LO", "Mueller")
            made.save_as(path)
    for name in ("Mueller-1", "Mueller-2"):
        folder = tmp_path / "Hospital-Name" / "nifti" / name
        folder.mkdir(parents=True)
        write_nifti(f"Hospital-Name/nifti/{name}/Mueller_flair.nii.gz", scan_values["flair"])
    for name in ("Secret-a", "Secret-b"):
        folder = make_patient(tmp_path / "Hospital-Name" / "pictures" / name)
        for path in list(folder.iterdir()):
            path.rename(folder / f"Mueller_{path.name}")
    (folder / "Mueller_s_1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "Hospital-Name" / "nifti" / "Mueller-1" / "Mueller.txt").write_text("")
    return tmp_path / "Hospital-Name"


def uids(source: Path) -> Iterator[str]:
    from pydicom import dcmread

    for path in source.rglob("*.dcm"):
        made = dcmread(path)
        yield from (made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID, made.FrameOfReferenceUID)


@pytest.mark.parametrize("more", [{}, {"workers": 2}, {"apart": True}], ids=["here", "workers", "apart"])
def test_no_identifier_of_the_source_is_in_any_output(
    tiny_onnx: Write, source: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    out, salt, table = tmp_path / "out", tmp_path / "salt.key", tmp_path / "results.csv"
    salt.write_text(SALT)
    words = ["run", str(tiny_onnx()), str(source), "--out", str(out), "--de-identify", "--salt", str(salt)]
    words += ["--overlays", "--csv", str(table), "--workers", str(more.get("workers", 1))]
    ended = CliRunner().invoke(app, [*words, *(["--untrusted"] if "apart" in more else [])])
    assert "1 of 6 patients failed" in str(ended.exception)
    assert sorted(row.status for row in rows(out).values()) == ["done"] * 5 + ["failed"]
    for path in (*out.rglob("*"), table):
        told = path.name.encode()
        if path.is_file():
            content = path.read_bytes()
            told += gzip.decompress(content) if path.suffix == ".gz" else content
        for word in (*WORDS, *uids(source), SALT):
            assert word.encode() not in told, (path, word)
    assert len(list(out.rglob("*_seg.dcm"))) == 2


def test_studies_of_one_patient_stay_together_and_are_30_days_apart(
    tiny_onnx: Write, source: Path, tmp_path: Path
) -> None:
    from pydicom import dcmread

    for name in ("a", "b"):
        run(tiny_onnx(), [source / "dicom"], out=tmp_path / name, options=RunOptions(salt=SALT, de_identify=True))
    made, again = ([dcmread(path) for path in sorted((tmp_path / name).rglob("*_seg.dcm"))] for name in ("a", "b"))
    assert len({one.PatientID for one in made}) == 1
    assert len({one.StudyInstanceUID for one in made}) == 2
    assert [one.StudyInstanceUID for one in made] == [one.StudyInstanceUID for one in again]
    days = sorted(_day(one.StudyDate) for one in made)
    assert (days[1] - days[0]).days == 30
    for one in made:
        assert "PatientAge" not in one
        assert (one.PatientIdentityRemoved, one.DeidentificationMethod) == ("YES", METHOD)
        assert [code.CodeValue for code in one.DeidentificationMethodCodeSequence] == ["113100", "113107"]
    for path in (tmp_path / "a").rglob("*_seg.dcm"):
        assert errors_of(path) == []


def _day(text: str) -> Any:
    from datetime import datetime

    return datetime.strptime(text, "%Y%m%d").date()


def test_a_resumed_run_finds_what_was_done(tiny_onnx: Write, source: Path, tmp_path: Path) -> None:
    model, told = tiny_onnx(), list[bool]()
    for _ in range(2):
        run(
            model, [source], out=tmp_path / "out", options=RunOptions(salt=SALT, de_identify=True), resume=True,
            on_patient=lambda row, before: told.append(before),
        )  # fmt: skip
    assert sorted(told[6:]) == [False] + [True] * 5


def test_it_needs_a_salt_and_a_folder_without_names(tiny_onnx: Write, source: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="--de-identify was given without a salt"):
        RunOptions(de_identify=True)
    model, out = tiny_onnx(), tmp_path / "out"
    run(model, [source / "pictures" / "Secret-a"], out=out)
    before = json.loads((out / "summary.json").read_text())
    with pytest.raises(OptionError, match="has results under names"):
        run(model, [source / "nifti"], out=out, options=RunOptions(salt=SALT, de_identify=True))
    assert json.loads((out / "summary.json").read_text()) == before


def test_what_a_salt_decides() -> None:
    ours, theirs = Pseudonyms(SALT), Pseudonyms(SALT[::-1])
    assert ours.uid("1.2.3") == ours.uid("1.2.3") != theirs.uid("1.2.3")
    assert len(ours.uid("1.2.3")) <= 64
    assert ours.patient("P") != theirs.patient("P")
    assert -3650 <= ours.days("P") <= -1
    assert [ours.moved(text, "P") for text in ("", "20209999", "now", "00010101")] == [""] * 4
    assert ours.digest("") == ""


def test_the_page_lists_what_is_kept() -> None:
    page = (ROOT / "docs" / "reference" / "de-identification.md").read_text()
    listed = [tuple(part.strip(" `") for part in line.split("|")[1:3]) for line in page.splitlines() if "| `" in line]
    assert listed == [(row.keyword, row.action) for row in kept_rows()]
    assert all(action.value in page for action in Action)


def test_the_names_in_the_table_are_those_of_the_standard() -> None:
    from pydicom.datadict import tag_for_keyword

    assert [row.keyword for row in kept_rows() if tag_for_keyword(row.keyword) is None] == []
