from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.errors import ArtifactError, ContractError, MissingExtraError
from edgeseg.jsonio import to_json
from edgeseg.runtime import read_contract
from edgeseg.specs import Contract, PostProcessing

Write = Callable[..., Path]


@pytest.fixture(params=["onnx", "tflite"])
def tiny(request: pytest.FixtureRequest) -> Write:
    """Write a tiny model of either format."""
    write: Write = request.getfixturevalue(f"tiny_{request.param}")
    return write


def test_the_contract_comes_back_as_it_went_in(tiny: Write, tiny_contract: Contract) -> None:
    told = replace(
        tiny_contract, threshold=0.4, trained_on="phantom \N{GREEK SMALL LETTER ALPHA}", seen_patients=("ab12cd34",)
    )
    assert read_contract(tiny(contract=told)) == told


def test_a_model_without_a_contract(tiny: Write) -> None:
    with pytest.raises(ContractError, match="carries no contract"):
        read_contract(tiny(contract=None))


def test_a_newer_schema(tiny: Write, tiny_contract: Contract) -> None:
    plain = json.loads(to_json(tiny_contract)) | {"schema_version": 7, "a_new_key": 1}
    with pytest.raises(ContractError, match=r"schema version 7 .* update edgeseg"):
        read_contract(tiny(contract=json.dumps(plain)))


@pytest.mark.parametrize(
    "change", [{"extra": 1}, {"height": "16"}, {"layout": "HW"}, {"threshold": 1.0}, {"scale": 0.0}, {"width": 0}]
)
def test_a_contract_of_another_shape(tiny: Write, tiny_contract: Contract, change: dict[str, object]) -> None:
    plain = json.loads(to_json(tiny_contract)) | change
    with pytest.raises(ContractError, match="cannot be honoured"):
        read_contract(tiny(contract=json.dumps(plain)))


@pytest.mark.parametrize("text", ["", "{", "[1]", "\N{SNOWMAN}"])
def test_a_contract_that_is_no_json_object(tiny: Write, text: str) -> None:
    with pytest.raises(ContractError):
        read_contract(tiny(contract=text))


def test_every_truncation_is_one_clear_error(tiny: Write, tmp_path: Path) -> None:
    path = tiny()
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 40)):
        path.write_bytes(content[:end])
        with pytest.raises((ArtifactError, ContractError), match=path.name):
            read_contract(path)


def test_bytes_that_are_no_model(tiny: Write) -> None:
    path = tiny()
    path.write_bytes(b"\x89PNG nothing of the kind" * 50)
    with pytest.raises(ArtifactError, match="damaged"):
        read_contract(path)


def test_a_path_that_is_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="does not exist"):
        read_contract(tmp_path / "absent.onnx")
    (tmp_path / "folder.tflite").mkdir()
    with pytest.raises(ArtifactError, match="is a folder"):
        read_contract(tmp_path / "folder.tflite")
    with pytest.raises(ArtifactError, match=r"\.onnx, \.ort or \.tflite"):
        read_contract(tmp_path / "weights.hdf5")


def test_tflite_without_its_extra(tiny_tflite: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_tflite()
    original = builtins.__import__

    def refuse(name: str, *args: object, **kwargs: object) -> object:
        if name.startswith("ai_edge_litert"):
            raise ModuleNotFoundError(name)
        return original(name, *args, **kwargs)  # type: ignore[arg-type]

    for name in [name for name in sys.modules if name.startswith("ai_edge_litert")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeseg\[build\]'"):
        read_contract(path)


def test_a_contract_of_before_post_processing_reads_as_one_that_drops_nothing(
    tiny_onnx: Write, tiny_contract: Contract
) -> None:
    plain = json.loads(to_json(tiny_contract))
    del plain["post_processing"]
    assert read_contract(tiny_onnx(contract=json.dumps(plain))).post_processing == PostProcessing()


def test_a_contract_keeps_its_post_processing(tiny_onnx: Write, tiny_contract: Contract) -> None:
    spec = PostProcessing(min_area_px=40, min_volume_px=100, min_share=0.05)
    assert read_contract(tiny_onnx(contract=replace(tiny_contract, post_processing=spec))).post_processing == spec


@pytest.mark.parametrize("bad", [{"min_share": 2.0}, {"min_volume_px": -1}, {"min_volume_px": 0.5}, {"unknown": 1}])
def test_post_processing_that_no_runner_could_honour_is_refused(
    tiny_onnx: Write, tiny_contract: Contract, bad: dict[str, float]
) -> None:
    plain = json.loads(to_json(tiny_contract))
    plain["post_processing"] |= bad
    with pytest.raises(ContractError, match=next(iter(bad))):
        read_contract(tiny_onnx(contract=json.dumps(plain)))
