"""A node that runs in a process of its own, an archive beside it, and studies that nobody has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edgeseg.specs import Contract
from tests.node._bench import bench, lookers, readers
from tests.stages.segment._heads import head, series

__all__ = ["bench", "lookers", "readers"]
STARTS_S, ENDS_S = 60.0, 30.0
ONLY_US = {"ae_title": "SENDER", "address": "127.0.0.1"}


@pytest.fixture(autouse=True)
def sockets_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pynetdicom close the socket of a connection that failed; it leaves that to the garbage collector."""
    from pynetdicom.transport import AssociationSocket

    shut = AssociationSocket._shutdown_socket

    def close(self: Any) -> None:
        found = self.socket
        shut(self)
        if found is not None:
            found.close()

    monkeypatch.setattr(AssociationSocket, "_shutdown_socket", close)


@pytest.fixture
def network(tiny_onnx: Callable[..., Path], tiny_contract: Contract) -> Path:
    """A network of one convolution that finds what is bright in FLAIR."""
    return tiny_onnx(contract=replace(tiny_contract, height=64, width=64), size=(64, 64))


@pytest.fixture
def write_study() -> Callable[..., Path]:
    """Give a function that writes a study of three series, 20 slices each, into a folder."""

    def write(root: Path, study: str = "study", *, kinds: tuple[str, ...] = ("pre", "flair", "post")) -> Path:
        said = {"pre": "AX T1", "flair": "AX FLAIR", "post": "AX T1 POST"}
        for number, name in enumerate(kinds):
            series(root / name, said[name], head(name), number=number + 1, study=study)
        return root

    return write


@dataclass(kw_only=True)
class Running:
    """A node in a process of its own."""

    words: list[str]
    log: Path
    process: subprocess.Popen[str] | None = None
    told: dict[str, Any] = field(default_factory=dict)

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=log, text=True, env=_quiet())
        assert self.process.stdout is not None
        with self.process.stdout as told:
            line = told.readline()
        assert line, self.log.read_text()
        self.told = json.loads(line)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(ENDS_S)

    def end(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(ENDS_S)

    @property
    def port(self) -> int:
        return int(self.told["port"])

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.told['health_port']}{path}", timeout=10) as answer:
            return str(answer.read().decode())


def _quiet() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "PYTHONWARNINGS": "ignore"}


@dataclass(kw_only=True)
class Setting:
    """Where a node of a test lives, and how it is configured."""

    root: Path
    network: Path
    started: list[Running] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.root / "node.toml"

    def write(
        self, destinations: list[dict[str, Any]], *, peers: list[dict[str, Any]] | None = None, **more: Any
    ) -> Path:
        options = {
            "state": "state", "port": 0, "health_port": 0, "silence_s": 0.5, "backoff_s": 0.2, "free_mb": 0, **more
        }  # fmt: skip
        lines = [f"{key} = {json.dumps(value)}" for key, value in options.items()]
        for name, tables in {"destinations": destinations, "peers": [ONLY_US] if peers is None else peers}.items():
            for one in tables:
                lines += ["", f"[[{name}]]", *(f"{key} = {json.dumps(value)}" for key, value in one.items())]
        self.config.write_text("\n".join(lines) + "\n")
        return self.config

    def run(self, *words: str) -> Running:
        made = Running(
            words=[sys.executable, "-m", "edgeseg", "node", str(self.network), "--json", *words],
            log=self.root / "node.log",
        )
        self.started.append(made)
        made.start()
        return made

    def node(self, destinations: list[dict[str, Any]], **more: Any) -> Running:
        return self.run("--config", str(self.write(destinations, **more)))

    def status(self) -> dict[str, Any]:
        from edgeseg.jsonio import to_plain
        from edgeseg.node.config import read_config
        from edgeseg.node.look import status

        return dict(to_plain(status(read_config(self.config))))


@pytest.fixture
def setting(tmp_path: Path, network: Path) -> Iterator[Setting]:
    """A folder for one node; whatever was started in it is ended."""
    made = Setting(root=tmp_path, network=network)
    yield made
    for one in made.started:
        if one.process is not None and one.process.poll() is None:
            one.process.kill()
            one.process.wait(ENDS_S)


def wait_for(what: Callable[[], bool], *, seconds: float = 30.0, log: Path | None = None) -> None:
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends, log.read_text() if log else "it does not come to pass"
        time.sleep(0.05)


def send(
    port: int,
    *paths: Path,
    title: str = "SENDER",
    called: str = "EDGESEG",
    tls: tuple[Any, str] | None = None,
    release: bool = True,
) -> list[int]:
    """Send files by C-STORE over one association; gives the statuses."""
    from pydicom import dcmread
    from pynetdicom import AE

    from edgeseg.node.pause import pausing

    ae = AE(ae_title=title)
    ae.dimse_timeout, ae.acse_timeout = 10, 3
    files = sorted(one for path in paths for one in (path.rglob("*.dcm") if path.is_dir() else [path]))
    read = [dcmread(one) for one in files]
    for pair in sorted({(one.SOPClassUID, one.file_meta.TransferSyntaxUID) for one in read}):
        ae.add_requested_context(*pair)
    association = ae.associate("127.0.0.1", port, ae_title=called, tls_args=tls)
    if not association.is_established:
        return []
    pausing(association)
    statuses: list[int] = []
    for one in read:
        if not association.is_established:
            return [*statuses, -1]
        statuses.append(int(association.send_c_store(one).get("Status", -1)))
    if release:
        association.release()
    else:
        association.abort()
    return statuses
