"""What stands around a node that is measured: studies of nobody, who sends them, and where results go."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SLICES, SIDE = 24, 256
NAMES = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST"}
_TICKS = os.sysconf("SC_CLK_TCK")


def study(number: int, *, slices: int = SLICES, side: int = SIDE) -> Iterator[Any]:
    """Make the objects of one study: an ellipsoid with a bright block in FLAIR."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    study, frame, part = generate_uid(), generate_uid(), 256 / side
    places, rows, columns = np.indices((slices, side, side))
    inside = ((rows * part - 128) / 110) ** 2 + ((columns * part - 128) / 90) ** 2 < 1
    inside &= ((places * 24 / slices - 12) / 14) ** 2 < 1
    noise = np.random.default_rng(number).integers(0, 40, inside.shape)
    for series, (name, said) in enumerate(NAMES.items(), 1):
        values = np.where(inside, 300 + noise, 0)
        if name == "flair":
            low, high, left, right = (round(one / part) for one in (90, 130, 110, 160))
            values[slices * 3 // 8 : slices * 5 // 8, low:high, left:right] = 800
        uid = generate_uid()
        for place in range(slices):
            one = Dataset()
            one.SOPClassUID, one.SOPInstanceUID, one.Modality = "1.2.840.10008.5.1.4.1.1.4", generate_uid(), "MR"
            one.PatientID = one.PatientName = f"BENCH{number}"
            one.PatientBirthDate = one.PatientSex = one.StudyID = one.AccessionNumber = ""
            one.ReferringPhysicianName = one.PositionReferenceIndicator = ""
            one.StudyDate, one.StudyTime, one.Manufacturer = "20200101", "101010", "M"
            one.SeriesNumber, one.InstanceNumber, one.SeriesDescription = series, place + 1, said
            one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = study, uid, frame
            one.ImagePositionPatient, one.ImageOrientationPatient = [-120, -120, 5.0 * place], [1, 0, 0, 0, 1, 0]
            one.PixelSpacing, one.SliceThickness, one.SpacingBetweenSlices = [0.94 * part, 0.94 * part], 5, 5
            one.Rows = one.Columns = side
            one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
            one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
            one.PixelData = values[place].astype("<i2").tobytes()
            one.file_meta = FileMetaDataset()
            one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            yield one


def save(one: Any, path: Path) -> None:
    """Write an object as a file."""
    meta = one.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    one.save_as(path, enforce_file_format=True)


def write_study(folder: Path, number: int, *, slices: int = SLICES, side: int = SIDE) -> Path:
    """Write a study, a file for each object; gives the folder."""
    folder.mkdir(parents=True)
    for place, one in enumerate(study(number, slices=slices, side=side)):
        save(one, folder / f"{place:03d}.dcm")
    return folder


def send(port: int, folder: Path) -> None:
    """Send the files of a folder over one association, with DCMTK's `dcmsend`."""
    words = [program("dcmsend", "dcmtk"), "-aet", "BENCH", "-aec", "EDGESEG", "--scan-directories", "127.0.0.1"]
    subprocess.run([*words, str(port), str(folder)], check=True)


@dataclass(kw_only=True)
class Archive:
    """Where results go; `count` says how many objects came, where that is known."""

    process: subprocess.Popen[bytes]
    port: int
    version: str
    root: Path
    web: int = 0

    def count(self) -> int:
        """Say how many objects came."""
        if self.web:
            return int(_get(self.web, "/statistics")["CountInstances"])
        return sum(1 for _ in self.root.iterdir())


@contextmanager
def orthanc(root: Path, plugins: tuple[str, ...] = ()) -> Iterator[Archive]:
    """Run an Orthanc that keeps its files below a folder."""
    web, dicom = _free(), _free()
    (root / "orthanc").mkdir()
    places = {"StorageDirectory": str(root / "orthanc"), "IndexDirectory": str(root / "orthanc")}
    settings = {**places, "HttpPort": web, "DicomPort": dicom, "AuthenticationEnabled": False, "Plugins": plugins}
    (root / "orthanc.json").write_text(json.dumps({**settings, "RemoteAccessAllowed": False}))
    with _running([program("Orthanc", "orthanc"), str(root / "orthanc.json")]) as running:
        while True:
            try:
                version = str(_get(web, "/system")["Version"])
                break
            except OSError:
                time.sleep(0.2)
        yield Archive(process=running, port=dicom, web=web, version=f"Orthanc {version}", root=root / "orthanc")


@contextmanager
def storescp(root: Path, *, keep: bool = True) -> Iterator[Archive]:
    """Run DCMTK's `storescp`, which does nothing but write files, or with `keep` off not even that."""
    port, folder = _free(), root / "storescp"
    folder.mkdir()
    words = [program("storescp", "dcmtk"), "-aet", "ORTHANC", "-od", str(folder), *([] if keep else ["--ignore"])]
    with _running([*words, str(port)]) as running:
        time.sleep(0.5)
        yield Archive(process=running, port=port, version="storescp", root=folder)


@contextmanager
def node(model: Path, root: Path, archive: int, *, silence_s: float) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a node with an archive as its only destination; gives its port and its process."""
    root.mkdir(exist_ok=True)
    (root / "node.toml").write_text(
        f'state = "state"\nport = 0\nsilence_s = {silence_s}\n'
        '[[peers]]\nae_title = "BENCH"\naddress = "127.0.0.1"\n'
        f'[[destinations]]\nname = "archive"\nkind = "dicom"\n'
        f'ae_title = "ORTHANC"\naddress = "127.0.0.1"\nport = {archive}\n'
    )
    words = [
        sys.executable,
        "-m",
        "edgeseg",
        "node",
        "start",
        str(model),
        "--config",
        str(root / "node.toml"),
        "--json",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(json.loads(running.stdout.readline())["port"]), running
        finally:
            running.terminate()


def family(pid: int) -> list[int]:
    """Give a process and those that it started."""
    children = [int(one) for task in Path(f"/proc/{pid}/task").iterdir() for one in _words(task / "children")]
    return [pid, *children]


def cpu_s(pid: int) -> float:
    """Say how much processor time a process and those that it started took, those that ended among them."""
    found = 0.0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        found += sum(map(int, fields[11:15])) / _TICKS
    return found


def resident_mb(pid: int) -> float:
    """Say how much memory a process holds."""
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1e3


def put_section(path: Path, name: str, text: str) -> None:
    """Write the part of a page that stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = path.read_text().split(begin)
    path.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{rest.split(end)[1]}")


def program(name: str, package: str) -> str:
    """Find a program, or end with what to install."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit(f"error: {name} is not installed; on Debian: sudo apt-get install {package}")
    return found


@contextmanager
def _running(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            yield running
        finally:
            running.terminate()


def _get(web: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}{path}", timeout=10) as answer:
        return json.load(answer)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
