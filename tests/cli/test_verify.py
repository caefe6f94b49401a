from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from edgeseg.cli import verify as command
from edgeseg.data.volume import Volume
from edgeseg.errors import CheckFailedError, DatasetError, OptionError
from edgeseg.jsonio import from_json
from edgeseg.results import ParityResult
from edgeseg.specs import LGG, ChannelSet, Contract, VariantSpec

SIDE = 16
CONTRACT = Contract(
    variant=VariantSpec(), tier="int8", target="onnx-int8", layout="NCHW", trained_on="phantom", height=SIDE, width=SIDE
)
OFF = {"off.onnx": 8.0}


@dataclass
class ReadsFlair:
    contract: Contract
    shift: float = 0.0
    numerics: str = "exact"
    runtime: str = "fake 1"
    threads: int = 1

    def logits(self, images: np.ndarray) -> np.ndarray:
        return images[..., 1].astype(np.float32) - 100 + np.float32(self.shift)


class Ramp:
    """A data set of two patients whose FLAIR bytes lie around the threshold of the second one's second slice."""

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()
    name = "phantom"
    patients = ("PHANTOM_PA_0000", "PHANTOM_PB_0001")

    def __init__(self, patients: int = 2, seed: int = 0, start: int = 0, *, channels: ChannelSet | None = None) -> None:
        assert patients == command.PHANTOM_PATIENTS

    def institution(self, patient: str) -> str:
        return patient.split("_")[1]

    def volume(self, patient: str) -> Volume:
        images = np.full((2, SIDE, SIDE, 3), 50, np.uint8)
        if patient == self.patients[1]:
            images[1, :2, :, 1] = 97
        names = (f"{patient}_1", f"{patient}_2")
        return Volume(patient=patient, institution="PA", images=images, masks=None, slice_names=names)


Run = Callable[..., Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def open_artifact(path: Path, *, threads: int, contract: Path | None) -> ReadsFlair:
        target = "keras-fp32" if path.suffix == ".hdf5" else CONTRACT.target
        return ReadsFlair(replace(CONTRACT, target=target), shift=OFF.get(path.name, 0.0))

    monkeypatch.setattr("edgeseg.targets.open_artifact", open_artifact)
    monkeypatch.setattr("edgeseg.data.phantom.PhantomDataset", Ramp)
    monkeypatch.setenv("COLUMNS", "80")

    def invoke(*arguments: object) -> Any:
        app = typer.Typer()
        app.command()(command.verify)
        return CliRunner().invoke(app, list(map(str, arguments)))

    return invoke


def test_equal_artifacts_pass_on_phantoms_and_the_table_says_so(run: Run) -> None:
    outcome = run("good.onnx", "--reference", "float.hdf5")
    assert outcome.exit_code == 0
    assert max(map(len, outcome.stdout.splitlines())) <= 80
    assert "alphax-0.125-half/onnx-int8 against keras-fp32" in outcome.stdout
    assert "passed" in outcome.stdout
    assert "PHANTOMS" in outcome.stdout


def test_a_failure_prints_the_table_names_the_slice_and_exits_1(run: Run) -> None:
    outcome = run("off.onnx", "--reference", "float.hdf5")
    assert "FAILED" in outcome.stdout
    assert isinstance(outcome.exception, CheckFailedError)
    assert outcome.exception.exit_code == 1
    assert "the worst slice is PHANTOM_PB_0001/PHANTOM_PB_0001_2 with 32" in str(outcome.exception)


def test_the_tolerance_can_be_given(run: Run) -> None:
    flips_ppm = 1e6 * 32 / (4 * SIDE * SIDE)
    assert run("off.onnx", "--reference", "float.hdf5", "--max-flip-ppm", flips_ppm).exit_code == 0
    assert run("off.onnx", "--reference", "float.hdf5", "--max-flip-ppm", flips_ppm - 1).exit_code == 1


def test_the_tolerance_is_the_targets_by_default(run: Run) -> None:
    from edgeseg import targets

    result = from_json(ParityResult, run("good.onnx", "--reference", "float.hdf5", "--json").stdout)
    assert result.max_flip_ppm == targets.get("onnx-int8").max_flip_ppm


def test_json_of_a_failure_is_whole(run: Run, check_schema: Callable[[str, str], None]) -> None:
    outcome = run("off.onnx", "--reference", "float.hdf5", "--json")
    check_schema("verify", outcome.stdout)
    result = from_json(ParityResult, outcome.stdout)
    assert not result.passed
    assert (result.slices, result.flipped_pixels) == (4, 32)
    assert isinstance(outcome.exception, CheckFailedError)


def test_bad_input(run: Run, tmp_path: Path) -> None:
    assert isinstance(run("a.onnx", "--reference", "b.hdf5", "--data", tmp_path / "no").exception, DatasetError)
    assert isinstance(run("a.onnx", "--reference", "b.hdf5", "--threads", 0).exception, OptionError)
    assert isinstance(run("a.onnx", "--reference", "b.hdf5", "--max-flip-ppm", -1).exception, OptionError)
    assert run("a.onnx").exit_code == 2
