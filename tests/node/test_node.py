"""A node from end to end: studies come in, results go out, once each, whatever happens in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pydicom

from tests.node.conftest import Setting, send, wait_for

Write = Callable[..., Path]


def to_folder(root: Path) -> list[dict[str, str]]:
    return [{"name": "folder", "kind": "folder", "folder": str(root / "results")}]


def results(root: Path) -> dict[str, pydicom.Dataset]:
    done = (path for path in sorted((root / "results").rglob("*.dcm")) if ".edgeseg-node" not in path.parts)
    return {path.name.split("-")[0]: pydicom.dcmread(path) for path in done}


def test_a_study_becomes_a_seg_a_report_and_a_capture(setting: Setting, write_study: Write, tmp_path: Path) -> None:
    node = setting.node(to_folder(tmp_path))
    study = write_study(tmp_path / "sent")
    assert set(send(node.port, study)) == {0}
    wait_for(lambda: len(results(tmp_path)) == 3, log=node.log)
    found = results(tmp_path)
    assert {one.StudyInstanceUID for one in found.values()} == {
        pydicom.dcmread(study / "flair" / "000.dcm").StudyInstanceUID
    }
    wait_for(lambda: setting.status()["counts"]["sent"] == 1)
    wait_for(lambda: not list((tmp_path / "state" / "in").iterdir()))
    assert json.loads(node.get("/ready")) == {"status": "ready"}
    assert 'edgeseg_node_objects_total{came="new"} 60.0' in node.get("/metrics")
    assert node.end() == 0
    log = node.log.read_text()
    assert "P1" not in log
    assert str(found["seg"].StudyInstanceUID) not in log


def test_a_folder_in_place_of_a_network(setting: Setting, write_study: Write, tmp_path: Path) -> None:
    incoming, out = tmp_path / "incoming", tmp_path / "results"
    incoming.mkdir()
    node = setting.run("--watch", str(incoming), "--out", str(out))
    assert node.told["port"] is None
    sent = write_study(incoming, kinds=("flair",))
    wait_for(lambda: len(results(tmp_path)) == 3, log=node.log)
    assert len(list(sent.rglob("*.dcm"))) == 20
    assert node.end() == 0
