"""Other people's programs: an Orthanc that runs for one test, and tools that are called."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


def errors_of(path: Path) -> list[str]:
    """List what the checker of dicom3tools says against a file."""
    ended = subprocess.run([program("dciodvfy"), str(path)], capture_output=True, text=True, check=False, timeout=60)
    told = (ended.stdout + ended.stderr).splitlines()
    assert told
    return [line for line in told if line.startswith("Error")]


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

    def json(self, path: str) -> Any:
        return json.loads(self.get(path)[0])

    @property
    def study(self) -> str:
        (found,) = self.json("/studies")
        return str(found)


@contextlib.contextmanager
def running_archive(root: Path, **more: Any) -> Iterator[Archive]:
    """Run an Orthanc; `more` are settings of it."""
    made = Archive(web=free_port(), dicom=free_port(), answers=free_port())
    settings = {
        "StorageDirectory": str(root / "orthanc"),
        "IndexDirectory": str(root / "orthanc"),
        "HttpPort": made.web,
        "DicomPort": made.dicom,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowGet": True,
        "DicomModalities": {"peer": ["PEER", "127.0.0.1", made.answers]},
        "Plugins": [str(DICOM_WEB)] if DICOM_WEB.exists() else [],
        **more,
    }
    (root / "orthanc.json").write_text(json.dumps(settings))
    words = [program("Orthanc"), str(root / "orthanc.json")]
    with (
        (root / "orthanc.log").open("wb") as log,
        subprocess.Popen(words, stdout=log, stderr=log, env=SENDS_AT_ONCE) as running,
    ):
        try:
            ends = time.monotonic() + STARTS_S
            while True:
                with contextlib.suppress(urllib.error.URLError, ConnectionError):
                    made.get("/system")
                    break
                assert running.poll() is None, (root / "orthanc.log").read_text()
                assert time.monotonic() < ends, "Orthanc does not answer"
                time.sleep(0.1)
            yield made
        finally:
            running.terminate()
            running.wait(30)
