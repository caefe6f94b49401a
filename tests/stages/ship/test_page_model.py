from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg import networks
from edgeseg.errors import ArtifactError, ContractError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter, read_contract
from edgeseg.specs import Contract
from edgeseg.stages.ship.page_model import page_model
from edgeseg.targets import float_ends

Write = Callable[..., Path]


def test_an_onnx_file_goes_there_as_it_is(tiny_onnx: Write) -> None:
    found = page_model(tiny_onnx())
    assert (found.suffix, found.engine) == (".onnx", "onnxruntime")
    assert found.data == tiny_onnx().read_bytes()


def test_a_tflite_file_is_sealed_anew_and_gives_the_same_logits(tmp_path: Path) -> None:
    ships = networks.get("light").file("tflite-int8")
    found = page_model(ships)
    assert (found.suffix, found.engine, found.channels) == (".tflite", "litert", ("pre", "flair", "post"))
    assert found.data == page_model(ships).data
    place = tmp_path / "page.tflite"
    place.write_bytes(found.data)
    before, after = read_contract(ships), read_contract(place)
    assert after.content_sha256 not in (None, before.content_sha256)
    assert replace(after, content_sha256=None, contract_sha256=None) == replace(
        before, content_sha256=None, contract_sha256=None
    )
    opened = Segmenter.load(place, threads=1)
    test = opened.self_test()
    assert (test.passed, test.flipped_pixels) == (True, 0)
    images = np.random.default_rng(3).integers(0, 256, (1, 256, 256, 3), np.uint8)
    np.testing.assert_array_equal(opened.logits(images), Segmenter.load(ships, threads=1).logits(images))


def test_one_that_was_changed_after_it_was_sealed_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "page.tflite"
    data = page_model(networks.get("light").file("tflite-int8")).data
    place.write_bytes(data.replace(b'"threshold":0.6', b'"threshold":0.5'))
    with pytest.raises(ContractError, match="changed after it was sealed"):
        read_contract(place)


def test_a_contract_beside_a_tflite_file_goes_into_it(
    tmp_path: Path, tiny_tflite: Write, tiny_contract: Contract
) -> None:
    told = replace(tiny_contract, layout="NHWC", target="tflite-int8")
    (tmp_path / "contract.json").write_text(to_json(told))
    bare = tiny_tflite(contract=None, int8=True)
    place = tmp_path / "page.tflite"
    place.write_bytes(page_model(bare, tmp_path / "contract.json").data)
    assert read_contract(place).threshold == told.threshold


def test_what_the_page_cannot_run_is_refused(tmp_path: Path, tiny_tflite: Write) -> None:
    with pytest.raises(OptionError, match=r"computes in fp32 from float32 to float32; give a tflite-int8 file"):
        page_model(tiny_tflite())
    with pytest.raises(ContractError, match="carries no contract"):
        page_model(tiny_tflite(contract=None, int8=True))
    with pytest.raises(OptionError, match=r"takes \.onnx, or \.tflite of int8"):
        page_model(tmp_path / "x.ort")
    with pytest.raises(ArtifactError, match="does not exist"):
        page_model(tmp_path / "x.tflite")
    page = tmp_path / "page.tflite"
    page.write_bytes(page_model(networks.get("light").file("tflite-int8")).data)
    with pytest.raises(OptionError, match="computes in int8 from float32 to float32"):
        page_model(page)


def test_one_that_gives_other_values_behind_float_ends_is_refused(
    tmp_path: Path, tiny_tflite: Write, tiny_contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = replace(tiny_contract, layout="NHWC", target="tflite-int8")
    model, other = tiny_tflite(contract=told, int8=True), tiny_tflite("other.tflite", contract=told)
    monkeypatch.setattr(float_ends, "with_float_ends", lambda _: other.read_bytes())
    monkeypatch.setattr(Segmenter, "logits", lambda self, _: np.full(1, self.path == model))
    with pytest.raises(ArtifactError, match="gives other values than before"):
        page_model(model)
