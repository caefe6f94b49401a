from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.artifacts import shipped
from edgeseg.errors import ArtifactError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.devices import markdown
from edgeseg.results import (
    DeviceArtifact,
    DeviceCodes,
    DeviceEvidence,
    DeviceRun,
    Environment,
    InstructionCount,
)
from edgeseg.stages.score.device import EVIDENCE_FILE, REPLAY_SLICES, shipped_evidence

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "benchmarks" / "device"


def _run(artifact: str, differing: int) -> DeviceRun:
    return DeviceRun(
        artifact=artifact,
        processor="cortex-a76",
        emulator="qemu 7.2",
        runtime="onnxruntime 1.31.1",
        data="phantom",
        slices=4,
        pixels=1000,
        host_tumour_pixels=120,
        differing_codes=differing,
        max_code_difference=int(differing > 0),
        flipped_pixels=differing // 10,
    )


def _count(artifact: str, instructions: int) -> InstructionCount:
    return InstructionCount(
        artifact=artifact,
        processor="cortex-a76",
        emulator="qemu 7.2",
        runtime="onnxruntime 1.31.1",
        inferences=2,
        instructions_per_slice=instructions,
        spread=0.001,
    )


@pytest.fixture
def evidence() -> DeviceEvidence:
    return DeviceEvidence(
        command="make test-device",
        environment=Environment(cpu="cpu", cores=2, os="os", python="3.11", int8_kernels="exact", versions={"a": "1"}),
        replay_sha256="0" * 64,
        artifacts=(
            DeviceArtifact(
                name="onnx-int8", variant="v", target="onnx-int8", profile="arm", sha256="1" * 64, size_bytes=1234
            ),
        ),
        runs=(_run("onnx-int8", 0), _run("onnx-int8 x86", 50)),
        codes=(DeviceCodes(artifact="onnx-int8", processor="cortex-a76", runtime="r", slice_sha256=("2" * 64,)),),
        instructions=(_count("onnx-fp32", 400_000_000), _count("onnx-int8", 100_000_000)),
    )


def test_the_result_survives_json(evidence: DeviceEvidence) -> None:
    assert from_json(DeviceEvidence, to_json(evidence)) == evidence


def test_the_page_tells_every_row_and_what_differs(evidence: DeviceEvidence) -> None:
    page = markdown(evidence)
    assert "Equal in every code: 1 of 2 rows." in page
    assert "onnx-int8 x86 on cortex-a76, phantom: 5 of 1,000 pixels flipped (5000.0 per million)" in page
    assert "| onnx-int8 | cortex-a76 (qemu 7.2) | onnxruntime 1.31.1 | 100.0 | 0.25 | 2 | 0.10% |" in page
    assert "They are no latency" in page
    assert "Instructions" not in markdown(replace(evidence, instructions=()))


def test_the_page_in_docs_belongs_to_the_result_that_ships() -> None:
    found = shipped_evidence()
    assert found is not None
    assert (ROOT / "docs" / "measured" / "device-evidence.md").read_text() == markdown(found)
    assert all(len(codes.slice_sha256) == REPLAY_SLICES for codes in found.codes)
    assert {codes.artifact for codes in found.codes} <= {a.name for a in found.artifacts}


def test_the_result_holds_no_patient() -> None:
    assert "TCGA" not in shipped("models", EVIDENCE_FILE).read_text()


def test_damaged_evidence_is_an_error_and_none_is_none(tmp_path: Path) -> None:
    assert shipped_evidence(tmp_path / "absent.json") is None
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ArtifactError, match="make test-device"):
        shipped_evidence(tmp_path / "bad.json")


def test_missing_tools_are_named_with_their_packages(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, SCRIPTS / "evidence.py"],
        env=os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ")
    assert "qemu-user" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_pins_are_cut_out_of_the_lock_with_their_hashes() -> None:
    code = "import store; print(store.locked(store.LOCK.read_text(), store.WHEELS))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SCRIPTS,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{SCRIPTS}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    assert [line.partition("==")[0] for line in told.splitlines() if "==" in line] == [
        "numpy",
        "onnxruntime",
        "ai-edge-litert",
    ]
    assert told.count("--hash=sha256:") > 3
