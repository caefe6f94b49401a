"""Models that somebody else made: probabilities as well as logits, and ends that do not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import ContractError, EdgeSegError
from edgeseg.imaging import as_logits
from edgeseg.jsonio import to_json
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract, PostProcessing

Write = Callable[..., Path]
POOL = ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]})


@pytest.fixture
def images() -> NDArray[np.uint8]:
    """Blobs, so that masks have borders and islands."""
    small = np.random.default_rng(3).integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    return np.repeat(np.repeat(small, 9, axis=1), 8, axis=2)


@pytest.fixture
def open_with(tmp_path: Path, tiny_contract: Contract) -> Callable[..., Segmenter]:
    def load(model: Path, **change: Any) -> Segmenter:
        place = tmp_path / "contract.json"
        place.write_text(to_json(replace(tiny_contract, **change)))
        return Segmenter.load(model, contract=place)

    return load


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("dropping", [PostProcessing(), PostProcessing(min_area_px=9, min_volume_px=40)])
def test_probabilities_give_the_masks_of_the_same_network_without_its_sigmoid(
    foreign_onnx: Write, open_with: Callable[..., Segmenter], images: Any, threshold: float, dropping: PostProcessing
) -> None:
    told = {"threshold": threshold, "post_processing": dropping}
    plain = open_with(foreign_onnx("plain.onnx"), **told)
    squashed = open_with(foreign_onnx("squashed.onnx", ("Sigmoid",)), output="probabilities", **told)
    small = images[:, :16, :24]
    np.testing.assert_allclose(squashed.logits(small), plain.logits(small), atol=1e-5)
    for segment in ("segment", "segment_volume"):
        masks = getattr(plain, segment)(images)
        assert 0 < masks.sum() < masks.size
        np.testing.assert_array_equal(getattr(squashed, segment)(images), masks)


def test_the_threshold_applies_to_probabilities_themselves(tiny_contract: Contract) -> None:
    values = np.linspace(0, 1, 100_001, dtype=np.float32)
    for threshold in (0.01, 0.3, 0.5, 0.9, 0.999):
        contract = replace(tiny_contract, output="probabilities", threshold=threshold)
        for step in (None, 1 / 256):
            logits = as_logits(values, contract, step)
            assert np.isfinite(logits).all()
            np.testing.assert_array_equal(logits > contract.logit_threshold, values.astype(np.float64) > threshold)


def test_logits_that_the_contract_calls_probabilities_are_refused(
    foreign_onnx: Write, open_with: Callable[..., Segmenter], images: Any
) -> None:
    with pytest.raises(ContractError, match=r'foreign.onnx: .* "output": "logits"'):
        open_with(foreign_onnx(), output="probabilities").segment(images)


def test_an_output_that_is_neither(tiny_contract: Contract) -> None:
    with pytest.raises(EdgeSegError, match="output is 'chances'; choose one of: logits, probabilities, softmax"):
        replace(tiny_contract, output="chances")


def test_a_contract_of_logits_is_written_as_before_the_key_was_there(tiny_contract: Contract) -> None:
    assert "output" not in json.loads(to_json(tiny_contract))
    told = json.loads(to_json(replace(tiny_contract, output="probabilities")))
    assert told["output"] == "probabilities"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"tail": ("GlobalAveragePool", ("Flatten", {})), "result": (1, 1)}, "no segmentation network"),
        ({"more": ("z",)}, "2 inputs and 1 outputs"),
        ({"dtype": "FLOAT16"}, "the input is of type float16; edgeseg takes float32"),
        ({"tail": (POOL,), "result": (1, 1, 8, 12)}, "end the model with a resize"),
        ({"weight": ((0, 4, 0), (0, -4, 0)), "tail": (("Softmax", {"axis": 1}),)}, "edgeseg takes one channel"),
        ({"source": (1, 3, "h", "w"), "tail": ("Resize",), "result": (1, 1, "p", "q")}, "one per pixel"),
        ({"source": (1, 3, 24, 16)}, "do not belong together"),
    ],
    ids=["classifier", "two inputs", "float16", "smaller", "two channels", "smaller and open", "transposed"],
)  # fmt: skip
def test_models_of_another_kind_are_one_clear_error_when_they_are_opened(
    foreign_onnx: Write, open_with: Callable[..., Segmenter], model: dict[str, Any], told: str
) -> None:
    with pytest.raises(EdgeSegError, match=told) as refused:
        open_with(foreign_onnx(**model))
    assert refused.value.exit_code == 2
    assert "foreign.onnx" in str(refused.value)


def test_open_sizes_take_those_of_the_contract(
    foreign_onnx: Write, open_with: Callable[..., Segmenter], images: Any
) -> None:
    fixed = open_with(foreign_onnx("fixed.onnx"))
    opened = open_with(foreign_onnx(source=("n", 3, "h", "w"), result=("n", 1, "h", "w")))
    np.testing.assert_array_equal(opened.segment(images), fixed.segment(images))
