"""The files in `deploy/node` agree with each other and with what the node takes; no container runs here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from edgeseg.node.config import read_config

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy" / "node"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_node_and_archive_know_each_other(compose: Any) -> None:
    options, archive = read_config(DEPLOY / "node.toml"), json.loads((DEPLOY / "orthanc.json").read_text())
    addresses = {
        name: one["networks"]["inside"]["ipv4_address"] for name, one in compose["services"].items()
    }  # fmt: skip
    title, address, port = archive["DicomModalities"]["edgeseg"]
    assert (title, address, port) == (options.ae_title, addresses["node"], options.port)
    (peer,) = options.peers
    assert (peer.ae_title, peer.address) == (archive["DicomAet"], addresses["orthanc"])
    (to,) = options.destinations
    assert to.url == f"http://{addresses['orthanc']}:8042/dicom-web"
    assert archive["LuaScripts"] == ["/etc/orthanc/route.lua"]


def test_the_node_is_bound_and_ports_are_of_this_machine_alone(compose: Any) -> None:
    node = compose["services"]["node"]
    assert node["user"] == "10001:10001"
    assert node["read_only"] is True
    for one in compose["services"].values():
        assert one["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in one["ports"])
        for volume in one["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).is_file()
    assert re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+", compose["services"]["orthanc"]["image"])


def test_the_image_is_locked_and_what_it_copies_reaches_docker() -> None:
    steps, image = (DEPLOY / "Dockerfile").read_text(), (ROOT / "Dockerfile").read_text()
    (python,) = re.findall(r"^ARG PYTHON=.+$", steps, re.MULTILINE)
    assert python in image
    assert "--require-hashes -r /requirements-node.lock" in steps
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [line.split()[1] for line in steps.splitlines() if re.match(r"COPY (?!--from|\$)", line)]
    assert copied
    assert set(copied) <= set(allowed)
