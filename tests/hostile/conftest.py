"""A service in a process of its own, on a model of one addition."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest

from edgeseg.jsonio import to_json
from edgeseg.specs import Contract, VariantSpec

HERE = Path(__file__).parent
Script = Callable[[Path], ModuleType]


@pytest.fixture(scope="session")
def part(script: Script) -> Callable[[str], ModuleType]:
    """Give a function that loads a file of generators."""
    known: dict[str, ModuleType] = {}

    def load(name: str) -> ModuleType:
        if name not in known:
            known[name] = script(HERE / f"_{name}.py")
        return known[name]

    return load


@pytest.fixture(scope="session")
def contract() -> str:
    variant = VariantSpec(name="alphax", alpha=0.125, stem="half")
    made = Contract(
        variant=variant, tier="demo", target="onnx-fp32", layout="NCHW", trained_on="none", height=16, width=24
    )
    return to_json(made)


@dataclass
class Server:
    pid: int
    address: str

    def post(self, field: str, content: bytes, query: str = "masks=none") -> tuple[int, str]:
        """Send one file; gives status and body."""
        start = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="f"\r\n\r\n'.encode()
        connection = http.client.HTTPConnection(self.address, timeout=90)
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        connection.request("POST", f"/v1/segment?{query}", start + content + b"\r\n--x--\r\n", headers)
        answer = connection.getresponse()
        status, body = answer.status, answer.read().decode()
        connection.close()
        return status, body


@pytest.fixture(scope="session")
def server(
    part: Callable[[str], ModuleType], contract: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    model = tmp_path_factory.mktemp("served") / "plain.onnx"
    model.write_bytes(part("models").plain(contract))
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeseg", "serve", str(model), "--port", "0", "--json", "--workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=part("watch").environment(),
    )
    assert process.stdout is not None
    try:
        yield Server(process.pid, urlsplit(json.loads(process.stdout.readline())["url"]).netloc)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
