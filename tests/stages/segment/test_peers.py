"""Through other people's programs and back: an archive (Orthanc), the tools of DCMTK, a checker of DICOM objects.

Each test is skipped where its programs are not installed; on Debian: dcmtk dicom3tools orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import email.parser
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from edgeseg.specs import Contract
from edgeseg.stages.segment.run import run
from tests._archive import DICOM_WEB, Archive, called, errors_of, running_archive
from tests.stages.segment._heads import head, in_two_files, series


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with running_archive(tmp_path) as made:
        yield made


@pytest.fixture
def model(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> Path:
    return tiny_onnx(contract=replace(tiny_contract, height=64, width=64), size=(64, 64))


def study(root: Path, *, enhanced: bool = False) -> Path:
    for number, (name, said) in enumerate({"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST"}.items()):
        folder = series(root / name, said, head(name), number=number + 1)
        if enhanced:
            in_two_files(folder)
    return root


def segmented(model: Path, folder: Path, out: Path) -> Path:
    (found,) = run(model, [folder], out=out).patients
    assert [one.sequence for one in found.used] == ["pre", "flair", "post"]
    (path,) = out.rglob("*_seg.dcm")
    return path


def mask(path: Path) -> dict[float, bytes]:
    """Give the frames of a SEG by the height at which they lie."""
    one = pydicom.dcmread(path)
    places = [group.PlanePositionSequence[0].ImagePositionPatient for group in one.PerFrameFunctionalGroupsSequence]
    return {round(float(place[2]), 3): frame.tobytes() for place, frame in zip(places, one.pixel_array, strict=True)}


def by_zip(archive: Archive, into: Path) -> None:
    packed, _ = archive.get(f"/studies/{archive.study}/archive")
    zipfile.ZipFile(io.BytesIO(packed)).extractall(into)


def by_move(archive: Archive, into: Path) -> None:
    uid = json.loads(archive.get(f"/studies/{archive.study}")[0])["MainDicomTags"]["StudyInstanceUID"]
    keys = ("-k", "0008,0052=STUDY", "-k", f"0020,000D={uid}")
    ports = ("-aet", "PEER", "-aem", "PEER", "-aec", "ORTHANC", "+P", str(archive.answers))
    called("movescu", "-S", *ports, "-od", into, *keys, "127.0.0.1", str(archive.dicom))


def by_get(archive: Archive, into: Path) -> None:
    uid = json.loads(archive.get(f"/studies/{archive.study}")[0])["MainDicomTags"]["StudyInstanceUID"]
    keys = ("-k", "0008,0052=STUDY", "-k", f"0020,000D={uid}")
    called("getscu", "-S", "-aec", "ORTHANC", "-od", into, *keys, "127.0.0.1", str(archive.dicom))


def by_web(archive: Archive, into: Path) -> None:
    if not DICOM_WEB.exists():
        pytest.skip("orthanc-dicomweb is not installed")
    uid = json.loads(archive.get(f"/studies/{archive.study}")[0])["MainDicomTags"]["StudyInstanceUID"]
    body, kind = archive.get(f"/dicom-web/studies/{uid}", Accept='multipart/related; type="application/dicom"')
    told = email.parser.BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    for number, part in enumerate(told.get_payload()):
        assert not isinstance(part, str)
        (into / f"{number}.dcm").write_bytes(part.get_payload(decode=True))


WAYS = {"zip": by_zip, "move": by_move, "get": by_get, "web": by_web}


@pytest.mark.parametrize("enhanced", [False, True])
def test_what_comes_back_from_an_archive_is_segmented_the_same(
    model: Path, archive: Archive, tmp_path: Path, enhanced: bool
) -> None:
    sent = study(tmp_path / "sent", enhanced=enhanced)
    seg = segmented(model, sent, tmp_path / "out")
    assert any(np.frombuffer(frame, np.uint8).any() for frame in mask(seg).values())
    for what in (sent, seg):
        called("storescu", "-R", "+sd", "+r", "-aec", "ORTHANC", "127.0.0.1", str(archive.dicom), what)
    instances = json.loads(archive.get("/instances")[0])
    assert len(instances) == len(list(sent.rglob("*.dcm"))) + 1
    for name, fetch in WAYS.items():
        back = tmp_path / name
        back.mkdir()
        fetch(archive, back)
        assert len([path for path in back.rglob("*") if path.is_file()]) == len(instances), name
        assert mask(segmented(model, back, tmp_path / f"out-{name}")) == mask(seg), name


@pytest.mark.parametrize("enhanced", [False, True])
def test_a_checker_finds_no_error_in_the_seg(model: Path, tmp_path: Path, enhanced: bool) -> None:
    seg = segmented(model, study(tmp_path / "sent", enhanced=enhanced), tmp_path / "out")
    assert errors_of(seg) == []


def test_dcmtk_reads_the_seg_whole(model: Path, tmp_path: Path) -> None:
    told = called("dcmdump", "+L", "-q", segmented(model, study(tmp_path / "sent"), tmp_path / "out"))
    assert "LABELMAP" not in told
    assert "BINARY" in told
    called("dcmftest", *sorted((tmp_path / "out").rglob("*.dcm")))
