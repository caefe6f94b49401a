"""The programs in examples/ run, each to its end, on made-up patients."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
Script = Callable[[Path], ModuleType]

stage = importlib.import_module("edgeseg.stages.build.build")  # the file, not the function that the room names alike


@pytest.fixture
def no_baseline(monkeypatch: pytest.MonkeyPatch, make_build: Any) -> None:
    """The study's 350 MB file is not measured."""
    known = make_build().baseline
    monkeypatch.setattr(stage, "measure_original", lambda **_: known)


def test_every_example_is_named_and_run() -> None:
    programs = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
    told = (ROOT / "examples" / "README.md").read_text()
    assert [name for name in programs if f"]({name})" not in told] == []
    assert [name for name in programs if f'"{name}"' not in Path(__file__).read_text()] == []


def test_a_network_that_ships_segments_a_patient(script: Script, tmp_path: Path) -> None:
    script(ROOT / "tools" / "own_data.py").main(["brats", str(tmp_path), "--patients", "1"])
    (folder,) = [path.parent for path in tmp_path.rglob("*_flair.nii.gz")]
    (folder / f"{folder.name}_seg.nii.gz").unlink()
    marked = script(ROOT / "examples" / "segment_scan.py").main(folder, "micro")
    assert all(isinstance(name, str) for name in marked)


def test_somebodys_network_is_made_small(
    script: Script, foreign_onnx: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = tmp_path / "contract.toml"
    contract.write_text("")
    built = script(ROOT / "examples" / "shrink_network.py").main(
        foreign_onnx(), contract, tmp_path / "out", phantom_patients=1
    )
    assert {row.target for row in built.artifacts} >= {"tflite-int8", "onnx-int8"}
    assert "tflite-int8: " in capsys.readouterr().out


@pytest.mark.usefixtures("no_baseline", "untraced", "shallow")
def test_a_data_set_is_trained_on_and_built(script: Script, tiny_lgg: Path, tmp_path: Path) -> None:
    built = script(ROOT / "examples" / "train_and_build.py").main(tiny_lgg, tmp_path)
    assert built.artifacts
    assert (tmp_path / "build" / "build.json").is_file()
