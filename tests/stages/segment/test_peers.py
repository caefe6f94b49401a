"""Through other people's programs and back: an archive (Orthanc), the tools of DCMTK, a checker of DICOM objects.

Each test is skipped where its programs are not installed; on Debian: dcmtk dicom3tools orthanc orthanc-dicomweb.
"""

from __future__ import annotations

import contextlib
import email.parser
import io
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from edgeseg.specs import Contract
from edgeseg.stages.segment.run import run
from tests.stages.segment._heads import head, in_two_files, series

DICOM_WEB = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
STARTS_S = 30.0
SENDS_AT_ONCE = {**os.environ, "TCP_NODELAY": "1"}
"""Without it DCMTK waits for 0.1 s with every file."""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def called(name: str, *words: str | Path) -> str:
    ended = subprocess.run(
        [program(name), *map(str, words)], capture_output=True, text=True, check=False, timeout=60, env=SENDS_AT_ONCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass(frozen=True, kw_only=True)
class Archive:
    """An Orthanc that runs for one test, and the port at which it answers C-MOVE."""

    web: int
    dicom: int
    answers: int

    def get(self, path: str, **headers: str) -> tuple[bytes, str]:
        asked = urllib.request.Request(f"http://127.0.0.1:{self.web}{path}", headers=headers)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.read(), answer.headers["Content-Type"]

    @property
    def study(self) -> str:
        (found,) = json.loads(self.get("/studies")[0])
        return str(found)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = Archive(web=free_port(), dicom=free_port(), answers=free_port())
    settings = {
        "StorageDirectory": str(tmp_path / "orthanc"),
        "IndexDirectory": str(tmp_path / "orthanc"),
        "HttpPort": made.web,
        "DicomPort": made.dicom,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowGet": True,
        "DicomModalities": {"peer": ["PEER", "127.0.0.1", made.answers]},
        "Plugins": [str(DICOM_WEB)] if DICOM_WEB.exists() else [],
    }
    (tmp_path / "orthanc.json").write_text(json.dumps(settings))
    words = [program("Orthanc"), str(tmp_path / "orthanc.json")]
    with (
        (tmp_path / "orthanc.log").open("wb") as log,
        subprocess.Popen(words, stdout=log, stderr=log, env=SENDS_AT_ONCE) as running,
    ):
        try:
            ends = time.monotonic() + STARTS_S
            while True:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    made.get("/system")
                    break
                assert running.poll() is None, (tmp_path / "orthanc.log").read_text()
                assert time.monotonic() < ends, "Orthanc does not answer"
                time.sleep(0.1)
            yield made
        finally:
            running.terminate()
            running.wait(30)


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
    ended = subprocess.run([program("dciodvfy"), str(seg)], capture_output=True, text=True, check=False, timeout=60)
    told = ended.stdout + ended.stderr
    assert "Segmentation" in told
    assert [line for line in told.splitlines() if line.startswith("Error")] == []


def test_dcmtk_reads_the_seg_whole(model: Path, tmp_path: Path) -> None:
    told = called("dcmdump", "+L", "-q", segmented(model, study(tmp_path / "sent"), tmp_path / "out"))
    assert "LABELMAP" not in told
    assert "BINARY" in told
    called("dcmftest", *sorted((tmp_path / "out").rglob("*.dcm")))
