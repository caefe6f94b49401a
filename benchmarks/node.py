"""How long a study takes through `edgeseg node`: from its last C-STORE to SEG, report and capture in an Orthanc.

    python benchmarks/node.py MODEL [--studies 10] [--into docs/measured/node.md]

Each study has 3 x 24 slices of 256 x 256 of a head that nobody has. It is sent over one association; the clock starts
when the last object was answered, and stops when Orthanc's REST interface shows all three results. `silence_s` of the
node is taken off. Orthanc, the node and this script share the machine. Needs the extra `node`, and Orthanc.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SILENCE_S, SLICES, SIDE = 1.0, 24, 256
NAMES = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST"}
PAGE = """# How long a study takes through a node

This page has the time from the last C-STORE of a study to its results in an archive, through `edgeseg node`.

`python benchmarks/node.py MODEL --into docs/measured/node.md` wrote it: {studies} studies of 3 x {slices} slices of
{side} x {side}, one after another, sent to a node that stores its results in an Orthanc {orthanc} on the same machine.
The silence after which a study is complete is taken off. The first study also waits for the processes that read.
`of_many` is the time for each of as many studies sent one after another without waiting for results, beside that of
`edgeseg run` with SEG and contact sheet over the same studies.

```text
{figures}
```
"""


def main() -> None:
    """Print the figures, and write the page where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        figures, version = _measure(options.model, options.studies, Path(folder))
    figures |= {"studies": options.studies, "cores": os.cpu_count(), "load_before": round(load, 1)}
    text = "\n".join(f"{name:28} {value}" for name, value in figures.items())
    print(text)
    if options.into is not None:
        page = PAGE.format(studies=options.studies, slices=SLICES, side=SIDE, orthanc=version, figures=text)
        options.into.write_text(page)


def _measure(model: Path, count: int, root: Path) -> tuple[dict[str, Any], str]:
    with _orthanc(root) as (web, dicom), _node(model, root, dicom) as (port, process):
        times, stored, memory = [], [], []
        for number in range(count):
            objects = list(study(number))
            begun = time.perf_counter()
            _send(port, objects)
            ended = time.perf_counter()
            _wait(web, 3 * (number + 1))
            times.append(time.perf_counter() - ended - SILENCE_S)
            stored.append(len(objects) / (ended - begun))
            memory.append(_memory_mb(process.pid))
        many = [list(study(count + number)) for number in range(count)]
        begun = time.perf_counter()
        for objects in many:
            _send(port, objects)
        _wait(web, 6 * count)
        node_s = (time.perf_counter() - begun - SILENCE_S) / count
        version = str(_get(web, "/system")["Version"])
    run_s = _run_s(model, many, root)
    return {
        "first_s": round(times[0], 2),
        "p50_s": round(statistics.median(times[1:] or times), 2),
        "worst_s_but_first": round(max(times[1:] or times), 2),
        "objects_received_per_s": round(statistics.median(stored), 1),
        "node_s_per_study_of_many": round(node_s, 2),
        "run_s_per_study_of_many": round(run_s, 2),
        "node_throughput_of_run": round(run_s / node_s, 2),
        "node_mb_first": round(memory[0], 1),
        "node_mb_last": round(memory[-1], 1),
    }, version


def _run_s(model: Path, studies: list[list[Any]], root: Path) -> float:
    """Say how long `edgeseg run` takes for each of the studies, with SEG and contact sheet, its start included."""
    for number, objects in enumerate(studies):
        folder = root / "archive" / str(number)
        folder.mkdir(parents=True)
        for place, one in enumerate(objects):
            save(one, folder / f"{place:03d}.dcm")
    words = [sys.executable, "-m", "edgeseg", "run", str(model), str(root / "archive"), "--out", str(root / "out")]
    start = time.perf_counter()
    subprocess.run([*words, "--overlays"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (time.perf_counter() - start) / len(studies)


def save(one: Any, path: Path) -> None:
    """Write an object as a file."""
    meta = one.file_meta
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    one.save_as(path, enforce_file_format=True)


def _memory_mb(pid: int) -> float:
    (line,) = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS")]
    return int(line.split()[1]) / 1e3


def study(number: int) -> Iterator[Any]:
    """Make the objects of one study: an ellipsoid with a bright block in FLAIR."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    study, frame = generate_uid(), generate_uid()
    places, rows, columns = np.indices((SLICES, SIDE, SIDE))
    inside = ((rows - 128) / 110) ** 2 + ((columns - 128) / 90) ** 2 + ((places - 12) / 14) ** 2 < 1
    noise = np.random.default_rng(number).integers(0, 40, inside.shape)
    for series, (name, said) in enumerate(NAMES.items(), 1):
        values = np.where(inside, 300 + noise, 0)
        if name == "flair":
            values[9:15, 90:130, 110:160] = 800
        uid = generate_uid()
        for place in range(SLICES):
            one = Dataset()
            one.SOPClassUID, one.SOPInstanceUID, one.Modality = "1.2.840.10008.5.1.4.1.1.4", generate_uid(), "MR"
            one.PatientID = one.PatientName = f"BENCH{number}"
            one.PatientBirthDate = one.PatientSex = one.StudyID = one.AccessionNumber = ""
            one.ReferringPhysicianName = one.PositionReferenceIndicator = ""
            one.StudyDate, one.StudyTime, one.Manufacturer = "20200101", "101010", "M"
            one.SeriesNumber, one.InstanceNumber, one.SeriesDescription = series, place + 1, said
            one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID = study, uid, frame
            one.ImagePositionPatient, one.ImageOrientationPatient = [-120, -120, 5.0 * place], [1, 0, 0, 0, 1, 0]
            one.PixelSpacing, one.SliceThickness, one.SpacingBetweenSlices = [0.94, 0.94], 5, 5
            one.Rows = one.Columns = SIDE
            one.SamplesPerPixel, one.PhotometricInterpretation, one.PixelRepresentation = 1, "MONOCHROME2", 1
            one.BitsAllocated, one.BitsStored, one.HighBit = 16, 16, 15
            one.PixelData = values[place].astype("<i2").tobytes()
            one.file_meta = FileMetaDataset()
            one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            yield one


def _send(port: int, objects: list[Any]) -> None:
    from pynetdicom import AE

    ae = AE(ae_title="BENCH")
    ae.add_requested_context("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.2.1")
    association = ae.associate("127.0.0.1", port, ae_title="EDGESEG")
    for number, one in enumerate(objects):
        begun = time.perf_counter()
        status = association.send_c_store(one).get("Status", "none")
        took_s = time.perf_counter() - begun
        assert status == 0, f"object {number} of {len(objects)}: status {status} after {took_s:.1f} s"
    association.release()


def _get(web: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{web}{path}", timeout=10) as answer:
        return json.load(answer)


def _wait(web: int, count: int) -> None:
    ends = time.monotonic() + 300
    while _get(web, "/statistics")["CountInstances"] < count:
        assert time.monotonic() < ends, "the results do not come"
        time.sleep(0.02)


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _orthanc(root: Path) -> Iterator[tuple[int, int]]:
    program = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("error: Orthanc is not installed; on Debian: sudo apt-get install orthanc")
    web, dicom = _free(), _free()
    (root / "orthanc").mkdir()
    places = {"StorageDirectory": str(root / "orthanc"), "IndexDirectory": str(root / "orthanc")}
    settings = {**places, "HttpPort": web, "DicomPort": dicom, "AuthenticationEnabled": False, "Plugins": []}
    (root / "orthanc.json").write_text(json.dumps({**settings, "RemoteAccessAllowed": False}))
    words = [program, str(root / "orthanc.json")]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            while True:
                try:
                    _get(web, "/system")
                    break
                except OSError:
                    time.sleep(0.2)
            yield web, dicom
        finally:
            running.terminate()


@contextmanager
def _node(model: Path, root: Path, archive: int) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    (root / "node.toml").write_text(
        f'state = "state"\nport = 0\nsilence_s = {SILENCE_S}\n'
        '[[peers]]\nae_title = "BENCH"\naddress = "127.0.0.1"\n'
        f'[[destinations]]\nname = "archive"\nkind = "dicom"\n'
        f'ae_title = "ORTHANC"\naddress = "127.0.0.1"\nport = {archive}\n'
    )
    words = [sys.executable, "-m", "edgeseg", "node", str(model), "--config", str(root / "node.toml"), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(json.loads(running.stdout.readline())["port"]), running
        finally:
            running.terminate()


if __name__ == "__main__":
    main()
