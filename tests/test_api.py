"""What programs call at the top of the package."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeseg
from edgeseg import api, networks
from edgeseg.errors import ArtifactError, UnknownNameError
from edgeseg.runtime import Segmenter
from edgeseg.specs import BuildSpec


def test_importing_edgeseg_imports_nothing_of_it() -> None:
    told = "import sys, edgeseg; print([name for name in sys.modules if name.startswith('edgeseg.')])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_top_has_what_the_stub_and_the_room_say() -> None:
    stub = (Path(api.__file__).parent / "__init__.pyi").read_text()
    assert sorted({*api.__all__, "__version__"}) == sorted(edgeseg.__all__)
    for name in api.__all__:
        assert getattr(edgeseg, name) is getattr(api, name)
        assert f"import {name} as {name}\n" in stub
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        edgeseg.lode  # type: ignore[attr-defined]  # noqa: B018


def test_a_network_is_loaded_by_name_and_by_file() -> None:
    slices = np.random.default_rng(0).integers(0, 255, (2, 200, 240, 3), np.uint8)
    named, given = edgeseg.load("micro"), edgeseg.load(networks.get("micro").file("onnx-int8"))
    assert isinstance(named, Segmenter)
    masks = named.segment(slices)
    assert masks.shape == (2, 200, 240)
    assert masks.dtype == np.bool_
    assert np.array_equal(masks, given.segment(slices))
    assert edgeseg.load("micro/onnx-fp32").contract.target == "onnx-fp32"


def test_a_name_that_is_none_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="micro"):
        edgeseg.load("mikro")
    with pytest.raises(ArtifactError):
        edgeseg.load(tmp_path / "absent.onnx")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[BuildSpec]:
    """What a build was asked for; nothing is built."""
    specs: list[BuildSpec] = []
    monkeypatch.setattr("edgeseg.stages.build.build", specs.append)
    return specs


def test_a_build_names_its_network_and_targets(asked: list[BuildSpec], tmp_path: Path) -> None:
    edgeseg.build(target="int8", out=tmp_path)
    edgeseg.build("tiny", target=("onnx-int8", "tflite-int8"), out=tmp_path, max_drop=0.005)
    assert [spec.network for spec in asked] == ["light", "tiny"]
    assert [spec.targets for spec in asked] == [("int8",), ("onnx-int8", "tflite-int8")]
    assert (asked[1].max_drop, asked[1].checkpoint) == (0.005, None)
    with pytest.raises(TypeError, match="max_dorp"):
        edgeseg.build(target="int8", max_dorp=1)


def test_somebody_elses_network_is_imported_on_the_way(
    asked: list[BuildSpec], foreign_onnx: Callable[..., Path], tmp_path: Path
) -> None:
    contract = tmp_path / "contract.toml"
    contract.write_text("")
    file = foreign_onnx()
    made = edgeseg.import_network(file, tmp_path / "run", contract=contract)
    edgeseg.build(file, target="onnx-int8", out=tmp_path / "build", contract=contract)
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    (spec,) = asked
    assert spec.checkpoint is not None
    assert spec.checkpoint.parent == tmp_path / "build" / "imported"
    assert spec.variant.slug == made.network
    edgeseg.build(tmp_path / "run", target="onnx-int8", out=tmp_path / "build")
    assert asked[-1].checkpoint == tmp_path / "run"


def test_a_run_that_is_called_like_a_network_is_the_run(
    asked: list[BuildSpec], foreign_onnx: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    edgeseg.import_network(foreign_onnx(), "light")
    edgeseg.build("light", target="onnx-int8")
    assert asked[0].checkpoint == Path("light")


def test_the_module_is_the_one_that_is_imported_when_used() -> None:
    module: Any = importlib.import_module("edgeseg.api")
    assert edgeseg.load is module.load
